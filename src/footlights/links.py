"""Links. In: a creator. Out: a link with which they sign in, or a token for a program; the operator makes them."""

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


def make_token(data: Path, settings: Settings, creator_id: str) -> str:
    """A token that reads a creator's figures over the API for settings.session_days. It is shown now, never again."""
    with opened(data) as store:
        accounts = Accounts(store, session_days=settings.session_days)
        return accounts.redeem(accounts.make_login_link(creator_id, minutes=1))
