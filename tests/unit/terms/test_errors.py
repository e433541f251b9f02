"""One tree of errors, none of which carries a private value."""

from __future__ import annotations

import inspect

import pytest

from footlights.terms import errors
from footlights.terms.errors import BadEvent, BadRequest, FootlightsError

ERRORS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_is_a_footlights_error_and_says_what_it_means(kind: type[Exception]) -> None:
    assert issubclass(kind, FootlightsError)
    assert kind.__doc__


def test_a_bad_event_names_its_field_and_the_rule() -> None:
    error = BadEvent(field="position", rule="number >= 0")
    assert str(error) == "position: number >= 0"
    assert (error.field, error.rule) == ("position", "number >= 0")


def test_a_bad_request_has_a_code_for_machines_and_a_status() -> None:
    error = BadRequest("too_large", "The body is larger than 524288 bytes.", status=413)
    assert (error.code, error.status, str(error)) == ("too_large", 413, "The body is larger than 524288 bytes.")
    assert BadRequest("bad_json", "The body is not JSON.").status == 400
