"""Words. In: a column's header or a cell, in any language of headers.toml. Out: what it means, and in which languages.

Never guesses: "YouTube Premium views" contains "views" and is something else. A header that is not known is said to be.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache, lru_cache
from importlib import resources

import msgspec

_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u202a\u202b\u202c\u202d\u202e"))
_IN_PARENTHESES = re.compile(r"\(([^()]*)\)")


class Meaning(msgspec.Struct, frozen=True):
    """kind: role, measure or word. name: such as date, or view_count."""

    kind: str
    name: str


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What a header says. meanings: in which languages each; notes: what stood in parentheses, such as hours or USD."""

    meanings: dict[Meaning, frozenset[str]]
    notes: tuple[str, ...]


@lru_cache(maxsize=65_536)
def plain(text: str) -> str:
    """A text without case, accents, signs that nobody sees, and doubled spaces: what two spellings share."""
    wide = unicodedata.normalize("NFKD", text.translate(_INVISIBLE).casefold())
    bare = "".join(sign for sign in wide if not unicodedata.combining(sign))
    return " ".join(unicodedata.normalize("NFC", bare).replace("\u2019", "'").replace("\u02bc", "'").split())


def heard(header: str) -> Heard:
    """What a header means."""
    text = plain(header)
    notes = tuple(note.strip() for note in _IN_PARENTHESES.findall(text))
    bare = " ".join(_IN_PARENTHESES.sub(" ", text).split()).strip(" :*")
    return Heard(meanings=_lexicon().get(bare, {}), notes=notes)


@lru_cache(maxsize=65_536)
def word(cell: str) -> str | None:
    """Which of the words of headers.toml a cell is: total, others, female, male; None if it is none."""
    return next((each.name for each in _lexicon().get(plain(cell), {}) if each.kind == "word"), None)


def languages() -> tuple[str, ...]:
    """The languages that headers.toml has, English first."""
    found = {language for known in _lexicon().values() for spoken in known.values() for language in spoken}
    return ("en", *sorted(found - {"en"}))


@cache
def _lexicon() -> dict[str, dict[Meaning, frozenset[str]]]:
    text = resources.files("footlights.public.histories").joinpath("headers.toml").read_text("utf-8")
    found: dict[str, dict[Meaning, frozenset[str]]] = {}
    for kind, names in tomllib.loads(text).items():
        for name, spoken in names.items():
            for language, phrases in spoken.items():
                for phrase in phrases:
                    known = found.setdefault(plain(phrase), {})
                    meaning = Meaning(kind, name)
                    known[meaning] = known.get(meaning, frozenset()) | {language}
    return found
