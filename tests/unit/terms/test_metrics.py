"""Metrics: one list of names, whose order is the board's format."""

from __future__ import annotations

import pytest

from footlights.terms.metrics import (
    ALL,
    AUDIENCE,
    AUDIENCE_AXES,
    AXES,
    CHANNEL,
    CHANNEL_DERIVED,
    COUNTERS,
    DERIVED,
    DISCLOSED,
    FOLLOWERS,
    HISTOGRAM,
    IMPORTED,
    INSIGHTS,
    LIVE,
    LIVE_ANSWERS,
    LIVE_AUDIENCE,
    LIVE_DERIVED,
    LIVE_DISCLOSED,
    LIVE_REACTIONS,
    QUARTILES,
    Metric,
    cells_of,
)
from footlights.terms.policy import default_policy


def test_the_order_of_a_counter_row_has_not_changed_since_the_first_board() -> None:
    assert [metric.name for metric in COUNTERS] == [
        "reach",
        "replays",
        "total_time_watched",
        "full_views",
        "share_count",
        "favorites_count",
        "new_followers",
    ]
    assert [metric.name for metric in DISCLOSED] == ["like_count", "comment_count"]


def test_no_two_metrics_share_a_name() -> None:
    of_channel = [*FOLLOWERS, *CHANNEL, *CHANNEL_DERIVED]
    listed = [*COUNTERS, *DISCLOSED, *DERIVED, *of_channel, *HISTOGRAM.values(), *QUARTILES.values()]
    listed += [*AUDIENCE.values(), *INSIGHTS, *IMPORTED]
    listed += [*LIVE, *LIVE_REACTIONS, *LIVE_DISCLOSED, *LIVE_DERIVED, *LIVE_AUDIENCE.values(), LIVE_ANSWERS]
    assert len(ALL) == len(listed)


@pytest.mark.parametrize("metric", ALL.values(), ids=ALL)
def test_every_metric_is_defined_in_one_sentence(metric: Metric) -> None:
    assert metric.meaning.endswith(".")
    assert metric.meaning.count(". ") == 0
    assert metric.meaning[0].isupper() or metric.meaning.split()[0] in ALL


def test_only_disclosed_acts_are_exact() -> None:
    assert {name for name, metric in ALL.items() if metric.disclosed} == {
        "like_count",
        "comment_count",
        "followers_count",
        "chat_count",
        "gift_count",
    }
    assert not any(metric.disclosed for metric in (*COUNTERS, *AUDIENCE.values()))


def test_every_audience_table_has_axes_and_every_axis_a_domain() -> None:
    assert AUDIENCE.keys() == AUDIENCE_AXES.keys()
    assert {axis for axes in AUDIENCE_AXES.values() for axis in axes} == default_policy().axes.keys()


def test_the_cells_of_a_table_are_its_domain_in_order() -> None:
    assert cells_of("ages", AXES) == AXES["age"]
    assert cells_of("types", AXES) == ("not_follower", "follower")


def test_the_last_axis_of_a_two_way_table_runs_fastest() -> None:
    cells = cells_of("ages_genders", AXES)
    assert cells[:5] == ("unknown|unknown", "unknown|female", "unknown|male", "unknown|other", "13-17|unknown")
    assert len(cells) == len(AXES["age"]) * len(AXES["gender"])


def test_the_default_policy_pays_for_every_counter_in_the_board_s_order() -> None:
    policy = default_policy()
    assert [counter.name for counter in policy.counters] == [metric.name for metric in COUNTERS]
    assert all(set(audience.tables) <= AUDIENCE.keys() for audience in policy.audiences.values())
