"""Folder. In: a data folder and what is asked. Out: the API's answer, computed here from the board alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from footlights.client.source import Asked, endpoint_of, error_of, texts
from footlights.public import insights
from footlights.public.board.read import Board
from footlights.public.web.api import CREATORS_PATH, Call, listed
from footlights.public.web.calls import Admitted
from footlights.public.web.problems import Refusal
from footlights.public.web.queries import checked_query


class Folder:
    """A board that this process reads itself. Raises BoardDamaged where there is none."""

    def __init__(self, data: Path) -> None:
        self._board = Board(data / "board")
        self._sums = insights.DaySums()

    def ask(self, path: str, ids: Mapping[str, str], query: Asked) -> Any:
        """The endpoint's answer. Nobody signs in, so nobody is refused: the file's permissions are what decides."""
        if path == CREATORS_PATH:
            return listed(self._board.creators())
        endpoint = endpoint_of(path)
        try:
            checked = checked_query(endpoint.parameters, texts(query))
            call = Call(board=self._board, admitted=self._admitted(ids), query=checked, sums=self._sums)
            return endpoint.run(call)
        except Refusal as refusal:
            raise error_of(refusal.problem) from None

    def close(self) -> None:
        """Give the file back."""
        self._board.close()

    def _admitted(self, ids: Mapping[str, str]) -> Admitted | None:
        if "video" in ids:
            video = self._board.video(ids["video"])
            return Admitted(creator=self._board.creator_of(video), video=video)
        return Admitted(creator=self._board.creator(ids["creator"]), video=None) if ids else None
