"""A minute's tree: built at once, it is the tree of the plain definition, and a row has one place in it."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footlights.public.board import minutes
from footlights.public.board.minutes import NOTHING, PLACE_BYTES, Bytes

SIZES = (1, 2, 3, 10, 128, 129, 511, 512, 1024, 3000)


def plain(rows: dict[int, bytes], depth: int = 0) -> bytes:
    """The definition: nothing, a leaf that is alone, or a node over what begins with 0 and with 1."""
    if not rows:
        return NOTHING
    if len(rows) == 1:
        return next(iter(rows.values()))
    halves: list[dict[int, bytes]] = [{}, {}]
    for place, leaf in rows.items():
        halves[place >> 127 - depth & 1][place] = leaf
    return sha256(b"\x01" + plain(halves[0], depth + 1) + plain(halves[1], depth + 1)).digest()


def some_rows(count: int, *, alike_bits: int = 0) -> tuple[Bytes, Bytes]:
    """Places that look random, whose first bits are the same, and leaves."""
    places = np.frombuffer(
        b"".join(sha256(b"p%d" % number).digest()[:PLACE_BYTES] for number in range(count)), np.uint8
    )
    places = places.reshape(count, PLACE_BYTES).copy()
    places[:, : alike_bits // 8] = 0xA5
    leaves = np.frombuffer(b"".join(sha256(b"l%d" % number).digest() for number in range(count)), np.uint8)
    return places, leaves.reshape(count, 32)


def by_place(places: Bytes, leaves: Bytes) -> dict[int, bytes]:
    return {int.from_bytes(place.tobytes(), "big"): leaf.tobytes() for place, leaf in zip(places, leaves, strict=True)}


@pytest.mark.parametrize("alike_bits", [0, 72])
@pytest.mark.parametrize("count", SIZES)
def test_the_root_is_that_of_the_definition(count: int, alike_bits: int) -> None:
    places, leaves = some_rows(count, alike_bits=alike_bits)
    assert minutes.build(places, leaves).root == plain(by_place(places, leaves))


@pytest.mark.parametrize("count", SIZES)
def test_every_row_is_proved_at_its_place_and_nothing_else_is(count: int) -> None:
    places, leaves = some_rows(count)
    minute = minutes.build(places, leaves)
    for number in range(0, count, max(1, count // 40)):
        place, leaf = places[number].tobytes(), leaves[number].tobytes()
        part = minute.parts[minutes.part_of(place, minute.bits)]
        path = minutes.path_in(part, place, bits=minute.bits, top=minute.top)
        assert path is not None
        assert minutes.root_at(leaf, place, path) == minute.root
        assert minutes.root_at(sha256(leaf).digest(), place, path) != minute.root
        if path:
            other = bytes([place[0] ^ 0x80]) + place[1:]
            assert minutes.root_at(leaf, other, path) != minute.root


def test_a_place_without_a_row_has_no_proof() -> None:
    places, leaves = some_rows(600)
    minute = minutes.build(places, leaves)
    place = b"\x00" * PLACE_BYTES
    part = minute.parts[minutes.part_of(place, minute.bits)]
    assert minutes.path_in(part, place, bits=minute.bits, top=minute.top) is None


@pytest.mark.parametrize("count", [10, 200, 3000])
def test_two_rows_of_one_place_cannot_be_in_one_minute(count: int) -> None:
    places, leaves = some_rows(count)
    places[7] = places[9]
    with pytest.raises(AssertionError):
        minutes.build(places, leaves)


@given(st.integers(2, 200), st.data())
def test_no_path_leads_from_another_leaf_to_the_same_root(count: int, data: st.DataObject) -> None:
    """Uniqueness, tried: paths cut, lengthened and bent never prove a second value at the place of a first."""
    places, leaves = some_rows(count)
    minute = minutes.build(places, leaves)
    number = data.draw(st.integers(0, count - 1))
    place = places[number].tobytes()
    path = minutes.path_in(minute.parts[minutes.part_of(place, minute.bits)], place, bits=minute.bits, top=minute.top)
    assert path is not None
    cut = data.draw(st.integers(0, len(path)))
    more = data.draw(st.lists(st.binary(min_size=32, max_size=32), max_size=3))
    other = data.draw(st.binary(min_size=32, max_size=32))
    assert minutes.root_at(other, place, path[:cut] + more) != minute.root or other == leaves[number].tobytes()
