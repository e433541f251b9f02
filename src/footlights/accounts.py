"""Accounts. In: what an operator types on the machine. Out: the public side's accounts, open, and links to hand on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from footlights.public.accounts.apps.registry import Apps, Said, State
from footlights.public.accounts.apps.scopes import PURPOSE_BY_NAME
from footlights.public.accounts.export_keys import ExportKeys
from footlights.public.accounts.jwks import Jwks
from footlights.public.accounts.operators import Operators
from footlights.public.accounts.platforms import EMBED_SECONDS_MAX, Platforms, make_token
from footlights.public.accounts.signing import Signing
from footlights.public.accounts.store import Store
from footlights.settings import Settings
from footlights.terms.errors import NotAllowed

MINUTES_MAX = EMBED_SECONDS_MAX // 60


@contextmanager
def opened(data: Path) -> Iterator[Store]:
    """The accounts of a data folder. Raises NotAllowed where they are another user's."""
    folder = data / "public"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        store = Store(folder)
    except PermissionError:
        raise NotAllowed(
            "accounts.db belongs to the user that the public side runs as. Run this command as that user, or as root."
        ) from None
    try:
        yield store
    finally:
        store.close()
        _give_back(folder)


def public_url(settings: Settings) -> str:
    """Where browsers reach the public side, without a slash at its end."""
    stated = str(settings.public_url).rstrip("/")
    return stated or f"http://{settings.serve_host}:{settings.serve_port}"


@contextmanager
def operators(data: Path, settings: Settings) -> Iterator[Operators]:
    """The operators of a data folder."""
    with opened(data) as store:
        yield Operators(store, session_hours=settings.operator_session_hours)


def rotate_export_key(data: Path) -> str:
    """A new key that exports are signed with from now on; returns its name."""
    with opened(data) as store:
        return ExportKeys(store).rotate()


def make_embed_link(data: Path, settings: Settings, creator_id: str, *, page: str, origin: str, minutes: int) -> str:
    """An address that shows one page of a creator inside one site. Raises NotAllowed without a signing key."""
    now = int(time.time())
    claims = {
        "iss": settings.signin_issuer, "aud": settings.signin_audience, "sub": creator_id, "kind": "embed",
        "page": page, "origin": origin, "iat": now, "exp": now + minutes * 60,
    }  # fmt: skip
    with opened(data) as store:
        signing = Signing(store)
        kid = next(iter(reversed(signing.kids())), None)
        secret = None if kid is None else signing.secret_of(kid)
        if kid is None or secret is None:
            raise NotAllowed("There is no signing key yet. Make one: footlights creator signing-key")
        token = make_token(claims, kid=kid, secret=secret)
        # What we make is what we would take: an origin or a page that is none is said here, not in the frame.
        Platforms(store, Jwks(""), issuer=settings.signin_issuer, audience=settings.signin_audience).embed(token)
    return f"{public_url(settings)}/embed?token={token}"


def make_app(data: Path, *, name: str, back: str) -> tuple[str, str]:
    """An app of the operator's own that creators can let in: its client_id and secret. back: where they are sent."""
    with opened(data) as store:
        apps = Apps(store)
        purpose = PURPOSE_BY_NAME["reports"]
        said = Said(
            name=f"audit: {name}", maker="the operator", site="https://audit.example", purpose=purpose.name,
            scopes=tuple(purpose.needs), redirect_uris=(back,),
        )  # fmt: skip
        app, secret = apps.create(said, public=False)
        steps: tuple[State, ...] = ("sandbox", "review", "approved")
        for state in steps:
            app = apps.move(app, state)
    assert secret is not None, "it is not public"
    return app.client_id, secret


def end_apps(data: Path, client_ids: list[str]) -> None:
    """End apps of the operator's own, for good."""
    with opened(data) as store:
        apps = Apps(store)
        for client_id in client_ids:
            apps.move(apps.get(client_id), "banned", reason="The audit is over.")


def _give_back(folder: Path) -> None:
    """The public process runs as another user when root started it, and its files are its own."""
    owner = folder.stat()
    if os.geteuid() == 0:
        for path in folder.iterdir():
            os.chown(path, owner.st_uid, owner.st_gid)
