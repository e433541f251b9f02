"""Doors. What an outsider has: a way to send events, a way to read as some creator, and time that passes.

Whatever audits or attacks a deployment knows these four methods and nothing else, so that a rehearsal in this process,
a deployment over HTTP and a naive twin are all the same to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

import msgspec

from footlights.terms.errors import AuditFailed

#: A message in Segment's shape: docs/reference/events.md.
Message = dict[str, Any]

#: Messages in one request: far below the collector's limit of 500 kB.
BATCH_MESSAGES = 500


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP answer. headers: by lower-case name. seconds: how long it took."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    def json(self) -> Any:
        """The body, decoded. Raises AuditFailed if it is no JSON."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            raise AuditFailed(f"an answer with status {self.status} is no JSON.") from None


class Doors(Protocol):
    """A deployment, seen from outside."""

    def now_utc(self) -> int:
        """The deployment's clock, in seconds since 1970."""

    def send(self, messages: list[Message]) -> Answer:
        """POST messages to the collector, in one request of /v1/batch, with a key that may declare."""

    def get(self, path: str, *, creator: str = "", app: str = "") -> Answer:
        """GET a path (with its query) of the public side, signed in as a creator; "" for nobody.

        app: by an app of this name that the creator has let in, and not by themselves.
        """

    def pass_time(self, seconds: int) -> None:
        """Return when that much later, all that was due by then is published. Raises AuditFailed if it is not."""


@runtime_checkable
class Restorable(Protocol):
    """A deployment that can be put back to a copy of itself, as after a loss: its clock goes on."""

    def keep(self) -> None:
        """Make a copy, as a backup does."""

    def put_back(self) -> None:
        """Replace everything but accounts by the copy."""


def send_all(doors: Doors, messages: Iterable[Message]) -> None:
    """Send messages in order, in as many requests as it takes. Raises AuditFailed if one is refused."""
    waiting: list[Message] = []
    for message in messages:
        waiting.append(message)
        if len(waiting) == BATCH_MESSAGES:
            _send(doors, waiting)
            waiting = []
    if waiting:
        _send(doors, waiting)


def read(doors: Doors, path: str, *, creator: str = "") -> Any:
    """The JSON of a GET that has to succeed. Raises AuditFailed if it does not."""
    answer = doors.get(path, creator=creator)
    if answer.status != 200:
        raise AuditFailed(f"GET {path} was answered with status {answer.status}.")
    return answer.json()


def _send(doors: Doors, messages: list[Message]) -> None:
    answer = doors.send(messages)
    if answer.status != 200:
        raise AuditFailed(
            f"the collector answered a batch of {len(messages)} messages with status {answer.status}. "
            "`footlights status` says whether it is up."
        )
