"""Conditions. In: the board's clock and what a client says it has. Out: validators, and whether it has it still.

An answer changes with a tick alone, so the tick's moment stands for it: nothing of the answer is worked out to tell
that it is the same. A board that was restored publishes the same moments anew, so its restores are counted in.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

import msgspec

import footlights
from footlights.public.board.read import Board


class Validators(msgspec.Struct, frozen=True, kw_only=True):
    """What stands for an answer. etag: weak, since it goes out compressed and not. modified: RFC 9110's date, UTC."""

    etag: str
    modified: datetime | None

    def headers(self) -> dict[str, str]:
        """As an answer has them."""
        told = {} if self.modified is None else {"Last-Modified": format_datetime(self.modified, usegmt=True)}
        return {"ETag": self.etag, **told}


def validators(board: Board) -> Validators:
    """Of everything that is read from a board now."""
    through, restores = board.published_through_utc(), board.restores()
    return Validators(
        etag=f'W/"{through or 0}{f".{restores}" if restores else ""}-{footlights.__version__}"',
        modified=None if through is None else datetime.fromtimestamp(through, UTC),
    )


def unchanged(now: Validators, headers: Mapping[str, str]) -> bool:
    """Whether a client has the answer already, by If-None-Match, or else by If-Modified-Since (RFC 9110, 13.2.2)."""
    known = headers.get("if-none-match")
    if known is not None:
        tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
        return "*" in tags or now.etag.removeprefix("W/") in tags
    return now.modified is not None and _since(headers.get("if-modified-since", "")) >= now.modified


def _since(text: str) -> datetime:
    """A date of HTTP; long ago if it is none."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return datetime.min.replace(tzinfo=UTC)
