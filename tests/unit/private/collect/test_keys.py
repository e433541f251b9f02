"""Write keys: shown once, kept as hashes, and gone the moment they are revoked."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from footlights.private.collect.keys import Keyring
from footlights.terms.errors import NotFound, VaultDamaged


def test_a_key_is_known_by_its_name_and_nothing_else_is_a_key(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path)
    first, second = keyring.create("app"), keyring.create("site")
    assert first != second
    assert (keyring.check(first), keyring.check(second)) == ("app", "site")
    for wrong in ("", first[:-1], first + "x", "app", "é", "\ud800"):
        assert keyring.check(wrong) is None


def test_the_file_holds_no_key_and_is_its_owners_alone(tmp_path: Path) -> None:
    key = Keyring(tmp_path).create("app")
    path = tmp_path / "write_keys.json"
    assert key not in path.read_text() and stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_running_collector_sees_a_key_made_replaced_and_revoked(tmp_path: Path) -> None:
    collector, operator = Keyring(tmp_path), Keyring(tmp_path)
    key = operator.create("app")
    assert collector.check(key) == "app"
    other = operator.create("app")
    assert collector.check(key) is None and collector.check(other) == "app"
    operator.revoke("app")
    assert collector.check(other) is None and collector.names() == []


def test_a_key_may_be_one_that_does_not_declare(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path)
    keyring.create("platform")
    keyring.create("player", declares=False)
    assert keyring.declares("platform") and not keyring.declares("player")
    assert keyring.names() == ["platform", "player"]


def test_revoking_a_key_that_is_not_there_says_which_are(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path)
    keyring.create("app")
    with pytest.raises(NotFound, match=r"no write key ap\. The names are: app"):
        keyring.revoke("ap")


def test_a_file_that_cannot_be_read_is_an_error_and_not_no_keys(tmp_path: Path) -> None:
    (tmp_path / "write_keys.json").write_text("{")
    with pytest.raises(VaultDamaged, match=r"write_keys\.json cannot be read"):
        Keyring(tmp_path).check("x")
