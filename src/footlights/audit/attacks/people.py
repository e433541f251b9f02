"""People. Attacks on one viewer whom the attacker knows: alone, among fakes, under a forged name. See game.Play."""

from __future__ import annotations

from typing import Any

from footlights.audit.attacks.counts import KNOWN
from footlights.audit.attacks.evidence import THRESHOLD, of_audience, of_cells, of_curve, of_figure
from footlights.audit.attacks.game import DURATION_SECONDS, Attack, Game, Play
from footlights.audit.attacks.residuals import ALONE, BEFORE_AUDIENCE_SECONDS, NEIGHBOUR, audience_of, traits
from footlights.audit.doors import Message
from footlights.audit.messages import act, follow
from footlights.terms.domains import UNKNOWN
from footlights.terms.events import Kind
from footlights.terms.figures import Z95
from footlights.terms.ticks import MINUTE

#: Where the target comes from: nobody else got the link.
LINK = "message"
#: All that one viewer can add to a video of 30 seconds, by metric.
FULL_USE = {
    "reach": 1.0, "replays": 2.0, "total_time_watched": 2 * DURATION_SECONDS, "full_views": 1.0, "share_count": 1.0,
    "favorites_count": 1.0, "new_followers": 1.0,
}  # fmt: skip


def audience_of_one(game: Game) -> Play:
    """A link sent to one person: did they watch? Everything that they can have left behind is read and weighed."""
    video = game.video(age_seconds=BEFORE_AUDIENCE_SECONDS)
    game.on_heads(*full_use(game, video))
    # That they follow is disclosed; that this video led to it is not.
    game.either(
        [_follow(game, video)],
        [_follow(game, None)],
    )
    yield 4 * MINUTE
    reach = game.read(f"/api/v1/videos/{video}")["figures"]["reach"]
    if reach["state"] == "pending":
        return False
    if reach["value"] is None:
        return True
    return of_everything(game, video, known=0) > 0


def of_everything(game: Game, video: str, *, known: int, creator: str = "") -> float:
    """Evidence of all families of a video of full use by the target. known: neighbours who started it, no more."""
    evidence = of_audience(
        audience_of(game, video, creator=creator), tails=None, heads=ALONE, known=[(NEIGHBOUR, known)]
    )
    for metric, most in FULL_USE.items():
        base = known if metric == "reach" else 0
        points = game.curve(video, metric, creator=creator)
        evidence += of_curve(
            points, promise=game.promise, metric=metric, tails={1: base}, heads={1: base + most}
        )  # fmt: skip
    for route, of in (("retention", _of_retention), ("sources", _of_sources)):
        found = game.read(f"/api/v1/videos/{video}/{route}", creator=creator)
        evidence += 0.0 if found is None else of(game, found, known)
    return evidence


def _of_retention(game: Game, found: Any, known: int) -> float:
    """How many viewers there are. Of so few, the curve is too coarse to tell who got how far."""
    half = Z95 * game.promise.retention_std
    return of_figure(found["viewers"], tails=known, heads=known + 1, half=half)


def _of_sources(_: Game, found: Any, known: int) -> float:
    base: dict[tuple[str, ...], int] = {(UNKNOWN,): known}
    return of_cells(found["tables"][0], tails=base, heads=base | {(LINK,): 1})


def fakes(game: Game) -> Play:
    """Fake accounts fill two cells up to one below the threshold: in which of them is the target?"""
    video = game.video(age_seconds=BEFORE_AUDIENCE_SECONDS)
    one, other = NEIGHBOUR | {"country": "AQ"}, NEIGHBOUR | {"country": "VA"}
    game.crowd(video, THRESHOLD - 1, kind="one", **traits(one))
    game.crowd(video, THRESHOLD - 1, kind="other", **traits(other))
    game.either([game.view(video, **traits(one))], [game.view(video, **traits(other))])
    yield 4 * MINUTE
    known = [(one, THRESHOLD - 1), (other, THRESHOLD - 1)]
    return of_audience(audience_of(game, video), tails=other, heads=one, known=known) > 0


def forged_view(game: Game) -> Play:
    """A view sent under the target's name, later and as somebody else: only the first one of them counts."""
    video = game.video(age_seconds=BEFORE_AUDIENCE_SECONDS)
    for kind, person in (("one", NEIGHBOUR), ("other", ALONE)):
        game.crowd(video, KNOWN, kind=kind, **traits(person))
    game.on_heads(game.view(video, **traits(NEIGHBOUR)))
    game.tell(game.view(video, after_seconds=2, **traits(ALONE)))
    yield 4 * MINUTE
    known = [(NEIGHBOUR, KNOWN), (ALONE, KNOWN)]
    return of_audience(audience_of(game, video), tails=ALONE, heads=NEIGHBOUR, known=known) > 0


def full_use(game: Game, video: str) -> list[Message]:
    """One viewer who uses every bound to the full, but for the follow."""
    whole: dict[str, Any] = {"watch_seconds": DURATION_SECONDS, "completed": True}
    starts = [game.view(video, after_seconds=1 + number, source=LINK, **whole, **traits(ALONE)) for number in range(3)]
    target, later = game.id("target"), game.began_utc + 5
    acts = [act(kind, video, viewer=target, at_utc=later, message=game.fresh()) for kind in (Kind.SHARE, Kind.SAVE)]
    return [*starts, *acts]


def _follow(game: Game, video: str | None) -> Message:
    return follow(
        game.creator, viewer=game.id("target"), at_utc=game.began_utc + 6, message=game.fresh(), video=video
    )  # fmt: skip


ATTACKS = (
    Attack(
        name="audience of one",
        about="A link sent to one person: everything that they can have left behind is read and weighed.",
        play=audience_of_one, reads=("counters", "audience", "retention", "sources"),
    ),
    Attack(
        name="fake accounts",
        about="Fakes fill two cells up to the threshold less one: in which of them is the target?",
        play=fakes, reads=("audience",), times=2,
    ),
    Attack(
        name="forged view",
        about="A later view under the target's name with other traits: a first view counts, so one cell or another.",
        play=forged_view, reads=("audience",), times=2,
    ),
)  # fmt: skip
