"""Limits. In: a name and the time. Out: whether there may be another request now, or how long until there may.

Exact: the times of the last so many requests of a name are kept, and the oldest of them says whether there is room.
A refused request counts for nothing, so who is refused is let in again as soon as the window has moved on.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable

WINDOW_SECONDS = 60.0
#: Names that are kept at a time; those that have been quiet for a window go first.
_NAMES_MAX = 20_000


class Limits:
    """At most `most` requests of a name in any minute. Of this process: its memory goes with it."""

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._times: dict[Hashable, deque[float]] = {}
        self._lock = threading.Lock()

    def take(self, name: Hashable) -> float:
        """Count a request. Returns 0 if it may pass, or the seconds until the next one may."""
        now = self._clock()
        with self._lock:
            times = self._times.pop(name, None)
            if times is None:
                self._forget(now)
                times = deque(maxlen=self._most)
            self._times[name] = times  # the last in line: the first is the one that has been quiet for longest
            if len(times) == self._most and times[0] > now - WINDOW_SECONDS:
                return times[0] + WINDOW_SECONDS - now
            times.append(now)
            return 0.0

    def _forget(self, now: float) -> None:
        while self._times:
            name = next(iter(self._times))
            quiet = self._times[name][-1] <= now - WINDOW_SECONDS
            if not quiet and len(self._times) < _NAMES_MAX:
                return
            del self._times[name]
