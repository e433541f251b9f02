from __future__ import annotations

import numpy as np
import pytest

from footlights.audit.readers import CounterReader, Scores, running_weights
from footlights.gate.mechanisms.counter import counter_plan
from footlights.terms.ticks import COUNTER_AGES, MINUTE

STEPS = len(COUNTER_AGES)


def test_all_ticks_tell_what_the_encoding_s_first_column_tells() -> None:
    # y = C x + z: a unit at step 0 moves y by column 0, and no score of the estimates can tell more than y does.
    plan = counter_plan(STEPS)
    weights, _ = running_weights(STEPS, steps=np.arange(200))
    column = plan.matrix[:200, 0].astype(np.float64)
    assert weights.sum() == pytest.approx(column @ column / plan.norm2, rel=1e-6)


def test_the_chosen_ticks_tell_most_of_what_all_do() -> None:
    plan = counter_plan(STEPS)
    ages = np.array(CounterReader.ages_seconds) // MINUTE
    weights, stds = running_weights(STEPS, steps=ages - 1)
    column = plan.matrix[: ages[-1], 0].astype(np.float64)
    assert weights.sum() > 0.85 * (column @ column) / plan.norm2
    assert (np.diff(stds) > 0).all(), "a running count's noise grows"


def test_more_ticks_tell_more() -> None:
    told = [running_weights(STEPS, steps=np.array(steps))[0].sum() for steps in ([0], [0, 9], [0, 9, 99])]
    assert told == sorted(told)
    assert told[-1] < 1, "all of it is what the budget allows"


def test_no_other_weights_tell_more() -> None:
    steps = np.array([0, 4, 30])
    plan = counter_plan(STEPS)
    rows = plan.error_rows()[steps].astype(np.float64)
    covariance = plan.norm2 * rows @ rows.T
    best, _ = running_weights(STEPS, steps=steps)

    def squared_effect(weights: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        return float(weights.sum() ** 2 / (weights @ covariance @ weights))

    assert squared_effect(best) == pytest.approx(best.sum())
    for other in (np.ones(3), np.array([1.0, 0, 0]), best + np.array([0.01, -0.01, 0.0])):
        assert squared_effect(other) < squared_effect(best)


def test_scores_of_two_families_add_up() -> None:
    one = Scores(parts={"reach": np.array([1.0, 2.0])}, information=0.1)
    two = Scores(parts={"shares": np.array([3.0, 5.0])}, information=0.2)
    both = one + two
    assert both.values.tolist() == [4, 7]
    assert both.information == pytest.approx(0.3)
