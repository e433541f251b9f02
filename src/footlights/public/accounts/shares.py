"""Shares. In: figures that a creator wants to show somebody, with what proves them. Out: a link, until it ends.

The figures are kept as they were when the link was made. The file holds the SHA-256 of the link's token alone.
"""

from __future__ import annotations

import msgspec
import zstandard

from footlights.public.accounts.store import Store
from footlights.public.accounts.tokens import digest, new_token
from footlights.terms.errors import NotAllowed

SHARES_MAX = 100
TITLE_LENGTH_MAX = 80
DAYS_MAX = 365
EVIDENCE_BYTES_MAX = 16 << 20


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A link that somebody may open. share: its number, by which its creator ends it."""

    share: int
    creator: str
    title: str
    made_at_utc: int
    expires_at_utc: int


class Shares:
    """What creators show to whoever has a link."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def make(self, creator: str, *, title: str, days: int, evidence: bytes) -> str:
        """A token that shows some evidence, for some days. Raises NotAllowed for a bad title, or too much."""
        if len(evidence) > EVIDENCE_BYTES_MAX:
            raise NotAllowed("That is more than a link can hold. Choose fewer videos, or a shorter period.")
        assert 1 <= days <= DAYS_MAX, "the form offers no other"
        token, now = new_token(), self._store.now_utc()
        packed = zstandard.ZstdCompressor(level=6).compress(evidence)
        with self._store.changing() as db:
            db.execute("DELETE FROM shares WHERE expires_at <= ?", (now,))
            if db.execute("SELECT count(*) FROM shares WHERE creator = ?", (creator,)).fetchone()[0] >= SHARES_MAX:
                raise NotAllowed(
                    "You have %(most)s links already. End one that is not needed any more.", most=SHARES_MAX
                )
            db.execute(
                "INSERT INTO shares (digest, creator, title, made_at, expires_at, evidence) VALUES (?, ?, ?, ?, ?, ?)",
                (digest(token), creator, checked_title(title), now, now + days * 86_400, packed),
            )
        return token

    def find(self, token: str) -> tuple[Share, bytes] | None:
        """A share and its evidence; None where a token was never made, was ended, or is too old."""
        with self._store.reading() as db:
            row = db.execute(
                "SELECT share, creator, title, made_at, expires_at, evidence FROM shares "
                "WHERE digest = ? AND expires_at > ?",
                (digest(token), self._store.now_utc()),
            ).fetchone()
        if row is None:
            return None
        return _share(row), zstandard.ZstdDecompressor().decompress(row[5], max_output_size=EVIDENCE_BYTES_MAX)

    def of(self, creator: str) -> list[Share]:
        """A creator's links that can be opened, newest first."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT share, creator, title, made_at, expires_at FROM shares WHERE creator = ? AND expires_at > ? "
                "ORDER BY made_at DESC, share DESC",
                (creator, self._store.now_utc()),
            ).fetchall()
        return [_share(row) for row in rows]

    def end(self, creator: str, share: int) -> None:
        """End one of a creator's links, at once. One that has ended already is no error."""
        with self._store.changing() as db:
            db.execute("DELETE FROM shares WHERE creator = ? AND share = ?", (creator, share))


def checked_title(title: str) -> str:
    """A title with single blanks. Raises NotAllowed."""
    title = " ".join(title.split())
    if not 0 < len(title) <= TITLE_LENGTH_MAX or not title.isprintable():
        raise NotAllowed("Say in 1 to %(most)s letters what the link is for.", most=TITLE_LENGTH_MAX)
    return title


def _share(row: tuple[int, str, str, int, int]) -> Share:
    return Share(share=row[0], creator=row[1], title=row[2], made_at_utc=row[3], expires_at_utc=row[4])
