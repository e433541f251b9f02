"""Suite. In: doors, a naive twin and a seed. Out: a verdict for each attack, beside what is promised.

    all games of all attacks ─▶ one clock: whoever waits least goes next ─▶ guesses ─▶ right here, right on the twin

An attack is withstood when its guesses are not significantly more often right than the promise allows, and it bites
when it succeeds on the twin: a suite that never succeeds anywhere shows nothing.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

from footlights.audit.attacks import ATTACKS, Attack, Game, NotHere, Play
from footlights.audit.attacks.chances import at_least, best_success
from footlights.audit.attacks.game import PUT_BACK
from footlights.audit.attacks.promise import Promise
from footlights.audit.bounds import clopper_pearson
from footlights.audit.doors import Doors, Message, Restorable, read, send_all
from footlights.simulate.draws import Draws

#: Of all attacks together: how often a deployment that keeps its promise is called broken.
ALPHA = 0.001
#: Of the interval that is shown beside a success.
CONFIDENCE = 0.95
#: How often an attack has to be right on the twin.
BITE = 0.9
#: Games on the twin at most: it hides nothing from an attack that works.
TWIN_GAMES_MOST = 50
PRIVACY = "/api/v1/privacy"
#: On a deployment whose clock is the real one, what takes longer is left out.
PATIENCE_SECONDS = 3600
#: Games of each attack, if nobody says how many.
GAMES = 100

Progress = Callable[[int, int], None]
Outcome = Literal["withstood", "broken", "blunt", "too few games", "not here yet", "too long"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one attack.

    right of games: guesses, here and on the twin. low, high: the 95 % interval of the chance of a right guess.
    allowed: the best chance that the promise leaves. chance_of_this: of so many right guesses or more, if that is what
    they had. outcome: withstood; broken; blunt: it does not succeed on the twin; too few games: not even all guesses
    right would tell; not here yet: there is nothing to attack; too long: it needs more time than was given.
    """

    attack: str
    about: str
    outcome: Outcome
    games: int
    right: int
    success: float
    low: float
    high: float
    allowed: float
    chance_of_this: float
    twin_games: int
    twin_right: int

    @property
    def failed(self) -> bool:
        """Whether the audit fails by it."""
        return self.outcome in ("broken", "blunt", "too few games")


def run_attacks(
    doors: Doors,
    twin: Doors,
    *,
    games: int,
    seed: int,
    progress: Progress | None = None,
    attacks: Sequence[Attack] = ATTACKS,
    seconds_most: int | None = None,
) -> list[Verdict]:
    """Play every attack on the doors and on the twin.

    games: of each attack, >= 1. seed: of all coins, which are fixed before the first game. seconds_most: leave out
    what takes longer on the deployment's clock. Raises AuditFailed.
    """
    promise = Promise(read(doors, PRIVACY))
    played = [attack for attack in attacks if seconds_most is None or attack.lasts_seconds <= seconds_most]
    here = _play(doors, played, games=games, seed=seed, promise=promise, progress=progress)
    there = _play(twin, attacks, games=min(games, TWIN_GAMES_MOST), seed=seed, promise=promise)
    verdicts = [
        _verdict(attack, here.get(attack.name), there[attack.name], promise=promise, of=len(attacks))
        for attack in attacks
    ]
    return [
        verdict if attack in played else msgspec.structs.replace(verdict, outcome="too long")
        for attack, verdict in zip(attacks, verdicts, strict=True)
    ]


def coins(seed: int, attack: str, games: int) -> list[bool]:
    """The coins of an attack's games: heads or tails, from the seed alone."""
    return [number < 0.5 for number in Draws(seed.to_bytes(16, "big"), "attacks", attack).uniform(games).tolist()]


def _play(
    doors: Doors,
    attacks: Sequence[Attack],
    *,
    games: int,
    seed: int,
    promise: Promise,
    progress: Progress | None = None,
) -> dict[str, list[bool] | None]:
    """Which guesses were right, by attack; None where there was nothing to attack.

    Attacks that put the deployment back come last, beside each other: it takes from all who play what came since.
    """
    before, after = ([attack for attack in attacks if attack.puts_back is last] for last in (False, True))
    found = _play_together(doors, before, games=games, seed=seed, promise=promise, progress=progress)
    if not isinstance(doors, Restorable):
        return found | dict.fromkeys((attack.name for attack in after), None)
    if after:
        doors.keep()
    return found | _play_together(doors, after, games=games, seed=seed, promise=promise, progress=progress)


def _play_together(
    doors: Doors, attacks: Sequence[Attack], *, games: int, seed: int, promise: Promise, progress: Progress | None
) -> dict[str, list[bool] | None]:
    outbox: list[Message] = []
    tables: list[_Table] = []
    for number, attack in enumerate(attacks):
        # Two audits of one deployment share no names.
        run = hashlib.blake2b(f"{seed}/{doors.now_utc()}/{attack.name}".encode(), digest_size=5).hexdigest()
        for index, heads in enumerate(coins(seed, attack.name, min(games, attack.games_most))):
            game = Game(
                doors, name=f"{run}-{index}", cast=f"{run}-cast", heads=heads, promise=promise, tell=outbox.append
            )
            tables.append(_Table(attack=number, game=game, play=attack.play(game)))
    _run_all(doors, tables, outbox, progress=progress)
    found: dict[str, list[bool] | None] = {}
    for number, attack in enumerate(attacks):
        mine = [table for table in tables if table.attack == number]
        here = all(table.guess is not None for table in mine)
        found[attack.name] = [table.game.was_right(bool(table.guess)) for table in mine] if here else None
    return found


class _Table(msgspec.Struct, kw_only=True):
    attack: int
    game: Game
    play: Play
    guess: bool | None = None


def _run_all(doors: Doors, tables: list[_Table], outbox: list[Message], *, progress: Progress | None) -> None:
    """Play all games beside each other: what they tell is sent before time passes, in the order of the games."""
    began = doors.now_utc()
    waiting = [(began, number) for number in range(len(tables))]
    held: list[int] = []
    done = 0
    while waiting or held:
        if not waiting:
            assert isinstance(doors, Restorable), "what cannot be put back is not asked to be"
            doors.put_back()
            waiting, held = [(doors.now_utc(), number) for number in held], []
        due = waiting[0][0]
        if due > (now := doors.now_utc()):
            doors.pass_time(due - now)
        while waiting and waiting[0][0] <= due:
            _, number = heapq.heappop(waiting)
            wait = _move(tables[number])
            if wait is None:
                done += 1
            elif wait == PUT_BACK:
                held.append(number)
            else:
                heapq.heappush(waiting, (doors.now_utc() + wait, number))
            if progress is not None:
                progress(done, len(tables))
        send_all(doors, outbox)
        outbox.clear()


def _move(table: _Table) -> int | None:
    """Let a game go on: how long it waits now, None when it is over."""
    try:
        return next(table.play)
    except StopIteration as over:
        table.guess = over.value
    except NotHere:
        pass
    table.game.over()
    return None


def _verdict(
    attack: Attack, here: list[bool] | None, there: list[bool] | None, *, promise: Promise, of: int
) -> Verdict:
    right, games = sum(here or ()), len(here or ())
    twin_right, twin_games = sum(there or ()), len(there or ())
    allowed = best_success(attack.rho(promise))
    low, high = clopper_pearson(right, games, alpha=1 - CONFIDENCE) if games else (0.0, 1.0)
    by_chance = at_least(right, games, chance=allowed) if games else 1.0
    return Verdict(
        attack=attack.name, about=attack.about,
        outcome=_outcome(
            games, beyond=by_chance < ALPHA / of, telling=allowed**games < ALPHA / of,
            bites=twin_right >= BITE * twin_games > 0,
        ),
        games=games, right=right, success=right / games if games else 0.0, low=low, high=high,
        allowed=allowed, chance_of_this=by_chance, twin_games=twin_games, twin_right=twin_right,
    )  # fmt: skip


def _outcome(games: int, *, beyond: bool, telling: bool, bites: bool) -> Outcome:
    if not games:
        return "not here yet"
    if not telling:
        return "too few games"
    if beyond:
        return "broken"
    return "withstood" if bites else "blunt"


def verdict_lines(verdicts: Sequence[Verdict]) -> list[str]:
    """The verdicts for a terminal."""
    lines = [f"{'attack':22} games {'right here':>10} {'95 % interval':>17} {'allowed':>8} {'twin':>7}   outcome"]
    for one in verdicts:
        interval = f"{one.low:.1%} to {one.high:.1%}"
        here = f"{one.success:10.1%} {interval:>17} {one.allowed:>8.1%}" if one.games else f"{'':37}"
        twin = f"{one.twin_right / one.twin_games:7.0%}" if one.twin_games else f"{'':>7}"
        lines.append(f"{one.attack:22} {one.games:>5} {here} {twin}   {one.outcome}")
    return [*lines, "", *_in_words(verdicts)]


#: What an outcome means for whoever reads the table; `withstood` needs no words.
_MEANING: dict[Outcome, str] = {
    "broken": "right more often than the promise allows",
    "blunt": "does not succeed on a naive system either, so it shows nothing",
    "too few games": "not even all guesses right would tell; play more games",
    "not here yet": "there is nothing to attack, which is no pass",
    "too long": "takes longer than there was time for; a rehearsal plays it",
}


def _in_words(verdicts: Sequence[Verdict]) -> list[str]:
    withstood = sum(one.outcome == "withstood" for one in verdicts)
    lines = [f"{withstood} of {len(verdicts)} attacks were withstood."]
    for outcome, meaning in _MEANING.items():
        names = [one.attack for one in verdicts if one.outcome == outcome]
        if names:
            lines.append(f"{outcome}: {', '.join(names)} ({meaning})")
    if any(one.outcome == "broken" for one in verdicts):
        lines.append("docs/why/known-limits.md lists what is known to be broken.")
    return lines


def verdicts_json(verdicts: Sequence[Verdict], *, seed: int) -> dict[str, Any]:
    """The verdicts for machines."""
    return {
        "seed": seed,
        "alpha": ALPHA,
        "failed": [verdict.attack for verdict in verdicts if verdict.failed],
        "attacks": msgspec.to_builtins(verdicts),
    }
