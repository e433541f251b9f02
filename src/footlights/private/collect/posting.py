"""Posting. In: a request that brings events, step by step. Out: its answer, once, when the disk has what it brought.

    begin ── who sends, and room for its body ──▶ take ── messages ──▶ journal ──▶ answer
      └────────────────── refused ─────────────────┴──────────────────────┴─────────▶ answer

No step waits: whoever has the connection calls them as the bytes come, so that of thousands of requests a second none
needs a task of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from footlights.private.collect.admission import Admission, Caller
from footlights.private.collect.answers import SUCCESS, fault, refusal
from footlights.private.collect.bodies import BodyRoom, declared_in, told_of_packing
from footlights.private.collect.callers import basic_user
from footlights.private.collect.checks import Asked, Limits
from footlights.private.collect.commit import Committer
from footlights.private.collect.room import Room
from footlights.private.collect.segment import Opened, open_request
from footlights.private.collect.segment_batches import Batch, OpenedTogether, batch_of, batch_of_each, open_together
from footlights.private.collect.traffic import Traffic
from footlights.terms.errors import BadRequest

#: What a path says of the messages that are posted to it: their type, if they name none. "" for a batch.
TYPES = {
    "track": "track", "t": "track", "identify": "identify", "i": "identify", "page": "page", "p": "page",
    "screen": "screen", "s": "screen", "group": "group", "g": "group", "alias": "alias", "a": "alias",
    "batch": "", "b": "", "import": "",
}  # fmt: skip
#: Where events are posted to.
POSTS = {
    f"{prefix}/{word}": type_ for prefix in ("", "/v1") for word, type_ in TYPES.items()
} | {"/beacon/v1/batch": ""}  # fmt: skip
#: A body larger than this, if it is read message by message, is read beside the loop, so that others need not wait.
LARGE_BYTES = 32_768


class Desk(Protocol):
    """What postings need of a collector."""

    limits: Limits
    admission: Admission
    traffic: Traffic
    room: Room
    committer: Committer

    def admit(self, request: Request, key: str) -> Caller:
        """Who sends with a key. Raises BadRequest."""

    def asked(self, request: Request, caller: Caller) -> Asked:
        """Under what circumstances its events come."""


class Posting:
    """One request. caller: who sends, once that is known. refused: what its answer will be, whatever follows."""

    def __init__(self, desk: Desk, request: Request) -> None:
        self._desk = desk
        self._request = request
        self._answer: Callable[[Response], None] = _nobody
        self._type = POSTS[request.scope["path"]]
        self._room: BodyRoom | None = None
        self._taken = False
        self._beside: asyncio.Task[None] | None = None
        self.caller: Caller | None = None
        self.refused: Response | None = None

    def begin(self, answer: Callable[[Response], None]) -> None:
        """Its head is there. answer: told the answer, exactly once, unless the client leaves before.

        What is refused now is answered by take() all the same: who is still sending would not hear it.
        """
        self._answer = answer
        desk, request = self._desk, self._request
        try:
            key = basic_user(request)
            self.caller = desk.admit(request, key) if key else None
            name = self.caller.name if self.caller else ""
            self._room = BodyRoom(desk.room, name, declared_in(request.headers), limit=desk.limits.body_bytes)
        except Exception as error:
            self.refused = self._told(error)

    def take(self, body: bytes) -> None:
        """Its body is there."""
        if self.refused is not None:
            self._end(self.refused)
            return
        assert self._room is not None, "it has begun"
        self._taken = True
        try:
            self._read(self._room.unpacked(body))
        except Exception as error:
            self._done(error)

    def refuse(self, error: BadRequest) -> None:
        """Its body will not be there."""
        self._end(self.refused or self._told(error))

    def leave(self) -> None:
        """Nobody waits for the answer any longer. What was taken goes its way all the same."""
        self._answer = _nobody
        if not self._taken:
            self._give()

    def _read(self, body: bytes) -> None:
        desk, request = self._desk, self._request
        together = open_together(body, event_bytes=desk.limits.event_bytes)
        opened = together or open_request(body)
        if self.caller is None:
            self.caller = desk.admit(request, opened.write_key or request.query_params.get("writeKey", ""))
        desk.admission.charge(self.caller, opened.events)
        asked = desk.asked(request, self.caller)
        if isinstance(opened, OpenedTogether):
            self._commit(batch_of(body, opened, asked, type_=self._type))
        elif len(body) <= LARGE_BYTES:
            self._commit(batch_of_each(body, opened, asked, type_=self._type))
        else:
            self._beside = asyncio.get_running_loop().create_task(self._read_beside(body, opened, asked))

    async def _read_beside(self, body: bytes, opened: Opened, asked: Asked) -> None:
        try:
            self._commit(await asyncio.to_thread(batch_of_each, body, opened, asked, type_=self._type))
        except Exception as error:
            self._done(error)

    def _commit(self, batch: Batch) -> None:
        assert self.caller is not None, "it was let in"
        self._desk.committer.submit(batch, caller=self.caller, told=self._done)

    def _done(self, error: Exception | None) -> None:
        self._end(SUCCESS if error is None else self._told(error))

    def _told(self, error: Exception) -> Response:
        if not isinstance(error, BadRequest):
            return fault(error)
        error = told_of_packing(error, self._request.headers)
        self._desk.traffic.refused(self.caller, error.code, name=error.key)
        return refusal(error)

    def _end(self, response: Response) -> None:
        self._give()
        # Let go of whoever is told: a request that leaves no cycle is gone at once, and costs no search for garbage.
        answer, self._answer = self._answer, _nobody
        answer(response)

    def _give(self) -> None:
        if self._room is not None:
            self._room.give()
            self._room = None


def _nobody(_: Response) -> None:
    """Its client has gone."""
