from __future__ import annotations

from fractions import Fraction

import numpy as np

from footlights.gate.mechanisms.noise import KeyedNoise
from footlights.gate.mechanisms.sampler import Sampler

KEY = bytes(range(32))
SAMPLER = Sampler(Fraction(10**12))
SUBJECTS = np.arange(-50, 50, dtype=np.int64)
NODES = np.zeros(100, dtype=np.int64)


def _drawn(key: bytes = KEY, family: str = "counters", *, nodes: int = 0, first_lane: int = 0) -> list[int]:
    noise = KeyedNoise(key, family=family)
    values = noise.draw([SAMPLER], subjects=SUBJECTS, nodes=NODES + nodes, first_lane=first_lane).values
    return [int(value) for value in values[:, 0]]


def test_asking_again_draws_the_same_noise() -> None:
    assert _drawn() == _drawn()


def test_another_key_family_node_or_number_draws_other_noise() -> None:
    one = _drawn()
    for other in (_drawn(bytes(32)), _drawn(family="audience"), _drawn(nodes=1), _drawn(first_lane=1)):
        assert not set(one) & set(other)


def test_no_two_addresses_of_a_family_share_a_word() -> None:
    noise = KeyedNoise(KEY, family="counters")
    subjects, nodes, lanes = (part.ravel() for part in np.meshgrid(SUBJECTS, np.arange(4), np.arange(0, 6, 2)))
    words = noise._words(subjects, nodes, lanes, 2)
    assert len({word.tobytes() for word in words.reshape(-1, 2)}) == words.size // 2


def test_cells_draw_what_single_numbers_at_their_lanes_draw() -> None:
    noise = KeyedNoise(KEY, family="audience")
    cells = noise.draw_cells(SAMPLER, subjects=SUBJECTS, nodes=NODES, lanes=range(3, 7)).values
    for index in range(4):
        single = noise.draw([SAMPLER], subjects=SUBJECTS, nodes=NODES, first_lane=3 + index).values
        assert (cells[:, [index]] == single).all()


def test_noise_cannot_be_printed() -> None:
    noise = KeyedNoise(KEY, family="counters").draw([SAMPLER], subjects=SUBJECTS, nodes=NODES)
    assert repr(noise) == "<noise, withheld>"
