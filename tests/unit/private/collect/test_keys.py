"""Write keys: shown once, kept as hashes, of two kinds, turned without a gap, and gone as soon as they are revoked."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from footlights.private.collect.keys import Keyring
from footlights.terms.errors import BadKey, NotFound, VaultDamaged

PAGE = "https://www.example"
WEEK = 7 * 86_400


class Clock:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.now = 1_795_414_200.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_key_is_known_by_its_name_and_nothing_else_is_a_key(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path)
    first, second = keyring.create("app"), keyring.create("site")
    assert first != second
    assert (keyring.check(first), keyring.check(second)) == ("app", "site")
    for wrong in ("", first[:-1], first + "x", "app", "é", "\ud800"):
        assert keyring.check(wrong) is None


def test_the_file_holds_no_key_and_is_its_owners_alone(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path)
    keys = [keyring.create("app"), keyring.rotate("app", overlap_seconds=60)]
    path = tmp_path / "write_keys.json"
    assert all(key not in path.read_text() for key in keys) and stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_running_collector_sees_a_key_made_replaced_and_revoked(tmp_path: Path) -> None:
    ticks = [0]
    collector, operator = Keyring(tmp_path, ticks_ns=lambda: ticks[0]), Keyring(tmp_path)
    key = operator.create("app")
    assert collector.check(key) == "app", "at once"
    other = operator.create("app", replace=True)
    ticks[0] += 10_000_000
    assert collector.check(key) is None and collector.check(other) == "app"
    operator.revoke("app")
    ticks[0] += 10_000_000
    assert collector.check(other) is None and collector.all() == {}


def test_a_key_that_works_is_not_replaced_by_a_slip(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path)
    key = keyring.create("app")
    with pytest.raises(BadKey, match="There is a write key app: rotate it"):
        keyring.create("app")
    assert keyring.check(key) == "app"


def test_old_and_new_work_until_the_overlap_ends_and_then_the_new_one_alone(tmp_path: Path, clock: Clock) -> None:
    keyring = Keyring(tmp_path, clock=clock)
    old = keyring.create("web", kind="browser", origins=[PAGE], rate=50, traits=True)
    before = keyring.kept("web")
    new = keyring.rotate("web", overlap_seconds=WEEK)
    assert keyring.kept("web").rotates_until_utc() == clock.now + WEEK
    clock.now += WEEK - 1
    assert (keyring.check(old), keyring.check(new)) == ("web", "web")
    clock.now += 1
    assert (keyring.check(old), keyring.check(new)) == (None, "web")
    after = keyring.kept("web")
    assert (after.kind, after.origins, after.rate, after.traits) == (before.kind, (PAGE,), 50, True)


def test_turned_twice_each_key_before_works_until_its_own_overlap_ends(tmp_path: Path, clock: Clock) -> None:
    keyring = Keyring(tmp_path, clock=clock)
    first = keyring.create("app")
    second = keyring.rotate("app", overlap_seconds=WEEK)
    clock.now += 86_400
    third = keyring.rotate("app", overlap_seconds=3600)
    assert [keyring.check(key) for key in (first, second, third)] == ["app", "app", "app"]
    clock.now += 3600
    assert [keyring.check(key) for key in (first, second, third)] == ["app", None, "app"]
    clock.now += WEEK
    fourth = keyring.rotate("app", overlap_seconds=0)
    assert [keyring.check(key) for key in (first, second, third, fourth)] == [None, None, None, "app"]
    assert keyring.kept("app").old == (), "what ended is not kept"


def test_revoking_ends_what_the_key_replaced_too(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path)
    keys = [keyring.create("app"), keyring.rotate("app", overlap_seconds=WEEK)]
    keyring.revoke("app")
    assert [keyring.check(key) for key in keys] == [None, None]


def test_a_server_key_speaks_for_the_platform_and_a_browser_key_tells_of_viewing_alone(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path)
    keyring.create("server")
    keyring.create("web", kind="browser", origins=[PAGE])
    keyring.create("trusting", kind="browser", origins=[PAGE], traits=True)
    may = {name: (key.may_declare(), key.may_tell_traits()) for name, key in keyring.all().items()}
    assert may == {"server": (True, True), "trusting": (False, True), "web": (False, False)}


@pytest.mark.parametrize(
    "origin",
    [PAGE, "http://localhost:3000", "http://127.0.0.1", "http://[::1]:8080", "capacitor://localhost", "*", "null",
     "https://www.example:8443", "http://www.example:443"],
)  # fmt: skip
def test_an_origin_is_taken_as_a_browser_writes_it(origin: str, tmp_path: Path) -> None:
    Keyring(tmp_path).create("web", kind="browser", origins=[origin])


@pytest.mark.parametrize(
    "origin",
    ["", "www.example", "https://", "https://www.example/", "https://www.example/player", "HTTPS://www.example",
     "https://WWW.example", "https://www.example:443", "http://www.example:80", "https://ann@www.example",
     "https://www.exämple", "https://*.example", "https://www.example:999999", "https://[::1", "https://www.example?x"],
)  # fmt: skip
def test_what_no_browser_writes_is_refused_since_it_would_never_match(origin: str, tmp_path: Path) -> None:
    with pytest.raises(BadKey, match="is no origin"):
        Keyring(tmp_path).create("web", kind="browser", origins=[origin])


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("", {}, "1 to 64"), ("a b", {}, "1 to 64"), ("../x", {}, "1 to 64"), ("x" * 65, {}, "1 to 64"),
        ("web", {"kind": "browser"}, "needs the origins"), ("app", {"origins": [PAGE]}, "no page may send"),
        ("app", {"traits": True}, "no page may send"), ("app", {"rate": -1}, "from 0"),
    ],
)  # fmt: skip
def test_a_key_that_makes_no_sense_is_refused_with_what_would(
    name: str, options: dict[str, Any], says: str, tmp_path: Path
) -> None:
    with pytest.raises(BadKey, match=says):
        Keyring(tmp_path).create(name, **options)
    assert Keyring(tmp_path).all() == {}


@pytest.mark.parametrize("action", ["revoke", "rotate"])
def test_a_key_that_is_not_there_is_an_error_that_says_which_are(action: str, tmp_path: Path) -> None:
    keyring = Keyring(tmp_path)
    keyring.create("app")
    with pytest.raises(NotFound, match=r"no write key ap\. The names are: app"):
        keyring.revoke("ap") if action == "revoke" else keyring.rotate("ap", overlap_seconds=0)


def test_a_file_that_cannot_be_read_is_an_error_and_not_no_keys(tmp_path: Path) -> None:
    (tmp_path / "write_keys.json").write_text("{")
    with pytest.raises(VaultDamaged, match=r"write_keys\.json cannot be read"):
        Keyring(tmp_path).check("x")
