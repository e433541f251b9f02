"""Decoder. In: JSON that somebody sent. Out: what was expected of it, or BadJson, which tells nothing of it.

The one way to read JSON of clients: bytes that are none fail in three ways, and a door that forgets one of them answers
with a fault. A test sees to it that no other module of collect makes a decoder.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

#: No JSON or of another shape; no UTF-8; nested deeper than the stack is.
_FAILURES = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class BadJson(Exception):
    """Bytes that are not the JSON that was expected. Without a text: it could only be about what a client sent."""


class Decoder(Generic[T]):
    """Decodes JSON as one type."""

    def __init__(self, expected: type[T]) -> None:
        self._decoder = msgspec.json.Decoder(expected)

    def decode(self, text: bytes | msgspec.Raw) -> T:
        """What the bytes say. Raises BadJson, and nothing else."""
        try:
            return self._decoder.decode(text)
        except _FAILURES:
            raise BadJson from None

    def decode_lines(self, text: bytes) -> list[T]:
        """What the bytes say, one value a line. Raises BadJson, and nothing else."""
        try:
            return self._decoder.decode_lines(text)
        except _FAILURES:
            raise BadJson from None
