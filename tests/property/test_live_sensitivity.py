"""The property that carries a live room's promise: removing all of one viewer's private acts in one session moves what
is published of it, before noise, by at most the square that its noise is scaled to; and nothing of any other session.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from footlights.gate.live_plan import LivePlan
from footlights.gate.mechanisms.counter import UNIT
from footlights.private.measure import live as measure
from footlights.private.measure.presence import Bounds
from footlights.terms.events import DISCLOSED_KINDS, Declaration, Kind, QuestionAsked, QuestionClosed, ViewerEvent
from footlights.terms.live import CONCURRENT, FIRST_REACTION, MINUTE_TICKS, NOISY
from footlights.terms.policy import default_policy
from tests.rooms import BEGIN, House, ended, event, started

Int64s = NDArray[np.int64]
Told = list[Declaration | ViewerEvent]
LIVES = ("l1", "l2")
VIEWERS = ("ann", "bob")
SECONDS = 130
KINDS = [kind for kind in Kind if kind.name.startswith("LIVE_")]
ACTS = st.builds(
    event, viewer=st.sampled_from(VIEWERS), kind=st.sampled_from(KINDS), at=st.integers(0, SECONDS),
    live=st.sampled_from(LIVES), choice=st.integers(0, 1), question=st.sampled_from(["", "q1", "q2", "q3", "q4", "q5"]),
    country=st.integers(0, 2), source=st.integers(0, 2), follower=st.sampled_from([None, True, False]),
    message=st.sampled_from(["", "", "m1", "m2"]),
)  # fmt: skip
LOGS = st.lists(ACTS, max_size=30)
DECLARED: list[Declaration] = [
    started("l1", silent=12), started("l2"),
    *(
        QuestionAsked(id=f"q{number}", live=live, at_ms=BEGIN * 1000, options=("a", "b"))
        for number in range(1, 6) for live in LIVES
    ),
]  # fmt: skip
CLOSED: list[Declaration] = [QuestionClosed(id="q1", live="l1", at_ms=(BEGIN + 60) * 1000), ended("l2", at=100)]


class Counted:
    """What the gate would encode of each session: x of each tick, cells by minute, answers, disclosed counts."""

    def __init__(self, told: Told) -> None:
        self.sums: dict[str, Int64s] = {}
        self.cells: dict[str, Int64s] = {}
        self.answers: dict[str, Int64s] = {}
        self.exact: dict[str, list[int]] = {}
        with TemporaryDirectory() as folder:
            house = House(Path(folder))
            house.tell(*told)
            rooms = measure.Rooms(house.private, policies=house.policies)
            rooms.hear()
            rooms.fix([(room, room.due(BEGIN + SECONDS)) for room in rooms.rooms()])
            for room in rooms.rooms():
                exact, disclosed = rooms.sums(room, room.fixed_tick)
                self.sums[room.id] = exact.open_in_gate()["sums"]
                self.exact[room.id] = disclosed.tolist()
                self.cells[room.id] = rooms.audience(room, 3).open_in_gate()["viewers"]
                self.answers[room.id] = np.stack(
                    [rooms.answers(question).open_in_gate()["viewers"] for question in rooms.questions(room.live)]
                )
            rooms.close()


@pytest.fixture(scope="module")
def plan() -> LivePlan:
    return LivePlan(default_policy())


def broken(plan: LivePlan, whole: Counted, rest: Counted, live: str) -> list[str]:
    """The parts of a session that moved by more than the noise is scaled to; all of another session."""
    found = []
    moved = whole.sums[live] - rest.sums[live]
    for place, name in enumerate(NOISY[:FIRST_REACTION]):
        encoded = np.array([plan.counter.encode(step, moved[:, [place]])[0] for step in range(len(moved) - 1)])
        if int(encoded @ encoded) > plan.norms2[name]:
            found.append(name)
    if _of_reactions(plan, moved) > plan.norms2["reactions"]:
        found.append("reactions")
    cells = plan.minutes.matrix[:3, :3].astype(np.int64) @ (whole.cells[live] - rest.cells[live])
    start = 0
    for table, width in (("countries", 250), ("sources", 13), ("types", 2)):
        if int((cells[:, start : start + width] ** 2).sum()) > plan.norms2[table]:
            found.append(table)
        start += width
    answers = UNIT * (whole.answers[live] - rest.answers[live])
    if int((answers**2).sum()) > plan.norms2["answers"]:
        found.append("answers")
    if whole.exact != rest.exact:
        found.append("disclosed")
    others = [other for other in LIVES if other != live]
    found += [other for other in others if not np.array_equal(whole.sums[other], rest.sums[other])]
    return found + [other for other in others if not np.array_equal(whole.answers[other], rest.answers[other])]


def _of_reactions(plan: LivePlan, moved: Int64s) -> int:
    added = np.diff(moved[:, FIRST_REACTION:], axis=0)
    total = 0
    for start in range(0, len(added), MINUTE_TICKS):
        part = added[start : start + MINUTE_TICKS]
        encoded = plan.within_minute.matrix[: len(part), : len(part)].astype(np.int64) @ part
        total += int((encoded**2).sum())
    return total


def _both(acts: Sequence[ViewerEvent], viewer: str, live: str) -> tuple[Counted, Counted]:
    kept = [act for act in acts if act.viewer != viewer or act.subject != live or act.kind in DISCLOSED_KINDS]
    return Counted([*DECLARED, *acts, *CLOSED]), Counted([*DECLARED, *kept, *CLOSED])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=LOGS, viewer=st.sampled_from(VIEWERS), live=st.sampled_from(LIVES))
def test_removing_one_viewer_from_one_session_moves_every_part_by_at_most_its_bound(
    plan: LivePlan, acts: list[ViewerEvent], viewer: str, live: str
) -> None:
    assert broken(plan, *_both(acts, viewer, live), live) == []


_IN_AND_OUT = [
    event("ann", kind, at=4 * number + 1 + second)
    for number in range(16) for second, kind in ((0, Kind.LIVE_JOIN), (2, Kind.LIVE_LEAVE))
]  # fmt: skip
_REACTIONS = [event("ann", Kind.LIVE_REACTION, at=at, choice=at % 7) for at in range(0, SECONDS, 3)]
_ANSWERS = [event("ann", Kind.LIVE_ANSWER, at=5, choice=0, question=f"q{number}") for number in range(1, 6)]


@pytest.mark.parametrize(
    ("acts", "loose", "name"),
    [
        (_IN_AND_OUT, Bounds(sessions=99, reactions=10, answers=4), "concurrent_viewers"),
        (_REACTIONS, Bounds(sessions=2, reactions=99, answers=4), "reactions"),
        (_ANSWERS, Bounds(sessions=2, reactions=10, answers=99), "answers"),
    ],
)
def test_a_bound_that_is_taken_out_of_the_code_is_caught(
    plan: LivePlan, monkeypatch: pytest.MonkeyPatch, acts: list[ViewerEvent], loose: Bounds, name: str
) -> None:
    assert broken(plan, *_both(acts, "ann", "l1"), "l1") == []
    monkeypatch.setattr(Bounds, "of", lambda _: loose)
    assert name in broken(plan, *_both(acts, "ann", "l1"), "l1")


def test_sessions_that_are_counted_as_two_columns_would_be_too_little_noise(plan: LivePlan) -> None:
    twice = [
        event("ann", kind, at=at)
        for kind, at in zip([Kind.LIVE_JOIN, Kind.LIVE_LEAVE] * 2, (1, 35, 60, 95), strict=True)
    ]
    whole, rest = _both(twice, "ann", "l1")
    moved = (whole.sums["l1"] - rest.sums["l1"])[:, [CONCURRENT]]
    encoded = np.array([plan.counter.encode(step, moved)[0] for step in range(len(moved) - 1)])
    assert int(encoded @ encoded) > 2 * int(plan.counter.prefix_norms[len(moved) - 1])
    assert plan.variances["concurrent_viewers"] == Fraction(plan.norms2["concurrent_viewers"]) / Fraction("0.06")
