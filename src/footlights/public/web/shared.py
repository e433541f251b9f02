"""Shared. In: a data folder and settings. Out: what every handler of the public side needs, opened once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from footlights.public.accounts.creators import Accounts, Who
from footlights.public.accounts.export_keys import ExportKeys
from footlights.public.accounts.shares import Shares
from footlights.public.accounts.store import Store
from footlights.public.board.live_streams import live_matrices
from footlights.public.board.matrices import Matrices
from footlights.public.board.read import Board
from footlights.public.insights import DaySums
from footlights.public.languages import Language
from footlights.public.web.api import Call
from footlights.public.web.boards import Boards
from footlights.public.web.calls import Access, admit, session_of
from footlights.public.web.problems import NOT_READY, Refusal
from footlights.public.web.queries import Parameter, checked_query
from footlights.public.web.sessions import LANGUAGE_COOKIE, here
from footlights.public.web.templating import Templates
from footlights.settings import Settings


class Shared:
    """Accounts, boards and templates. data: the folder, of which this process opens board and public alone."""

    def __init__(self, data: Path, settings: Settings, templates: Templates) -> None:
        self.data = data
        self.settings = settings
        self.store = Store(data / "public")
        self.accounts = Accounts(self.store, session_days=settings.session_days)
        self.shares = Shares(self.store)
        self.export_keys = ExportKeys(self.store)
        self.boards = Boards(data / "board")
        self.matrices = Matrices(data / "board")
        self.live_matrices = live_matrices(data / "board")
        self.sums = DaySums()
        # The simulated platform, on which apps are tried: creators there may have the ids of real ones.
        self.trial_boards = Boards(data / "sandbox" / "board")
        self._trial_sums = DaySums()
        self.languages = templates.languages
        self._templates = templates

    def close(self) -> None:
        """Give the files back."""
        self.boards.close()
        self.trial_boards.close()
        self.store.close()

    def boards_of(self, who: Who | None) -> Boards:
        """The boards that somebody reads: real ones, or those of the simulated platform."""
        return self.trial_boards if who is not None and who.sandbox else self.boards

    def sums_of(self, who: Who | None) -> DaySums:
        """What is known of days that are over, on those boards."""
        return self._trial_sums if who is not None and who.sandbox else self.sums

    @contextmanager
    def maybe_board(self) -> Iterator[Board | None]:
        """The board for one request; None before the gate has made it. What a page says of a start has no board."""
        with ExitStack() as stack:
            board = None
            try:
                board = stack.enter_context(self.boards.borrow())
            except Refusal as refusal:
                if refusal.problem is not NOT_READY:
                    raise
            yield board

    def call(
        self, board: Board, access: Access, parameters: tuple[Parameter, ...], session: Who | None, request: Request
    ) -> Call:
        """A call that may be answered. Raises Refusal for an asker who may not, or a query that cannot be."""
        admitted = None if session is None else admit(board, access, session=session, path=request.path_params)
        query = checked_query(parameters, dict(request.query_params))
        return Call(
            board=board, admitted=admitted, query=query, sums=self.sums_of(session), accounts=self.accounts,
            shares=self.shares,
        )  # fmt: skip

    def owner(self, request: Request) -> str:
        """The creator who asks, themselves and no reader of theirs. Raises Refusal."""
        session = session_of(request, self.accounts)
        with self.boards.borrow() as board:
            self.call(board, Access.OWNER, (), session, request)
        return session.creator

    def language_of(self, request: Request) -> Language:
        """The language that somebody chose, or else the one of ours that their browser likes best."""
        chosen = request.cookies.get(LANGUAGE_COOKIE, "")
        return self.languages.of(chosen=chosen, accept=request.headers.get("accept-language", ""))

    def html(
        self,
        request: Request,
        template: str,
        values: dict[str, Any],
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> Response:
        """A page in the asker's language. headers: beside those that every page has."""
        language = self.language_of(request)
        told_of_all = {"path": request.url.path, "query": dict(request.query_params), "here": here(request)}
        text = self._templates.render(template, language, {**told_of_all, **values})
        told = {
            "Cache-Control": "private, no-cache", "Vary": "Cookie, Accept-Language",
            "Content-Language": language.code, **(headers or {}),
        }  # fmt: skip
        return HTMLResponse(text, status_code=status, headers=told)
