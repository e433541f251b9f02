"""Templating. In: the assets and the languages that are offered. Out: templates that speak one of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import jinja2

import footlights
from footlights.public.languages import Language, Languages
from footlights.public.web import drawing, exports, pages
from footlights.public.web.formats import Formats, capitalize_first, coded, host
from footlights.public.web.scripts import words_of_scripts
from footlights.public.web.static import Assets
from footlights.public.web.telling import Telling


class Templates:
    """The pages' templates in every language that is offered. values: what all of them may use, by name."""

    def __init__(self, assets: Assets, languages: Languages, **values: Any) -> None:
        self.languages = languages
        self._made = {
            each.code: environment_of(each, asset=assets.url, languages=languages.offered, **values)
            for each in languages.offered
        }

    def compile(self) -> None:
        """Read every template now, so that nobody who looks at a page waits for it: 0.6 s a language."""
        for environment in self._made.values():
            for name in environment.list_templates():
                environment.get_template(name)

    def render(self, name: str, language: Language, values: dict[str, Any]) -> str:
        """A page as text."""
        return self._made[language.code].get_template(name).render(values)


class _Compiled(jinja2.BytecodeCache):
    """What templates compile to in one language, kept in memory: Jinja works out filters of constants while it does."""

    def __init__(self) -> None:
        self._codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Give a template its code; Jinja compiles it where there is none, or where the file is another by now."""
        if bucket.key in self._codes:
            bucket.bytecode_from_string(self._codes[bucket.key])

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Keep a template's code."""
        self._codes[bucket.key] = bucket.bytecode_to_string()


@cache
def _compiled(language: str) -> _Compiled:
    return _Compiled()


def environment_of(language: Language, **values: Any) -> jinja2.Environment:
    """Templates that speak one language."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("footlights.public.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        bytecode_cache=_compiled(language.code),
    )
    _speak(environment, language)
    environment.filters.update(filters_of(Formats(language)))
    environment.filters.update(Telling(language).filters())
    environment.globals.update(
        beam=drawing.beam, swing=drawing.swing, spark=drawing.spark, scale_of=drawing.scale_of,
        busiest=pages.busiest, cards=pages.CARDS,
        channel_cards=pages.CHANNEL_CARDS, sorts=pages.SORTS, exact_names=pages.EXACT_NAMES,
        has_parquet=exports.HAS_PARQUET, ratios=pages.RATIOS, periods=pages.PERIODS_DAYS,
        version=footlights.__version__, script_words=words_of_scripts(language), **values,
    )  # fmt: skip
    return environment


@cache
def letters_of(room: str, language: Language) -> jinja2.Environment:
    """The letters of a room, a package with a folder of templates, in one language; `letter.html` frames them."""
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(room), jinja2.PackageLoader("footlights.public.web")]),
        autoescape=jinja2.select_autoescape(["html"]), undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, extensions=["jinja2.ext.i18n"],
    )  # fmt: skip
    _speak(environment, language)
    return environment


def _speak(environment: jinja2.Environment, language: Language) -> None:
    """Let templates with jinja2.ext.i18n say their sentences in a language."""
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        language.gettext, language.ngettext, newstyle=True
    )  # fmt: skip
    environment.globals["language"] = language


def filters_of(formats: Formats) -> dict[str, Callable[..., Any]]:
    """How templates write figures, moments and sizes."""
    return {
        "age": formats.age, "amount": formats.amount, "capitalize_first": capitalize_first, "cell": formats.cell,
        "coded": coded, "column": formats.column, "country": formats.country, "day": formats.day,
        "day_before": formats.day_before, "decimal": formats.decimal, "duration": formats.duration,
        "epoch": formats.epoch, "gained": formats.gained, "host": host, "hour_of_week": formats.hour_of_week,
        "kept": formats.kept, "minute": formats.minute, "month": formats.month, "note": formats.note,
        "number": formats.number, "power": formats.power, "signed": formats.signed, "size": formats.size,
        "span": formats.span, "title_of": formats.title, "translated": formats.language.translated,
        "unit_of": formats.unit, "weekday": formats.weekday, "words": formats.words,
    }  # fmt: skip
