from __future__ import annotations

import math
from fractions import Fraction

import pytest

from footlights.public.web import drawing
from footlights.public.web.formats import TITLES, Formats, coded
from footlights.terms.domains import SOURCES
from footlights.terms.figures import Figure, exact_figure, noisy_figure, pending_figure
from footlights.terms.metrics import ALL
from footlights.terms.policy import default_policy

FORMATS = Formats()


def _figure(metric: str, estimate: float, std: float) -> Figure:
    return noisy_figure(metric, estimate=estimate, std=std, at_utc=0, tick=1, too_few=0.5)


def test_every_metric_has_words() -> None:
    assert set(TITLES) == set(ALL)


@pytest.mark.parametrize(
    ("number", "metric", "text"),
    [(1234567, "reach", "1,234,567"), (95, "total_time_watched", "95 s"), (1800, "total_time_watched", "30 min"),
     (9000, "total_time_watched", "2.5 h"), (3_600_000, "total_time_watched", "1,000 h"),
     (12_345, "average_time_watched", "12.3 s"), (339_000, "average_time_in_room", "5:39 min"),
     (3_939_000, "average_time_in_room", "1:05:39 h"), (3312, "full_video_watched_rate", "33.1 %"),
     (-4, "like_count", "\u22124")],
)  # fmt: skip
def test_a_number_is_written_in_the_unit_that_people_read(number: int, metric: str, text: str) -> None:
    assert FORMATS.amount(number, metric) == text


def test_an_interval_says_its_unit_once_unless_its_ends_differ() -> None:
    assert FORMATS.span(_figure("total_time_watched", 36_000, 1_000)) == "9.5\u2009\u2013\u200910.5 h"
    assert FORMATS.span(_figure("total_time_watched", 3600, 1_900)) == "0 s\u2009\u2013\u20092.0 h"
    assert FORMATS.span(_figure("average_time_in_room", 339_000, 6000)) == "5:27\u2009\u2013\u20095:51 min"
    assert FORMATS.span(_figure("reach", 1200, 20)) == "1,160\u2009\u2013\u20091,240"


def test_words_never_tell_a_number_that_is_too_few() -> None:
    assert FORMATS.words(_figure("reach", 20, 40)) == "too few to say, somewhere from 0 to 99"
    assert FORMATS.words(exact_figure("like_count", value=7, at_utc=0, tick=1)) == "7, exact"
    assert FORMATS.words(pending_figure("reach")) == "not published yet"


def test_what_stands_between_backticks_is_code_and_nothing_else_becomes_markup() -> None:
    assert coded("Run `a <b>` & see") == "Run <code>a &lt;b&gt;</code> &amp; see"


def test_a_beam_is_as_wide_as_its_interval_and_has_no_core_where_no_number_is_told() -> None:
    sure, vague = drawing.beam(_figure("reach", 1000, 10)), drawing.beam(_figure("reach", 30, 40))
    assert sure is not None and vague is not None
    assert sure.width < 5 < vague.width
    assert sure.core is not None and vague.core is None
    assert drawing.beam(pending_figure("reach")) is None


def test_the_two_bells_are_as_far_apart_as_rho_says() -> None:
    assert drawing.bells(Fraction(3, 50)).guessed_percent == 57
    assert drawing.bells(Fraction(0)).guessed_percent == 50
    assert drawing.bells(Fraction(3, 50)).apart == round(math.sqrt(0.12), 2)


def test_a_small_delta_is_written_without_a_leading_zero() -> None:
    assert FORMATS.power(1e-9) == "1e-9"


def test_lengths_and_days_read_like_a_players() -> None:
    assert FORMATS.duration(34_000) == "0:34" and FORMATS.duration(3_725_000) == "1:02:05"
    assert FORMATS.minute("2026-11-01T12:05:00Z") == "1 Nov 2026, 12:05"


def test_seasons_and_hours_of_the_week_read_as_people_say_them() -> None:
    assert FORMATS.month("2026-11") == "November 2026"
    assert FORMATS.hour_of_week("tue 21") == "Tue 21:00 to 22:00"
    assert FORMATS.hour_of_week("sun 23") == "Sun 23:00 to 00:00"


def test_no_value_of_an_axis_is_shown_by_a_name_made_for_machines() -> None:
    values = {value for axis in default_policy().axes.values() for value in axis} | set(SOURCES)
    assert [value for value in values if "_" in FORMATS.cell(value)] == []


def test_a_figure_far_below_zero_is_few_and_never_a_plain_zero() -> None:
    vague = noisy_figure("reach", estimate=-40.0, std=10.0, at_utc=0, tick=1, too_few=0.5)
    assert FORMATS.span(vague) == "few"
    assert FORMATS.span(exact_figure("like_count", value=0, at_utc=0, tick=1)) == "0"


def _change(metric: str, low: int, value: int, high: int, *, exact: bool = False) -> Figure:
    return Figure(metric=metric, value=value, low=low, high=high, state="ok", exact=exact, as_of=None, tick=None)


def test_of_what_is_counted_there_are_fewer_and_of_time_and_shares_there_is_less() -> None:
    thin = "\u2009\u2013\u2009"
    assert FORMATS.gained(_change("view_count", -40, -30, -20)) == f"20{thin}40 fewer"
    assert FORMATS.gained(_change("total_time_watched", -40, -30, -20)) == f"20{thin}40 s less"
    assert FORMATS.gained(_change("view_count", -4, 3, 20)) == "from 4 fewer to 20 more"
    assert FORMATS.gained(_change("total_time_watched", -4, 3, 20)) == "from 4 s less to 20 s more"


def test_an_exact_change_says_so_unless_a_sentence_goes_on_after_it() -> None:
    assert FORMATS.gained(_change("followers_count", 50, 50, 50, exact=True)) == "50 more, exact"
    assert FORMATS.gained(_change("followers_count", -5, -5, -5, exact=True), marked=False) == "5 fewer"
