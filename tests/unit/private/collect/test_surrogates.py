"""Surrogates: halves are replaced, and nothing else is touched."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footlights.private.collect.decoder import BadJson, Decoder
from footlights.private.collect.surrogates import decode, without_halves

any_json = Decoder(dict[str, Any])
#: Any text, halves of characters among it.
texts = st.text(alphabet=st.characters(exclude_categories=()), max_size=12)


@given(st.dictionaries(texts, texts, max_size=4))
def test_a_text_with_halves_is_read_as_others_read_it(given: dict[str, str]) -> None:
    raw = json.dumps(given).encode()
    read = decode(any_json, raw)
    python = json.loads(without_halves(raw))
    assert read == python
    whole = {_whole(key): _whole(value) for key, value in given.items()}
    assert read == whole


@given(st.text(alphabet='\\ud8D3c0"aU', max_size=40).map(str.encode))
def test_replacing_keeps_the_length_and_is_done_at_once(text: bytes) -> None:
    once = without_halves(text)
    assert len(once) == len(text) and without_halves(once) == once


@pytest.mark.parametrize(
    "text",
    [rb'"\\ud800"', rb'"\ud83d\ude00"', rb'"\uD83D\uDE00"', rb'"\u00e9"', rb'"\"\ude"', rb'"plain"', rb'"\\\\ud8001"'],
)
def test_what_is_no_half_stays(text: bytes) -> None:
    assert without_halves(text) == text


def test_json_that_is_broken_otherwise_is_refused_as_ever() -> None:
    for text in (b"{", rb'{"a":"\ud800"', b'{"a":"\xff"}', rb'{"a":"\u12"}'):
        with pytest.raises(BadJson):
            decode(any_json, text)


def _whole(text: str) -> str:
    """A text as JavaScript's own encoder would send it: pairs joined, halves replaced."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
