from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.apps import AppClient, Key, registered
from tests.unit.public.web.conftest import Client, asking, client, data

__all__ = ["asking", "client", "data"]

Making = Callable[..., AppClient]


@pytest.fixture
def making(client: Client, data: Path) -> Making:
    """making(public=True) is a client of a new app."""

    def made(*, key: Key | None = None, **how: Any) -> AppClient:
        app, secret = registered(data, **how)
        if key is None and (app.public or app.bound):
            key = Key()
        return AppClient(client, data, app, secret, key=key)

    return made
