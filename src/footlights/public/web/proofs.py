"""Proofs. In: what anybody may ask of the log. Out: its checkpoint, keys and paths, and a page that checks figures.

Nobody has to be signed in: a path is made of hashes, and a row's salt is in its own proof alone.
"""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from footlights.public.board import evidence as evidence_
from footlights.public.board.log import RowProof
from footlights.public.board.notes import RESTORED, verifier_key
from footlights.public.board.read import Board
from footlights.public.web import questions
from footlights.public.web.problems import NOT_FOUND, NOT_READY, OTHER_SITE, Refusal, bad_query, problem
from footlights.public.web.sessions import from_own_page
from footlights.public.web.shared import Shared
from footlights.terms.errors import ProofFailed

#: What the page takes: the evidence of a share, or of an export of a thousand rows.
UPLOAD_BYTES_MAX = 4 << 20
BUSY = problem(503, "busy", "Somebody else's figures are being checked", "Try again in a few seconds.")
PUBLIC = {"Cache-Control": "public, no-cache"}


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
            Route("/verify", self._check, methods=["POST"], max_body_size=UPLOAD_BYTES_MAX),
        ]

    def _checkpoint(self, _: Request) -> Response:
        with self._shared.boards.borrow() as board:
            return PlainTextResponse(_note(board), headers=PUBLIC)

    def _keys(self, _: Request) -> Response:
        with self._shared.boards.borrow() as board:
            return _json({"origin": _origin(board), "keys": published_keys(board)})

    def _consistency(self, request: Request) -> Response:
        with self._shared.boards.borrow() as board:
            size = _size(board)
            old = _number(request, "from", most=size)
            try:
                path = board.log().consistency(old, size)
            except ProofFailed as error:
                raise bad_query(str(error)) from None
            return _json({"from": old, "to": size, "path": [each.hex() for each in path], "checkpoint": _note(board)})

    def _inclusion(self, request: Request) -> Response:
        with self._shared.boards.borrow() as board:
            size = _size(board)
            minute = _number(request, "minute", most=size - 1)
            place = request.query_params.get("place", "")
            if len(place) != 32 or set(place) - set("0123456789abcdef"):
                raise bad_query("place is 32 hexadecimal digits: where in its minute a row stands.")
            proof = board.log().row_proof(minute=minute, place=bytes.fromhex(place), size=size)
            if proof is None:
                raise Refusal(NOT_FOUND)
            return _json({**_told(proof), "size": size, "checkpoint": _note(board)})

    def _jwks(self, _: Request) -> Response:
        return _json(self._shared.export_keys.jwks(), media_type="application/jwk-set+json")

    # ---- The page

    def _page(self, request: Request) -> Response:
        return self._show(request, {})

    async def _check(self, request: Request) -> Response:
        if not from_own_page(request):
            raise Refusal(OTHER_SITE)
        form = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=4)
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
                own = published_keys(board)[0]["verifier"]
        shown = {"key": own, "own_key": own, "verdict": None, "failed": None, "share": None} | values
        return self._shared.html(request, "verify.html", shown)


def published_keys(board: Board) -> list[dict[str, str]]:
    """The log's public keys, oldest first, as an operator publishes them."""
    keys = board.log().keys()
    name = _origin(board).partition(RESTORED)[0]
    return [
        {
            "verifier": verifier_key(name, bytes.fromhex(key.public)),
            "endorsement": key.endorsement,
            "public": key.public,
        }
        for key in keys
    ]


def _told(proof: RowProof) -> dict[str, Any]:
    return {
        "minute": proof.minute, "policies": proof.policies.hex(),
        "in_minute": [each.hex() for each in proof.in_minute], "in_log": [each.hex() for each in proof.in_log],
    }  # fmt: skip


def _note(board: Board) -> str:
    note = board.log().checkpoint()
    if note is None:
        raise Refusal(NOT_READY, {"Retry-After": "60"})
    return note


def _origin(board: Board) -> str:
    return _note(board).partition("\n")[0]


def _size(board: Board) -> int:
    return int(_note(board).split("\n")[1])


def _number(request: Request, name: str, *, most: int) -> int:
    text = request.query_params.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 12 and 1 <= int(text) <= most):
        raise bad_query(f"{name} is a whole number from 1 to {most}.")
    return int(text)


def _json(value: Any, *, media_type: str = "application/json") -> Response:
    return Response(msgspec.json.encode(value), media_type=media_type, headers=PUBLIC)
