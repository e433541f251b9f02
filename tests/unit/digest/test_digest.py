from __future__ import annotations

import re
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from footlights.cli import main
from footlights.digest import letter_for, send_digests
from footlights.digest.letter import week_before
from footlights.public.accounts.contacts import Contacts
from footlights.public.languages import ENGLISH
from footlights.settings import Settings
from footlights.terms.errors import BadSetting, MailFailed, NotFound
from tests import boards
from tests.unit.digest.conftest import WEEK, MailServer

#: The test's mail server is on this machine, where letters may cross in the open.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

SettingsFor = Callable[..., Settings]


def parts(message: EmailMessage) -> dict[str, str]:
    return {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}


def test_everybody_with_an_address_gets_one_letter_a_week(
    data: Path, settings_for: SettingsFor, mail: MailServer
) -> None:
    first, second = send_digests(data, settings_for()), send_digests(data, settings_for())
    assert (first.week, first.sent, first.before) == (WEEK, 2, 0)
    assert (second.sent, second.before) == (0, 2)
    assert mail.recipients == ["ada@example.org", "bob@example.org"]


def test_a_letter_can_be_read_as_text_and_as_html_and_says_the_same(
    data: Path, settings_for: SettingsFor, mail: MailServer
) -> None:
    send_digests(data, settings_for(), only=["ada"])
    (message,) = mail.taken
    told = parts(message)
    assert set(told) == {"text/plain", "text/html", "application/json"}
    text, html = told["text/plain"], told["text/html"]
    assert message["Subject"] == "Your week on stage: 19 October to 25 October 2026"
    for number in re.findall(r"\(([\d,.]+\u2009\u2013\u2009[\d,.]+(?: h)?)\)", text):
        assert number in html
    for word in ("Views", "Viewers reached", "Watch time", "New followers", "(exact)", "than the week before"):
        assert word in text and word in html
    assert "exact than" not in text
    assert "https://studio.example/studio?from=2026-10-19&to=2026-10-25" in text


def test_no_number_of_viewers_is_without_its_interval(data: Path, settings_for: SettingsFor) -> None:
    for creator in ("ada", "bob"):
        text = letter_for(data, settings_for(), creator).text
        told = re.findall(r"^(?:Views|Viewers reached|Watch time): (.+)$", text, re.M)
        assert len(told) == 3
        assert all(re.fullmatch(r"(too few to say|[\d,.]+( \w+)?) \(.+\)", line) for line in told)


def test_a_tie_is_called_a_tie_and_too_few_is_never_a_number(data: Path, settings_for: SettingsFor) -> None:
    ada, bob = (letter_for(data, settings_for(), creator).text for creator in ("ada", "bob"))
    assert ada.count("a tie for places 1 to 2") == 2 and "place 3" in ada
    assert "No video gained enough views" in bob and "too few to say" in bob
    assert "Views: nothing published" in letter_for(data, settings_for(), "eve").text


def test_what_creators_typed_ends_no_line_and_writes_no_html(
    data: Path, settings_for: SettingsFor, mail: MailServer
) -> None:
    send_digests(data, settings_for(), only=["ada"])
    (message,) = mail.taken
    assert parts(message)["text/plain"].startswith("Ada Bcc: x <b>: your week")
    assert "Ada Bcc: x &lt;b&gt;" in parts(message)["text/html"] and "One &amp; only" in parts(message)["text/html"]
    assert message["Bcc"] is None


def test_a_letter_names_no_machine_and_can_be_stopped_with_one_click(
    data: Path, settings_for: SettingsFor, mail: MailServer
) -> None:
    send_digests(data, settings_for(), only=["ada"])
    (message,) = mail.taken
    assert re.fullmatch(r"<[\w-]{22}@example\.org>", message["Message-ID"])
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = message["List-Unsubscribe"].strip("<>")
    assert link.startswith("https://studio.example/unsubscribe?token=")
    # As it is on the wire: mail programs do not decode an address that was broken into encoded words.
    assert f"List-Unsubscribe: <{link}>\r\n".encode() in mail.wire[0]
    contacts = Contacts(data / "public")
    assert contacts.stopped_by(link.partition("token=")[2]) == "ada"
    contacts.close()


def test_a_letter_that_was_refused_is_tried_again_and_holds_up_nobody(
    data: Path, settings_for: SettingsFor, mail: MailServer
) -> None:
    mail.refuses = {"ada@example.org"}
    first = send_digests(data, settings_for())
    assert (first.sent, first.refused) == (1, 1)
    mail.refuses = set()
    second = send_digests(data, settings_for())
    assert (second.sent, second.before) == (1, 1)
    assert mail.recipients == ["bob@example.org", "ada@example.org"]


def test_no_log_and_no_error_holds_an_address(data: Path, settings_for: SettingsFor, mail: MailServer) -> None:
    mail.refuses = {"ada@example.org"}
    with capture_logs() as logs:
        send_digests(data, settings_for())
    assert logs and "example.org" not in repr(logs)
    with pytest.raises(MailFailed) as caught:
        send_digests(data, settings_for(smtp_password="wrong"))
    assert "example.org" not in str(caught.value) and "wrong" not in str(caught.value)


def test_who_is_not_let_in_has_sent_nothing_and_noted_nothing(
    data: Path, settings_for: SettingsFor, mail: MailServer
) -> None:
    with pytest.raises(MailFailed, match="smtp_password"):
        send_digests(data, settings_for(smtp_password="wrong"))
    with pytest.raises(MailFailed, match="smtp_tls"):  # this server has no TLS: nothing is sent in the open instead
        send_digests(data, settings_for(smtp_tls="starttls"))
    assert mail.taken == [] and send_digests(data, settings_for()).sent == 2


def test_letters_and_the_password_go_over_tls_to_a_server_whose_certificate_holds_and_to_no_other(
    data: Path, settings_for: SettingsFor, mail_over_tls: tuple[MailServer, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, certificate = mail_over_tls
    settings = settings_for(smtp_port=server.port, smtp_tls="starttls")
    with pytest.raises(MailFailed, match="SSLCertVerificationError"):
        send_digests(data, settings)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert send_digests(data, settings).sent == len(server.taken) == 2


@pytest.mark.parametrize(
    "over",
    [
        {"smtp_host": ""}, {"mail_from": ""}, {"mail_from": "a@b\nBcc: c"}, {"smtp_tls": "maybe"},
        {"smtp_host": "mail.example", "smtp_tls": "none"},
    ],
)  # fmt: skip
def test_settings_that_would_send_in_the_open_or_nowhere_are_refused(
    data: Path, settings_for: SettingsFor, over: dict[str, str | int]
) -> None:
    with pytest.raises(BadSetting):
        send_digests(data, settings_for(**over))


def test_a_creator_who_left_gets_no_letter_and_is_counted(data: Path, settings_for: SettingsFor) -> None:
    contacts = Contacts(data / "public")
    contacts.set("gone", "gone@example.org")
    contacts.close()
    assert send_digests(data, settings_for()).unknown == 1
    with pytest.raises(NotFound):
        letter_for(data, settings_for(), "gone")


def test_a_week_is_the_calendar_s_and_over() -> None:
    week = week_before(boards.NOW)  # a Sunday
    assert (week.name, week.words(ENGLISH)) == (WEEK, "19 October to 25 October 2026")
    monday = week.period.until_utc + 7 * 86_400
    assert week_before(monday - 1) == week and week_before(monday).name == "2026-W44"
    assert week_before(1_767_571_200).name == "2026-W01"  # Monday, 5 January 2026


def test_the_command_line_gives_an_address_shows_a_letter_and_stops_it(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The command's log goes to this test's standard error, which is closed when other tests log.
    monkeypatch.setattr("footlights.cli.log_to_stderr", lambda: None)
    at = ["--data", str(data)]
    assert main(["creator", "contact", "eve", "eve@example.org", *at]) == 0
    assert main(["creator", "contact", "eve", "--stop", *at]) == 0
    assert main(["creator", "contact", "eve", "eve@example.org", *at]) == 1
    assert main(["creator", "contact", "eve", "eve@example.org", "--again", *at]) == 0
    assert main(["creator", "contact", "nobody", "x@example.org", *at]) == 1
    assert main(["digest", "--show", "ada", *at]) == 0
    out, errors = capsys.readouterr()
    assert "your week, 19 October" in out and "--again" in errors and "eve@example.org" not in out + errors
    with pytest.raises(SystemExit, match="2"):
        main(["creator", "contact", "eve", *at])
    assert main(["digest", *at]) == 1
    assert "smtp_host" in capsys.readouterr().err
