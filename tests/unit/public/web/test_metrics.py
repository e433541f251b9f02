from __future__ import annotations

import re
import time
from pathlib import Path

import anyio
import httpx
import pytest
from starlette.applications import Starlette

from footlights.public.web.app import create_app
from footlights.settings import load_settings
from tests.unit.public.web.conftest import ADDRESS


def _get(app: Starlette, *, address: str = "127.0.0.1", headers: dict[str, str] | None = None) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, client=(address, 5000))
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
            return await client.get("/metrics", headers=headers)

    return anyio.run(send)


@pytest.fixture(scope="module")
def app(data: Path) -> Starlette:
    return create_app(data, load_settings(data))


def test_every_line_is_prometheus_text_of_a_public_fact(app: Starlette) -> None:
    answer = _get(app)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    names = []
    for line in answer.text.splitlines():
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP|TYPE) footlights_\w+ .+", line)
            continue
        found = re.fullmatch(r'(footlights_\w+)(\{\w+="[\w.+-]+"\})? \d+', line)
        assert found, line
        names.append(found[1])
    assert set(names) == {
        "footlights_info", "footlights_up", "footlights_published_through_seconds", "footlights_gate_behind_seconds",
        "footlights_creators", "footlights_videos", "footlights_disk_bytes",
    }  # fmt: skip
    assert "footlights_creators 3\n" in answer.text and "footlights_videos 6\n" in answer.text


@pytest.mark.parametrize("address", ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1", "testclient"])
def test_other_machines_get_what_is_not_there(app: Starlette, address: str) -> None:
    assert _get(app, address=address).status_code == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Forwarded-Proto"])
def test_what_comes_by_a_proxy_on_this_machine_comes_from_elsewhere(app: Starlette, header: str) -> None:
    assert _get(app, headers={header: "127.0.0.1"}).status_code == 404


def test_the_operator_may_open_it_to_all(data: Path) -> None:
    opened = create_app(data, load_settings(data, over={"metrics_open": 1}))
    assert _get(opened, address="192.0.2.7").status_code == 200


def test_before_the_first_tick_there_is_no_clock_yet(tmp_path: Path) -> None:
    text = _get(create_app(tmp_path, load_settings(tmp_path))).text
    assert "footlights_up" in text and "behind_seconds" not in text


def test_what_is_left_of_the_disk_is_not_told_since_every_event_moves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file grows in the private folder, as the journal does with an event: nothing here may change."""
    app = create_app(tmp_path, load_settings(tmp_path))
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.0)
    before = _get(app).text
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "journal").write_bytes(bytes(1_000_000))
    assert _get(app).text == before
