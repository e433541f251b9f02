"""Contacts. In: addresses that the platform gives for its creators. Out: whom to write to, and what was written.

The one place that holds an address, in a file of the public side; no log, error or board ever does. Who stops the mail
has their address deleted, and stays stopped until they ask again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from footlights.public.accounts.store import Store
from footlights.public.accounts.tokens import new_secret
from footlights.terms.errors import NotAllowed

ADDRESS_LENGTH_MAX = 254
#: One address as RFC 5321 has it without quotes: nothing in it can end a header or begin another.
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A creator who is written to."""

    creator_id: str
    address: str

    def __repr__(self) -> str:
        return f"<contact of {self.creator_id}, address withheld>"


class Contacts:
    """Addresses of creators, beside the accounts. Safe to share between threads and with other processes."""

    def __init__(self, where: Path | Store, *, clock: Callable[[], float] = time.time) -> None:
        self._store = where if isinstance(where, Store) else Store(where, clock=clock)
        with self._store.changing() as db:
            db.execute("INSERT OR IGNORE INTO contact_keys VALUES (1, ?)", (new_secret(32),))
            self._key: bytes = db.execute("SELECT key FROM contact_keys").fetchone()[0]

    def close(self) -> None:
        """Give the file back."""
        self._store.close()

    def set(self, creator_id: str, address: str, *, again: bool = False) -> None:
        """Write to a creator at an address from now on. again: although they stopped the mail, since they asked.

        Raises NotAllowed for what is no address, and for somebody who stopped the mail.
        """
        if len(address) > ADDRESS_LENGTH_MAX or not _ADDRESS.fullmatch(address):
            raise NotAllowed("This is no address of the form name@example.org.")
        with self._store.changing() as db:
            row = db.execute("SELECT stopped_at FROM contacts WHERE creator = ?", (creator_id,)).fetchone()
            if row is not None and row[0] is not None and not again:
                raise NotAllowed("This creator stopped the mail. Once they ask for it again, say --again.")
            db.execute("INSERT OR REPLACE INTO contacts VALUES (?, ?, NULL)", (creator_id, address))

    def stop(self, creator_id: str) -> None:
        """Write to a creator no more, and delete their address. Twice is as good as once."""
        with self._store.changing() as db:
            db.execute("INSERT OR REPLACE INTO contacts VALUES (?, NULL, ?)", (creator_id, self._store.now_utc()))

    def all(self) -> list[Contact]:
        """Whom to write to, by id."""
        with self._store.changing() as db:
            rows = db.execute("SELECT creator, address FROM contacts WHERE address IS NOT NULL ORDER BY creator")
            return [Contact(creator_id=creator, address=address) for creator, address in rows]

    def has(self, creator_id: str) -> bool:
        """Whether a creator is written to."""
        with self._store.reading() as db:
            row = db.execute("SELECT address IS NOT NULL FROM contacts WHERE creator = ?", (creator_id,)).fetchone()
            return bool(row is not None and row[0])

    def begin(self, creator_id: str, period: str) -> bool:
        """Whether a letter about a period is still to be sent. It counts as sent from now on, whatever then happens.

        Noted before the sending: a crash between the two costs a letter, never a second one.
        """
        with self._store.changing() as db:
            row = (creator_id, period, self._store.now_utc())
            return db.execute("INSERT OR IGNORE INTO letters VALUES (?, ?, ?)", row).rowcount == 1

    def undo(self, creator_id: str, period: str) -> None:
        """A letter was refused before it was taken: it may be sent again."""
        with self._store.changing() as db:
            db.execute("DELETE FROM letters WHERE creator = ? AND period = ?", (creator_id, period))

    # ---- the link that stops the mail

    def stop_token(self, creator_id: str) -> str:
        """What a letter's link carries. It names a creator, is signed, does not end, and does nothing else."""
        return f"{_text(creator_id.encode())}.{_text(self._signed('stop', creator_id))}"

    def stopped_by(self, token: str) -> str:
        """The creator whose token this is. Raises NotAllowed for one that was not made here."""
        creator, _, signature = token.partition(".")
        try:
            creator_id = _bytes(creator).decode()
            if hmac.compare_digest(_bytes(signature), self._signed("stop", creator_id)):
                return creator_id
        except (ValueError, binascii.Error):
            pass
        raise NotAllowed("This link was cut, or not made here. Open it again from the newest letter.")

    def letter_id(self, creator_id: str, period: str) -> str:
        """A name for a letter that says nothing of it, the same however often it is sent."""
        return _text(self._signed("letter", f"{creator_id}\0{period}")[:16])

    def _signed(self, what: str, text: str) -> bytes:
        return hmac.new(self._key, f"{what}\0{text}".encode(), hashlib.sha256).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
