"""Links. In: a creator. Out: a link with which they sign in, or a token for a program; the operator makes them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from footlights.public.web.auth import Accounts
from footlights.settings import Settings


def make_login_link(data: Path, settings: Settings, creator_id: str) -> str:
    """A link with which a creator signs in, once, within settings.login_link_minutes."""
    with _accounts(data, settings) as accounts:
        token = accounts.make_login_link(creator_id, minutes=settings.login_link_minutes)
    return f"{studio_address(settings)}/login?token={token}"


def make_token(data: Path, settings: Settings, creator_id: str) -> str:
    """A token that reads a creator's figures over the API for settings.session_days. It is shown now, never again."""
    with _accounts(data, settings) as accounts:
        return accounts.redeem(accounts.make_login_link(creator_id, minutes=1))


def studio_address(settings: Settings) -> str:
    """Where creators reach the public side, without a slash at its end."""
    url: str = settings.public_url
    return url.rstrip("/") or f"http://{settings.serve_host}:{settings.serve_port}"


@contextmanager
def public_folder(data: Path) -> Iterator[Path]:
    """The public side's own folder, which stays its own whoever writes into it."""
    folder = data / "public"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    finally:
        owner = folder.stat()
        if os.geteuid() == 0:  # the public process runs as another user, and the file is its own
            for path in folder.iterdir():
                os.chown(path, owner.st_uid, owner.st_gid)


@contextmanager
def _accounts(data: Path, settings: Settings) -> Iterator[Accounts]:
    with public_folder(data) as folder, closing(Accounts(folder, session_days=settings.session_days)) as accounts:
        yield accounts
