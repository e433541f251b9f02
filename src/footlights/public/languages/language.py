"""Language. In: a code. Out: its sentences, numbers and dates. Knows no figure and no page.

A sentence is written in English where it is used; a catalogue (gettext's .po, checked in) has it in the others. What
Unicode's CLDR says of numbers and dates comes from Babel.
"""

from __future__ import annotations

import io
import re
from datetime import date
from functools import cache, lru_cache
from gettext import NullTranslations
from importlib.resources import files

from babel import Locale
from babel.dates import format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from footlights.public.languages.pseudo import Mirrored
from footlights.terms.errors import BadSetting

#: Code, what its speakers call it, and CLDR's name for how it writes numbers and dates.
LANGUAGES: dict[str, tuple[str, str]] = {"en": ("English", "en_GB"), "de": ("Deutsch", "de_DE")}
#: Nobody's language: English marked and mirrored, to see what escapes the catalogue and what a page is from the right.
PSEUDO = "en-XB"
_VALUE = re.compile(r"%\(\w+\)s")


class Language:
    """One language. code: as `lang` has it. direction: ltr or rtl. locale: CLDR's numbers and dates."""

    def __init__(self, code: str, *, name: str, locale: Locale, direction: str, words: NullTranslations) -> None:
        self.code, self.name, self.direction = code, name, direction
        self._locale, self._words = locale, words
        symbols = locale.number_symbols["latn"]
        self._signs = str.maketrans({",": symbols["group"], ".": symbols["decimal"], "-": "\u2212"})

    def __repr__(self) -> str:
        return f"<language {self.code}>"

    def say(self, text: str, **values: object) -> str:
        """A sentence with its values filled in: %(name)s. A percent sign is written twice."""
        return self.gettext(text) % values

    def say_many(self, one: str, many: str, count: int, **values: object) -> str:
        """A sentence about a number of things, which is %(num)s in it."""
        return self.ngettext(one, many, count) % {"num": self.number(count), **values}

    def translated(self, text: str) -> str:
        """A text as it is, without values: what the catalogue has for it, or itself."""
        return self.gettext(text) if text else ""

    def gettext(self, text: str) -> str:
        """A sentence before its values are filled in."""
        return self._isolated(self._words.gettext(text))

    def ngettext(self, one: str, many: str, count: int) -> str:
        """A sentence about a number of things before its values are filled in."""
        return self._isolated(self._words.ngettext(one, many, count))

    def _isolated(self, text: str) -> str:
        """From right to left, a value with numbers or another script would turn what stands around it about."""
        return _VALUE.sub("\u2068\\g<0>\u2069", text) if self.direction == "rtl" else text

    def number(self, number: int) -> str:
        """A whole number, such as 1,234,567; below 0 with a minus sign."""
        return f"{number:,}".translate(self._signs)

    def decimal(self, number: float, places: int) -> str:
        """A number with some places after its sign, such as 1,234.5."""
        return f"{number:,.{places}f}".translate(self._signs)

    def day(self, day: date) -> str:
        """A day, such as 1 Nov 2026."""
        return _skeleton("yMMMd", day, self._locale)

    def month(self, day: date) -> str:
        """A day's month, such as November 2026."""
        return _skeleton("yMMMM", day, self._locale)

    def days(self, first: date, last: date) -> str:
        """Two days, such as 26 October to 1 November 2026."""
        ends = (_skeleton("MMMMd", first, self._locale), _skeleton("MMMMd", last, self._locale))
        return self.say("%(first)s to %(last)s %(year)s", first=ends[0], last=ends[1], year=last.year)

    def weekday(self, number: int) -> str:
        """A day of the week, in short: 0 is Monday."""
        return str(self._locale.days["stand-alone"]["abbreviated"][number]).rstrip(".")


@lru_cache(maxsize=4096)
def _skeleton(pattern: str, day: date, locale: Locale) -> str:
    # A year's table has each of its days a few times, and CLDR's patterns are slow to fill in.
    return format_skeleton(pattern, day, locale=locale)


@cache
def language(code: str) -> Language:
    """A language by its code. Raises BadSetting for one that there is no catalogue of."""
    if code == PSEUDO:
        english = Locale.parse(LANGUAGES["en"][1])
        return Language(code, name="Mirrored", locale=english, direction="rtl", words=Mirrored())
    if code not in LANGUAGES:
        raise BadSetting(f"There is no language {code} here. There are {', '.join(LANGUAGES)}.")
    name, cldr = LANGUAGES[code]
    locale = Locale.parse(cldr)
    words = NullTranslations() if code == "en" else _catalogue(code)
    return Language(code, name=name, locale=locale, direction=locale.text_direction, words=words)


def _catalogue(code: str) -> Translations:
    """A catalogue, compiled in memory: 600 sentences take some milliseconds, once a process."""
    text = files("footlights.public.languages").joinpath("catalogues", f"{code}.po").read_bytes()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(text), locale=code))
    compiled.seek(0)
    return Translations(compiled)


ENGLISH = language("en")
