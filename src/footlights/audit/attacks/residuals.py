"""Residuals. Attacks that subtract what is shown from a total, to see what is hidden. See game.Play."""

from __future__ import annotations

from typing import Any

from footlights.audit.attacks.counts import KNOWN, MANY
from footlights.audit.attacks.evidence import estimate, of_audience, of_curve
from footlights.audit.attacks.game import Attack, Game, Play
from footlights.terms.ticks import HOUR, MINUTE

#: A video of this age has its first audience two minutes later.
BEFORE_AUDIENCE_SECONDS = 6 * HOUR - 2 * MINUTE
NEIGHBOUR = {"age": "25-34", "gender": "female", "country": "FR", "type": "not_follower"}
#: Nobody else is like this.
ALONE = {"age": "65+", "gender": "other", "country": "AQ", "type": "follower"}


def traits(person: dict[str, str]) -> dict[str, Any]:
    """What a view says of its viewer."""
    return {
        "age": person["age"], "gender": person["gender"], "country": person["country"],
        "follower": person["type"] == "follower",
    }  # fmt: skip


def audience_of(game: Game, video: str, *, creator: str = "") -> Any:
    """A video's audience; None where there is none."""
    return game.read(f"/api/v1/videos/{video}/audience", creator=creator)


def countries(game: Game) -> Play:
    """The one viewer from a country whose cell is hidden: the total less the countries that are shown."""
    video = game.video(age_seconds=BEFORE_AUDIENCE_SECONDS)
    game.crowd(video, KNOWN, **traits(NEIGHBOUR))
    game.on_heads(game.view(video, **traits(ALONE)))
    yield 4 * MINUTE
    audience = audience_of(game, video)
    total = game.read(f"/api/v1/videos/{video}")["figures"]["reach"]
    table = next(table for table in audience["tables"] if table["name"] == "countries")
    shown = [cell["figure"]["value"] for cell in table["cells"]]
    if len(shown) < 2:
        return bool(total["value"] - sum(shown) > 0.5)
    evidence = of_audience(audience, tails=None, heads=ALONE, known=[(NEIGHBOUR, KNOWN)])
    reach = of_curve(
        game.curve(video, "reach"), promise=game.promise, metric="reach", tails={1: KNOWN}, heads={1: KNOWN + 1}
    )
    return evidence + reach > 0


def other_videos(game: Game) -> Play:
    """A channel's total less its other videos: the one video that is too small to be shown."""
    channel = game.channel()
    small, *others = (game.video(what, creator=channel) for what in ("small", "large", "larger"))
    for video in others:
        game.crowd(video, MANY, kind=video)
    game.on_heads(game.view(small))
    yield 2 * MINUTE
    total = game.read(f"/api/v1/creators/{channel}/overview?days=28", creator=channel)["figures"]["reach"]
    rest = sum(_reach(game, video, channel) for video in others)
    return _estimate(total) - rest > 0.5


def _reach(game: Game, video: str, channel: str) -> float:
    return _estimate(game.read(f"/api/v1/videos/{video}", creator=channel)["figures"]["reach"])


def _estimate(figure: Any) -> float:
    found = estimate(figure, half=0.0)
    return 0.0 if found is None else found


ATTACKS = (
    Attack(
        name="hidden country",
        about="The total of a video less the countries that are shown: the one viewer from another.",
        play=countries, reads=("counters", "audience"),
    ),
    Attack(
        name="hidden video",
        about="The total of a channel less its other videos: the one that is too small to be shown.",
        play=other_videos, reads=("counters",),
    ),
)  # fmt: skip
