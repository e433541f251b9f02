"""A creator sees their own channel alone: every route of the application, with every id of somebody else's in it.

The walk is made from the routes that the application has, so a new one is walked without anybody thinking of it; one
that takes an id of a kind that is not known here fails until somebody says whose it is.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from footlights.public.accounts import passwords
from footlights.public.accounts.apps.grants import Consent, Grants
from footlights.public.accounts.apps.registry import Apps
from footlights.public.accounts.contacts import Contacts
from footlights.public.accounts.creators import Accounts
from footlights.public.accounts.operators import Operators
from footlights.public.accounts.platforms import make_token
from footlights.public.accounts.signing import Signing
from footlights.public.accounts.store import Store
from footlights.public.histories.write import add
from footlights.public.web import calls, embed, pages, shared
from footlights.public.web.api import ENDPOINTS, Endpoint
from footlights.public.web.app import create_app
from footlights.public.web.sessions import COOKIE, OPERATOR_COOKIE
from footlights.public.webhooks import Webhooks
from footlights.settings import load_settings
from footlights.terms.ticks import DAY
from tests import boards, exports, notaries
from tests.apps import BACK, SAID
from tests.liveboards import make_live
from tests.unit.public.web.conftest import ADDRESS, Client
from tests.unit.public.web.test_api import ACCESS

#: What only Ada, and whom she lets, may read: no asker below sends any of it.
SECRETS = ("Adas-Name", "Adas-Title", "adas-hashtag", "Adas-Reader", "adas-endpoint", "adas-address", "48,211", "48211")
#: An id of Ada's for each kind of id that a route may take; a static file is nobody's.
IDS = {"creator": "ada", "video": "a0", "live": "l0", "name": "app.css", "share": "a0", "app": "app-adas"}
#: How ids are named where a query or a form holds them.
FIELDS = {
    "creator": "ada", "creator_id": "ada", "video": "a0", "video_id": "a0", "id": "a0", "channel": "ada", "user": "ada",
    "app": "app-adas", "notice": "1", "tester": "ada", "asked": "client_id=app-adas", "decision": "allow",
    "fields": "open_id", "other": "a0", "q": "a0", "after": "a", "label": "x", "page": "video:a0", "format": "csv",
}  # fmt: skip
#: An operator is shown who is declared, by name. That is all.
DECLARED = {("operator", "GET /operator/creators"): {"Adas-Name"}}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    boards.make_board(
        folder / "board",
        [
            boards.ACreator(id="ada", name="Adas-Name", tier="pro", followers=48_211),
            boards.ACreator(id="bob", name="Bob", tier="pro", followers=900),
        ],
        [
            boards.AVideo(
                id="a0", creator="ada", title="Adas-Title", hashtags=("adas-hashtag",), age_seconds=9 * DAY, reach=9000
            ),
            boards.AVideo(id="b0", creator="bob", title="Lamp", age_seconds=9 * DAY, reach=4000),
        ],
        every_tick=False,
    )
    notaries.sign(folder)
    # The platform on which apps are tried has somebody of her name, who is nobody.
    boards.make_board(
        folder / "sandbox" / "board",
        [boards.ACreator(id="ada", name="Simulated", tier="pro")],
        [boards.AVideo(id="a0", creator="ada", title="Simulated", age_seconds=9 * DAY, reach=500)],
        every_tick=False,
    )
    make_live(folder / "board", "l0", "ada", [48_211] * 60, title="Adas-Title")
    brought = exports.plain([("Content", "Video title", "Views"), ("UObM30FGdSs", "Adas-Title", 48_211)])
    own = folder / "public" / "histories" / f"{hashlib.sha256(b'ada').hexdigest()}.db"
    add(own, exports.read({"Table data.csv": brought}), now_utc=exports.NOW)
    return folder


@pytest.fixture(scope="module")
def app(data: Path) -> Starlette:
    return create_app(data, load_settings(data))


@pytest.fixture(scope="module")
def accounts(data: Path) -> Iterator[Accounts]:
    opened = Accounts(data / "public")
    yield opened
    opened.close()


def _embed_token(store: Store, creator: str, page: str) -> str:
    signing = Signing(store)
    kid = signing.kids()[0] if signing.kids() else signing.create().kid
    secret = signing.secret_of(kid)
    assert secret is not None
    now = int(time.time())
    claims = {
        "iss": "platform", "aud": "footlights", "kind": "embed", "sub": creator, "page": page, "iat": now,
        "exp": now + 3600, "origin": "https://app.example",
    }  # fmt: skip
    return make_token(claims, kid=kid, secret=secret)


def _app_token(store: Store, creator: str, *, sandbox: bool) -> str:
    """A token of an app that may read all of a creator's channel."""
    apps, grants = Apps(store), Grants(store)
    app, _ = apps.create(SAID, public=False)
    for state in ("sandbox", "review", "approved"):
        app = apps.move(app, state)
    consent = Consent(creator=creator, sandbox=sandbox, scopes=app.scopes)
    made = grants.agree(app, consent, redirect_uri=BACK, code_challenge="x" * 43, key_print=None)
    code = grants.code(made, app)
    assert code is not None
    return grants.exchange(code, access_key=None, refresh_key=None).access


@pytest.fixture(scope="module")
def askers(data: Path, accounts: Accounts) -> Iterator[dict[str, dict[str, str]]]:
    """Who asks, by the headers that they send. None of them is Ada."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(passwords, "MEMORY_KIB", 64)
        store = Store(data / "public")
        operators = Operators(store)
        made = operators.create("mia", "four lamps in a row")
        operating = operators.sign_in("mia", "four lamps in a row", made.recovery_codes[0])
        bob = accounts.redeem(accounts.make_login_link("bob", 60))
        reader = accounts.redeem(accounts.invite("bob", "Bobs reader"))
        accounts.redeem(accounts.invite("ada", "Adas-Reader"))
        Webhooks(store).add("creator:ada", "https://adas-endpoint.example/")
        contacts = Contacts(store)
        contacts.set("ada", "adas-address@example.org")
        # Whoever walked before, in whatever order, may have stopped them.
        contacts.set("bob", "bob@example.org", again=True)
        gone = accounts.redeem(accounts.invite("ada", "no longer"))
        (removed,) = [each for each in accounts.readers("ada") if each.label == "no longer"]
        accounts.remove_reader("ada", removed.reader)
        yield {
            "nobody": {},
            "bob": {"Authorization": f"Bearer {bob}"},
            "bob by cookie": {"Cookie": f"{COOKIE}={bob}"},
            "bob's reader": {"Authorization": f"Bearer {reader}"},
            "a reader whom Ada removed": {"Authorization": f"Bearer {gone}"},
            "bob's frame": {"Authorization": f"Bearer {_embed_token(store, 'bob', 'overview')}"},
            "bob's app": {"Authorization": f"Bearer {_app_token(store, 'bob', sandbox=False)}"},
            "an app of a simulated ada": {"Authorization": f"Bearer {_app_token(store, 'ada', sandbox=True)}"},
            "operator": {"Cookie": f"{OPERATOR_COOKIE}={operating}"},
        }
        store.close()


def routes(app: Starlette) -> list[tuple[str, str]]:
    """Every method and path that the application answers. Fails for what could hide others."""
    found = []
    for route in app.routes:
        assert isinstance(route, Route) and not isinstance(route, Mount), f"{route} hides routes from this walk"
        unknown = set(route.param_convertors) - set(IDS)
        assert not unknown, f"{route.path} takes {unknown}: say in IDS whose it is"
        found += [(method, route.path) for method in sorted((route.methods or set()) - {"HEAD"})]
    return found


def _parameters() -> dict[str, set[str]]:
    """The query parameters of each path, as its table says."""
    tables: list[Endpoint | pages.Page] = [*ENDPOINTS, *pages.PAGES]
    return {entry.path: {parameter.name for parameter in entry.parameters} for entry in tables}


def _requests(method: str, path: str, store: Store) -> list[dict[str, Any]]:
    """What to ask of a route: its ids are Ada's, in the path, in the query and in the form."""
    named = re.sub(r"{(\w+)}", lambda found: IDS[found[1]], path)
    if path == "/embed":
        tokens = [_embed_token(store, "bob", page) for page in ("video:a0", "chart:ada", "overview", "video:b0")]
        return [{"method": method, "url": named, "params": {"token": token}} for token in tokens]
    if path == "/unsubscribe":
        # Bob's own link: it tells of nobody else's letters, and stops none.
        return [{"method": method, "url": named, "params": {"token": Contacts(store).stop_token("bob")}}]
    if method == "GET":
        known = _parameters().get(path, set())
        queries: list[dict[str, str]] = [{}, FIELDS, {name: FIELDS[name] for name in known & set(FIELDS)}]
        return [{"method": method, "url": named, "params": query} for query in queries]
    own = {"Origin": ADDRESS}
    numbers = [str(number) for number in range(1, 4)]
    # A form's numbers are those of her readers and endpoints.
    forms: list[dict[str, str]] = [
        {**FIELDS, "reader": number, "endpoint": number, "token": "ada"} for number in numbers
    ]
    return [
        *({"method": method, "url": named, "data": form, "headers": own} for form in forms),
        {"method": method, "url": named, "json": FIELDS, "headers": own},
    ]


def _asked(app: Starlette, headers: dict[str, str], request: dict[str, Any]) -> httpx.Response:
    request = {**request, "headers": {**request.get("headers", {}), **headers}}
    return Client(app).request(request.pop("method"), request.pop("url"), **request)


def _told(answer: httpx.Response) -> set[str]:
    text = answer.text + str(answer.headers)
    return {secret for secret in SECRETS if secret in text}


def _leaks(app: Starlette, data: Path, who: str, headers: dict[str, str]) -> list[tuple[str, set[str]]]:
    """Every route that tells an asker something of Ada's, and what."""
    store = Store(data / "public")
    found = []
    for method, path in routes(app):
        if path in ("/logout", "/operator/logout"):
            continue  # it would end the asker's own session
        for request in _requests(method, path, store):
            answer = _asked(app, headers, request)
            assert answer.status_code < 500, f"{method} {path}"
            told = _told(answer) - DECLARED.get((who, f"{method} {path}"), set())
            if told:
                found.append((f"{method} {path}", told))
    store.close()
    return found


WHO = (
    "nobody", "bob", "bob by cookie", "bob's reader", "a reader whom Ada removed", "bob's frame", "bob's app",
    "an app of a simulated ada", "operator",
)  # fmt: skip


@pytest.mark.parametrize("who", WHO)
def test_nobody_but_ada_is_told_anything_of_ada(
    app: Starlette, data: Path, askers: dict[str, dict[str, str]], accounts: Accounts, who: str
) -> None:
    assert set(askers) == set(WHO)
    assert _leaks(app, data, who, askers[who]) == []
    assert [reader.label for reader in accounts.readers("ada")] == ["Adas-Reader"], "and nothing of hers was changed"
    store = Store(data / "public")
    (endpoint,) = Webhooks(store).of("creator:ada")
    assert endpoint.waiting == endpoint.dead == 0 and Contacts(store).has("ada")
    store.close()


def test_every_route_that_is_walked_has_been_classified(app: Starlette) -> None:
    assert {f"{method} {path}" for method, path in routes(app)} == set(ACCESS)


def test_a_route_with_an_id_that_nobody_thought_about_fails() -> None:
    with pytest.raises(AssertionError, match="say in IDS"):
        routes(Starlette(routes=[Route("/teams/{team}", lambda request: httpx.Response(200))]))
    with pytest.raises(AssertionError, match="hides routes"):
        routes(Starlette(routes=[Mount("/hidden", Starlette())]))


def test_ada_herself_is_told(data: Path, tmp_path: Path) -> None:
    """The secrets are where they are looked for, or the walk would find nothing anywhere.

    In a folder of its own: walking as herself, she stops her letters and removes her readers.
    """
    shutil.copytree(data / "board", tmp_path / "board")
    shutil.copytree(data / "public" / "histories", tmp_path / "public" / "histories")
    accounts = Accounts(tmp_path / "public")
    ada = {"Authorization": f"Bearer {accounts.sign_in('ada')}"}
    accounts.close()
    told = {route for route, _ in _leaks(create_app(tmp_path, load_settings(tmp_path)), tmp_path, "ada", ada)}
    assert {f"GET {page.path}" for page in pages.PAGES if page.access is not calls.Access.PUBLIC} <= told
    assert {"GET /api/v1/creators/{creator}/videos", "GET /api/v1/videos/{video}"} <= told
    assert {"GET /studio/history", "GET /studio/history/videos"} <= told


def test_the_walk_sees_a_guard_that_asks_whether_but_not_whose(
    app: Starlette, data: Path, askers: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def anybody(board: Any, access: Any, *, session: Any, path: dict[str, str]) -> calls.Admitted:
        video = board.video(path["video"]) if path.get("video") else None
        creator = board.creator_of(video) if video else board.creator(path.get("creator", session.creator))
        live = calls._live(board, path["live"]) if path.get("live") else None
        return calls.Admitted(creator=creator, video=video, live=live)

    for module in (shared, embed):
        monkeypatch.setattr(module, "admit", anybody)
    told = {route for route, _ in _leaks(app, data, "bob", askers["bob"])}
    assert {
        "GET /api/v1/creators/{creator}/videos",
        "GET /api/v1/videos/{video}",
        "GET /api/v1/lives/{live}",
        "GET /studio/videos/{video}",
        "GET /embed",
    } <= told
