from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from footlights.public.web.static import FOLDER, Assets, AssetsMissing
from tests.unit.public.web.conftest import Client

JS_GZIP_BYTES_MAX = 250_000


def test_a_package_without_its_front_end_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(AssetsMissing, match="hatch_build"):
        Assets(tmp_path)


def test_a_file_is_sent_packed_and_may_be_kept_for_ever(client: Client) -> None:
    url = Assets().url("app.css")
    packed = client.get(url, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip" and "immutable" in packed.headers["cache-control"]
    plain = client.get(url, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers and plain.text == packed.text


@pytest.mark.parametrize("name", ["manifest.json", "..%2Fapp.py", "../app.py", "app.css", ".made-from"])
def test_nothing_else_of_the_disk_is_served(client: Client, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_all_scripts_together_stay_light() -> None:
    packed = [gzip.compress(path.read_bytes(), 9) for path in FOLDER.glob("*.js")]
    assert 0 < sum(map(len, packed)) < JS_GZIP_BYTES_MAX


def test_the_licences_of_what_is_bundled_travel_with_it() -> None:
    text = (FOLDER / "licences.txt").read_text("utf-8")
    assert all(f"==== {name} " in text for name in ("echarts", "zrender", "htmx.org"))
