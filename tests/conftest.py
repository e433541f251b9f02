"""What every test shares: how hypothesis searches, and that no door leaves a trace of who came through it.

No test asserts a time, so no example has a deadline.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from tests.traces import traces

__all__ = ["traces"]

settings.register_profile("quick", deadline=None, print_blob=True)
settings.register_profile("thorough", deadline=None, print_blob=True, max_examples=500)
settings.load_profile("quick")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are processors: browsers, processes that are killed and players take their time."""
    return (os.cpu_count() or 1) + 1
