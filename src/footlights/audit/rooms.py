"""Rooms. In: doors, a policy, coins. Out: what figures of live rooms, once they are over, tell of canaries, as scores.

A canary is a unit (viewer, live session, season): it has a room of its own, with a known crowd in it. On heads it does
all that counts, and more, before everybody else; on tails it is not there. Each room is read tick by tick, from the
stream that its host may watch.

    seconds   1      31      61      91     121 ...
    room      in     out     in      out    in again, which counts no more
    reactions five kinds     five kinds     five kinds more, which count no more
    and       a share and a follow, at once

A tick's estimate is what is known, plus what a canary adds, plus noise whose covariance over ticks is public, so the
best score is linear: readers.py says which, and why scores add up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.audit.attacks.evidence import live_rows
from footlights.audit.doors import Doors, Message, send_all
from footlights.audit.messages import declare_creator, track
from footlights.audit.planting import Coins
from footlights.audit.readers import ROUNDED_UP, Scores
from footlights.gate.live_plan import LivePlan
from footlights.terms.domains import REACTIONS
from footlights.terms.errors import AuditFailed
from footlights.terms.figures import Z95
from footlights.terms.live import MINUTE_TICKS, TICK_SECONDS, begin_utc, tick_at
from footlights.terms.policy import Policy
from footlights.terms.ticks import MINUTE

Floats = NDArray[np.float64]

#: Known viewers of each room: far more than a small one has, of which no number would be told.
CROWD = 200
LASTS_SECONDS = 240
LAST_TICK = LASTS_SECONDS // TICK_SECONDS
#: When the canary comes in and goes, in turn, in seconds after the beginning; and when it reacts, to five kinds.
MOVES_SECONDS = (1, 31, 61, 91, 121, 151, 181)
REACTS_SECONDS = (1, 61, 121)
KINDS = REACTIONS[1:6]


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A canary's room. began_utc: where its ticks count from."""

    live: str
    began_utc: int
    heads: bool


def watch_rooms(doors: Doors, policy: Policy, *, coins: Coins, seed: int) -> Scores:
    """Let a room take place for each coin, and read them. It takes five minutes of the doors' clock.

    Raises AuditFailed where a room cannot be read to its end.
    """
    run = hashlib.blake2b(str(seed).encode(), digest_size=4).hexdigest()
    now = doors.now_utc()
    rooms = [
        Room(live=f"audit-live-{run}-{number}", began_utc=begin_utc(now), heads=heads)
        for number, heads in enumerate(coins.tolist())
    ]
    send_all(doors, (declare_creator(room.live, at_utc=now) for room in rooms))
    send_all(doors, (_declared("Live Started", room, at_utc=now, creator_id=room.live) for room in rooms))
    send_all(doors, (message for room in rooms for message in _acts(room)))
    doors.pass_time(begin_utc(now) + LASTS_SECONDS - doors.now_utc())
    send_all(doors, (_declared("Live Ended", room, at_utc=begin_utc(now) + LASTS_SECONDS) for room in rooms))
    doors.pass_time(MINUTE)
    return _scores([_read(doors, room) for room in rooms], LivePlan(policy))


# ---- What happens in a room


def _declared(event: str, room: Room, *, at_utc: int, **said: Any) -> Message:
    return track(event, viewer=room.live, at_utc=at_utc, live_id=room.live, **said)


def _acts(room: Room) -> Iterator[Message]:
    canary = f"{room.live}-canary"
    if room.heads:
        for _ in range(2):  # each message twice
            yield from _of_canary(room, canary)
    else:  # a follow as such is disclosed, so it happens either way; that the room led to it is the secret
        yield track("Creator Followed", viewer=canary, at_utc=room.began_utc + 1, creator_id=room.live)
    for known in range(CROWD):
        yield _act(room, "Live Joined", f"{room.live}-known-{known}", 1, known)


def _of_canary(room: Room, canary: str) -> Iterator[Message]:
    for number, at in enumerate(MOVES_SECONDS):
        # The ids are those that known viewers use after it.
        yield _act(room, "Live Left" if number % 2 else "Live Joined", canary, at, number)
    for at in REACTS_SECONDS:
        for kind in KINDS:
            yield _act(room, "Live Reacted", canary, at, f"{at}/{kind}", reaction=kind)
    yield _act(room, "Live Shared", canary, 1, "share")
    yield _act(room, "Creator Followed", canary, 1, "follow", creator_id=room.live)


def _act(room: Room, event: str, viewer: str, after_seconds: int, message: object, **said: str) -> Message:
    return track(
        event, viewer=viewer, at_utc=room.began_utc + after_seconds, message=f"{room.live}/{message}",
        live_id=room.live, **said,
    )  # fmt: skip


# ---- What it tells


def _read(doors: Doors, room: Room) -> list[dict[str, Any]]:
    """Every tick of a room, from its stream. Raises AuditFailed."""
    answer = doors.get(f"/live/{room.live}?after=0", creator=room.live)
    if answer.status != 200:
        raise AuditFailed(f"GET /live/... of a canary's room was answered with status {answer.status}.")
    lines = [line[6:] for line in answer.body.split(b"\n") if line.startswith(b"data: ")]
    told = [tick for tick in map(msgspec.json.decode, lines) if "figures" in tick][:LAST_TICK]
    if [tick["tick"] for tick in told] != list(range(1, LAST_TICK + 1)):
        raise AuditFailed(f"the stream of a canary's room has {len(told)} ticks and not {LAST_TICK} in a row.")
    return [tick["figures"] for tick in told]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A running count of a room: its metric, where it is read, who is known in it, what a canary adds at each tick.

    rows: A C^-1 of those ticks. variance: of the noise z that they were made with.
    """

    metric: str
    ticks: range
    known: int
    adds: Floats
    rows: Floats
    variance: float

    def scores(self, highs: Floats) -> tuple[Floats, float]:
        """(scores, information) from the upper ends of this count, shape (canaries, ticks). NaN where it was hidden."""
        covariance = self.variance * self.rows @ self.rows.T
        estimates = highs - ROUNDED_UP - Z95 * np.sqrt(np.diag(covariance)) - self.known
        found, information = np.zeros(len(highs)), np.zeros(len(highs))
        seen = np.isfinite(highs)
        for pattern, which in zip(*_alike(seen), strict=True):
            if pattern.any():
                weights = np.linalg.solve(covariance[np.ix_(pattern, pattern)], self.adds[pattern])
                found[which] = estimates[np.ix_(which, np.flatnonzero(pattern))] @ weights
                information[which] = self.adds[pattern] @ weights
        return found, float(information.mean())


def _alike(seen: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], list[NDArray[np.intp]]]:
    patterns, group = np.unique(seen, axis=0, return_inverse=True)
    return patterns, [np.flatnonzero(group.ravel() == number) for number in range(len(patterns))]


def parts_of(plan: LivePlan) -> list[Part]:
    """All counts that a canary moves."""
    ticks, rows = range(1, LAST_TICK + 1), live_rows(LAST_TICK)
    moved = np.zeros(LAST_TICK)
    for number, at in enumerate(MOVES_SECONDS[: 2 * plan.policy.live_bound("concurrent_viewers").bound]):
        moved[_tick(at) - 1 :] += -1 if number % 2 else 1
    once = (np.arange(1, LAST_TICK + 1) >= _tick(1)).astype(np.float64)
    known = {"concurrent_viewers": CROWD, "live_viewers": CROWD, "new_followers_live": 0, "share_count_live": 0}
    running = [
        Part(
            metric=metric, ticks=ticks, known=crowd, adds=moved if metric == "concurrent_viewers" else once, rows=rows,
            variance=float(plan.variances[metric]),
        )
        for metric, crowd in known.items()
    ]  # fmt: skip
    return running + list(_reactions(plan))


def _reactions(plan: LivePlan) -> Iterator[Part]:
    """The first cells of (minute, kind) that a canary is in, as many as count."""
    cells = [(at, kind) for at in REACTS_SECONDS for kind in KINDS][: plan.policy.live_bound("reactions").bound]
    for at, kind in cells:
        first = (_tick(at) - 1) // MINUTE_TICKS * MINUTE_TICKS + 1
        ticks = range(first, first + MINUTE_TICKS)
        yield Part(
            metric=f"reactions_{kind}", ticks=ticks, known=0, adds=(np.array(ticks) >= _tick(at)).astype(np.float64),
            rows=plan.within_minute_rows.astype(np.float64), variance=float(plan.variances["reactions"]),
        )  # fmt: skip


@lru_cache(maxsize=16)
def _tick(after_seconds: int) -> int:
    return tick_at(0, after_seconds * 1000)


def _scores(read: list[list[dict[str, Any]]], plan: LivePlan) -> Scores:
    parts: dict[str, Floats] = {}
    information = 0.0
    for part in parts_of(plan):
        highs = np.array([[_high(room[tick - 1][part.metric]) for tick in part.ticks] for room in read])
        found, told = part.scores(highs)
        parts[part.metric] = parts.get(part.metric, np.zeros(len(read))) + found
        information += told
    return Scores(parts=parts, information=information)


def _high(figure: dict[str, Any]) -> float:
    return np.nan if figure["value"] is None else float(figure["high"])
