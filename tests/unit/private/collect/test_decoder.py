"""Decoder: whatever the bytes are, they are JSON as expected or BadJson."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footlights.private.collect.decoder import BadJson, Decoder

DEEP = b"[" * 100_000 + b"]" * 100_000


class Named(msgspec.Struct):
    name: str = ""


@pytest.mark.parametrize("expected", [Named, dict[str, Any], list[msgspec.Raw], msgspec.Raw])
@pytest.mark.parametrize("text", [b"", b"{", b'{"name":"\xff"', b'{"a":' + DEEP, DEEP[:100_000], b"\x1f\x8b\x08"])
def test_bytes_that_are_no_json_raise_one_error(text: bytes, expected: Any) -> None:
    with pytest.raises(BadJson) as raised:
        Decoder(expected).decode(text)
    assert (str(raised.value), raised.value.__cause__, raised.value.__suppress_context__) == ("", None, True)


@pytest.mark.parametrize("text", [b'{"name":5}', b'{"name":"\xff"}', b'{"a":' + DEEP + b"}"])
def test_json_of_another_shape_and_depth_raises_the_same(text: bytes) -> None:
    for decode in (Decoder(Named).decode, Decoder(Named).decode_lines):
        with pytest.raises(BadJson):
            decode(text)


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    for decode in (Decoder(Named).decode, Decoder(Named).decode_lines):
        try:
            decode(text)
        except BadJson:
            continue


def test_what_is_expected_is_decoded() -> None:
    assert Decoder(Named).decode(b'{"name":"a","other":[1]}').name == "a"
    assert [named.name for named in Decoder(Named).decode_lines(b'{"name":"a"}\n{}')] == ["a", ""]
