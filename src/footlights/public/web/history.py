"""History. In: exports that a signed-in creator uploads. Out: their own history: kept for them alone, shown, deleted.

A file is read in memory and let go: what is kept is what was understood of it, in a file of this creator's own in the
public folder. A creator's readers see no history, since it was not lent to them; the operator has no page of it.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from footlights.public.histories.containers import members_of_uploads
from footlights.public.histories.found import Unreadable
from footlights.public.histories.history import History
from footlights.public.histories.limits import UPLOADED
from footlights.public.histories.reading import Told, read_export
from footlights.public.histories.write import add, delete
from footlights.public.web.calls import Access, admit, session_of
from footlights.public.web.forms import Form, posted
from footlights.public.web.history_pages import PAGES, HistoryPage, values_of
from footlights.public.web.problems import BAD_FORM, BUSY, OTHER_SITE, Refusal, bad_form
from footlights.public.web.queries import checked_query
from footlights.public.web.sessions import from_own_page
from footlights.public.web.shared import Shared
from footlights.terms.errors import BadFile, NotFound

log = structlog.get_logger()

ROOT = "/studio/history"
FILES_AT_ONCE_MAX = 60
#: A creator's share of the server's disk.
HISTORY_BYTES_MAX = 64_000_000
#: Reading takes a processor for seconds and memory for what it unpacks to: figures must go on being served meanwhile.
READING_AT_ONCE_MAX = 2


class _InMemory(MultiPartParser):
    """Keeps files off the disk: a download holds messages and log-ins, which nothing here may write down."""

    spool_max_size = UPLOADED.packed_bytes + 1_000_000


class Histories:
    """The pages of creators' own histories, and what they may do with them."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._folder = shared.data / "public" / "histories"
        self._reading = threading.BoundedSemaphore(READING_AT_ONCE_MAX)
        self._lock = threading.Lock()
        self._busy: set[str] = set()

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [
            Route(f"{ROOT}/upload", self._upload, methods=["POST"]),
            Route(f"{ROOT}/delete", posted(self._delete), methods=["POST"]),
            *(self._page_route(page) for page in PAGES),
        ]

    def bodies(self) -> dict[str, int]:
        """The paths that take a larger body than all others, and how large, in bytes."""
        return {f"{ROOT}/upload": UPLOADED.packed_bytes + 100_000}

    def _page_route(self, page: HistoryPage) -> Route:
        def show(request: Request) -> Response:
            values = self._frame(request)
            query = checked_query(page.parameters, dict(request.query_params))
            try:
                with History(self._path(values["creator"].id)) as history:
                    return self._html(
                        request, page.template, values | values_of(page, history, query, request.path_params)
                    )
            except (NotFound, BadFile):
                return self._html(request, "history_none.html", values)

        return Route(ROOT + page.path, show, methods=["GET"], name=page.template.removesuffix(".html"))

    async def _upload(self, request: Request) -> Response:
        if not from_own_page(request):
            raise Refusal(OTHER_SITE)
        # Before a byte of the body is read: nobody who is not signed in makes this server read megabytes.
        values = await run_in_threadpool(self._frame, request)
        # Held while the body comes, too: one creator fills no memory by bringing many at a time.
        with self._alone(values["creator"].id):
            files, told = await _brought(request)
            return await run_in_threadpool(self._read, request, values, files, told)

    def _read(self, request: Request, values: dict[str, Any], files: list[tuple[str, bytes]], told: Told) -> Response:
        now = int(time.time())
        path = self._path(values["creator"].id)
        with self._reading_slot():
            try:
                reading = read_export(members_of_uploads(files, UPLOADED), UPLOADED, now_utc=now, told=told)
                new = add(path, reading, now_utc=now, bytes_max=HISTORY_BYTES_MAX) if reading.tables else 0
            except Unreadable as error:
                raise bad_form(self._shared.language_of(request).say(error.note.text, **error.note.values)) from None
        log.info("history.brought", tables=len(reading.tables), refused=len(reading.refused))
        return self._html(request, "history_read.html", {**values, "reading": reading, "new": new})

    def _delete(self, request: Request, form: Form) -> Response:
        del form
        creator_id = self._frame(request)["creator"].id
        with self._alone(creator_id):
            delete(self._path(creator_id))
        log.info("history.deleted")
        return RedirectResponse(ROOT, status_code=303)

    @contextmanager
    def _alone(self, creator_id: str) -> Iterator[None]:
        """One creator's files one after another. Raises Refusal BUSY."""
        with self._lock:
            if creator_id in self._busy:
                raise Refusal(BUSY, {"Retry-After": "10"})
            self._busy.add(creator_id)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(creator_id)

    @contextmanager
    def _reading_slot(self) -> Iterator[None]:
        """Few creators' files at once. Raises Refusal BUSY."""
        if not self._reading.acquire(blocking=False):
            raise Refusal(BUSY, {"Retry-After": "10"})
        try:
            yield
        finally:
            self._reading.release()

    def _frame(self, request: Request) -> dict[str, Any]:
        """What every page needs. Raises Refusal for who is not signed in, or reads another's channel."""
        session = session_of(request, self._shared.accounts)
        with self._shared.boards.borrow() as board:
            creator = admit(board, Access.OWNER, session=session, path={}).creator
        return {"creator": creator, "root": ROOT, "local": False, "upload_bytes_max": UPLOADED.packed_bytes}

    def _path(self, creator_id: str) -> Path:
        """A creator's file: its name says nothing of whose it is, and an id with a slash leads nowhere."""
        return self._folder / f"{hashlib.sha256(creator_id.encode()).hexdigest()}.db"

    def _html(self, request: Request, template: str, values: dict[str, Any]) -> Response:
        return self._shared.html(request, template, values, headers={"Cache-Control": "private, no-store"})


async def _brought(request: Request) -> tuple[list[tuple[str, bytes]], Told]:
    """The files of an upload with their names, and what is told of them. Raises Refusal."""
    form = await _form(request)
    try:
        uploads = [each for each in form.getlist("file") if isinstance(each, UploadFile) and each.filename]
        year = form.get("year")
        files = [(each.filename or "", await each.read()) for each in uploads]
    finally:
        await form.close()
    told = Told(year=_year(year if isinstance(year, str) else ""))
    if not any(data for _, data in files):
        raise bad_form("Choose the files first: the zip, CSV, XLSX or JSON that TikTok or YouTube gave you.")
    return files, told


async def _form(request: Request) -> FormData:
    """The form of an upload, in memory. Raises Refusal for another form."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Refusal(BAD_FORM)
    parser = _InMemory(
        request.headers, request.stream(), max_files=FILES_AT_ONCE_MAX, max_fields=4, max_part_size=10_000
    )  # fmt: skip
    try:
        return await parser.parse()
    except (MultiPartException, KeyError):
        raise bad_form(f"Bring at most {FILES_AT_ONCE_MAX} files at once, or one zip of them.") from None


def _year(text: str) -> int | None:
    if not text.strip():
        return None
    if not (text.isascii() and text.isdecimal() and 2005 <= int(text) <= 2200):
        raise bad_form("The year is one such as 2026, or nothing.")
    return int(text)
