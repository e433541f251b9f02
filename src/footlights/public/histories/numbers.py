"""Numbers. In: a cell as a platform wrote it for people. Out: an exact whole number of the measure's own small unit.

    count         1,204   1.204   1 204   1.2K   12万        one
    milliseconds  0:04:34   12.5 (hours)   4:12               1 ms
    millionths    0.462   46.2 %   1,23                       0.000001, of a share, a rate or a unit of money

Decimals all the way: 0.1 h is 360,000 ms and not a binary fraction near it, so that sums come out to the last digit.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Literal

from footlights.public.histories.cells import Native
from footlights.public.histories.words import plain

Unit = Literal["count", "milliseconds", "millionths"]

#: How platforms write that they do not say.
MISSING = frozenset(
    {"", "undefined", "null", "none", "nan", "n/a", "na", "--", "-", "\u2013", "\u2014", "...", "#n/a", "∞"}
)
_TIMES = {"k": 3, "m": 6, "mio": 6, "mln": 6, "tsd": 3, "mil": 3, "rb": 3, "jt": 6, "тыс": 3, "тис": 3, "млн": 6,
          "млрд": 9, "tr": 6, "n": 3, "bin": 3, "mn": 6, "mi": 6, "tys": 3, "mrd": 9, "mld": 9, "md": 9, "ألف": 3,
          "مليون": 6, "مليار": 9, "万": 4, "萬": 4, "만": 4, "億": 8, "亿": 8, "억": 8, "천": 3}  # fmt: skip
#: Signs that mean one thing here and another there: a B is a thousand million in English, and a thousand in Turkish.
_TIMES_IN = {"en": {"b": 9}, "th": {"b": 9}, "pt": {"bi": 9}, "tr": {"b": 3, "mr": 9}, "id": {"m": 9},
             "vi": {"t": 9}}  # fmt: skip
#: The signs of Arabic digits: a thousand and a decimal point.
_ARABIC_THOUSAND, _ARABIC_POINT = "\u066c", "\u066b"
_SHAPE = re.compile(r"(?P<sign>[-+]?)(?P<digits>[\d.,' ]*\d)\s*(?P<times>[^\W\d_]*)\.?\s*%?")
_BETWEEN = re.compile(r"(?<=\d)[.,](?=\d)")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,3}):(\d{2}(?:[.,]\d{1,3})?)")
#: Languages that write 1,234.5; all others of headers.toml write 1.234,5 or 1 234,5.
_POINT = frozenset({"en", "ja", "ko", "zh", "th", "hi", "ar"})
_LENGTH_MAX = 24
#: Nobody's figures are so large; and times a million they still are a whole number of 64 bits.
_LARGEST = Decimal(10) ** 12


class NotANumber(ValueError):
    """A cell that should hold a number and holds something else."""


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no number: that is not the number 0."""
    return plain(cell) in MISSING


def decimal_point(cells: Iterable[str], *, language: str, beside: Iterable[str] = ()) -> str:
    """Which of . and , a column's decimals stand behind.

    As its own numbers show; or those beside it in the same file; or else as its language writes.
    """
    for each in (cells, beside):
        votes = {".": 0, ",": 0}
        for cell in each:
            if (sign := _shown_point(cell)) is not None:
                votes[sign] += 1
        if votes["."] != votes[","]:
            return max(votes, key=votes.__getitem__)
    return "." if language in _POINT else ","


def _shown_point(cell: str) -> str | None:
    """The sign that can be nothing but a decimal point in a cell: 1.5, 1,234.5, 0.462; None for 1.234."""
    signs: list[str] = _BETWEEN.findall(cell)
    if len(set(signs)) == 2:
        return signs[-1]
    if len(signs) != 1:
        return None
    # No thousands begin with a 0: TikTok writes 0.462 in every language.
    starts_with_0 = cell.partition(signs[0])[0].strip().lstrip("+-") == "0"
    return signs[0] if starts_with_0 or len(_tail(cell, signs[0])) != 3 else None


def whole(
    cell: str, unit: Unit, *, point: str = ".", percent: bool = False, hours: bool = False, language: str = "en"
) -> int:
    """A cell in small units. point: the column's. percent, hours: as its header says. language: what a B stands for.

    Raises NotANumber.
    """
    if unit == "milliseconds":
        if (clock := _CLOCK.fullmatch(cell.strip())) is not None:
            h, m, s = clock.groups()
            return (int(h or 0) * 3600 + int(m) * 60) * 1000 + int(Decimal(s.replace(",", ".")) * 1000)
        return _exact(_decimal(cell, point, language, counts=False) * (3_600_000 if hours else 1000))
    if unit == "count":
        return _exact(_decimal(cell, point, language, counts=True))
    share = _decimal(cell, point, language, counts=False)
    return _exact(share * (10_000 if percent or "%" in cell else 1_000_000))


def _exact(number: Decimal) -> int:
    return int(number.to_integral_value())


def _decimal(cell: str, point: str, language: str, *, counts: bool) -> Decimal:
    # A part of something is no count of it.
    if len(cell) > _LENGTH_MAX or (counts and "%" in cell):
        raise NotANumber
    text = unicodedata.normalize("NFKC", cell).replace("\u2212", "-").replace("\u2019", "'")
    if _ARABIC_THOUSAND in text or _ARABIC_POINT in text:
        text, point = text.replace(_ARABIC_THOUSAND, "'").replace(_ARABIC_POINT, "."), "."
    found = _SHAPE.fullmatch(text.strip().casefold().lstrip("$€£¥").strip())
    if found is None:
        raise NotANumber
    times = found["times"]
    known = _TIMES | _TIMES_IN.get(language, {})
    if times and times not in known:
        raise NotANumber
    point = "." if isinstance(cell, Native) else point
    if counts and not times and len(_tail(found["digits"], point)) == 3 and not isinstance(cell, Native):
        # A count is whole: 1.204 views are a thousand, whatever sign that is.
        point = ""
    before_point = found["digits"].rpartition(point)[0] if point and point in found["digits"] else found["digits"]
    first, *thousands = re.split(r"[.,' ]+", before_point)
    # 1,23 beside 2.50 is neither 123 nor surely 1.23. In India thousands are set apart by two digits, but for the last.
    if thousands and (len(first) > 3 or len(thousands[-1]) != 3 or any(len(each) not in (2, 3) for each in thousands)):
        raise NotANumber
    digits = "".join("." if sign == point else sign for sign in found["digits"] if sign.isdigit() or sign == point)
    try:
        number = Decimal(found["sign"] + digits).scaleb(known.get(times, 0))
    except InvalidOperation:
        raise NotANumber from None
    # There is no half a view: a text that reads as one is something else.
    text_of_a_part = counts and not times and not isinstance(cell, Native) and number != number.to_integral_value()
    if abs(number) >= _LARGEST or text_of_a_part:
        raise NotANumber
    return number


def _tail(digits: str, sign: str) -> str:
    """The digits behind the last of a sign."""
    return "".join(each for each in digits.rpartition(sign)[2] if each.isdigit()) if sign and sign in digits else ""
