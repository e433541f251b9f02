"""One story, told in every dialect through the collector's door, journal and fold, gives the same exact counts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from footlights.private.collect import segment
from footlights.private.collect.door import create_app
from footlights.private.collect.keys import Keyring
from footlights.private.measure.fold import Fold
from footlights.private.vault.store import open_store
from footlights.settings import load_settings
from footlights.terms.policy import Policies, default_policy
from tests.spec.dialects import BEGAN_MS, DIALECTS, Dialect, Sent, as_json, rfc3339
from tests.spec.stories import (
    COUNTS,
    CREATOR,
    DURATION_SECONDS,
    LOOP,
    LOOP_COUNTS,
    STORY,
    VIDEO,
    Counts,
    Moment,
    playing,
)

PUBLISHED = {
    "type": "track", "event": "Video Published", "timestamp": rfc3339(BEGAN_MS - 3_600_000),
    "properties": {"asset_id": VIDEO, "creator_id": CREATOR, "duration": DURATION_SECONDS},
}  # fmt: skip


def dialects(*, with_times: bool = False, with_positions: bool = False) -> pytest.MarkDecorator:
    """Each dialect in turn. with_times: only those whose events have times of their own; with_positions: likewise."""
    chosen = [
        dialect
        for dialect in DIALECTS
        if dialect.tells_times >= with_times and dialect.tells_positions >= with_positions
    ]
    return pytest.mark.parametrize("dialect", chosen, ids=lambda dialect: dialect.name)


@pytest.fixture
def count(tmp_path: Path) -> Callable[..., Counts]:
    """Sends requests to a collector and folds its journal. fold_events: how many events go into one transaction."""

    def counted(sent: Sequence[Sent], *, fold_events: int = 1000) -> Counts:
        journal(tmp_path, sent)
        return folded(tmp_path / "private", fold_events=fold_events)

    return counted


def journal(data: Path, sent: Sequence[Sent]) -> None:
    app = create_app(data, load_settings(data, over={"commit_wait_ms": 0}))
    door = app.state.door
    key = Keyring(data / "private").create("tests")
    circumstances, now_ms = door.intake.asked, BEGAN_MS

    def asked(**how: Any) -> Any:
        return msgspec.structs.replace(circumstances(**how), received_ms=now_ms)

    door.intake.asked = asked

    async def send() -> None:
        nonlocal now_ms
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://collector", auth=(key, "")) as client:
            assert (await client.post("/v1/track", content=as_json(PUBLISHED))).status_code == 200
            for one in sent:
                now_ms = one.at_ms
                headers = {"Footlights-Viewer": one.viewer}
                answer = await client.post(one.path, content=one.body, headers=headers)
                assert answer.status_code in (200, 204), answer.text

    try:
        asyncio.run(send())
    finally:
        door.committer.stop()


def folded(private: Path, *, fold_events: int) -> Counts:
    store = open_store(private, memory="1GB", threads=1)
    try:
        Fold(store, private, policies=Policies([(0, default_policy())]), events=fold_events).run()
        pairs = store.execute("SELECT sum(plays), sum(watch_ms), sum(full_view) FROM pairs GROUP BY pair").fetchall()
    finally:
        store.close()
    watched_ms = sum(int(watch) for _, watch, _ in pairs)
    assert watched_ms % 1000 == 0, "stories are told in whole seconds"
    return Counts(
        reach=sum(plays > 0 for plays, _, _ in pairs),
        replays=sum(max(0, int(plays) - 1) for plays, _, _ in pairs),
        watched_seconds=watched_ms // 1000,
        full_views=sum(int(full) for _, _, full in pairs),
    )


@dialects()
@pytest.mark.parametrize("fold_events", [1000, 1])
def test_a_story_counts_the_same_in_every_dialect_however_it_is_folded(
    fold_events: int, dialect: Dialect, count: Callable[..., Counts]
) -> None:
    assert count(dialect.tell(STORY), fold_events=fold_events) == COUNTS


@dialects()
def test_what_is_sent_twice_counts_once_in_every_dialect(dialect: Dialect, count: Callable[..., Counts]) -> None:
    sent = [one for one in dialect.tell(STORY) for _ in range(2)]
    assert count(sent) == COUNTS


@dialects(with_times=True)
def test_a_whole_story_sent_again_adds_nothing_where_events_have_times(
    dialect: Dialect, count: Callable[..., Counts]
) -> None:
    assert count(dialect.tell(STORY) * 2) == COUNTS


@dialects(with_times=True)
def test_beats_that_arrive_late_count_the_same_where_events_have_times(
    dialect: Dialect, count: Callable[..., Counts]
) -> None:
    sent = dialect.tell(STORY)
    # Each beat after the next thing that the same viewer does: two beats in a row change places.
    place = 0
    while place + 1 < len(sent):
        if sent[place].beat and sent[place].viewer == sent[place + 1].viewer:
            sent[place], sent[place + 1] = sent[place + 1], sent[place]
            place += 1
        place += 1
    assert count(sent) == COUNTS


@dialects()
def test_every_second_beat_may_be_lost(dialect: Dialect, count: Callable[..., Counts]) -> None:
    beats = [moment for moment in STORY if moment.doing == "beat"]
    # Not the last that was heard of Bob: nobody can know what came after it.
    lost = {moment for moment, after in pairwise(beats) if moment.at % 10 == 5 and after.viewer == moment.viewer}
    assert lost and count(dialect.tell([moment for moment in STORY if moment not in lost])) == COUNTS


@dialects(with_positions=True)
def test_a_loop_that_nobody_tells_of_counts_where_players_tell_positions(
    dialect: Dialect, count: Callable[..., Counts]
) -> None:
    assert count(dialect.tell(LOOP)) == LOOP_COUNTS


@dialects()
def test_a_video_that_is_only_started_is_a_start(dialect: Dialect, count: Callable[..., Counts]) -> None:
    assert count(dialect.tell([Moment(0, "ann", "start", 0)])) == Counts(1, 0, 0, 0)


def test_a_viewer_in_two_dialects_is_one_viewer(count: Callable[..., Counts]) -> None:
    stories = [
        [Moment(begin, "ann", "start", 0), *playing("ann", since=begin, until=begin + 15, position=0)]
        for begin in range(0, 100 * len(DIALECTS), 100)
    ]
    sent = [one for dialect, story in zip(DIALECTS, stories, strict=True) for one in dialect.tell(story)]
    # A start each, of which one is reach and the policy counts two more.
    assert count(sent) == Counts(1, 2, 10 * len(DIALECTS), 0)


def test_every_file_that_makes_events_of_a_viewer_tells_the_story() -> None:
    folder = Path(segment.__file__).parent
    making = {path.stem for path in folder.glob("*.py") if re.search(r"\bViewerEvent\(", path.read_text("utf-8"))}
    # Owncast tells of live rooms alone: tests/unit/private/collect/test_owncast.py.
    assert making == {dialect.module for dialect in DIALECTS} | {"owncast"}
