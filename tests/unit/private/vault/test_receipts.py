"""Receipts and keys: found by their own name alone, closed to others, an export read once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from footlights.private.vault import keyfiles
from footlights.private.vault.receipts import (
    drop_receipt,
    let_exports_go,
    read_receipt,
    take_export,
    write_export,
    write_receipt,
)
from footlights.terms.errors import VaultDamaged

ASK = "abcdefghijklmnopqrst_-"


def test_a_receipt_is_read_as_it_was_last_written_until_it_is_dropped(tmp_path: Path) -> None:
    assert read_receipt(tmp_path, ASK) is None
    write_receipt(tmp_path, ASK, {"state": "pending"})
    write_receipt(tmp_path, ASK, {"state": "done"})
    assert read_receipt(tmp_path, ASK) == {"state": "done"}
    drop_receipt(tmp_path, ASK)
    assert read_receipt(tmp_path, ASK) is None


@pytest.mark.parametrize("name", ["", "..", "../write_keys", "a" * 21, "a" * 23, "a" * 21 + "/", "a" * 21 + "\n"])
def test_a_name_that_is_none_finds_nothing(tmp_path: Path, name: str) -> None:
    write_export(tmp_path, ASK, {"events": []})
    assert read_receipt(tmp_path, name) is None
    assert take_export(tmp_path, name) is None


def test_an_export_is_read_once(tmp_path: Path) -> None:
    write_export(tmp_path, ASK, {"events": [1]})
    assert (tmp_path / "receipts" / f"{ASK}.export.json").stat().st_mode & 0o077 == 0
    assert b'"events"' in (take_export(tmp_path, ASK) or b"")
    assert take_export(tmp_path, ASK) is None
    assert list((tmp_path / "receipts").iterdir()) == []


def test_what_a_killed_process_left_of_an_export_goes_after_a_day_as_one_does_that_nobody_read(tmp_path: Path) -> None:
    write_receipt(tmp_path, ASK, {"state": "done"})
    left = [tmp_path / "receipts" / f"{ASK}.export.{end}" for end in ("json", "json.17.draft", "taken")]
    for path in left:
        path.touch()
    let_exports_go(tmp_path)
    assert all(path.exists() for path in left)
    for path in (*left, tmp_path / "receipts" / f"{ASK}.json"):
        os.utime(path, (0, 0))
    let_exports_go(tmp_path)
    assert [path.name for path in (tmp_path / "receipts").iterdir()] == [f"{ASK}.json"]


def test_a_key_is_made_once_replaced_when_asked_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "one.key"
    key = keyfiles.read_or_make(path)
    assert (len(key), keyfiles.read_or_make(path), keyfiles.read(path)) == (32, key, key)
    assert keyfiles.replace(path) != key
    assert path.stat().st_mode & 0o077 == 0 and [path] == list(path.parent.iterdir())


def test_a_key_that_is_gone_or_cut_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "one.key"
    with pytest.raises(VaultDamaged, match="missing or cut"):
        keyfiles.read(path)
    keyfiles.read_or_make(path)
    path.write_bytes(b"cut")
    with pytest.raises(VaultDamaged, match="missing or cut"):
        keyfiles.read_or_make(path)


def test_names_of_asks_are_long_and_never_the_same() -> None:
    names = {keyfiles.new_name() for _ in range(100)}
    assert len(names) == 100 and {len(name) for name in names} == {22}
