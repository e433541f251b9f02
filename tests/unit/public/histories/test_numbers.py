from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footlights.public.histories.cells import Native
from footlights.public.histories.numbers import MISSING, NotANumber, Unit, decimal_point, is_missing, whole
from footlights.public.histories.words import languages


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1204", 1204), ("1,204", 1204), ("1.204", 1204), ("1 204", 1204), ("1\u202f204", 1204), ("1'204", 1204),
        ("1.234.567", 1234567), ("1,234,567", 1234567), ("1.2K", 1200), ("3,4 Mio", 3400000), ("12万", 120000),
        ("1,5 тыс.", 1500), ("-3", -3), ("\u22123", -3), ("+7", 7), ("１２", 12), ("٣٤", 34), ("1\u2019204", 1204),
        ("١٬٢٠٤", 1204), ("١٬٢٠٤٬٥٠٠", 1204500), ("1\u2009204", 1204), ("1204.0", 1204),
    ],
)  # fmt: skip
def test_a_count_is_read_however_a_platform_writes_it(cell: str, number: int) -> None:
    point = decimal_point([cell], language="de" if "," in cell and "K" not in cell else "en")
    assert whole(cell, "count", point=point) == number


@pytest.mark.parametrize(
    ("cell", "unit", "options", "number"),
    [
        ("0:04:34", "milliseconds", {}, 274_000), ("4:12", "milliseconds", {}, 252_000),
        ("1:00:00.5", "milliseconds", {}, 3_600_500), ("45", "milliseconds", {}, 45_000),
        ("1183689.3666", "milliseconds", {"hours": True}, 4_261_281_719_760),
        ("0.1", "milliseconds", {"hours": True}, 360_000),
        ("0.462", "millionths", {}, 462_000), ("46.2 %", "millionths", {}, 462_000),
        ("146.19", "millionths", {"percent": True}, 1_461_900), ("1.23", "millionths", {}, 1_230_000),
        (".5", "millionths", {}, 500_000),
    ],
)  # fmt: skip
def test_times_and_shares_are_exact_to_the_last_digit(
    cell: str, unit: Unit, options: dict[str, bool], number: int
) -> None:
    hours, percent = options.get("hours", False), options.get("percent", False)
    assert whole(cell, unit, hours=hours, percent=percent) == number


def test_what_is_not_said_is_missing_and_not_0() -> None:
    assert all(is_missing(text) for text in MISSING)
    assert is_missing("NAN") and is_missing("Undefined") and is_missing(" -- ") and not is_missing("0")


def test_a_columns_own_numbers_show_its_decimal_point() -> None:
    assert decimal_point(["1.204", "553.7381"], language="de") == "."
    assert decimal_point(["8,5", "1.204,25"], language="en") == ","
    assert decimal_point(["1.204", "7"], language="de") == ","
    assert decimal_point(["1.204", "7"], language="en") == "."
    assert decimal_point(["0.462", "0.219"], language="de") == "."
    assert decimal_point(["1.204", "7"], language="de", beside=["5.25"]) == "."
    assert decimal_point(["8,5"], language="de", beside=["5.25", "1.75"]) == ","


def test_a_number_of_a_workbook_is_read_in_its_own_writing() -> None:
    assert whole(Native("0.462"), "millionths", point=",") == 462_000
    assert whole(Native("1.204"), "count", point=",") == 1


@pytest.mark.parametrize(
    "cell",
    [
        "many", "1x", "12/03", "1e9", "=1+1", "9" * 30, "1" + "0" * 12, "1.2.3,4,5 wide", "12%", "46.2 %", "12.5",
        "١٫٥", "(1204)",
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused_without_saying_it(cell: str) -> None:
    with pytest.raises(NotANumber) as refused:
        whole(cell, "count")
    assert cell not in str(refused.value)


@pytest.mark.parametrize(("cell", "point"), [("1,23", "."), ("1.23", ","), ("12,3456", "."), ("1234,567", ".")])
def test_what_stands_apart_by_other_than_thousands_is_refused(cell: str, point: str) -> None:
    for unit in ("count", "millionths"):
        with pytest.raises(NotANumber):
            whole(cell, unit, point=point)
    assert whole("12,34,567", "count") == 1234567, "as in India"


@given(st.integers(min_value=0, max_value=10**9), st.sampled_from([",", ".", " ", "\u00a0", "\u202f", "'"]))
def test_thousands_may_be_set_apart_by_any_sign(number: int, sign: str) -> None:
    cell = f"{number:,}".replace(",", sign)
    for language in ("en", "de"):
        assert whole(cell, "count", point=decimal_point([cell], language=language)) == number


@pytest.mark.parametrize("language", languages())
def test_what_a_language_writes_for_a_thousand_and_a_million_is_read_or_refused_and_never_another_number(
    language: str,
) -> None:
    babel = pytest.importorskip("babel.numbers", reason="Babel is of the development lock")
    read = 0
    for number in (2_000, 20_000, 3_000_000, 4_000_000_000):
        cell = babel.format_compact_decimal(number, locale=language, fraction_digits=0)
        try:
            assert whole(cell, "count", point=decimal_point([cell], language=language), language=language) == number
            read += 1
        except NotANumber:
            continue
    assert read >= (0 if language == "hi" else 3), f"{language} reads too few of its own"
