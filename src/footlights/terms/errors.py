"""Errors. One tree. A message says what happened, the public numbers and the next step; never a private value."""

from __future__ import annotations


class FootlightsError(Exception):
    """Base of every error that Footlights raises for its operators and clients."""


class BadEvent(FootlightsError):
    """An event breaks a rule. It names the field and the rule, never the value."""

    def __init__(self, *, field: str, rule: str) -> None:
        self.field = field
        self.rule = rule
        super().__init__(f"{field}: {rule}")


class BadRequest(FootlightsError):
    """A request that the collector refuses whole. code: a stable word for machines.

    retry_after_seconds: when the client may send it again, 0 if it need not. key: the write key's name, where a request
    was not let in although its key is one.
    """

    def __init__(
        self, code: str, message: str, *, status: int = 400, retry_after_seconds: int = 0, key: str = ""
    ) -> None:
        self.code = code
        self.status = status
        self.key = key
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class BadKey(FootlightsError):
    """A write key that cannot be made as asked: it says what would be allowed."""


class BadFile(FootlightsError):
    """A file that cannot be imported at all: it says what was expected."""


class BadBackup(FootlightsError):
    """A backup that cannot be made or restored: it says why, and what would be needed."""


class BadPolicy(FootlightsError):
    """A policy that cannot be put in force: it says which line, and what would be allowed."""


class BadPlan(FootlightsError):
    """A mechanism cannot be planned with these numbers."""


class BadSetting(FootlightsError):
    """A setting has a value that it cannot have."""


class VaultDamaged(FootlightsError):
    """A file of the vault is missing, cut or changed. It names the file and the next step."""


class VaultFull(FootlightsError):
    """The disk has no room for another event, or a season has reached its number of pairs."""


class BoardDamaged(FootlightsError):
    """The board contradicts itself or the gate. It names what, and the next step."""


class AlreadyPublished(FootlightsError):
    """A (subject, family, tick) would have been published twice with different values."""


class NotFound(FootlightsError):
    """The creator, video or figure asked for does not exist."""


class NotAllowed(FootlightsError):
    """The asker may not see this: it says why, and what would change that.

    text: with %(name)s for each of the values, so that a page can say it in another language.
    """

    def __init__(self, text: str, **values: object) -> None:
        self.text, self.values = text, values
        super().__init__(text % values if values else text)


class AuditFailed(FootlightsError):
    """An audit could not be carried out: it says nothing of privacy, either way."""


class ProofFailed(FootlightsError):
    """What was to be verified is not what was published: it says what was changed, or what cannot be read."""


class AskFailed(FootlightsError):
    """The client was asked for what it cannot get or make: it says why, and what would help."""


class MailFailed(FootlightsError):
    """Mail could not be sent: it says which setting to look at, and never an address."""
