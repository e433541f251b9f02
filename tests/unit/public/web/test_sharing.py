"""A link shows the figures that were chosen, proves them without an account, and ends when its creator says so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx

from footlights.public.accounts.export_keys import is_signed
from footlights.public.accounts.shares import Shares
from footlights.public.accounts.store import Store
from footlights.public.board import evidence
from footlights.public.web import questions
from footlights.terms.ticks import DAY
from tests.unit.public.web.conftest import ADDRESS, Asking, Client

CHOSEN: dict[str, Any] = {
    "title": "Lamp company", "video": ["a0", "a1"], "metric": ["view_count", "like_count"], "days": "30",
}  # fmt: skip


def made(client: Client, **other: Any) -> httpx.Response:
    return client.post("/studio/share/make", data={**CHOSEN, **other}, headers={"Origin": ADDRESS})


def link_in(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    (token,) = re.findall(r"/share/([\w-]{43})<", answer.text)
    return f"/share/{token}"


def test_whoever_has_the_link_sees_what_was_chosen_and_can_check_it(client: Client, asking: Asking) -> None:
    link = link_in(made(asking("ada")))
    page = client.get(link)
    assert "Lamp company" in page.text and "4 figures, all as published" in page.text
    assert "Views" in page.text and "Shares" not in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer" and "no-store" in page.headers["Cache-Control"]
    found = evidence.read(client.get(f"{link}/evidence").content)
    key = client.get("/api/v1/proofs/keys").json()["keys"][0]["verifier"]
    verdict = questions.verify(found, key)
    assert verdict.figures == 4 and verdict.differences == ()
    assert set(found.asked[0].answer["figures"]) == {"view_count", "like_count"}
    assert is_signed(found.signed_content(), found.signature, client.get("/.well-known/jwks.json").json())


def test_a_channel_is_shown_in_a_period(client: Client, asking: Asking) -> None:
    answer = made(asking("ada"), channel="1", video=[], **{"from": "2026-10-20", "to": "2026-10-25"})
    page = client.get(link_in(answer))
    assert "The channel" in page.text and "20 Oct 2026" in page.text and "2 figures, all as published" in page.text


def test_a_link_that_was_ended_or_is_too_old_shows_nothing(
    client: Client, asking: Asking, data: Path, tmp_path: Path
) -> None:
    ada = asking("ada")
    link = link_in(made(ada))
    numbers = re.findall(r'name="share" value="(\d+)"', ada.get("/studio/share").text)
    bob = asking("bob")
    for number in numbers:
        bob.post("/studio/share/end", data={"share": number}, headers={"Origin": ADDRESS})
    assert client.get(link).status_code == 200, "only its creator ends it"
    ada.post("/studio/share/end", data={"share": numbers[0]}, headers={"Origin": ADDRESS})
    assert client.get(link).status_code == 404 and client.get(f"{link}/evidence").status_code == 404
    now = [1_800_000_000.0]
    shares = Shares(Store(tmp_path, clock=lambda: now[0]))
    token = shares.make("ada", title="x", days=7, evidence=b"{}")
    assert shares.find(token) is not None and len(shares.of("ada")) == 1
    now[0] += 7 * DAY
    assert shares.find(token) is None and shares.of("ada") == []


def test_nobody_shows_what_is_not_theirs(asking: Asking, client: Client) -> None:
    assert made(asking("bob")).status_code == 400
    assert made(client).status_code in (303, 401)
    spoilt: tuple[dict[str, Any], ...] = (
        {"title": ""}, {"title": "x" * 81}, {"days": "31"}, {"metric": []}, {"video": []},
        {"channel": "1", "from": "2026-11-01", "to": "2026-10-01"}, {"channel": "1", "from": "x", "to": ""},
    )  # fmt: skip
    for other in spoilt:
        assert made(asking("ada"), **other).status_code == 400, other


def test_the_page_holds_no_script_of_a_title(client: Client, asking: Asking) -> None:
    page = client.get(link_in(made(asking("ada"), title="<script>alert(1)</script>")))
    assert "<script>alert" not in page.text
