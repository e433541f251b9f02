"""Live room. Attacks on a room that somebody enters: watch its counters, tick by tick, and say whether they are there.

The crowd is known to the last head, and everything else is still: what moves is noise, or the target.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from footlights.audit.attacks.evidence import of_room
from footlights.audit.attacks.game import Attack, Game, NotHere, Play
from footlights.audit.doors import Message
from footlights.audit.messages import track
from footlights.terms.live import MINUTE_TICKS, TICK_SECONDS

#: More than a small room, of which no number would be shown.
CROWD = 130
#: How long the room stands still before the target may come, and for how many ticks it is then watched.
STILL_SECONDS = MINUTE_TICKS * TICK_SECONDS + 2
WATCHED_TICKS = 12


def enters(game: Game) -> Play:
    """One known person enters a quiet room, and stays."""
    came = STILL_SECONDS + 1
    yield from _room(game, {came: "Live Joined"})
    return (yield from _watch(game, {"concurrent_viewers": {_tick(came): 1}, "live_viewers": {_tick(came): 1}}))


def comes_and_goes(game: Game) -> Play:
    """One known person enters, leaves, enters again and leaves again: all that counts of one viewer."""
    times = [STILL_SECONDS + 1 + 6 * step for step in range(4)]
    moves = {at: "Live Left" if step % 2 else "Live Joined" for step, at in enumerate(times)}
    yield from _room(game, moves)
    room = {_tick(at): -1 if what == "Live Left" else 1 for at, what in moves.items()}
    return (yield from _watch(game, {"concurrent_viewers": room, "live_viewers": {_tick(times[0]): 1}}))


def _room(game: Game, moves: Mapping[int, str]) -> Play:
    """A room with a crowd in it, and what the target does on heads, by seconds after it began."""
    live = game.live()
    game.tell(*(_event(game, "Live Joined", live, f"known{number}", 1) for number in range(CROWD)))
    game.on_heads(*(_event(game, what, live, "target", at) for at, what in moves.items()))
    yield STILL_SECONDS
    return False


def _watch(game: Game, adds: Mapping[str, Mapping[int, int]]) -> Play:
    """Read the room at each tick; adds: what the target's acts add to each figure, by tick."""
    found: dict[str, list[dict[str, Any]]] = {metric: [] for metric in adds}
    for _ in range(WATCHED_TICKS):
        yield TICK_SECONDS
        answer = game.get(f"/api/v1/lives/{game.id('live')}")
        if answer.status == 404:
            raise NotHere("there are no live figures: the route of a room is answered with 404.")
        figures = answer.json()["figures"]
        for metric, read in found.items():
            read.append(figures[metric])
    evidence = sum(
        of_room(read, promise=game.promise, metric=metric, known=CROWD, adds=adds[metric])
        for metric, read in found.items()
    )
    return evidence > 0


def _tick(after_seconds: int) -> int:
    return -(-after_seconds // TICK_SECONDS)


def _event(game: Game, event: str, live: str, viewer: str, after_seconds: int) -> Message:
    return track(
        event, viewer=game.id(viewer), at_utc=game.began_utc + after_seconds, message=game.fresh(), live_id=live
    )


_READS = ("live.concurrent_viewers", "live.live_viewers")
_LASTS = STILL_SECONDS + (WATCHED_TICKS + 1) * TICK_SECONDS

ATTACKS = (
    Attack(
        name="live room",
        about="One known person enters an otherwise quiet room: are they there? Its counters, tick by tick.",
        play=enters, reads=_READS, lasts_seconds=_LASTS,
    ),
    Attack(
        name="live room, in and out",
        about="One known person enters and leaves a quiet room twice, as often as counts: are they there?",
        play=comes_and_goes, reads=_READS, lasts_seconds=_LASTS,
    ),
)  # fmt: skip
