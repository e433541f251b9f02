"""Sessions. In: a request. Out: whose it is, and whether a form was sent from our own page."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from footlights.public.web.auth import Accounts

COOKIE = "footlights_session"


def token_of(request: Request) -> str | None:
    """The session token that a request carries: Bearer first, since an API client says which one it means."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    return request.cookies.get(COOKIE)


def creator_of(request: Request, accounts: Accounts) -> str | None:
    """The id of the creator who is asking; None if nobody is signed in."""
    token = token_of(request)
    return None if token is None else accounts.session(token)


def from_own_page(request: Request) -> bool:
    """Whether a form was sent by one of our own pages. A browser always sends Origin with a POST.

    Only the host is compared: behind a proxy that ends TLS we see http where the browser says https.
    """
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")


def sign_in(response: Response, request: Request, *, session: str, days: int) -> None:
    """Set the session's cookie. Lax: another site's form or script never sends it along."""
    response.set_cookie(
        COOKIE, session, max_age=days * 86_400, path="/", httponly=True, samesite="lax", secure=over_tls(request)
    )


def sign_out(response: Response, request: Request) -> None:
    """Take the session's cookie back."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=over_tls(request))


def over_tls(request: Request) -> bool:
    """Whether the browser speaks https. A proxy's word is taken: a false one only makes the cookie stricter."""
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto", "").lower() == "https"
