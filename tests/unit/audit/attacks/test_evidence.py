from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from footlights.audit.attacks.chances import at_least
from footlights.audit.attacks.evidence import Person, estimate, of_audience, of_curve, of_figure
from footlights.simulate.draws import Draws
from footlights.terms.figures import noisy_figure
from tests.unit.audit.promises import promised

PROMISE = promised()
#: Of the statistical test: how often it fails by chance.
ALPHA = 1e-9
GAMES, POINTS = 3000, 32
FR: Person = {"age": "18-24", "gender": "female", "country": "FR", "type": "follower"}
AQ: Person = {"age": "65+", "gender": "other", "country": "AQ", "type": "not_follower"}


def figure(value: float, std: float) -> dict[str, Any]:
    made = noisy_figure("reach", estimate=value, std=std, at_utc=0, tick=1, too_few=0.5)
    return {name: getattr(made, name) for name in made.__struct_fields__}


def exact(value: int) -> dict[str, Any]:
    return {"value": value, "low": value, "high": value, "state": "ok", "exact": True, "tick": None}


def curve(base: float, *, add: float, noise: np.ndarray[Any, np.dtype[np.float64]]) -> list[dict[str, Any]]:
    """Points as the board makes them: y = Cx + z, decoded, cut at 0, with intervals."""
    matrix = PROMISE.plan_of("reach").matrix[:POINTS, :POINTS].astype(np.float64)
    added = np.zeros(POINTS)
    added[0] = base + add
    rows = np.cumsum(np.linalg.inv(matrix), axis=0)
    estimates = rows @ (matrix @ added + noise)
    stds = PROMISE.sigma("reach") * np.sqrt((rows**2).sum(axis=1))
    return [figure(float(np.rint(one)), float(std)) for one, std in zip(estimates, stds, strict=True)]


def right_guesses(*, add: float, noise_scale: float = 1.0) -> int:
    """How often the sign of the evidence is right, in games in which `add` more viewers came or did not."""
    draws = Draws(b"evidence", "noise").normal(GAMES * POINTS).reshape(GAMES, POINTS)
    right = 0
    for game, noise in enumerate(draws * PROMISE.sigma("reach") * noise_scale):
        heads = game % 2 == 0
        points = curve(0.0, add=add if heads else 0.0, noise=noise)
        found = of_curve(points, promise=PROMISE, metric="reach", tails={}, heads={1: add})
        right += (found > 0) == heads
    return right


def test_evidence_of_a_curve_is_right_as_often_as_the_mechanism_lets_anybody_be() -> None:
    add = 12.0
    column = PROMISE.plan_of("reach").matrix[:POINTS, 0].astype(np.float64)
    apart = add * math.sqrt(column @ column) / PROMISE.sigma("reach")
    best = NormalDist().cdf(apart / 2)
    assert 0.75 < best < 0.95
    right = right_guesses(add=add)
    # What is read off cut and rounded figures loses a little: no more than two in a hundred.
    assert 1 - at_least(right + 1, GAMES, chance=best - 0.02) > ALPHA
    assert at_least(right, GAMES, chance=best) > ALPHA
    wrong = right_guesses(add=add, noise_scale=0.7)
    assert at_least(wrong, GAMES, chance=best) < ALPHA


def test_evidence_of_an_exact_curve_is_never_wrong() -> None:
    for watched in (0, 1):
        points = [exact(12 + watched)] * 5
        found = of_curve(points, promise=PROMISE, metric="reach", tails={1: 12}, heads={1: 13})
        assert (found > 0) == bool(watched)


def test_a_hidden_or_missing_curve_tells_nothing() -> None:
    hidden = {"value": None, "low": None, "high": None, "state": "too_few", "tick": None}
    for points in ([], [hidden, exact(12)]):
        assert of_curve(points, promise=PROMISE, metric="reach", tails={}, heads={1: 1}) == 0.0


@pytest.mark.parametrize("value", [-20.0, -3.0, 0.0, 7.0, 900.0])
def test_an_estimate_below_zero_is_read_off_the_upper_end(value: float) -> None:
    std = 12.0
    assert estimate(figure(value, std), half=1.96 * std) == pytest.approx(value, abs=1.1)


def test_a_figure_is_evidence_for_what_it_lies_closer_to() -> None:
    assert of_figure(exact(13), tails=12, heads=13) > 0 > of_figure(exact(12), tails=12, heads=13)
    assert of_figure(None, tails=12, heads=13) == 0.0


def audience(cells: dict[tuple[str, ...], Any]) -> Any:
    return {
        "tables": [
            {
                "name": "countries",
                "axes": ["country"],
                "cells": [{"key": {"country": key[0]}, "figure": told} for key, told in cells.items()],
            }
        ]
    }


def test_evidence_of_an_audience_weighs_the_cells_that_differ() -> None:
    shown = audience({("FR",): exact(12), ("AQ",): exact(13)})
    known = [(FR, 12), (AQ, 12)]
    assert of_audience(shown, tails=FR, heads=AQ, known=known) > 0
    assert of_audience(shown, tails=AQ, heads=FR, known=known) < 0
    assert of_audience(shown, tails=AQ, heads=AQ, known=known) == 0
    assert of_audience(None, tails=None, heads=AQ, known=known) == 0


def test_a_cell_that_is_hidden_tells_that_it_is_below_the_threshold() -> None:
    known = [(FR, 9), (AQ, 9)]
    assert of_audience(audience({("FR",): exact(10)}), tails=AQ, heads=FR, known=known) > 0
    assert of_audience(audience({("AQ",): exact(10)}), tails=AQ, heads=FR, known=known) < 0
