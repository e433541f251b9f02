from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from footlights.public.accounts.creators import Accounts
from footlights.public.web.sessions import COOKIE
from tests.unit.public.web.conftest import Asking, Client

OWN = {"Origin": "http://studio.test"}


@pytest.fixture
def accounts(data: Path) -> Iterator[Accounts]:
    opened = Accounts(data / "public")
    yield opened
    for creator in ("ada", "bob"):
        for reader in opened.readers(creator):
            opened.remove_reader(creator, reader.reader)
    opened.close()


def _invited(ada: Client, label: str = "Mia") -> str:
    answer = ada.post("/studio/team/invite", data={"label": label}, headers=OWN)
    assert answer.status_code == 200
    found = re.search(r"http://studio\.test/login\?token=([\w-]+)<", answer.text)
    assert found, "the link is shown"
    return found[1]


def _reader(client: Client, token: str) -> Client:
    answer = client.post("/login", data={"token": token}, headers=OWN)
    assert answer.status_code == 303
    return Client(client.app, token=answer.cookies[COOKIE])


def test_a_creator_lets_somebody_look_who_then_sees_the_same_pages(
    client: Client, asking: Asking, accounts: Accounts
) -> None:
    ada = asking("ada")
    mia = _reader(client, _invited(ada))
    for path in ("/studio", "/studio/videos", "/studio/videos/a0", "/studio/audience"):
        assert mia.get(path).status_code == 200
    assert "you read along as Mia" in mia.get("/studio").text and "Your readers" not in mia.get("/studio").text
    assert mia.get("/api/v1/creators/ada/overview").json() == ada.get("/api/v1/creators/ada/overview").json()
    assert mia.get("/api/v1/creators/bob/overview").status_code == 404
    listed = ada.get("/studio/team").text
    assert "Mia" in listed and "signed in" in listed


def test_a_reader_invites_and_removes_nobody(client: Client, asking: Asking, accounts: Accounts) -> None:
    mia = _reader(client, _invited(asking("ada")))
    (known,) = accounts.readers("ada")
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/studio/team", {}), ("POST", "/studio/team/invite", {"data": {"label": "Noa"}, "headers": OWN}),
        ("POST", "/studio/team/remove", {"data": {"reader": str(known.reader)}, "headers": OWN}),
    ]  # fmt: skip
    for method, path, options in asked:
        answer = mia.request(method, path, **options)
        assert answer.status_code == 403 and "Only the creator" in answer.text
    assert [reader.label for reader in accounts.readers("ada")] == ["Mia"]


def test_a_removed_reader_is_out_at_once(client: Client, asking: Asking, accounts: Accounts) -> None:
    ada = asking("ada")
    mia = _reader(client, _invited(ada))
    (known,) = accounts.readers("ada")
    assert ada.post("/studio/team/remove", data={"reader": str(known.reader)}, headers=OWN).status_code == 303
    assert mia.get("/studio").status_code == 303 and mia.get("/api/v1/creators/ada/overview").status_code == 401


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 30, "1 OR 1", "999999"])
def test_a_reader_that_is_not_theirs_is_nobody(asking: Asking, accounts: Accounts, number: str) -> None:
    answer = asking("bob").post("/studio/team/remove", data={"reader": number}, headers=OWN)
    assert answer.status_code == 400


def test_another_creators_reader_stays(asking: Asking, accounts: Accounts) -> None:
    _invited(asking("ada"))
    (known,) = accounts.readers("ada")
    answer = asking("bob").post("/studio/team/remove", data={"reader": str(known.reader)}, headers=OWN)
    assert answer.status_code == 400 and len(accounts.readers("ada")) == 1


@pytest.mark.parametrize("path", ["/studio/team/invite", "/studio/team/remove"])
def test_another_site_cannot_invite_or_remove(asking: Asking, accounts: Accounts, path: str) -> None:
    before = accounts.readers("ada")
    for headers in ({}, {"Origin": "http://evil.test"}):
        answer = asking("ada").post(path, data={"label": "Mia", "reader": "1"}, headers=headers)
        assert answer.status_code == 403
    assert accounts.readers("ada") == before


def test_a_link_that_is_shown_once_is_not_renewed_away_nor_kept(asking: Asking, accounts: Accounts) -> None:
    answer = asking("ada").post("/studio/team/invite", data={"label": "<b>Mia"}, headers=OWN)
    assert "every 60s" not in answer.text and "&lt;b&gt;Mia" in answer.text and "<b>Mia" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
