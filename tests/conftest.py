"""What every test shares: how hypothesis searches, and that no door leaves a trace of who came through it.

No test asserts a time, so no example has a deadline.
"""

from __future__ import annotations

from hypothesis import settings

from tests.traces import traces

__all__ = ["traces"]

settings.register_profile("quick", deadline=None, print_blob=True)
settings.register_profile("thorough", deadline=None, print_blob=True, max_examples=500)
settings.load_profile("quick")
