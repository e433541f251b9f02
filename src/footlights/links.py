"""Links. In: a creator. Out: a link with which they sign in; it is the operator who makes it."""

from __future__ import annotations

import os
from pathlib import Path

from footlights.public.accounts.creators import Accounts
from footlights.settings import Settings


def make_login_link(data: Path, settings: Settings, creator_id: str) -> str:
    """A link with which a creator signs in, once, within settings.login_link_minutes."""
    folder = data / "public"
    folder.mkdir(parents=True, exist_ok=True)
    token = Accounts(folder).make_login_link(creator_id, minutes=settings.login_link_minutes)
    owner = folder.stat()
    if os.geteuid() == 0:  # the public process runs as another user, and the file is its own
        for path in folder.iterdir():
            os.chown(path, owner.st_uid, owner.st_gid)
    return f"http://{settings.serve_host}:{settings.serve_port}/login?token={token}"
