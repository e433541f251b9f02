"""Asked. What an app asks of the authorization server, and what it is told, without any HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from footlights.public.accounts.apps.registry import App


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request of an app. fields: of the query or the form, by name. url: as the app sees it, without its query."""

    method: str
    url: str
    issuer: str
    fields: Mapping[str, list[str]]
    headers: Mapping[str, str]


class Answer(msgspec.Struct, kw_only=True):
    """An answer for an app. body: JSON, or None for a redirect to `location`."""

    status: int
    body: dict[str, Any] | None
    headers: dict[str, str]

    @property
    def location(self) -> str | None:
        """Where the browser is sent."""
        return self.headers.get("Location")

    @location.setter
    def location(self, value: str) -> None:
        self.headers["Location"] = value


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What an app asks a creator for, and it may ask. query: which asks it again."""

    app: App
    scopes: tuple[str, ...]
    redirect_uri: str
    query: str


class NoQuestion(Exception):
    """A request that a creator is not asked about, nor its app told: it could be anybody's. The page says why."""


class ToldApp(Exception):
    """A request that a creator is not asked about; its app is told, at an address that is its own."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__("the app is told")
