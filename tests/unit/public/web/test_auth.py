from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from footlights.public.web.auth import ACCOUNTS_FILE, Accounts
from footlights.terms.errors import NotAllowed


class _Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def accounts(tmp_path: Path, clock: _Clock) -> Accounts:
    return Accounts(tmp_path, session_days=2, clock=clock)


def test_a_link_signs_its_creator_in(accounts: Accounts) -> None:
    session = accounts.redeem(accounts.make_login_link("ada", 30))
    assert accounts.session(session) == "ada"


def test_a_link_works_once(accounts: Accounts) -> None:
    token = accounts.make_login_link("ada", 30)
    accounts.redeem(token)
    with pytest.raises(NotAllowed):
        accounts.redeem(token)


def test_a_link_expires(accounts: Accounts, clock: _Clock) -> None:
    token = accounts.make_login_link("ada", 30)
    clock.now += 30 * 60
    with pytest.raises(NotAllowed):
        accounts.redeem(token)


def test_a_session_expires(accounts: Accounts, clock: _Clock) -> None:
    session = accounts.redeem(accounts.make_login_link("ada", 30))
    clock.now += 2 * 86_400 - 1
    assert accounts.session(session) == "ada"
    clock.now += 1
    assert accounts.session(session) is None


def test_a_session_ends_when_it_is_signed_out(accounts: Accounts) -> None:
    session = accounts.redeem(accounts.make_login_link("ada", 30))
    accounts.logout(session)
    assert accounts.session(session) is None


def test_a_login_token_is_no_session_and_a_session_is_no_login_token(accounts: Accounts) -> None:
    token = accounts.make_login_link("ada", 30)
    assert accounts.session(token) is None
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
    clock = _Clock()
    other = Accounts(tmp_path, clock=clock)
    session = accounts.redeem(other.make_login_link("ada", 5))
    assert other.session(session) == "ada"
    other.close()
