"""The weekly letter is signed, and whoever has it, or a copy that was changed, can tell which line is not ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest

from footlights.accounts import rotate_export_key
from footlights.cli import main
from footlights.digest import send_digests, signed
from footlights.digest.signed import Changed, SignedLetter
from footlights.public.accounts.export_keys import ExportKeys
from footlights.public.accounts.store import Store
from footlights.settings import Settings
from footlights.terms.errors import ProofFailed
from tests.unit.digest.conftest import MailServer

#: The test's mail server is on this machine, where letters may cross in the open.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

SettingsFor = Callable[..., Settings]


@pytest.fixture
def letter(data: Path, settings_for: SettingsFor, mail: MailServer) -> EmailMessage:
    """Ada's letter, as it arrived."""
    send_digests(data, settings_for(), only=["ada"])
    return mail.taken[0]


def _jwks(data: Path) -> dict[str, Any]:
    store = Store(data / "public")
    found = ExportKeys(store).jwks()
    store.close()
    return found


def _file(letter: EmailMessage) -> bytes:
    (part,) = letter.iter_attachments()
    assert isinstance(part, EmailMessage) and part.get_filename() == "footlights-2026-W43.json"
    content: bytes = part.get_content()
    return content


def _saved(letter: EmailMessage, old: str = "", new: str = "") -> bytes:
    """The letter as a mail program saves it, with some of its text changed."""
    body = letter.get_body(("plain",))
    assert isinstance(body, EmailMessage)
    text = body.get_content()
    assert old in text
    body.set_content(text.replace(old, new, 1) if old else text)
    return letter.as_bytes(policy=policy.SMTP)


def _checked(data: Path, content: bytes) -> tuple[Changed, ...]:
    found = signed.read(content)
    assert found is not None
    return signed.verify(*found, _jwks(data)).changed


def test_a_letter_that_arrived_is_as_it_was_sent_and_so_is_the_file_alone(data: Path, letter: EmailMessage) -> None:
    assert _checked(data, _saved(letter)) == () and _checked(data, _file(letter)) == ()


def test_a_line_that_was_changed_is_named_with_what_it_was(data: Path, letter: EmailMessage) -> None:
    text = letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    number, line = next(
        (number, line) for number, line in enumerate(text.strip().splitlines(), start=1) if line.startswith("Views: ")
    )
    changed = _checked(data, _saved(letter, line, "Views: 9,000,000 (exact)"))
    assert changed == (Changed(part=f"text {number}", says="Views: 9,000,000 (exact)", signed=line.rstrip()),)


def test_a_line_that_was_added_or_taken_away_is_noticed(data: Path, letter: EmailMessage) -> None:
    saved = _saved(letter)
    for old, new in ((b"Views: ", b"More!\r\nViews: "), (b"Most watched this week", b"")):
        assert old in saved and _checked(data, saved.replace(old, new, 1))


def test_a_subject_or_markup_that_was_changed_is_noticed(data: Path, letter: EmailMessage) -> None:
    html = letter.get_body(("html",))
    assert isinstance(html, EmailMessage)
    html.set_content(html.get_content().replace("Ada", "Eve"), subtype="html")
    letter.replace_header("Subject", "Your best week")
    assert [each.part for each in _checked(data, letter.as_bytes())] == ["subject", "html"]


def test_a_figure_that_was_changed_in_the_file_is_named(data: Path, letter: EmailMessage) -> None:
    said = json.loads(_file(letter))
    said["parts"]["figure view_count"]["value"] += 1
    (changed,) = _checked(data, json.dumps(said).encode())
    assert changed.part == "figure view_count" and str(said["parts"]["figure view_count"]["value"]) in changed.says


@pytest.mark.parametrize("field", ["creator", "week", "origin", "hashes"])
def test_what_was_signed_cannot_be_said_otherwise(data: Path, letter: EmailMessage, field: str) -> None:
    said = json.loads(_file(letter))
    said[field] = {**said[field], "figure x": "0" * 64} if field == "hashes" else "x"
    with pytest.raises(ProofFailed):
        _checked(data, json.dumps(said).encode())


def test_a_part_that_was_never_signed_is_no_part(data: Path, letter: EmailMessage) -> None:
    said = json.loads(_file(letter))
    said["parts"]["figure likes_count"] = said["parts"].pop("figure reach")
    assert {each.part for each in _checked(data, json.dumps(said).encode())} == {
        "figure likes_count", "figure reach",
    }  # fmt: skip


def test_the_figures_are_those_that_the_letter_tells(letter: EmailMessage) -> None:
    said = msgspec.json.decode(_file(letter), type=SignedLetter)
    text = letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    figures = [content for name, content in said.parts.items() if name.startswith(("figure ", "video "))]
    assert len(figures) == 4 + 3 and {"value", "low", "high", "state"} <= set(figures[0])
    assert f"{said.parts['figure view_count']['low']:,}" in text
    assert (said.creator, said.week, said.origin) == ("ada", "2026-W43", "https://studio.example")


def test_old_letters_stay_valid_when_the_key_is_changed_and_strangers_keys_prove_nothing(
    data: Path, letter: EmailMessage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rotate_export_key(data)
    assert _checked(data, _file(letter)) == ()
    found = signed.read(_file(letter))
    assert found is not None
    with pytest.raises(ProofFailed):
        signed.verify(*found, _jwks(tmp_path_factory.mktemp("other")))


def test_the_file_holds_no_link_that_stops_the_letters(letter: EmailMessage) -> None:
    assert "unsubscribe?token=" in _saved(letter).decode().replace("=\r\n", "").replace("=3D", "=")
    assert b"token=" not in _file(letter)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1", b"From: x\n\nhello", b"\xff" * 100])
def test_what_is_no_letter_is_none(content: bytes) -> None:
    assert signed.read(content) is None


def test_the_command_says_which_line_was_changed(
    data: Path, letter: EmailMessage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys, good, bad = (tmp_path / name for name in ("keys.json", "good.eml", "bad.eml"))
    keys.write_text(json.dumps(_jwks(data)), "utf-8")
    good.write_bytes(_saved(letter))
    bad.write_bytes(_saved(letter, "Views: ", "Views: 9"))
    assert main(["verify", str(good), "--jwks", str(keys)]) == 0
    assert "all as sent" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="1"):
        main(["verify", str(bad), "--jwks", str(keys)])
    told = capsys.readouterr().out
    assert 'says "Views: 9' in told and "1 not as sent" in told
