"""Queries. In: a query string's names and values. Out: what they stand for, or a refusal that says what would do.

A value that is not as its schema has it is refused with 400; one that is, and still asks for what cannot be, with 422.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, date, datetime
from typing import Annotated, Any

import msgspec

from footlights.public.web.problems import bad_query, impossible_query

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TEXT_MAX = 64


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A query parameter. example: a value, as an address holds it.

    schema: JSON Schema, of which `enum`, `minimum`, `maximum`, `default`, `format`, lengths, and the number and kinds
    of a list's items are enforced. A list is written with commas.
    """

    name: str
    schema: dict[str, Any]
    about: str
    example: str = ""


class Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A place in a list. at_utc: the moment that the list is of, so that a walk over its pages sees one list."""

    start: Annotated[int, msgspec.Meta(ge=0, le=2**40)]
    at_utc: Annotated[int, msgspec.Meta(ge=0, le=2**40)]


def checked_query(parameters: tuple[Parameter, ...], given: dict[str, str]) -> dict[str, Any]:
    """A query's values by name. Raises Refusal for an unknown name or a value outside its schema."""
    known = {parameter.name for parameter in parameters}
    for name in given:
        if name not in known:
            allowed = f"It takes {', '.join(sorted(known))}." if known else "It takes none."
            raise bad_query(f"There is no parameter of this name here. {allowed}")
    return {
        parameter.name: _checked(parameter.name, parameter.schema, given[parameter.name])
        if parameter.name in given
        else parameter.schema.get("default")
        for parameter in parameters
    }


def _checked(name: str, schema: dict[str, Any], text: str) -> Any:
    if schema["type"] == "integer":
        return _whole(name, schema, text)
    if schema["type"] == "array":
        return _listed(name, schema, text)
    if schema.get("format") == "date":
        return _day(name, text)
    if schema.get("format") == "date-time":
        return _moment(name, text)
    if "enum" in schema and text not in schema["enum"]:
        raise bad_query(f"{name} is one of {', '.join(schema['enum'])}.")
    if not schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", TEXT_MAX):
        raise bad_query(f"{name} has {schema.get('minLength', 0)} to {schema.get('maxLength', TEXT_MAX)} characters.")
    return text


def _whole(name: str, schema: dict[str, Any], text: str) -> int:
    least, most = schema["minimum"], schema["maximum"]
    digits = text.removeprefix("-") if least < 0 else text
    if not (text.isascii() and digits.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise bad_query(f"{name} is a whole number from {least} to {most}.")
    return int(text)


def _listed(name: str, schema: dict[str, Any], text: str) -> tuple[Any, ...]:
    items = text.split(",")
    if len(items) > schema["maxItems"] or len(set(items)) < len(items):
        raise bad_query(f"{name} is a list with commas, of at most {schema['maxItems']}, each once.")
    return tuple(_checked(f"Each of {name}", schema["items"], item) for item in items)


def _day(name: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise bad_query(f"{name} is a day such as 2026-11-01.") from None
    # What else ISO 8601 writes, such as 20261101, is not how this API writes a day.
    if day.isoformat() != text:
        raise bad_query(f"{name} is a day such as 2026-11-01.")
    return day


def _moment(name: str, text: str) -> int:
    """Seconds since 1970, rounded down."""
    try:
        moment = datetime.fromisoformat(text.upper())
        if len(text) < 20 or text[10] not in "Tt" or moment.tzinfo is None:
            raise ValueError
    except ValueError:
        raise bad_query(f"{name} is a moment such as 2026-11-01T12:00:00Z.") from None
    return (moment - _EPOCH) // (_EPOCH.replace(second=1) - _EPOCH)


def encode_cursor(cursor: Cursor) -> str:
    """A place in a list, as text that clients hand back."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def decode_cursor(text: str) -> Cursor:
    """The place that encode_cursor wrote. Raises Refusal."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return msgspec.json.decode(raw, type=Cursor)
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise impossible_query("cursor is not one that this API made: take it from the page before.") from None
