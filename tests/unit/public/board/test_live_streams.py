"""What a live row is of says in which minute it stands, whenever it was published."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from footlights.public.board.live_streams import LiveStream, StatedQuestion, by_step
from footlights.terms.live import MINUTES, TICKS

BEGIN = 1_767_225_602
STREAM = LiveStream(
    begins_at=BEGIN, creator="c1", family="live", first_tick=1, id="l1", plan="p", question=None, rho="1"
)
AUDIENCE = msgspec.structs.replace(STREAM, family="live_audience")
QUESTION = StatedQuestion(asked_tick=3, closed_tick=40, id="q", number=2, options=("a", "b"), text="?")
RESULT = msgspec.structs.replace(STREAM, family="live_questions", question=QUESTION)


@pytest.mark.parametrize(
    ("stream", "tick", "seconds"),
    [
        (STREAM, 1, 2), (STREAM, TICKS, 12 * 3600), (STREAM, 0, None), (STREAM, TICKS + 1, None),
        (AUDIENCE, 1, 60), (AUDIENCE, MINUTES, 12 * 3600), (AUDIENCE, MINUTES + 1, None),
        (RESULT, 2, 80), (RESULT, 1, None),
        (msgspec.structs.replace(STREAM, family="counters"), 1, None),
        (msgspec.structs.replace(RESULT, question=None), 2, None),
    ],
)  # fmt: skip
def test_a_tick_has_one_moment_by_its_stream_alone(stream: LiveStream, tick: int, seconds: int | None) -> None:
    assert stream.moment_utc(tick) == (None if seconds is None else BEGIN + seconds)


@pytest.mark.parametrize("stream", [STREAM, AUDIENCE, RESULT])
def test_the_ticks_between_two_moments_are_those_whose_moments_are(stream: LiveStream) -> None:
    moments = {tick: stream.moment_utc(tick) for tick in range(TICKS + 2)}
    for after, until in ((BEGIN, BEGIN + 1), (BEGIN + 1, BEGIN + 82), (BEGIN - 90, BEGIN + 60), (0, 2**40)):
        low, high = stream.ticks_between(after, until)
        inside = [tick for tick, at_utc in moments.items() if at_utc is not None and after < at_utc <= until]
        assert inside == list(range(low, high + 1))


def test_every_session_family_and_question_has_places_of_its_own() -> None:
    other = msgspec.structs.replace(RESULT, question=msgspec.structs.replace(QUESTION, number=3))
    of_two = msgspec.structs.replace(STREAM, id="l2")
    assert len({stream.name for stream in (STREAM, AUDIENCE, RESULT, other, of_two)}) == 5
    # What a question says is no part of its place, and is part of what stands there.
    worded = msgspec.structs.replace(RESULT, question=msgspec.structs.replace(QUESTION, text="other"))
    assert worded.name == RESULT.name and worded.hash != RESULT.hash


def test_every_matrix_of_a_plan_has_a_row_for_each_step() -> None:
    assert by_step(np.zeros((2, 9))).shape == (9, 2)
    assert by_step(np.zeros((4, 4))).shape == (4, 4)
    assert by_step(np.zeros(5)).shape == (5, 1)
