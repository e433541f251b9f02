"""Log. In: the board's file. Out: roots, and proofs that a row is on the board and that the log was only ever extended.

    log        RFC 9162 tree, a leaf for each minute since 1970      checkpoint: its size and root, signed by the gate
    minute     tree of the rows that it published, by their place    minutes.py
    row        one tick of one stream                                statements.py

Reads alone; chain.py writes. Minutes without rows are not stored: every tree of them has a hash that is known.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Protocol

import msgspec

from footlights.public.board import merkle
from footlights.public.board.minutes import part_of, path_in
from footlights.terms.errors import ProofFailed

#: The facts in which the board keeps what the gate signed, and the public keys that it signed with.
CHECKPOINT, KEYS = "log_checkpoint", "log_keys"
#: Behind the log's name: that of live sessions is one of its own, signed with the same keys.
LIVE = "/live"
#: What leaves are salted with. It is on the board and in no answer: a row's own salt is in its proof.
BLIND = "log_blind"


class RowProof(msgspec.Struct, frozen=True, kw_only=True):
    """Hashes that lead from a row to its minute's root, from the root down, and from there to the log's, upwards."""

    minute: int
    policies: bytes
    in_minute: list[bytes]
    in_log: list[bytes]


class LogKey(msgspec.Struct, frozen=True, kw_only=True):
    """A public key of the gate, as hex. endorsement: the key before it signed for it; "" of the first."""

    public: str
    endorsement: str = ""


class Notary(Protocol):
    """What the gate signs with."""

    @property
    def origin(self) -> str:
        """The log's name."""

    @property
    def public(self) -> bytes:
        """The public half of the key that signs now."""

    def chain(self) -> list[LogKey]:
        """All keys that have signed, oldest first."""

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature."""


class Log:
    """The log of a board. db: an open connection, which stays the caller's."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._paths: dict[tuple[int, int], list[bytes]] = {}

    def exists(self) -> bool:
        """Whether this board has a log: one that was written before there was any has none until its next tick."""
        return self._db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'minutes'").fetchone() is not None

    def checkpoint(self) -> str | None:
        """The newest signed note; None before the first."""
        return self._fact(CHECKPOINT) if self.exists() else None

    def keys(self) -> list[LogKey]:
        """The keys that have signed, oldest first."""
        return msgspec.json.decode(self._fact(KEYS) or "[]", type=list[LogKey])

    def blind(self) -> bytes:
        """What rows' salts are made from."""
        return bytes.fromhex(self._fact(BLIND) or "")

    def root(self, size: int) -> bytes:
        """The root over the minutes before number `size`."""
        return merkle.root_of(size, self.node)

    def node(self, level: int, node: int) -> bytes:
        """The hash of a complete subtree."""
        row = self._db.execute("SELECT hash FROM nodes WHERE level = ? AND node = ?", (level, node)).fetchone()
        return row[0] if row else merkle.EMPTY[level]

    def row_proof(self, *, minute: int, place: bytes, size: int) -> RowProof | None:
        """The proof that a row stands at a place of a minute, in the log of some size; None where none does."""
        found = self._db.execute("SELECT bits, top, policies FROM minutes WHERE minute = ?", (minute,)).fetchone()
        if found is None or minute >= size:
            return None
        bits, top, policies = found
        part = self._db.execute(
            "SELECT rows FROM parts WHERE minute = ? AND part = ?", (minute, part_of(place, bits))
        ).fetchone()
        in_minute = None if part is None else path_in(part[0], place, bits=bits, top=top)
        if in_minute is None:
            return None
        return RowProof(
            minute=minute, policies=policies, in_minute=in_minute,
            in_log=self._path(minute, size),
        )  # fmt: skip

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Hashes that show that the log of `new` minutes begins with that of `old`. Raises ProofFailed out of range."""
        if not 0 < old <= new:
            raise ProofFailed("from is a size of the log that is not larger than the size it has.")
        return merkle.consistency_path(old, new, self.node)

    def _path(self, minute: int, size: int) -> list[bytes]:
        """From a minute to the root of the log of some size: the same for all rows of the minute, whatever comes."""
        if (minute, size) not in self._paths:
            self._paths[minute, size] = merkle.inclusion_path(minute, size, self.node)
        return self._paths[minute, size]

    def _fact(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None


def endorsement_text(origin: str, public: bytes) -> bytes:
    """What a key signs for the one after it."""
    return f"footlights log key\n{origin}\n{public.hex()}\n".encode()


def restores(fact: str | None) -> int:
    """How many times a board was put back to a copy, by its fact."""
    return len(json.loads(fact or "[]"))
