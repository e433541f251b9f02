"""Asks. What a viewer asked of the vault, as the journal holds it: to be erased, or to be told what is kept of them.

An ask holds the viewer's pseudonyms of the seasons whose keys are there, and never their id. It stands in the journal
among the events, so what arrived before it is told from what arrives after it, whatever crashes.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

What = Literal["erase", "export"]


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One ask. id: the random name under which its receipt is kept. tokens: season -> the viewer's 16 bytes."""

    id: str
    what: What
    at_ms: int
    tokens: dict[int, bytes]

    def __repr__(self) -> str:
        return f"<{self.what} ask, withheld>"


class PlacedAsk(NamedTuple):
    """An ask, and how many records came before it."""

    after: int
    ask: Ask


decode_asks = msgspec.msgpack.Decoder(list[PlacedAsk]).decode
