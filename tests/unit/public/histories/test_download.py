"""TikTok's "Download your data": the creator's own posts, and of everybody else nothing, anywhere."""

from __future__ import annotations

import gc
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from footlights.public.histories import views
from footlights.public.histories.download import _DECODER
from tests import exports
from tests.exports import download, read, zipped

POSTS: list[dict[str, Any]] = [
    {
        "Date": "2025-12-15 19:03:14",
        "Link": "https://v16.example/own/file?sign=abc",
        "Likes": "1204",
        "Title": "A lamp",
    },
    {"date": "2025-12-16 08:00:00", "link": "https://www.tiktok.com/@me/video/7584321098765432101", "likes": 7},
    {"Date": "N/A", "Link": "https://v16.example/x", "Likes": "None"},
]
SECRET = "secretfriend"


def test_own_posts_are_read_with_their_likes(tmp_path: Path) -> None:
    with exports.history_of({"user_data_tiktok.json": download(POSTS)}, tmp_path / "h.db") as history:
        first, second = sorted(
            views.listed(history, "TikTok"), key=lambda video: video.figures["like_count"].value or 0
        )
        assert first.id == "7584321098765432101" and first.figures["like_count"].value == 7
        assert (second.title, second.posted_at) == ("A lamp", "2025-12-15T19:03:14Z")
        assert second.figures["like_count"].value == 1204
        assert second.link == "", "a signed link to the file itself is not kept"


def test_nothing_of_anybody_else_is_kept_by_the_parser_the_report_or_the_file(tmp_path: Path) -> None:
    data = download(POSTS)
    assert data.count(SECRET.encode()) == 3, "the file tells of others, or this would find nothing"
    decoded = repr(_DECODER.decode(data))
    reading = read({"user_data_tiktok.json": data})
    with exports.history_of({"user_data_tiktok.json": data}, tmp_path / "h.db"):
        kept = (tmp_path / "h.db").read_bytes()
    for told in (decoded, repr(reading), kept.decode("latin-1")):
        assert SECRET not in told and "psst" not in told
    del data
    gc.collect()


@pytest.mark.parametrize("key", ["Video", "Post", "Posts"])
@pytest.mark.parametrize("list_key", ["Videos", "Posts"])
def test_posts_are_found_where_downloads_of_any_year_have_them(key: str, list_key: str) -> None:
    data = download(None, **{key: {list_key: {"VideoList": POSTS}}})
    (table,) = read({"a.zip": zipped({"user_data.json": data})}).tables
    assert table.report.rows == 2 and table.report.unread == 1


def test_a_download_without_posts_is_read_and_said_to_have_none() -> None:
    (table,) = read({"user_data_tiktok.json": download(None)}).tables
    assert table.numbers == () and "it has no posts" in map(str, table.report.notes)
    assert any("left out unread" in str(note) for note in table.report.notes)


@pytest.mark.parametrize("data", [b'{"a": 1}', b"{not json", b'{"Post": "' + SECRET.encode() + b'"}'])
def test_another_json_is_refused_without_a_word_of_it(data: bytes) -> None:
    reading = read({"a.json": data})
    assert reading.tables == () and "JSON" in str(reading.refused[0].notes[0])
    assert SECRET not in repr(reading)


def test_the_history_of_a_download_holds_no_table_but_its_three(tmp_path: Path) -> None:
    exports.history_of({"user_data_tiktok.json": download(POSTS)}, tmp_path / "h.db").close()
    db = sqlite3.connect(tmp_path / "h.db")
    assert {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")} == {
        "files", "numbers", "videos",
    }  # fmt: skip
    db.close()
