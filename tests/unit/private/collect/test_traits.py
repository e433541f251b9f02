"""Traits: what platforms write for age, gender, country and source, and 0 for whatever is in no domain."""

from __future__ import annotations

from typing import Any

import pytest

from footlights.private.collect.traits import Traits, read_age, read_country, read_gender, read_source, read_traits
from footlights.terms.domains import AGES, COUNTRIES, GENDERS, SOURCES

NOV_23_2026 = 1_795_414_200_000


@pytest.mark.parametrize(
    ("given", "bracket"),
    [
        (13, "13-17"), (17, "13-17"), (18, "18-24"), ("34", "25-34"), (65, "65+"), (120, "65+"), ("25-34", "25-34"),
        ("65+", "65+"), (24.9, "18-24"),
        (12, "unknown"), (121, "unknown"), (-1, "unknown"), (None, "unknown"), (True, "unknown"), ("old", "unknown"),
        ("99999999999999999999", "unknown"), (float("inf"), "unknown"), ([20], "unknown"), ("²", "unknown"),
    ],
)  # fmt: skip
def test_an_age_is_a_number_a_text_or_a_bracket(given: Any, bracket: str) -> None:
    assert AGES[read_age(given)] == bracket


@pytest.mark.parametrize(
    ("given", "gender"),
    [("female", "female"), ("F", "female"), ("Man", "male"), ("nonbinary", "other"), ("x", "unknown"), (1, "unknown")],
)
def test_a_gender_is_the_domains_word_or_a_usual_one(given: Any, gender: str) -> None:
    assert GENDERS[read_gender(given)] == gender


@pytest.mark.parametrize(
    ("given", "country"), [("VN", "VN"), ("vn", "VN"), ("XX", "unknown"), ("Germany", "unknown"), ({}, "unknown")]
)
def test_a_country_is_its_code_in_either_case(given: Any, country: str) -> None:
    assert COUNTRIES[read_country(given)] == country


@pytest.mark.parametrize(
    ("given", "source"),
    [("for_you", "for_you"), ("For You", "for_you"), ("FYP", "for_you"), ("search", "search"), ("?", "unknown"),
     ({"name": "search"}, "unknown"), ("x" * 100, "unknown")],
)  # fmt: skip
def test_a_source_is_the_domains_word_in_any_case(given: Any, source: str) -> None:
    assert SOURCES[read_source(given)] == source


@pytest.mark.parametrize(
    ("birthday", "bracket"),
    [("2008-11-23", "18-24"), ("2008-11-24", "13-17"), ("1950-01-01T00:00:00Z", "65+"), ("soon", "unknown"),
     ("2030-01-01", "unknown")],
)  # fmt: skip
def test_a_birthday_gives_the_age_on_the_day_of_the_event(birthday: str, bracket: str) -> None:
    assert AGES[read_traits(Traits(birthday=birthday), NOV_23_2026)[0]] == bracket


def test_a_country_may_stand_in_the_address() -> None:
    assert COUNTRIES[read_traits(Traits(address={"country": "de"}), NOV_23_2026)[2]] == "DE"
    assert read_traits(Traits(address="Main Street"), NOV_23_2026) == (0, 0, 0)
