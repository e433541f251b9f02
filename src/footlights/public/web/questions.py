"""Questions. In: questions of the API and evidence. Out: answers with what proves them; or where a claim differs.

A claim is checked by asking again: the same code reads a board that holds the proved rows and nothing else, so whatever
is computed from figures is checked with them, sums, rates and intervals alike.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import msgspec

from footlights.public import insights
from footlights.public.board.evidence import Asked, Evidence, Proved, Traced, evidence_of
from footlights.public.board.live import Live, LiveBoard
from footlights.public.board.live_evidence import ProvedLive, live_evidence
from footlights.public.board.matrices import Matrices
from footlights.public.board.read import Board
from footlights.public.web import exports
from footlights.public.web.api import ENDPOINTS, Call
from footlights.public.web.calls import Access, Admitted
from footlights.public.web.problems import Refusal
from footlights.public.web.queries import checked_query
from footlights.terms.errors import NotFound, ProofFailed
from footlights.terms.figures import Figure, rfc3339

#: Parameters that change the form of an answer and not what it says.
_FORMS = ("format",)
_PROVED = [endpoint for endpoint in ENDPOINTS if endpoint.access is not Access.PUBLIC and endpoint.proved]
#: What can be asked of evidence; and what of evidence of a live session, whose board and log are its own.
BY_PATH = {endpoint.path: endpoint for endpoint in _PROVED if endpoint.of_session is None}
OF_SESSION = {endpoint.path: endpoint.of_session for endpoint in _PROVED if endpoint.of_session is not None}


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Where a claim is not what was published. line: of a CSV file, from 1; 0 of JSON. where: which figure or field."""

    where: str
    says: str
    published: str
    line: int = 0


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a claim. figures: how many were checked. differences: none if all is as published."""

    origin: str
    through: str
    figures: int
    rows: int
    differences: tuple[Difference, ...]


def prove(matrices: Matrices, asked: list[Asked]) -> Evidence:
    """The answers to some questions, and what proves them. Raises ProofFailed where there is no proof yet, NotFound."""

    def ask(board: Traced) -> list[Asked]:
        return [msgspec.structs.replace(each, answer=_as_json(answer_to(board, each))) for each in asked]

    return evidence_of(matrices, ask)


def prove_live(matrices: Matrices, asked: Asked) -> Evidence:
    """The same for a question about a live session. matrices: live_matrices of the board."""
    return live_evidence(matrices, asked, lambda board, live: _as_json(answer_of_session(board, live, asked)))


def answer_of_session(board: LiveBoard, live: Live, asked: Asked) -> Any:
    """The answer that a live board gives to a question about a session. Raises ProofFailed as answer_to."""
    found = OF_SESSION.get(asked.endpoint)
    if found is None:
        raise ProofFailed("Nothing proves this answer: it is an insight, or of another version.")
    if (live.id, live.creator) != (asked.live, asked.creator):
        raise ProofFailed("The evidence does not hold what its question is about.")
    return found(board, live)


def answer_to(board: Board, asked: Asked) -> Any:
    """The answer that a board gives to a question. Raises ProofFailed for one that the API does not have."""
    endpoint = BY_PATH.get(asked.endpoint)
    if endpoint is None:
        raise ProofFailed("Nothing proves this answer: it is an insight, or of another version.")
    try:
        query = checked_query(endpoint.parameters, {name: str(value) for name, value in asked.query.items()})
        creator = board.creator(asked.creator)
        video = board.video(asked.video) if asked.video is not None else None
    except (Refusal, NotFound):
        raise ProofFailed("The evidence does not hold what its question is about.") from None
    if ("{video}" in asked.endpoint) != (video is not None):
        raise ProofFailed("The question names no video, or one too many.")
    call = Call(board=board, admitted=Admitted(creator=creator, video=video), query=query, sums=insights.DaySums())
    return endpoint.run(call)


def _as_json(answer: Any) -> Any:
    """An answer as whoever asked has it."""
    return msgspec.json.decode(msgspec.json.encode(answer))


def question(
    endpoint: str, *, creator: str, video: str | None = None, live: str | None = None, query: dict[str, str]
) -> Asked:
    """A question as evidence keeps it. query: as it was given."""
    kept = {name: value for name, value in query.items() if name not in _FORMS}
    return Asked(endpoint=endpoint, creator=creator, video=video, live=live, query=kept)


def verify(evidence: Evidence, key: str, *, table: str | None = None) -> Verdict:
    """Whether answers are what was published, by the operator's public key. Raises ProofFailed where nothing is proved.

    table: a CSV export of the first of them, which is then checked in place of the answers that the evidence holds.
    """
    with closing(Proved(evidence, key) if evidence.live is None else ProvedLive(evidence, key)) as board:
        try:
            again = [_again(board, evidence, asked) for asked in evidence.asked]
        except Refusal as refusal:
            raise ProofFailed(f"The question cannot be asked: {refusal.problem.detail}") from None
        if table is not None:
            if not again:
                raise ProofFailed("The evidence answers nothing.")
            found, figures = _lines_that_differ(table, exports.export(again[0], format="csv").decode())
        else:
            found, figures = [], 0
            for asked, answer in zip(evidence.asked, again, strict=True):
                where = asked.video or asked.live or asked.creator if len(again) > 1 else ""
                found += _fields_that_differ(asked.answer, _as_json(answer), where)
                figures += _count(asked.answer)
        return Verdict(
            origin=board.checkpoint.origin, through=rfc3339(board.checkpoint.through_utc), figures=figures,
            rows=len(evidence.rows), differences=tuple(found),
        )  # fmt: skip


def _again(board: Proved | ProvedLive, evidence: Evidence, asked: Asked) -> Any:
    """An answer as what was proved gives it."""
    if isinstance(board, ProvedLive):
        assert evidence.live is not None, "such a board is made from evidence of a session"
        return answer_of_session(board, evidence.live.session, asked)
    return answer_to(board, asked)


def _lines_that_differ(table: str, published: str) -> tuple[list[Difference], int]:
    """A file may leave lines out and be sorted otherwise: each line that it has must be one that was published."""
    claimed, known = _parsed(table), {_name(row): row for row in _parsed(published)}
    found = []
    for line, row in enumerate(claimed, start=2):
        right = known.get(_name(row))
        if row != right:
            what = " ".join(value for value in (row.get("id"), row.get("cell"), row.get("metric")) if value)
            found.append(Difference(line=line, where=what, says=_words(row), published=_words(right)))
    return found, len(claimed)


def _parsed(text: str) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(text)))
    if rows and set(exports.COLUMNS) - set(rows[0]):
        raise ProofFailed(f"This is no export of figures: its columns are {', '.join(exports.COLUMNS)}.")
    return [{name: row.get(name) or "" for name in exports.COLUMNS} for row in rows]


def _name(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in ("scope", "id", "cell", "metric", "as_of", "tick"))


def _words(row: dict[str, str] | None) -> str:
    if row is None:
        return "no such figure"
    return f"{row['value'] or row['state']} ({row['low']} to {row['high']}), {row['state']}"


def _fields_that_differ(says: Any, published: Any, where: str) -> Iterator[Difference]:
    """Whatever a claim says must be so; it need not say everything."""
    if isinstance(says, dict) and isinstance(published, dict):
        for name, value in says.items():
            inner = f"{where}.{name}".lstrip(".")
            if name not in published:
                yield Difference(where=inner, says=_short(value), published="nothing")
            else:
                yield from _fields_that_differ(value, published[name], inner)
    elif isinstance(says, list) and isinstance(published, list) and len(says) == len(published):
        for place, (mine, right) in enumerate(zip(says, published, strict=True)):
            yield from _fields_that_differ(mine, right, f"{where}[{place}]")
    elif says != published or isinstance(says, bool) != isinstance(published, bool):
        yield Difference(where=where, says=_short(says), published=_short(published))


def _short(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 120 else f"{text[:117]}..."


def _count(answer: Any) -> int:
    """How many figures an answer holds."""
    if isinstance(answer, dict):
        if set(Figure.__struct_fields__) <= set(answer):
            return 1
        return sum(map(_count, answer.values()))
    return sum(map(_count, answer)) if isinstance(answer, list) else 0
