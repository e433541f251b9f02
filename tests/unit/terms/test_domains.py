"""Domains are public lists; their order is the board's format."""

from __future__ import annotations

import pytest

from footlights.terms.domains import (
    AGE_INDEX,
    AGES,
    COUNTRIES,
    COUNTRY_INDEX,
    GENDER_INDEX,
    GENDERS,
    SOURCE_INDEX,
    SOURCES,
    TYPES,
    UNKNOWN,
    age_bracket,
)


@pytest.mark.parametrize("domain", [AGES, GENDERS, COUNTRIES, SOURCES], ids=["ages", "genders", "countries", "sources"])
def test_unknown_is_the_first_cell_so_that_a_zero_byte_means_it(domain: tuple[str, ...]) -> None:
    assert domain[0] == UNKNOWN


@pytest.mark.parametrize(
    "domain", [AGES, GENDERS, TYPES, COUNTRIES, SOURCES], ids=["ages", "genders", "types", "countries", "sources"]
)
def test_no_cell_is_listed_twice(domain: tuple[str, ...]) -> None:
    assert len(set(domain)) == len(domain)


def test_the_countries_are_the_249_codes_of_iso_3166_in_order() -> None:
    codes = COUNTRIES[1:]
    assert len(codes) == 249
    assert all(len(code) == 2 and code.isascii() and code.isupper() for code in codes)
    assert [code for code in codes if code[0] != "A"] == sorted(code for code in codes if code[0] != "A")
    assert {"AX", "BQ", "CW", "GB", "SS", "SX", "TW", "XK"} - set(codes) == {"XK"}


def test_the_order_of_short_domains_has_not_changed_since_the_first_board() -> None:
    assert AGES == ("unknown", "13-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65+")
    assert GENDERS == ("unknown", "female", "male", "other")
    assert TYPES == ("not_follower", "follower")
    assert SOURCES[:4] == ("unknown", "for_you", "following", "profile")


@pytest.mark.parametrize(
    ("domain", "index"),
    [(AGES, AGE_INDEX), (GENDERS, GENDER_INDEX), (COUNTRIES, COUNTRY_INDEX), (SOURCES, SOURCE_INDEX)],
    ids=["ages", "genders", "countries", "sources"],
)
def test_an_index_leads_back_to_its_cell(domain: tuple[str, ...], index: dict[str, int]) -> None:
    assert [domain[index[name]] for name in domain] == list(domain)


@pytest.mark.parametrize(
    ("years", "bracket"),
    [
        (13, "13-17"),
        (17, "13-17"),
        (18, "18-24"),
        (34, "25-34"),
        (44, "35-44"),
        (64, "55-64"),
        (65, "65+"),
        (120, "65+"),
    ],
)
def test_an_age_falls_in_the_bracket_that_names_it(years: int, bracket: str) -> None:
    assert age_bracket(years) == bracket


@pytest.mark.parametrize("years", [-1, 0, 12, 121, 10_000])
def test_an_age_that_nobody_should_have_is_unknown(years: int) -> None:
    assert age_bracket(years) == UNKNOWN
