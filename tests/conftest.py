"""What every test shares: how hypothesis searches. No test asserts a time, so no example has a deadline."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("footlights", deadline=None, print_blob=True)
settings.load_profile("footlights")
