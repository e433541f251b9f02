"""Room: no key takes what the others need, and what is given back is there again."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from footlights.private.collect.room import Room


def test_a_key_that_floods_gets_half_and_the_next_one_half_of_what_is_left() -> None:
    room = Room(1000)
    held = {key: sum(room.take(key, 1) for _ in range(2000)) for key in ("noisy", "noisier", "quiet")}
    assert held == {"noisy": 500, "noisier": 250, "quiet": 125}
    assert not room.is_full()


def test_what_comes_into_an_empty_room_is_let_in_whatever_its_size() -> None:
    room = Room(10)
    assert room.take("large", 50) and room.is_full()
    assert not room.take("large", 1) and not room.take("another", 1)
    room.give("large", 50)
    assert room.take("another", 5)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 40)), max_size=60), st.randoms())
def test_what_is_held_never_goes_over_the_room_and_all_of_it_comes_back_in_any_order(
    asks: list[tuple[str, int]], order: Random
) -> None:
    room = Room(100)
    held = [(key, amount) for key, amount in asks if room.take(key, amount)]
    assert sum(amount for _, amount in held) <= 100
    order.shuffle(held)
    for key, amount in held:
        room.give(key, amount)
    assert room.take("d", 1000)
