from __future__ import annotations

from typing import Any

import pytest

from footlights.public.web.api import ENDPOINTS
from footlights.public.web.problems import Refusal
from footlights.public.web.queries import Parameter, checked_query

DAY = Parameter(name="day", schema={"type": "string", "format": "date"}, about="")
MOMENT = Parameter(name="moment", schema={"type": "string", "format": "date-time"}, about="")
COUNT = Parameter(name="count", schema={"type": "integer", "minimum": 1, "maximum": 9, "default": 4}, about="")
LIST = Parameter(
    name="list",
    schema={"type": "array", "maxItems": 2, "items": {"type": "string", "minLength": 1, "maxLength": 3}},
    about="",
)
ALL = (DAY, MOMENT, COUNT, LIST)


def test_what_is_not_given_has_its_default() -> None:
    assert checked_query(ALL, {}) == {"day": None, "moment": None, "count": 4, "list": None}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("count", "9", 9),
        ("list", "a,b", ("a", "b")),
        ("moment", "1970-01-01T00:01:00Z", 60),
        ("moment", "1970-01-01t01:01:00+01:00", 60),
        ("moment", "1970-01-01T00:01:00.9z", 60),
        ("moment", "0001-01-01T00:00:00+23:59", -62_135_683_140),
    ],
)
def test_a_value_stands_for_what_its_schema_says(name: str, text: str, value: Any) -> None:
    assert checked_query(ALL, {name: text})[name] == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("other", "1"),
        *(("count", text) for text in ("", "0", "10", "-1", "1.0", "\u0661", "1" * 12)),
        *(("list", text) for text in ("", "a,", "a,a", "a,b,c", "abcd")),
        *(("day", text) for text in ("2026-1-1", "20260101", "2026-02-30", "2026-01-01T00:00:00Z")),
        *(("moment", text) for text in ("2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "now")),
    ],
)
def test_what_is_not_as_the_schema_has_it_is_refused_with_400(name: str, text: str) -> None:
    with pytest.raises(Refusal) as refused:
        checked_query(ALL, {name: text})
    assert refused.value.problem.status == 400


def test_every_example_of_a_parameter_is_one_that_is_taken() -> None:
    for endpoint in ENDPOINTS:
        told = {parameter.name: parameter.example for parameter in endpoint.parameters if parameter.example}
        assert set(checked_query(endpoint.parameters, told)) == {parameter.name for parameter in endpoint.parameters}
