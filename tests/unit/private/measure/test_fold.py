from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from footlights.private.measure import fold
from footlights.terms.errors import VaultFull
from footlights.terms.events import LIVE_KINDS, Drop, Kind
from footlights.terms.policy import default_policy, parse_policy
from tests.worlds import CREATORS, SEASONS, Act, Vectors, World

REACH, REPLAYS, WATCH, FULL = 0, 1, 2, 3


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"), policy=default_policy())
    yield made
    made.store.close()


def act(kind: Kind, *, viewer: str = "ann", subject: str = "v1", **more: Any) -> Act:
    return msgspec.structs.replace(Act(viewer=viewer, kind=kind, subject=subject), **more)


def total(found: Vectors, video: str, column: int) -> int:
    return sum(by_step(found, video, column).values())


def by_step(found: Vectors, video: str, column: int) -> dict[int, int]:
    counts = cells(found, "counters", subject=video)
    return {step: count for (step, place), count in counts.items() if place == column and count}


def cells(found: Vectors, family: str, *, subject: str = "v1", season: int = 0) -> dict[tuple[int, ...], int]:
    """(step, cell...) -> viewers."""
    return dict(found.get((subject, season, family), {}))


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


def beats_of(*told: tuple[int, int]) -> list[Act]:
    """Heartbeats of one session, in the order of arrival. told: second, position in seconds."""
    return [act(Kind.PROGRESS, subject="v3", session=1, at=100 + at, position_ms=s * 1000) for at, s in told]


def watched_seconds(found: Vectors, video: str = "v3") -> float:
    return total(found, video, WATCH) * 600 / 256


@pytest.mark.parametrize(
    "told",
    [
        [(0, 0), (20, 20), (10, 10), (30, 30)],
        [(0, 0), (30, 30), (10, 10), (20, 20)],
        [(0, 0), (10, 10), (20, 20), (10, 10), (30, 30)],
        [(0, 0), (20, 20), (21, 20), (10, 10), (31, 30)],
    ],
    ids=["reordered", "all late", "sent again", "reordered around a pause"],
)
@pytest.mark.parametrize("batches", [1, 9])
def test_no_second_counts_twice_in_whatever_order_heartbeats_arrive(
    batches: int, told: list[tuple[int, int]], world: World
) -> None:
    beats = beats_of(*told)
    found = world.vectors([beats] if batches == 1 else [[beat] for beat in beats])
    assert abs(watched_seconds(found) - 30) < 600 / 256


@pytest.mark.parametrize("batches", [1, 9])
@pytest.mark.parametrize(
    ("told", "counts"),
    [
        ([(0, 0), (8, 8), (16, 6)], (1, 16, 1)),
        ([(0, 0), (8, 8), (17, 6)], (1, 16, 1)),
        ([(0, 8), (24, 2)], (2, 20, 1)),
        ([(0, 0), (8, 8), (9, 1)], (0, 8, 0)),
        ([(0, 0), (8, 8), (14, 6)], (0, 8, 0)),
        ([(0, 0), (8, 8), (58, 8)], (0, 8, 0)),
        ([(0, 0), (8, 8), (46, 6)], (0, 8, 0)),
    ],
    ids=["a round", "a stall", "three rounds", "back", "sooner", "paused", "silent"],
)
def test_a_loop_that_nobody_tells_of_shows_by_the_clock(
    batches: int, told: list[tuple[int, int]], counts: tuple[int, ...], world: World
) -> None:
    beats = [act(Kind.PROGRESS, session=1, at=at, position_ms=position * 1000) for at, position in told]
    found = world.vectors([beats] if batches == 1 else [[beat] for beat in beats])
    assert total(found, "v1", REACH) == 1
    assert (total(found, "v1", REPLAYS), total(found, "v1", FULL)) == (counts[0], counts[2])
    assert abs(total(found, "v1", WATCH) * 20 / 256 - counts[1]) < 20 / 256


def test_in_a_video_of_unknown_length_no_loop_shows(world: World) -> None:
    found = world.vectors([beats_of((0, 0), (8, 8), (16, 6))])
    assert total(found, "v3", REPLAYS) == 0 and abs(watched_seconds(found) - 8) < 600 / 256


def states_of(*told: tuple[int, str]) -> list[Act]:
    """A session told by its player's states: p plays, e ended, anything else stands still. told: second, state."""
    kinds = {"p": Kind.PLAY, "e": Kind.COMPLETION}
    return [
        act(kinds.get(state, Kind.PROGRESS), session=1, at=at, playing=state == "p", subject="v2") for at, state in told
    ]


@pytest.mark.parametrize("batches", [1, 9])
@pytest.mark.parametrize(
    ("told", "counts"),
    [
        ([(0, "d"), (1, "s"), (5, "p"), (15, "p"), (20, "a"), (50, "p"), (60, "e")], (1, 0, 25, 1)),
        ([(5, "p"), (20, "a"), (15, "p"), (50, "p"), (55, "p")], (1, 0, 20, 0)),
        ([(5, "p"), (15, "e"), (20, "e"), (30, "p"), (40, "e")], (1, 1, 20, 1)),
        ([(0, "d"), (1, "s"), (9, "a")], (0, 0, 0, 0)),
        ([(5, "p")], (1, 0, 0, 0)),
    ],
    ids=["paused", "reordered", "played again", "only loaded", "lost"],
)
def test_a_player_that_tells_states_is_counted_by_the_clock(
    batches: int, told: list[tuple[int, str]], counts: tuple[int, ...], world: World
) -> None:
    acts = states_of(*told)
    found = world.vectors([acts] if batches == 1 else [[one] for one in acts])
    reach, replays, seconds, full = counts
    assert (total(found, "v2", REACH), total(found, "v2", REPLAYS), total(found, "v2", FULL)) == (reach, replays, full)
    assert abs(watched_seconds(found, "v2") - seconds) < 600 / 256


def test_who_tells_no_position_got_as_far_as_they_watched(world: World) -> None:
    found = world.vectors([states_of((0, "p"), (100, "p")), states_of((200, "a"))])
    assert cells(found, "positions", subject="v2") == {(0, 50): 1}


def test_a_state_that_is_believed_for_a_month_overflows_nothing(world: World) -> None:
    assert abs(watched_seconds(world.vectors([states_of((0, "p"), (2_600_000, "a"))]), "v2") - 600) < 600 / 256


@pytest.mark.parametrize(("position", "full"), [(8_999, 0), (9_000, 0), (10_000, 1), (10_500, 1)])
def test_a_position_at_the_length_is_the_end(position: int, full: int, world: World) -> None:
    found = world.vectors([[act(Kind.PLAY, session=1), act(Kind.PROGRESS, session=1, at=70, position_ms=position)]])
    assert total(found, "v1", FULL) == full


@pytest.mark.parametrize(("position", "replays"), [(0, 1), (10_000, 0), (11_000, 0)])
def test_a_start_after_the_end_of_the_same_session_is_a_replay_if_it_goes_back(
    position: int, replays: int, world: World
) -> None:
    acts = [act(Kind.PLAY, session=1), act(Kind.COMPLETION, session=1, at=70, position_ms=10_000)]
    acts += [act(Kind.PLAY, session=1, at=75, position_ms=position)]
    found = world.vectors([acts])
    assert (total(found, "v1", REACH), total(found, "v1", REPLAYS)) == (1, replays)


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
    assert by_step(found, "v1", REACH) == {0: 1, 1: 2}


def test_a_late_act_counts_in_the_next_open_tick(world: World) -> None:
    found = world.vectors([[act(Kind.VIEW, at=60)], [act(Kind.VIEW, at=60, viewer="bob")]], ticks=[300])
    assert by_step(found, "v1", REACH) == {0: 1, 5: 1}


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
    assert cells(found, "audience") == {(0, 3, 0, 9, 0, 0, 0): 1}


def test_who_follows_when_they_start_is_a_follower(world: World) -> None:
    found = world.vectors([[act(Kind.FOLLOW, subject="c1", at=1)], [act(Kind.VIEW, at=50)]])
    assert [cell[4] for cell in cells(found, "audience")] == [1]


DAY = 86_400


def test_a_viewers_interests_are_those_that_the_platform_told_last_and_only_the_first_counts(world: World) -> None:
    traits = [act(Kind.TRAITS, subject="", interests=(5,), at=1), act(Kind.TRAITS, subject="", interests=(7, 2), at=2)]
    assert cells(world.vectors([[*traits, act(Kind.VIEW, at=50)]]), "audience") == {(0, 0, 0, 0, 0, 7, 0): 1}


def test_with_two_interests_a_viewer_the_second_is_an_extra_row_and_the_third_is_none(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    two = parse_policy(default_policy().text.replace("[interests]", "[interests]\na_viewer = 2"))
    world = World(tmp_path_factory.mktemp("two"), policy=two)
    traits = act(Kind.TRAITS, subject="", interests=(7, 2, 4), at=1)
    found = world.vectors([[traits, act(Kind.VIEW, at=50)]])
    world.store.close()
    assert cells(found, "audience") == {(0, 0, 0, 0, 0, 7, 0): 1, (0, 0, 0, 0, 0, 2, 1): 1}


def test_a_source_is_that_of_the_first_play(world: World) -> None:
    found = world.vectors([[act(Kind.VIEW, source=3, at=5), act(Kind.VIEW, source=4, at=9)]])
    assert cells(found, "sources") == {(0, 3): 1}


def test_how_far_a_viewer_got_is_fixed_at_the_milestone_after_the_first_play(world: World) -> None:
    early = [act(Kind.VIEW, at=50, position_ms=2500, watch_ms=2500, message=1)]
    later = [act(Kind.VIEW, at=600, position_ms=7500, watch_ms=4000, message=2)]
    too_late = [act(Kind.VIEW, at=30_000, completed=True, watch_ms=9000, message=3)]
    found = world.vectors([early, later, too_late], ticks=[300, 21_600])
    assert cells(found, "positions") == {(0, 75): 1}
    assert cells(found, "watch_times") == {(0, 6): 1}, "6.5 s lie in the bin from 6 to 8 s"


def test_a_completed_view_got_to_the_last_part_and_one_of_an_unknown_length_to_its_share_of_600_s(world: World) -> None:
    found = world.vectors([[act(Kind.VIEW, completed=True), act(Kind.VIEW, subject="v3", position_ms=60_000)]])
    assert cells(found, "positions") == {(0, 99): 1}
    assert cells(found, "positions", subject="v3") == {(0, 10): 1}


def test_a_viewer_of_two_videos_of_a_channel_is_one_viewer_of_it(world: World) -> None:
    found = world.vectors([[act(Kind.VIEW, at=50), act(Kind.VIEW, subject="v2", at=90)]])
    assert cells(found, "channel", subject="c1", season=SEASONS[0]) == {(0, 1): 1}


def test_who_comes_back_on_another_day_returns_once(world: World) -> None:
    visits = [act(Kind.VIEW, at=day * DAY, message=day + 1) for day in (0, 2, 3)]
    found = world.vectors([[visits[0]], [visits[1], visits[2]]])
    assert cells(found, "channel", subject="c1", season=SEASONS[0]) == {(0, 1): 1, (2, 2): 1}


def test_a_new_season_tells_nobody_again(world: World) -> None:
    found = world.vectors([[act(Kind.VIEW, at=50, message=1), act(Kind.VIEW, at=32 * DAY, message=2)]])
    assert cells(found, "channel", subject="c1", season=SEASONS[1]) == {(1, 1): 1}


def test_three_visits_to_a_profile_count_and_the_fourth_does_not(world: World) -> None:
    visits = [act(Kind.PROFILE_VIEW, subject="c1", at=place) for place in range(1, 5)]
    found = world.vectors([visits[:1], visits[1:]])
    assert cells(found, "channel", subject="c1", season=SEASONS[0]) == {(0, 0): 3}


def test_the_first_four_hours_of_the_week_of_a_viewer_count(world: World) -> None:
    """2026-01-01 was a Thursday: hour 72 of the week."""
    views = [act(Kind.VIEW, at=hour * 3600 + 60, message=hour + 1) for hour in (0, 0, 1, 24, 25, 26)]
    found = world.vectors([views[:3], views[3:]])
    assert cells(found, "hours", subject="c1", season=SEASONS[0]) == {(0, 72): 1, (0, 73): 1, (0, 96): 1, (0, 97): 1}


def test_a_channels_audience_has_each_viewer_in_the_week_of_the_first_play(world: World) -> None:
    found = world.vectors([[act(Kind.VIEW, at=8 * DAY, age=3), act(Kind.VIEW, subject="v2", at=9 * DAY, age=4)]])
    assert cells(found, "channel_audience", subject="c1", season=SEASONS[0]) == {(1, 3, 0, 0, 0, 0, 0): 1}


def test_a_season_is_not_grown_past_the_pairs_that_the_guarantee_allows(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold, "PAIRS_MAX", 1)
    with pytest.raises(VaultFull, match="wait in the journal"):
        world.vectors([[act(Kind.VIEW), act(Kind.VIEW, viewer="bob")]])


def test_what_happens_in_a_live_session_moves_no_figure_of_a_video_or_a_channel(world: World) -> None:
    """Not even where a session's key were a video's or a creator's."""
    views = [act(Kind.VIEW, watch_ms=5000), act(Kind.PROFILE_VIEW, subject="c1")]
    live = [act(kind, subject=subject, message=9) for kind in LIVE_KINDS for subject in ("v1", "c1")]
    assert world.vectors([live[:7], views, live[7:]]) == world.vectors([[], views, []])
    assert not set(world.disclosed().get("v1", ())) - {0}
