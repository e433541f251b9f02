from __future__ import annotations

import asyncio
import gzip
from pathlib import Path
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from footlights.private.collect.beacon import FOLDER, NAME, Beacon

KEPT = ("cookie", "localStorage", "sessionStorage", "indexedDB", "userAgent", "referrer", "location")


def test_the_script_is_served_packed_to_any_page_and_asked_for_again_by_its_tag(client: Any) -> None:
    answer = client.anonymous("GET", "/footlights.js", headers={"Accept-Encoding": "gzip, br;q=0.9"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["content-encoding"] in {"br", "gzip"}
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "max-age=3600" in answer.headers["cache-control"]
    tag = {"If-None-Match": answer.headers["etag"]}
    again = client.anonymous("GET", "/footlights.js", headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    old = client.anonymous(
        "GET", "/footlights.js", headers={"If-None-Match": 'W/"older"', "Accept-Encoding": "identity"}
    )
    assert (old.status_code, "content-encoding" in old.headers) == (200, False)


def test_the_script_is_smaller_than_3_kilobytes_packed() -> None:
    packed = (FOLDER / f"{NAME}.gz").read_bytes()
    assert len(packed) < 3000
    assert gzip.decompress(packed) == (FOLDER / NAME).read_bytes()


def test_the_script_names_nothing_that_keeps_or_tells_a_visitor() -> None:
    script = (FOLDER / NAME).read_text("utf-8")
    assert "sendBeacon" in script and "globalPrivacyControl" in script
    assert [word for word in KEPT if word in script] == []


def test_a_package_that_was_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    request = Request({"type": "http", "headers": []})
    with pytest.raises(HTTPException, match="hatch_build") as refused:
        asyncio.run(Beacon(tmp_path).respond(request))
    assert refused.value.status_code == 404
