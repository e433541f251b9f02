"""Digest. In: the board, addresses and a mail server. Out: one signed letter a creator and week, never two.

Reads what the pages read. The week is the calendar week, UTC, that was over when the board was last published: it
follows from the calendar, and nobody who watched decides when a letter comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import structlog

from footlights.accounts import opened, public_url
from footlights.digest.letter import Week, Written, letter_of, week_before
from footlights.digest.signed import attached
from footlights.mail import Letter, Post, Refused
from footlights.public.accounts.contacts import Contact, Contacts
from footlights.public.accounts.export_keys import ExportKeys
from footlights.public.accounts.preferences import Preferences
from footlights.public.accounts.store import Store
from footlights.public.board.read import Board
from footlights.public.languages import Languages
from footlights.settings import Settings
from footlights.terms.errors import MailFailed, NotFound

log = structlog.get_logger()

__all__ = ["Letter", "Outcome", "Week", "letter_for", "send_digests"]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a week's letters. before: sent by an earlier run. refused: by the mail server, to be tried again.

    unknown: creators who have an address and are not on the board.
    """

    week: str
    sent: int
    before: int
    refused: int
    unknown: int


def letter_for(data: Path, settings: Settings, creator_id: str) -> Letter:
    """The letter that a creator would get now, to look at; nothing is sent or noted. Raises NotFound, MailFailed."""
    with closing(Board(data / "board")) as board, opened(data) as store:
        return _Writer(board, store, settings).written(creator_id).letter


def send_digests(data: Path, settings: Settings, *, only: Sequence[str] = ()) -> Outcome:
    """Send last week's letter to every creator who has an address and did not get it yet; or to those in `only`.

    Raises MailFailed where there is no mail server, or it lets nobody in: nothing is noted then.
    """
    with (
        closing(Board(data / "board")) as board,
        opened(data) as store,
        Post(settings) as post,
    ):
        writer = _Writer(board, store, settings)
        count = dict.fromkeys(("sent", "before", "refused", "unknown"), 0)
        for contact in writer.contacts.all():
            if not only or contact.creator_id in only:
                count[writer.send(contact, post)] += 1
    done = Outcome(week=writer.week.name, **count)
    log.info("digest.done", week=done.week, sent=done.sent, before=done.before, refused=done.refused)
    return done


class _Writer:
    """Who writes a week's letters. week: the one that was over when the board was last published."""

    def __init__(self, board: Board, store: Store, settings: Settings) -> None:
        at_utc = board.published_through_utc()
        if at_utc is None:
            raise MailFailed(
                "Nothing has been published yet, so there is nothing to tell. `footlights tick` publishes."
            )
        self.week = week_before(at_utc)
        self.contacts, self._keys = Contacts(store), ExportKeys(store)
        self._preferences, self._languages = Preferences(store), Languages(settings.languages)
        self._board, self._studio = board, public_url(settings)

    def written(self, creator_id: str) -> Written:
        """A creator's letter, in the language that they chose. Raises NotFound."""
        language = self._languages.of(chosen=self._preferences.language(creator_id), accept="")
        return letter_of(
            self._board, self._board.creator(creator_id), self.week,
            language=language,
            studio=self._studio,
            stop=f"{self._studio}/unsubscribe?token={self.contacts.stop_token(creator_id)}",
            name=self.contacts.letter_id(creator_id, self.week.name),
        )  # fmt: skip

    def send(self, contact: Contact, post: Post) -> str:
        """Send a creator's letter if it was not. Returns the field of Outcome that it counts in."""
        try:
            written = self.written(contact.creator_id)
        except NotFound:
            return "unknown"
        if not self.contacts.begin(contact.creator_id, self.week.name):
            return "before"
        try:
            post.send(self._signed(written, contact.creator_id), to=contact.address)
        except Refused:
            self.contacts.undo(contact.creator_id, self.week.name)
            return "refused"
        return "sent"

    def _signed(self, written: Written, creator_id: str) -> Letter:
        return attached(
            written.letter, self._keys, origin=self._studio, creator=creator_id, week=self.week.name,
            figures=written.figures, videos=written.videos,
        )  # fmt: skip
