"""Opt-outs: the list holds whom it was told of, exactly and for as long as it was told, and shows nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from footlights.private.vault.optouts import FOR_GOOD, OptOuts
from footlights.terms.errors import VaultDamaged

NAMES = [f"somebody-{number}" for number in range(50)]
MAY = 2026 * 12 + 4


def test_an_empty_list_keeps_nobody_out_and_writes_nothing(tmp_path: Path) -> None:
    optouts = OptOuts(tmp_path)
    assert not optouts
    assert optouts.until(NAMES).tolist() == [0] * 50
    optouts.tidy(before=MAY)
    assert list(tmp_path.iterdir()) == []


def test_those_who_opted_out_are_kept_out_and_nobody_else(tmp_path: Path) -> None:
    optouts = OptOuts(tmp_path)
    for name in NAMES[::2]:
        optouts.keep_out(name)
    assert optouts
    assert optouts.until(NAMES).tolist() == [FOR_GOOD, 0] * 25
    assert OptOuts(tmp_path).until(NAMES).tolist() == [FOR_GOOD, 0] * 25


def test_another_process_sees_a_change_at_its_next_look(tmp_path: Path) -> None:
    here, there = OptOuts(tmp_path), OptOuts(tmp_path)
    here.keep_out("ann")
    assert there.until(["ann"]).tolist() == [FOR_GOOD]
    there.let_in("ann", season=MAY)
    assert here.until(["ann"]).tolist() == [MAY]


def test_who_is_out_for_good_is_not_let_in_by_being_erased_until_the_season_ends(tmp_path: Path) -> None:
    optouts = OptOuts(tmp_path)
    optouts.keep_out("ann")
    optouts.keep_out("ann", until=MAY)
    optouts.keep_out("bob", until=MAY)
    assert optouts.until(["ann", "bob"]).tolist() == [FOR_GOOD, MAY]


def test_letting_in_who_is_not_on_the_list_changes_nothing(tmp_path: Path) -> None:
    optouts = OptOuts(tmp_path)
    optouts.let_in("ann", season=MAY)
    assert not optouts
    optouts.keep_out("ann", until=MAY)
    optouts.let_in("ann", season=MAY + 5)
    assert optouts.until(["ann"]).tolist() == [MAY]


def test_tidying_forgets_those_who_count_again_and_nobody_else(tmp_path: Path) -> None:
    optouts = OptOuts(tmp_path)
    optouts.keep_out("ann", until=MAY)
    optouts.keep_out("bob", until=MAY + 1)
    optouts.keep_out("eve")
    other = OptOuts(tmp_path)
    assert other.until(["ann"]).tolist() == [MAY]
    optouts.tidy(before=MAY)
    assert (tmp_path / "optouts").stat().st_size == 40
    for one in (optouts, other, OptOuts(tmp_path)):
        assert one.until(["ann", "bob", "eve"]).tolist() == [0, MAY + 1, FOR_GOOD]


def test_a_row_that_a_crash_tore_is_not_read_and_the_next_one_takes_its_place(tmp_path: Path) -> None:
    OptOuts(tmp_path).keep_out("ann")
    with (tmp_path / "optouts").open("ab") as file:
        file.write(b"torn")
    optouts = OptOuts(tmp_path)
    assert optouts.until(["ann"]).tolist() == [FOR_GOOD]
    optouts.keep_out("bob")
    assert OptOuts(tmp_path).until(["ann", "bob"]).tolist() == [FOR_GOOD, FOR_GOOD]


def test_a_list_whose_key_is_lost_is_an_error_and_not_an_empty_list(tmp_path: Path) -> None:
    OptOuts(tmp_path).keep_out("ann")
    (tmp_path / "keys" / "optouts.key").unlink()
    with pytest.raises(VaultDamaged, match=r"optouts\.key"):
        OptOuts(tmp_path).until(["ann"])


def test_no_file_of_the_list_holds_an_id_and_none_is_open_to_others(tmp_path: Path) -> None:
    OptOuts(tmp_path).keep_out("somebody-with-a-long-id")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert b"somebody-with-a-long-id" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
