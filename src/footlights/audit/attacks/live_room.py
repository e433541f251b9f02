"""Live room. An attack on a room that somebody joins or leaves. There are no live figures yet: then it says so."""

from __future__ import annotations

from footlights.audit.attacks.counts import KNOWN
from footlights.audit.attacks.evidence import of_figure
from footlights.audit.attacks.game import Attack, Game, NotHere, Play
from footlights.audit.doors import Message
from footlights.audit.messages import track
from footlights.terms.ticks import MINUTE


def join_and_leave(game: Game) -> Play:
    """Is the target in the room? The crowd is known."""
    live = game.id("live")
    game.tell(*(_event(game, "Live Joined", live, f"known{number}") for number in range(KNOWN)))
    game.on_heads(_event(game, "Live Joined", live, "target"))
    yield 2 * MINUTE
    answer = game.get(f"/api/v1/lives/{live}")
    if answer.status == 404:
        raise NotHere("there are no live figures: the route of a room is answered with 404.")
    figure = answer.json()["figures"]["concurrent_viewers"]
    return of_figure(figure, tails=KNOWN, heads=KNOWN + 1) > 0


def _event(game: Game, event: str, live: str, viewer: str) -> Message:
    return track(
        event, viewer=game.id(viewer), at_utc=game.now_utc(), message=game.fresh(),
        live_id=live, creator_id=game.creator,
    )  # fmt: skip


ATTACKS = (
    Attack(
        name="live room",
        about="Somebody joins a live room, or leaves it: how many are in it now?",
        play=join_and_leave, reads=("live",),
    ),
)  # fmt: skip
