"""Playback sessions, whatever they tell and in whatever order: nobody watches longer than time passed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footlights.terms.events import Kind
from footlights.terms.policy import default_policy
from tests.worlds import FOLDED_EXAMPLES, Act, Vectors, World

WATCH = 2
#: Watch time is bounded at 600 s for v3, which has no length, and at 20 s for v1, in which loops show; and is counted
#: in 256 steps of that.
STEP_SECONDS = {"v3": 600 / 256, "v1": 20 / 256}

seconds = st.integers(0, 100)


def beats_of(video: str) -> st.SearchStrategy[list[Act]]:
    beats = st.builds(
        Act, viewer=st.just("ann"), kind=st.sampled_from([Kind.PLAY, Kind.PROGRESS, Kind.COMPLETION]),
        subject=st.just(video), at=seconds, position_ms=seconds.map(lambda second: second * 1000), session=st.just(1),
        playing=st.sampled_from([None, None, True, False]),
    )  # fmt: skip
    return st.lists(beats, min_size=1, max_size=8)


told = st.sampled_from([*STEP_SECONDS]).flatmap(beats_of)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"), policy=default_policy())
    yield made
    made.store.close()


def watched_seconds(found: Vectors, video: str) -> float:
    counts = found.get((video, 0, "counters"), Counter())
    return sum(count for (_, column), count in counts.items() if column == WATCH) * STEP_SECONDS[video]


@settings(max_examples=FOLDED_EXAMPLES, deadline=None)
@given(told=told, cut=st.integers(0, 8))
def test_watch_time_is_never_longer_than_its_session_lasted_and_no_batch_decides_it(
    told: list[Act], cut: int, world: World
) -> None:
    found, video = world.vectors([told]), told[0].subject
    moments = [act.at for act in told]
    assert watched_seconds(found, video) <= max(moments) - min(moments) + STEP_SECONDS[video]
    assert world.vectors([told[:cut], told[cut:]]) == found
