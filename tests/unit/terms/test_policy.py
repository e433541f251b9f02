"""A policy is checked before anything is counted, and refuses what it does not know."""

from __future__ import annotations

from fractions import Fraction
from importlib import resources
from pathlib import Path

import pytest

from footlights.terms.errors import BadPolicy
from footlights.terms.metrics import WATCH_STEPS
from footlights.terms.policy import Policies, default_policy, load_policy, parse_policy

DEFAULT = resources.files("footlights.terms").joinpath("policy.toml").read_text("utf-8")


def changed(old: str, new: str) -> str:
    """The default policy with one thing changed."""
    assert DEFAULT.count(old) == 1, "the change must hit exactly one place"
    return DEFAULT.replace(old, new)


def test_the_default_policy_spends_its_whole_unit_and_no_more() -> None:
    policy = default_policy()
    assert policy.units == dict.fromkeys(("video", "creator", "live"), Fraction(6, 100))
    assert {unit: policy.spent_rho(unit) for unit in policy.units} == policy.units


def test_budgets_are_exact_fractions() -> None:
    policy = default_policy()
    assert {counter.name: counter.rho for counter in policy.counters} == {
        "reach": Fraction(1, 50),
        "replays": Fraction(1, 500),
        "total_time_watched": Fraction(1, 250),
        "full_views": Fraction(1, 500),
        "share_count": Fraction(3, 2000),
        "favorites_count": Fraction(3, 2000),
        "new_followers": Fraction(3, 2000),
    }
    assert policy.audiences["audience"].rho == Fraction(9, 500)


def test_a_folder_without_a_policy_has_the_default(tmp_path: Path) -> None:
    assert load_policy(tmp_path / "policy.toml") == default_policy()


def test_a_file_takes_the_default_s_place(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(changed('rho = "0.0200"', 'rho = "1/100"'), "utf-8")
    assert load_policy(path).rho_of("counters") == Fraction("0.0225")


def test_two_texts_have_two_digests_and_one_text_has_one() -> None:
    assert default_policy().digest == parse_policy(DEFAULT).digest
    assert default_policy().digest != parse_policy(DEFAULT + "\n# a word\n").digest


def test_a_replay_bound_may_be_lowered_but_not_raised() -> None:
    assert parse_policy(changed("reach + replays\nbound = 2", "\nbound = 1")).counters[1].bound == 1
    with pytest.raises(BadPolicy, match=r"counters\.replays\.bound is at most 2"):
        parse_policy(changed("reach + replays\nbound = 2", "\nbound = 3"))


def test_watch_time_is_bounded_by_length_and_by_seconds() -> None:
    policy = default_policy()
    assert policy.watch_bound_ms(15_000) == 30_000
    assert policy.watch_bound_ms(300_000) == 600_000
    assert policy.watch_bound_ms(7_200_000) == 600_000


def test_watch_time_that_the_store_has_no_room_for_is_no_bound() -> None:
    with pytest.raises(BadPolicy, match=r"total_time_watched\.bound_seconds is at most 86400"):
        parse_policy(changed("bound_seconds = 600", "bound_seconds = 86401"))
    day = parse_policy(changed("bound_seconds = 600", "bound_seconds = 86400"))
    assert day.watch_bound_ms(0) < 2**31


def test_a_video_of_unknown_length_has_the_bound_in_seconds() -> None:
    assert default_policy().watch_bound_ms(0) == 600_000


def test_watch_time_has_the_same_sensitivity_in_steps_whatever_the_bound() -> None:
    shorter = parse_policy(changed("bound_seconds = 600", "bound_seconds = 60"))
    assert {policy.counters[2].bound for policy in (default_policy(), shorter)} == {WATCH_STEPS}


def test_families_that_cost_more_than_the_unit_are_refused_with_the_difference() -> None:
    with pytest.raises(
        BadPolicy, match=r"of units\.video need rho 0\.062, the unit has 0\.06\. Lower a family's rho by 0\.002"
    ):
        parse_policy(changed('rho = "0.0200"', 'rho = "0.0220"'))
    with pytest.raises(BadPolicy, match=r"of units\.creator need rho 0\.061"):
        parse_policy(changed('bound = 1\nrho = "0.0100"', 'bound = 1\nrho = "0.0110"'))
    with pytest.raises(BadPolicy, match=r"of units\.live need rho 0\.061"):
        parse_policy(changed('rho = "0.0300"', 'rho = "0.0310"'))


def test_a_policy_that_was_written_before_there_were_live_figures_has_the_shipped_bounds_for_them() -> None:
    begin, end = DEFAULT.index("# ---- of one live session"), DEFAULT.index("[interests]")
    before = DEFAULT[:begin] + DEFAULT[end:]
    before = before.replace('[units.live]        # (viewer, live session, season)\nrho = "0.06"\n', "")
    before = "\n".join(line for line in before.splitlines() if not line.startswith("small_room"))
    assert "live" not in before
    old, new = parse_policy(before), default_policy()
    assert (old.live, old.units, old.small_room) == (new.live, new.units, new.small_room)


def test_a_live_bound_beyond_what_is_kept_is_refused() -> None:
    with pytest.raises(BadPolicy, match=r"live\.concurrent_viewers\.bound is at most 8"):
        parse_policy(changed("out of each viewer\nbound = 2", "\nbound = 9"))


def test_a_difference_that_no_double_could_hold_is_still_refused() -> None:
    with pytest.raises(BadPolicy, match="need rho"):
        parse_policy(changed('rho = "0.0200"', 'rho = "0.020000000000000000000000000000000000001"'))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("version = 1", "version = 2", "version must be 1"),
        ("version = 1", "", "version must be 1"),
        ("[counters.reach]", "[counters.reech]", "counters has reech"),
        ("[keep]", "[kept]", r"policy\.toml has kept"),
        ("[counters.full_views]\nbound = 1", "[counters.full_views]\nbound = 1\nboundary = 1", "has boundary"),
        ("[counters.full_views]\nbound = 1", "[counters.full_views]\nbound = 0", "integer of at least 1"),
        ("[counters.full_views]\nbound = 1", "[counters.full_views]\nbound = true", "bound must be an integer"),
        ("[counters.full_views]\nbound = 1", "[counters.full_views]\nbound = 2", "bound is at most 1"),
        ("bound_seconds = 600", "bound_seconds = 0", "bound_seconds must be an integer of at least 1"),
        ("bound_durations = 2\n", "", "bound_durations must be an integer"),
        ('rho = "0.0200"', "rho = 0.02", "rho must be text"),
        ('rho = "0.0200"', 'rho = "much"', "rho is not a number"),
        ('rho = "0.0200"', 'rho = "1/0"', "rho is not a number"),
        ('rho = "0.0200"', 'rho = "nan"', "rho is not a number"),
        ('rho = "0.0200"', 'rho = "0"', "rho must be above 0"),
        ('rho = "0.0200"', 'rho = "-1"', "rho must be above 0"),
        ('"ages_genders", ', '"ages_genres", ', r"audience\.tables may hold total, ages, genders, countries, types"),
        ('"ages_genders", ', '"ages", ', "list of different tables"),
        ('"total", "ages", "genders", "countries", "types", "interests", "types_ages"', "[]", "may hold total"),
        ('"types", "interests",\n    "ages_g', '"types",\n    "ages_g', "interests_ages, which needs interests"),
        ("# visits to the profile\nbound = 3", "\nbound = 0", "at least 1"),
        ("of each viewer\nbound = 4", "\nbound = 17", r"hours\.bound is at most 16"),
        ('"animals", ', '"unknown", ', "unknown is always there"),
        ('"animals", ', '"art", ', "different names"),
        ("[interests] ", "[interests]\na_viewer = 5 ", r"a_viewer is at most 4"),
        ("raw_event_days = 35", "raw_event_days = 0", "raw_event_days must be an integer of at least 1"),
        ("events_a_minute = 120", "events_a_minute = 0", "events_a_minute must be an integer of at least 1"),
        ('delta = "1e-9"', 'delta = "0"', "delta must be above 0"),
        ('rho = "0.0045"', 'rho = "-0.0045"', "rho must be above 0"),
        ("version = 1", "version = = 1", "is not TOML"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_refused_by_name(old: str, new: str, said: str) -> None:
    with pytest.raises(BadPolicy, match=said):
        parse_policy(changed(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('delta = "1e-9"', 'delta = "2"'),
        ("too_few = 0.5", "too_few = 0"),
        ("too_few = 0.5", 'too_few = "half"'),
        ("too_few = 0.5", "too_few = nan"),
        ("too_few = 0.5", "too_phew = 0.5"),
        ("raw_event_days = 35", "raw_event_days = 35\nraw_event_weeks = 5"),
        ("[units.video]", "[units.vidio]\nrho = '1'\n[units.video]"),
        ("[units.video] ", "[units.video]\nepsilon = '2' "),
    ],
)  # fmt: skip
def test_an_entry_without_meaning_is_refused_as_a_bad_policy_and_not_guessed(old: str, new: str) -> None:
    with pytest.raises(BadPolicy):
        parse_policy(changed(old, new))


def test_a_section_that_is_a_number_is_refused() -> None:
    before, after = DEFAULT.split("[sources]")
    text = before.replace("version = 1", "version = 1\nsources = 3") + after[after.index("[channel") :]
    with pytest.raises(BadPolicy):
        parse_policy(text)


@pytest.mark.parametrize(
    "section",
    ["units", "counters", "audience", "retention", "sources", "channel", "hours", "interests", "show", "keep"],
)
def test_a_missing_section_is_named(section: str) -> None:
    kept, skipping = [], False
    for line in DEFAULT.splitlines():
        if line.startswith("["):
            skipping = line[1:].startswith(section)
        if not skipping:
            kept.append(line)
    with pytest.raises(BadPolicy, match=rf"\[{section}\] is missing"):
        parse_policy("\n".join(kept))


def test_the_interests_are_an_axis_that_begins_with_unknown() -> None:
    assert default_policy().axes["interest"][:2] == ("unknown", "animals")


def test_a_season_has_the_newest_policy_that_has_begun_and_the_later_decided_of_two_that_begin_together() -> None:
    texts = [DEFAULT + f"\n# {number}\n" for number in range(3)]
    policies = Policies([(0, parse_policy(texts[0])), (100, parse_policy(texts[1])), (100, parse_policy(texts[2]))])
    assert [policies.number_at(season) for season in (-5, 0, 99, 100, 101)] == [0, 0, 0, 2, 2]
    assert policies.at(100).text == texts[2]
