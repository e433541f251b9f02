from __future__ import annotations

import tomllib
from importlib import resources

import pytest

from footlights.public.histories.measures import MEASURES
from footlights.public.histories.words import Meaning, heard, languages, plain, word
from footlights.terms.metrics import ALL

TEXT = resources.files("footlights.public.histories").joinpath("headers.toml").read_text("utf-8")


def test_no_language_has_one_word_for_two_meanings() -> None:
    taken: dict[tuple[str, str, str], str] = {}
    for kind, names in tomllib.loads(TEXT).items():
        for name, spoken in names.items():
            for language, phrases in spoken.items():
                for phrase in phrases:
                    place = ("word" if kind == "word" else "column", language, plain(phrase))
                    assert taken.setdefault(place, name) == name, f"{phrase} ({language}) is {taken[place]} and {name}"


def test_every_measure_in_the_vocabulary_is_one_that_is_kept_and_every_one_that_is_kept_is_a_metric() -> None:
    named = set(tomllib.loads(TEXT)["measure"]) - {"share"}
    assert named <= set(MEASURES)
    assert set(MEASURES) <= set(ALL)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Video Views", "view_count"), ("\ufeffDate", "date"), ("Watch time (hours)", "total_time_watched"),
        ("Impressions click-through rate (%)", "impressions_click_through_rate"),
        ("Wiedergabezeit (Stunden)", "total_time_watched"),
        ("Veröffentlichungs\u00adzeitpunkt des Videos", "posted"), ("総再生時間（単位: 時間）", "total_time_watched"),
        ("Durée de visionnage (heures)", "total_time_watched"),
        ("Tiempo de visualización (horas)", "total_time_watched"),
        ("Tempo de exibição (horas)", "total_time_watched"), ("Aufrufe", "view_count"), ("視聴回数", "view_count"),
        ("Taux de clics par impression (%)", "impressions_click_through_rate"), ("조회수", "view_count"),
        ("J’aime", "like_count"), ("LIKES", "like_count"), ("Lượt xem video", "view_count"),
    ],
)  # fmt: skip
def test_a_header_is_heard_in_any_language_and_writing(header: str, name: str) -> None:
    assert name in {meaning.name for meaning in heard(header).meanings}


def test_a_header_that_only_contains_a_known_word_is_not_taken_for_it() -> None:
    assert heard("YouTube Premium views").meanings == {}
    assert heard("Views from somewhere").meanings == {}


def test_what_stands_in_parentheses_is_a_note() -> None:
    assert heard("Estimated revenue (USD)").notes == ("usd",)
    assert heard("Views (%)").notes == ("%",)
    assert Meaning("measure", "view_count") in heard("Views (%)").meanings


@pytest.mark.parametrize(
    ("cell", "name"), [("Total", "total"), ("Gesamt", "total"), ("合計", "total"), ("Others", "others")]
)
def test_the_word_for_total_is_known(cell: str, name: str) -> None:
    assert word(cell) == name


def test_english_is_first_among_the_languages() -> None:
    assert languages()[0] == "en" and len(languages()) >= 16
