"""Proofs. In: what anybody may ask of the log. Out: its checkpoint, keys and paths, and a page that checks figures.

Nobody has to be signed in: a path is made of hashes, and a row's salt is in its own proof alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from footlights.public.board import evidence as evidence_
from footlights.public.board import merkle
from footlights.public.board.live import LiveBoard
from footlights.public.board.log import Log, RowProof
from footlights.public.board.minutes import root_at
from footlights.public.board.notes import RESTORED, verifier_key
from footlights.public.board.read import Board
from footlights.public.board.statements import minute_leaf
from footlights.public.web import questions
from footlights.public.web.problems import (
    BAD_FORM,
    NOT_FOUND,
    NOT_READY,
    OTHER_SITE,
    Refusal,
    bad_query,
    impossible_query,
    problem,
)
from footlights.public.web.queries import Parameter
from footlights.public.web.sessions import from_own_page
from footlights.public.web.shared import Shared
from footlights.terms.errors import BoardDamaged, ProofFailed
from footlights.terms.words import N_

#: What the page takes: the evidence of a share, or of an export of a thousand rows.
UPLOAD_BYTES_MAX = 4 << 20
BUSY = problem(503, "busy", N_("Somebody else's figures are being checked"), N_("Try again in a few seconds."))
PUBLIC = {"Cache-Control": "public, no-cache"}


class PublishedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key of the log. verifier: as an operator publishes it. endorsement: the signature of the key before it."""

    verifier: str
    public: str
    endorsement: str


class PublishedKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The keys that have signed the log, oldest first. origin: the log's name."""

    origin: str
    keys: tuple[PublishedKey, ...]


class Consistency(msgspec.Struct, frozen=True, kw_only=True):
    """That the log of `to` minutes begins with that of `since`. path: hashes, as hex (RFC 9162, section 2.1.4)."""

    since: int
    to: int
    path: tuple[str, ...]
    checkpoint: str


class Inclusion(msgspec.Struct, frozen=True, kw_only=True):
    """The way from a row to the log's root: to its minute's, from the root down, and from there up. Hashes as hex."""

    minute: int
    size: int
    policies: str
    in_minute: tuple[str, ...]
    in_log: tuple[str, ...]
    checkpoint: str


def _query(name: str, about: str, **schema: Any) -> Parameter:
    return Parameter(name=name, schema=schema, about=about)


def _digits(length: int) -> dict[str, str]:
    return {"type": "string", "pattern": f"^[0-9a-f]{{{length}}}$"}


#: Which log a question is about: minutes' figures and live sessions have one each.
LOGS = ("minutes", "live")
LOG = _query(
    "log",
    "Of which figures: those of minutes, or those of live sessions.",
    type="string",
    enum=list(LOGS),
    default="minutes",
)
#: What the API's description says of the log's routes; one without an answer is plain text.
DESCRIBED: tuple[tuple[str, type | None, str, tuple[Parameter, ...]], ...] = (
    ("/api/v1/proofs/checkpoint", None, "What the gate signed of its log last, as a C2SP signed note.", (LOG,)),
    ("/api/v1/proofs/keys", PublishedKeys, "The public keys that the log is signed with.", ()),
    (
        "/api/v1/proofs/consistency", Consistency, "That the log was only extended since it had some size.",
        (_query("from", "The size of a checkpoint that you kept.", type="integer", minimum=1, default=1), LOG),
    ),
    (
        "/api/v1/proofs/inclusion", Inclusion, "That a row is in the log, for whoever has the row.",
        (
            _query("minute", "The minute of its tick, since 1970, rounded up.", type="integer", minimum=1),
            _query("place", "Where it stands in its minute: 32 hexadecimal digits.", **_digits(32)),
            _query("leaf", "The hash of its leaf: 64 hexadecimal digits.", **_digits(64)),
            LOG,
        ),
    ),
)  # fmt: skip


class Proofs:
    """The log's routes and the page /verify."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        # One at a time: to check a large file takes a second of a core, and anybody may ask.
        self._checking = threading.Lock()

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [
            Route("/api/v1/proofs/checkpoint", self._checkpoint),
            Route("/api/v1/proofs/keys", self._keys),
            Route("/api/v1/proofs/consistency", self._consistency),
            Route("/api/v1/proofs/inclusion", self._inclusion),
            Route("/.well-known/jwks.json", self._jwks),
            Route("/verify", self._page, methods=["GET"]),
            Route("/verify", self._check, methods=["POST"]),
        ]

    def _checkpoint(self, request: Request) -> Response:
        with self._log(request) as log:
            return PlainTextResponse(_note(log), headers=PUBLIC)

    def _keys(self, _: Request) -> Response:
        with self._shared.boards.borrow() as board:
            return _json(PublishedKeys(origin=_origin(board.log()), keys=tuple(published_keys(board))))

    def _consistency(self, request: Request) -> Response:
        with self._log(request) as log:
            size = _size(log)
            old = _number(request, "from", most=size, default="1")
            try:
                path = log.consistency(old, size)
            except ProofFailed as error:
                raise bad_query(str(error)) from None
            told = tuple(each.hex() for each in path)
            return _json(Consistency(since=old, to=size, path=told, checkpoint=_note(log)))

    def _inclusion(self, request: Request) -> Response:
        with self._log(request) as log:
            size = _size(log)
            minute = _number(request, "minute", most=size - 1)
            place, leaf = _hex(request, "place", length=32), _hex(request, "leaf", length=64)
            proof = log.row_proof(minute=minute, place=place, size=size)
            # Whoever has the leaf has the row: without it, nobody is told whether a video ticked in a minute.
            if proof is None or not _leads_to(log, leaf, place, proof, size):
                raise Refusal(NOT_FOUND)
            return _json(
                Inclusion(
                    minute=minute, size=size, policies=proof.policies.hex(),
                    in_minute=tuple(each.hex() for each in proof.in_minute),
                    in_log=tuple(each.hex() for each in proof.in_log), checkpoint=_note(log),
                )
            )  # fmt: skip

    @contextmanager
    def _log(self, request: Request) -> Iterator[Log]:
        """The log that a question is about: the board's, or that of live sessions."""
        which = request.query_params.get("log", LOGS[0])
        if which not in LOGS:
            raise bad_query(f"log is {' or '.join(LOGS)}.")
        with self._shared.boards.borrow() as board:
            if which == LOGS[0]:
                yield board.log()
                return
            try:
                rooms = LiveBoard(board.folder)
            except BoardDamaged:  # nobody has gone live yet
                raise Refusal(NOT_READY, {"Retry-After": "60"}) from None
            with closing(rooms):
                yield rooms.log()

    def _jwks(self, _: Request) -> Response:
        return _json(self._shared.export_keys.jwks(), media_type="application/jwk-set+json")

    # ---- The page

    def _page(self, request: Request) -> Response:
        return self._show(request, {})

    async def _check(self, request: Request) -> Response:
        if not from_own_page(request):
            raise Refusal(OTHER_SITE)
        text = (await request.body()).decode("utf-8", "replace")
        try:
            form = parse_qs(text, keep_blank_values=True, max_num_fields=8)
        except ValueError:
            raise Refusal(BAD_FORM) from None
        given = {name: values[0] for name, values in form.items()}
        return await run_in_threadpool(self._verdict, request, given)

    def _verdict(self, request: Request, given: dict[str, str]) -> Response:
        if not self._checking.acquire(timeout=2):
            raise Refusal(BUSY, {"Retry-After": "3"})
        try:
            read = evidence_.read(given.get("evidence", ""))
            verdict = questions.verify(read, given.get("key", ""), table=given.get("table", "").strip() or None)
            found: dict[str, Any] = {"verdict": verdict, "share": read.share}
        except ProofFailed as error:
            found = {"failed": str(error)}
        finally:
            self._checking.release()
        return self._show(request, {**found, "key": given.get("key", "")})

    def _show(self, request: Request, values: dict[str, Any]) -> Response:
        own = ""
        with self._shared.maybe_board() as board:
            if board is not None and board.log().checkpoint():
                own = published_keys(board)[0].verifier
        shown = {"key": own, "own_key": own, "verdict": None, "failed": None, "share": None} | values
        return self._shared.html(request, "verify.html", shown)


def published_keys(board: Board) -> list[PublishedKey]:
    """The log's public keys, oldest first, as an operator publishes them."""
    keys = board.log().keys()
    name = _origin(board.log()).partition(RESTORED)[0]
    return [
        PublishedKey(
            verifier=verifier_key(name, bytes.fromhex(key.public)), endorsement=key.endorsement, public=key.public
        )
        for key in keys
    ]


def _leads_to(log: Log, leaf: bytes, place: bytes, proof: RowProof, size: int) -> bool:
    root = root_at(leaf, place, proof.in_minute)
    if root is None:
        return False
    in_log = minute_leaf(root, proof.policies)
    return merkle.root_from_path(in_log, proof.minute, size, proof.in_log) == log.root(size)


def _note(log: Log) -> str:
    note = log.checkpoint()
    if note is None:
        raise Refusal(NOT_READY, {"Retry-After": "60"})
    return note


def _origin(log: Log) -> str:
    return _note(log).partition("\n")[0]


def _size(log: Log) -> int:
    return int(_note(log).split("\n")[1])


def _number(request: Request, name: str, *, most: int, default: str = "") -> int:
    text = request.query_params.get(name, default)
    if not (text.isascii() and text.isdigit() and int(text[:20]) >= 1):
        raise bad_query(f"{name} is a whole number from 1 on.")
    if len(text) > 12 or int(text) > most:
        raise impossible_query(f"{name} is beyond the log, which ends at {most}.")
    return int(text)


def _hex(request: Request, name: str, *, length: int) -> bytes:
    text = request.query_params.get(name, "")
    if len(text) != length or set(text) - set("0123456789abcdef"):
        raise bad_query(f"{name} is {length} hexadecimal digits.")
    return bytes.fromhex(text)


def _json(value: Any, *, media_type: str = "application/json") -> Response:
    return Response(msgspec.json.encode(value), media_type=media_type, headers=PUBLIC)
