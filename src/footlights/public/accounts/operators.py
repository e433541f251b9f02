"""Operators. In: names, passwords, codes, session tokens. Out: who is operating. There is none until one is created.

An operator has a second factor from the first moment on: a secret for an authenticator app and ten recovery codes are
made with the account. Passkeys come on top. Whoever can run commands on the machine can make the account anew.
"""

from __future__ import annotations

import re
import sqlite3

import msgspec

from footlights.public.accounts import one_time, passwords
from footlights.public.accounts.attempts import Attempts
from footlights.public.accounts.store import Store
from footlights.public.accounts.tokens import digest, new_recovery_codes, new_secret, new_token, recovery_digest
from footlights.terms.errors import NotAllowed, NotFound
from footlights.terms.words import N_

#: For how long after signing in an account may be changed without signing in again.
FRESH_SECONDS = 15 * 60
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
WRONG = N_("Name, password or code is not right.")


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """What a new operator gets to see, once: the secret of their authenticator app, and recovery codes."""

    name: str
    totp_secret: str
    totp_address: str
    recovery_codes: tuple[str, ...]


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """An operator, as others may see them."""

    name: str
    made_at_utc: int
    passkeys: int
    recovery_codes: int


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """An operator who is signed in. fresh: they signed in a moment ago, and may change their account."""

    operator: int
    name: str
    began_at_utc: int
    fresh: bool


class Operators:
    """The operators of a deployment. session_hours: how long they stay signed in."""

    def __init__(self, store: Store, *, session_hours: int = 8) -> None:
        self._store = store
        self._attempts = Attempts(store)
        self._session_seconds = session_hours * 3600

    # ---- By whoever can run commands on the machine

    def create(self, name: str, password: str) -> Enrolment:
        """Make an operator. Raises NotAllowed for a name that is taken or odd, or an easy password."""
        if not _NAME.fullmatch(name):
            raise NotAllowed("An operator's name has 1 to 32 of a-z, 0-9, dot, dash and underscore.")
        passwords.check_choice(password, name=name)
        hashed, secret = passwords.hash_password(password), new_secret(one_time.SECRET_BYTES)
        with self._store.changing() as db:
            if db.execute("SELECT 1 FROM operators WHERE name = ?", (name,)).fetchone():
                raise NotAllowed(f"There is an operator {name} already: `footlights operator reset {name}`.")
            made = db.execute(
                "INSERT INTO operators (name, password, totp_secret, made_at) VALUES (?, ?, ?, ?)",
                (name, hashed, secret, self._store.now_utc()),
            )
            assert made.lastrowid is not None, "a row was inserted"
            return _enrolment(name, secret, _recovery_codes(db, made.lastrowid))

    def reset(self, name: str, password: str) -> Enrolment:
        """Give an operator a new password, secret and codes; their sessions and passkeys end. Raises NotFound."""
        self._id(name)
        passwords.check_choice(password, name=name)
        hashed, secret = passwords.hash_password(password), new_secret(one_time.SECRET_BYTES)
        operator = self._id(name)
        with self._store.changing() as db:
            db.execute(
                "UPDATE operators SET password = ?, totp_secret = ?, totp_step = 0 WHERE operator = ?",
                (hashed, secret, operator),
            )
            db.execute("DELETE FROM operator_sessions WHERE operator = ?", (operator,))
            db.execute("DELETE FROM passkeys WHERE operator = ?", (operator,))
            codes = _recovery_codes(db, operator)
        self._attempts.forgive(name)
        return _enrolment(name, secret, codes)

    def remove(self, name: str) -> None:
        """End an operator's account and sessions. Raises NotFound."""
        operator = self._id(name)
        with self._store.changing() as db:
            db.execute("DELETE FROM operators WHERE operator = ?", (operator,))

    def all(self) -> list[Operator]:
        """Every operator, by name."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT name, made_at, (SELECT count(*) FROM passkeys p WHERE p.operator = o.operator), "
                "(SELECT count(*) FROM recovery_codes r WHERE r.operator = o.operator) FROM operators o ORDER BY name"
            ).fetchall()
        return [
            Operator(name=name, made_at_utc=made_at, passkeys=passkeys, recovery_codes=codes)
            for name, made_at, passkeys, codes in rows
        ]

    # ---- By the operators themselves

    def sign_in(self, name: str, password: str, code: str) -> str:
        """A session token. code: of the authenticator app, or a recovery code, which is then used up.

        Raises NotAllowed, in the same words and after the same time whichever of the three was wrong.
        """
        self._attempts.charge(name)
        with self._store.reading() as db:
            row = db.execute("SELECT operator, password, totp_secret FROM operators WHERE name = ?", (name,)).fetchone()
        if not passwords.fits(password, row[1] if row else None) or not self._spend(row[0], row[2], code):
            raise NotAllowed(WRONG)
        self._attempts.forgive(name)
        return self.begin_session(row[0])

    def begin_session(self, operator: int) -> str:
        """A session token for an operator who has proved who they are. A new one each time: none is taken over."""
        now, token = self._store.now_utc(), new_token()
        with self._store.changing() as db:
            db.execute("DELETE FROM operator_sessions WHERE expires_at <= ?", (now,))
            db.execute(
                "INSERT INTO operator_sessions VALUES (?, ?, ?, ?)",
                (digest(token), operator, now, now + self._session_seconds),
            )
        return token

    def session(self, token: str) -> Session | None:
        """Whose session this is; None if there is no such session, or no longer."""
        now = self._store.now_utc()
        with self._store.reading() as db:
            row = db.execute(
                "SELECT operator, name, began_at FROM operator_sessions JOIN operators USING (operator) "
                "WHERE digest = ? AND expires_at > ?",
                (digest(token), now),
            ).fetchone()
        if row is None:
            return None
        return Session(operator=row[0], name=row[1], began_at_utc=row[2], fresh=now - row[2] < FRESH_SECONDS)

    def sign_out(self, token: str) -> None:
        """End a session. One that has ended already is no error."""
        with self._store.changing() as db:
            db.execute("DELETE FROM operator_sessions WHERE digest = ?", (digest(token),))

    def change_password(self, session: Session, password: str, *, keep: str) -> None:
        """A new password; sessions other than the token `keep` end. Raises NotAllowed for an easy one."""
        passwords.check_choice(password, name=session.name)
        hashed = passwords.hash_password(password)
        with self._store.changing() as db:
            db.execute("UPDATE operators SET password = ? WHERE operator = ?", (hashed, session.operator))
            db.execute(
                "DELETE FROM operator_sessions WHERE operator = ? AND digest != ?", (session.operator, digest(keep))
            )

    def new_recovery_codes(self, session: Session) -> tuple[str, ...]:
        """Ten new recovery codes, shown once; the old ones stop working."""
        with self._store.changing() as db:
            return _recovery_codes(db, session.operator)

    # ---- Inside

    def _id(self, name: str) -> int:
        with self._store.reading() as db:
            row = db.execute("SELECT operator FROM operators WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise NotFound("There is no operator of this name: `footlights operator list`.")
        operator: int = row[0]
        return operator

    def _spend(self, operator: int, secret: bytes, code: str) -> bool:
        """Whether a code is right and was not used before; it is used up if so."""
        step = one_time.step_of(secret, code, now_utc=self._store.now_utc())
        with self._store.changing() as db:
            if step is not None:
                spent = db.execute(
                    "UPDATE operators SET totp_step = ? WHERE operator = ? AND totp_step < ? RETURNING 1",
                    (step, operator, step),
                ).fetchone()
            else:
                spent = db.execute(
                    "DELETE FROM recovery_codes WHERE operator = ? AND digest = ? RETURNING 1",
                    (operator, recovery_digest(operator, code)),
                ).fetchone()
        return spent is not None


def _recovery_codes(db: sqlite3.Connection, operator: int) -> tuple[str, ...]:
    codes = tuple(new_recovery_codes())
    db.execute("DELETE FROM recovery_codes WHERE operator = ?", (operator,))
    db.executemany(
        "INSERT INTO recovery_codes VALUES (?, ?)", [(operator, recovery_digest(operator, code)) for code in codes]
    )
    return codes


def _enrolment(name: str, secret: bytes, codes: tuple[str, ...]) -> Enrolment:
    return Enrolment(
        name=name, totp_secret=one_time.typed(secret), totp_address=one_time.address_of(secret, name=name),
        recovery_codes=codes,
    )  # fmt: skip
