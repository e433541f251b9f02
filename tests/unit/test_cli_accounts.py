from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from footlights.accounts import opened
from footlights.cli import main
from footlights.public.accounts import passwords
from footlights.public.accounts.apps.registry import Apps
from footlights.public.accounts.creators import Accounts, Who
from footlights.public.accounts.jwks import Jwks
from footlights.public.accounts.operators import Operators
from footlights.public.accounts.platforms import Platforms
from footlights.public.accounts.store import Store
from footlights.public.webhooks import Courier
from footlights.public.webhooks.sending import Outcome
from tests import boards
from tests.apps import SAID, registered

GOOD = "four lamps in a row"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MEMORY_KIB", 64)
    # The command's log would go to this test's standard error, which is closed when other tests log.
    monkeypatch.setattr("footlights.cli.log_to_stderr", lambda **_: None)


def _run(capsys: pytest.CaptureFixture[str], data: Path, *arguments: str) -> Any:
    assert main([*arguments, "--data", str(data), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def _typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_an_operator_who_was_created_can_sign_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _typed(monkeypatch, f"{GOOD}\n")
    made = _run(capsys, tmp_path, "operator", "create", "mia", "--password-stdin")
    assert made["name"] == "mia" and len(made["recovery_codes"]) == 10 and "otpauth://" in made["totp_address"]
    store = Store(tmp_path / "public")
    operators = Operators(store)
    session = operators.session(operators.sign_in("mia", GOOD, made["recovery_codes"][0]))
    store.close()
    assert session is not None and session.name == "mia"
    (listed,) = _run(capsys, tmp_path, "operator", "list")["operators"]
    assert listed == {"name": "mia", "passkeys": 0, "recovery_codes": 9}
    _run(capsys, tmp_path, "operator", "remove", "mia")
    assert _run(capsys, tmp_path, "operator", "list")["operators"] == []


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["create", "mia"], ""),  # no terminal, and nothing that says to read standard input
        (["create"], ""), (["remove"], ""), (["reset"], ""),
    ],
)  # fmt: skip
def test_no_operator_is_made_without_being_told_who_and_with_which_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], text: str
) -> None:
    _typed(monkeypatch, text)
    with pytest.raises(SystemExit) as ended:
        main(["operator", *arguments, "--data", str(tmp_path)])
    assert ended.value.code == 2


@pytest.mark.parametrize("text", ["", "\n", "short\n"])
def test_an_empty_or_short_password_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    _typed(monkeypatch, text)
    assert main(["operator", "create", "mia", "--password-stdin", "--data", str(tmp_path)]) == 1


@pytest.fixture
def data(tmp_path: Path) -> Path:
    boards.make_board(tmp_path / "board", [boards.ACreator(id="ada")], [])
    return tmp_path


def test_an_embed_link_holds_a_token_that_we_take(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("creator", "embed-link", "ada", "--page", "chart:reach", "--origin", "https://app.example")
    assert main([*asked, "--data", str(data)]) == 1  # no key yet
    assert "footlights creator signing-key" in capsys.readouterr().err
    key = _run(capsys, data, "creator", "signing-key")
    assert _run(capsys, data, "creator", "signing-keys")["kids"] == [key["kid"]]
    token = _run(capsys, data, *asked)["link"].partition("/embed?token=")[2]
    store = Store(data / "public")
    claims = Platforms(store, Jwks(""), issuer="platform", audience="footlights").embed(token)
    store.close()
    assert (claims.sub, claims.page, claims.origin, claims.exp - claims.iat) == (
        "ada", "chart:reach", "https://app.example", 600,
    )  # fmt: skip
    _run(capsys, data, "creator", "revoke-signing-key", key["kid"])
    assert _run(capsys, data, "creator", "signing-keys")["kids"] == []


@pytest.mark.parametrize("extra", [[], ["--origin", "https://app.example", "--minutes", "0"]])
def test_an_embed_link_needs_the_site_and_a_time(data: Path, extra: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["creator", "embed-link", "ada", "--data", str(data), *extra])
    assert ended.value.code == 2


def test_an_origin_that_is_none_is_said_on_the_machine(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(capsys, data, "creator", "signing-key")
    assert main(["creator", "embed-link", "ada", "--origin", "http://app.example", "--data", str(data)]) == 1
    assert "origin" in capsys.readouterr().err


def test_a_login_link_begins_where_browsers_reach_us(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _run(capsys, data, "creator", "login-link", "ada")["link"].startswith("http://127.0.0.1:8700/login?token=")
    monkeypatch.setenv("FOOTLIGHTS_PUBLIC_URL", "https://studio.example/")
    start, _, token = _run(capsys, data, "creator", "login-link", "ada")["link"].partition("/login?token=")
    assert start == "https://studio.example"
    accounts = Accounts(data / "public")
    assert accounts.who(accounts.redeem(token)) == Who(creator="ada")
    accounts.close()


def test_an_app_goes_from_draft_to_approved_and_is_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = ["--maker", "Lamp Works", "--site", "https://lampkit.example", "--redirect", "https://lampkit.example/back"]
    made = _run(capsys, tmp_path, "app", "create", "LampKit", "--purpose", "campaigns", *said)
    assert made["state"] == "draft" and made["client_secret"].startswith("fls_")
    assert made["scopes"] == ["user.info.basic", "video.list", "video.insights"], "what the purpose needs"
    name = made["client_id"]
    assert "/developer/login?token=" in _run(capsys, tmp_path, "app", "link", name)["link"]
    for action, state in (("try", "sandbox"), ("submit", "review")):
        assert _run(capsys, tmp_path, "app", action, name)["state"] == state
    seen = _run(capsys, tmp_path, "app", "show", name)["seen"]
    assert _run(capsys, tmp_path, "app", "approve", name, "--seen", seen)["state"] == "approved"
    assert main(["app", "suspend", name, "--data", str(tmp_path), "--json"]) == 1, "without a reason"
    capsys.readouterr()
    assert _run(capsys, tmp_path, "app", "suspend", name, "--reason", "It sold what it read.")["state"] == "suspended"
    listed = _run(capsys, tmp_path, "app", "list")["apps"]
    assert [(app["client_id"], app["reason"]) for app in listed] == [(name, "It sold what it read.")]
    assert made["client_secret"] not in json.dumps(_run(capsys, tmp_path, "app", "show", name))


def test_what_the_command_approves_is_what_the_operator_has_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app, _ = registered(tmp_path, state="review")
    seen = _run(capsys, tmp_path, "app", "show", app.client_id)["seen"]
    with opened(tmp_path) as store:  # meanwhile its developer takes it back, says something else, and submits it anew
        apps = Apps(store)
        said = msgspec.structs.replace(SAID, redirect_uris=["https://elsewhere.example/back"])
        apps.move(apps.change(apps.move(app, "sandbox"), said), "review")
    approve = ["app", "approve", app.client_id, "--data", str(tmp_path)]
    with pytest.raises(SystemExit):
        main(approve)
    assert "--seen MARK" in capsys.readouterr().err
    assert main([*approve, "--seen", seen]) == 1
    assert "Read it again" in capsys.readouterr().err
    assert _run(capsys, tmp_path, "app", "show", app.client_id)["state"] == "review"
    seen = _run(capsys, tmp_path, "app", "show", app.client_id)["seen"]
    assert _run(capsys, tmp_path, "app", "approve", app.client_id, "--seen", seen)["state"] == "approved"
    # What stops an app is never too late.
    assert _run(capsys, tmp_path, "app", "suspend", app.client_id, "--reason", "It sold it.")["state"] == "suspended"


def test_an_app_that_asks_for_more_than_it_needs_is_refused_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ["--maker", "Lamp Works", "--site", "https://lampkit.example", "--redirect", "https://lampkit.example/back"]
    asked = ["app", "create", "LampKit", "--purpose", "video-list", "--scope", "audience.insights", *said]
    assert main([*asked, "--data", str(tmp_path), "--json"]) == 1
    assert "does not need audience.insights" in json.loads(capsys.readouterr().err)["error"]
    purposes = _run(capsys, tmp_path, "app", "purposes")["purposes"]
    assert {"purpose", "title", "needs"} == set(purposes[0])


def test_an_operator_looks_after_an_apps_endpoints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = registered(tmp_path, state="sandbox")[0].client_id
    added = _run(capsys, tmp_path, "app", "hook-add", name, "--url", "https://lampkit.example/hook")
    rotated = _run(capsys, tmp_path, "app", "hook-secret", name, "--endpoint", str(added["endpoint"]))
    assert added["secret"] != rotated["secret"] and rotated["secret"].startswith("whsec_")
    monkeypatch.setattr(
        Courier.__init__, "__kwdefaults__",
        {"private_allowed": False, "send": lambda *_, **__: Outcome(taken=False, word="410")},
    )  # fmt: skip
    with capture_logs():
        (stopped,) = _run(capsys, tmp_path, "app", "hook-test", name, "--endpoint", "1")["endpoints"]
    assert (stopped["stopped"], stopped["outcome"], stopped["dead"]) == (True, "410", 1)
    (again,) = _run(capsys, tmp_path, "app", "hook-again", name, "--endpoint", "1")["endpoints"]
    assert (again["stopped"], again["waiting"]) == (False, 1)
    assert _run(capsys, tmp_path, "app", "hook-remove", name, "--endpoint", "1")["endpoints"] == []
    assert _run(capsys, tmp_path, "app", "hooks", name)["endpoints"] == []
    for wrong in (("hook-add", name, "--url", "http://lampkit.example/"), ("hook-test", name, "--endpoint", "7")):
        assert main(["app", *wrong, "--data", str(tmp_path)]) == 1


def test_an_opt_out_link_begins_with_the_public_address_and_says_what_it_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "settings.toml").write_text('public_url = "https://studio.example"\n')
    link = "https://studio.example/privacy#opt-out="
    assert main(["viewer", "link", "u-5", "--data", str(tmp_path)]) == 0
    answer = capsys.readouterr()
    assert answer.out.startswith(link) and "collect_url is not set" in answer.err
    with (tmp_path / "settings.toml").open("a") as settings:
        settings.write('collect_url = "https://collect.example"\n')
    assert main(["viewer", "link", "u-5", "--data", str(tmp_path)]) == 0
    answer = capsys.readouterr()
    assert answer.out.startswith(link) and answer.err == ""
