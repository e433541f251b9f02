"""Pseudo. In: an English sentence. Out: the same, each of its words mirrored. What is not mirrored is in no catalogue.

For tests and for whoever lays out a page: it can be read, runs from the right, and says what was forgotten.
"""

from __future__ import annotations

import re
from gettext import NullTranslations

_RIGHT_TO_LEFT, _POP = "\u202e", "\u202c"
#: What stands in a sentence and is none of its words: a value, a tag, a character's name.
_KEPT = re.compile(r"(%\(\w+\)[sd]|%%|<[^>]*>|&\w+;|`[^`]*`)")


class Mirrored(NullTranslations):
    """Translations into mirrored English."""

    def gettext(self, message: str) -> str:
        """A sentence, mirrored."""
        return mirrored(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """A sentence about a number of things, mirrored."""
        return mirrored(msgid1 if n == 1 else msgid2)


def mirrored(text: str) -> str:
    """A text whose words run from right to left; values and tags stay as they are."""
    parts = _KEPT.split(text)
    return "".join(part if at % 2 or not part.strip() else _word(part) for at, part in enumerate(parts))


def _word(text: str) -> str:
    return f"{_RIGHT_TO_LEFT}{text}{_POP}" if any(letter.isalpha() for letter in text) else text
