"""Texts: what lies end to end is the texts that were given, whatever is in them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footlights.private.vault.texts import Texts, sizes

columns = st.lists(st.text(max_size=4) | st.sampled_from(["", "\0", "é" * 200, "x" * 256, "🎭" * 70]), max_size=6)


@given(columns)
def test_texts_are_those_that_were_given(told: list[str]) -> None:
    texts = Texts.of(told)
    assert texts.each() == told and len(texts) == len(told)
    assert texts.lengths.tolist() == [len(text.encode()) for text in told]
    assert texts.characters().tolist() == [len(text) for text in told]
    assert Texts.of(texts) is texts


@given(st.lists(columns, min_size=1, max_size=4))
def test_columns_together_are_one_after_the_other(parts: list[list[str]]) -> None:
    together = Texts.together([Texts.of(part) for part in parts])
    assert together.each() == [text for part in parts for text in part]


@given(columns, st.data())
def test_some_of_the_texts_are_those_at_their_places(told: list[str], data: st.DataObject) -> None:
    rows = sorted(data.draw(st.sets(st.integers(0, len(told) - 1)))) if told else []
    some = Texts.of(told).at(np.array(rows, dtype=np.intp))
    assert some.each() == [told[row] for row in rows]


def test_a_column_of_nothing_has_rows() -> None:
    assert Texts.none(3).each() == ["", "", ""] and not Texts.none(3).joined


def test_a_size_has_four_bytes() -> None:
    assert sizes(["x" * 256, ""]) == b"\0\1\0\0\0\0\0\0"


@pytest.mark.parametrize("odd", [None, 5, b"ann"])
def test_what_is_no_text_is_refused(odd: object) -> None:
    with pytest.raises(TypeError):
        Texts.of(["ann", odd])  # type: ignore[list-item]


def test_no_text_can_be_printed() -> None:
    assert repr(Texts.of(["ann"])) == "<texts, withheld>"
