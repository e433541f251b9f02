"""Traffic. In: what became of each request. Out: counts by write key, page and hour, and which of them are unusual.

For the operator alone: private/traffic/DAY.jsonl, a line for what one key and page brought in a minute or so. They are
counts and nothing else: no viewer, no address, no video. Nothing is blocked by them, since whoever could be blocked by
what others send could be told by it. What the last minute brought may be lost in a crash; events never are.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import structlog

from footlights.private.collect.admission import Caller
from footlights.private.collect.commit import Brought
from footlights.terms.figures import rfc3339

log = structlog.get_logger()

FOLDER = "traffic"
_WRITE_SECONDS = 30
_HOUR, _DAY_HOURS = 3600, 24
#: What is usual is taken from so many days before; from fewer than _LEAST_DAYS nothing is concluded.
_USUAL_DAYS, _LEAST_DAYS = 7, 3
#: Unusual is what is further from the median than this many times the spread.
_SPREADS = 6
#: How wide a bell curve is whose median distance from the middle is 1.
_WIDTH_OF_MAD = 1.4826
#: Refusals that the operator has to see, however few there are.
_ALARMS = ("server_key_in_page",)

#: (key, page): a key's name, "" for one that is none; the allowed origin, "" where the key has none.
Source = tuple[str, str]
#: requests, accepted, declared, dropped.REASON, refused.CODE, by what they are.
Counts = Counter[str]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What a source brought in some part of an hour. hour: hours since 1970."""

    hour: int
    key: str
    page: str
    counts: dict[str, int]


class Traffic:
    """Counts what comes in, and writes it down now and then. Called from one event loop at a time."""

    def __init__(self, private: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._folder = private / FOLDER
        self._clock = clock
        self._counts: defaultdict[tuple[int, Source], Counts] = defaultdict(Counter)
        self._loop: asyncio.AbstractEventLoop | None = None  # the one that will write

    def took(self, brought: Brought) -> None:
        """Requests of one caller were taken."""
        counts = self._of(brought.caller)
        counts["requests"] += brought.requests
        counts["accepted"] += brought.accepted
        counts["declared"] += brought.declared
        for reason, count in brought.drops.items():
            counts[f"dropped.{reason.name.lower()}"] += count

    def refused(self, caller: Caller | None, code: str, *, name: str = "") -> None:
        """A request was refused. caller: None where it was not let in; name: of the key, if it is one all the same."""
        counts = self._of(caller, name)
        counts["requests"] += 1
        counts[f"refused.{code}"] += 1

    def write(self) -> None:
        """Write down what was counted since the last time."""
        counted, self._counts = self._counts, defaultdict(Counter)
        by_day: defaultdict[int, list[Line]] = defaultdict(list)
        for (hour, (key, page)), counts in counted.items():
            by_day[hour // _DAY_HOURS].append(Line(hour=hour, key=key, page=page, counts=+counts))
        try:
            for day, lines in by_day.items():
                _append(self._folder, day, lines)
            _forget(self._folder, before_day=int(self._clock()) // _HOUR // _DAY_HOURS - _USUAL_DAYS - 1)
        except OSError as refused:
            # A disk that takes no counts has more important news in the same log.
            log.warning("traffic.not_written", reason=type(refused).__name__)

    def _of(self, caller: Caller | None, name: str = "") -> Counts:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            loop.call_later(_WRITE_SECONDS, self._write_due)
        source = (caller.name, caller.place) if caller is not None else (name, "")
        return self._counts[int(self._clock()) // _HOUR, source]

    def _write_due(self) -> None:
        self._loop = None
        self.write()


def _append(folder: Path, day: int, lines: Iterable[Line]) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    # One write, at the end whoever else writes: lines of two collectors never mix.
    descriptor = os.open(_file(folder, day), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    finally:
        os.close(descriptor)


def _file(folder: Path, day: int) -> Path:
    return folder / f"{rfc3339(day * _DAY_HOURS * _HOUR)[:10]}.jsonl"


def _forget(folder: Path, *, before_day: int) -> None:
    for path in folder.glob("*.jsonl"):
        if path.name < _file(folder, before_day).name:
            path.unlink(missing_ok=True)


# ---- what the operator reads


def traffic_report(private: Path, *, now_utc: int) -> list[dict[str, Any]]:
    """What each source of the last week brought in 24 whole hours and the one that runs, and what was unusual.

    Each: key, page, requests, accepted, declared, dropped and refused by reason, and `unusual`: hour, what (events,
    dropped, refused, or an alarm's code), count, and the usual count, None for an alarm. usual: whether there were
    enough days to say.
    """
    until_hour = now_utc // _HOUR
    by_source: defaultdict[Source, defaultdict[int, Counts]] = defaultdict(lambda: defaultdict(Counter))
    for line in _lines(private / FOLDER):
        by_source[line.key, line.page][line.hour].update(line.counts)
    return [_summary(source, by_source[source], until_hour) for source in sorted(by_source)]


def _lines(folder: Path) -> list[Line]:
    found: list[Line] = []
    for path in sorted(folder.glob("*.jsonl")):
        for text in path.read_bytes().splitlines():
            with contextlib.suppress(msgspec.DecodeError):  # the last line may have been torn by a crash
                found.append(msgspec.json.decode(text, type=Line))
    return found


def _summary(source: Source, by_hour: Mapping[int, Counts], until_hour: int) -> dict[str, Any]:
    known_since = min(by_hour)
    hours = range(until_hour - _DAY_HOURS, until_hour)
    # The hour that has just begun is in the sums, and not compared: it is not over.
    whole = sum((by_hour.get(hour, Counter()) for hour in [*hours, until_hour]), Counter[str]())
    return {
        "key": source[0],
        "page": source[1],
        **{what: whole[what] for what in ("requests", "accepted", "declared")},
        "dropped": _parts(whole, "dropped."),
        "refused": _parts(whole, "refused."),
        "usual": until_hour - known_since >= _LEAST_DAYS * _DAY_HOURS,
        "unusual": [
            *(
                {"hour": rfc3339(hour * _HOUR), "what": alarm, "count": count, "usual": None}
                for hour in [*hours, until_hour]
                for alarm in _ALARMS
                if (count := by_hour.get(hour, Counter())[f"refused.{alarm}"])
            ),
            *(found for hour in hours for found in _unusual(by_hour, hour, known_since)),
        ],
    }


def _parts(counts: Counts, prefix: str) -> dict[str, int]:
    return {what.removeprefix(prefix): count for what, count in sorted(counts.items()) if what.startswith(prefix)}


def _unusual(by_hour: Mapping[int, Counts], hour: int, known_since: int) -> list[dict[str, Any]]:
    """What differs in one hour from the same hour of the days before."""
    before = [hour - _DAY_HOURS * days for days in range(1, _USUAL_DAYS + 1) if hour - _DAY_HOURS * days >= known_since]
    if len(before) < _LEAST_DAYS:
        return []
    now = _measures(by_hour.get(hour, Counter()))
    held = [_measures(by_hour.get(past, Counter())) for past in before]
    found = []
    for what, count in now.items():
        usual, is_usual = compare(count, [measures[what] for measures in held])
        if not is_usual:
            found.append({"hour": rfc3339(hour * _HOUR), "what": what, "count": count, "usual": usual})
    return found


def _measures(counts: Counts) -> dict[str, int]:
    dropped = sum(_parts(counts, "dropped.").values())
    return {
        "events": counts["accepted"] + dropped,
        "dropped": dropped,
        "refused": sum(_parts(counts, "refused.").values()),
    }


def compare(count: int, before: list[int]) -> tuple[int, bool]:
    """(median of the counts before, whether a count is usual beside them).

    The spread is the median distance from the median, as a bell curve's width, so that one mad day among seven changes
    neither; and at least that of events that come by chance alone, and a tenth of what is usual.
    """
    usual = median(before)
    distance = median(abs(one - usual) for one in before)
    spread = max(_WIDTH_OF_MAD * distance, (usual + 1) ** 0.5, usual / 10)
    return round(usual), abs(count - usual) <= _SPREADS * spread
