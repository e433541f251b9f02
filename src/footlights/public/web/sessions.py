"""Sessions. In: a request. Out: whose it is, and whether a form was sent from our own page."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from footlights.public.accounts.creators import Accounts, Who
from footlights.settings import Settings

COOKIE = "footlights_session"
#: Of operators. A browser sends it with their own pages alone, and with nothing that another site starts.
OPERATOR_COOKIE = "footlights_operator"
OPERATOR_PATH = "/operator"
#: Of an app's developer. Lax: the app sends its developer here, as it sends creators.
DEVELOPER_COOKIE = "footlights_developer"
#: What waits for a creator to sign in: an app that asks.
WAITING_COOKIE = "footlights_waiting"
_WAITING_SECONDS = 10 * 60
_WAITING_PATH = re.compile(r"/oauth/authorize\?[!#-\[\]-~]{1,3000}")
#: Browsers drop a longer cookie.
_COOKIE_LENGTH_MAX = 3800
#: A code such as de: no secret, and no session.
LANGUAGE_COOKIE = "footlights_language"
_LANGUAGE_DAYS = 400


def cookie_of(request: Request, name: str) -> str | None:
    """The value of a session's cookie; None if there is none.

    Over TLS its name begins with __Host-: browsers take such a one from this very host alone, so that a page on a
    sibling of it, such as what users put up beside the platform's app, cannot slip its own session under a creator.
    Source: RFC 6265bis, section 4.1.3.2.
    """
    return request.cookies.get(_named(request, name))


def _named(request: Request, name: str) -> str:
    return f"__Host-{name}" if over_tls(request) else name


def token_of(request: Request) -> str | None:
    """The session token that a request carries: Bearer first, since an API client says which one it means."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    return cookie_of(request, COOKIE)


def who_asks(request: Request, accounts: Accounts) -> Who | None:
    """Who is asking; None if nobody is signed in."""
    token = token_of(request)
    return None if token is None else accounts.who(token)


def from_own_page(request: Request) -> bool:
    """Whether a form was sent by one of our own pages. A browser always sends Origin with a POST.

    Only the host is compared: behind a proxy that ends TLS we see http where the browser says https.
    """
    origin = request.headers.get("origin", "")
    # An origin is a scheme and a host, and no more (RFC 6454): there is nothing in it to parse.
    return "://" in origin and origin.partition("://")[2] == request.headers.get("host")


def sign_in(response: Response, request: Request, *, session: str, days: int) -> None:
    """Set the session's cookie. Lax: another site's form or script never sends it along."""
    response.set_cookie(
        _named(request, COOKIE), session, max_age=days * 86_400, path="/", httponly=True, samesite="lax",
        secure=over_tls(request),
    )  # fmt: skip


def sign_out(response: Response, request: Request) -> None:
    """Take the session's cookie back."""
    response.delete_cookie(
        _named(request, COOKIE), path="/", httponly=True, samesite="lax", secure=over_tls(request)
    )  # fmt: skip


def operator_in(response: Response, request: Request, *, session: str, hours: int) -> None:
    """Set the cookie of an operator's session. Strict: not even a link from another site sends it along."""
    response.set_cookie(
        OPERATOR_COOKIE, session, max_age=hours * 3600, path=OPERATOR_PATH, httponly=True, samesite="strict",
        secure=over_tls(request),
    )  # fmt: skip


def operator_out(response: Response, request: Request) -> None:
    """Take the cookie of an operator's session back."""
    response.delete_cookie(
        OPERATOR_COOKIE, path=OPERATOR_PATH, httponly=True, samesite="strict", secure=over_tls(request)
    )


def developer_in(response: Response, request: Request, *, session: str, hours: int) -> None:
    """Set the cookie of a developer's session."""
    response.set_cookie(
        _named(request, DEVELOPER_COOKIE), session, max_age=hours * 3600, path="/", httponly=True, samesite="lax",
        secure=over_tls(request),
    )  # fmt: skip


def speak(response: Response, request: Request, *, code: str) -> None:
    """Remember the language that somebody chose."""
    response.set_cookie(
        LANGUAGE_COOKIE, code, max_age=_LANGUAGE_DAYS * 86_400, path="/", httponly=True, samesite="lax",
        secure=over_tls(request),
    )  # fmt: skip


def developer_out(response: Response, request: Request) -> None:
    """Take the cookie of a developer's session back."""
    response.delete_cookie(
        _named(request, DEVELOPER_COOKIE), path="/", httponly=True, samesite="lax", secure=over_tls(request)
    )  # fmt: skip


def waits_at(response: Response, request: Request, *, path: str) -> None:
    """Remember where a browser goes once its creator has signed in: to an app's question, and nowhere else."""
    kept = quote(path, safe="")
    if _WAITING_PATH.fullmatch(path) and len(kept) <= _COOKIE_LENGTH_MAX:
        response.set_cookie(
            WAITING_COOKIE, kept, max_age=_WAITING_SECONDS, path="/", httponly=True, samesite="lax",
            secure=over_tls(request),
        )  # fmt: skip


def waiting_path(request: Request) -> str | None:
    """Where an app's question waits for whoever has signed in now; None if there is none."""
    path = unquote(request.cookies.get(WAITING_COOKIE, ""))
    return path if _WAITING_PATH.fullmatch(path) else None


def waits_no_longer(response: Response, request: Request) -> None:
    """Forget what waited."""
    response.delete_cookie(WAITING_COOKIE, path="/", httponly=True, samesite="lax", secure=over_tls(request))


def here(request: Request) -> str:
    """Where somebody is, to come back to after choosing a language; a page that a form made is none to come back to."""
    if request.method != "GET" or "token" in request.query_params:
        return "/"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def base_url(request: Request, settings: Settings) -> str:
    """Where this browser reaches us, without a slash at its end: as the settings say, or else as it says itself."""
    stated = str(settings.public_url).rstrip("/")
    scheme = "https" if over_tls(request) else "http"
    return stated or f"{scheme}://{request.headers.get('host', '')}"


def address_path(request: Request) -> str:
    """The path that was asked for, as an address or a header has it: ids may be any text."""
    return quote(request.scope["path"], errors="replace")


def over_tls(request: Request) -> bool:
    """Whether the browser speaks https. A proxy's word is taken: a false one only makes the cookie stricter."""
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto", "").lower() == "https"
