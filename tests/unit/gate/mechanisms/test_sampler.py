from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, getcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footlights.gate.mechanisms.sampler import (
    PRECISION_BITS,
    SMOOTHING_MIN,
    TAIL_BITS,
    WEIGHT_BITS,
    GaussianTable,
    Sampler,
    _exp_minus,
    build_table,
    convolution_factor,
    radius_of,
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


def columns(table: GaussianTable) -> Iterator[tuple[int, int, int]]:
    """Threshold, own value and alias of each column of a table."""
    for index, (high, low) in enumerate(table._edges.tolist()):
        yield (high << 64) | low, int(table._values[2 * index + 1]), int(table._values[2 * index])


@pytest.mark.parametrize("variance", [Fraction(1, 3), Fraction(4), Fraction(4096), Fraction(3_156_400)])
def test_an_alias_table_gives_every_value_its_weight_exactly(variance: Fraction) -> None:
    table = build_table(variance)
    radius, weights = weights_of(variance)
    capacity = 1 << (WEIGHT_BITS - table.bits)
    mass = Counter[int]()
    for edge, own, alias in columns(table):
        assert 0 <= edge <= capacity
        mass[own] += edge
        mass[alias] += capacity - edge
    assert [mass[x] for x in range(-radius, radius + 1)] == weights
    assert sum(mass.values()) == sum(weights), "what is not in the table is never drawn"


def test_a_word_goes_to_its_column_s_own_value_below_the_threshold_and_to_the_alias_from_it_on() -> None:
    table = build_table(Fraction(4))
    shift = WEIGHT_BITS - table.bits
    for column, (edge, own, alias) in enumerate(columns(table)):
        for rest in (0, max(edge - 1, 0), min(edge, (1 << shift) - 1), (1 << shift) - 1):
            word = (column << shift) | rest
            high, low = np.array([word >> 64], np.uint64), np.array([word & (2**64 - 1)], np.uint64)
            assert table.draw(high, low).tolist() == [own if rest < edge else alias]


def test_the_two_halves_of_a_word_are_compared_as_one_number() -> None:
    shift, low_half = 64 - 2, 1 << 63
    table = GaussianTable(2, [(5 << 64) | low_half] * 4, own=[1] * 4, alias=[0] * 4)
    for high, low, own in (
        (4, 2**64 - 1, 1), (5, 0, 1), (5, low_half - 1, 1), (5, low_half, 0), (5, 2**64 - 1, 0), (6, 0, 0),
    ):  # fmt: skip
        for column in range(4):
            word = np.array([(column << shift) | high], np.uint64)
            assert table.draw(word, np.array([low], np.uint64)).tolist() == [own]


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


def test_a_scale_that_the_proof_does_not_reach_is_refused() -> None:
    assert Sampler(Fraction(7_400_000**2)).words == 2
    with pytest.raises(BadPlan):
        Sampler(Fraction(7_600_000**2))


@given(st.fractions(Fraction(1, 1000), Fraction(1 << 24)))
def test_the_radius_leaves_out_no_more_than_the_proof_says(variance: Fraction) -> None:
    radius = radius_of(variance)
    assert radius < 1 << 16
    assert Decimal(radius) ** 2 >= Decimal(2) * variance.numerator / variance.denominator * TAIL_BITS * Decimal(2).ln()


@given(st.integers(0, 2**64), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_carry_compares_two_halves_as_one_number(high: int, low: int, edge_high: int, edge_low: int) -> None:
    """The identity that GaussianTable.draw rests on."""
    assert (high < edge_high + (low < edge_low)) == ((high << 64) + low < (edge_high << 64) + edge_low)


def test_the_exponential_is_right_to_254_bits() -> None:
    getcontext().prec = 120
    for x in (Fraction(1, 2 << 24), Fraction(1, 7), Fraction(1), Fraction(355, 113), Fraction(500)):
        right = (-Decimal(x.numerator) / Decimal(x.denominator)).exp() * (1 << PRECISION_BITS)
        assert abs(right - _exp_minus(x)) < 4
