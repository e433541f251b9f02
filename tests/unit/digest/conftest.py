from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from footlights.public.accounts.contacts import Contacts
from footlights.settings import Settings, load_settings
from footlights.terms.ticks import DAY
from tests import boards

#: A Sunday at noon: the week that is over is the one before the running one.
WEEK = "2026-W43"


class MailServer:
    """A real SMTP server, which keeps what it takes. refuses: addresses that it takes nothing for."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.wire: list[bytes] = []
        self.recipients: list[str] = []
        self.refuses: set[str] = set()
        self.port = 0

    async def handle_RCPT(
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:  # fmt: skip
        if address in self.refuses:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.wire.append(envelope.content)
        self.recipients += envelope.rcpt_tos
        return "250 OK"


def _who(_: SMTP, __: Session, ___: Envelope, ____: str, data: object) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"studio", b"curtain")
    return AuthResult(success=good, handled=False)  # else the server says nothing, and we wait


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """A mail server on this machine that asks who one is."""
    server = MailServer()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server.port = probe.getsockname()[1]
    controller = Controller(
        server, hostname="127.0.0.1", port=server.port, authenticator=_who, auth_required=True, auth_require_tls=False
    )
    controller.start()
    yield server
    controller.stop()


@pytest.fixture
def mail_over_tls(tmp_path: Path) -> Iterator[tuple[MailServer, Path]]:
    """A mail server that takes nothing before STARTTLS, and its certificate, which nobody trusts by itself."""
    certificate = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = MailServer()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server.port = probe.getsockname()[1]
    controller = Controller(
        server, hostname="127.0.0.1", port=server.port, tls_context=context, require_starttls=True,
        authenticator=_who, auth_required=True,
    )  # fmt: skip
    controller.start()
    yield server, certificate
    controller.stop()


def _certificate(folder: Path) -> Path:
    """A key and a certificate for 127.0.0.1 that it signed itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    kept = folder / "server.pem"
    pem = serialization.Encoding.PEM
    kept.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()) + made.public_bytes(pem)
    )
    return kept


@pytest.fixture(scope="session")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada (two videos that cannot be told apart and a third), Bob (nobody watches), Eve (no address, no video)."""
    folder = tmp_path_factory.mktemp("digest") / "board"
    boards.make_board(
        folder,
        [
            boards.ACreator(id="ada", name="Ada\r\nBcc: x <b>", tier="pro", followers=900),
            boards.ACreator(id="bob", name="Bob"),
            boards.ACreator(id="eve", name="Eve"),
        ],
        [
            boards.AVideo(id="one", creator="ada", age_seconds=12 * DAY, reach=9000, title="One & only"),
            boards.AVideo(id="two", creator="ada", age_seconds=12 * DAY, reach=9000, title="Two"),
            boards.AVideo(id="low", creator="ada", age_seconds=11 * DAY, reach=900, title="Low"),
            boards.AVideo(id="old", creator="ada", age_seconds=60 * DAY, reach=9000, title="Old"),
            boards.AVideo(id="b0", creator="bob", age_seconds=12 * DAY, reach=3),
        ],
        every_tick=False,
    )
    return folder


@pytest.fixture
def data(tmp_path: Path, board: Path) -> Path:
    """A data folder in which Ada and Bob have addresses."""
    (tmp_path / "board").symlink_to(board)
    contacts = Contacts(tmp_path / "public")
    contacts.set("ada", "ada@example.org")
    contacts.set("bob", "bob@example.org")
    contacts.close()
    return tmp_path


@pytest.fixture
def settings_for(data: Path, mail: MailServer) -> Callable[..., Settings]:
    """Settings that lead to the mail server, with some of them changed."""

    def made(**over: str | int) -> Settings:
        told: dict[str, str | int] = {
            "smtp_host": "127.0.0.1", "smtp_port": mail.port, "smtp_tls": "none", "smtp_user": "studio",
            "smtp_password": "curtain", "mail_from": "Studio <studio@example.org>",
            "public_url": "https://studio.example",
        }  # fmt: skip
        return load_settings(data, over=told | over)

    return made
