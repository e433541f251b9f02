"""Evenings. In: a host. Out: one live room after the other, played to a collector for as long as somebody looks.

    0:00   those who waited come in, so that there is a number to look at within seconds
    2:30   others bring their viewers, and again a quarter of an hour later
    30:00  it is over; after a pause the next begins

A few events a second: some thousandths of a core. It never raises for a collector that is away, and logs no counts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import structlog

from footlights.simulate.drive import Drive, Refused
from footlights.simulate.live import Likeness, Raid, room

log = structlog.get_logger()

LIKENESS = Likeness(
    seconds=1800, viewers=420, reacts=1.2,
    raids=(
        Raid(at_seconds=1.0, viewers=380, over_seconds=12.0, stay_seconds=900.0),
        Raid(at_seconds=150.0, viewers=700, over_seconds=20.0, stay_seconds=240.0),
        Raid(at_seconds=1050.0, viewers=1100, over_seconds=15.0, stay_seconds=180.0),
    ),
)  # fmt: skip
TITLES = ("Open stage", "Questions and tea", "Encore")
PAUSE_SECONDS = 60.0


class Evenings:
    """Plays one room after the other. `run` in a thread of its own; `stop` from any other."""

    def __init__(
        self, seed: bytes, post: Callable[[list[dict[str, Any]]], int], *, creator: str, likeness: Likeness = LIKENESS,
        pause_seconds: float = PAUSE_SECONDS, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._seed, self._post, self._creator, self._likeness = seed, post, creator, likeness
        self._pause_seconds, self._clock = pause_seconds, clock
        self._stopping = threading.Event()
        self._drive: Drive | None = None

    def run(self) -> None:
        """Play until stopped, or until the collector refuses for good."""
        number = 0
        while not self._stopping.is_set():
            # The time is in it: a folder whose demo is run again has rooms with the old ids.
            name = f"evening-{int(self._clock())}"
            self._drive = Drive(
                room(self._seed, f"evening {number}", self._likeness), self._post, live=name, creator=self._creator,
                title=TITLES[number % len(TITLES)], seconds=self._likeness.seconds, clock=self._clock,
            )  # fmt: skip
            if self._stopping.is_set():  # while it was made
                return
            try:
                self._drive.run()
            except Refused as refused:
                log.warning("evenings.refused", status=refused.status)
                return
            number += 1
            self._stopping.wait(self._pause_seconds)

    def stop(self) -> None:
        """Let `run` end the session that is live and return."""
        self._stopping.set()
        if self._drive is not None:
            self._drive.stop()
