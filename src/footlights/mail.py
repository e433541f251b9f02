"""Mail. In: a letter and an address. Out: the letter, handed to the operator's mail server.

The connection is encrypted and the server's certificate checked, unless it is this machine. No address is in a log or
an error, nor what a server said, since it repeats addresses.
"""

from __future__ import annotations

import smtplib
import ssl
from email import headerregistry, policy
from email.message import EmailMessage
from email.utils import formatdate
from types import TracebackType

import msgspec

from footlights.settings import Settings
from footlights.terms.errors import BadSetting, MailFailed

TIMEOUT_SECONDS = 30
TLS_KINDS = ("starttls", "tls", "none")
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class _Whole(headerregistry.UnstructuredHeader, headerregistry.BaseHeader):
    """A header of one line, however long. The standard library breaks a long address into encoded words, which mail
    programs do not decode between angle brackets (RFC 2047, section 5): their button would be gone."""

    def fold(self, *, policy: policy.Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}" if self.isascii() else super().fold(policy=policy)


_HEADERS = headerregistry.HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _Whole)
_POLICY = policy.default.clone(header_factory=_HEADERS)


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file beside a letter: JSON."""

    name: str
    content: bytes


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter before it is addressed. name: the same whenever it is written. stop: the link that ends the mail."""

    subject: str
    text: str
    html: str
    name: str
    stop: str
    attachments: tuple[Attachment, ...] = ()


def one_line(text: str, *, longest: int = 100) -> str:
    """What somebody typed, as one line that ends nothing. In plain text a line of theirs would look like ours."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(shown.split())[:longest]


class Refused(Exception):
    """The mail server did not take one letter; it may take others, and this one later."""


class Post:
    """A connection to the mail server, for as long as the `with` lasts.

    Raises BadSetting for settings that do not fit together, MailFailed where the server does not let us in.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        if not settings.smtp_host or not settings.mail_from:
            raise BadSetting("Mail needs smtp_host and mail_from: docs/guides/digest.md says how they are set.")
        if settings.smtp_tls not in TLS_KINDS:
            raise BadSetting(f"smtp_tls is one of {', '.join(TLS_KINDS)}.")
        if settings.smtp_tls == "none" and settings.smtp_host not in _THIS_MACHINE:
            raise BadSetting(
                "smtp_tls = none is for a mail server on this machine: letters would cross a network open."
            )
        if "@" not in settings.mail_from or not settings.mail_from.isprintable():
            raise BadSetting("mail_from is one address, such as studio@example.org.")
        self._domain = settings.mail_from.rpartition("@")[2].strip("> ")

    def __enter__(self) -> Post:
        try:
            self._smtp = self._connected()
        except (OSError, smtplib.SMTPException) as error:
            raise MailFailed(
                f"The mail server at {self._settings.smtp_host}:{self._settings.smtp_port} did not let us in "
                f"({type(error).__name__}). Look at smtp_host, smtp_port, smtp_tls, smtp_user and smtp_password."
            ) from None
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        try:
            self._smtp.quit()
        except (OSError, smtplib.SMTPException):
            self._smtp.close()

    def send(self, letter: Letter, *, to: str) -> None:
        """Hand a letter over. Raises Refused if the server did not take it, MailFailed if the connection broke.

        After a MailFailed nobody knows whether the letter was taken, so it is not sent again.
        """
        try:
            self._smtp.send_message(self._addressed(letter, to))
        except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError):
            raise Refused from None
        except OSError:
            raise MailFailed(
                "The mail server hung up. Run the same command again: it goes on with those whom it had not come to."
            ) from None

    def _connected(self) -> smtplib.SMTP:
        settings = self._settings
        where, context = (settings.smtp_host, settings.smtp_port), ssl.create_default_context()
        smtp = (
            smtplib.SMTP_SSL(*where, timeout=TIMEOUT_SECONDS, context=context)
            if settings.smtp_tls == "tls"
            else smtplib.SMTP(*where, timeout=TIMEOUT_SECONDS)
        )
        try:
            if settings.smtp_tls == "starttls":
                smtp.starttls(context=context)
            if settings.smtp_user:
                smtp.login(settings.smtp_user, settings.smtp_password)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _addressed(self, letter: Letter, to: str) -> EmailMessage:
        message = EmailMessage(_POLICY)
        message["From"], message["To"], message["Subject"] = self._settings.mail_from, to, letter.subject
        message["Date"] = formatdate(usegmt=True)
        # Ours, not make_msgid's: that one tells the name of this machine, and a letter keeps its name if sent again.
        message["Message-ID"] = f"<{letter.name}@{self._domain}>"
        # RFC 8058: a mail program's own button stops the letters with one POST.
        message["List-Unsubscribe"] = f"<{letter.stop}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        message.add_alternative(letter.html, subtype="html")
        for file in letter.attachments:
            message.add_attachment(file.content, maintype="application", subtype="json", filename=file.name)
        return message
