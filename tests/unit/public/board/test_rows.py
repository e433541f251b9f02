from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from footlights.public.board.rows import PLAIN_WORDS_MAX, Layout, distinct, layout_of
from footlights.terms.errors import BoardDamaged

Int64s = NDArray[np.int64]
PLAIN, DENSE = layout_of("counters"), layout_of("audience", width=PLAIN_WORDS_MAX)
BOTH = pytest.mark.parametrize("layout", [PLAIN, DENSE], ids=["plain", "zstd"])


def some(layout: Layout, *, lines: int = 3) -> tuple[Int64s, Int64s, Int64s]:
    numbers = (np.arange(lines * layout.width, dtype=np.int64) * 2654435761) % 2**40 - 2**39
    y, estimates, exact = np.split(numbers.reshape(lines, -1), [layout.noisy, 2 * layout.noisy], axis=1)
    return y, estimates, exact


@BOTH
def test_what_was_packed_comes_back(layout: Layout) -> None:
    told = some(layout)
    for one, other in zip(layout.unpack(layout.pack(*told)), told, strict=True):
        assert np.array_equal(one, other)


@BOTH
@pytest.mark.parametrize(
    "damage", [lambda row: row[:-1], lambda row: b"", lambda row: row + b"\0", lambda row: row[8:]]
)
def test_a_row_that_is_cut_is_an_error_and_never_a_figure(layout: Layout, damage: object) -> None:
    assert callable(damage)
    whole, *others = layout.pack(*some(layout))
    with pytest.raises(BoardDamaged, match="a row of the board is cut"):
        layout.unpack([damage(whole), *others])


def test_a_row_of_another_width_is_an_error_though_it_unpacks() -> None:
    other = layout_of("audience", width=PLAIN_WORDS_MAX + 1)
    with pytest.raises(BoardDamaged):
        DENSE.unpack(other.pack(*some(other)))


def test_a_row_of_counters_has_128_bytes_and_a_wide_row_fewer_than_its_numbers() -> None:
    (row,) = PLAIN.pack(*some(PLAIN, lines=1))
    assert len(row) == 128
    small = np.arange(DENSE.noisy, dtype=np.int64)[None]
    (packed,) = DENSE.pack(small, small, np.zeros((1, 0), dtype=np.int64))
    assert len(packed) < DENSE.width * 8 / 4


def test_equal_figures_are_equal_rows_since_a_crash_is_told_by_them() -> None:
    assert DENSE.pack(*some(DENSE)) == DENSE.pack(*some(DENSE))


@pytest.mark.parametrize("numbers", [[], [5], [5, 5], [1, 2, 2, 9], [9, -1, 2, 9, 2, -1], [0, 0, 0]])
def test_distinct_tells_each_number_once_ascending(numbers: list[int]) -> None:
    assert distinct(np.asarray(numbers, dtype=np.int64)).tolist() == sorted(set(numbers))
