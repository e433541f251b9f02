"""Bodies. In: how much a request brings. Out: room for it, before a byte of it is kept, and what it is without gzip."""

from __future__ import annotations

import zlib

from starlette.datastructures import Headers

from footlights.private.collect.commit import busy
from footlights.private.collect.room import Room
from footlights.terms.errors import BadRequest

#: Content codings that are read. Whether a body is gzip it says itself.
_READ = ("", "identity", "gzip", "x-gzip")


class BodyRoom:
    """Room for one body, from before it is read until it is answered. limit: bytes that a body may have, unpacked."""

    def __init__(self, room: Room, key: str, declared: str, *, limit: int) -> None:
        """declared: what declared_in says; of a body that does not say, as much as it may have is kept free.

        Raises BadRequest: too_large, or busy.
        """
        self._room = room
        self._key = key
        self._size = 0
        self._limit = limit
        size = int(declared) if declared.isdecimal() else limit
        if size > limit:
            raise too_large(limit)
        self._take(size)

    def unpacked(self, body: bytes) -> bytes:
        """The body without gzip, for which it may take more room. Raises BadRequest."""
        plain = unpack(body, limit=self._limit)
        if len(plain) > self._size:
            self._take(len(plain) - self._size)
        return plain

    def give(self) -> None:
        """Give back what was taken."""
        self._room.give(self._key, self._size)
        self._size = 0

    def __enter__(self) -> BodyRoom:
        return self

    def __exit__(self, *_: object) -> None:
        self.give()

    def _take(self, size: int) -> None:
        if not self._room.take(self._key, size):
            raise busy("The collector has as many requests in hand as it can hold.")
        self._size += size


def declared_in(headers: Headers) -> str:
    """What a request says of its body's length: "0" if it has none (RFC 9112, section 6.3), "" if it does not say.

    Raises BadRequest where its transfer coding is another than chunked (section 6.1).
    """
    declared = headers.get("content-length")
    if declared:
        return declared
    coding = headers.get("transfer-encoding")
    if coding is not None and coding.strip().lower() != "chunked":
        raise BadRequest(
            "bad_encoding",
            "Of transfer codings chunked alone is undone. Pack the body itself, with gzip, or not at all.",
        )
    return "0" if coding is None else ""


def told_of_packing(error: BadRequest, headers: Headers) -> BadRequest:
    """A refusal, or what was the matter in truth: a body that is no JSON because it is packed in a way of its own."""
    if error.code != "bad_json" or not is_packed_otherwise(headers):
        return error
    return packed_otherwise(key=error.key)


def is_packed_otherwise(headers: Headers) -> bool:
    """Whether a request says that its body is packed in a way that the collector does not undo."""
    return headers.get("content-encoding", "").strip().lower() not in _READ


def packed_otherwise(*, key: str = "") -> BadRequest:
    """The refusal of a body that says so, and cannot be read. key: the write key's name."""
    return BadRequest(
        "bad_encoding", "The body is packed in a way that the collector does not undo, as its Content-Encoding says. "
        "Pack it with gzip, or not at all.", status=415, key=key,
    )  # fmt: skip


def unpack(body: bytes, *, limit: int) -> bytes:
    """A body without gzip, if it has any. Raises BadRequest; never makes more than `limit` bytes of it."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, limit + 1)
    except zlib.error:
        raise BadRequest("bad_gzip", "The body begins as gzip and is not.") from None
    if len(plain) > limit:
        raise too_large(limit)
    if not unpacker.eof:
        raise BadRequest("bad_gzip", "The body is gzip that ends too early.")
    if unpacker.unused_data:
        # Not read on: of thousands of tiny members each would copy all that follow.
        raise BadRequest("bad_gzip", "The body is gzip and more: pack it as one piece.")
    return plain


def too_large(limit: int) -> BadRequest:
    """The refusal of a body that is larger than it may be."""
    return BadRequest("too_large", f"The body is larger than {limit} bytes, unpacked. Send fewer events.", status=413)


def too_slow() -> BadRequest:
    """The refusal of a body that did not come in time."""
    return BadRequest("too_slow", "The body took too long to arrive. Send it again.", status=408)
