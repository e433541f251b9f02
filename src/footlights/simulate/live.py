"""Live. In: a seed and what a room is like. Out: who joins, leaves, reacts and writes, second by second, as tables.

    arrivals      a rate that rises, holds and falls, with bursts and raids on it
    stays         lognormal: many look in, some stay to the end
    reactions     of those who are there, more of them around moments
    series        of a real counter: the same arrivals and departures that its rises and falls need, and turnover

Calibrated on five real YouTube streams, of 54 to 711 samples every 3 to 5 s (docs/internals/simulator.md): the standard
deviation of a change over a minute is 0.5 to 2 % of the room, apart from raids. Reads no clock, tells no collector.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.simulate.draws import Draws
from footlights.simulate.messages import iso
from footlights.terms.domains import REACTIONS

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: What happens in a room, by the numbers of the tables.
JOIN, LEAVE, REACT, CHAT, SHARE, FOLLOW = range(6)
EVENT_NAMES = ("Live Joined", "Live Left", "Live Reacted", "Live Chat Sent", "Live Shared", "Creator Followed")
#: Shares of the countries and sources of a room's viewers.
_COUNTRIES = ("US", "JP", "DE", "BR", "FR", "ID")
_SOURCES = ("for_you", "following", "notification", "profile", "external")
_STAY_SIGMA = 1.2
#: Shares of the kinds of REACTIONS after "other", added up.
_KINDS_UP_TO = np.cumsum((0.46, 0.14, 0.15, 0.05, 0.02, 0.18))


class Raid(msgspec.Struct, frozen=True, kw_only=True):
    """Many who come at once. at_seconds: after the session began. stay_seconds: half of them stay so long at least."""

    at_seconds: float
    viewers: int = 10_000
    over_seconds: float = 10.0
    stay_seconds: float = 300.0


class Likeness(msgspec.Struct, frozen=True, kw_only=True):
    """What a room is like. viewers: in it at its height, about. stay_seconds: half of those who come stay so long.

    reacts, writes: times a minute of one viewer. raids: who else comes.
    """

    seconds: int = 1800
    viewers: int = 500
    stay_seconds: float = 240.0
    reacts: float = 0.2
    writes: float = 0.13
    raids: tuple[Raid, ...] = ()


class RoomTable(msgspec.Struct, frozen=True, kw_only=True):
    """What happens in one session, in order. Shapes (n,).

    at_seconds: after it began. viewer: a number, the same for one who comes back. what: JOIN, LEAVE, ... choice: which
    reaction.
    """

    at_seconds: Floats
    viewer: Integers
    what: Integers
    choice: Integers

    def __len__(self) -> int:
        return len(self.viewer)

    def concurrent(self, at_seconds: Floats) -> Integers:
        """How many are in the room at some moments, each counted once while they are there."""
        moves = np.isin(self.what, (JOIN, LEAVE))
        change = np.cumsum(np.where(self.what[moves] == JOIN, 1, -1))
        at = np.searchsorted(self.at_seconds[moves], at_seconds, side="right")
        found: Integers = np.concatenate([[0], change])[at]
        return found


def room(seed: bytes, name: str, likeness: Likeness) -> RoomTable:
    """A room that does not exist."""
    draws = Draws(seed, "live", name)
    arrivals = _arrivals(draws, likeness)
    stays = likeness.stay_seconds * np.exp(_STAY_SIGMA * draws.normal(len(arrivals)))
    raiders = [_raid(draws, raid) for raid in likeness.raids]
    begins = np.concatenate([arrivals, *(begin for begin, _ in raiders)])
    ends = np.concatenate([arrivals + stays, *(begin + stay for begin, stay in raiders)])
    return _table(draws, begins, ends, np.arange(len(begins)), likeness)


def replayed(seed: bytes, name: str, counts: Sequence[int], *, interval_seconds: float, turnover: float) -> RoomTable:
    """A real counter as joins and leaves: at each sample as many are there as it says.

    turnover: which share of the room leaves each minute and is followed by others, beside what the counter shows; those
    who came back once before are among the others.
    """
    draws = Draws(seed, "live series", name)
    here: list[int] = []
    back: list[int] = []
    rows: list[tuple[float, int, int]] = []
    times_in: dict[int, int] = {}
    fresh = 0
    for sample, wanted in enumerate(counts):
        swapped = min(len(here), draws.poisson(turnover * len(here) * interval_seconds / 60)) if here else 0
        gone = max(0, len(here) - wanted) + swapped
        places = draws.uniform(2 * (gone + wanted) + 8)
        for number in range(gone):
            place = int(places[number] * len(here))
            here[place], here[-1] = here[-1], here[place]
            viewer = here.pop()
            rows.append((sample + 0.4 * places[gone + number], viewer, LEAVE))
            if times_in[viewer] < 2:
                back.append(viewer)
        for number in range(wanted - len(here)):
            # One in five of those who come has been there before.
            if back and places[-1 - number] < 0.2:
                viewer = back.pop(0)
            else:
                viewer, fresh = fresh, fresh + 1
            times_in[viewer] = times_in.get(viewer, 0) + 1
            here.append(viewer)
            rows.append((sample + 0.5 + 0.4 * places[-1 - number], viewer, JOIN))
    rows.sort()
    at, viewers, what = (np.array(column) for column in zip(*rows, strict=True))
    return RoomTable(
        at_seconds=at.astype(np.float64) * interval_seconds, viewer=viewers.astype(np.int64),
        what=what.astype(np.int64), choice=np.zeros(len(rows), dtype=np.int64),
    )  # fmt: skip


def read_series(path: Path) -> tuple[float, list[int]]:
    """(seconds between samples, viewers at each) of one recording of live_youtube_concurrent."""
    recorded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return float(recorded["interval"]), [int(count) for count in recorded["data"]["concurrentViewers"]]


def messages(table: RoomTable, rows: slice, *, live: str, creator: str, began_ms: int) -> list[dict[str, Any]]:
    """Some rows as Segment's messages, as a platform's own server would send them."""
    found = []
    for row in range(*rows.indices(len(table))):
        what, viewer = int(table.what[row]), int(table.viewer[row])
        said: dict[str, Any] = {"live_id": live}
        if what == JOIN:
            said |= {
                "country": _COUNTRIES[viewer % len(_COUNTRIES)], "source": _SOURCES[viewer % len(_SOURCES)],
                "is_follower": viewer % 3 == 0,
            }  # fmt: skip
        elif what == REACT:
            said["reaction"] = REACTIONS[int(table.choice[row])]
        elif what == FOLLOW:
            said["creator_id"] = creator
        found.append(
            {
                "type": "track", "event": EVENT_NAMES[what], "userId": f"{live}-viewer-{viewer}",
                "messageId": f"{live}-{row}", "timestamp": iso(began_ms + round(1000 * float(table.at_seconds[row]))),
                "properties": said,
            }
        )  # fmt: skip
    return found


def started(live: str, *, creator: str, title: str, began_ms: int) -> dict[str, Any]:
    """The message that declares a session."""
    return _declared("Live Started", began_ms, live_id=live, creator_id=creator, title=title)


def ended(live: str, *, at_ms: int) -> dict[str, Any]:
    """The message that ends it."""
    return _declared("Live Ended", at_ms, live_id=live)


def _declared(event: str, at_ms: int, **said: Any) -> dict[str, Any]:
    return {"type": "track", "event": event, "userId": "platform", "timestamp": iso(at_ms), "properties": said}


def _arrivals(draws: Draws, likeness: Likeness) -> Floats:
    """Moments of arrival: a rate that rises in the first tenth, holds, and falls in the last."""
    mean_stay = likeness.stay_seconds * np.exp(_STAY_SIGMA**2 / 2)
    most = likeness.viewers / min(mean_stay, likeness.seconds)
    count = round(most * likeness.seconds)
    at = np.sort(draws.uniform(count)) * likeness.seconds
    share = at / likeness.seconds
    rate = np.minimum(1.0, np.minimum(0.3 + 7 * share, 10 * (1 - share)))
    kept: Floats = at[draws.uniform(count) < rate]
    return kept


def _raid(draws: Draws, raid: Raid) -> tuple[Floats, Floats]:
    begins = raid.at_seconds + np.sort(draws.uniform(raid.viewers)) * raid.over_seconds
    stays: Floats = raid.stay_seconds * np.exp(_STAY_SIGMA * draws.normal(raid.viewers))
    return begins, stays


def _table(draws: Draws, begins: Floats, ends: Floats, viewers: Integers, likeness: Likeness) -> RoomTable:
    there = np.minimum(ends, likeness.seconds) - begins
    parts = [(begins, viewers, JOIN), (ends[ends < likeness.seconds], viewers[ends < likeness.seconds], LEAVE)]
    for what, a_minute in ((REACT, likeness.reacts), (CHAT, likeness.writes), (SHARE, 0.01), (FOLLOW, 0.01)):
        # Of each act, at a moment of the stay: many of those who stay long, one of a few who look in.
        many = np.floor(there / 60 * a_minute + draws.uniform(len(viewers))).astype(np.int64)
        who = np.repeat(np.arange(len(viewers)), many)
        parts.append((begins[who] + draws.uniform(len(who)) * there[who], viewers[who], what))
    at = np.concatenate([moments for moments, _, _ in parts])
    whose = np.concatenate([numbers for _, numbers, _ in parts])
    kinds = np.concatenate([np.full(len(moments), what) for moments, _, what in parts])
    order = np.argsort(at, kind="stable")
    choice = 1 + np.searchsorted(_KINDS_UP_TO[:-1], draws.uniform(len(at)), side="right").astype(np.int64)
    return RoomTable(at_seconds=at[order], viewer=whose[order], what=kinds[order], choice=choice[order])
