"""Boards. In: the board's folder. Out: an open board for the length of one request.

SQLite connections are cheap to keep and wait for each other when shared, so each request borrows one of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, LifoQueue

from footlights.public.board.read import Board, Plan
from footlights.public.web.problems import NOT_READY, Refusal
from footlights.terms.errors import BoardDamaged


class Boards:
    """Keeps opened boards. The gate may not have made the board yet: then borrow raises Refusal NOT_READY."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._idle: LifoQueue[Board] = LifoQueue()
        self._plans: dict[int, Plan] = {}

    @contextmanager
    def borrow(self) -> Iterator[Board]:
        """An open board that nobody else uses meanwhile."""
        board = self._take()
        try:
            yield board
        finally:
            self._idle.put(board)

    def close(self) -> None:
        """Close those that nobody uses."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    def _take(self) -> Board:
        try:
            return self._idle.get_nowait()
        except Empty:
            pass
        try:
            return Board(self._folder, plans=self._plans)
        except (BoardDamaged, sqlite3.OperationalError):
            raise Refusal(NOT_READY, {"Retry-After": "10"}) from None
