"""Stopped. In: an app that was suspended or banned, and a creator who had let it in. Out: the letter that says so."""

from __future__ import annotations

from footlights.mail import Letter, Post, Refused, one_line
from footlights.public.accounts.apps.told import StopLetter, Told
from footlights.public.accounts.contacts import Contacts
from footlights.public.accounts.preferences import Preferences
from footlights.public.accounts.store import Store
from footlights.public.languages import Language, Languages
from footlights.public.web.templating import letters_of
from footlights.settings import Settings


class StoppedApps:
    """Who writes to creators about apps that were stopped. studio: the pages' address."""

    def __init__(self, store: Store, settings: Settings, *, studio: str) -> None:
        self._told, self._contacts, self._preferences = Told(store), Contacts(store), Preferences(store)
        self._languages, self._studio = Languages(settings.languages), studio
        self._addresses = {contact.creator_id: contact.address for contact in self._contacts.all()}

    def waiting(self) -> list[StopLetter]:
        """What is to be mailed, to creators who have an address; the pages of the others say it."""
        return [letter for letter in self._told.letters() if letter.creator_id in self._addresses]

    def mail(self, about: StopLetter, post: Post) -> str:
        """Write to a creator, unless another run has. Returns the field of Outcome that it counts in, or nothing."""
        if not self._told.begin(about):
            return ""
        try:
            post.send(self._letter(about), to=self._addresses[about.creator_id])
        except Refused:
            self._told.undo(about)
            return "refused"
        return "mailed"

    def _letter(self, about: StopLetter) -> Letter:
        creator_id = about.creator_id
        language = self._languages.of(chosen=self._preferences.language(creator_id), accept="")
        return letter_about(
            about, language=language, studio=self._studio,
            stop=f"{self._studio}/unsubscribe?token={self._contacts.stop_token(creator_id)}",
            name=self._contacts.letter_id(creator_id, f"app stopped {about.letter}"),
        )  # fmt: skip


def letter_about(about: StopLetter, *, language: Language, studio: str, stop: str, name: str) -> Letter:
    """The letter. studio: the pages' address. stop, name: see Letter."""
    app, maker = one_line(about.name), one_line(about.maker)
    subject = (
        language.say("%(app)s was banned for good", app=app)
        if about.state == "banned"
        else language.say("%(app)s was suspended", app=app)
    )
    values = {
        "app": app, "maker": maker, "state": about.state, "reason": one_line(about.reason, longest=300),
        "subject": subject, "link": f"{studio}/studio/apps", "stop": stop,
    }  # fmt: skip
    known = letters_of("footlights.alerts", language)
    return Letter(
        subject=subject,
        text=known.get_template("stopped.txt").render(values),
        html=known.get_template("stopped.html").render(values),
        name=name,
        stop=stop,
    )
