from __future__ import annotations

import re
from pathlib import Path

import pytest

from footlights.public.accounts.alerts import AlertChoices
from footlights.public.accounts.creators import Accounts
from footlights.public.accounts.store import Store
from footlights.public.web.app import create_app
from footlights.public.webhooks import delivery
from footlights.public.webhooks.sending import Outcome
from footlights.settings import load_settings
from tests.unit.public.web.conftest import ADDRESS, Asking, Client

OWN = {"Origin": ADDRESS}
PATH = "/studio/alerts"


def test_a_choice_is_kept_and_shown(asking: Asking, data: Path) -> None:
    ada = asking("ada")
    assert ada.post(PATH, data={"videos": "1"}, headers=OWN).status_code == 303
    assert re.findall(r'name="(\w+)" value="1" (checked)?', ada.get(PATH).text) == [
        ("videos", "checked"),
        ("weeks", ""),
    ]
    store = Store(data / "public")
    choice = AlertChoices(store).of("ada")
    store.close()
    assert choice.videos and not choice.weeks and choice.since_utc > 0
    ada.post(PATH, data={}, headers=OWN)


def test_a_secret_is_shown_once_and_kept_by_no_cache(asking: Asking) -> None:
    eve = asking("eve")
    made = eve.post(f"{PATH}/endpoints", data={"url": "https://eve.example/hook"}, headers=OWN)
    assert re.search(r"whsec_[A-Za-z0-9+/]{43}=", made.text) and made.headers["cache-control"] == "no-store"
    again = eve.get(PATH).text
    assert "https://eve.example/hook" in again and "whsec_" not in again


@pytest.mark.parametrize("url", ["http://eve.example/", "https://", "javascript:1", ""])
def test_what_is_no_endpoint_is_said_in_the_language_of_the_page(asking: Asking, url: str) -> None:
    answer = asking("eve").post(
        f"{PATH}/endpoints", data={"url": url}, headers={**OWN, "Cookie": "footlights_language=de"}
    )
    assert answer.status_code == 400 and "Ein Endpunkt ist eine Adresse" in answer.text


def test_a_test_says_what_became_of_it_and_a_stopped_endpoint_starts_again(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = iter(["410", "200"])

    def send(url: str, **_: object) -> Outcome:
        word = next(words)
        return Outcome(taken=word == "200", word=word)

    monkeypatch.setattr(delivery.Courier.__init__, "__kwdefaults__", {"private_allowed": False, "send": send})
    bob = asking("bob")
    bob.post(f"{PATH}/endpoints", data={"url": "https://bob.example/hook"}, headers=OWN)
    (number,) = set(re.findall(r'name="endpoint" value="(\d+)"', bob.get(PATH).text))
    bob.post(f"{PATH}/endpoints/test", data={"endpoint": number}, headers=OWN)
    assert "It asked not to be told any more." in bob.get(PATH).text
    assert bob.post(f"{PATH}/endpoints/again", data={"endpoint": number}, headers=OWN).status_code == 303
    bob.post(f"{PATH}/endpoints/test", data={"endpoint": number}, headers=OWN)
    text = bob.get(PATH).text
    assert "Last taken" in text
    assert asking("ada").post(f"{PATH}/endpoints/remove", data={"endpoint": number}, headers=OWN).status_code == 400
    assert bob.post(f"{PATH}/endpoints/remove", data={"endpoint": number}, headers=OWN).status_code == 303
    assert "bob.example" not in bob.get(PATH).text


def test_a_reader_sees_no_alerts_and_sets_none(client: Client, data: Path) -> None:
    accounts = Accounts(data / "public")
    reader = Client(client.app, token=accounts.redeem(accounts.invite("ada", "Mia")))
    accounts.close()
    assert reader.get(PATH).status_code == 403
    assert reader.post(PATH, data={"videos": "1"}, headers=OWN).status_code == 403


def test_a_language_is_kept_in_a_cookie_and_leads_back_to_the_page(client: Client) -> None:
    answer = client.post("/language", data={"language": "de", "back": "/privacy?x=1"}, headers=OWN)
    assert answer.status_code == 303 and answer.headers["location"] == "/privacy?x=1"
    assert "footlights_language=de" in answer.headers["set-cookie"] and "HttpOnly" in answer.headers["set-cookie"]
    page = client.get("/privacy", headers={"Cookie": "footlights_language=de"})
    assert page.headers["content-language"] == "de" and "Niemand kann herausfinden" in page.text
    assert "Accept-Language" in page.headers["vary"]
    assert "Niemand" in client.get("/privacy", headers={"Accept-Language": "de-CH"}).text


@pytest.mark.parametrize("back", ["https://evil.test/", "//evil.test", "/\\evil.test", "evil", "/a\r\nX: y", ""])
def test_choosing_a_language_leads_to_no_other_site(client: Client, back: str) -> None:
    answer = client.post("/language", data={"language": "de", "back": back}, headers=OWN)
    assert answer.headers["location"] == "/"


def test_a_language_that_is_not_offered_is_refused(client: Client) -> None:
    assert client.post("/language", data={"language": "en-XB"}, headers=OWN).status_code == 400


def test_mirrored_english_is_offered_where_the_operator_asks_for_it(data: Path) -> None:
    site = Client(create_app(data, load_settings(data, over={"languages": "en en-XB"})))
    text = site.get("/", headers={"Accept-Language": "en-XB"}).text
    assert '<html lang="en-XB" dir="rtl">' in text and "\u202e" in text
