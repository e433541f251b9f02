"""A creator's own history: brought by its owner, seen by its owner, deleted by its owner, and by nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import msgspec
import pytest
from starlette.applications import Starlette

from footlights.public.accounts.creators import Accounts
from footlights.public.histories import containers
from footlights.public.histories.limits import UPLOADED
from footlights.public.web import history
from footlights.public.web.app import create_app
from footlights.settings import load_settings
from footlights.terms.ticks import DAY
from tests import boards, exports
from tests.unit.public.web.conftest import ADDRESS, Client

OWN = {"Origin": ADDRESS}
WEEK = [date(2026, 2, 21) + timedelta(days=day) for day in range(7)]
#: Views that stand on no page of Footlights' own.
FILES = {"Overview.csv": exports.overview_csv(WEEK, [48_211, *[5] * 6])}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    boards.make_board(
        tmp_path / "board",
        [boards.ACreator(id="ada", name="Ada"), boards.ACreator(id="b/../ob", name="Bob")],
        [boards.AVideo(id="a0", creator="ada", age_seconds=2 * DAY)],
        every_tick=False,
    )
    return tmp_path


@pytest.fixture
def app(data: Path) -> Starlette:
    return create_app(data, load_settings(data))


@pytest.fixture
def accounts(data: Path) -> Iterator[Accounts]:
    opened = Accounts(data / "public")
    yield opened
    opened.close()


def signed_in(app: Starlette, accounts: Accounts, creator: str = "ada") -> Client:
    token = accounts.redeem(accounts.make_login_link(creator, 60))
    assert token is not None
    return Client(app, token=token)


def bring(client: Client, files: dict[str, bytes], year: str = "2026") -> httpx.Response:
    parts = [("file", (name, data, "application/octet-stream")) for name, data in files.items()]
    return client.post("/studio/history/upload", files=parts, data={"year": year}, headers=OWN)


def kept(data: Path) -> list[Path]:
    folder = data / "public" / "histories"
    return sorted(folder.iterdir()) if folder.exists() else []


def test_what_is_brought_is_shown_as_stated_and_deleted_when_its_owner_says_so(
    app: Starlette, accounts: Accounts, data: Path
) -> None:
    ada = signed_in(app, accounts)
    assert "Bring your own history" in ada.get("/studio/history").text
    answer = bring(ada, FILES)
    assert answer.status_code == 200 and "1 table is new" in answer.text
    page = ada.get("/studio/history").text
    assert "48,241" in page and "as TikTok states it" in page and "95" not in re.sub(r"<[^>]*>", "", page)
    assert "no-store" in ada.get("/studio/history").headers["cache-control"]
    assert len(kept(data)) == 1
    assert ada.post("/studio/history/delete", headers=OWN).status_code == 303
    assert kept(data) == [] and "Bring your own history" in ada.get("/studio/history").text


def test_nobody_else_sees_a_history_not_even_a_reader_of_the_channel(
    app: Starlette, accounts: Accounts, data: Path
) -> None:
    bring(signed_in(app, accounts), FILES)
    reader = Client(app, token=accounts.redeem(accounts.invite("ada", "Mia")))
    for asker, status in ((reader, 403), (Client(app), 303), (signed_in(app, accounts, "b/../ob"), 200)):
        for path in ("", "/videos", "/videos/a0", "/audience", "/files"):
            answer = asker.get(f"/studio/history{path}")
            assert answer.status_code == status and "48,2" not in answer.text
        assert bring(asker, FILES).status_code in (303, 200 if status == 200 else status)
        asker.post("/studio/history/delete", headers=OWN)
    assert any("48,241" in signed_in(app, accounts).get("/studio/history").text for _ in (1,)), "and it is still there"
    assert all(re.fullmatch(r"[0-9a-f]{64}\.db", path.name) for path in kept(data))


def test_another_sites_form_brings_and_deletes_nothing(app: Starlette, accounts: Accounts, data: Path) -> None:
    ada = signed_in(app, accounts)
    bring(ada, FILES)
    for headers in ({"Origin": "https://evil.example"}, {}):
        parts = [("file", ("a.csv", exports.overview_csv(WEEK, [1] * 7), "text/csv"))]
        assert ada.post("/studio/history/upload", files=parts, headers=headers).status_code == 403
        assert ada.post("/studio/history/delete", headers=headers).status_code == 403
    assert len(kept(data)) == 1


def test_figures_of_a_history_are_on_no_page_and_in_no_answer_of_footlights_own(
    app: Starlette, accounts: Accounts
) -> None:
    ada = signed_in(app, accounts)
    bring(ada, FILES)
    for path in ("/studio", "/studio/videos", "/studio/followers", "/api/v1/creators/ada/overview",
                 "/api/v1/creators/ada/videos"):  # fmt: skip
        text = ada.get(path).text
        assert "48,2" not in text and "482" not in text and '"stated"' not in text


def test_an_upload_too_large_is_refused_before_it_is_read(
    accounts: Accounts, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = msgspec.structs.replace(UPLOADED, packed_bytes=300_000, unpacked_bytes=600_000)
    monkeypatch.setattr(history, "UPLOADED", small)
    app = create_app(data, load_settings(data))
    ada = signed_in(app, accounts)
    answer = bring(ada, {"large.csv": b"x" * 500_000})
    assert answer.status_code == 413 and kept(data) == []
    answer = bring(ada, {"bomb.zip": exports.zipped({"Overview.csv": b"0" * 1_000_000})})
    assert answer.status_code == 400 and "unpack to more than" in answer.text and kept(data) == []
    # Every other form keeps its own, smaller limit.
    assert ada.post("/studio/history/delete", data={"x": "y" * 20_000}, headers=OWN).status_code == 413


def test_what_is_not_understood_is_answered_file_by_file(app: Starlette, accounts: Accounts, data: Path) -> None:
    ada = signed_in(app, accounts)
    answer = bring(ada, {"<b>cat.png": b"\x89PNG\x00\x00", "notes.csv": b"Hello;World\n1;2\n"})
    assert answer.status_code == 200 and "Nothing could be read" in answer.text and kept(data) == []
    assert "&lt;b&gt;cat" in answer.text and "<b>cat" not in answer.text and "“Hello”" in answer.text
    assert "Choose the files first" in bring(ada, {"empty.csv": b""}).text
    assert "The year is one such as" in bring(ada, FILES, year="soon").text


def test_a_title_is_text_wherever_it_is_shown(app: Starlette, accounts: Accounts) -> None:
    ada = signed_in(app, accounts)
    head = ("Content", "Video title", "Views")
    rows = [head, ("UObM30FGdSs", "<script>alert(1)</script>", 5), ("WpEsJWK1Awo", "=HYPERLINK(1)", 6)]
    bring(ada, {"Table data.csv": exports.plain(rows)})
    for path in ("", "/videos", "/videos/UObM30FGdSs", "/videos?q=%3Cscript%3E", "/files"):
        page = ada.get(f"/studio/history{path}")
        assert page.status_code == 200 and "<script>alert" not in page.text


def test_nothing_of_other_people_in_a_download_touches_the_disk(
    app: Starlette, accounts: Accounts, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    real = containers.Member

    def never(*_: object, **__: object) -> object:
        written.append("a temporary file")
        return real

    monkeypatch.setattr("tempfile.TemporaryFile", never)
    filler = [{"Date": "2025-01-01 10:00:00", "UserName": f"secretfriend-{n}"} for n in range(60_000)]
    body = exports.download([{"Date": "2025-12-15 19:03:14", "Likes": "7"}], Follower={"FansList": filler})
    assert len(body) > 2_000_000
    answer = bring(signed_in(app, accounts), {"user_data_tiktok.json": body})
    assert answer.status_code == 200 and "1 table is new" in answer.text
    assert written == []
    assert all(b"secretfriend" not in path.read_bytes() for path in data.rglob("*") if path.is_file())


def test_one_creators_files_are_read_one_after_another(app: Starlette, accounts: Accounts, data: Path) -> None:
    histories = next(r.endpoint.__self__ for r in app.routes if getattr(r, "path", "") == "/studio/history/upload")  # type: ignore[attr-defined]
    ada = signed_in(app, accounts)
    with histories._alone("ada"):
        answer = bring(ada, FILES)
        assert answer.status_code == 503 and "Other files are being read" in answer.text
    assert bring(ada, FILES).status_code == 200
    with histories._reading_slot(), histories._reading_slot():
        assert bring(ada, FILES).status_code == 503
    assert bring(ada, FILES).status_code == 200


def test_a_second_upload_of_a_creator_is_refused_before_it_is_read(app: Starlette, accounts: Accounts) -> None:
    histories = next(r.endpoint.__self__ for r in app.routes if getattr(r, "path", "") == "/studio/history/upload")  # type: ignore[attr-defined]
    ada, form = signed_in(app, accounts), {**OWN, "Content-Type": "multipart/form-data; boundary=b"}
    upload = "/studio/history/upload"
    assert ada.post(upload, content=b"no form at all", headers=form).status_code == 400
    with histories._alone("ada"):
        assert ada.post(upload, content=b"no form at all", headers=form).status_code == 503
        # Somebody else's goes on.
        assert bring(signed_in(app, accounts, "b/../ob"), FILES).status_code == 200


def test_what_stands_out_and_cannot_be_chosen_is_not_called_nothing(app: Starlette, accounts: Accounts) -> None:
    ada = signed_in(app, accounts)
    days = [date(2026, 2, 27) - timedelta(days=59 - day) for day in range(60)]
    for most, said in ((200, "nothing that you could choose"), (4, "Nothing in your files stands out beyond chance")):
        rows, count = [("Date", "Followers", "Difference in followers from previous day")], 4000
        for number, day in enumerate(days):
            more = most if number == 50 else 3 + number % 3
            count += more
            rows.append((exports.tiktok_day(day), str(count), str(more)))
        ada.post("/studio/history/delete", headers=OWN)
        bring(ada, {"FollowerHistory.csv": exports.quoted(rows)})
        page = ada.get("/studio/history/insights").text
        assert said in page and ("1 of the last" in page) == (most == 200)


def test_weeks_alone_have_a_sum_and_a_curve_and_are_not_called_nothing(app: Starlette, accounts: Accounts) -> None:
    ada = signed_in(app, accounts)
    weeks = [(date(2026, 1, 4) + timedelta(days=7 * week), 700 + week) for week in range(7)]
    bring(ada, {"Totals.csv": exports.plain([("Date", "Views"), *weeks])})
    page = ada.get("/studio/history").text
    assert "4,921" in page and "No figures in these files" not in page


def test_pages_of_every_shape_of_history_are_shown(app: Starlette, accounts: Accounts) -> None:
    ada = signed_in(app, accounts)
    link = exports.tiktok_link(datetime(2025, 7, 16, tzinfo=UTC))
    content = exports.quoted(
        [("Time", "Video title", "Video link", "Post time", "Total likes", "Total views"),
         ("February 28", "Lamp", link, "July 16", 3, 12)]
    )  # fmt: skip
    hours = [("Date", "Hour", "Active followers"), *(("February 27", str(hour), str(hour)) for hour in range(24))]
    shapes: list[dict[str, bytes]] = [
        FILES, {"Content.csv": content}, {"FollowerActivity.csv": exports.quoted(hours)},
        {"user_data_tiktok.json": exports.download(None)},
        {"FollowerGender.csv": exports.quoted([("Gender", "Distribution"), ("Female", "1")])},
        {"Totals.csv": exports.plain([("Date", "Views"), ("2024", 5), ("2025", 7)])},
        {**FILES, "Table data.csv": exports.plain([("Content", "Views"), ("Total", 9), ("UObM30FGdSs", 9)])},
    ]  # fmt: skip
    for files in shapes:
        ada.post("/studio/history/delete", headers=OWN)
        assert bring(ada, files).status_code == 200
        for path in ("", "?days=0", "?days=7&metric=like_count", "/videos", "/videos?sort=view_count&order=asc",
                     "/videos?q=lamp", "/audience", "/files"):  # fmt: skip
            page = ada.get(f"/studio/history{path}")
            assert page.status_code == 200, (list(files), path)
            for other in re.findall(r'href="(/studio/history[^"#]*)"', page.text)[:30]:
                assert ada.get(other.replace("&amp;", "&")).status_code == 200, other
    assert ada.get("/studio/history?source=Elsewhere").status_code == 404
    assert ada.get("/studio/history/videos/none").status_code == 404
    assert ada.get("/studio/history?days=-1").status_code == 400
