from __future__ import annotations

import numpy as np
import pytest

from footlights.public.insights.forecast import shipped
from footlights.public.insights.growth import (
    LEVELS,
    GrowthModel,
    conformal_errors,
    growth_of,
    growths,
    independent_errors,
    law_of_age,
    law_of_rate,
    log_of,
)

#: The chance that a test here fails although all is well.
ALPHA = 1e-6


def test_a_count_that_goes_on_at_its_rate_grows_by_what_the_rate_brings() -> None:
    grown = law_of_rate(np.asarray([99.0]), per_second=np.asarray([0.5]), ahead_seconds=np.asarray([200.0]))
    assert grown[0] == pytest.approx(np.log(2))


def test_growth_by_age_is_the_same_whatever_unit_of_time_is_long_against_ten_minutes() -> None:
    days = np.asarray([1e6, 1e7])
    grown = law_of_age(days, ahead_seconds=days)
    assert grown == pytest.approx([np.log(2)] * 2, rel=1e-3)


def test_the_scale_of_logs_is_there_and_back_and_shrinking_is_no_growth() -> None:
    grown = np.asarray([-1.0, 0.0, 0.01, 3.0])
    assert growth_of(log_of(grown, floor=0.01), floor=0.01) == pytest.approx([0, 0, 0.01, 3])


@pytest.mark.parametrize("scale", [1.0, 0.7])
def test_intervals_hold_the_next_one_as_often_as_they_say_whatever_errors_are_like(scale: float) -> None:
    """Of a skewed distribution, apart for small and large guesses; with errors that are cut, the test sees it."""
    rng = np.random.default_rng(11)
    inside, asked = np.zeros(2), 0
    for _ in range(60):
        guessed = rng.normal(size=(2, 400))
        errors = rng.exponential(size=(2, 400)) * np.where(guessed > 0, 2.0, 0.5)
        edges, ends = conformal_errors(guessed[0], scale * errors[0], groups=3, independent=400)
        mine = np.asarray(ends)[np.searchsorted(np.asarray(edges), guessed[1])]
        inside += [np.sum((mine[:, 1] <= errors[1]) & (errors[1] <= mine[:, 2])),
                   np.sum((mine[:, 0] <= errors[1]) & (errors[1] <= mine[:, 3]))]  # fmt: skip
        asked += 400
    share = inside / asked
    # Sets that are learned from vary, too: 60 of them move a share by less than 0.2 % a standard error.
    right = abs(share[0] - 0.5) < 0.03 and abs(share[1] - 0.955) < 0.012
    assert right == (scale == 1.0)


def test_few_errors_make_one_group_and_its_ends_are_beyond_the_outermost() -> None:
    edges, (ends,) = conformal_errors(np.arange(20.0), np.arange(20.0), groups=3, independent=400)
    assert edges == ()
    assert ends[0] < 0.0 < ends[1] < ends[2] < 19.0 < ends[-1]


def test_errors_of_one_series_that_are_alike_count_as_few() -> None:
    rng = np.random.default_rng(4)
    series = np.repeat(np.arange(30), 50)
    alone = rng.normal(size=1500)
    alike = alone * np.repeat(np.exp(2 * rng.normal(size=30)), 50)
    assert independent_errors(alone, series) > 1000
    assert 30 <= independent_errors(alike, series) < 60
    assert independent_errors(alone, np.zeros(1500)) == 1


@pytest.mark.parametrize("series", [6, 10, 20])
def test_intervals_of_few_series_hold_for_one_more(series: int) -> None:
    """Where series differ by luck alone. The outermost of so few errors hold less often: the same test sees that."""
    rng = np.random.default_rng(series)
    inside, outermost = [], []
    for _ in range(3000):
        errors, one_more = rng.normal(size=series), rng.normal()
        (ends,) = conformal_errors(errors, errors, groups=1, independent=series)[1]
        inside.append(ends[0] <= one_more <= ends[-1])
        outermost.append(errors.min() <= one_more <= errors.max())
    assert abs(float(np.mean(inside)) - 0.95) < 0.02
    assert float(np.mean(outermost)) < 0.93


def test_a_model_guesses_within_its_own_ends() -> None:
    model = GrowthModel(
        floor=0.01, intercept=0.0, weights={"age": 1.0}, edges=(0.0,), errors=((-2, -1, 1, 2), (-4, -2, 2, 4))
    )
    told = growths(model, {"age": np.asarray([-1.0, 1.0])})
    assert (told.ends[:, 1] <= told.middle).all() and (told.middle <= told.ends[:, 2]).all()
    assert told.ends.shape == (2, len(LEVELS))


def test_what_is_shipped_says_where_it_comes_from_and_holds_parameters_alone() -> None:
    found = shipped()
    assert "benchmarks.forecast" in found.provenance
    for model in (found.by_age, found.by_pace):
        assert len(model.errors) == len(model.edges) + 1 <= 3
        assert all(list(row) == sorted(row) for row in model.errors)
    assert found.own_weight > 0
