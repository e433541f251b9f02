from __future__ import annotations

from footlights.public.web.oauth.limits import Limits


def test_as_many_as_are_allowed_pass_in_any_minute_and_not_one_more() -> None:
    now = [0.0]
    limits = Limits(3, clock=lambda: now[0])
    passed = []
    for second in range(300):
        now[0] = float(second)
        if limits.take("app") == 0:
            passed.append(now[0])
    for first in passed:
        assert sum(first <= at < first + 60 for at in passed) <= 3
    assert len(passed) == 3 * 5


def test_who_is_refused_is_told_when_there_is_room_again_and_then_there_is() -> None:
    now = [10.0]
    limits = Limits(2, clock=lambda: now[0])
    assert limits.take("app") == 0
    now[0] = 30.0
    assert limits.take("app") == 0
    assert limits.take("app") == 40.0
    now[0] = 70.0
    assert limits.take("app") == 0


def test_one_name_takes_nothing_from_another() -> None:
    limits = Limits(1, clock=lambda: 0.0)
    assert [limits.take(("app", route)) for route in ("a", "b", "a")] == [0, 0, 60.0]


def test_names_that_are_quiet_are_forgotten() -> None:
    now = [0.0]
    limits = Limits(2, clock=lambda: now[0])
    for number in range(100):
        limits.take(number)
    now[0] = 61.0
    limits.take("new")
    assert len(limits._times) == 1
