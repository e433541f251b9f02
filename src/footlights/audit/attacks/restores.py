"""Restores. Attacks by somebody who kept the board that a restore replaced, and reads the next one. See game.Play.

What may be learnt of both is in gate/mechanisms/restore.md: at most twice the rho, and nothing from their difference.
"""

from __future__ import annotations

from footlights.audit.attacks.counts import KNOWN, WHOLE, of_whole_view
from footlights.audit.attacks.game import PUT_BACK, Attack, Game, Play
from footlights.audit.doors import Message
from footlights.terms.ticks import MINUTE

WATCHED_SECONDS = 32 * MINUTE
#: Between the two boards, if the noise were the same: what a view to the end adds to reach.
_ONE = 1


def restored_twice(game: Game) -> Play:
    """Everything is sent again after the restore: the same view is in both boards, under noise of two keys."""
    seen = [*_known(game), game.view(game.id("v"), **WHOLE)]
    video = _post(game, seen)
    yield WATCHED_SECONDS
    before = of_whole_view(game, video)
    yield PUT_BACK
    _post(game, seen)
    yield MINUTE
    return before + of_whole_view(game, video) > 0


def lost_in_a_restore(game: Game) -> Play:
    """The target's view was lost, the known ones were sent again: the difference of both boards, and then the first."""
    known, target = _known(game), game.view(game.id("v"), **WHOLE)
    video = _post(game, [*known, target])
    yield WATCHED_SECONDS
    before, evidence = _reach(game, video), of_whole_view(game, video)
    yield PUT_BACK
    _post(game, known)
    yield MINUTE
    differences = {one - other for one, other in zip(before, _reach(game, video), strict=False)}
    if len(differences) == 1:
        return differences == {_ONE}  # the noise is the same, so the difference is what was lost
    return evidence > 0


def _known(game: Game) -> list[Message]:
    return [game.view(game.id("v"), f"known{number}", **WHOLE) for number in range(KNOWN)]


def _post(game: Game, seen: list[Message]) -> str:
    """Declare the game's video and send what was seen of it: the last of more than the known on heads alone."""
    video = game.video()
    game.tell(*seen[:KNOWN])
    game.on_heads(*seen[KNOWN:])
    return video


def _reach(game: Game, video: str) -> list[int]:
    return [int(point["value"]) for point in game.curve(video, "reach")]


ATTACKS = (
    Attack(
        name="restored twice",
        about="A board that was kept, and the one after a restore, with the same view in both.",
        play=restored_twice, reads=("counters",), times=2, puts_back=True, lasts_seconds=WATCHED_SECONDS + MINUTE,
    ),
    Attack(
        name="lost in a restore",
        about="A board that was kept, less the one after a restore that lost a view.",
        play=lost_in_a_restore, reads=("counters",), puts_back=True, lasts_seconds=WATCHED_SECONDS + MINUTE,
    ),
)  # fmt: skip
