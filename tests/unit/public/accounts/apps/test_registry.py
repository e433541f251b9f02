"""Apps: what may be said of one, and how it gets from draft to approved and out again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from footlights.public.accounts.apps.grants import Consent, Grants
from footlights.public.accounts.apps.reads import Reads
from footlights.public.accounts.apps.registry import App, Apps, State
from footlights.public.accounts.apps.scopes import BASIC, PURPOSES, SCOPES, excess_of
from footlights.public.accounts.store import ACCOUNTS_FILE, Store
from footlights.terms.errors import NotAllowed
from tests.apps import SAID
from tests.unit.public.accounts.clocks import Clock

WAY: tuple[State, ...] = ("sandbox", "review", "approved")


PATHS: dict[State, tuple[State, ...]] = {
    "draft": (), "sandbox": WAY[:1], "review": WAY[:2], "approved": WAY, "suspended": (*WAY, "suspended"),
    "banned": ("banned",),
}  # fmt: skip


@pytest.fixture
def apps(store: Store) -> Apps:
    return Apps(store)


def _approved(apps: Apps) -> App:
    app, _ = apps.create(SAID, public=False)
    for state in WAY:
        app = apps.move(app, state)
    return app


def _token(grants: Grants, app: App, creator: str = "ada", *, sandbox: bool = False) -> str:
    consent = Consent(creator=creator, sandbox=sandbox, scopes=app.scopes)
    made = grants.agree(app, consent, redirect_uri=app.redirect_uris[0], code_challenge="x", key_print=None)
    code = grants.code(made, app)
    assert code is not None
    return grants.exchange(code, access_key=None, refresh_key=None).access


@pytest.mark.parametrize(
    "over",
    [
        {"name": ""}, {"name": "x" * 61}, {"name": "two\nlines", "maker": "\u202e"}, {"maker": " "},
        {"site": "http://lampkit.example"}, {"site": "javascript:alert(1)"}, {"site": 'https://a.example/"x'},
        {"purpose": "all"}, {"scopes": []}, {"scopes": ["viewers.list"]}, {"redirect_uris": []},
        {"redirect_uris": [f"https://a.example/{n}" for n in range(11)]},
        *({"redirect_uris": [address]} for address in (
            "http://a.example/back", "https://", "https://a.example/#x", "https://u:p@a.example/", "https://*.a.example/",
            "javascript:alert(1)", "data:text/html,x", "https://a.example/ x", "https://a.example/\"", "ftp://a.example/",
            "com.example.app:/back", "http://localhost.evil.test/", "http://127.0.0.1.evil.test/", "https://a.example/'",
            "http://127.0.0.1@evil.test/", "//a.example/back", "/back", "https://[::1",
            "https://bank.example%2eevil.test/", "https://bank.example,evil.test/", "https://a.example;b/",
        )),
    ],
)  # fmt: skip
def test_what_cannot_be_said_of_an_app_is_refused(apps: Apps, over: dict[str, Any]) -> None:
    with pytest.raises(NotAllowed):
        apps.create(msgspec.structs.replace(SAID, **over), public=False)
    assert apps.all() == []


@pytest.mark.parametrize(
    "address", ["com.example.app:/back", "http://127.0.0.1:8123/back", "http://[::1]:81/", "https://a.example:444/?x=1"]
)
def test_an_app_on_a_device_is_answered_on_the_device(apps: Apps, address: str) -> None:
    app, secret = apps.create(msgspec.structs.replace(SAID, redirect_uris=[address]), public=True)
    assert app.redirect_uris == (address,) and app.bound and secret is None


def test_the_port_of_a_program_on_a_device_is_free_and_nothing_else_of_any_address_is(apps: Apps) -> None:
    said = msgspec.structs.replace(
        SAID,
        redirect_uris=["http://127.0.0.1:80/cb?a=1", "http://[::1]/cb", "http://localhost:81/cb", "https://a.example/"],
    )
    app, _ = apps.create(said, public=True)
    for address in ("http://127.0.0.1:49152/cb?a=1", "http://[::1]:49152/cb", *app.redirect_uris):
        assert app.is_answered_at(address), address
    for address in (
        "http://127.0.0.1:49152/cb", "http://127.0.0.1:49152/cb?a=1&b=2", "http://127.0.0.2:80/cb?a=1",
        "http://localhost:82/cb", "https://a.example:444/", "https://127.0.0.1:80/cb?a=1", "http://[::1]:x/cb",
        "http://127.0.0.1:80@evil.test/cb?a=1", "http://127.0.0.1:123456/cb?a=1", "http://127.0.0.1:1.evil.test/cb?a=1",
    ):  # fmt: skip
        assert not app.is_answered_at(address), address
    confidential, _ = apps.create(said, public=False)
    assert not confidential.is_answered_at("http://127.0.0.1:49152/cb?a=1")


@pytest.mark.parametrize("purpose", [purpose.name for purpose in PURPOSES])
def test_excess_is_refused_with_the_reason_or_goes_to_review_where_the_operator_allows_it(
    store: Store, purpose: str
) -> None:
    everything = msgspec.structs.replace(SAID, purpose=purpose, scopes=[scope.name for scope in SCOPES])
    excess = excess_of(purpose, everything.scopes)
    assert (not excess) == (purpose == "reports")
    if excess:
        with pytest.raises(NotAllowed, match=f"does not need {', '.join(excess)}"):
            Apps(store).create(everything, public=False)
    app, _ = Apps(store, excess="review").create(everything, public=False)
    assert app.excess == excess and app.state == "draft"


def test_every_purpose_needs_to_know_whose_figures_it_reads() -> None:
    assert all(BASIC in purpose.needs for purpose in PURPOSES)


def test_an_app_gets_nowhere_but_by_the_way_that_there_is(apps: Apps) -> None:
    states: tuple[State, ...] = ("draft", "sandbox", "review", "approved", "suspended", "banned")
    follows = set()
    for begin in states:
        for end in states:
            app, _ = apps.create(SAID, public=False)
            path = PATHS[begin]
            for state in path:
                app = apps.move(app, state, reason="of a test")
            try:
                apps.move(app, end, reason="of a test")
            except NotAllowed:
                continue
            follows.add((begin, end))
    assert follows == {
        ("draft", "sandbox"), ("draft", "banned"), ("sandbox", "draft"), ("sandbox", "review"), ("sandbox", "banned"),
        ("review", "sandbox"), ("review", "approved"), ("review", "banned"), ("approved", "sandbox"),
        ("approved", "suspended"), ("approved", "banned"), ("suspended", "sandbox"), ("suspended", "approved"),
        ("suspended", "banned"),
    }  # fmt: skip


@pytest.mark.parametrize("state", ["review", "approved", "suspended"])
def test_what_was_submitted_is_what_creators_are_asked_about(apps: Apps, state: State) -> None:
    app, _ = apps.create(SAID, public=False)
    for step in PATHS[state]:
        app = apps.move(app, step, reason="of a test")
    with pytest.raises(NotAllowed, match="fixed once it is submitted"):
        apps.change(app, msgspec.structs.replace(SAID, redirect_uris=["https://evil.test/"]))


def test_suspending_ends_every_token_at_that_moment_and_tells_the_creators(store: Store, apps: Apps) -> None:
    grants, reads = Grants(store), Reads(store)
    app = _approved(apps)
    tokens = [_token(grants, app, creator) for creator in ("ada", "bob")]
    assert all(grants.access(token) for token in tokens)
    with pytest.raises(NotAllowed, match="Say why"):
        apps.move(app, "suspended")
    stopped = apps.move(app, "suspended", reason="It sold what it read.")
    assert [grants.access(token) for token in tokens] == [None, None]
    for creator in ("ada", "bob"):
        (notice,) = reads.notices(creator)
        assert (notice.app, notice.state, notice.reason) == ("LampKit", "suspended", "It sold what it read.")
    assert reads.notices("eve") == []
    apps.move(stopped, "approved")
    assert all(grants.access(token) for token in tokens), "who is let in again reads on"


def test_another_process_s_suspension_is_seen_at_the_next_request(
    store: Store, apps: Apps, tmp_path: Path, clock: Clock
) -> None:
    grants = Grants(store)
    app = _approved(apps)
    token = _token(grants, app)
    assert grants.access(token) is not None
    elsewhere = Store(tmp_path, clock=clock)
    Apps(elsewhere).move(app, "suspended", reason="by the command line")
    elsewhere.close()
    assert grants.access(token) is None


def test_a_banned_app_loses_what_was_agreed_to_and_never_comes_back(store: Store, apps: Apps) -> None:
    grants = Grants(store)
    app = _approved(apps)
    token = _token(grants, app)
    banned = apps.move(app, "banned", reason="It sold what it read.")
    assert grants.access(token) is None and grants.connected("ada") == []
    with pytest.raises(NotAllowed, match="can become nothing"):
        apps.move(banned, "approved")


@pytest.mark.parametrize("by_way_of", [(), ("suspended",)])
def test_an_app_that_went_back_to_the_sandbox_asks_its_creators_anew(
    by_way_of: tuple[State, ...], store: Store, apps: Apps
) -> None:
    """There it may say something else of itself, and nobody agreed to that."""
    grants, reads = Grants(store), Reads(store)
    app = _approved(apps)
    token = _token(grants, app)
    code = grants.agree(
        app, Consent(creator="bob", sandbox=False, scopes=app.scopes), redirect_uri=app.redirect_uris[0],
        code_challenge="x", key_print=None,
    )  # fmt: skip
    for state in by_way_of:
        app = apps.move(app, state, reason="Of a test.")
    app = apps.move(app, "sandbox", reason="Of a test.")
    assert grants.connected("ada") == [] and reads.notices("ada")[0].state == "sandbox"
    app = apps.change(app, msgspec.structs.replace(SAID, redirect_uris=["https://elsewhere.example/back"]))
    app = apps.move(apps.move(app, "review"), "approved")
    assert grants.access(token) is None and grants.code(code, app) is None and grants.connected("ada") == []
    assert [notice.state for notice in reads.notices("ada")].count("approved") == 0, "there is nothing that it can read"
    assert grants.access(_token(grants, app)) is not None


def test_what_is_tried_in_the_sandbox_outlives_a_turn_back_to_it(store: Store, apps: Apps) -> None:
    grants = Grants(store)
    app, _ = apps.create(SAID, public=False)
    app = apps.move(app, "sandbox")
    apps.set_testers(app, ["sim-1"])
    token = _token(grants, app, "sim-1", sandbox=True)
    app = apps.move(apps.move(app, "review"), "sandbox")
    assert grants.access(token) is not None


def test_an_app_that_says_something_else_by_now_is_not_approved(apps: Apps) -> None:
    app, _ = apps.create(SAID, public=False)
    read = apps.move(apps.move(app, "sandbox"), "review")
    said = msgspec.structs.replace(SAID, redirect_uris=["https://elsewhere.example/back"])
    apps.move(apps.change(apps.move(read, "sandbox"), said), "review")
    with pytest.raises(NotAllowed, match="Somebody else has changed"):
        apps.move(read, "approved")
    apps.move(read, "banned", reason="What stops an app is never too late.")


def test_an_app_has_five_test_creators_at_most_and_they_are_nobodys(store: Store, apps: Apps) -> None:
    app, _ = apps.create(SAID, public=False)
    app = apps.move(app, "sandbox")
    with pytest.raises(NotAllowed, match="at most 5"):
        apps.set_testers(app, [f"sim-{n}" for n in range(6)])
    apps.set_testers(app, ["sim-1", "sim-2"])
    grants = Grants(store)
    consent = Consent(creator="sim-1", sandbox=True, scopes=app.scopes)
    made = grants.agree(app, consent, redirect_uri=app.redirect_uris[0], code_challenge="x", key_print=None)
    code = grants.code(made, app)
    assert code is not None
    token = grants.exchange(code, access_key=None, refresh_key=None).access
    found = grants.access(token)
    assert found is not None and found.consent.sandbox
    assert grants.connected("sim-1") == [], "a real creator of that id has let nobody in"
    apps.set_testers(app, ["sim-2"])
    assert grants.access(token) is None


def test_no_token_code_secret_or_link_is_in_the_file_as_it_is(tmp_path: Path, store: Store, apps: Apps) -> None:
    grants = Grants(store)
    app, secret = apps.create(SAID, public=False)
    for state in WAY:
        app = apps.move(app, state)
    consent = Consent(creator="ada", sandbox=False, scopes=app.scopes)
    made = grants.agree(app, consent, redirect_uri=app.redirect_uris[0], code_challenge="x", key_print=None)
    code = grants.code(made, app)
    assert code is not None and secret is not None
    issued = grants.exchange(code, access_key=None, refresh_key=None)
    link = apps.make_link(app)
    session = apps.redeem(apps.make_link(app))
    written = b"".join(path.read_bytes() for path in tmp_path.glob(f"{ACCOUNTS_FILE}*"))
    for kept in (made, secret, issued.access, issued.refresh, link, session):
        assert kept.encode() not in written


def test_what_was_agreed_to_ends_after_180_days_however_often_it_is_used(
    store: Store, apps: Apps, clock: Clock
) -> None:
    grants = Grants(store)
    app = _approved(apps)
    consent = Consent(creator="ada", sandbox=False, scopes=app.scopes)
    code = grants.code(
        grants.agree(app, consent, redirect_uri=app.redirect_uris[0], code_challenge="x", key_print=None), app
    )
    assert code is not None
    issued = grants.exchange(code, access_key=None, refresh_key=None)
    for _ in range(179):
        clock.now += 86_400
        held = grants.refresh(issued.refresh, app)
        assert held is not None and grants.access(issued.access) is None
        issued = grants.rotate(held, scopes=held.consent.scopes, access_key=None)
        assert grants.access(issued.access) is not None
    clock.now += 86_400
    assert grants.refresh(issued.refresh, app) is None and grants.connected("ada") == []


def test_every_read_is_written_down_for_as_long_as_it_is_kept(store: Store, apps: Apps, clock: Clock) -> None:
    grants, reads = Grants(store), Reads(store, kept_days=2)
    app = _approved(apps)
    token = grants.access(_token(grants, app))
    assert token is not None
    for through in (600, 600, 660):
        reads.note(token, "/v2/video/list/", through_utc=through)
    assert [(read.route, read.through_utc, read.reads) for read in reads.of("ada", limit=9)] == [
        ("/v2/video/list/", 600, 2), ("/v2/video/list/", 660, 1),
    ]  # fmt: skip
    assert reads.of("bob", limit=9) == []
    clock.now += 2 * 86_400 + 1
    reads.note(token, "/v2/user/info/", through_utc=720)
    assert [read.route for read in reads.of("ada", limit=9)] == ["/v2/user/info/"]
