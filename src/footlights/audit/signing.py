"""Signing. In: a login link that the operator made. Out: the session that a browser gets for it, through the real door.

One session a creator: a link works once, so what it gave is kept for as long as the audit lasts.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from footlights.audit.doors import Answer
from footlights.terms.errors import AuditFailed

#: Posts a form to /login; returns the answer.
Post = Callable[[bytes], Answer]


class Sessions:
    """The sessions of an audit. make_link: the operator's way to make a login link. post: to /login, from its page."""

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
        answer = self._post(urlencode({"token": token}).encode())
        cookie = answer.headers.get("set-cookie", "").partition(";")[0]
        if answer.status != 303 or not cookie:
            raise AuditFailed(f"signing in was answered with status {answer.status}.")
        return cookie
