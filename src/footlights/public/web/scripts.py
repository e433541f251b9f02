"""Scripts. In: a language. Out: what the pages' scripts say, by what it is in English. A page carries it as data."""

from __future__ import annotations

from footlights.public.languages import Language
from footlights.terms.words import N_

#: Every text of assets/js, where it stands as say("..."). A test holds the two together.
WORDS = (
    N_("%(at)s where you are"),
    N_("exact"),
    N_("so far"),
    N_("too few to say more"),
    N_("Loading …"),
    N_("Figures are up to date again."),
    N_("The server cannot be reached. What you see is as of %(at)s. It is asked again by itself."),
    N_("The server did not answer as it should (%(status)s). What you see is as of %(at)s."),
    N_("This takes long. What you see is as of %(at)s."),
    N_("You are offline. What you see is as of %(at)s (%(age)s); it renews itself when you are back."),
    N_("h"),
    N_("You are offline. This page renews itself when you are back."),
    N_("The device was not asked to the end. Try again."),
    N_(
        "Done. From now on nothing that you watch is counted, on any device where you are signed in. Figures that were "
        "published stay: they tell nothing of you."
    ),
    N_("This link is over: it holds for a short time only. Open a new one from your account."),
    N_("This link does not work: it was cut, or another platform made it. Open a new one from your account."),
    N_("That did not work: the platform's collector cannot be reached. Nothing was changed. Try again in a minute."),
    N_("This platform has not set up opt-out links here. Ask it to opt you out."),
)


def words_of_scripts(language: Language) -> dict[str, str]:
    """What scripts say in a language; empty in English, which they speak by themselves."""
    found = {text: language.translated(text) for text in WORDS}
    return {text: said for text, said in found.items() if said != text}
