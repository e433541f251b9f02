"""Noise. In: the rows of A C^-1, which say how much of each step's fresh noise an estimate holds. Out: variances.

The estimate at a step is a row times independent noise, so the noise of any weighted sum of estimates follows from the
inner products of rows. They are worked out once, when somebody first asks, and kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from footlights.public.board.rows import Int64s, distinct

Floats = NDArray[np.float64]

#: Pairs of rows that are multiplied at a time: two blocks of 6 MB for a video's minutes.
_BLOCK = 256


class ErrorRows:
    """rows: (steps, steps). Threads may share one: who comes second works out the same numbers."""

    def __init__(self, rows: NDArray[np.float32]) -> None:
        self._rows = rows
        # Zero stands for unknown, so the system gives memory only where there is something: 64 MB at most, for minutes.
        self._products = np.zeros((len(rows), len(rows)))

    def row(self, step: int) -> Floats:
        """The weights of the fresh noise in the estimate at a step, shape (steps,)."""
        weights: Floats = self._rows[step].astype(np.float64)
        return weights

    def variances(self, steps: ArrayLike, weights: Sequence[int]) -> Floats:
        """The variance of sums of one number's estimates over sigma squared, shape (n,).

        steps: (n, k), 0-based; -1 is the moment before the first, when nothing has noise. weights: of each of the k.
        """
        asked = np.asarray(steps, dtype=np.int64).reshape(-1, len(weights))
        total = np.zeros(len(asked))
        for first in range(len(weights)):
            for second in range(first, len(weights)):
                twice = 1 if first == second else 2
                product = self._product(asked[:, first], asked[:, second])
                total += twice * weights[first] * weights[second] * product
        # Of one step less itself, rounding would leave a little below nothing.
        return np.maximum(total, 0.0)

    def _product(self, one: Int64s, other: Int64s) -> Floats:
        low, high = np.minimum(one, other), np.maximum(one, other)
        found = self._products[low, high]
        missing = np.flatnonzero((found == 0) & (low >= 0))
        if len(missing):
            pairs = distinct(low[missing] * len(self._rows) + high[missing])
            for start in range(0, len(pairs), _BLOCK):
                self._work_out(*np.divmod(pairs[start : start + _BLOCK], len(self._rows)))
            found = self._products[low, high]
        return np.where(low >= 0, found, 0.0)

    def _work_out(self, low: Int64s, high: Int64s) -> None:
        first, second = (np.asarray(self._rows[steps], dtype=np.float64) for steps in (low, high))
        self._products[low, high] = np.einsum("ij,ij->i", first, second)
