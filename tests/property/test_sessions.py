"""Playback sessions, whatever they tell and in whatever order: nobody watches longer than time passed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footlights.terms.events import Kind
from footlights.terms.policy import default_policy
from tests.worlds import Act, Vectors, World

WATCH = 2
#: v3 has no length, so its watch time is bounded at 600 s and counted in 256 steps of that.
STEP_SECONDS = 600 / 256

seconds = st.integers(0, 100)
beats = st.builds(
    Act, viewer=st.just("ann"), kind=st.sampled_from([Kind.PLAY, Kind.PROGRESS, Kind.COMPLETION]),
    subject=st.just("v3"), at=seconds, position_ms=seconds.map(lambda second: second * 1000), session=st.just(1),
    playing=st.sampled_from([None, None, True, False]),
)  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"), policy=default_policy())
    yield made
    made.store.close()


def watched_seconds(found: Vectors) -> float:
    counts = found.get(("v3", 0, "counters"), Counter())
    return sum(count for (_, column), count in counts.items() if column == WATCH) * STEP_SECONDS


@settings(max_examples=30, deadline=None)
@given(told=st.lists(beats, min_size=1, max_size=8), cut=st.integers(0, 8))
def test_watch_time_is_never_longer_than_its_session_lasted_and_no_batch_decides_it(
    told: list[Act], cut: int, world: World
) -> None:
    found = world.vectors([told])
    moments = [act.at for act in told]
    assert watched_seconds(found) <= max(moments) - min(moments) + STEP_SECONDS
    assert world.vectors([told[:cut], told[cut:]]) == found
