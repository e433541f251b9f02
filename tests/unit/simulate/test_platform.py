"""Platform: the same for a seed, plausible in every row, and nothing in it that the future would have to explain."""

from __future__ import annotations

from typing import Any

import numpy as np

from footlights.simulate import calibration as fit
from footlights.simulate.audience import INTERESTS
from footlights.simulate.platform import Platform
from footlights.terms.domains import AGES, COUNTRIES, GENDERS, SOURCES
from footlights.terms.events import CreatorDeclared, Kind, VideoPublished
from footlights.terms.policy import default_policy
from footlights.terms.seasons import season_at
from footlights.terms.ticks import DAY, HOUR, MINUTE
from tests.unit.simulate.platforms import NOW_UTC, shared_small_platform, small_platform


def columns(platform: Platform) -> list[Any]:
    views, acts = platform.history.views, platform.history.acts
    return [*vars(views).values(), *vars(acts).values()]


def test_the_same_seed_and_moment_make_the_same_platform() -> None:
    one, other = small_platform(), small_platform()
    assert one.declarations() == other.declarations()
    assert all(np.array_equal(left, right) for left, right in zip(columns(one), columns(other), strict=True))


def test_another_seed_makes_another_platform() -> None:
    one, other = small_platform(b"one"), small_platform(b"other")
    assert one.videos.ids != other.videos.ids
    assert len(one.history.views) != len(other.history.views)


def test_every_creator_has_a_month_of_videos_and_the_first_alone_is_pro() -> None:
    declared = shared_small_platform().declarations()
    creators = [one for one in declared if isinstance(one, CreatorDeclared)]
    videos = [one for one in declared if isinstance(one, VideoPublished)]
    assert [creator.tier for creator in creators] == ["pro"] + ["basic"] * 5
    for creator in creators:
        assert 20 <= sum(video.creator == creator.id for video in videos) <= 30
    assert len({video.id for video in videos}) == len(videos)


def test_declarations_are_of_the_past_and_in_its_order() -> None:
    declared = shared_small_platform().declarations()
    videos = [one for one in declared if isinstance(one, VideoPublished)]
    posted = [video.posted_at_utc for video in videos]
    assert posted == sorted(posted)
    assert posted[0] >= NOW_UTC - 41 * DAY and posted[-1] <= NOW_UTC
    assert all(video.at_ms == video.posted_at_utc * 1000 for video in videos)


def test_the_star_has_a_video_that_is_just_taking_off() -> None:
    platform = shared_small_platform()
    newest = max(
        one.posted_at_utc
        for one in platform.declarations()
        if isinstance(one, VideoPublished) and one.creator == platform.creators[0].id
    )
    assert NOW_UTC - HOUR < newest < NOW_UTC - MINUTE


def test_the_first_creator_is_the_most_watched() -> None:
    for seed in (b"one", b"other", b"third"):
        platform = small_platform(seed)
        views = np.bincount(platform.videos.creator[platform.history.views.video])
        assert views.argmax() == 0


def test_a_platform_may_have_more_creators_than_the_catalogue() -> None:
    platform = small_platform(creators=8)
    assert len({creator.id for creator in platform.creators}) == 8
    assert len({creator.handle for creator in platform.creators}) == 8


def test_titles_read_like_titles() -> None:
    for one in shared_small_platform().declarations():
        if isinstance(one, VideoPublished):
            assert one.title[0] == one.title[0].upper() and "{" not in one.title and len(one.title) < 80
            assert 2 <= len(one.hashtags) <= 4 and all(tag.isalnum() for tag in one.hashtags)
            assert one.sound and 5_000 <= one.duration_ms <= 600_000


def test_history_has_about_as_many_views_as_were_asked_for() -> None:
    for seed in (b"one", b"other", b"third"):
        assert 15_000 < len(small_platform(seed).history.views) < 22_000


def test_views_come_after_their_video_and_before_now_in_order_of_time() -> None:
    platform = shared_small_platform()
    views = platform.history.views
    assert np.all(np.diff(views.at_ms) >= 0)
    assert views.at_ms[-1] <= NOW_UTC * 1000
    assert np.all(views.at_ms - views.watch_ms >= platform.videos.posted_utc[views.video] * 1000 - 1)


def test_a_view_is_consistent_with_its_videos_length() -> None:
    platform = shared_small_platform()
    views = platform.history.views
    length_ms = platform.videos.duration_seconds[views.video] * 1000
    assert np.all(views.position_ms <= length_ms) and np.all(views.position_ms <= views.watch_ms)
    # A view that ends within a millisecond of the end rounds to it.
    assert np.all(views.position_ms[views.completed] >= length_ms[views.completed] - 1)
    assert np.all(views.position_ms[~views.completed] <= length_ms[~views.completed])
    assert views.watch_ms.min() > 0 and views.watch_ms.max() <= 600_000


def test_a_viewer_discovers_a_video_once_and_replays_it_later() -> None:
    views = shared_small_platform().history.views
    pairs = views.video * 6_000 + views.viewer
    firsts = pairs[views.first]
    assert len(np.unique(firsts)) == len(firsts)
    replayed = pairs[~views.first]
    assert np.isin(replayed, firsts).mean() > 0.99  # the first view may still be going on when history ends


def test_every_code_is_in_its_domain() -> None:
    platform = shared_small_platform()
    audience = platform.audience
    for codes, domain in (
        (audience.age, AGES), (audience.gender, GENDERS), (audience.country, COUNTRIES),
        (audience.interest, INTERESTS), (platform.history.views.source, SOURCES),
    ):  # fmt: skip
        assert codes.max() < len(domain)


def test_interests_are_those_of_the_default_policy_and_every_one_has_viewers() -> None:
    assert set(fit.INTEREST_SHARES) == {"unknown", *default_policy().interests}
    assert abs(sum(fit.INTEREST_SHARES.values()) - 1) < 1e-9
    counts = np.bincount(shared_small_platform().audience.interest, minlength=len(INTERESTS))
    shares = np.array([fit.INTEREST_SHARES[name] for name in INTERESTS])
    assert np.allclose(counts / 6_000, shares, atol=5 * np.sqrt(0.1 * 0.9 / 6_000))


def test_a_creator_is_watched_most_by_those_who_care_for_what_they_make() -> None:
    platform = shared_small_platform()
    food = platform.audience.interest == INTERESTS.index("food")
    star = platform.videos.creator[platform.history.views.video] == 0
    assert food[platform.history.views.viewer[star]].mean() > 1.5 * food.mean()


def test_each_viewer_arrives_once_a_season_when_their_first_view_of_it_begins() -> None:
    platform = shared_small_platform()
    views, arrivals = platform.history.views, platform.arrivals
    assert np.all(np.diff(arrivals.at_ms) >= 0)
    season = np.array([season_at(at_ms // 1000) for at_ms in views.at_ms.tolist()])
    first: dict[tuple[int, int], int] = {}
    for one, viewer, began in zip(season.tolist(), views.viewer.tolist(), views.at_ms - views.watch_ms, strict=True):
        first.setdefault((one, viewer), int(began))
    came = dict(
        zip(zip(arrivals.season.tolist(), arrivals.viewer.tolist(), strict=True), arrivals.at_ms.tolist(), strict=True)
    )
    assert came.keys() == first.keys() and len({season for season, _ in came}) == 3
    for key, at_ms in came.items():
        assert season_at(at_ms // 1000) == key[0] and at_ms >= first[key]
    assert np.mean([came[key] == first[key] for key in came]) > 0.99


def test_a_viewer_likes_a_video_at_most_once_and_only_what_they_watch() -> None:
    platform = shared_small_platform()
    views, acts = platform.history.views, platform.history.acts
    likes = acts.kind == Kind.LIKE
    liked = acts.video[likes] * 6_000 + acts.viewer[likes]
    assert len(np.unique(liked)) == len(liked) > 100
    # A like may come while its view is still going on.
    assert np.isin(liked, views.video * 6_000 + views.viewer).mean() > 0.99


def test_a_viewer_follows_a_creator_once_and_leaves_only_after_following() -> None:
    platform = Platform(b"follows", now_utc=NOW_UTC)
    acts = platform.history.acts
    follows = {
        (int(creator), int(viewer)): int(at_ms)
        for kind, creator, viewer, at_ms in zip(acts.kind, acts.creator, acts.viewer, acts.at_ms, strict=True)
        if kind == Kind.FOLLOW
    }
    left = np.flatnonzero(acts.kind == Kind.UNFOLLOW)
    assert len(follows) == np.sum(acts.kind == Kind.FOLLOW) > 100
    assert len(left) > 0
    for row in left:
        assert acts.at_ms[row] > follows[int(acts.creator[row]), int(acts.viewer[row])]
    for creator, viewer in follows:
        assert not platform.fans[creator][viewer]


def test_followers_see_more_of_a_creator_than_others_do() -> None:
    platform = shared_small_platform()
    views = platform.history.views
    share_of_views = views.follower.mean()
    assert share_of_views > 1.5 * np.mean([fans.mean() for fans in platform.fans])
