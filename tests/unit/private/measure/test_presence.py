"""What one viewer adds to a room, act by act."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footlights.private.measure.presence import ERASE, Bounds, Did, Person, act, leave
from footlights.terms.events import Kind
from footlights.terms.live import CONCURRENT, FIRST_REACTION, FOLLOWERS, NOISY, SHARES, VIEWERS, minute_of

BOUNDS = Bounds(sessions=2, reactions=3, answers=2)
KINDS = [ERASE, -1, *(kind for kind in Kind if kind.name.startswith("LIVE_"))]
ACTS = st.lists(
    st.builds(Did, kind=st.sampled_from(KINDS), tick=st.just(0), choice=st.integers(0, 6), question=st.integers(0, 4)),
    max_size=60,
)


def _added(acts: list[Did], bounds: Bounds = BOUNDS) -> list[tuple[int, int, int]]:
    """(tick, place, amount) of all that is added. -1 stands for silence."""
    person = Person()
    found = []
    for did in acts:
        adds = leave(person) if did.kind == -1 else act(person, did, bounds)
        found += [(did.tick, place, amount) for place, amount in adds.numbers]
        if adds.first:
            found.append((did.tick, -1, 1))
        if adds.answer is not None:
            found.append((did.tick, -2 - adds.answer[0], 1))
    return found


def _did(*kinds: int) -> list[Did]:
    return [Did(kind=kind, tick=place + 1) for place, kind in enumerate(kinds)]


def test_who_joins_and_leaves_is_in_the_room_between() -> None:
    assert _added(_did(Kind.LIVE_JOIN, Kind.LIVE_LEAVE)) == [
        (1, CONCURRENT, 1), (1, VIEWERS, 1), (1, -1, 1), (2, CONCURRENT, -1),
    ]  # fmt: skip


def test_who_comes_back_is_one_viewer_and_a_third_time_is_none() -> None:
    twice = [Kind.LIVE_JOIN, Kind.LIVE_LEAVE] * 2
    added = _added(_did(*twice, Kind.LIVE_JOIN, Kind.LIVE_BEAT))
    assert [amount for _, place, amount in added if place == CONCURRENT] == [1, -1, 1, -1]
    assert sum(place == VIEWERS for _, place, _ in added) == 1


@pytest.mark.parametrize("sign", [Kind.LIVE_JOIN, Kind.LIVE_BEAT])
def test_a_sign_of_life_brings_in_who_is_not_there_and_changes_nothing_for_who_is(sign: Kind) -> None:
    assert [amount for _, place, amount in _added(_did(sign, sign)) if place == CONCURRENT] == [1]


def test_a_reaction_counts_once_a_minute_and_kind() -> None:
    acts = [
        Did(kind=Kind.LIVE_REACTION, tick=tick, choice=choice) for tick, choice in ((1, 1), (30, 1), (31, 1), (31, 2))
    ]
    assert [(tick, place) for tick, place, _ in _added(acts)] == [
        (1, FIRST_REACTION + 1), (31, FIRST_REACTION + 1), (31, FIRST_REACTION + 2),
    ]  # fmt: skip


def test_the_first_answer_to_a_question_counts_and_none_to_a_question_that_is_not_open() -> None:
    acts = [Did(kind=Kind.LIVE_ANSWER, tick=1, choice=choice, question=at) for choice, at in ((0, 1), (1, 1), (0, 0))]
    assert _added(acts) == [(1, -3, 1)]


def test_who_is_erased_leaves_and_never_counts_again() -> None:
    again = [Kind.LIVE_JOIN, Kind.LIVE_REACTION, Kind.LIVE_SHARE, Kind.LIVE_FOLLOW, Kind.LIVE_BEAT]
    added = _added(_did(Kind.LIVE_JOIN, ERASE, *again))
    assert added == [(1, CONCURRENT, 1), (1, VIEWERS, 1), (1, -1, 1), (2, CONCURRENT, -1)]


def broken(added: list[tuple[int, int, int]], bounds: Bounds = BOUNDS) -> list[str]:
    """Which of the bounds that presence.py states one viewer broke."""
    found = []
    here = [amount for _, place, amount in added if place == CONCURRENT]
    if here != [1, -1] * (len(here) // 2) + [1] * (len(here) % 2) or here.count(1) > bounds.sessions:
        found.append("concurrent_viewers")
    for place in (VIEWERS, FOLLOWERS, SHARES, -1):
        if sum(amount for _, at, amount in added if at == place) > 1:
            found.append(str(place))
    cells = Counter((minute_of(tick), place) for tick, place, _ in added if place >= FIRST_REACTION)
    if len(cells) > bounds.reactions or max(cells.values(), default=0) > 1:
        found.append("reactions")
    answers = Counter(place for _, place, _ in added if place <= -2)
    if len(answers) > bounds.answers or max(answers.values(), default=0) > 1:
        found.append("answers")
    return found


@given(acts=ACTS, steps=st.lists(st.integers(0, 40), min_size=60, max_size=60))
def test_whatever_a_viewer_does_stays_within_every_bound(acts: list[Did], steps: list[int]) -> None:
    tick, told = 1, []
    for did, step in zip(acts, steps, strict=False):
        tick += step
        told.append(Did(kind=did.kind, tick=tick, choice=did.choice, question=did.question))
    assert broken(_added(told)) == []


@pytest.mark.parametrize(
    ("loose", "acts", "name"),
    [
        (
            Bounds(sessions=9, reactions=3, answers=2),
            _did(*[Kind.LIVE_JOIN, Kind.LIVE_LEAVE] * 3), "concurrent_viewers",
        ),
        (
            Bounds(sessions=2, reactions=99, answers=2),
            [Did(kind=Kind.LIVE_REACTION, tick=1, choice=choice) for choice in range(7)], "reactions",
        ),
        (
            Bounds(sessions=2, reactions=3, answers=99),
            [Did(kind=Kind.LIVE_ANSWER, tick=1, question=number) for number in range(1, 5)], "answers",
        ),
    ],
)  # fmt: skip
def test_a_bound_that_is_taken_away_is_seen(loose: Bounds, acts: list[Did], name: str) -> None:
    assert name in broken(_added(acts, loose), BOUNDS)


def test_a_person_is_never_shown() -> None:
    assert "1" not in repr(Person(here=True, sessions=1))
    assert len(NOISY) > FIRST_REACTION
