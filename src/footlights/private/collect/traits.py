"""Traits. In: what a client says of a viewer. Out: indexes into the public domains; 0 for whatever is not in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from footlights.terms.domains import AGE_INDEX, COUNTRY_INDEX, GENDER_INDEX, SOURCE_INDEX, age_bracket
from footlights.terms.policy import INTERESTS_A_VIEWER_MAX

_GENDER_WORDS = {"f": "female", "woman": "female", "m": "male", "man": "male", "nonbinary": "other"}
_SOURCE_WORDS = {"foryou": "for_you", "fyp": "for_you", "direct_message": "message", "push": "notification"}


class Traits(msgspec.Struct, gc=False):
    """The traits that are read, decoded loosely: platforms put many things under these words."""

    age: Any = None
    birthday: Any = None
    gender: Any = None
    country: Any = None
    address: Any = None
    interests: Any = None


def read_traits(traits: Traits, at_ms: int) -> tuple[int, int, int]:
    """Age bracket, gender and country. at_ms: the event's moment, to which a birthday gives an age."""
    age = read_age(traits.age)
    if not age and isinstance(traits.birthday, str):
        age = _age_from_birthday(traits.birthday, at_ms)
    country = traits.country
    if country is None and isinstance(traits.address, dict):
        country = traits.address.get("country")
    return age, read_gender(traits.gender), read_country(country)


def read_age(given: Any) -> int:
    """An age in whole years, as a number or text, or one of the brackets."""
    if isinstance(given, str):
        if given in AGE_INDEX:
            return AGE_INDEX[given]
        given = int(given) if given.isdecimal() and len(given) <= 3 else None
    if isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given <= 150:
        return AGE_INDEX[age_bracket(int(given))]
    return 0


def read_gender(given: Any) -> int:
    """A gender, as the domain names it or as f, m, woman, man or nonbinary."""
    return _word_in(GENDER_INDEX, _GENDER_WORDS, given) if isinstance(given, str) else 0


def read_country(given: Any) -> int:
    """An ISO 3166-1 alpha-2 code, in either case."""
    if not isinstance(given, str):
        return 0
    return COUNTRY_INDEX.get(given) or (COUNTRY_INDEX.get(given.upper(), 0) if len(given) == 2 else 0)


def read_interests(given: Any, known: Mapping[str, int]) -> tuple[int, ...]:
    """A viewer's interests as places in the operator's list, the first that were named first, each once.

    given: a name, or a list of names. known: places by name; a name that is not there is left out.
    """
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list):
        return ()
    places = (known.get(name, 0) for name in names if isinstance(name, str))
    return tuple(dict.fromkeys(place for place in places if place))[:INTERESTS_A_VIEWER_MAX]


def read_source(given: Any) -> int:
    """A source, in any case, with spaces or hyphens for underscores."""
    return _source(given) if isinstance(given, str) and len(given) <= 32 else 0


@lru_cache(maxsize=1024)
def _source(given: str) -> int:
    return _word_in(SOURCE_INDEX, _SOURCE_WORDS, given.strip().replace(" ", "_").replace("-", "_"))


def _word_in(domain: dict[str, int], words: dict[str, str], given: str) -> int:
    word = given.lower()
    return domain.get(words.get(word, word), 0)


def _age_from_birthday(birthday: str, at_ms: int) -> int:
    """Whole years from an ISO date to a moment."""
    try:
        born = datetime.fromisoformat(birthday[:10])
        then = datetime.fromtimestamp(at_ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return 0
    return read_age(then.year - born.year - ((then.month, then.day) < (born.month, born.day)))
