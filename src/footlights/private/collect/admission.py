"""Admission. In: a write key, the page that a request comes from, how many events it has. Out: who sends, or a refusal.

It decides by the key and never by the viewer: nobody is blocked, and what one viewer sent decides nothing about
another. Every refusal names what would be let in; those that a client should send again say when.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import msgspec

from footlights.private.collect.callers import OWN_PAGE, no_key
from footlights.private.collect.keys import ANYWHERE, Keyring, WriteKey
from footlights.settings import Settings
from footlights.terms.errors import BadRequest

_SECOND_NS = 1_000_000_000


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who sends. name: the key's. place: the allowed origin that its page has, "*" or "" where that says nothing."""

    name: str
    key: WriteKey
    place: str

    @property
    def readable_by(self) -> str:
        """Whose pages may read the answer: the page's own origin where the key names some, else anybody's."""
        return self.place if "://" in self.place else "*"


class Bucket:
    """A token bucket in whole billionths of an event, so that nothing is ever rounded.

    It fills by `rate` events a second up to `burst_seconds` of them. What is larger than it can hold may take all and
    owes the rest, since else it could never come in.
    """

    def __init__(self, *, rate: int, burst_seconds: int, now_ns: int) -> None:
        self.rate = rate
        self._most = rate * burst_seconds * _SECOND_NS
        self._held = self._most
        self._at_ns = now_ns

    def take(self, events: int, *, now_ns: int) -> int:
        """Take so many events: 0 if they may come in, else after how many nanoseconds they may."""
        self._held = min(self._most, self._held + self.rate * (now_ns - self._at_ns))
        self._at_ns = now_ns
        needed = min(events * _SECOND_NS, self._most)
        if self._held < needed:
            return -((self._held - needed) // self.rate)
        self._held -= events * _SECOND_NS
        return 0


class Admission:
    """Lets requests in by their key. clock_ns: a clock that never goes back."""

    def __init__(
        self, keyring: Keyring, settings: Settings, *, clock_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._keyring = keyring
        self._rate = settings.key_events_a_second_max
        self._burst_seconds = settings.key_burst_seconds
        self._events_max = settings.batch_events_max
        self._clock_ns = clock_ns
        self._buckets: dict[str, Bucket] = {}
        self._charging = threading.Lock()  # large bodies are read beside the loop

    def admit(self, key: str, page: str | None) -> Caller:
        """Who sends with this key. page: what callers.page_of says. Raises BadRequest with status 401 or 403."""
        name = self._keyring.check(key)
        if name is None:
            raise no_key()
        kept = self._keyring.kept(name)
        if kept.kind == "server":
            if page is not None:
                raise _in_a_page(name)
            return Caller(name=name, key=kept, place="")
        if page is not None and page in kept.origins:
            return Caller(name=name, key=kept, place=page)
        if page == OWN_PAGE or ANYWHERE in kept.origins:
            return Caller(name=name, key=kept, place=ANYWHERE)
        raise _wrong_origin(name)

    def charge(self, caller: Caller, events: int) -> None:
        """Count the events of one request against its key's rate. Raises BadRequest with status 413 or 429."""
        if events > self._events_max:
            raise BadRequest(
                "too_many_events", f"The batch has more than {self._events_max} events. Send fewer.", status=413
            )
        rate = caller.key.rate or self._rate
        if not rate:
            return
        with self._charging:
            wait_ns = self._bucket(caller.name, rate).take(max(1, events), now_ns=self._clock_ns())
        if wait_ns:
            raise _too_fast(rate, -(-wait_ns // _SECOND_NS))

    def _bucket(self, name: str, rate: int) -> Bucket:
        bucket = self._buckets.get(name)
        if bucket is None or bucket.rate != rate:
            bucket = Bucket(rate=rate, burst_seconds=self._burst_seconds, now_ns=self._clock_ns())
            self._buckets[name] = bucket
        return bucket


def _in_a_page(name: str) -> BadRequest:
    return BadRequest(
        "server_key_in_page",
        f"The write key {name} is a server's, and a browser sent it. If a page holds it, anybody can read it there: "
        "revoke it and give the page a browser key. If a proxy of yours adds it, let the proxy drop Origin.",
        status=403,
        key=name,
    )


def _wrong_origin(name: str) -> BadRequest:
    return BadRequest(
        "wrong_origin",
        f"The write key {name} is not for this page or app. `footlights key list` shows for whose it is.",
        status=403,
        key=name,
    )


def _too_fast(rate: int, wait_seconds: int) -> BadRequest:
    return BadRequest(
        "rate_limited",
        f"This write key may send {rate} events a second. Send it again after {wait_seconds} s.",
        status=429,
        retry_after_seconds=wait_seconds,
    )
