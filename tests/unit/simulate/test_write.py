"""Write: the files that the simulator writes are what `footlights load` takes, every row of them."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import pytest

from footlights.private.collect.load import load
from footlights.settings import load_settings
from footlights.simulate.messages import Writer
from footlights.simulate.write import write_history
from footlights.terms.events import Kind
from tests.unit.simulate.platforms import shared_small_platform


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, list[Path]]]:
    return write_history(shared_small_platform(), tmp_path_factory.mktemp("history"))


def test_every_row_of_the_files_is_accepted_by_the_loader(
    written: list[tuple[str, list[Path]]], tmp_path: Path
) -> None:
    platform = shared_small_platform()
    views, acts = platform.history.views, platform.history.acts
    reports = [load(files, format=format, data=tmp_path, settings=load_settings(tmp_path)) for format, files in written]
    assert all(report.dropped == {} for report in reports)
    # A follow that came from a video is two events: the follow, and which video it came from.
    from_videos = int(np.sum((acts.kind == Kind.FOLLOW) & (acts.video >= 0)))
    told = int(np.sum(platform.audience.interest[platform.arrivals.viewer] > 0))
    assert sum(report.accepted for report in reports) == told + len(views) + len(acts) + from_videos
    assert sum(report.declared for report in reports) == len(platform.declarations())


def test_declarations_come_before_what_viewers_did(written: list[tuple[str, list[Path]]]) -> None:
    assert [path.name for _, files in written for path in files] == [
        "viewers.ndjson", "creators.parquet", "videos.parquet", "views.parquet", "acts.ndjson",
    ]  # fmt: skip


def test_the_file_of_views_says_what_the_columns_say(written: list[tuple[str, list[Path]]]) -> None:
    platform = shared_small_platform()
    views = platform.history.views
    rows = duckdb.execute(
        'SELECT viewer, video, epoch_ms("at"), watch_seconds, completed, is_follower FROM read_parquet(?)',
        [str(written[1][1][2])],
    ).fetchall()
    assert len(rows) == len(views)
    for place in (0, len(rows) // 2, len(rows) - 1):
        viewer, video, at_ms, watch_seconds, completed, follower = rows[place]
        assert viewer == platform.viewer_id(int(views.viewer[place]))
        assert video == platform.videos.ids[views.video[place]]
        assert (at_ms, round(watch_seconds * 1000)) == (views.at_ms[place], views.watch_ms[place])
        assert (completed, follower) == (views.completed[place], views.follower[place])


def test_the_file_of_viewers_says_what_traffic_would_say(written: list[tuple[str, list[Path]]]) -> None:
    platform = shared_small_platform()
    lines = [json.loads(line) for line in written[0][1][0].read_text("utf-8").splitlines()]
    writer, arrivals = Writer(platform, "test"), platform.arrivals
    rows = np.flatnonzero(platform.audience.interest[arrivals.viewer] > 0).tolist()
    assert len({line["messageId"] for line in lines}) == len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        said = writer.identify(int(arrivals.viewer[row]), int(arrivals.at_ms[row]))
        line["traits"] = {name: value for name, value in line["traits"].items() if value is not None}
        assert line | {"messageId": said["messageId"]} == said


def test_the_same_platform_writes_the_same_acts(written: list[tuple[str, list[Path]]], tmp_path: Path) -> None:
    again = write_history(shared_small_platform(), tmp_path)
    assert again[2][1][0].read_bytes() == written[2][1][0].read_bytes()


def test_each_act_is_one_line_with_an_id_of_its_own(written: list[tuple[str, list[Path]]]) -> None:
    lines = written[2][1][0].read_text("utf-8").splitlines()
    assert (
        len({json.loads(line)["messageId"] for line in lines})
        == len(lines)
        == len(shared_small_platform().history.acts)
    )
