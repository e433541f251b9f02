"""Commit: an answer comes after the disk has it, many share one sync, and a full queue or disk asks to come again."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from footlights.private.collect import commit as commit_module
from footlights.private.collect.admission import Caller
from footlights.private.collect.checks import Asked, Limits
from footlights.private.collect.commit import GROUP_EVENTS, Brought, Committer
from footlights.private.collect.intake import Intake, Taken, private_folder
from footlights.private.collect.keys import WriteKey
from footlights.private.collect.segment_batches import Batch, batch_of, open_together, take_together
from footlights.private.vault import journal as journal_module
from footlights.private.vault.journal import JournalReader, JournalWriter
from footlights.private.vault.records import RECORD
from footlights.settings import load_settings
from footlights.terms.errors import BadRequest

#: What the committers told that they took.
TOOK: list[Brought] = []
Make = Callable[..., Committer]
APP, NOISY, QUIET = (Caller(name=name, key=WriteKey(sha256=""), place="") for name in ("app", "noisy", "quiet"))


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Committer] = []

    def committer(**over: int) -> Committer:
        journal = JournalWriter(tmp_path / "journal", segment_bytes=2**30)
        settings = load_settings(tmp_path, over={"commit_wait_ms": 1, **over})
        made.append(
            Committer(journal, Intake(private_folder(tmp_path), Limits.of(settings)), settings, took=TOOK.append)
        )
        return made[-1]

    yield committer
    for one in made:
        one.stop()


def taken(*at_ms: int) -> Taken:
    records = np.zeros(len(at_ms), dtype=RECORD)
    records["at_ms"] = at_ms
    return Taken(records=records, numbers=np.arange(len(at_ms)), declarations=[], drops={}, bad=[])


def times(tmp_path: Path) -> list[int]:
    batch = JournalReader(tmp_path / "journal").read({}, limit_events=10**9)
    return [int(at_ms) for at_ms in batch.records["at_ms"]]


async def commit(committer: Committer, *requests: Batch | Taken) -> list[BaseException | None]:
    return await asyncio.gather(*(committer.commit(one, caller=APP) for one in requests), return_exceptions=True)


class Gate:
    """Holds the disk's sync until it is opened, and counts how often it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = threading.Event()
        self.reached = threading.Event()
        self.syncs = 0
        self._sync: Any = journal_module._sync
        monkeypatch.setattr(journal_module, "_sync", self.sync)

    def sync(self, descriptor: int) -> None:
        self.reached.set()
        assert self.open.wait(10)
        self.syncs += 1
        self._sync(descriptor)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


def test_no_answer_comes_before_the_sync(make: Make, gate: Gate) -> None:
    async def scene() -> None:
        answer = asyncio.ensure_future(make().commit(taken(1), caller=APP))
        await asyncio.to_thread(gate.reached.wait, 10)
        await asyncio.sleep(0.02)
        assert not answer.done()
        gate.open.set()
        await answer

    asyncio.run(scene())


def test_requests_that_come_together_share_one_sync(make: Make, gate: Gate, tmp_path: Path) -> None:
    async def scene() -> None:
        committer = make()
        first = asyncio.ensure_future(committer.commit(taken(0), caller=APP))
        await asyncio.to_thread(gate.reached.wait, 10)
        others = asyncio.ensure_future(commit(committer, *(taken(number) for number in range(1, 50))))
        await asyncio.sleep(0)
        gate.open.set()
        await first
        assert await others == [None] * 49

    asyncio.run(scene())
    assert gate.syncs <= 3 and times(tmp_path) == list(range(50))


def test_a_full_queue_asks_to_come_again_and_takes_nothing(make: Make, gate: Gate, tmp_path: Path) -> None:
    async def scene() -> None:
        committer = make(commit_queue_max=200)
        first = asyncio.ensure_future(committer.commit(taken(0), caller=APP))
        await asyncio.to_thread(gate.reached.wait, 10)
        waiting = asyncio.ensure_future(committer.commit(taken(*range(1, 100)), caller=APP))
        await asyncio.sleep(0)
        with pytest.raises(BadRequest) as refused:
            await committer.commit(taken(100), caller=APP)
        assert (refused.value.status, refused.value.code) == (503, "busy")
        gate.open.set()
        await asyncio.gather(first, waiting)
        await committer.commit(taken(*range(100, 400)), caller=APP)

    asyncio.run(scene())
    assert times(tmp_path) == list(range(400))


def test_a_key_that_floods_is_refused_and_another_is_taken_and_written_with_the_next(
    make: Make, gate: Gate, tmp_path: Path
) -> None:
    async def scene() -> None:
        committer = make(commit_queue_max=60_000)
        first = asyncio.ensure_future(committer.commit(taken(0), caller=NOISY))
        await asyncio.to_thread(gate.reached.wait, 10)
        flood = [
            asyncio.ensure_future(committer.commit(taken(*[number] * 500), caller=NOISY)) for number in range(1, 200)
        ]
        await asyncio.sleep(0.01)
        refused = [one.done() for one in flood]
        assert refused == [False] * refused.index(True) + [True] * (199 - refused.index(True))
        quiet = [asyncio.ensure_future(committer.commit(taken(1000 + number), caller=QUIET)) for number in range(3)]
        await asyncio.sleep(0.01)
        gate.open.set()
        await asyncio.gather(first, *quiet)
        assert not all(one.done() for one in flood)
        answers = await asyncio.gather(*flood, return_exceptions=True)
        assert sum(answer is None for answer in answers) == refused.index(True) >= 59

    asyncio.run(scene())
    written = times(tmp_path)
    # The quiet one's three are in the next write, and not behind all of the noisy one's.
    assert max(written.index(1000 + number) for number in range(3)) < GROUP_EVENTS + 600 < len(written)


def test_a_request_that_cannot_be_encoded_fails_no_other(
    make: Make, monkeypatch: pytest.MonkeyPatch, asked: Asked, tmp_path: Path
) -> None:
    def batch(viewer: str) -> Batch:
        body = json.dumps({"event": "Video Liked", "userId": viewer, "properties": {"asset_id": "v1"}}).encode()
        opened = open_together(body, event_bytes=10_000)
        assert opened is not None
        return batch_of(body, opened, asked, type_="track")

    def fault(batches: Sequence[Batch], intake: Intake) -> Taken:
        if any(line is not None and line.userId == "bob" for batch in batches for line in batch.lines):
            raise ValueError
        return take_together(batches, intake)

    monkeypatch.setattr(commit_module, "take_together", fault)
    committer = make(commit_wait_ms=50)
    answers = asyncio.run(commit(committer, batch("ann"), batch("bob"), batch("cas"), taken(1)))
    assert [type(answer) for answer in answers] == [type(None), ValueError, type(None), type(None)]
    assert sorted(times(tmp_path)) == [1, asked.received_ms, asked.received_ms]


def test_a_failure_that_nobody_foresaw_is_answered_and_the_next_is_taken(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One thread writes and answers: did it end, every client would wait for ever and no supervisor would see it."""
    committer = make()
    with monkeypatch.context() as patch:
        patch.setattr(committer._journal, "commit", lambda: 1 // 0)
        (refused,) = asyncio.run(commit(committer, taken(1)))
    assert isinstance(refused, BadRequest) and refused.status == 503 and not committer.is_ready()
    assert asyncio.run(commit(committer, taken(2))) == [None] and committer.is_ready()
    assert 2 in times(tmp_path)


def test_a_full_disk_asks_to_come_again_until_there_is_room(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pwrite = os.pwrite
    full = True

    def maybe(descriptor: int, data: Any, offset: int) -> int:
        if full:
            raise OSError(errno.ENOSPC, "")
        return pwrite(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", maybe)
    committer = make()
    with capture_logs() as logs:
        for _ in range(3):
            (refused,) = asyncio.run(commit(committer, taken(1)))
            assert isinstance(refused, BadRequest) and refused.status == 503
        assert not committer.is_ready()
        full = False
        assert asyncio.run(commit(committer, taken(2))) == [None]
    assert committer.is_ready() and times(tmp_path) == [2]
    assert [entry["event"] for entry in logs] == ["journal.refused", "journal.accepts_again"]


def test_a_client_that_went_away_holds_up_nobody(make: Make, gate: Gate, tmp_path: Path) -> None:
    async def scene() -> None:
        committer = make()
        gone = asyncio.ensure_future(committer.commit(taken(1), caller=APP))
        await asyncio.to_thread(gate.reached.wait, 10)
        gone.cancel()
        gate.open.set()
        await committer.commit(taken(2), caller=APP)

    asyncio.run(scene())
    assert times(tmp_path) == [1, 2]


def test_stopping_commits_what_waits_and_seals_the_segment(make: Make, tmp_path: Path) -> None:
    async def scene() -> None:
        committer = make()
        answer = asyncio.ensure_future(committer.commit(taken(1), caller=APP))
        await asyncio.sleep(0)
        await asyncio.to_thread(committer.stop)
        await answer
        with pytest.raises(BadRequest):
            await committer.commit(taken(2), caller=APP)

    asyncio.run(scene())
    assert times(tmp_path) == [1]
    assert "sealed" in (tmp_path / "journal" / "segments.txt").read_text()


def test_what_reached_the_disk_is_told_by_caller_and_page_and_what_did_not_is_not(make: Make) -> None:
    TOOK.clear()
    page = Caller(name="app", key=APP.key, place="https://a.example")

    async def scene() -> None:
        committer = make()
        await asyncio.gather(
            committer.commit(taken(1, 2), caller=APP), committer.commit(taken(3), caller=page),
            committer.commit(taken(4), caller=NOISY),
        )  # fmt: skip
        await asyncio.sleep(0.01)
        await asyncio.to_thread(committer.stop)
        with pytest.raises(BadRequest):
            await committer.commit(taken(5), caller=APP)

    asyncio.run(scene())
    told = {(one.caller.name, one.caller.place): (one.requests, one.accepted) for one in TOOK}
    assert told == {("app", ""): (1, 2), ("app", "https://a.example"): (1, 1), ("noisy", ""): (1, 1)}
