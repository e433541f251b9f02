"""The property that carries the promise: removing one viewer's acts on one video moves every integer vector, before
noise, by at most the policy's bound; and nothing else moves at all. And the test that the property can fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from footlights.gate.mechanisms.counter import counter_plan
from footlights.private.measure import statements as statements_module
from footlights.terms.events import DISCLOSED_KINDS, Kind
from footlights.terms.metrics import AUDIENCE_AXES
from footlights.terms.policy import default_policy
from footlights.terms.ticks import COUNTER_AGES, MILESTONE_AGES
from tests.worlds import CREATORS, VIDEOS, Act, World

COUNTER_POLICIES = default_policy().counters
COUNTERS = counter_plan(len(COUNTER_AGES))
MILESTONES = counter_plan(len(MILESTONE_AGES))
AXES = ("age", "gender", "country", "type")
VIEWERS = ("ann", "bob")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    made.store.close()


VIDEO_KINDS = [
    Kind.IMPRESSION, Kind.PLAY, Kind.PROGRESS, Kind.COMPLETION, Kind.VIEW, Kind.LIKE, Kind.UNLIKE, Kind.COMMENT,
    Kind.SHARE, Kind.SAVE, Kind.UNSAVE, Kind.FOLLOW_FROM,
]  # fmt: skip
TIMES = st.sampled_from([-5, 0, 59, 60, 61, 120, 3600, 21_600, 86_400, 90_000, 700_000, 2_700_000])
ON_VIDEOS = st.builds(
    Act, viewer=st.sampled_from(VIEWERS), kind=st.sampled_from(VIDEO_KINDS), subject=st.sampled_from(sorted(VIDEOS)),
    at=TIMES, message=st.integers(0, 3), session=st.integers(0, 2), position_ms=st.integers(0, 20_000),
    watch_ms=st.sampled_from([0, 1, 999, 15_000, 10_000_000]), completed=st.booleans(),
    follower=st.sampled_from([None, True, False]), age=st.integers(0, 2), gender=st.integers(0, 1),
    country=st.integers(0, 2),
)  # fmt: skip
ON_CREATORS = st.builds(
    Act, viewer=st.sampled_from(VIEWERS), kind=st.sampled_from([Kind.FOLLOW, Kind.UNFOLLOW, Kind.PROFILE_VIEW]),
    subject=st.sampled_from(CREATORS), at=TIMES,
)  # fmt: skip
TRAITS = st.builds(
    Act, viewer=st.sampled_from(VIEWERS), kind=st.just(Kind.TRAITS), subject=st.just(""), at=TIMES,
    age=st.integers(0, 2), country=st.integers(0, 2),
)  # fmt: skip
LOGS = st.lists(st.lists(st.one_of(ON_VIDEOS, ON_VIDEOS, ON_CREATORS, TRAITS), max_size=8), min_size=1, max_size=3)
TICKS = st.lists(st.sampled_from([30, 60, 300, 30_000, 90_000]), max_size=2).map(sorted)


def without(batches: list[list[Act]], viewer: str, video: str) -> list[list[Act]]:
    """The neighbouring log: the unit's acts on the video are gone. Follows as such are disclosed, and stay."""
    return [[act for act in acts if (act.viewer, act.subject) != (viewer, video)] for acts in batches]


def broken_bounds(one: dict[Any, Any], other: dict[Any, Any], *, video: str) -> list[str]:
    """Which bounds the difference of two logs' vectors breaks, in the encoding's own norm, as integers."""
    broken = []
    for key in one.keys() | other.keys():
        if video not in key and not _same(one.get(key), other.get(key)):
            broken.append(f"{key} moved, and is not the unit's")
    encoded = np.zeros((COUNTERS.steps, len(COUNTER_POLICIES)), dtype=np.int64)
    for sign, vectors in ((1, one), (-1, other)):
        for key, counts in vectors.items():
            if key[0] == video:
                encoded += np.outer(COUNTERS.matrix[:, key[1]].astype(np.int64), sign * counts)
    for counter, norm2 in zip(COUNTER_POLICIES, (encoded**2).sum(axis=0), strict=True):
        if norm2 > counter.bound**2 * COUNTERS.norm2:
            broken.append(f"{counter.name} moved by {norm2}, its bound is {counter.bound}^2 x {COUNTERS.norm2}")
    for table in default_policy().audience_tables:
        norm2 = _table_norm2(table, one, other, video=video)
        if norm2 > MILESTONES.norm2:
            broken.append(f"audience table {table} moved by {norm2} / {MILESTONES.norm2}")
    return broken


def _table_norm2(table: str, one: dict[Any, Any], other: dict[Any, Any], *, video: str) -> int:
    moved: dict[Any, Any] = {}
    for sign, vectors in ((1, one), (-1, other)):
        for key, cells in vectors.items():
            if key[:2] != ("audience", video):
                continue
            for cell, viewers in cells.items():
                part = tuple(cell[AXES.index(axis)] for axis in AUDIENCE_AXES[table])
                moved.setdefault(part, np.zeros(MILESTONES.steps, dtype=np.int64))[key[2]] += sign * viewers
    return sum(int(((MILESTONES.matrix.astype(np.int64) @ steps) ** 2).sum()) for steps in moved.values())


def _same(one: Any, other: Any) -> bool:
    if one is None or other is None:
        held = other if one is None else one
        return not any(held.values()) if isinstance(held, dict) else not held.any()
    return one == other if isinstance(one, dict) else bool((one == other).all())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=LOGS, ticks=TICKS, viewer=st.sampled_from(VIEWERS), video=st.sampled_from(sorted(VIDEOS)))
def test_removing_one_viewer_from_one_video_moves_every_vector_by_at_most_its_bound(
    world: World, batches: list[list[Act]], ticks: list[int], viewer: str, video: str
) -> None:
    whole = world.vectors(batches, ticks=ticks)
    assert broken_bounds(whole, world.vectors(without(batches, viewer, video), ticks=ticks), video=video) == []


def _view(**more: Any) -> Act:
    return msgspec.structs.replace(Act(viewer="ann", kind=Kind.VIEW, subject="v1", watch_ms=5000), **more)


def _act(kind: Kind, **more: Any) -> Act:
    return _view(kind=kind, watch_ms=0, **more)


#: A bound that is taken out of the SQL (file, text, what stands there instead), and a log in which it is missed.
MUTANTS: dict[str, tuple[str, str, str, list[list[Act]]]] = {
    "reach": (
        "bound", "least(1, plays_after) - least(1, plays_after - play) AS reach", "play AS reach",
        [[_view(message=m) for m in (1, 2, 3)]],
    ),
    "replays": (
        "bound", "least(1 + (SELECT replays FROM limits), plays_after) - "
        "least(1 + (SELECT replays FROM limits), plays_after - play) AS plays", "play AS plays",
        [[_view(message=m) for m in (1, 2, 3, 4, 5)]],
    ),
    "watch time": (
        "bound", "least(watch_bound_ms, watch_after)::BIGINT", "watch_after::BIGINT",
        [[_view(watch_ms=50_000)]],
    ),
    "full views": (
        "bound", "least(1, full_after) - least(1, full_after - full_view)", "full_view",
        [[_act(Kind.COMPLETION, message=m) for m in (1, 2)]],
    ),
    "shares": (
        "bound", "least(1, share_after) - least(1, share_after - share)", "share",
        [[_act(Kind.SHARE, message=m) for m in (1, 2)]],
    ),
    "favorites": (
        "bound", "least(1, favorite_after) - least(1, favorite_after - favorite)", "favorite",
        [[_act(Kind.SAVE, message=m) for m in (1, 2)]],
    ),
    "followers": (
        "bound", "least(1, follow_after) - least(1, follow_after - follow)", "follow",
        [[_act(Kind.FOLLOW_FROM, message=m) for m in (1, 2)]],
    ),
    "what earlier batches counted": (
        "bound", "WHERE season BETWEEN", "WHERE false AND season BETWEEN", [[_view()], [_view(at=120)]],
    ),
    "one cell a viewer": (
        "wait", "WHERE reach = 1 AND milestone <= 5", "WHERE plays = 1 AND milestone <= 5",
        [[_view(message=1, age=1), _view(message=2, age=2)]],
    ),
    "deduplication is the pair's own": (
        "accept", "xor(pair, message) AS message_key", "message AS message_key",
        [[_view(message=7), _view(message=7, subject="v2")]],
    ),
    "a session is the pair's own": (
        "accept", "xor(pair, session)", "session",
        [[_act(Kind.PLAY, session=1), _act(Kind.PLAY, session=1, subject="v2", at=120)]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_bound_that_is_taken_out_is_caught(world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    file, text, instead, batches = MUTANTS[name]
    kept = statements_module.statements

    def mutated(asked: str) -> tuple[str, ...]:
        whole = kept(asked)
        if asked != file:
            return whole
        assert any(text in _flat(statement) for statement in whole), "the mutation finds the bound"
        return tuple(_flat(statement).replace(text, instead) for statement in whole)

    def caught() -> list[str]:
        return broken_bounds(world.vectors(batches), world.vectors(without(batches, "ann", "v1")), video="v1")

    assert caught() == []
    monkeypatch.setattr(statements_module, "statements", mutated)
    assert caught() != []


def _flat(statement: str) -> str:
    return " ".join(statement.split())


def test_what_counts_does_not_depend_on_where_batches_end(world: World) -> None:
    acts = [_view(message=m, watch_ms=3000, at=60 * m) for m in range(1, 7)]
    acts += [_act(Kind.PLAY, session=1, at=500), _act(Kind.PROGRESS, session=1, position_ms=9000, at=509)]
    whole = world.vectors([acts])
    for cut in range(1, len(acts)):
        parts = world.vectors([acts[:cut], acts[cut:]])
        assert parts.keys() == whole.keys()
        assert all(_same(parts[key], whole[key]) for key in whole)


def test_disclosed_acts_are_no_part_of_any_private_vector(world: World) -> None:
    disclosed = [
        _act(kind, message=int(kind)) for kind in sorted(DISCLOSED_KINDS) if kind not in (Kind.FOLLOW, Kind.UNFOLLOW)
    ]
    found = world.vectors([disclosed])
    assert all(_same(counts, None) for key, counts in found.items())
