"""Shares. In: what noise in each component costs, and which tables measure it. Out: how the tables split one budget.

On integers alone, so that every machine finds the same shares to the last digit: they are part of a published plan.

    minimise  sum_A  losses[A] / precision[A]       precision[A] = sum_T  shares[T] / sources[A][T]
    step      shares[T]  <-  shares[T] * sqrt(slope[T]), made to sum to 1 again

slope[T] is how fast the loss falls as table T gets more. A step never raises the loss (tables.md, lemma 5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import isqrt

#: Shares are multiples of 1/PARTS: short in a published plan, and the loss is within 4e-4 of the best (tables.md).
PARTS = 4096
#: Fixed-point precision of the steps.
_BITS = 96
_ONE = 1 << _BITS
#: 1,000 steps take 20 ms for ten tables; after 200 the loss of the tables we publish is within 1e-8 of the best.
_STEPS = 1000


def best_shares(
    losses: Sequence[Fraction], sources: Sequence[Mapping[int, int]], *, tables: int
) -> tuple[Fraction, ...]:
    """The shares of a budget of 1 that minimise the loss: one a table, multiples of 1/4096 above 0, their sum is 1.

    losses: what one unit of a component's variance costs, >= 0. sources[A][T]: how many cells of table T make up one
    of component A's margin, for each table that measures A. tables: 1..PARTS.
    Source: Silvey, Titterington and Torsney, 1978; Yu, "Monotonic convergence of a general algorithm for computing
    optimal designs", Annals of Statistics 2010. The proof for our loss is tables.md, lemma 5.
    """
    shares = [_ONE // tables] * tables
    scaled = [int(loss * _ONE) for loss in losses]
    for _ in range(_STEPS):
        shares = _step(shares, scaled, sources)
    return _in_parts(shares)


def _step(shares: list[int], losses: list[int], sources: Sequence[Mapping[int, int]]) -> list[int]:
    slopes = [0] * len(shares)
    for loss, merged in zip(losses, sources, strict=True):
        precision = sum(shares[table] // cells for table, cells in merged.items())
        slope = (loss << 2 * _BITS) // precision**2
        for table, cells in merged.items():
            slopes[table] += slope // cells
    moved = [share * isqrt(slope << _BITS) for share, slope in zip(shares, slopes, strict=True)]
    total = sum(moved)
    return [(value << _BITS) // total for value in moved]


def _in_parts(shares: list[int]) -> tuple[Fraction, ...]:
    """Rounded to 1/PARTS by largest remainder. No table goes without: one part at least, paid by the largest."""
    parts = [max(1, share * PARTS >> _BITS) for share in shares]
    spare = PARTS - sum(parts)
    by_remainder = sorted(range(len(shares)), key=lambda table: -(shares[table] * PARTS % _ONE))
    for table in by_remainder[: max(spare, 0)]:
        parts[table] += 1
    parts[parts.index(max(parts))] += PARTS - sum(parts)
    return tuple(Fraction(part, PARTS) for part in parts)
