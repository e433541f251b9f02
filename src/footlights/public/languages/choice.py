"""Choice. In: a person's choice, and what their browser accepts. Out: one of the languages that are offered."""

from __future__ import annotations

from footlights.public.languages.language import LANGUAGES, PSEUDO, Language, language
from footlights.terms.errors import BadSetting

_LENGTH_MAX = 1000


class Languages:
    """The languages that a deployment offers, its first one for whoever asks for none of them.

    codes: with a space between them, as the setting has it. Raises BadSetting for an unknown one, or none.
    """

    def __init__(self, codes: str) -> None:
        self.offered: tuple[Language, ...] = tuple(language(code) for code in codes.split())
        if not self.offered:
            raise BadSetting(f"languages is one or more of {', '.join((*LANGUAGES, PSEUDO))}.")
        self._by_code = {each.code.lower(): each for each in self.offered}

    def get(self, code: str) -> Language | None:
        """An offered language by its code; None if it is not offered."""
        return self._by_code.get(code.lower())

    def of(self, *, chosen: str, accept: str) -> Language:
        """The language for a person. chosen: a code, or "". accept: the browser's Accept-Language, or ""."""
        found = self.get(chosen)
        if found is not None:
            return found
        for code in accepted(accept):
            found = self.get(code) or self.get(code.partition("-")[0])
            if found is not None:
                return found
        return self.offered[0]


def accepted(header: str) -> list[str]:
    """The languages of an Accept-Language header, the dearest first. RFC 9110, section 12.5.4; what is none is left."""
    weighed = []
    for place, part in enumerate(header[:_LENGTH_MAX].split(",")):
        code, _, rest = part.strip().partition(";")
        weight = _weight(rest)
        if code and code != "*" and weight > 0:
            weighed.append((-weight, place, code.strip()))
    return [code for _, __, code in sorted(weighed)]


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0
