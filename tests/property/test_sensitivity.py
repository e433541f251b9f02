"""The property that carries the promise: removing one viewer's acts on one video, or on one channel, moves every
integer vector, before noise, by at most the policy's bound; and nothing else moves at all. And that it can fail.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise, product
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from footlights.private.measure import statements as statements_module
from footlights.terms.events import DISCLOSED_KINDS, Kind
from footlights.terms.families import Unit
from footlights.terms.policy import default_policy, parse_policy
from tests.neighbours import broken_bounds, without
from tests.worlds import CREATORS, FOLDED_EXAMPLES, VIDEOS, Act, Erase, Vectors, World

VIEWERS = ("ann", "bob")
#: The default policy, but for two interests a viewer: what has to hold then includes what has to hold with one.
POLICY = parse_policy(default_policy().text.replace("[interests]", "[interests]\na_viewer = 2"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"), policy=POLICY)
    yield made
    made.store.close()


VIDEO_KINDS = [
    Kind.IMPRESSION, Kind.PLAY, Kind.PROGRESS, Kind.COMPLETION, Kind.VIEW, Kind.LIKE, Kind.UNLIKE, Kind.COMMENT,
    Kind.SHARE, Kind.SAVE, Kind.UNSAVE, Kind.FOLLOW_FROM,
]  # fmt: skip
#: Seconds after posting, at a season's start: minutes, milestones, days and weeks, and the next season.
TIMES = st.sampled_from([-5, 0, 59, 60, 61, 120, 3600, 21_600, 86_400, 90_000, 700_000, 2_000_000, 2_700_000])
ON_VIDEOS = st.builds(
    Act, viewer=st.sampled_from(VIEWERS), kind=st.sampled_from(VIDEO_KINDS), subject=st.sampled_from(sorted(VIDEOS)),
    at=TIMES, message=st.integers(0, 3), session=st.integers(0, 2),
    position_ms=st.one_of(st.integers(0, 20_000), st.sampled_from([10_001_000, 2**31 - 1])),
    watch_ms=st.sampled_from([0, 1, 999, 15_000, 10_000_000, 2**31 - 1]), completed=st.booleans(),
    follower=st.sampled_from([None, True, False]),
    playing=st.sampled_from([None, None, True, False]), age=st.integers(0, 2), gender=st.integers(0, 1),
    country=st.integers(0, 2), source=st.integers(0, 2),
)  # fmt: skip
ON_CREATORS = st.builds(
    Act, viewer=st.sampled_from(VIEWERS), kind=st.sampled_from([Kind.FOLLOW, Kind.UNFOLLOW, Kind.PROFILE_VIEW]),
    subject=st.sampled_from(CREATORS), at=TIMES,
)  # fmt: skip
TRAITS = st.builds(
    Act, viewer=st.sampled_from(VIEWERS), kind=st.just(Kind.TRAITS), subject=st.just(""), at=TIMES,
    age=st.integers(0, 2), country=st.integers(0, 2), interests=st.sampled_from([(), (1,), (2, 1), (1, 2, 3, 4)]),
)  # fmt: skip
ERASURES = st.builds(Erase, viewer=st.sampled_from(VIEWERS), at=TIMES)
ACTS = st.one_of(ON_VIDEOS, ON_VIDEOS, ON_VIDEOS, ON_CREATORS, TRAITS, ERASURES)
LOGS = st.lists(st.lists(ACTS, max_size=8), min_size=1, max_size=3)
TICKS = st.lists(st.sampled_from([30, 60, 300, 30_000, 90_000, 700_000]), max_size=2).map(sorted)


def _video_bounds(world: World, batches: list[list[Act]], viewer: str, video: str, ticks: list[int]) -> list[str]:
    other = without(batches, viewer, {video}, keep=DISCLOSED_KINDS)
    return _bounds(world, batches, other, ticks, unit="video", subject=video)


def _creator_bounds(world: World, batches: list[list[Act]], viewer: str, creator: str, ticks: list[int]) -> list[str]:
    subjects = {creator, *(video for video in VIDEOS if VIDEOS[video] == creator)}
    other = without(batches, viewer, subjects, keep=DISCLOSED_KINDS)
    return _bounds(world, batches, other, ticks, unit="creator", subject=creator)


def _bounds(
    world: World, batches: list[list[Act]], other: list[list[Act]], ticks: list[int], *, unit: Unit, subject: str
) -> list[str]:
    """What the unit's private acts moved too far. Exact counts of disclosed acts they may not move at all."""
    whole, told = world.vectors(batches, ticks=ticks), _exact(world)
    rest, told_rest = world.vectors(other, ticks=ticks), _exact(world)
    moved = [f"{name}: {told.get(name, 0)}, {told_rest.get(name, 0)}" for name in told.keys() | told_rest.keys()
             if told.get(name, 0) != told_rest.get(name, 0)]  # fmt: skip
    return moved + broken_bounds(whole, rest, unit=unit, subject=subject, policy=POLICY)


def _exact(world: World) -> dict[str, int]:
    of_videos = {f"{what} of {video}": count for video, both in world.disclosed().items() for what, count in
                 zip(("likes", "comments"), both, strict=True)}  # fmt: skip
    return of_videos | {f"followers of {creator}": count for creator, count in world.followers().items()}


@settings(max_examples=FOLDED_EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=LOGS, ticks=TICKS, viewer=st.sampled_from(VIEWERS), video=st.sampled_from(sorted(VIDEOS)))
def test_removing_one_viewer_from_one_video_moves_every_vector_by_at_most_its_bound(
    world: World, batches: list[list[Act]], ticks: list[int], viewer: str, video: str
) -> None:
    assert _video_bounds(world, batches, viewer, video, ticks) == []


@settings(max_examples=FOLDED_EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=LOGS, ticks=TICKS, viewer=st.sampled_from(VIEWERS), creator=st.sampled_from(CREATORS))
def test_removing_one_viewer_from_one_channel_moves_every_vector_by_at_most_its_bound(
    world: World, batches: list[list[Act]], ticks: list[int], viewer: str, creator: str
) -> None:
    assert _creator_bounds(world, batches, viewer, creator, ticks) == []


def _view(**more: Any) -> Act:
    return msgspec.structs.replace(Act(viewer="ann", kind=Kind.VIEW, subject="v1", watch_ms=5000), **more)


def _act(kind: Kind, **more: Any) -> Act:
    return _view(kind=kind, watch_ms=0, **more)


#: Acts of which every log of up to four is tried: of one viewer, on two videos of a channel, days and weeks apart.
SMALL = (
    _view(at=60, watch_ms=3000),
    _view(at=700_000, watch_ms=90_000, completed=True, country=2),
    _view(at=90_000, subject="v2", source=2),
    _act(Kind.PROFILE_VIEW, subject="c1", at=30),
)


def test_every_log_of_up_to_four_events_keeps_every_bound(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each log on a channel of its own: they do not touch each other, which the tests above hold, so all go at once."""
    logs = [acts for length in range(1, 5) for acts in product(SMALL, repeat=length)]
    videos = {f"{video} {number}": f"c1 {number}" for number in range(len(logs)) for video in ("v1", "v2")}
    world = World(tmp_path_factory.mktemp("small"), policy=POLICY, videos=videos)

    def vectors(keep: Callable[[Act], bool]) -> dict[int, Vectors]:
        told = [
            msgspec.structs.replace(act, subject=f"{act.subject} {number}", message=place)
            for number, acts in enumerate(logs)
            for place, act in enumerate(acts, start=1)
            if keep(act)
        ]
        found: dict[int, Vectors] = {number: {} for number in range(len(logs))}
        for (subject, season, name), counts in world.vectors([told]).items():
            found[int(subject.split()[1])][subject, season, name] = counts
        return found

    whole, no_video, nobody = (
        vectors(lambda _: True),
        vectors(lambda act: act.subject != "v1"),
        vectors(lambda _: False),
    )
    world.store.close()
    broken = []
    for number in range(len(logs)):
        one, video, channel = whole[number], f"v1 {number}", f"c1 {number}"
        broken += broken_bounds(one, no_video[number], unit="video", subject=video, policy=POLICY, videos=videos)
        broken += broken_bounds(one, nobody[number], unit="creator", subject=channel, policy=POLICY, videos=videos)
    assert broken == []


def _times(act: Act, count: int) -> list[Act]:
    return [msgspec.structs.replace(act, message=place) for place in range(1, count + 1)]


def _days(act: Act, count: int) -> list[Act]:
    return [msgspec.structs.replace(act, at=86_400 * day + 3600 * day, message=day + 1) for day in range(count)]


def _falls() -> list[list[Act]]:
    """Of a video of 10 s: a player stands 1,000 lengths and a second beyond its end, and then at its beginning."""
    beyond, back = _act(Kind.PLAY, session=1, position_ms=10_001_000), _act(Kind.PROGRESS, session=1)
    return [
        [msgspec.structs.replace(act, at=at, message=2 * at + place) for place, act in enumerate((beyond, back))]
        for at in range(100, 108)
    ]


_TRAITS = Act(viewer="ann", kind=Kind.TRAITS, subject="", at=1, interests=(1, 2, 3, 4))

#: A bound that is taken out of the SQL (file, text, what stands there instead), and a log in which it is missed.
MUTANTS: dict[str, tuple[str, str, str, list[list[Act]]]] = {
    "reach": (
        "bound", "least(1, plays_after) - least(1, plays_after - play) AS reach", "play AS reach", [_times(_view(), 3)],
    ),
    "replays": (
        "bound", "least(1 + replays_max, plays_after) - least(1 + replays_max, plays_after - play) AS plays",
        "play AS plays", [_times(_view(), 5)],
    ),
    "watch time": (
        "bound", "least(watch_bound_ms, watch_after)::BIGINT", "watch_after::BIGINT", [[_view(watch_ms=50_000)]],
    ),
    "full views": (
        "bound", "least(1, full_after) - least(1, full_after - full_view)", "full_view",
        [_times(_act(Kind.COMPLETION), 2)],
    ),
    "shares": (
        "bound", "least(1, share_after) - least(1, share_after - share)", "share", [_times(_act(Kind.SHARE), 2)],
    ),
    "favorites": (
        "bound", "least(1, favorite_after) - least(1, favorite_after - favorite)", "favorite",
        [_times(_act(Kind.SAVE), 2)],
    ),
    "followers": (
        "bound", "least(1, follow_after) - least(1, follow_after - follow)", "follow",
        [_times(_act(Kind.FOLLOW_FROM), 2)],
    ),
    "what earlier batches counted": (
        "bound", "WHERE season BETWEEN", "WHERE false AND season BETWEEN", [[_view()], [_view(at=120)]],
    ),
    "one cell a viewer": (
        "who", "WHERE reach = 1", "WHERE plays = 1", [[_view(message=1, age=1), _view(message=2, age=2)]],
    ),
    "one source a viewer": (
        "wait", "FROM open WHERE reach = 1 GROUP BY ALL", "FROM open GROUP BY ALL",
        [[_view(message=1, source=1), _view(message=2, source=2)]],
    ),
    "further interests of a video": ("wait", "extra < interests_max", "true", [[_TRAITS, _view(at=60)]]),
    "further interests of a channel": ("channel", "extra < interests_max", "true", [[_TRAITS, _view(at=60)]]),
    "a pair waits once": (
        "assign", "DELETE FROM waiting USING due WHERE waiting.video = due.subject AND due.schedule = 1 "
        "AND milestone <= last_tick", "SELECT 1", [[_view(at=60)], [_view(at=90_000, subject="v3")]],
    ),
    "profile views": (
        "channel", "coalesce(known_bonds.profile_views, 0) + nth <= season_limits.profile_views", "true",
        [_times(_act(Kind.PROFILE_VIEW, subject="c1"), 5)],
    ),
    "profile views of earlier batches": (
        "channel", "coalesce(known_bonds.profile_views, 0) + nth", "nth",
        [[_act(Kind.PROFILE_VIEW, subject="c1", message=place)] for place in range(1, 6)],
    ),
    "unique viewers": (
        "channel", "WHERE first_day IS NULL", "WHERE true", [[_view(message=1)], [_view(message=2, at=90)]],
    ),
    "returning viewers": (
        "channel", "coalesce(returned, 0) = 0 AND", "", [[act] for act in _days(_view(), 4)],
    ),
    "hours": (
        "channel", "QUALIFY row_number() OVER (PARTITION BY bond ORDER BY seq) <= room.hours", "", [_days(_view(), 7)],
    ),
    "hours of earlier batches": (
        "channel", "coalesce(any_value(held.hours), 0)", "0", [[act] for act in _days(_view(), 7)],
    ),
    "an hour counts once": (
        "channel", "FROM calls ANTI JOIN bond_hours USING (season, bond, hour)", "FROM calls",
        [[_view(message=place)] for place in range(1, 5)],
    ),
    "deduplication is the pair's own": (
        "accept", "xor(xor(pair, message),", "xor(message,", [[_view(message=7), _view(message=7, subject="v3")]],
    ),
    "disclosed acts have message keys of their own": (
        "accept", "CASE WHEN kind IN (6, 7, 8, 12, 13) THEN 1 ELSE 0 END", "0",
        [[_act(Kind.PROFILE_VIEW, subject="c1", message=7), _act(Kind.FOLLOW, subject="c1", message=7), _view(at=90)]],
    ),
    "who was erased stays out until the season ends": (
        "accept", "WHEN erased_viewers.viewer IS NOT NULL THEN 8", "WHEN false THEN 8",
        [[_view(at=60, message=1)], [Erase(viewer="ann", at=61)], [_view(at=90_000, message=2)]],
    ),
    "a loop takes no time back": (
        "sessions", "greatest(0, least(moved_ms + looped * duration_ms, passed_ms))",
        "least(moved_ms + looped * duration_ms, passed_ms)",
        [[_view(at=60, watch_ms=15_000)], *_falls()],
    ),
    "a session is the pair's own": (
        "accept", "xor(pair, session)", "session",
        [[_act(Kind.PLAY, session=1), _act(Kind.PLAY, session=1, subject="v3", at=120)]],
    ),
}  # fmt: skip


#: One in four is taken out by `./run test`; all are by `./run test-all`.
QUICK = sorted(MUTANTS)[::4]


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in sorted(MUTANTS)]
)
def test_a_bound_that_is_taken_out_is_caught(world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    file, text, instead, batches = MUTANTS[name]
    kept = statements_module.statements

    def mutated(asked: str) -> tuple[str, ...]:
        whole = kept(asked)
        if asked != file:
            return whole
        assert any(text in _flat(statement) for statement in whole), "the mutation finds the bound"
        return tuple(_flat(statement).replace(text, instead) for statement in whole)

    def caught() -> list[str]:
        ticks = [300, 30_000, 90_000, 700_000]
        return _video_bounds(world, batches, "ann", "v1", ticks) + _creator_bounds(world, batches, "ann", "c1", ticks)

    assert caught() == []
    monkeypatch.setattr(statements_module, "statements", mutated)
    assert caught() != []


def _flat(statement: str) -> str:
    return " ".join(statement.split())


def test_a_player_that_says_it_stood_far_beyond_the_end_takes_no_time_back(world: World) -> None:
    """An attack: a fall of 1,000 lengths and a second looks like 1,000 rounds that took a second less than nothing.

    Were that second taken back, the pair would be remembered with less than nothing, and could count again without end.
    """
    batches = [[_view(at=60, watch_ms=15_000)], *_falls()]
    assert _video_bounds(world, batches, "ann", "v1", [90, 300]) == []


@settings(max_examples=FOLDED_EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(ACTS, max_size=10), cuts=st.sets(st.integers(1, 9)))
def test_what_counts_does_not_depend_on_where_batches_end(world: World, acts: list[Act], cuts: set[int]) -> None:
    """Else one viewer's event more, which moves the end of a batch, could move the counts of others."""
    ends = [0, *sorted(cut for cut in cuts if cut < len(acts)), len(acts)]
    whole = world.vectors([acts])
    likes, followers = world.disclosed(), world.followers()
    assert world.vectors([acts[begin:end] for begin, end in pairwise(ends)]) == whole
    assert (world.disclosed(), world.followers()) == (likes, followers)


@settings(max_examples=FOLDED_EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=LOGS, ticks=TICKS)
def test_what_a_viewer_does_and_asks_moves_no_other_viewer_s_counts(
    world: World, batches: list[list[Act]], ticks: list[int]
) -> None:
    """Erasures and all, what is counted of everybody is the sum of what is counted of each alone."""
    alone = [
        world.vectors([[act for act in acts if act.viewer == viewer] for acts in batches], ticks=ticks)
        for viewer in VIEWERS
    ]
    together = world.vectors(batches, ticks=ticks)
    assert {of: +counts for of, counts in together.items() if +counts} == _sum(alone)


def _sum(parts: list[Vectors]) -> Vectors:
    whole: Vectors = {}
    for part in parts:
        for of, counts in part.items():
            whole[of] = whole.get(of, Counter()) + counts
    return {of: counts for of, counts in whole.items() if counts}


def test_who_was_erased_is_counted_again_when_the_season_is_over(world: World) -> None:
    acts = [_view(), Erase(viewer="ann", at=70), _view(at=80, message=2), _view(at=2_700_000, message=3)]
    assert _reach(world.vectors([acts])) == 2
    assert _reach(world.vectors([[act] for act in acts])) == 2


def test_what_a_viewer_who_is_erased_did_before_stays_counted_and_leaves_no_row(world: World) -> None:
    kinds = (Kind.VIEW, Kind.LIKE, Kind.SHARE, Kind.PLAY, Kind.COMPLETION)
    acts = [_act(kind, message=int(kind), session=1) for kind in kinds] + [_TRAITS]
    acts += [_act(kind, subject="c1", message=int(kind)) for kind in (Kind.FOLLOW, Kind.PROFILE_VIEW)]
    before = _kept(world, [acts])
    assert all(before.values()), before
    after = _kept(world, [acts, [Erase(viewer="ann", at=100)]])
    assert set(after.values()) == {0}
    ((rows,),) = world.store.execute("SELECT rows FROM asks").fetchall()
    assert json.loads(rows) == before
    assert _reach(world.vectors([acts, [Erase(viewer="ann", at=100)]])) == 1


def test_erasing_a_viewer_leaves_the_rows_of_all_others(world: World) -> None:
    of_bob = [_view(viewer="bob", session=1), _act(Kind.LIKE, viewer="bob", message=2), _act(Kind.PLAY, viewer="bob")]
    with_ann = [*of_bob, _view(), _act(Kind.LIKE, message=2), Erase(viewer="ann", at=70)]
    assert _kept(world, [with_ann]) == _kept(world, [of_bob])


def _kept(world: World, batches: list[list[Act]]) -> dict[str, int]:
    """How many rows there are of viewers, by table, before the ticks that take some of them."""
    world.hear(batches)
    tables = ("pairs", "sessions", "seen", "minutes", "waiting", "likes", "bonds", "bond_hours", "follows", "traits")
    return {table: world.store.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in tables}


def _reach(found: Vectors) -> int:
    return sum(count for (_, column), count in found["v1", 0, "counters"].items() if column == 0)


def test_disclosed_acts_are_no_part_of_any_private_vector(world: World) -> None:
    disclosed = [
        _act(kind, message=int(kind)) for kind in sorted(DISCLOSED_KINDS) if kind not in (Kind.FOLLOW, Kind.UNFOLLOW)
    ]
    assert world.vectors([disclosed]) == {}
