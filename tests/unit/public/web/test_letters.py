from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from footlights.public.accounts.contacts import Contacts
from footlights.public.accounts.creators import Accounts
from footlights.public.accounts.store import ACCOUNTS_FILE
from footlights.terms.errors import NotAllowed
from tests.unit.public.web.conftest import Client


@pytest.fixture
def contacts(tmp_path: Path) -> Iterator[Contacts]:
    kept = Contacts(tmp_path)
    yield kept
    kept.close()


@pytest.mark.parametrize(
    "address",
    ["", "ada", "@example.org", "a@", "a b@example.org", "a@example.org\nBcc: b@c", "a@b,c@d", "<a@b>", "a@b.",
     "ä@b.org", "a" * 250 + "@b.org"],
)  # fmt: skip
def test_what_could_end_a_header_is_no_address(contacts: Contacts, address: str) -> None:
    with pytest.raises(NotAllowed):
        contacts.set("ada", address)


def test_who_stops_the_letters_has_no_address_kept_and_stays_stopped(contacts: Contacts, tmp_path: Path) -> None:
    contacts.set("ada", "ada@example.org")
    contacts.stop("ada")
    contacts.stop("ada")
    assert contacts.all() == []
    with pytest.raises(NotAllowed, match="--again"):
        contacts.set("ada", "ada@example.org")
    with sqlite3.connect(tmp_path / ACCOUNTS_FILE) as db:
        assert [row[1] for row in db.execute("SELECT * FROM contacts")] == [None]
    db.close()
    contacts.set("ada", "new@example.org", again=True)
    assert [contact.address for contact in contacts.all()] == ["new@example.org"]


def test_no_other_user_can_read_addresses_not_even_in_a_file_from_before(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path)
    accounts.make_login_link("ada", 5)
    (tmp_path / ACCOUNTS_FILE).chmod(0o644)
    contacts = Contacts(tmp_path)
    contacts.set("ada", "ada@example.org")
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    contacts.close()
    accounts.close()


def test_a_contact_does_not_print_its_address(contacts: Contacts) -> None:
    contacts.set("ada", "ada@example.org")
    assert "example.org" not in repr(contacts.all())


def test_a_letter_is_begun_once_whoever_asks(contacts: Contacts, tmp_path: Path) -> None:
    other = Contacts(tmp_path)
    assert [contacts.begin("ada", "2026-W43"), other.begin("ada", "2026-W43")] == [True, False]
    contacts.undo("ada", "2026-W43")
    assert other.begin("ada", "2026-W43") and other.begin("ada", "2026-W44")
    other.close()


def test_a_link_outlives_a_restart_and_names_one_creator(contacts: Contacts, tmp_path: Path) -> None:
    token = contacts.stop_token("ada/é")
    other = Contacts(tmp_path)
    assert other.stopped_by(token) == "ada/é"
    other.close()
    elsewhere = Contacts(tmp_path / "elsewhere")
    forged = f"{contacts.stop_token('bob').partition('.')[0]}.{token.partition('.')[2]}"
    for wrong in ("", ".", "a", "é.é", token[:-2], f"{token}.{token}", forged, elsewhere.stop_token("ada/é")):
        with pytest.raises(NotAllowed):
            contacts.stopped_by(wrong)
    elsewhere.close()


def test_a_link_in_a_letter_stops_nothing_until_its_button_is_pressed(client: Client, data: Path) -> None:
    contacts = Contacts(data / "public")
    contacts.set("ada", "ada@example.org")
    link = f"/unsubscribe?token={contacts.stop_token('ada')}"
    page = client.get(link)
    assert page.status_code == 200 and f'action="{link}"' in page.text and len(contacts.all()) == 1
    done = client.post(link, content="List-Unsubscribe=One-Click")  # as a mail program does: RFC 8058
    assert done.status_code == 200 and "No more letters" in done.text and contacts.all() == []
    contacts.close()


def test_a_link_that_was_not_made_here_stops_nothing(client: Client) -> None:
    for answer in (client.get("/unsubscribe"), client.post("/unsubscribe?token=YWRh.AAAA")):
        assert answer.status_code == 404 and "newest letter" in answer.text
