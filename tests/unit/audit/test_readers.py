from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from footlights.audit.canaries import EVENING_SECONDS, watch
from footlights.audit.planting import Canaries, plant, toss
from footlights.audit.readers import LOOK_MINUTES, READERS, Scores, running_weights
from footlights.audit.rehearsal import Rehearsal
from footlights.gate.mechanisms.counter import counter_plan
from footlights.gate.mechanisms.sampler import Sampler
from footlights.gate.mechanisms.tables import estimate, tables_plan
from footlights.terms.families import FAMILIES, UNITS, families_of
from footlights.terms.policy import default_policy
from footlights.terms.ticks import COUNTER_AGES

STEPS = len(COUNTER_AGES)


def test_all_ticks_tell_what_the_encoding_s_first_column_tells() -> None:
    # y = C x + z: a unit at step 0 moves y by column 0, and no score of the estimates can tell more than y does.
    plan = counter_plan(STEPS)
    weights, _ = running_weights(STEPS, steps=np.arange(200))
    column = plan.matrix[:200, 0].astype(np.float64)
    assert weights.sum() == pytest.approx(column @ column / plan.norm2, rel=1e-6)


def test_the_chosen_ticks_tell_most_of_what_all_do() -> None:
    plan = counter_plan(STEPS)
    ticks = np.array(LOOK_MINUTES)
    weights, stds = running_weights(STEPS, steps=ticks - 1)
    column = plan.matrix[: ticks[-1], 0].astype(np.float64)
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


def test_what_a_unit_moves_later_is_told_by_the_ticks_from_there_on() -> None:
    plan = counter_plan(31)
    weights, _ = running_weights(31, steps=np.arange(7), from_step=1)
    column = plan.matrix[:7, 1].astype(np.float64)
    assert weights[1:].sum() == pytest.approx(column @ column / plan.norm2, rel=1e-6)


def test_estimated_tables_tell_of_a_viewer_what_the_noisy_ones_did() -> None:
    # The published cells hang together; over the variances of the noise they sum to the score of what was noised.
    plan = tables_plan({"a": 3, "b": 4}, [(), ("a",), ("b",), ("a", "b")])
    noise = [float(variance) for variance in plan.variances(norm2=1, rho=Fraction(1, 50))]
    y = np.random.default_rng(1).normal(size=(1, plan.width))
    cells = [part.start + place for part, place in zip(plan.slices, (0, 2, 1, 2 * 4 + 1), strict=True)]
    told, known = (
        sum(row[0, cell] / v for cell, v in zip(cells, noise, strict=True)) for row in (estimate(plan, y), y)
    )
    assert told == pytest.approx(known)


def test_every_family_has_a_reader() -> None:
    planted = plant_nothing()
    # No canaries are planted in live rooms: attacks are played there.
    families = [name for unit in UNITS if unit != "live" for name in families_of(unit)]
    assert [make(planted).family for make in READERS] == families
    assert {make(planted).family for make in READERS} == set(FAMILIES)


def plant_nothing() -> Canaries:
    return Canaries(
        creators=(), videos=(), coins=toss(1, 0), posted_at_utc=0, season=1970 * 12, policy=default_policy(),
        bounds={}, acted_at_utc=[0],
    )  # fmt: skip


def test_without_noise_a_canary_moves_every_score_by_what_it_tells_and_the_known_are_accounted_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sampler, "draw", lambda _, words: np.zeros(len(words), dtype=np.int64))
    coins = toss(3, 4)
    assert 0 < coins.sum() < 4
    with Rehearsal(tmp_path) as doors:
        doors.pass_time(EVENING_SECONDS)
        seen = watch(doors, plant(doors, default_policy(), coins=coins, seed=3))
    assert set(seen) == {"video", "creator"}
    for told in seen.values():
        values, information = told.scores.values, told.scores.information
        assert values[coins].mean() - values[~coins].mean() == pytest.approx(information, rel=1e-3)
        assert abs(values[~coins].mean()) < 0.02 * information


def test_scores_of_two_families_add_up() -> None:
    one = Scores(parts={"reach": np.array([1.0, 2.0])}, information=0.1)
    two = Scores(parts={"shares": np.array([3.0, 5.0])}, information=0.2)
    both = one + two
    assert both.values.tolist() == [4, 7]
    assert both.information == pytest.approx(0.3)
