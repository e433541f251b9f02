"""Encode: each field of an event stands in its record, and its viewer's id nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from footlights.private.collect.encode import encode, seasons_of
from footlights.private.vault.records import BY_CLOCK, COMPLETED, FOLLOWER, FOLLOWER_KNOWN, PLAYING, subject_key
from footlights.private.vault.seasons import SeasonKeys
from footlights.terms.events import CREATOR_KINDS, LIVE_KINDS, Kind, ViewerEvent
from footlights.terms.seasons import parse_season, season_at, season_start_utc

NOV, DEC = parse_season("2026-11"), parse_season("2026-12")
NOV_MS, DEC_MS = season_start_utc(NOV) * 1000, season_start_utc(DEC) * 1000


@pytest.fixture
def keys(tmp_path: Path) -> SeasonKeys:
    return SeasonKeys(tmp_path)


def event(**over: Any) -> ViewerEvent:
    fields: dict[str, Any] = {"kind": Kind.VIEW, "viewer": "ann", "subject": "v1", "at_ms": NOV_MS, "message": "m"}
    return ViewerEvent(**fields | over)


def test_every_field_of_an_event_stands_in_its_record(keys: SeasonKeys) -> None:
    one = event(
        session="s", position_ms=1, watch_ms=2, completed=True, follower=True, age=3, gender=2, country=249, source=5
    )
    (record,), kept = encode([one], keys)
    token = keys.tokens(NOV, ["ann"])
    subject = subject_key("video", "v1")
    assert kept.all()
    assert record["at_ms"] == NOV_MS and record["kind"] == Kind.VIEW
    assert record["viewer"] == keys.viewers(token)[0] and record["subject"] == subject
    assert record["pair"] == keys.pairs(NOV, token, np.array([subject]))[0]
    assert (
        record["message"] == keys.messages(NOV, ["m"])[0] and record["session"] == keys.sessions(NOV, token, ["s"])[0]
    )
    assert [record[name] for name in ("position_ms", "watch_ms", "age", "gender", "country", "source")] == [
        1, 2, 3, 2, 249, 5,
    ]  # fmt: skip
    assert record["flags"] == COMPLETED | FOLLOWER | FOLLOWER_KNOWN


@pytest.mark.parametrize(("follower", "flags"), [(None, 0), (False, FOLLOWER_KNOWN), (True, FOLLOWER_KNOWN | FOLLOWER)])
def test_a_follower_that_was_not_said_is_not_a_no(follower: bool | None, flags: int, keys: SeasonKeys) -> None:
    assert encode([event(follower=follower)], keys)[0]["flags"][0] == flags


@pytest.mark.parametrize(("playing", "flags"), [(None, 0), (False, BY_CLOCK), (True, BY_CLOCK | PLAYING)])
def test_a_player_that_tells_no_state_is_not_one_that_stands_still(
    playing: bool | None, flags: int, keys: SeasonKeys
) -> None:
    assert encode([event(kind=Kind.PROGRESS, playing=playing)], keys)[0]["flags"][0] == flags


@pytest.mark.parametrize("kind", list(Kind))
def test_the_subject_is_a_video_a_creator_a_live_session_or_nobody_as_the_kind_says(
    kind: Kind, keys: SeasonKeys
) -> None:
    record = encode([event(kind=kind)], keys)[0][0]
    if kind is Kind.TRAITS:
        assert record["subject"] == 0
        assert record["pair"] == keys.pairs(NOV, keys.tokens(NOV, ["ann"]), np.array([0]))[0]
    else:
        what = "live" if kind in LIVE_KINDS else "creator" if kind in CREATOR_KINDS else "video"
        assert record["subject"] == subject_key(what, "v1")


def test_an_event_without_a_message_id_is_known_by_its_time_and_kind(keys: SeasonKeys) -> None:
    records, _ = encode([event(message=""), event(message=""), event(message="", kind=Kind.LIKE), event()], keys)
    assert records["message"][0] == records["message"][1] == (NOV_MS << 5 | Kind.VIEW)
    assert len(set(records["message"].tolist())) == 3


def test_events_of_two_seasons_keep_their_order_and_have_two_pseudonyms(keys: SeasonKeys) -> None:
    records, kept = encode([event(at_ms=DEC_MS), event(), event(at_ms=DEC_MS + 1)], keys)
    assert kept.all() and records["at_ms"].tolist() == [DEC_MS, NOV_MS, DEC_MS + 1]
    assert records["viewer"][0] == records["viewer"][2] != records["viewer"][1]


def test_an_event_whose_season_was_destroyed_meanwhile_is_left_out(keys: SeasonKeys) -> None:
    keys.destroy_before(DEC)
    records, kept = encode([event(), event(at_ms=DEC_MS)], keys)
    assert kept.tolist() == [False, True] and records["at_ms"].tolist() == [DEC_MS]


def test_no_events_are_no_records(keys: SeasonKeys) -> None:
    assert len(encode([], keys)[0]) == 0
    assert keys.seasons() == []


def test_the_season_of_a_moment_is_the_calendars() -> None:
    moments = np.array([0, DEC_MS - 1, DEC_MS, 253_402_300_799_999], dtype=np.int64)
    assert seasons_of(moments).tolist() == [season_at(at_ms // 1000) for at_ms in moments.tolist()]
