"""Who had let an app in that is stopped gets one letter about it."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from footlights.alerts import send_alerts
from footlights.public.accounts.apps.grants import Consent, Grants
from footlights.public.accounts.apps.registry import Apps
from footlights.public.accounts.apps.told import LETTER_SECONDS
from footlights.public.accounts.contacts import Contacts
from footlights.public.accounts.preferences import Preferences
from footlights.public.accounts.store import Store
from footlights.settings import load_settings
from tests import boards
from tests.apps import registered
from tests.unit.digest.conftest import MailServer, mail

__all__ = ["mail"]

#: The test's mail server is on this machine, where letters may cross in the open.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


class World:
    """Ada and Bob, who have addresses, and Eve, who has none; an app that Ada and Eve let in."""

    def __init__(self, data: Path, mail: MailServer) -> None:
        boards.make_board(data / "board", [boards.ACreator(id=name) for name in ("ada", "bob", "eve")], [])
        self.data, self.mail = data, mail
        app, _ = registered(data)
        self.client_id = app.client_id
        self.store = Store(data / "public")
        self.apps, contacts = Apps(self.store), Contacts(self.store)
        for creator in ("ada", "bob"):
            contacts.set(creator, f"{creator}@example.org")
        for creator, sandbox in (("ada", False), ("eve", False), ("bob", True)):
            consent = Consent(creator=creator, sandbox=sandbox, scopes=app.scopes)
            Grants(self.store).agree(
                app, consent, redirect_uri=app.redirect_uris[0], code_challenge="x", key_print=None
            )

    def stop(self, state: Any = "suspended", reason: str = "It sold what it read.") -> None:
        self.apps.move(self.apps.get(self.client_id), state, reason=reason)

    def run(self, **over: str | int) -> tuple[int, int]:
        """Letters that were mailed, and that were refused."""
        told: dict[str, str | int] = {
            "smtp_host": "127.0.0.1", "smtp_port": self.mail.port, "smtp_tls": "none", "smtp_user": "studio",
            "smtp_password": "curtain", "mail_from": "studio@example.org", "public_url": "https://studio.example",
        }  # fmt: skip
        done = send_alerts(self.data, load_settings(self.data, over=told | over))
        return done.mailed, done.refused


@pytest.fixture
def world(tmp_path: Path, mail: MailServer) -> Iterator[World]:
    made = World(tmp_path, mail)
    yield made
    made.store.close()


def _parts(message: EmailMessage) -> dict[str, str]:
    return {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}


@pytest.mark.parametrize("state", ["suspended", "banned"])
def test_who_had_let_the_app_in_and_has_an_address_gets_one_letter(world: World, state: str) -> None:
    world.stop(state)
    assert [world.run(), world.run()] == [(1, 0), (0, 0)]
    assert world.mail.recipients == ["ada@example.org"]
    (message,) = world.mail.taken
    assert message["Subject"] == f"LampKit was {'suspended' if state == 'suspended' else 'banned for good'}"
    for text in _parts(message).values():
        assert "It sold what it read." in text and "https://studio.example/studio/apps" in text
        assert "Lamp Works" in text and "unsubscribe?token=" in text
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_an_app_that_is_suspended_and_then_banned_is_one_letter(world: World) -> None:
    world.stop()
    world.stop("banned")
    assert world.run() == (1, 0)


def test_an_app_that_is_approved_or_sent_back_is_no_letter(world: World) -> None:
    world.stop()
    assert world.run() == (1, 0)
    world.apps.move(world.apps.get(world.client_id), "approved")
    world.apps.move(world.apps.get(world.client_id), "sandbox")
    assert world.run() == (0, 0)


def test_what_an_operator_wrote_ends_no_line_and_is_no_markup(world: World) -> None:
    world.stop(reason="a <b> & c")
    world.run()
    (message,) = world.mail.taken
    parts = _parts(message)
    assert "a <b> & c" in parts["text/plain"] and "a &lt;b&gt; &amp; c" in parts["text/html"]


def test_a_refused_letter_is_tried_with_the_next_run(world: World) -> None:
    world.stop()
    world.mail.refuses.add("ada@example.org")
    assert world.run() == (0, 1)
    world.mail.refuses.clear()
    assert [world.run(), world.run()] == [(1, 0), (0, 0)]


def test_without_a_mail_server_letters_wait_a_week_and_are_then_no_news(world: World) -> None:
    world.stop()
    assert world.run(smtp_host="") == (0, 0)
    with world.store.changing() as db:
        db.execute("UPDATE app_letters SET at = at - ?", (LETTER_SECONDS + 1,))
    assert world.run() == (0, 0) and world.mail.taken == []


def test_who_stopped_the_letters_gets_none(world: World) -> None:
    Contacts(world.store).stop("ada")
    world.stop()
    assert world.run() == (0, 0)


def test_the_letter_is_in_the_language_that_the_creator_chose(world: World) -> None:
    Preferences(world.store).set_language("ada", "de")
    world.stop()
    world.run()
    (message,) = world.mail.taken
    assert message["Subject"] == "LampKit wurde angehalten" and 'lang="de"' in _parts(message)["text/html"]
