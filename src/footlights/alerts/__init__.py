"""Alerts. In: the board, what creators chose, what they let apps read, a mail server. Out: each thing told, once.

To creators by mail and webhook, to apps by webhook; and to creators by mail of an app that was stopped.

Found in what was published, at ages and weeks that are fixed: when this runs, or how often, changes nothing but when
it is heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import structlog

from footlights.accounts import opened, public_url
from footlights.alerts.apps import Herald
from footlights.alerts.letter import Alert, found_for, letter_of
from footlights.alerts.stopped import StoppedApps
from footlights.mail import Post, Refused
from footlights.public.accounts.alerts import AlertChoices, Choice
from footlights.public.accounts.contacts import Contact, Contacts
from footlights.public.accounts.preferences import Preferences
from footlights.public.accounts.store import Store
from footlights.public.board.read import Board
from footlights.public.languages import Language, Languages
from footlights.public.webhooks import Courier, Delivered, Webhooks
from footlights.settings import Settings
from footlights.terms.errors import NotFound

log = structlog.get_logger()

__all__ = ["Outcome", "alerts_for", "send_alerts"]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did. found: alerts of the last two days. mailed: letters. told: new messages to apps.

    taken, later, dead: webhooks' messages.
    """

    found: int
    told: int
    mailed: int
    refused: int
    taken: int
    later: int
    dead: int


def alerts_for(data: Path, settings: Settings, creator_id: str) -> list[dict[str, Any]]:
    """What a creator would be told of now if they chose everything; nobody is told. Raises NotFound."""
    with closing(Board(data / "board")) as board, opened(data) as store:
        creator = board.creator(creator_id)
        speaker = _Speaker(board, store, settings)
        language = speaker.language_of(creator_id)
        chosen = Choice(creator_id=creator_id, videos=True, weeks=True, since_utc=0)
        found = [] if speaker.at_utc is None else found_for(board, creator, chosen, at_utc=speaker.at_utc)
        return [
            {"type": each.type, "text": each.told(language), "data": msgspec.to_builtins(each.data)} for each in found
        ]


def send_alerts(data: Path, settings: Settings, *, only: Sequence[str] = ()) -> Outcome:
    """Find what is to be told, tell it, and send what webhooks wait for. only: creators, and then nothing of apps.

    Raises MailFailed where the mail server lets nobody in; what webhooks wait for has been sent then.
    """
    with closing(Board(data / "board")) as board, opened(data) as store:
        speaker = _Speaker(board, store, settings)
        count = dict.fromkeys(("found", "told", "mailed", "refused"), 0)
        letters = [letter for choice in speaker.choices(only) for letter in speaker.tell(choice, count)]
        if not only and speaker.at_utc is not None:
            count["told"] = Herald(board, store, settings, through_utc=speaker.at_utc).tell()
        sent = Courier(store, private_allowed=bool(settings.webhooks_private)).run()
        stopped = StoppedApps(store, settings, studio=public_url(settings))
        about = [] if only else stopped.waiting()
        if (letters or about) and settings.smtp_host:
            with Post(settings) as post:
                for contact, alerts in letters:
                    speaker.mail(contact, alerts, post, count)
                for word in (stopped.mail(each, post) for each in about):
                    if word:
                        count[word] += 1
    return _outcome(count, sent)


def _outcome(count: dict[str, int], sent: Delivered) -> Outcome:
    done = Outcome(**count, taken=sent.taken, later=sent.later, dead=sent.dead)
    if done.mailed or done.refused:
        log.info("alerts.done", mailed=done.mailed, refused=done.refused)
    return done


class _Speaker:
    """Who tells creators. at_utc: until when the board is published; None before its first tick."""

    def __init__(self, board: Board, store: Store, settings: Settings) -> None:
        self.at_utc = board.published_through_utc()
        self._board, self._studio = board, public_url(settings)
        self._choices, self._contacts, self._preferences = AlertChoices(store), Contacts(store), Preferences(store)
        self._webhooks = Webhooks(store, private_allowed=bool(settings.webhooks_private))
        self._languages = Languages(settings.languages)
        self._addresses = {contact.creator_id: contact for contact in self._contacts.all()}

    def choices(self, only: Sequence[str]) -> list[Choice]:
        """Who wants to be told."""
        return [choice for choice in self._choices.all() if not only or choice.creator_id in only]

    def language_of(self, creator_id: str) -> Language:
        """The language that a creator chose."""
        return self._languages.of(chosen=self._preferences.language(creator_id), accept="")

    def tell(self, choice: Choice, count: dict[str, int]) -> list[tuple[Contact, list[Alert]]]:
        """Tell a creator's endpoints what there is. Returns what is to be mailed."""
        try:
            creator = self._board.creator(choice.creator_id)
        except NotFound:
            return []
        if self.at_utc is None:
            return []
        found = found_for(self._board, creator, choice, at_utc=self.at_utc)
        count["found"] += len(found)
        for alert in found:
            owner = f"creator:{creator.id}"
            self._webhooks.tell(owner, key=alert.key, type=alert.type, data=alert.data, at_utc=alert.at_utc)
        contact = self._addresses.get(creator.id)
        return [(contact, found)] if contact is not None and found else []

    def mail(self, contact: Contact, alerts: list[Alert], post: Post, count: dict[str, int]) -> None:
        """One letter with what a creator was not told yet."""
        new = [alert for alert in alerts if self._choices.begin(contact.creator_id, alert.key)]
        if not new:
            return
        letter = letter_of(
            self._board.creator(contact.creator_id), new,
            language=self.language_of(contact.creator_id), studio=self._studio,
            stop=f"{self._studio}/unsubscribe?token={self._contacts.stop_token(contact.creator_id)}",
            name=self._contacts.letter_id(contact.creator_id, " ".join(alert.key for alert in new)),
        )  # fmt: skip
        try:
            post.send(letter, to=contact.address)
        except Refused:
            for alert in new:
                self._choices.undo(contact.creator_id, alert.key)
            count["refused"] += 1
        else:
            count["mailed"] += 1
