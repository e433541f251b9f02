"""Callers: what a request's table of headers says is what Starlette would find by going through them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from footlights.private.collect.callers import Heard

NAMES = ["origin", "sec-gpc", "footlights-viewer", "x"]
headers = st.lists(
    st.tuples(st.sampled_from([name.encode() for name in NAMES]), st.binary(max_size=4)), max_size=5
)  # fmt: skip


def scope(told: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {"type": "http", "headers": told}


@given(headers)
def test_a_header_is_the_first_of_its_name_in_any_case(told: list[tuple[bytes, bytes]]) -> None:
    heard, careful = Heard(scope(told)).headers, Request(scope(told)).headers
    for name in [*NAMES, "Origin", "absent"]:
        assert heard.get(name) == careful.get(name) and heard.get(name, "") == careful.get(name, "")
        assert (name in heard) is (name in careful)
        if name in careful:
            assert heard[name] == careful[name]
    assert dict(heard) == dict(careful) and heard.getlist("x") == careful.getlist("x")


def test_a_header_that_is_not_there_is_none() -> None:
    with pytest.raises(KeyError):
        Heard(scope([])).headers["origin"]
