from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from footlights.public.accounts import passwords
from footlights.public.accounts.store import Store
from tests.unit.public.accounts.clocks import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened = Store(tmp_path, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Argon2id with as little memory as it takes: what is tested here is not how slow it is."""
    monkeypatch.setattr(passwords, "MEMORY_KIB", 64)
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()
