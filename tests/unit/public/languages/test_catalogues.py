from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import Environment

from footlights.public.languages import Languages, accepted, language
from footlights.public.languages.language import LANGUAGES
from footlights.public.web.scripts import WORDS
from footlights.terms.errors import BadSetting
from tests.catalogue import SOURCES, catalogue, sentences, strings_of

CODES = [code for code in LANGUAGES if code != "en"]
_VALUES = re.compile(r"%\(\w+\)[sd]|%%|<[^>]+>")
#: What is the same in every language: names, units, commands, signs.
_SAME = re.compile(
    r"Footlights|/api/v1/privacy|hx-[a-z]+=\"[^\"]*\"|UTC|CSV|Parquet|PNG|rho|epsilon|footlights [^<]*|https?://\S+|&\w+;|[^A-Za-z]+|\b[A-Za-z]\b|true|none"
)
SCRIPTS = SOURCES / "public" / "web" / "assets" / "js"
TEMPLATES = [
    path for room in ("public", "digest", "alerts") for path in sorted((SOURCES / room).rglob("templates/*"))
]  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_every_sentence_has_its_translation_and_none_is_left_over(code: str) -> None:
    said = {message if isinstance(message, str) else message[0] for _, message in sentences()}
    kept = {entry.id if isinstance(entry.id, str) else entry.id[0] for entry in catalogue(code) if entry.id}
    assert said == kept, "python -m tests.catalogue brings the catalogues up to date"
    for entry in catalogue(code):
        assert not entry.id or all(strings_of(entry.string)), f"{entry.id} has no translation"


def test_apostrophes_are_written_in_one_way() -> None:
    said = [message if isinstance(message, str) else message[0] for _, message in sentences()]
    assert [text for text in said if "\u2019" in text] == []


@pytest.mark.parametrize("code", CODES)
def test_a_translation_has_the_values_and_tags_of_its_sentence(code: str) -> None:
    for entry in (entry for entry in catalogue(code) if entry.id):
        for one, other in zip(strings_of(entry.id), strings_of(entry.string), strict=True):
            assert sorted(_VALUES.findall(one)) == sorted(_VALUES.findall(other)), entry.id


def _escaped(path: Path) -> list[str]:
    """The words of a template that no catalogue has."""
    environment = Environment(extensions=["jinja2.ext.i18n"])
    source = re.sub(r"{% trans.*?{% endtrans %}", "", path.read_text("utf-8"), flags=re.S)
    source = re.sub(r"{#.*?#}|<(script|style|svg)\b.*?</\1>", "", source, flags=re.S)
    source = re.sub(r"<time[^>]*>", "", source)
    environment.parse(source)
    found = re.findall(r'\b(?:aria-label|placeholder|title|alt)="([^"{]+)"', source)
    text = re.sub(r"{[{%].*?[}%]}", " ", source, flags=re.S)
    found += re.sub(r"<[^>]*>", "\n", text).split("\n")
    return [words.strip() for words in found if _SAME.sub("", words)]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_words_of_a_template_escape_the_catalogue(path: Path) -> None:
    assert _escaped(path) == []


def test_words_that_escape_are_found(tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text(
        '<p title="Forgotten">{% trans %}kept{% endtrans %} and lost</p>{{ x }}', "utf-8"
    )
    assert _escaped(tmp_path / "bad.html") == ["Forgotten", "and lost"]


def test_what_scripts_say_is_what_pages_carry_for_them() -> None:
    said = {text for path in SCRIPTS.glob("*.js") for text in re.findall(r'\bsay\("([^"]+)"', path.read_text("utf-8"))}
    assert said == set(WORDS)


def test_a_language_writes_numbers_and_days_as_unicode_has_it() -> None:
    from datetime import date

    from babel.numbers import format_decimal

    for code, (_, cldr) in LANGUAGES.items():
        each = language(code)
        for number in (0, 7, 1234, 1_234_567):
            assert each.number(number) == format_decimal(number, locale=cldr)
        assert each.decimal(1234.5, 1) == format_decimal(1234.5, locale=cldr)
    assert language("de").day(date(2026, 11, 1)) == "1. Nov. 2026"
    assert language("de").number(-1234) == "\u22121.234"
    assert language("de").days(date(2026, 10, 26), date(2026, 11, 1)) == "26. Oktober bis 1. November 2026"


def test_a_number_of_things_has_the_plural_of_the_language() -> None:
    one, many = (language("de").say_many("%(num)s message waits.", "%(num)s messages wait.", n) for n in (1, 1200))
    assert (one, many) == ("1 Nachricht wartet.", "1.200 Nachrichten warten.")


@pytest.mark.parametrize(
    ("chosen", "accept", "code"),
    [("", "", "en"), ("de", "en", "de"), ("", "de-AT,de;q=0.9,en;q=0.8", "de"), ("xx", "fr, de;q=0.1", "de"),
     ("", "fr", "en"), ("", "de;q=0, en", "en"), ("", "*", "en"), ("en-XB", "", "en"), ("", "de;q=x", "en"),
     ("", "," * 5000 + "de", "en")],
)  # fmt: skip
def test_the_choice_counts_first_and_then_what_the_browser_likes_best(chosen: str, accept: str, code: str) -> None:
    assert Languages("en de").of(chosen=chosen, accept=accept).code == code


def test_accept_language_is_read_by_weight_then_place() -> None:
    assert accepted("en;q=0.5, de, fr;q=0.9, it") == ["de", "it", "fr", "en"]


def test_a_language_that_there_is_none_of_is_said_to_the_operator() -> None:
    for codes in ("", "en tlh"):
        with pytest.raises(BadSetting):
            Languages(codes)


def test_mirrored_english_runs_from_the_right_and_keeps_values_and_tags() -> None:
    mirror = language("en-XB")
    assert mirror.direction == "rtl"
    assert mirror.gettext("<b>Half</b> of %(n)s") == "<b>\u202eHalf\u202c</b>\u202e of \u202c\u2068%(n)s\u2069"
