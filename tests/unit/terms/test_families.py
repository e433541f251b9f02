"""Families are numbered and ordered for good: the private store and the board depend on it."""

from __future__ import annotations

import pytest

from footlights.terms.families import (
    FAMILIES,
    HISTOGRAMS,
    LIVE_FAMILIES,
    POSITIONS,
    UNITS,
    WATCH_EDGES_SECONDS,
    families_at,
    families_of,
    histograms_of,
)
from footlights.terms.metrics import CHANNEL
from footlights.terms.policy import default_policy
from footlights.terms.ticks import AGES, Schedule


def test_every_family_belongs_to_one_unit_and_every_unit_has_some() -> None:
    of_units = [family for unit in UNITS for family in families_of(unit)]
    assert sorted(of_units) == sorted([*FAMILIES, *LIVE_FAMILIES])
    assert families_of("live") == LIVE_FAMILIES
    assert families_of("video") == ("counters", "audience", "retention", "sources")
    assert families_of("creator") == ("channel", "hours", "channel_audience")


@pytest.mark.parametrize("name", FAMILIES)
def test_a_video_ticks_by_its_age_and_a_channel_by_the_calendar(name: str) -> None:
    family = FAMILIES[name]
    assert (family.schedule in AGES) == (family.unit == "video")
    assert name in families_at(family.schedule)


def test_every_schedule_has_a_family_and_no_family_is_published_twice() -> None:
    at = [family for schedule in Schedule for family in families_at(schedule)]
    assert sorted(at) == sorted(FAMILIES) and all(families_at(schedule) for schedule in Schedule)


def test_histograms_keep_the_numbers_that_the_private_store_knows_them_by() -> None:
    assert {name: histogram.number for name, histogram in HISTOGRAMS.items()} == {
        "sources": 0, "positions": 1, "watch_times": 2, "hours": 3, "channel": 4,
    }  # fmt: skip


@pytest.mark.parametrize("name", FAMILIES)
def test_only_families_of_histograms_have_histograms(name: str) -> None:
    held = histograms_of(name)
    assert bool(held) == (FAMILIES[name].shape == "histograms")
    assert all(len(histogram) == len(set(histogram.cells)) for histogram in held)


def test_cells_are_as_many_as_their_names_say() -> None:
    assert len(HISTOGRAMS["positions"]) == POSITIONS == 100
    assert len(HISTOGRAMS["watch_times"]) == len(WATCH_EDGES_SECONDS) == 28
    assert len(HISTOGRAMS["hours"]) == 7 * 24
    assert HISTOGRAMS["hours"].cells[0] == "mon 00" and HISTOGRAMS["hours"].cells[-1] == "sun 23"
    assert HISTOGRAMS["channel"].cells == tuple(metric.name for metric in CHANNEL)


def test_bins_of_the_time_watched_grow_and_end_before_the_longest_bound() -> None:
    assert WATCH_EDGES_SECONDS[0] == 0
    assert list(WATCH_EDGES_SECONDS) == sorted(set(WATCH_EDGES_SECONDS))
    assert WATCH_EDGES_SECONDS[-1] * 1000 < default_policy().watch_bound_ms(0)
