"""Evidence. In: a board that somebody reads. Out: what they read, with proofs, so that anybody can read it again alone.

    Traced      a board that remembers what was read of it      ─▶ Evidence (JSON)
    Evidence    checked against the operator's key, offline     ─▶ Proved: a board that holds that and nothing else

Whoever asks a Proved board what was asked of the Traced one gets the same figures, if nobody has changed them. What no
row was used for, and what the platform declared and may change (names, titles), is in it and proved by nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.public.board import merkle
from footlights.public.board.live import Live, Question
from footlights.public.board.live_streams import LiveStream, StatedQuestion
from footlights.public.board.log import LIVE, Log, LogKey, endorsement_text
from footlights.public.board.matrices import Matrices, matrix_hash, names_in
from footlights.public.board.minutes import root_at
from footlights.public.board.notes import RESTORED, Checkpoint, opened, parsed_key, verified
from footlights.public.board.read import Board, Creator, Plan, Video
from footlights.public.board.statements import (
    SALT_BYTES,
    Stream,
    canonical,
    minute_leaf,
    minute_of,
    place_of,
    plan_hash,
    policies_hash,
    row_leaf,
    salt_of,
)
from footlights.public.board.streams import StreamTable
from footlights.terms.errors import BoardDamaged, ProofFailed
from footlights.terms.families import FAMILIES
from footlights.terms.figures import rfc3339

FORMAT = "footlights-evidence-1"
#: A channel of eighty videos over two months has so many; a row takes a millisecond.
ROWS_MAX = 5_000
Rows = NDArray[np.float32]


class ProvedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the board. stream: its place among the streams. in_minute, in_log: paths, as places among the hashes."""

    stream: int
    tick: int
    row: str
    salt: str
    policies: str
    in_minute: list[int]
    in_log: list[int]


class MatrixRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a plan's matrix. values: float32, little-endian."""

    values: str
    path: list[int]


class ProvedMatrix(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a matrix that were used, of `size` in all."""

    size: int
    rows: dict[int, MatrixRow]


class StatedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan's statement. matrices: by name, what stands for their rows, as hex."""

    family: str
    detail: str
    matrices: dict[str, str]

    @property
    def hash(self) -> str:
        """What streams name it by."""
        return plan_hash(self.family, self.detail, self.matrices)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question of the API, and its answer as it was given. endpoint: its path, with names in braces."""

    endpoint: str
    creator: str
    video: str | None = None
    live: str | None = None
    query: dict[str, Any] = {}
    answer: Any = None


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """That somebody shows these figures, and until when. title: in their words."""

    title: str
    made_at: str
    expires_at: str


class OfLive(msgspec.Struct, frozen=True, kw_only=True):
    """What evidence of a live session holds besides: the session and its questions, as declared, and its streams."""

    session: Live
    questions: list[Question]
    streams: list[LiveStream]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Answers, and what proves them. Texts of bytes are base64; hashes: those that paths lead over, each once.

    signature: the server's, a detached JWS over the answers and what was said beside them (signed_content).
    live: of a live session, whose rows are in a log of its own; then `streams` holds none.
    """

    format: str = FORMAT
    asked: list[Asked]
    checkpoint: str
    keys: list[LogKey]
    policies: list[tuple[int, str]]
    plans: list[StatedPlan]
    matrices: dict[str, ProvedMatrix]
    streams: list[Stream]
    creators: list[Creator]
    videos: list[Video]
    rows: list[ProvedRow]
    hashes: list[str]
    share: Shared | None = None
    signature: str = ""
    live: OfLive | None = None

    def stated(self) -> Sequence[Stream | LiveStream]:
        """The streams that rows are of."""
        return self.streams if self.live is None else self.live.streams

    def signed_content(self) -> bytes:
        """What the server signs."""
        return canonical(msgspec.to_builtins({"asked": self.asked, "share": self.share}))


class Traced(Board):
    """A board that remembers what was read of it. It stands at the newest checkpoint. Raises ProofFailed before one."""

    def __init__(self, matrices: Matrices) -> None:
        super().__init__(matrices.folder)
        self._matrices = matrices
        note = self.log().checkpoint()
        if note is None:
            raise ProofFailed("Nothing is proved yet: the gate signs the log at its next tick.")
        self.note = note
        self.size = int(note.split("\n")[1])
        self.read: set[tuple[int, int]] = set()
        self.spends: set[int] = set()
        self.lines: dict[str, set[int]] = {}
        self.seen_videos: dict[str, Video] = {}
        self.seen_creators: dict[str, Creator] = {}

    def published_through_utc(self) -> int | None:
        """The moment that the checkpoint covers: what came after it is not proved yet."""
        return 60 * (self.size - 1)

    def rows_of(self, spend: int, ticks: range) -> list[tuple[int, bytes]]:
        """As the board has it."""
        return self._remember(spend, super().rows_of(spend, ticks))

    def rows_at(self, places: Sequence[tuple[int, int]]) -> list[bytes]:
        """As the board has it."""
        self.read.update(places)
        return super().rows_at(places)

    def streams_of(self, creator: Creator, family: str) -> dict[int, tuple[int, Plan, int]]:
        """As the board has it."""
        found = super().streams_of(creator, family)
        self.spends.update(spend for spend, _, _ in found.values())
        return found

    def video(self, video_id: str) -> Video:
        """As the board has it."""
        return self._seen(super().video(video_id))

    def videos(self, creator: Creator, **which: Any) -> list[Video]:
        """As the board has it."""
        return [self._seen(video) for video in super().videos(creator, **which)]

    def creator(self, creator_id: str) -> Creator:
        """As the board has it."""
        creator = super().creator(creator_id)
        self.seen_creators[creator.id] = creator
        return creator

    def policy_rows(self) -> list[tuple[int, str]]:
        """The policies that were decided."""
        return self._db.execute("SELECT from_season, text FROM policies ORDER BY policy").fetchall()

    def stated_plans(self, streams: Iterable[Stream], matrices: Matrices) -> list[StatedPlan]:
        """The statements of the plans of some streams."""
        wanted, found = {stream.plan for stream in streams}, []
        for family, detail in self._db.execute("SELECT family, detail FROM plans ORDER BY plan"):
            roots = {name: matrices.root(name) for name in names_in(json.loads(detail))}
            plan = StatedPlan(family=family, detail=detail, matrices=roots)
            if plan.hash in wanted:
                found.append(plan)
        return found

    def statement(self, table: StreamTable, spend: int) -> Stream:
        """A stream's statement."""
        stream = table.stream(spend)
        assert stream is not None, "a stream that was read is there"
        return stream

    def table(self, matrices: Matrices) -> StreamTable:
        """The streams of this board."""
        return StreamTable(self._db, matrices)

    def packed(self, spend: int, tick: int) -> bytes:
        """A row, without being remembered for it."""
        return super().rows_at([(spend, tick)])[0]

    def _seen(self, video: Video) -> Video:
        self.seen_videos[video.id] = video
        return video

    def _remember(self, spend: int, found: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        self.read.update((spend, tick) for tick, _ in found)
        return found

    def _stream(self, subject: int, family: str, *, season: int = 0) -> tuple[int, Plan, int] | None:
        stream = super()._stream(subject, family, season=season)
        if stream is not None:
            self.spends.add(stream[0])
        return stream

    def _newest(self, subject: int, family: str, tick: int, *, season: int = 0) -> tuple[Plan, int, int, bytes] | None:
        found = super()._newest(subject, family, tick, season=season)
        if found is not None:
            stream = super()._stream(subject, family, season=season)
            assert stream is not None, "a stream with a row is there"
            self.read.add((stream[0], found[2]))
        return found

    def _made_plan(self, plan: int, family: str, detail: str) -> Plan:
        lines, matrices = self.lines, self._matrices

        class TracedPlan(Plan):
            def _rows(self, name: str) -> Any:
                whole = matrices.load(name)
                return Lines(whole.shape, whole.__getitem__, lines.setdefault(name, set()))

        return TracedPlan(plan, family, json.loads(detail), self.folder)


class Lines:
    """A matrix of which each row that is asked for is noted."""

    def __init__(self, shape: tuple[int, ...], row: Callable[[int], Any], asked: set[int]) -> None:
        self.shape, self._row, self._asked = shape, row, asked

    def __getitem__(self, step: Any) -> Any:
        if np.ndim(step):
            return np.stack([self[int(each)] for each in step])
        line = int(step) % self.shape[0]
        self._asked.add(line)
        return self._row(line)

    def __len__(self) -> int:
        return self.shape[0]

    def astype(self, kind: Any) -> Any:
        """All of it, as another type."""
        return np.stack([self[step] for step in range(self.shape[0])]).astype(kind)


def gather(board: Traced, asked: Sequence[Asked], matrices: Matrices) -> Evidence:
    """What proves the answers that were read from a board. Raises ProofFailed where they take too many rows."""
    if len(board.read) > ROWS_MAX:
        raise ProofFailed(f"This takes {len(board.read):,} rows to prove; at most {ROWS_MAX:,} are. Ask for less.")
    hashes = Hashes()
    table = board.table(matrices)
    spends = sorted(board.spends | {spend for spend, _ in board.read})
    streams = [board.statement(table, spend) for spend in spends]
    at = {spend: place for place, spend in enumerate(spends)}
    log, size = board.log(), board.size
    rows = [
        proved_row(log, size, streams[at[spend]], tick, board.packed(spend, tick), stream_at=at[spend], hashes=hashes)
        for spend, tick in sorted(board.read)
    ]
    return Evidence(
        asked=list(asked),
        checkpoint=board.note,
        keys=board.log().keys(),
        policies=_policies_then(board.policy_rows(), streams, rows),
        plans=board.stated_plans(streams, matrices),
        matrices={
            matrices.root(name): proved_matrix(matrices, name, lines, hashes)
            for name, lines in sorted(board.lines.items())
        },
        streams=streams,
        creators=list(board.seen_creators.values()),
        videos=list(board.seen_videos.values()),
        rows=rows,
        hashes=hashes.texts,
    )


class Hashes:
    """Hashes that many paths share, each once."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._at: dict[bytes, int] = {}

    def places(self, path: Iterable[bytes]) -> list[int]:
        """Where the hashes of a path stand among them."""
        return [self._place(each) for each in path]

    def _place(self, each: bytes) -> int:
        if each not in self._at:
            self._at[each] = len(self.texts)
            self.texts.append(text_of(each))
        return self._at[each]


def proved_row(
    log: Log, size: int, stream: Stream | LiveStream, tick: int, packed: bytes, *, stream_at: int, hashes: Hashes
) -> ProvedRow:
    """A row with the way from it to a log of some size. stream_at: the stream's place among those of the evidence."""
    moment = stream.moment_utc(tick)
    assert moment is not None, "what was read is in its schedule"
    at = place_of(stream.name, moment)
    proof = log.row_proof(minute=minute_of(moment), place=at, size=size)
    if proof is None:
        raise BoardDamaged("a row of the board is not in its log. Restore the board: `footlights verify` says which.")
    return ProvedRow(
        stream=stream_at, tick=tick, row=text_of(packed),
        salt=salt_of(log.blind(), at).hex(), policies=proof.policies.hex(),
        in_minute=hashes.places(proof.in_minute), in_log=hashes.places(proof.in_log),
    )  # fmt: skip


def proved_matrix(matrices: Matrices, name: str, lines: set[int], hashes: Hashes) -> ProvedMatrix:
    """Some rows of a matrix with the way from each to its root."""
    rows = {}
    for line in sorted(lines):
        values, path = matrices.proved_row(name, line)
        rows[line] = MatrixRow(values=text_of(values), path=hashes.places(path))
    return ProvedMatrix(size=len(matrices.load(name)), rows=rows)


def _policies_then(
    policies: list[tuple[int, str]], streams: list[Stream], rows: list[ProvedRow]
) -> list[tuple[int, str]]:
    """The policies that had been decided when the newest of the rows was published: it names them by their hash."""
    newest = _newest_row(streams, rows)
    if newest is None:
        return policies
    counts = range(len(policies), 0, -1)
    return next(policies[:n] for n in counts if policies_hash(policies[:n]).hex() == newest.policies)


def _newest_row(streams: Sequence[Stream | LiveStream], rows: Sequence[ProvedRow]) -> ProvedRow | None:
    return max(rows, key=lambda row: streams[row.stream].moment_utc(row.tick) or 0, default=None)


# ---- Reading it again


class Proved(Board):
    """A board of what evidence holds, once all of it was checked. Raises ProofFailed, with what is wrong."""

    def __init__(self, evidence: Evidence, key: str) -> None:
        self.checkpoint = checked(evidence, key)
        self.folder = Path()
        self._plans = {}
        self._evidence = evidence
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.deserialize(_empty_board())
        try:
            self._fill(evidence)
        except (sqlite3.Error, OverflowError, KeyError):
            raise ProofFailed("The evidence contradicts itself: it names one thing twice.") from None

    def published_through_utc(self) -> int | None:
        """The moment that the checkpoint covers."""
        return self.checkpoint.through_utc

    def _made_plan(self, plan: int, family: str, detail: str) -> Plan:
        stated, known = self._evidence.plans[plan], self._evidence.matrices

        class ProvedPlan(Plan):
            def _rows(self, name: str) -> Any:
                matrix = known.get(stated.matrices[name], ProvedMatrix(size=1, rows={}))
                # A row is kept without the zeros at its end; a matrix has no more columns than rows.
                return Lines((matrix.size, matrix.size), lambda line: _line(matrix, line), set())

        return ProvedPlan(plan, family, json.loads(detail), self.folder)

    def _fill(self, evidence: Evidence) -> None:
        db = self._db
        db.executemany("INSERT INTO policies (from_season, text) VALUES (?, ?)", evidence.policies)
        plans = {plan.hash: number for number, plan in enumerate(evidence.plans)}
        db.executemany(
            "INSERT INTO plans VALUES (?, ?, ?, ?)",
            ((number, plan.family, plan.hash, plan.detail) for number, plan in enumerate(evidence.plans)),
        )
        db.executemany(
            "INSERT INTO creators VALUES (?, ?, ?, ?, ?, 0)",
            ((c.key, c.id, c.name, c.handle, c.tier) for c in evidence.creators),
        )
        db.executemany(
            "INSERT INTO videos VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (v.key, v.id, v.creator_key, v.title, v.posted_at_utc, v.duration_ms, json.dumps(v.hashtags), v.sound,
                 v.removed_at_utc)
                for v in evidence.videos
            ),
        )  # fmt: skip
        keys = {("video", v.id): v.key for v in evidence.videos} | {("creator", c.id): c.key for c in evidence.creators}
        for number, stream in enumerate(evidence.streams):
            subject = keys.get((_subject_of(stream), stream.id))
            if subject is not None:
                db.execute(
                    "INSERT INTO spends VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (number, subject, stream.season, stream.family, plans[stream.plan], stream.rho, stream.first_tick),
                )
        db.executemany(
            "INSERT INTO figures VALUES (?, ?, ?)", ((row.stream, row.tick, bytes_of(row.row)) for row in evidence.rows)
        )


@lru_cache(maxsize=1)
def _empty_board() -> bytes:
    schema = resources.files("footlights.public.board").joinpath("schema.sql").read_text("utf-8")
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(schema)
        return db.serialize()


def checked(evidence: Evidence, key: str) -> Checkpoint:
    """The checkpoint that proves everything in evidence, by the operator's key. Raises ProofFailed."""
    if evidence.format != FORMAT:
        raise ProofFailed(f"This is no evidence that can be read here: it says {evidence.format[:40]!r}.")
    try:
        checkpoint = opened(evidence.checkpoint, trusted(evidence.keys, key))
        if not same_log(checkpoint.origin, key, log="" if evidence.live is None else LIVE):
            raise ProofFailed("The checkpoint is of another log than the key.")
        hashes = [bytes_of(text) for text in evidence.hashes]
        _check_plans(evidence, hashes)
        _check_rows(evidence, hashes, checkpoint)
    except (IndexError, ValueError, OverflowError):
        raise ProofFailed("The evidence is cut or changed: what its parts name is not in it.") from None
    return checkpoint


def trusted(keys: Sequence[LogKey], key: str) -> list[bytes]:
    """The operator's key, and those that follow from it by endorsement. Raises ProofFailed if it is no key."""
    name, public = parsed_key(key)
    chain = [public]
    publics = [bytes.fromhex(each.public) for each in keys]
    if public in publics:
        for each in keys[publics.index(public) + 1 :]:
            fresh = bytes.fromhex(each.public)
            if not verified(chain[-1], bytes.fromhex(each.endorsement), endorsement_text(name, fresh)):
                raise ProofFailed("A key of the log is not endorsed by the one before it.")
            chain.append(fresh)
    return chain


def same_log(origin: str, key: str, *, log: str = "") -> bool:
    """Whether a checkpoint is of the log that a key is of, before or after the deployment was put back to a copy.

    log: LIVE for the one of live sessions.
    """
    name = parsed_key(key)[0] + log
    return origin == name or origin.startswith(name + RESTORED)


def _check_plans(evidence: Evidence, hashes: list[bytes]) -> None:
    named = {root for plan in evidence.plans for root in plan.matrices.values()}
    for root, matrix in evidence.matrices.items():
        for line, row in matrix.rows.items():
            path = [hashes[at] for at in row.path]
            leaf = merkle.leaf_hash(bytes_of(row.values))
            found = merkle.root_from_path(leaf, line, matrix.size, path)
            if root not in named or found is None or matrix_hash(matrix.size, found) != root:
                raise ProofFailed(f"Row {line} of a plan's matrix was changed: intervals would not be what they were.")


def _check_rows(evidence: Evidence, hashes: list[bytes], checkpoint: Checkpoint) -> None:
    plans = {plan.hash for plan in evidence.plans}
    streams = evidence.stated()
    videos = {video.id: video for video in evidence.videos}
    statements = [stream.hash for stream in streams]
    for row in evidence.rows:
        stream = streams[row.stream]
        if stream.plan not in plans:
            raise ProofFailed(f"The plan of {_what(stream, row.tick)} was changed, or is not in the evidence.")
        moment = stream.moment_utc(row.tick)
        if moment is None or not _is_declared(stream, evidence, videos):
            raise ProofFailed(f"What {_what(stream, row.tick)} is of was changed.")
        place = place_of(stream.name, moment)
        salt = bytes.fromhex(row.salt)
        if len(salt) != SALT_BYTES:  # else what is salt and what is row could be cut otherwise
            raise ProofFailed(f"The proof of {_what(stream, row.tick)} is cut.")
        leaf = row_leaf(place, salt, statements[row.stream], row.tick, bytes_of(row.row))
        root = root_at(leaf, place, [hashes[at] for at in row.in_minute])
        if root is None:
            raise ProofFailed(f"The proof of {_what(stream, row.tick)} is too long.")
        in_log = minute_leaf(root, bytes.fromhex(row.policies))
        path = [hashes[at] for at in row.in_log]
        if merkle.root_from_path(in_log, minute_of(moment), checkpoint.size, path) != checkpoint.root:
            raise ProofFailed(f"{_what(stream, row.tick)} was changed, or was never published.")
    newest = _newest_row(streams, evidence.rows)
    if newest is not None and policies_hash(evidence.policies).hex() != newest.policies:
        raise ProofFailed("The policy was changed.")


def _is_declared(stream: Stream | LiveStream, evidence: Evidence, videos: dict[str, Video]) -> bool:
    """Whether what the evidence says of a stream's subject is what the stream's statement says."""
    if isinstance(stream, LiveStream):
        assert evidence.live is not None, "only evidence of a session has its streams"
        return _is_of(stream, evidence.live)
    video = videos.get(stream.id)
    if not stream.is_whole() or _subject_of(stream) == "creator" or video is None:
        return stream.is_whole()
    return video.posted_at_utc == stream.begins_at and video.duration_ms == stream.duration_ms


def _is_of(stream: LiveStream, of: OfLive) -> bool:
    session = of.session
    if (stream.id, stream.creator, stream.begins_at, stream.first_tick) != (
        session.id, session.creator, session.begin_utc, session.first_tick,
    ):  # fmt: skip
        return False
    if stream.question is None:
        return stream.family != "live_questions"
    return stream.question in [_stated(question, session) for question in of.questions]


def _stated(question: Question, session: Live) -> StatedQuestion | None:
    ends = [tick for tick in (question.closed_tick, session.last_tick) if tick is not None]
    if not ends:
        return None
    return StatedQuestion(
        asked_tick=question.asked_tick, closed_tick=min(ends), id=question.id, number=question.number,
        options=question.options, text=question.text,
    )  # fmt: skip


def _subject_of(stream: Stream | LiveStream) -> str:
    if isinstance(stream, LiveStream):
        return "session"
    return FAMILIES[stream.family].unit if stream.family in FAMILIES else "creator"


def _what(stream: Stream | LiveStream, tick: int) -> str:
    moment = stream.moment_utc(tick)
    when = f"tick {tick}" if moment is None else rfc3339(moment)
    return f"{stream.family} of {_subject_of(stream)} {stream.id} at {when}"


def _line(matrix: ProvedMatrix, line: int) -> Rows:
    if line not in matrix.rows:
        raise ProofFailed(f"Row {line} of a plan's matrix is not in the evidence: the question is another.")
    values = np.frombuffer(bytes_of(matrix.rows[line].values), dtype="<f4")
    whole = np.zeros(matrix.size, dtype=np.float32)
    whole[: len(values)] = values
    return whole


def text_of(data: bytes) -> str:
    """Bytes as evidence holds them."""
    return base64.b64encode(data).decode()


def bytes_of(text: str) -> bytes:
    """Bytes as they were. Raises ProofFailed for what is no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise ProofFailed("The evidence is cut or changed: what should be base64 is not.") from None


def read(text: bytes | str) -> Evidence:
    """Evidence as it was saved. Raises ProofFailed."""
    try:
        return msgspec.json.decode(text, type=Evidence)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise ProofFailed("This is no evidence: it is not the JSON that `format=evidence` gives.") from None


def write(evidence: Evidence) -> bytes:
    """Evidence as a file."""
    return msgspec.json.encode(evidence)


def evidence_of(matrices: Matrices, ask: Callable[[Traced], list[Asked]]) -> Evidence:
    """Ask a board some questions, and gather what proves the answers. matrices: the board's."""
    with closing(Traced(matrices)) as board:
        return gather(board, ask(board), matrices)
