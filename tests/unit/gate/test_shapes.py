from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from footlights.gate.mechanisms.counter import counter_plan
from footlights.gate.shapes import Histograms, Tables
from footlights.terms.families import HISTOGRAMS, histograms_of
from footlights.terms.metrics import AUDIENCE_AXES, cells_of
from footlights.terms.policy import default_policy, parse_policy

POLICY = default_policy()
BOUNDS = POLICY.histograms | {bound.name: bound for bound in POLICY.channel}
Int64s = NDArray[np.int64]


def histograms(family: str) -> Histograms:
    return Histograms(histograms_of(family), BOUNDS, norm2=1)


def encoded(family: str, name: str, bins: list[int], *, weights: list[int] | None = None) -> Int64s:
    """The row of one stream in which each of these cells of one histogram gains a viewer."""
    count = len(bins)
    columns = {"histogram": np.full(count, HISTOGRAMS[name].number), "bin": np.array(bins, dtype=np.int64)}
    weighed = np.array(weights or [1] * count, dtype=np.int64)
    rows = histograms(family).encode(columns, weights=weighed, slots=np.zeros(count, dtype=np.int64), count=1)
    return rows.ravel()


def test_a_plain_histogram_counts_each_cell() -> None:
    row = encoded("sources", "sources", [0, 2, 2])
    assert row.tolist() == [1, 0, 2, *[0] * (len(HISTOGRAMS["sources"]) - 3)]


def test_histograms_of_a_family_lie_side_by_side() -> None:
    row = encoded("retention", "watch_times", [27])
    assert not row[:100].any() and row[100:].any() and len(row) == 128
    assert not encoded("retention", "positions", [99])[100:].any()


@pytest.mark.parametrize("name", ["positions", "watch_times"])
def test_one_viewer_moves_a_suffix_histogram_by_at_most_the_norm_that_its_noise_is_made_for(name: str) -> None:
    norm2 = counter_plan(len(HISTOGRAMS[name])).norm2
    moved = [int((encoded("retention", name, [cell]) ** 2).sum()) for cell in range(len(HISTOGRAMS[name]))]
    assert max(moved) == norm2
    part = next(part for part in histograms("retention").parts if part.name == name)
    assert part.variance == Fraction(norm2) / (2 * BOUNDS[name].rho)


def test_hours_of_one_viewer_are_different_cells_so_their_squares_add_up_to_the_bound() -> None:
    row = encoded("hours", "hours", [0, 50, 100, 167])
    assert int((row**2).sum()) == BOUNDS["hours"].bound
    (part,) = histograms("hours").parts
    assert part.variance == Fraction(BOUNDS["hours"].bound) / (2 * BOUNDS["hours"].rho)


def test_each_count_of_a_channel_has_its_own_bound_and_budget() -> None:
    parts = histograms("channel").parts
    assert [part.name for part in parts] == list(HISTOGRAMS["channel"].cells)
    for part, bound in zip(parts, POLICY.channel, strict=True):
        assert (part.width, part.variance) == (1, Fraction(bound.bound**2) / (2 * bound.rho))


cells = st.lists(st.tuples(st.integers(0, 27), st.integers(-(10**9), 10**9)), max_size=12)


@settings(max_examples=40, deadline=None)
@given(cells)
def test_without_noise_a_suffix_histogram_is_how_many_are_in_a_cell_or_a_later_one(held: list[tuple[int, int]]) -> None:
    row = encoded("retention", "watch_times", [cell for cell, _ in held], weights=[count for _, count in held])
    shown = histograms("retention").estimate(row[None].astype(np.float64))[0, 100:]
    assert shown.tolist() == [sum(count for cell, count in held if cell >= first) for first in range(28)]


def test_an_estimate_does_not_depend_on_what_it_is_estimated_beside() -> None:
    noisy = ((np.arange(60 * 128, dtype=np.int64) * 2654435761) % 10**9).reshape(60, 128).astype(np.float64)
    together = histograms("retention").estimate(noisy)
    alone = np.concatenate([histograms("retention").estimate(row[None]) for row in noisy])
    assert np.array_equal(together, alone)


def test_the_stated_error_of_a_suffix_count_is_what_its_decoding_makes_of_the_noise() -> None:
    """A unit of noise in one number at a time: the decoding's matrix, column by column."""
    shape = histograms("retention")
    size = 10**6  # far above the rounding to whole numbers
    for part, at in zip(shape.parts, (slice(0, 100), slice(100, 128)), strict=True):
        ones = np.zeros((part.width, 128))
        ones[:, at] = np.eye(part.width) * size
        columns = shape.estimate(ones)[:, at] / size
        np.testing.assert_allclose(
            np.linalg.norm(columns, axis=0) * float(part.variance) ** 0.5, part.sigmas, rtol=1e-4
        )


# ---- Audiences


def several_interests(count: int) -> Tables:
    text = POLICY.text.replace("[interests] ", f"[interests]\na_viewer = {count} ")
    return Tables(parse_policy(text), "audience", norm2=1)


def viewer(shape: Tables, interests: tuple[int, ...]) -> Int64s:
    """The row of a video that one viewer watched, as measure tells of it: a row for each further interest."""
    count = len(interests)
    columns = {axis: np.full(count, 1) for axis in ("age", "gender", "country", "type")}
    columns |= {"interest": np.array(interests), "extra": np.minimum(np.arange(count), 1)}
    ones = np.ones(count, dtype=np.int64)
    return shape.encode(columns, weights=ones, slots=0 * ones, count=1).ravel()


def parts_of(shape: Tables, row: Int64s) -> dict[str, Int64s]:
    ends = np.cumsum([part.width for part in shape.parts])[:-1]
    return dict(zip([part.name for part in shape.parts], np.split(row, ends), strict=True))


def test_a_viewer_of_one_interest_is_in_one_cell_of_every_table() -> None:
    shape = Tables(POLICY, "audience", norm2=1)
    tables = parts_of(shape, viewer(shape, (3,)))
    assert list(tables) == list(POLICY.audiences["audience"].tables)
    assert {int((table**2).sum()) for table in tables.values()} == {1}
    assert all(len(table) == len(cells_of(name, POLICY.axes)) for name, table in tables.items())


def test_a_viewer_of_three_interests_is_in_three_cells_of_a_table_of_interests_and_in_one_elsewhere() -> None:
    shape = several_interests(3)
    tables = parts_of(shape, viewer(shape, (3, 7, 9)))
    for name, table in tables.items():
        assert int((table**2).sum()) == (3 if "interest" in AUDIENCE_AXES[name] else 1), name
        assert int(table.max()) == 1, "different cells"


@pytest.mark.parametrize("count", [1, 2, 4])
def test_all_tables_together_cost_the_familys_budget(count: int) -> None:
    shape = several_interests(count)
    spent = Fraction(0)
    for part in shape.parts:
        squared = count if "interest" in AUDIENCE_AXES[part.name] else 1
        spent += Fraction(squared) / (2 * part.variance)
    assert spent == POLICY.audiences["audience"].rho


@pytest.mark.parametrize("count", [1, 3])
def test_estimates_of_any_noise_add_up_within_each_group_of_tables(count: int) -> None:
    shape = several_interests(count)
    noisy = ((np.arange(shape.width, dtype=np.int64) * 2654435761) % 999 - 300).astype(np.float64)[None]
    tables = parts_of(shape, shape.estimate(noisy)[0])
    sizes = {axis: len(values) for axis, values in POLICY.axes.items()}
    groups = [[name for name in tables if ("interest" in AUDIENCE_AXES[name]) is of_interest] for of_interest in (0, 1)]
    for names in groups if count > 1 else [list(tables)]:
        for name in names:
            axes = AUDIENCE_AXES[name]
            shaped = tables[name].reshape([sizes[axis] for axis in axes])
            for place, axis in enumerate(axes):
                margin = shaped.sum(axis=tuple(other for other in range(len(axes)) if other != place))
                alone = next(other for other in tables if AUDIENCE_AXES[other] == (axis,))
                if alone in names:
                    assert np.array_equal(margin, tables[alone]), (name, alone)
            if "total" in names:
                assert int(shaped.sum()) == int(tables["total"][0])
