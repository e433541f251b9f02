"""Templates are compiled once a process and language, and say all in the language in which they are shown."""

from __future__ import annotations

import jinja2
import pytest

from footlights.public.languages import Languages
from footlights.public.web.static import Assets
from footlights.public.web.templating import Templates, environment_of


@pytest.fixture(scope="module")
def languages() -> Languages:
    return Languages("en de")


def test_what_one_language_compiled_says_the_other_s_words_and_numbers(languages: Languages) -> None:
    said = {}
    for language in languages.offered:
        environment = environment_of(language)
        environment.loader = jinja2.DictLoader({"said.html": "{{ 1234567|number }} {{ _('Videos') }}"})
        said[language.code] = environment.get_template("said.html").render()
    assert said == {"en": "1,234,567 Videos", "de": "1.234.567 Videos"}


def test_every_template_compiles_before_anybody_asks_for_a_page(languages: Languages) -> None:
    Templates(Assets(), languages, collector="", honour_gpc=True, honour_dnt=True).compile()
