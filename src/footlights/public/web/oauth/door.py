"""Door. In: a request with an app's token. Out: whose channel it may read, or why not. A creator's own session is none.

Each request is held against the token, what the creator agreed to, the app's state, the limit of the route, and, where
the token is bound to a key, the proof of that key. Then it is written down, and only then answered.
Source: RFC 6750, section 3; RFC 9449, section 7.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from starlette.requests import Request

from footlights.public.accounts.apps.grants import Token
from footlights.public.accounts.apps.proofs import ALGORITHMS, BadProof
from footlights.public.accounts.apps.reads import Reads
from footlights.public.accounts.apps.server import OAuthServer
from footlights.public.accounts.creators import Who
from footlights.public.web.oauth.limits import Limits
from footlights.public.web.sessions import address_path, base_url
from footlights.settings import Settings

PREFIX = "fla_"


class AppWho(Who, frozen=True, kw_only=True):
    """An app that reads for a creator. headers: what its answer has to carry."""

    token: Token
    headers: Mapping[str, str]


class NotLetIn(Exception):
    """An app's request that is not answered. code: of RFC 6750 and 9449, or too_many."""

    def __init__(
        self,
        status: int,
        code: Literal["invalid_token", "insufficient_scope", "invalid_dpop_proof", "use_dpop_nonce", "too_many"],
        detail: str,
        headers: dict[str, str],
    ) -> None:
        self.status, self.code, self.detail, self.headers = status, code, detail, headers
        super().__init__(code)


class Door:
    """Lets apps in. most: requests a minute of one app at one route."""

    def __init__(self, server: OAuthServer, reads: Reads, settings: Settings) -> None:
        self._server, self._reads, self._settings = server, reads, settings
        self._limits = Limits(settings.app_requests_a_minute_max)

    def who(self, request: Request, route: str, needs: frozenset[str] | None) -> AppWho | None:
        """The app that asks, None if none does. needs: scopes; None for a route that no app reads. Raises NotLetIn."""
        scheme, _, said = request.headers.get("authorization", "").partition(" ")
        scheme, said = scheme.lower(), said.strip()
        if scheme != "dpop" and not (scheme == "bearer" and said.startswith(PREFIX)):
            return None
        headers = {"Cache-Control": "no-store"}
        token = self._server.grants.access(said)
        if token is None:
            raise NotLetIn(401, "invalid_token", _INVALID, headers | _challenge(scheme, "invalid_token"))
        headers = self._prove(request, scheme, said, token)
        self._limit(token, route)
        missing = sorted((needs or frozenset()) - set(token.consent.scopes))
        if needs is None or missing:
            raise _unscoped(scheme, missing)
        consent = token.consent
        return AppWho(creator=consent.creator, sandbox=consent.sandbox, token=token, headers=headers)

    def may_still(self, who: AppWho, needs: frozenset[str], said: str) -> bool:
        """Whether an app that was let in may go on reading: its token, its state and the creator's consent stand."""
        token = self._server.grants.access(said)
        return token is not None and token.digest == who.token.digest and needs <= set(token.consent.scopes)

    def note(self, who: AppWho, route: str, *, through_utc: int | None) -> None:
        """Write down what an app is about to be told."""
        self._reads.note(who.token, route, through_utc=through_utc or 0)

    def _limit(self, token: Token, route: str) -> None:
        wait_seconds = self._limits.take((token.app, route))
        if wait_seconds:
            after = str(math.ceil(wait_seconds))
            raise NotLetIn(
                429, "too_many", f"More requests than an app may make here in a minute. Wait {after} seconds.",
                {"Retry-After": after, "Cache-Control": "no-store"},
            )  # fmt: skip

    def _prove(self, request: Request, scheme: str, said: str, token: Token) -> dict[str, str]:
        """The headers of an answer, once the sender has proved the key that a token is bound to."""
        if token.key_print is None:
            if scheme == "dpop":
                raise NotLetIn(
                    401,
                    "invalid_token",
                    "This token is bound to no key: send it as Bearer.",
                    _challenge("bearer", "invalid_token"),
                )
            return {}
        if scheme != "dpop":
            raise NotLetIn(
                401,
                "invalid_token",
                "This token is bound to a key: send it as DPoP, with a proof.",
                _challenge("dpop", "invalid_token"),
            )
        url = base_url(request, self._settings) + address_path(request)
        proofs = self._server.proofs
        try:
            print_ = proofs.check(request.headers.get("dpop", ""), method=request.method, url=url, token=said)
        except BadProof as bad:
            headers = _challenge("dpop", bad.code) | {"DPoP-Nonce": proofs.nonce()}
            raise NotLetIn(401, bad.code, str(bad), headers) from None
        if print_ != token.key_print:
            raise NotLetIn(
                401, "invalid_token", "This token is bound to another key.", _challenge("dpop", "invalid_token")
            )
        return {"DPoP-Nonce": proofs.nonce()}


_INVALID = (
    "This token is not worth anything: it is too old, was given back, or the creator or the operator ended it. "
    "Refresh it, or ask the creator again."
)


def _challenge(scheme: str, code: str, *, scope: str = "") -> dict[str, str]:
    parts = [f'error="{code}"']
    if scope:
        parts.append(f'scope="{scope}"')
    if scheme == "dpop":
        parts.append(f'algs="{" ".join(ALGORITHMS)}"')
    return {
        "WWW-Authenticate": f"{'DPoP' if scheme == 'dpop' else 'Bearer'} {', '.join(parts)}",
        "Cache-Control": "no-store",
    }


def _unscoped(scheme: str, missing: list[str]) -> NotLetIn:
    if not missing:
        return NotLetIn(403, "insufficient_scope", "No app may read this.", _challenge(scheme, "insufficient_scope"))
    return NotLetIn(
        403, "insufficient_scope", f"The creator has not let this app read it: {', '.join(missing)} is missing.",
        _challenge(scheme, "insufficient_scope", scope=" ".join(missing)),
    )  # fmt: skip
