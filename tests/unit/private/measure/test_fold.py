from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from footlights.private.measure import fold
from footlights.terms.errors import VaultFull
from footlights.terms.events import Drop, Kind
from tests.worlds import CREATORS, Act, World

REACH, REPLAYS, WATCH, FULL = 0, 1, 2, 3


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    made.store.close()


def act(kind: Kind, *, viewer: str = "ann", subject: str = "v1", **more: Any) -> Act:
    return msgspec.structs.replace(Act(viewer=viewer, kind=kind, subject=subject), **more)


def total(found: dict[Any, Any], video: str, column: int) -> int:
    return sum(int(counts[column]) for key, counts in found.items() if key[0] == video)


def test_started_and_content_started_of_one_session_are_one_play(world: World) -> None:
    found = world.vectors([[act(Kind.PLAY, session=1), act(Kind.PLAY, session=1, at=61)]])
    assert (total(found, "v1", REACH), total(found, "v1", REPLAYS)) == (1, 0)


def test_another_session_is_a_replay(world: World) -> None:
    found = world.vectors([[act(Kind.PLAY, session=1)], [act(Kind.PLAY, session=2, at=99)]])
    assert (total(found, "v1", REACH), total(found, "v1", REPLAYS)) == (1, 1)


def test_heartbeats_add_up_to_watch_time_across_batches(world: World) -> None:
    beats = [act(Kind.PLAY, subject="v3", session=1, at=100)]
    beats += [act(Kind.PROGRESS, subject="v3", session=1, at=100 + s, position_ms=s * 1000) for s in (10, 20, 30)]
    found = world.vectors([beats[:2], beats[2:]])
    assert abs(total(found, "v3", WATCH) * 600 / 256 - 30) < 600 / 256


def test_a_seek_is_not_watched(world: World) -> None:
    beats = [act(Kind.PLAY, subject="v3", session=1, at=100)]
    beats += [act(Kind.PROGRESS, subject="v3", session=1, at=101, position_ms=500_000)]
    assert total(world.vectors([beats]), "v3", WATCH) <= 1


def test_an_event_that_arrives_twice_counts_once(world: World) -> None:
    view = act(Kind.VIEW, watch_ms=1000, message=5)
    found = world.vectors([[view, view], [view]])
    assert total(found, "v1", REACH) == 1 and total(found, "v1", REPLAYS) == 0
    assert world.dropped() == {Drop.DUPLICATE: 2}


def test_an_event_of_an_unknown_video_is_dropped_and_counts_when_it_is_sent_after_the_declaration(world: World) -> None:
    world.vectors([[act(Kind.VIEW, subject="nobody's")]])
    assert world.dropped() == {Drop.UNKNOWN_VIDEO: 1}


def test_watch_time_at_the_bound_is_every_step_of_it(world: World) -> None:
    assert total(world.vectors([[act(Kind.VIEW, watch_ms=10_000_000)]]), "v1", WATCH) == 256


def test_the_rounding_of_watch_time_is_unbiased_over_viewers(world: World) -> None:
    views = [act(Kind.VIEW, viewer=f"viewer {n}", watch_ms=100) for n in range(4000)]
    found = world.vectors([views])
    expected = 4000 * 100 * 256 / 20_000
    assert abs(total(found, "v1", WATCH) - expected) < 7 * (4000 * 0.25) ** 0.5


def test_an_act_counts_in_the_first_tick_at_or_after_it(world: World) -> None:
    found = world.vectors([[act(Kind.VIEW, at=at, viewer=str(at)) for at in (60, 61, 120)]])
    assert {step: int(counts[REACH]) for (_, step), counts in _counters(found)} == {0: 1, 1: 2}


def test_a_late_act_counts_in_the_next_open_tick(world: World) -> None:
    found = world.vectors([[act(Kind.VIEW, at=60)], [act(Kind.VIEW, at=60, viewer="bob")]], ticks=[300])
    assert {step: int(counts[REACH]) for (_, step), counts in _counters(found)} == {0: 1, 5: 1}


def _counters(found: dict[Any, Any]) -> list[tuple[Any, Any]]:
    return [(key, counts) for key, counts in found.items() if key[0] != "audience"]


def test_a_like_counts_while_it_stands(world: World) -> None:
    world.vectors([[act(Kind.LIKE, at=1), act(Kind.LIKE, at=2)], [act(Kind.UNLIKE, at=3)], [act(Kind.LIKE, at=4)]])
    assert world.disclosed()["v1"][0] == 1


def test_taking_back_what_was_never_given_changes_nothing(world: World) -> None:
    world.vectors([[act(Kind.UNLIKE, at=1), act(Kind.UNFOLLOW, subject="c1", at=2)]])
    assert world.disclosed().get("v1", (0, 0))[0] == 0
    assert world.followers() == {}


def test_followers_are_counted_once_however_often_they_follow(world: World) -> None:
    acts = [act(Kind.FOLLOW, subject="c1", at=at) for at in (1, 2)]
    acts += [act(Kind.FOLLOW, subject="c1", viewer="bob", at=3), act(Kind.UNFOLLOW, subject="c1", viewer="bob", at=4)]
    world.vectors([acts])
    assert world.followers() == {CREATORS[0]: 1} or world.followers() == {CREATORS[0]: 1, CREATORS[1]: 0}


def test_a_viewers_cell_is_that_of_the_first_play_with_the_events_own_traits_first(world: World) -> None:
    traits = act(Kind.TRAITS, subject="", age=3, country=7, at=1)
    found = world.vectors([[traits, act(Kind.VIEW, country=9, at=50)]])
    cells = next(cells for key, cells in found.items() if key[0] == "audience")
    assert cells == {(3, 0, 9, 0): 1}


def test_who_follows_when_they_start_is_a_follower(world: World) -> None:
    found = world.vectors([[act(Kind.FOLLOW, subject="c1", at=1)], [act(Kind.VIEW, at=50)]])
    cells = next(cells for key, cells in found.items() if key[0] == "audience")
    assert [cell[3] for cell in cells] == [1]


def test_a_season_is_not_grown_past_the_pairs_that_the_guarantee_allows(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold, "PAIRS_MAX", 1)
    with pytest.raises(VaultFull, match="wait in the journal"):
        world.vectors([[act(Kind.VIEW), act(Kind.VIEW, viewer="bob")]])
