from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from footlights import alerts
from footlights.alerts import alerts_for, send_alerts
from footlights.cli import main
from footlights.public.accounts.alerts import AlertChoices
from footlights.public.accounts.contacts import Contacts
from footlights.public.accounts.preferences import Preferences
from footlights.public.accounts.store import Store
from footlights.public.webhooks import Courier, Webhooks
from footlights.public.webhooks.sending import Outcome
from footlights.settings import Settings, load_settings
from footlights.terms.errors import MailFailed
from footlights.terms.ticks import DAY, HOUR
from tests import boards
from tests.unit.digest.conftest import MailServer, mail

__all__ = ["mail"]

#: The test's mail server is on this machine, where letters may cross in the open.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

SettingsFor = Callable[..., Settings]
Heard = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada, of whose videos one took off; Bob, of whom there is nothing to tell."""
    folder = tmp_path_factory.mktemp("alerts") / "board"
    boards.make_board(
        folder,
        [boards.ACreator(id="ada", name="Ada\r\nBcc: x"), boards.ACreator(id="bob", name="Bob")],
        [
            *(
                boards.AVideo(id=f"a{i}", creator="ada", age_seconds=(i + 3) * 3 * DAY, reach=900 + 40 * i)
                for i in range(10)
            ),
            boards.AVideo(id="hit/1", creator="ada", age_seconds=30 * HOUR, reach=60_000, title="A <b>hit</b>"),
            boards.AVideo(id="b0", creator="bob", age_seconds=30 * HOUR, reach=60_000),
        ],
        every_tick=True,
    )
    return folder


@pytest.fixture
def store(tmp_path: Path, board: Path) -> Iterator[Store]:
    (tmp_path / "board").symlink_to(board)
    opened = Store(tmp_path / "public", clock=lambda: boards.NOW - 2 * DAY)
    contacts, choices = Contacts(opened), AlertChoices(opened)
    for creator in ("ada", "bob"):
        contacts.set(creator, f"{creator}@example.org")
        choices.set(creator, videos=True, weeks=True)
    yield opened
    opened.close()


@pytest.fixture
def settings_for(tmp_path: Path, mail: MailServer) -> SettingsFor:
    def made(**over: str | int) -> Settings:
        told: dict[str, str | int] = {
            "smtp_host": "127.0.0.1", "smtp_port": mail.port, "smtp_tls": "none", "smtp_user": "studio",
            "smtp_password": "curtain", "mail_from": "studio@example.org", "public_url": "https://studio.example",
        }  # fmt: skip
        return load_settings(tmp_path, over=told | over)

    return made


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    """What endpoints are sent, without a network."""
    taken: Heard = []

    def send(url: str, *, headers: dict[str, str], body: bytes, private_allowed: bool) -> Outcome:
        taken.append((url, msgspec.json.decode(body)))
        return Outcome(taken=True, word="200")

    monkeypatch.setattr(alerts, "Courier", lambda store, **options: Courier(store, send=send, **options))
    return taken


def _parts(message: EmailMessage) -> dict[str, str]:
    return {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}


def test_an_alert_is_told_once_however_often_it_is_looked_for(
    tmp_path: Path, store: Store, settings_for: SettingsFor, mail: MailServer, heard: Heard
) -> None:
    Webhooks(store).add("creator:ada", "https://ada.example/hook")
    first, second = (send_alerts(tmp_path, settings_for()) for _ in range(2))
    assert (first.found, first.mailed, first.taken) == (1, 1, 1)
    assert (second.found, second.mailed, second.taken) == (1, 0, 0)
    assert mail.recipients == ["ada@example.org"]


def test_the_letter_has_the_interval_in_text_and_html_and_stops_with_one_click(
    tmp_path: Path, store: Store, settings_for: SettingsFor, mail: MailServer
) -> None:
    send_alerts(tmp_path, settings_for())
    (message,) = mail.taken
    told = _parts(message)
    (interval,) = re.findall(r"has ([\d,]+\u2009\u2013\u2009[\d,]+) views", " ".join(told["text/plain"].split("\n")))
    assert interval in told["text/html"] and "A &lt;b&gt;hit&lt;/b&gt;" in told["text/html"]
    assert "https://studio.example/studio/videos/hit%2F1" in told["text/plain"]
    assert told["text/plain"].startswith("Ada Bcc: x") and message["Bcc"] is None
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_letter_is_in_the_language_that_the_creator_chose(
    tmp_path: Path, store: Store, settings_for: SettingsFor, mail: MailServer
) -> None:
    Preferences(store).set_language("ada", "de")
    send_alerts(tmp_path, settings_for())
    (message,) = mail.taken
    assert message["Subject"].endswith("hebt ab") and 'lang="de"' in _parts(message)["text/html"]


def test_an_endpoint_is_sent_figures_with_their_intervals_and_works_without_mail(
    tmp_path: Path, store: Store, settings_for: SettingsFor, heard: Heard
) -> None:
    Webhooks(store).add("creator:ada", "https://ada.example/hook")
    done = send_alerts(tmp_path, settings_for(smtp_host=""))
    assert (done.taken, done.mailed) == (1, 0)
    ((url, said),) = heard
    assert (url, said["type"]) == ("https://ada.example/hook", "video.taking_off")
    figure = said["data"]["view_count"]
    assert {"metric", "value", "low", "high", "state", "exact", "as_of", "tick"} == set(figure)
    assert figure["low"] > said["data"]["typical"]["high"]


def test_who_chose_nothing_is_told_nothing_and_nothing_of_before_the_choice(
    tmp_path: Path, store: Store, settings_for: SettingsFor, mail: MailServer
) -> None:
    AlertChoices(store).set("ada", videos=False, weeks=False)
    assert send_alerts(tmp_path, settings_for()).found == 0
    late = AlertChoices(Store(tmp_path / "public", clock=lambda: boards.NOW))
    late.set("ada", videos=True, weeks=True)
    assert send_alerts(tmp_path, settings_for()).found == 0 and mail.taken == []
    late._store.close()


def test_a_refused_letter_is_tried_again(
    tmp_path: Path, store: Store, settings_for: SettingsFor, mail: MailServer
) -> None:
    mail.refuses.add("ada@example.org")
    assert send_alerts(tmp_path, settings_for()).refused == 1
    mail.refuses.clear()
    assert send_alerts(tmp_path, settings_for()).mailed == 1


def test_a_mail_server_that_lets_nobody_in_keeps_no_endpoint_waiting(
    tmp_path: Path, store: Store, settings_for: SettingsFor, heard: Heard
) -> None:
    Webhooks(store).add("creator:ada", "https://ada.example/hook")
    with pytest.raises(MailFailed):
        send_alerts(tmp_path, settings_for(smtp_password="wrong"))
    assert len(heard) == 1
    assert send_alerts(tmp_path, settings_for()).mailed == 1


def test_no_log_holds_an_address(tmp_path: Path, store: Store, settings_for: SettingsFor, heard: Heard) -> None:
    Webhooks(store).add("creator:ada", "https://ada.example/hook")
    with capture_logs() as logs:
        send_alerts(tmp_path, settings_for())
    assert logs and "example" not in str(logs)


def test_the_command_shows_what_would_be_told(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The command's log goes to this test's standard error, which is closed when other tests log.
    monkeypatch.setattr("footlights.cli.log_to_stderr", lambda: None)
    for creator, words in (("ada", "A <b>hit</b>"), ("bob", "nothing to tell")):
        assert main(["alerts", "--show", creator, "--data", str(tmp_path)]) == 0
        assert words in capsys.readouterr().out
    assert [each["type"] for each in alerts_for(tmp_path, load_settings(tmp_path), "ada")] == ["video.taking_off"]
