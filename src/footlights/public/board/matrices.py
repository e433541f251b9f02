"""Matrices. In: the folder beside the board. Out: the rows of plans' matrices, and the hash that stands for each."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from footlights.public.board import merkle
from footlights.terms.errors import BoardDamaged

Matrix = NDArray[np.float32] | NDArray[np.float64]


class Matrices:
    """The matrices of a board, each hashed once. Safe to share between threads.

    shape: turns a matrix that was read into the one whose rows are proved; None: its own are.
    """

    def __init__(self, folder: Path, *, shape: Callable[[Matrix], Matrix] | None = None) -> None:
        self.folder = folder
        self._shape = shape
        self._loaded: dict[str, Matrix] = {}
        self._trees: dict[str, tuple[int, merkle.Node]] = {}

    def root(self, name: str) -> str:
        """The hash that stands for a matrix, as hex."""
        size, tree = self._tree(name)
        return matrix_hash(size, merkle.root_of(size, tree))

    def load(self, name: str) -> Matrix:
        """A matrix, not read yet. Raises BoardDamaged where it is missing."""
        if name not in self._loaded:
            try:
                read: Matrix = np.load(self.folder / name, mmap_mode="r")
                self._loaded[name] = read if self._shape is None else self._shape(read)
            except (OSError, ValueError):
                raise BoardDamaged(f"board: {name} is missing or cut. `footlights tick` writes it again.") from None
        return self._loaded[name]

    def proved_row(self, name: str, row: int) -> tuple[bytes, list[bytes]]:
        """A row's bytes, and the path that leads from it to the matrix's root."""
        return lines_of(self.load(name)[row : row + 1])[0], merkle.inclusion_path(row, *self._tree(name))

    def _tree(self, name: str) -> tuple[int, merkle.Node]:
        if name not in self._trees:
            rows = self.load(name)
            self._trees[name] = len(rows), merkle.tree([merkle.leaf_hash(line) for line in lines_of(rows)])
        return self._trees[name]


def matrix_hash(size: int, root: bytes) -> str:
    """What stands for a matrix, as hex: how many rows it has, and the root of the tree of them."""
    return sha256(size.to_bytes(8, "big") + root).hexdigest()


def lines_of(rows: Matrix) -> list[bytes]:
    """Each row as bytes: little-endian, as wide as it is, without the zeros at its end: most of a young step's."""
    text = np.ascontiguousarray(rows, dtype=rows.dtype.newbyteorder("<")).tobytes()
    count, columns = rows.shape
    filled = rows != 0
    ends = np.where(filled.any(axis=1), columns - np.argmax(filled[:, ::-1], axis=1), 0).tolist()
    width = columns * rows.itemsize
    return [text[at * width : at * width + end * rows.itemsize] for at, end in zip(range(count), ends, strict=True)]


def names_in(detail: dict[str, object]) -> list[str]:
    """The matrices that a plan's detail names."""
    along = detail.get("cell_rows") or {}
    assert isinstance(along, dict), "a plan names a matrix for each suffix histogram"
    return sorted({str(name) for name in (detail.get("error_rows"), *along.values()) if name})
