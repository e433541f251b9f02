"""Figures: one shape for every number, with an interval that says what is possible."""

from __future__ import annotations

import math

import msgspec
import pytest

from footlights.terms.figures import Z95, Figure, exact_figure, noisy_figure, pending_figure, rfc3339

AT = 1_793_523_600  # 2026-11-01T09:00:00Z


def figure(
    estimate: float, std: float, *, too_few: float = 0.5, least: float | None = 0.0, most: float = math.inf
) -> Figure:
    return noisy_figure(
        "reach", estimate=estimate, std=std, at_utc=AT, tick=600, too_few=too_few, least=least, most=most
    )


def test_a_figure_is_written_as_the_design_says() -> None:
    assert msgspec.json.decode(msgspec.json.encode(figure(1204.2, 18.0))) == {
        "metric": "reach",
        "value": 1204,
        "low": 1168,
        "high": 1240,
        "state": "ok",
        "exact": False,
        "as_of": "2026-11-01T09:00:00Z",
        "tick": 600,
    }


def test_the_interval_is_rounded_outwards() -> None:
    shown = figure(100.0, 10.0)
    assert shown.low == math.floor(100 - 10 * Z95) == 80
    assert shown.high == math.ceil(100 + 10 * Z95) == 120


def test_the_interval_of_a_count_does_not_go_below_zero() -> None:
    shown = figure(3.0, 10.0)
    assert (shown.low, shown.high) == (0, 23)


def test_an_estimate_below_zero_is_shown_as_zero() -> None:
    shown = figure(-40.0, 10.0)
    assert (shown.value, shown.low, shown.high) == (0, 0, 0)


def test_a_change_may_be_negative() -> None:
    shown = figure(-40.0, 10.0, least=None)
    assert (shown.value, shown.low, shown.high) == (-40, -60, -20)


def test_a_rate_stays_below_what_is_possible() -> None:
    shown = figure(9_990.0, 100.0, most=10_000.0)
    assert shown.high == 10_000
    assert shown.value == 9_990


def test_a_wide_interval_is_too_few_to_say_and_keeps_its_range() -> None:
    assert figure(100.0, 50.0 / Z95 * 0.99).state == "ok"
    wide = figure(100.0, 50.0 / Z95 * 1.01)
    assert (wide.state, wide.low, wide.high) == ("too_few", 49, 151)


def test_too_few_is_decided_on_the_noisy_value_even_near_zero() -> None:
    assert figure(0.2, 10.0).state == "too_few"
    assert figure(0.2, 0.1).state == "ok"


def test_a_policy_may_allow_wider_intervals() -> None:
    assert figure(100.0, 40.0, too_few=0.5).state == "too_few"
    assert figure(100.0, 40.0, too_few=1.0).state == "ok"


def test_a_disclosed_count_is_exact_and_its_interval_is_a_point() -> None:
    shown = exact_figure("like_count", value=17, at_utc=AT, tick=3)
    assert (shown.value, shown.low, shown.high, shown.exact, shown.state) == (17, 17, 17, True, "ok")


@pytest.mark.parametrize("exact", [True, False])
def test_before_its_first_tick_a_figure_is_pending_and_has_no_number(exact: bool) -> None:
    shown = pending_figure("reach", exact=exact)
    assert shown.state == "pending"
    assert shown.exact is exact
    assert {shown.value, shown.low, shown.high, shown.as_of, shown.tick} == {None}


def test_a_moment_is_written_in_utc_to_the_second() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00Z"
    assert rfc3339(AT) == "2026-11-01T09:00:00Z"
