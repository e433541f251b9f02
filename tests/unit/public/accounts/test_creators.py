from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from footlights.public.accounts.creators import READERS_MAX, Accounts, Who
from footlights.public.accounts.store import ACCOUNTS_FILE, Store
from footlights.public.accounts.tokens import digest
from footlights.terms.errors import NotAllowed
from tests.unit.public.accounts.clocks import Clock


@pytest.fixture
def accounts(tmp_path: Path, clock: Clock) -> Accounts:
    return Accounts(tmp_path, session_days=2, clock=clock)


def test_a_link_signs_its_creator_in(accounts: Accounts) -> None:
    session = accounts.redeem(accounts.make_login_link("ada", 30))
    assert accounts.who(session) == Who(creator="ada")


def test_a_link_works_once(accounts: Accounts) -> None:
    token = accounts.make_login_link("ada", 30)
    accounts.redeem(token)
    with pytest.raises(NotAllowed):
        accounts.redeem(token)


def test_a_link_expires(accounts: Accounts, clock: Clock) -> None:
    token = accounts.make_login_link("ada", 30)
    clock.now += 30 * 60
    with pytest.raises(NotAllowed):
        accounts.redeem(token)


def test_a_session_expires(accounts: Accounts, clock: Clock) -> None:
    session = accounts.redeem(accounts.make_login_link("ada", 30))
    clock.now += 2 * 86_400 - 1
    assert accounts.who(session) == Who(creator="ada")
    clock.now += 1
    assert accounts.who(session) is None


def test_a_session_ends_when_it_is_signed_out(accounts: Accounts) -> None:
    session = accounts.redeem(accounts.make_login_link("ada", 30))
    accounts.logout(session)
    assert accounts.who(session) is None


def test_a_login_token_is_no_session_and_a_session_is_no_login_token(accounts: Accounts) -> None:
    token = accounts.make_login_link("ada", 30)
    assert accounts.who(token) is None
    with pytest.raises(NotAllowed):
        accounts.redeem(accounts.redeem(token))


def test_the_file_holds_no_token(accounts: Accounts, tmp_path: Path) -> None:
    token = accounts.make_login_link("ada", 30)
    session = accounts.redeem(accounts.make_login_link("bob", 30))
    accounts.close()
    with sqlite3.connect(tmp_path / ACCOUNTS_FILE) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    stored = (tmp_path / ACCOUNTS_FILE).read_bytes()
    assert token.encode() not in stored and session.encode() not in stored
    assert b"ada" in stored


def test_another_process_may_make_links_while_one_serves(tmp_path: Path, accounts: Accounts) -> None:
    clock = Clock()
    other = Accounts(tmp_path, clock=clock)
    session = accounts.redeem(other.make_login_link("ada", 5))
    assert other.who(session) == Who(creator="ada")
    other.close()


def test_a_reader_sees_the_channel_of_whoever_invited_them_by_the_name_they_were_given(accounts: Accounts) -> None:
    session = accounts.redeem(accounts.invite("ada", "  Mia   Manager "))
    assert accounts.who(session) == Who(creator="ada", reader="Mia Manager")
    assert [(reader.label, reader.signed_in) for reader in accounts.readers("ada")] == [("Mia Manager", True)]
    assert accounts.readers("bob") == []


def test_a_reader_who_is_removed_sees_nothing_from_that_moment_on(accounts: Accounts) -> None:
    session, unused = accounts.redeem(accounts.invite("ada", "Mia")), accounts.invite("ada", "Noa")
    for reader in accounts.readers("ada"):
        accounts.remove_reader("ada", reader.reader)
    assert accounts.who(session) is None
    with pytest.raises(NotAllowed):
        accounts.redeem(unused)


def test_a_creator_removes_their_own_readers_alone(accounts: Accounts) -> None:
    session = accounts.redeem(accounts.invite("ada", "Mia"))
    (mia,) = accounts.readers("ada")
    with pytest.raises(NotAllowed):
        accounts.remove_reader("bob", mia.reader)
    assert accounts.who(session) is not None


def test_a_reader_who_is_invited_again_has_the_new_link_alone(accounts: Accounts) -> None:
    first = accounts.redeem(accounts.invite("ada", "Mia"))
    second = accounts.redeem(accounts.invite("ada", "Mia"))
    assert accounts.who(first) is None and accounts.who(second) is not None
    assert len(accounts.readers("ada")) == 1


@pytest.mark.parametrize("label", ["", "   ", "x" * 61, "a\x00b", "mia@example.org"])
def test_a_reader_is_called_by_a_name_and_never_by_an_address(accounts: Accounts, label: str) -> None:
    with pytest.raises(NotAllowed):
        accounts.invite("ada", label)


def test_a_channel_has_no_more_readers_than_it_may(accounts: Accounts) -> None:
    for number in range(READERS_MAX):
        accounts.invite("ada", f"reader {number}")
    with pytest.raises(NotAllowed):
        accounts.invite("ada", "one more")
    accounts.invite("ada", "reader 7")


def test_the_file_is_its_owners_alone(tmp_path: Path, accounts: Accounts) -> None:
    accounts.make_login_link("ada", 5)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_file_from_before_there_were_readers_keeps_its_sessions(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / ACCOUNTS_FILE) as db:
        for table in ("links", "sessions"):
            db.execute(
                f"CREATE TABLE {table} (digest TEXT PRIMARY KEY, creator TEXT NOT NULL, "
                "expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID"
            )
        db.execute("INSERT INTO sessions VALUES (?, 'ada', 9e9)", (digest("old"),))
    db.close()
    for _ in range(2):  # the second time there is nothing to do
        accounts = Accounts(tmp_path)
        assert accounts.who("old") == Who(creator="ada")
        accounts.redeem(accounts.invite("ada", "Mia"))
        accounts.close()


def test_a_change_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(ValueError, match="half"), store.changing() as db:
        db.execute("INSERT INTO attempts VALUES (1, 1, 1)")
        raise ValueError("half")
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM attempts").fetchone() == (0,)
    store.close()
