"""Signing. In: what the operator made: a login link, an app. Out: what a browser or an app gets for it, really.

One session a creator, one token an app and creator: they are kept for as long as the audit lasts.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

from footlights.audit.doors import Answer
from footlights.terms.errors import AuditFailed

#: Posts a form to a path, as from its page, with some headers beside; returns the answer.
Post = Callable[[str, bytes, dict[str, str]], Answer]
#: Where the audit's apps say that creators are sent back to: nobody goes there.
BACK = "http://127.0.0.1/audit"
_VERIFIER = "audit-" * 10
_CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(_VERIFIER.encode()).digest()).decode().rstrip("=")


class Sessions:
    """The sessions of an audit. make_link: the operator's way to make a login link."""

    def __init__(self, make_link: Callable[[str], str], post: Post) -> None:
        self._make_link = make_link
        self._post = post
        self._cookies: dict[str, str] = {}

    def headers(self, creator: str) -> dict[str, str]:
        """What a request carries that is signed in as a creator; nothing for nobody ("")."""
        if not creator:
            return {}
        if creator not in self._cookies:
            self._cookies[creator] = self._sign_in(creator)
        return {"cookie": self._cookies[creator]}

    def _sign_in(self, creator: str) -> str:
        token = urlsplit(self._make_link(creator)).query.removeprefix("token=")
        answer = self._post("/login", urlencode({"token": token}).encode(), {})
        cookie = answer.headers.get("set-cookie", "").partition(";")[0]
        if answer.status != 303 or not cookie:
            raise AuditFailed(f"signing in was answered with status {answer.status}.")
        return cookie


class AppTokens:
    """Tokens of apps that creators let in. make_app: the operator's way to an open app's client_id and secret."""

    def __init__(self, make_app: Callable[[str], tuple[str, str]], sessions: Sessions, post: Post) -> None:
        self._make_app, self._sessions, self._post = make_app, sessions, post
        self._apps: dict[str, tuple[str, str]] = {}
        self._tokens: dict[tuple[str, str], str] = {}

    def client_ids(self) -> list[str]:
        """The apps that were made, for whoever tidies up."""
        return [client_id for client_id, _ in self._apps.values()]

    def headers(self, app: str, creator: str) -> dict[str, str]:
        """What a request of an app carries that a creator has let in, wholly."""
        if app not in self._apps:
            self._apps[app] = self._make_app(app)
        if (app, creator) not in self._tokens:
            self._tokens[app, creator] = self._let_in(*self._apps[app], creator)
        return {"authorization": f"Bearer {self._tokens[app, creator]}"}

    def _let_in(self, client_id: str, secret: str, creator: str) -> str:
        asked = urlencode({
            "response_type": "code", "client_id": client_id, "redirect_uri": BACK, "code_challenge": _CHALLENGE,
            "code_challenge_method": "S256",
        })  # fmt: skip
        ticked = {f"scope.{name}": "on" for name in ("user.info.stats", "video.list", "video.insights")}
        form = urlencode({"asked": asked, "decision": "allow", **ticked}).encode()
        answer = self._post("/oauth/authorize", form, self._sessions.headers(creator))
        code = parse_qs(urlsplit(answer.headers.get("location", "")).query).get("code", [""])[0]
        form = urlencode({
            "grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": _VERIFIER,
            "client_id": client_id, "client_secret": secret,
        }).encode()  # fmt: skip
        told = self._post("/oauth/token", form, {})
        if told.status != 200:
            raise AuditFailed(f"an app that a creator let in was answered with status {told.status}, and has no token.")
        return str(told.json()["access_token"])
