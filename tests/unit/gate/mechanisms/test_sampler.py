from __future__ import annotations

import math
from decimal import Decimal, getcontext
from fractions import Fraction

import numpy as np
import pytest

from footlights.gate.mechanisms.sampler import (
    SMOOTHING_MIN,
    WEIGHT_BITS,
    Sampler,
    build_table,
    convolution_factor,
    weights_of,
)
from footlights.terms.errors import BadPlan


@pytest.mark.parametrize("variance", [Fraction(1, 3), Fraction(9), Fraction(12_345, 7)])
def test_the_integer_weights_are_the_definition_to_a_hundred_bits(variance: Fraction) -> None:
    getcontext().prec = 80
    radius, weights = weights_of(variance)
    assert sum(weights) == 1 << WEIGHT_BITS
    two_s2 = Decimal(2 * variance.numerator) / Decimal(variance.denominator)
    masses = [(-(Decimal(x) ** 2) / two_s2).exp() for x in range(-radius, radius + 1)]
    total = sum(masses)
    off = sum(abs(Decimal(w) / Decimal(2) ** WEIGHT_BITS - m / total) for w, m in zip(weights, masses, strict=True))
    assert off / 2 < Decimal(2) ** -100


def test_the_weights_are_symmetric_but_for_the_remainder_in_the_middle() -> None:
    _, weights = weights_of(Fraction(100))
    assert weights == weights[::-1]


def test_an_alias_table_gives_every_value_its_weight_exactly() -> None:
    table = build_table(Fraction(4))
    radius, weights = weights_of(Fraction(4))
    capacity = 1 << (WEIGHT_BITS - table.bits)
    mass = dict.fromkeys(range(-radius - 64, radius + 65), 0)
    columns = zip(table._high.tolist(), table._low.tolist(), table._own.tolist(), table._alias.tolist(), strict=True)
    for high, low, own, alias in columns:
        edge = (high << 64) | low
        mass[own] += edge
        mass[alias] += capacity - edge
    assert [mass[x] for x in range(-radius, radius + 1)] == weights


def test_a_word_on_the_edge_of_a_column_goes_to_its_alias() -> None:
    table = build_table(Fraction(4))
    column = next(i for i, low in enumerate(table._low.tolist()) if low and table._own[i] != table._alias[i])
    high = np.uint64((column << (64 - table.bits)) | int(table._high[column]))
    low = table._low[column]
    drawn = table.draw(np.array([high, high]), np.array([low, low - np.uint64(1)]))
    assert drawn.tolist() == [table._alias[column], table._own[column]]


@pytest.mark.parametrize("sigma", [65, 500, 10_000, 1_400_000, 10**9])
def test_a_convolution_is_smooth_enough_to_be_gaussian(sigma: int) -> None:
    variance = Fraction(sigma**2)
    factor = convolution_factor(variance)
    tau2 = variance / (1 + factor**2) ** 2
    assert factor >= 1
    assert tau2 >= SMOOTHING_MIN**2
    assert 2 * math.exp(-2 * math.pi**2 * float(tau2)) < 2**-112


def test_a_sampler_refuses_another_number_of_words() -> None:
    with pytest.raises(AssertionError):
        Sampler(Fraction(10**6)).draw(np.zeros((3, 1, 2), dtype=np.uint64))


@pytest.mark.parametrize("variance", [Fraction(0), Fraction(-1), Fraction(2**25)])
def test_a_table_without_a_possible_variance_is_refused(variance: Fraction) -> None:
    with pytest.raises(BadPlan):
        weights_of(variance)
