"""ResidualPlanner's optimum, and a dense solver: what the tables' estimator and shares are held against.

In: axes, tables, weights. Out: plain floats. Written from the papers, on purpose without the code under test.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Table = tuple[str, ...]

#: The default domain's size, with a list of 21 interests.
DOMAIN = {"age": 8, "gender": 4, "country": 250, "type": 2, "interest": 21}
TABLES: tuple[Table, ...] = (
    (), ("age",), ("gender",), ("country",), ("type",), ("interest",),
    ("age", "gender"), ("interest", "age"), ("interest", "country"),
)  # fmt: skip
#: The design's yardstick: total, one-way and all two-way tables of 6 x 3 x 30 x 20.
YARDSTICK = {"a": 6, "b": 3, "c": 30, "d": 20}
YARDSTICK_TABLES: tuple[Table, ...] = tuple(part for size in range(3) for part in combinations("abcd", size))


def cells_of(axes: Mapping[str, int], tables: Sequence[Table]) -> list[int]:
    return [math.prod(axes[axis] for axis in table) for table in tables]


def optimum(axes: Mapping[str, int], tables: Sequence[Table], weights: Sequence[float]) -> float:
    """The least weighted sum of cell variances that Gaussian noise can reach, a table alone having 1 a cell.

    A base mechanism A with noise s_A^2 costs p_A / s_A^2, p_A the product of (n_i - 1) / n_i over A, and adds v_A s_A^2
    to the loss. By Cauchy and Schwarz the least loss at cost 1 is (sum sqrt(p_A v_A))^2.
    Source: Xiao, He, Zhang and Kifer, NeurIPS 2023: privacy cost and variance of the base mechanisms, sum of variances.
    """
    parts = {frozenset(part) for table in tables for size in range(3) for part in combinations(table, size)}
    root = 0.0
    for part in parts:
        cost = math.prod((axes[axis] - 1) / axes[axis] for axis in part)
        loss = sum(
            weight * cost / math.prod(axes[axis] ** 2 for axis in set(table) - part)
            for table, weight in zip(tables, weights, strict=True)
            if part <= set(table)
        )
        root += math.sqrt(cost * loss)
    return root**2


def query_matrix(axes: Mapping[str, int], tables: Sequence[Table]) -> Floats:
    """One row for each cell of each table, one column for each cell of the full domain."""
    blocks = []
    for table in tables:
        block: Floats = np.ones((1, 1))
        for axis, size in axes.items():
            block = np.kron(block, np.eye(size) if axis in table else np.ones((1, size))).astype(np.float64)
        order = [axis for axis in axes if axis in table]
        shape = [axes[axis] for axis in order]
        rows = np.arange(len(block)).reshape(shape).transpose([order.index(axis) for axis in table]).ravel()
        blocks.append(block[rows])
    return np.concatenate(blocks)


def least_squares(matrix: Floats, variances: Floats) -> tuple[Floats, Floats]:
    """Generalised least squares, dense: the map from noisy to estimated tables, and the variance of each cell."""
    weighted = matrix.T / variances
    inverse = np.linalg.pinv(weighted @ matrix)
    return matrix @ inverse @ weighted, np.einsum("ij,jk,ik->i", matrix, inverse, matrix)
