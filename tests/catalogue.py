"""The sentences that pages and letters say, as their sources have them; and `python -m tests.catalogue`, which brings
each catalogue up to date: new sentences are added without a translation, those that nobody says any more are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

SOURCES = Path(__file__).parents[1] / "src" / "footlights"
CATALOGUES = SOURCES / "public" / "languages" / "catalogues"
ROOMS = ("public", "digest", "alerts", "terms")
#: What a sentence stands in: a mark, a language that says it, an error that a page may show.
PYTHON: dict[str, Any] = {
    "N_": None, "say": None, "_say": None, "say_many": (1, 2), "NotAllowed": None, "bad_form": None, "bad_query": None,
    "impossible_query": None,
    "note": None, "Unreadable": None,
}  # fmt: skip
TEMPLATES: dict[str, Any] = {"_": None, "gettext": None, "ngettext": (1, 2)}
_JINJA = {"newstyle_gettext": "true", "trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true"}
_WAYS = {
    ".py": ("python", PYTHON, {}),
    ".html": (
        "jinja2.ext:babel_extract",
        TEMPLATES,
        _JINJA,
    ),
    ".txt": ("jinja2.ext:babel_extract", TEMPLATES, _JINJA),
}


def sentences() -> Iterator[tuple[Path, str | tuple[str, str]]]:
    """Every sentence and the file that says it; one about a number of things as a pair."""
    for room in ROOMS:
        for path in sorted((SOURCES / room).rglob("*")):
            if path.suffix in _WAYS and path.parent.name != "assets":
                method, keywords, options = _WAYS[path.suffix]
                found = extract(method, BytesIO(path.read_bytes()), keywords, (), options)
                for _, message, __, ___ in found:
                    yield path, message if isinstance(message, str) else (message[0], message[1])


def catalogue(code: str) -> Catalog:
    """A catalogue as it is checked in."""
    path = CATALOGUES / f"{code}.po"
    return read_po(BytesIO(path.read_bytes()), locale=code) if path.exists() else Catalog(locale=code)


def renew(code: str) -> int:
    """Bring a catalogue up to date. Returns how many sentences have no translation."""
    old, new = catalogue(code), Catalog(locale=code, project="Footlights", fuzzy=False)
    for path, message in sentences():
        known = old.get(message[0] if isinstance(message, tuple) else message)
        translated = known.string if known is not None and known.id == message else None
        new.add(message, translated, locations=[(path.relative_to(SOURCES).as_posix(), 0)])
    written = BytesIO()
    write_po(written, new, width=120, sort_output=False, omit_header=True, include_lineno=False)
    (CATALOGUES / f"{code}.po").write_bytes(_HEADER + written.getvalue())
    return sum(not all(strings_of(message.string)) for message in new if message.id)


_HEADER = b"""msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""


def strings_of(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """A sentence or its translation, as one or, about a number of things, as many."""
    return (text or "",) if text is None or isinstance(text, str) else tuple(text)


if __name__ == "__main__":
    for kept in sorted(CATALOGUES.glob("*.po")):
        print(f"{kept.name}: {renew(kept.stem)} sentences without a translation")
