"""Answers. In: what came of a request. Out: what its client is told, and which pages may read it.

One shape of error: {"code", "message"}. No failure tells more than that it happened.
"""

from __future__ import annotations

import traceback
from functools import lru_cache
from pathlib import Path

import structlog
from starlette.responses import JSONResponse, Response

from footlights.private.collect.admission import Caller
from footlights.private.collect.commit import RETRY_AFTER_SECONDS
from footlights.terms.errors import BadRequest, VaultDamaged

log = structlog.get_logger()

#: What nearly every request is answered with.
SUCCESS = JSONResponse({"success": True})

_CORS = (
    (b"access-control-expose-headers", b"Retry-After"),
    (b"vary", b"Origin"),
)


def error_answer(code: str, message: str, status: int, *, retry_after_seconds: int = 0) -> Response:
    """An error. retry_after_seconds: when to come again; 0 for never, or for as long as 503 always says."""
    wait_seconds = retry_after_seconds or (RETRY_AFTER_SECONDS if status == 503 else 0)
    headers = {"Retry-After": str(wait_seconds)} if wait_seconds else None
    return JSONResponse({"code": code, "message": message}, status_code=status, headers=headers)


def refusal(error: BadRequest) -> Response:
    """What a client is told whose request was refused."""
    return error_answer(error.code, str(error), error.status, retry_after_seconds=error.retry_after_seconds)


def fault(error: Exception) -> Response:
    """What a client is told where the collector failed; its log tells where."""
    if isinstance(error, VaultDamaged):
        return error_answer("vault_damaged", "The collector's vault is damaged; its operator has to look.", 503)
    # Its text and traceback may hold what a viewer sent, so the server that would print them never sees it.
    log.error("collect.failed", error=type(error).__name__, where=_where(error))
    return error_answer("failed", "The collector failed; its log names the place.", 500)


def cors(caller: Caller | None) -> tuple[tuple[bytes, bytes], ...]:
    """Whose pages may read an answer: those of the key's place; anybody's, while no key is known."""
    return _cors("*" if caller is None else caller.readable_by)


@lru_cache(maxsize=256)
def _cors(readable_by: str) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"access-control-allow-origin", readable_by.encode()), *_CORS)


def _where(error: Exception) -> str:
    """The file and line of ours in which an error arose, without what it was about."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "footlights" in frame.filename]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
