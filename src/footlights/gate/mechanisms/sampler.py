"""Sampler. In: a variance and uniform 128-bit words. Out: discrete Gaussian integers. Pure; the proof is noise.md.

    word  | column: k bits | rest: 128 - k bits |      value = own(column)   if rest < threshold(column)
                                                              alias(column) otherwise

The table's integer weights sum to 2^128 exactly, so a column is hit with probability 2^-k, and `own` kept with exactly
threshold / 2^(128-k). Every draw does the same work: nothing branches on a word, the comparison is arithmetic. A large
scale is the convolution a * X1 + X2 of two draws from one small table (noise.md, lemma 2).
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from footlights.terms.errors import BadPlan

Words = NDArray[np.uint64]
Int64s = NDArray[np.int64]

#: Weights are integers that sum to 2^WEIGHT_BITS.
WEIGHT_BITS = 128
#: The mass beyond the table is below 2^-TAIL_BITS, and so is the convolution's error.
TAIL_BITS = 112
#: Fixed-point precision of the weights before rounding: noise.md, lemma 1, needs 128 + 2 log2(radius) + 8.
PRECISION_BITS = 256
#: Above this scale a draw is a convolution: tables stay small.
SINGLE_SCALE_MAX = 64
#: tau of lemma 2 is kept at or above this: 2 exp(-2 pi^2 tau^2) < 2^-112 from 2.01 on.
SMOOTHING_MIN = Fraction(9, 4)


class GaussianTable:
    """An alias table of the discrete Gaussian with parameter variance s2: P(x) ~ exp(-x^2 / (2 s2)).

    bits: k, 2^k columns. thresholds: of each column, 0..2^(128-k). own, alias: the two values of each column.
    Source: Walker, "An efficient method for generating discrete random variables", ACM TOMS 1977; Vose, IEEE TSE 1991.
    """

    def __init__(self, bits: int, thresholds: list[int], own: list[int], alias: list[int]) -> None:
        self.bits = bits
        # Both halves of a threshold side by side: a large table is not in the nearest cache, and is asked once.
        self._edges = np.array([(edge >> 64, edge & (2**64 - 1)) for edge in thresholds], dtype=np.uint64)
        # Of column c, the alias at 2c and its own value at 2c + 1: one look-up chooses, and nothing branches.
        self._values = np.array([alias, own], dtype=np.int32).T.ravel()

    def draw(self, high: Words, low: Words) -> NDArray[np.int32]:
        """One value a word. high, low: the halves of uniform 128-bit words, shape (n,)."""
        place = (high >> np.uint64(64 - self.bits)).view(np.int64)
        rest = high & np.uint64((1 << (64 - self.bits)) - 1)
        edges = self._edges.take(place, axis=0)
        keep = rest < edges[:, 0] + (low < edges[:, 1])  # (rest, low) < edges, each as one number of 128 bits
        place += place
        place += keep
        drawn: NDArray[np.int32] = self._values.take(place)
        return drawn


def weights_of(variance: Fraction) -> tuple[int, list[int]]:
    """The radius r and the integer weights of -r..r: floor(2^128 P(x)), the remainder added at 0.

    variance: parameter s2 > 0, at most 2^24. Total variation to the definition below 2^-110: noise.md, lemma 1.
    """
    if not 0 < variance <= 1 << 24:
        raise BadPlan("a noise table needs a variance above 0 and at most 2^24.")
    one = 1 << PRECISION_BITS
    radius = radius_of(variance)
    q = _exp_minus(1 / (2 * variance))
    halves, value, ratio, square = [one], one, q, (q * q) >> PRECISION_BITS
    for _ in range(radius):
        value = (value * ratio) >> PRECISION_BITS
        ratio = (ratio * square) >> PRECISION_BITS
        halves.append(value)
    total = halves[0] + 2 * sum(halves[1:])
    positive = [(half << WEIGHT_BITS) // total for half in halves]
    weights = [*reversed(positive[1:]), *positive]
    weights[radius] += (1 << WEIGHT_BITS) - sum(weights)
    return radius, weights


def radius_of(variance: Fraction) -> int:
    """Where the table ends: at least sqrt(2 s2 TAIL_BITS ln 2), so what is left out is below 2^-TAIL_BITS."""
    return math.isqrt(int(2 * variance * TAIL_BITS * 710 / 1024)) + 2  # 710/1024 > ln 2


def _exp_minus(x: Fraction) -> int:
    """exp(-x) in fixed point, rounded down, error below 2^-(PRECISION_BITS - 2); x in (0, 512]."""
    halvings = max(0, math.ceil(x).bit_length())
    guard = PRECISION_BITS + 2 * halvings + 16
    step = (x.numerator << guard) // (x.denominator << halvings)
    term = total = 1 << guard
    index = 0
    while term:
        index += 1
        term = ((term * step) >> guard) // index
        total += -term if index % 2 else term
    for _ in range(halvings):
        total = (total * total) >> guard
    return total >> (guard - PRECISION_BITS)


def build_table(variance: Fraction) -> GaussianTable:
    """The alias table of a variance, by exact integer arithmetic."""
    radius, weights = weights_of(variance)
    bits = max(1, (len(weights) - 1).bit_length())
    capacity = 1 << (WEIGHT_BITS - bits)
    mass = weights + [0] * ((1 << bits) - len(weights))
    threshold, alias = mass[:], list(range(len(mass)))
    small = [index for index, weight in enumerate(mass) if weight < capacity]
    large = [index for index, weight in enumerate(mass) if weight >= capacity]
    while small:
        low, high = small.pop(), large[-1]
        threshold[low], alias[low] = mass[low], high
        mass[high] -= capacity - mass[low]
        if mass[high] < capacity:
            large.pop()
            small.append(high)
    for index in large:
        assert mass[index] == capacity, "the weights sum to 2^128"
        threshold[index] = capacity
    assert all(0 <= edge <= capacity for edge in threshold), "a threshold fits its column"
    own = list(range(-radius, len(mass) - radius))
    return GaussianTable(bits, threshold, own, [own[index] for index in alias])


class Sampler:
    """Draws the discrete Gaussian of one variance.

    variance: parameter sigma2 of P(x) ~ exp(-x^2 / (2 sigma2)), > 0; BadPlan above sigma = 7.4 million, where the table
    of lemma 2 would be larger than lemma 1 speaks of. words: 128-bit words a draw, 1 or 2.
    """

    def __init__(self, variance: Fraction) -> None:
        self.variance = variance
        self.factor = convolution_factor(variance)
        self.words = 1 if self.factor == 0 else 2
        self._table = build_table(variance / (1 + self.factor**2))

    def draw(self, words: Words) -> Int64s:
        """words: uniform, shape (n, words, 2), 64-bit halves; any strides. Returns n integers."""
        assert words.shape[1:] == (self.words, 2), "a draw takes its number of words"
        drawn = self._table.draw(words[:, 0, 0], words[:, 0, 1]).astype(np.int64)
        if self.factor:
            drawn *= self.factor
            drawn += self._table.draw(words[:, 1, 0], words[:, 1, 1])
        return drawn


def convolution_factor(variance: Fraction) -> int:
    """The factor a of a * X1 + X2, or 0 when one draw does.

    Both draws have variance s2 = sigma2 / (1 + a^2); lemma 2 needs tau^2 = s2 / (1 + a^2) >= SMOOTHING_MIN^2,
    so (1 + a^2)^2 <= sigma2 / SMOOTHING_MIN^2.
    """
    if variance <= SINGLE_SCALE_MAX**2:
        return 0
    most = math.isqrt(int(variance / SMOOTHING_MIN**2))
    factor = math.isqrt(most - 1)
    assert (1 + factor**2) ** 2 * SMOOTHING_MIN**2 <= variance, "lemma 2 applies"
    return factor
