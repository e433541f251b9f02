"""A developer looks after their endpoints on their own app's page, and nobody else's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from footlights.public.accounts.apps.registry import App, Apps
from footlights.public.accounts.store import Store
from footlights.public.web.endpoints import TESTS_AT_A_TIME, Endpoints
from footlights.public.web.sessions import DEVELOPER_COOKIE
from footlights.public.webhooks import ENDPOINTS_MAX, delivery
from footlights.public.webhooks.sending import Outcome
from tests.apps import registered
from tests.unit.public.web.conftest import ADDRESS, Client

PATH = "/developer"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")


class Developer:
    """A browser that has used the link of an app."""

    def __init__(self, client: Client, store: Store, app: App) -> None:
        session = Apps(store).redeem(Apps(store).make_link(app))
        self._client, self._headers = client, {"Cookie": f"{DEVELOPER_COOKIE}={session}", "Origin": ADDRESS}

    def page(self) -> str:
        return self._client.get(PATH, headers=self._headers).text

    def post(self, what: str = "", **form: str) -> tuple[int, str]:
        answer = self._client.post(f"{PATH}/endpoints{what}", data=form, headers=self._headers)
        return answer.status_code, answer.text

    def number(self) -> str:
        return str(re.findall(r'name="endpoint" value="(\d+)"', self.page())[0])


@pytest.fixture
def store(data: Path) -> Iterator[Store]:
    opened = Store(data / "public")
    yield opened
    opened.close()


@pytest.fixture
def developer(client: Client, data: Path, store: Store) -> Developer:
    app, _ = registered(data, state="sandbox")
    return Developer(client, store, app)


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What endpoints answer, one after the other."""
    said: list[str] = []

    def send(url: str, **_: object) -> Outcome:
        word = said.pop(0)
        return Outcome(taken=word == "200", word=word)

    monkeypatch.setattr(delivery.Courier.__init__, "__kwdefaults__", {"private_allowed": False, "send": send})
    return said


def test_a_secret_is_shown_once_and_its_successor_too(developer: Developer) -> None:
    status, page = developer.post(url="https://lampkit.example/hook")
    (first,) = SECRET.findall(page)
    assert status == 200 and "https://lampkit.example/hook" in developer.page()
    status, page = developer.post("/secret", endpoint=developer.number())
    (second,) = SECRET.findall(page)
    assert status == 200 and first != second and "24 hours" in page
    assert SECRET.findall(developer.page()) == []


def test_a_test_says_what_became_of_it_and_is_listed(developer: Developer, words: list[str]) -> None:
    developer.post(url="https://lampkit.example/hook")
    words += ["500", "200"]
    number = developer.number()
    assert developer.post("/test", endpoint=number)[0] == 303
    page = developer.page()
    assert "not taken" in page and "500" in page and "1 message waits." in page and "<code>test</code>" in page


def test_only_a_few_wait_for_their_tests_at_a_time_and_the_others_are_told_to_come_back(
    developer: Developer, words: list[str]
) -> None:
    developer.post(url="https://lampkit.example/hook")
    number = developer.number()
    for _ in range(TESTS_AT_A_TIME):
        assert Endpoints._tests.acquire(blocking=False)
    try:
        assert developer.post("/test", endpoint=number)[0] == 503
    finally:
        for _ in range(TESTS_AT_A_TIME):
            Endpoints._tests.release()
    words += ["200"]
    assert developer.post("/test", endpoint=number)[0] == 303 and words == []


def test_an_endpoint_that_gave_up_starts_again_with_what_it_had_not_taken(
    developer: Developer, words: list[str]
) -> None:
    developer.post(url="https://lampkit.example/hook")
    words += ["410"]
    number = developer.number()
    developer.post("/test", endpoint=number)
    page = developer.page()
    assert (
        "It asked not to be told any more." in page and "1 message was given up." in page and "given up</span>" in page
    )
    assert developer.post("/again", endpoint=number)[0] == 303
    assert "1 message waits." in developer.page()
    assert developer.post("/remove", endpoint=number)[0] == 303
    assert "lampkit.example/hook" not in developer.page()


@pytest.mark.parametrize("url", ["http://lampkit.example/", "https://user:pass@lampkit.example/", "javascript:1", ""])
def test_what_is_no_endpoint_is_refused_and_so_is_one_too_many(developer: Developer, url: str) -> None:
    assert developer.post(url=url)[0] == 400
    for number in range(ENDPOINTS_MAX):
        assert developer.post(url=f"https://lampkit.example/{number}")[0] == 200
    assert developer.post(url="https://lampkit.example/more")[0] == 400


@pytest.mark.parametrize("what", ["/test", "/secret", "/again", "/remove"])
def test_another_apps_endpoint_is_none_of_theirs(
    client: Client, data: Path, store: Store, developer: Developer, what: str
) -> None:
    developer.post(url="https://lampkit.example/hook")
    other = Developer(client, store, registered(data, state="sandbox")[0])
    status, page = other.post(what, endpoint=developer.number())
    assert status in (303, 400) and not SECRET.search(page)
    assert "Nothing has been sent yet." in developer.page()


def test_without_a_developers_session_there_is_nothing(client: Client) -> None:
    answer = client.post(f"{PATH}/endpoints", data={"url": "https://a.example/"}, headers={"Origin": ADDRESS})
    assert answer.status_code == 401


@pytest.mark.parametrize("state", ["suspended", "banned"])
def test_a_stopped_app_sends_no_test_and_adds_no_endpoint(client: Client, data: Path, store: Store, state: str) -> None:
    app, _ = registered(data, state="approved")
    developer = Developer(client, store, app)
    developer.post(url="https://lampkit.example/hook")
    Apps(store).move(Apps(store).get(app.client_id), state, reason="?")  # type: ignore[arg-type]
    assert developer.post("/test", endpoint="1")[0] == 400 and developer.post(url="https://b.example/")[0] == 400
    assert "An app that was stopped is told nothing more." in developer.page()


def test_a_draft_that_is_deleted_takes_its_endpoints_along(client: Client, data: Path, store: Store) -> None:
    app, _ = registered(data, state="draft")
    Developer(client, store, app).post(url="https://lampkit.example/hook")
    Apps(store).remove(app)
    with store.reading() as db:
        left = db.execute("SELECT count(*) FROM webhook_endpoints WHERE owner = ?", (f"app:{app.client_id}",))
        assert left.fetchone() == (0,)
