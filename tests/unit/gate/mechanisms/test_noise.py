from __future__ import annotations

import struct
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footlights.gate.mechanisms.noise import CHUNK, LANES, KeyedNoise
from footlights.gate.mechanisms.sampler import Sampler

KEY = bytes(range(32))
SAMPLER = Sampler(Fraction(10**12))
SUBJECTS = np.arange(-50, 50, dtype=np.int64)
NODES = np.zeros(100, dtype=np.int64)

#: What this key drew for (subject, node) of lanes 3 and 4 when the construction was fixed: VERSION of gate/plan.py.
STORED_AT = ([-(2**63), -1, 0, 1, 7919, 2**63 - 1], [0, 1, 2835, 2**32 - 1, 5, 6])
STORED = {
    Fraction(9): [[0, 1], [-1, -5], [1, 3], [1, -2], [2, -4], [-2, 2]],
    Fraction(900): [[-2, 5], [-11, -46], [8, 34], [12, -18], [15, -40], [-22, 24]],
    Fraction(12_345_678, 7): [[-139, 264], [-501, -2022], [377, 1502], [563, -831], [724, -1678], [-932, 1002]],
    Fraction(2470**2): [[-348, 325], [-783, -3577], [705, 2772], [901, -1387], [1189, -3312], [-1651, 1828]],
    Fraction(1_400_000**2): [
        [-66758, 269485], [-489228, -2169581], [391413, 1585130],
        [565320, -868864], [725071, -1879381], [-1067655, 1110165],
    ],
}  # fmt: skip


def _drawn(key: bytes = KEY, family: str = "counters", *, nodes: int = 0, first_lane: int = 0) -> list[int]:
    noise = KeyedNoise(key, family=family)
    values = noise.draw([SAMPLER], subjects=SUBJECTS, nodes=NODES + nodes, first_lane=first_lane).values
    return [int(value) for value in values[:, 0]]


class Reader:
    """Stands for the cipher: keeps the addresses that it is asked to encrypt, and gives them back as they are."""

    def __init__(self) -> None:
        self.addresses: list[bytes] = []

    def update_into(self, data: Any, into: bytearray) -> None:
        raw = into[: len(data)] = bytes(data)
        self.addresses += [raw[at : at + 16] for at in range(0, len(raw), 16)]


def addresses_of(sampler: Sampler, *, subjects: list[int], nodes: list[int], lanes: range) -> list[bytes]:
    noise, reader = KeyedNoise(KEY, family="counters"), Reader()
    noise._encrypt = reader  # type: ignore[assignment]
    noise.draw_cells(
        sampler, subjects=np.array(subjects, dtype=np.int64), nodes=np.array(nodes, dtype=np.int64), lanes=lanes
    )
    return reader.addresses


def test_asking_again_draws_the_same_noise() -> None:
    assert _drawn() == _drawn()


def test_another_key_family_node_or_number_draws_other_noise() -> None:
    one = _drawn()
    for other in (_drawn(bytes(32)), _drawn(family="audience"), _drawn(nodes=1), _drawn(first_lane=1)):
        assert not set(one) & set(other)


@pytest.mark.parametrize("variance", STORED)
def test_noise_is_what_it_was_when_the_construction_was_fixed(variance: Fraction) -> None:
    subjects, nodes = (np.array(part, dtype=np.int64) for part in STORED_AT)
    sampler = Sampler(variance)
    drawn = KeyedNoise(KEY, family="counters").draw([sampler, sampler], subjects=subjects, nodes=nodes, first_lane=3)
    assert drawn.values.tolist() == STORED[variance]


def test_no_two_numbers_share_a_word_whatever_subject_node_and_lane() -> None:
    subjects, nodes = [-(2**63), -1, 0, 1, 2**32, 2**63 - 1], [0, 1, 2835, 2**32 - 1]
    pairs = list(product(subjects, nodes))
    for sampler in (Sampler(Fraction(900)), SAMPLER):
        seen = addresses_of(sampler, subjects=[s for s, _ in pairs], nodes=[n for _, n in pairs], lanes=range(300))
        assert len(seen) == len(pairs) * 300 * sampler.words
        assert len(set(seen)) == len(seen)


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**31 - 1))
def test_an_address_can_be_read_back_so_different_numbers_have_different_ones(
    subject: int, node: int, lane: int
) -> None:
    seen = addresses_of(SAMPLER, subjects=[subject], nodes=[node], lanes=range(lane, lane + 1))
    assert [struct.unpack("<qII", address) for address in seen] == [
        (subject, node, lane * LANES),
        (subject, node, lane * LANES + 1),
    ]


@pytest.mark.parametrize(
    ("nodes", "lanes"), [([-1], range(1)), ([2**32], range(1)), ([0], range(2**31, 2**31 + 1)), ([0], range(-1, 0))]
)
def test_an_address_out_of_range_is_refused_and_never_wraps_round_to_another(nodes: list[int], lanes: range) -> None:
    with pytest.raises(AssertionError):
        addresses_of(SAMPLER, subjects=[0], nodes=nodes, lanes=lanes)


def test_two_families_have_two_keys() -> None:
    subjects, nodes = np.array([5]), np.array([7])
    words = {
        KeyedNoise(key, family=family)._words(subjects, nodes, range(1), 1, into=bytearray(32)).tobytes()
        for key in (KEY, bytes(32))
        for family in ("counters", "audience", "counter", "counters ", "")
    }
    assert len(words) == 10


def test_cells_draw_what_single_numbers_at_their_lanes_draw() -> None:
    noise = KeyedNoise(KEY, family="audience")
    cells = noise.draw_cells(SAMPLER, subjects=SUBJECTS, nodes=NODES, lanes=range(3, 7)).values
    for index in range(4):
        single = noise.draw([SAMPLER], subjects=SUBJECTS, nodes=NODES, first_lane=3 + index).values
        assert (cells[:, [index]] == single).all()


def test_how_many_are_drawn_at_once_changes_nothing() -> None:
    noise, count = KeyedNoise(KEY, family="counters"), 2 * CHUNK + 3
    subjects, nodes = np.arange(count, dtype=np.int64), np.arange(count, dtype=np.int64) % 11
    whole = noise.draw([SAMPLER], subjects=subjects, nodes=nodes).values
    for part in (slice(0, 1), slice(CHUNK - 1, CHUNK + 1), slice(2 * CHUNK, count)):
        assert (noise.draw([SAMPLER], subjects=subjects[part], nodes=nodes[part]).values == whole[part]).all()
    wide = noise.draw_cells(SAMPLER, subjects=subjects[:2], nodes=nodes[:2], lanes=range(CHUNK + 5)).values
    assert (wide[:, [0]] == whole[:2]).all() and wide.shape == (2, CHUNK + 5)


def test_no_numbers_are_no_draws() -> None:
    noise, nothing = KeyedNoise(KEY, family="counters"), np.zeros(0, dtype=np.int64)
    assert noise.draw([SAMPLER], subjects=nothing, nodes=nothing).values.shape == (0, 1)
    assert noise.draw([], subjects=SUBJECTS, nodes=NODES).values.shape == (100, 0)
    assert noise.draw_cells(SAMPLER, subjects=SUBJECTS, nodes=NODES, lanes=range(0)).values.shape == (100, 0)


def test_noise_cannot_be_printed() -> None:
    noise = KeyedNoise(KEY, family="counters").draw([SAMPLER], subjects=SUBJECTS, nodes=NODES)
    assert repr(noise) == "<noise, withheld>"
