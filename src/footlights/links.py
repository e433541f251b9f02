"""Links. In: a creator. Out: a link with which they sign in; it is the operator who makes it."""

from __future__ import annotations

from pathlib import Path

from footlights.accounts import opened, public_url
from footlights.public.accounts.creators import Accounts
from footlights.settings import Settings


def make_login_link(data: Path, settings: Settings, creator_id: str) -> str:
    """A link with which a creator signs in, once, within settings.login_link_minutes."""
    with opened(data) as store:
        token = Accounts(store).make_login_link(creator_id, minutes=settings.login_link_minutes)
    return f"{public_url(settings)}/login?token={token}"
