"""Events beyond so many a minute do not count; that depends on nothing but the viewer's own with that video."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from footlights.private.measure import statements as statements_module
from footlights.terms.events import DISCLOSED_KINDS, Drop, Kind
from footlights.terms.families import Unit
from footlights.terms.policy import default_policy, parse_policy
from tests.neighbours import broken_bounds, without
from tests.worlds import CREATORS, FOLDED_EXAMPLES, VIDEOS, Act, World

MOST = 2
POLICY = parse_policy(default_policy().text.replace("events_a_minute = 120", f"events_a_minute = {MOST}"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("crowded"), policy=POLICY)
    yield made
    made.store.close()


def times(count: int, kind: Kind = Kind.VIEW, *, first: int = 1, viewer: str = "ann", subject: str = "v1") -> list[Act]:
    return [
        Act(viewer=viewer, kind=kind, subject=subject, watch_ms=1000 if kind is Kind.VIEW else 0, message=first + nth)
        for nth in range(count)
    ]


def watched(world: World, *batches: list[Act]) -> tuple[int, int]:
    """(views of v1, how many events were dropped as too many)."""
    counters = world.vectors(batches).get(("v1", 0, "counters"), Counter())
    views = sum(by for (_, column), by in counters.items() if column in (0, 1))
    return views, world.dropped().get(Drop.TOO_MANY, 0)


def test_so_many_events_of_a_viewer_on_a_video_count_in_a_minute_and_no_more(world: World) -> None:
    assert watched(world, times(MOST)) == (MOST, 0)
    assert watched(world, times(MOST + 3)) == (MOST, 3)


def test_the_next_minute_another_viewer_and_another_video_have_their_own(world: World) -> None:
    later = [Act(viewer="ann", kind=Kind.VIEW, subject="v1", watch_ms=1000, at=120, message=9)]
    assert watched(world, times(MOST), later) == (MOST + 1, 0)
    assert watched(world, times(MOST), times(MOST, viewer="bob")) == (2 * MOST, 0)
    assert watched(world, times(MOST), times(MOST, subject="v2")) == (MOST, 0)


def test_a_repeated_event_takes_no_room_and_one_that_was_too_many_does_not_count_when_it_is_sent_again(
    world: World,
) -> None:
    assert watched(world, times(1), times(1), times(1), times(2)) == (2, 0)
    assert watched(world, times(MOST + 1), times(1, first=MOST + 1), times(1, first=MOST + 1)) == (MOST, 1)


#: A message that was too many for its minute, and then tells of the next one.
TOLD_TWICE = [
    *times(MOST + 1),
    Act(viewer="ann", kind=Kind.VIEW, subject="v1", watch_ms=1000, at=120, message=MOST + 1),
]


def test_a_message_that_was_too_many_does_not_count_for_another_minute_wherever_a_batch_ends(world: World) -> None:
    together = watched(world, TOLD_TWICE)
    assert together == (MOST, 1)
    assert watched(world, TOLD_TWICE[:-1], TOLD_TWICE[-1:]) == together


def test_what_is_too_many_leaves_no_trace_in_sessions_or_pairs(world: World) -> None:
    def held() -> list[tuple[int, ...]]:
        return [world.store.execute(f"SELECT count(*) FROM {table}").fetchall()[0] for table in ("sessions", "pairs")]

    world.vectors([times(MOST, Kind.PLAY)])
    kept = held()
    world.vectors([times(MOST + 5, Kind.PLAY)])
    assert held() == kept


ACTS = st.builds(
    Act, viewer=st.sampled_from(["ann", "bob"]), subject=st.sampled_from(sorted(VIDEOS)),
    kind=st.sampled_from([Kind.PLAY, Kind.PROGRESS, Kind.VIEW, Kind.LIKE, Kind.UNLIKE, Kind.COMMENT, Kind.SHARE]),
    at=st.sampled_from([59, 60, 61, 119, 120]), message=st.integers(0, 6), session=st.integers(0, 1),
    position_ms=st.integers(0, 20_000), watch_ms=st.sampled_from([0, 15_000]),
) | st.builds(
    Act, viewer=st.sampled_from(["ann", "bob"]), subject=st.sampled_from(CREATORS),
    kind=st.sampled_from([Kind.FOLLOW, Kind.UNFOLLOW, Kind.PROFILE_VIEW]), at=st.sampled_from([59, 60, 61]),
    message=st.integers(0, 6),
)  # fmt: skip
UNITS: tuple[Unit, ...] = ("video", "creator")
LOGS = st.lists(st.lists(ACTS, max_size=10), min_size=1, max_size=3)


def moved(world: World, batches: list[list[Act]], video: str, unit: Unit = "video") -> list[str]:
    """What ann's private acts on a video, or on its whole channel, moved that they may not."""
    creator = VIDEOS[video]
    channel = {creator, *(other for other, owner in VIDEOS.items() if owner == creator)}
    subjects, subject = ({video}, video) if unit == "video" else (channel, creator)
    whole, told = world.vectors(batches), exact(world)
    rest, told_rest = world.vectors(without(batches, "ann", subjects, keep=DISCLOSED_KINDS)), exact(world)
    found = [f"exact {of}" for of in told.keys() | told_rest.keys() if told.get(of, 0) != told_rest.get(of, 0)]
    return found + broken_bounds(whole, rest, unit=unit, subject=subject, policy=POLICY)


def exact(world: World) -> dict[str, int]:
    likes = {f"likes of {video}": both[0] for video, both in world.disclosed().items()}
    comments = {f"comments of {video}": both[1] for video, both in world.disclosed().items()}
    return likes | comments | world.followers()


@settings(max_examples=FOLDED_EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=LOGS, video=st.sampled_from(sorted(VIDEOS)), unit=st.sampled_from(UNITS))
def test_where_minutes_are_full_removing_one_viewer_still_moves_no_more_than_its_bounds(
    world: World, batches: list[list[Act]], video: str, unit: Unit
) -> None:
    assert moved(world, batches, video, unit) == []


@settings(max_examples=FOLDED_EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(ACTS, max_size=14), cuts=st.sets(st.integers(1, 13)))
@example(acts=TOLD_TWICE, cuts={MOST + 1})
def test_which_events_are_too_many_does_not_depend_on_where_batches_end(
    world: World, acts: list[Act], cuts: set[int]
) -> None:
    ends = [0, *sorted(cut for cut in cuts if cut < len(acts)), len(acts)]
    whole, dropped = world.vectors([acts]), world.dropped()
    assert world.vectors([acts[begin:end] for begin, end in pairwise(ends)]) == whole
    assert world.dropped() == dropped


#: What is taken out of accept.sql, what stands there instead, and a log in which it is missed.
MUTANTS: dict[str, tuple[str, str, list[list[Act]]]] = {
    "a minute is the pair's own": ("xor(pair, at_ms // 60000 * 2", "xor(0, at_ms // 60000 * 2", [
        times(MOST), times(1, viewer="bob", subject="v3"),
    ]),
    "disclosed acts have minutes of their own": (
        "at_ms // 60000 * 2 + CASE WHEN kind IN (6, 7, 8, 12, 13) THEN 1 ELSE 0 END", "at_ms // 60000 * 2",
        [times(MOST), times(1, Kind.LIKE, first=9)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_limit_that_looks_further_than_the_pair_is_caught(
    name: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, instead, batches = MUTANTS[name]
    assert moved(world, batches, "v1") == []
    mutate(monkeypatch, text, instead)
    assert moved(world, batches, "v1") != []


def test_a_limit_that_forgets_earlier_batches_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = [times(MOST), times(1, first=9)]
    whole = watched(world, [act for acts in batches for act in acts])
    assert watched(world, *batches) == whole
    mutate(monkeypatch, "coalesce(held.events, 0)", "0")
    assert watched(world, *batches) != whole


def mutate(monkeypatch: pytest.MonkeyPatch, text: str, instead: str) -> None:
    kept = statements_module.statements

    def mutated(asked: str) -> tuple[str, ...]:
        whole = [" ".join(statement.split()) for statement in kept(asked)]
        assert asked != "accept" or any(text in statement for statement in whole), "the mutation finds its text"
        return tuple(statement.replace(text, instead) for statement in whole) if asked == "accept" else kept(asked)

    monkeypatch.setattr(statements_module, "statements", mutated)
