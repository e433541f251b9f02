"""Registry. In: what a developer says of an app, and what an operator decides. Out: the app, and what it may do now.

draft → sandbox → review → approved ⇄ suspended, and banned from anywhere. An app in the sandbox reads the simulated
platform; an approved one reads the channels of creators who let it. What it says of itself is fixed once it is in
review: what an operator has read is what they approve, and what creators are asked about; one that went back to the
sandbox asks them anew.
"""

from __future__ import annotations

import hmac
import re
import sqlite3
from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from footlights.public.accounts.apps.scopes import (
    BASIC,
    BY_NAME,
    PURPOSE_BY_NAME,
    excess_of,
    in_order,
    too_much,
)
from footlights.public.accounts.store import Store
from footlights.public.accounts.tokens import digest, new_secret, new_token
from footlights.terms.errors import NotAllowed, NotFound
from footlights.terms.words import N_

State = Literal["draft", "sandbox", "review", "approved", "suspended", "banned"]
TESTERS_MAX = 5
ADDRESSES_MAX = 10
LINK_HOURS = 24
SESSION_HOURS = 12
#: What may follow on what. banned: for good.
_NEXT: dict[State, frozenset[State]] = {
    "draft": frozenset({"sandbox", "banned"}),
    "sandbox": frozenset({"draft", "review", "banned"}),
    "review": frozenset({"sandbox", "approved", "banned"}),
    "approved": frozenset({"sandbox", "suspended", "banned"}),
    "suspended": frozenset({"sandbox", "approved", "banned"}),
    "banned": frozenset(),
}
_CHANGEABLE: frozenset[State] = frozenset({"draft", "sandbox"})
#: The words for states, as pages have them.
STATES: dict[State, str] = {
    "draft": N_("draft"), "sandbox": N_("sandbox"), "review": N_("in review"), "approved": N_("approved"),
    "suspended": N_("suspended"), "banned": N_("banned"),
}  # fmt: skip
#: In which a developer tries their app on simulated creators.
_TRYING: frozenset[State] = frozenset({"sandbox", "review", "approved"})
#: In which an app is told nothing any more but that it is so.
STOPPED: frozenset[State] = frozenset({"suspended", "banned"})
_LOOPBACK = frozenset({"127.0.0.1", "[::1]", "localhost"})
#: On the device itself, at a port. By its address alone: what `localhost` leads to, a file there says.
_AT_A_PORT = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\])):[0-9]{1,5}((?:[/?].*)?)")
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
#: A name as look-ups take it, or an address: what a browser would still decode could read as another host.
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9a-f:.]*:[0-9a-f:.]*")
#: What may stand in an address that goes into a header: printable ASCII without quotes, spaces and brackets.
_PLAIN = re.compile(r"[!#-&(-;=?-Z_a-z~\[\]]{1,512}")


class App(msgspec.Struct, frozen=True, kw_only=True):
    """An app as it is registered. public: it runs where anybody can read it. bound: its tokens need its key (DPoP)."""

    app: int
    client_id: str
    name: str
    maker: str
    site: str
    purpose: str
    scopes: tuple[str, ...]
    redirect_uris: tuple[str, ...]
    public: bool
    bound: bool
    secret: str | None
    state: State
    reason: str
    made_at_utc: int
    changed_at_utc: int

    @property
    def excess(self) -> tuple[str, ...]:
        """The scopes that its purpose does not need: an operator let them pass."""
        return excess_of(self.purpose, self.scopes)

    @property
    def seen(self) -> str:
        """What stands for all that it says of itself, as an operator reads it before they approve it: 64 hex digits."""
        return digest("\0".join((self.name, self.maker, self.site, self.purpose, *self.scopes, *self.redirect_uris)))

    def may_read(self, *, sandbox: bool) -> bool:
        """Whether its tokens are worth anything now: of the simulated platform, or of creators' channels."""
        return self.state in _TRYING if sandbox else self.state == "approved"

    def is_answered_at(self, address: str) -> bool:
        """Whether creators may be sent back to an address: to the letter, but for the port of a program on a device.

        It listens at whatever port is free. Source: RFC 8252, section 7.3; RFC 9700, section 2.1.
        """
        if address in self.redirect_uris:
            return True
        there = _AT_A_PORT.fullmatch(address) if self.public else None
        return there is not None and "".join(there.groups()) in map(_without_port, self.redirect_uris)

    def has_secret(self, secret: str) -> bool:
        """Whether a secret is the app's."""
        return self.secret is not None and hmac.compare_digest(self.secret, digest(secret))


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a developer says of an app."""

    name: str
    maker: str
    site: str
    purpose: str
    scopes: Sequence[str]
    redirect_uris: Sequence[str]


class Apps:
    """The apps of a deployment. excess: refuse, or review, where an operator decides about what is not needed."""

    def __init__(self, store: Store, *, excess: str = "refuse") -> None:
        self._store = store
        self._excess = excess

    # ---- Reading

    def all(self) -> list[App]:
        """Every app, by name."""
        with self._store.reading() as db:
            return [_app(row) for row in db.execute(f"{_APPS} ORDER BY name, app")]

    def get(self, client_id: str) -> App:
        """One app, by its public name. Raises NotFound."""
        found = self.find(client_id)
        if found is None:
            raise NotFound("There is no such app: `footlights app list`.")
        return found

    def find(self, client_id: str) -> App | None:
        """One app, by its public name; None if there is none."""
        with self._store.reading() as db:
            row = db.execute(f"{_APPS} WHERE client_id = ?", (client_id,)).fetchone()
        return None if row is None else _app(row)

    # ---- Registration

    def create(self, said: Said, *, public: bool, bound: bool = False) -> tuple[App, str | None]:
        """A new app, a draft, and its secret, which is shown now and never again. Raises NotAllowed.

        public: it runs in a browser or on a device, gets no secret, and its tokens are bound to a key of its own.
        """
        checked = self._checked(said, public=public)
        client_id, secret = f"app-{new_secret(8).hex()}", None if public else f"fls_{new_token()}"
        now = self._store.now_utc()
        with self._store.changing() as db:
            db.execute(
                "INSERT INTO apps (client_id, name, maker, site, purpose, scopes, redirect_uris, public, bound, "
                "secret, state, made_at, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'draft', ?, ?)",
                (
                    client_id, *_columns(checked), int(public), int(public or bound),
                    None if secret is None else digest(secret), now, now,
                ),
            )  # fmt: skip
        return self.get(client_id), secret

    def change(self, app: App, said: Said) -> App:
        """Say something else of an app. Raises NotAllowed once it is in review, or for what cannot be said."""
        if app.state not in _CHANGEABLE:
            raise NotAllowed(
                "What an app says of itself is fixed once it is submitted. This one is %(state)s.", state=app.state
            )
        checked = self._checked(said, public=app.public)
        with self._store.changing() as db:
            db.execute(
                "UPDATE apps SET name = ?, maker = ?, site = ?, purpose = ?, scopes = ?, redirect_uris = ?, "
                "changed_at = ? WHERE app = ?",
                (*_columns(checked), self._store.now_utc(), app.app),
            )
        return self.get(app.client_id)

    def new_secret_of(self, app: App) -> str:
        """A new secret; the old one is worth nothing from now on. Raises NotAllowed for an app that can keep none."""
        if app.public:
            raise NotAllowed(
                "This app runs where anybody can read it: it has no secret, and proves itself with its key."
            )
        secret = f"fls_{new_token()}"
        with self._store.changing() as db:
            db.execute("UPDATE apps SET secret = ? WHERE app = ?", (digest(secret), app.app))
        return secret

    def _checked(self, said: Said, *, public: bool) -> Said:
        name, maker = (" ".join(text.split()) for text in (said.name, said.maker))
        for what, text in (("name", name), ("maker", maker)):
            if not 0 < len(text) <= 60 or not text.isprintable():
                raise NotAllowed("The %(field)s of an app has 1 to 60 characters: creators read it.", field=what)
        if not _is_site(said.site):
            raise NotAllowed("An app's site is an https address: creators can look there who asks.")
        if said.purpose not in PURPOSE_BY_NAME:
            raise NotAllowed("An app's purpose is one of %(names)s.", names=", ".join(PURPOSE_BY_NAME))
        unknown = sorted(set(said.scopes) - set(BY_NAME))
        if unknown or not said.scopes:
            raise NotAllowed(
                "A scope is one of %(names)s. There is none that names a viewer.", names=", ".join(BY_NAME)
            )
        scopes = in_order({BASIC, *said.scopes})
        excess = excess_of(said.purpose, scopes)
        if excess and self._excess != "review":
            raise too_much(said.purpose, excess)
        addresses = list(dict.fromkeys(said.redirect_uris))
        if not 0 < len(addresses) <= ADDRESSES_MAX:
            raise NotAllowed("An app has 1 to %(most)s addresses that creators are sent back to.", most=ADDRESSES_MAX)
        for address in addresses:
            _check_redirect(address, public=public)
        return Said(
            name=name, maker=maker, site=said.site, purpose=said.purpose, scopes=scopes, redirect_uris=addresses
        )

    # ---- Life

    def move(self, app: App, state: State, *, reason: str = "") -> App:
        """Bring an app into another state. Raises NotAllowed where that does not follow on what it is.

        Whatever the new state does not allow ends with this call: tokens are worth what the app's state says each time
        that they are used. Creators who had let the app in are told. reason: for them and for the developer. Approved
        is what `app` says; one that says something else by now is not.
        """
        reason = " ".join(reason.split())
        if len(reason) > 300 or not (reason == "" or reason.isprintable()):
            raise NotAllowed("A reason has at most 300 characters.")
        if state not in _NEXT[app.state]:
            allowed = ", ".join(sorted(_NEXT[app.state])) or "nothing"
            raise NotAllowed(
                "An app that is %(state)s cannot become %(wished)s; it can become %(allowed)s.",
                state=app.state, wished=state, allowed=allowed,
            )  # fmt: skip
        if state in ("suspended", "banned") and not reason:
            raise NotAllowed("Say why: the developer and the creators who use the app are told.")
        now = self._store.now_utc()
        with self._store.changing() as db:
            now_says = _app(db.execute(f"{_APPS} WHERE app = ?", (app.app,)).fetchone())
            moved = db.execute(
                "UPDATE apps SET state = ?, reason = ?, changed_at = ? WHERE app = ? AND state = ? RETURNING 1",
                (state, reason, now, app.app, app.state),
            ).fetchone()
            if moved is None or (state == "approved" and now_says.seen != app.seen):
                raise NotAllowed("Somebody else has changed this app just now. Look at it again.")
            if "approved" in (app.state, state) or app.state == "suspended":
                _tell(db, app, state, reason, now)
            if state in STOPPED and app.state not in STOPPED:
                _tell_stopped(db, app, state, reason, now)
            if state == "banned":
                db.execute("DELETE FROM app_grants WHERE app = ?", (app.app,))
            if state == "sandbox":
                # There it may say something else of itself. What creators agreed to was what it said before.
                db.execute("DELETE FROM app_grants WHERE app = ? AND sandbox = 0", (app.app,))
        return self.get(app.client_id)

    def remove(self, app: App) -> None:
        """Delete a draft. Raises NotAllowed for anything that creators may have seen."""
        if app.state != "draft":
            raise NotAllowed("Only a draft can be deleted. Ban what must never come back.")
        with self._store.changing() as db:
            db.execute("DELETE FROM apps WHERE app = ?", (app.app,))

    # ---- Trying it out

    def testers(self, app: App) -> list[str]:
        """The simulated creators as whom the app may be tried."""
        with self._store.reading() as db:
            return [
                creator
                for (creator,) in db.execute("SELECT creator FROM app_testers WHERE app = ? ORDER BY 1", (app.app,))
            ]

    def set_testers(self, app: App, creators: Sequence[str]) -> None:
        """Choose the simulated creators. Raises NotAllowed beyond five. Grants of those who are no longer in it end."""
        chosen = sorted(set(creators))
        if len(chosen) > TESTERS_MAX:
            raise NotAllowed("An app has at most %(most)s test creators.", most=TESTERS_MAX)
        with self._store.changing() as db:
            db.execute("DELETE FROM app_testers WHERE app = ?", (app.app,))
            db.executemany("INSERT INTO app_testers VALUES (?, ?)", [(app.app, creator) for creator in chosen])
            db.execute(
                "DELETE FROM app_grants WHERE app = ? AND sandbox = 1 "
                "AND creator NOT IN (SELECT creator FROM app_testers WHERE app_testers.app = app_grants.app)",
                (app.app,),
            )

    # ---- The developer's way in

    def make_link(self, app: App) -> str:
        """A token that opens the app's page to its developer, once, within a day."""
        now, token = self._store.now_utc(), new_token()
        with self._store.changing() as db:
            db.execute("DELETE FROM app_links WHERE expires_at <= ?", (now,))
            db.execute("INSERT INTO app_links VALUES (?, ?, ?)", (digest(token), app.app, now + LINK_HOURS * 3600))
        return token

    def redeem(self, token: str) -> str:
        """Turn a link's token into a session's. Raises NotAllowed if it was used, is too old or was never made."""
        now, session = self._store.now_utc(), new_token()
        with self._store.changing() as db:
            row = db.execute(
                "DELETE FROM app_links WHERE digest = ? AND expires_at > ? RETURNING app", (digest(token), now)
            ).fetchone()
            if row is None:
                raise NotAllowed("This link has been used or is too old. The operator makes another.")
            db.execute("DELETE FROM app_sessions WHERE expires_at <= ?", (now,))
            db.execute(
                "INSERT INTO app_sessions VALUES (?, ?, ?)", (digest(session), row[0], now + SESSION_HOURS * 3600)
            )
        return session

    def of_session(self, token: str) -> App | None:
        """The app whose developer has this session; None if there is no such session."""
        with self._store.reading() as db:
            row = db.execute(
                f"{_APPS} WHERE app = (SELECT app FROM app_sessions WHERE digest = ? AND expires_at > ?)",
                (digest(token), self._store.now_utc()),
            ).fetchone()
        return None if row is None else _app(row)

    def sign_out(self, token: str) -> None:
        """End a developer's session."""
        with self._store.changing() as db:
            db.execute("DELETE FROM app_sessions WHERE digest = ?", (digest(token),))


_APPS = (
    "SELECT app, client_id, name, maker, site, purpose, scopes, redirect_uris, public, bound, secret, state, reason, "
    "made_at, changed_at FROM apps"
)


def _app(row: tuple[Any, ...]) -> App:
    (
        app,
        client_id,
        name,
        maker,
        site,
        purpose,
        scopes,
        addresses,
        public,
        bound,
        secret,
        state,
        reason,
        made,
        changed,
    ) = row
    return App(
        app=app, client_id=client_id, name=name, maker=maker, site=site, purpose=purpose,
        scopes=tuple(scopes.split()), redirect_uris=tuple(addresses.splitlines()), public=bool(public),
        bound=bool(bound), secret=secret, state=state, reason=reason, made_at_utc=made, changed_at_utc=changed,
    )  # fmt: skip


def _columns(said: Said) -> tuple[str, ...]:
    return (
        said.name, said.maker, said.site, said.purpose, " ".join(said.scopes), "\n".join(said.redirect_uris)
    )  # fmt: skip


def _tell(db: sqlite3.Connection, app: App, state: State, reason: str, now_utc: int) -> None:
    """Leave a notice to each creator who has let an app in."""
    db.execute(
        "INSERT INTO app_notices (creator, app, state, reason, at) "
        "SELECT creator, app, ?, ?, ? FROM app_grants WHERE app = ? AND sandbox = 0",
        (state, reason, now_utc, app.app),
    )


def _tell_stopped(db: sqlite3.Connection, app: App, state: State, reason: str, now_utc: int) -> None:
    """Leave what the app's own program is told, and a letter to each creator who has let it in: told.py sends them."""
    db.execute("INSERT INTO app_stops (app, state, reason, at) VALUES (?, ?, ?, ?)", (app.app, state, reason, now_utc))
    db.execute(
        "INSERT INTO app_letters (creator, app, state, reason, at) "
        "SELECT creator, app, ?, ?, ? FROM app_grants WHERE app = ? AND sandbox = 0 ORDER BY creator",
        (state, reason, now_utc, app.app),
    )


def _is_site(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(_HOST.fullmatch(parts.hostname or "")) and bool(_PLAIN.fullmatch(address))


def _check_redirect(address: str, *, public: bool) -> None:
    """Raises NotAllowed for an address that a code could be caught at, or that is no whole address.

    Source: RFC 9700, section 2.1; RFC 8252, sections 7 and 8.4.
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    secure = parts.scheme == "https" and bool(_HOST.fullmatch(host or ""))
    here = parts.scheme == "http" and _is_here(parts.netloc)
    device = public and bool(_PRIVATE_SCHEME.fullmatch(parts.scheme)) and not parts.netloc
    if (
        not (secure or here or device)
        or not _PLAIN.fullmatch(address)
        or "#" in address
        or "*" in address
        or parts.username is not None
    ):
        raise NotAllowed(
            "An address that creators are sent back to is a whole https address without #, *, user name or password; "
            "http is for this machine alone (http://127.0.0.1:PORT/...), and a scheme such as com.example.app:/back "
            "for apps on devices."
        )


def _without_port(address: str) -> str:
    """An address on the device itself without its port; any other as it is."""
    there = _AT_A_PORT.fullmatch(address)
    return address if there is None else "".join(there.groups())


def _is_here(netloc: str) -> bool:
    return netloc in _LOOPBACK or netloc.rpartition(":")[0] in _LOOPBACK
