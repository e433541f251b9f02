"""What canaries send. The two worlds of a coin differ in the canary's private acts and in nothing else."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest

from footlights.audit.doors import Answer, Message
from footlights.audit.planting import KNOWN, LEAD_SECONDS, Canaries, be_loud_again, plant, take_down, toss
from footlights.terms.errors import AuditFailed
from footlights.terms.policy import default_policy, parse_policy
from footlights.terms.ticks import DAY

NOW = 1_790_812_830


class Listening:
    """Doors that take everything down. slow: seconds that each request takes. status: of every GET."""

    def __init__(self, *, slow: int = 0, status: int = 404) -> None:
        self.now, self.slow, self.status = NOW, slow, status
        self.sent: list[Message] = []

    def now_utc(self) -> int:
        return self.now

    def send(self, messages: list[Message]) -> Answer:
        self.sent += messages
        self.now += self.slow
        return Answer(status=200, headers={}, body=b"{}", seconds=0.0)

    def get(self, path: str, *, creator: str = "", app: str = "") -> Answer:
        return Answer(status=self.status, headers={}, body=b"{}", seconds=0.0)

    def pass_time(self, seconds: int) -> None:
        raise AssertionError("planting does not wait")


def planted(coin: bool) -> tuple[Canaries, list[Message]]:
    doors = Listening()
    coins = np.array([coin])
    return plant(doors, default_policy(), coins=coins, seed=1), doors.sent


def names(messages: list[Message], *, viewer: str) -> Counter[str]:
    return Counter(m["event"] for m in messages if m["userId"].endswith(viewer))


def test_coins_are_fair_and_hang_on_the_seed_alone() -> None:
    coins = toss(5, 10_000)
    assert abs(int(coins.sum()) - 5000) < 6 * 50
    assert (coins == toss(5, 10_000)).all()
    assert (coins[:100] == toss(5, 100)).all(), "more canaries leave the first ones' coins as they are"
    assert (coins != toss(6, 10_000)).any()


def test_a_coin_decides_on_the_canary_s_private_acts_and_on_nothing_else() -> None:
    (_, heads), (_, tails) = planted(True), planted(False)

    def others(messages: list[Message]) -> list[str]:
        return [json.dumps(m) for m in messages if not m["userId"].endswith("canary")]

    assert others(heads) == others(tails)
    assert names(tails, viewer="canary") == {"Creator Followed": 1}
    assert not any("asset_id" in m["properties"] for m in tails if m["userId"].endswith("canary"))
    assert not names(tails, viewer="canary")["Profile Viewed"]
    assert names(heads, viewer="canary")["Creator Followed"] > 0, (
        "a follow as such is disclosed, and happens either way"
    )


def test_a_known_viewer_goes_to_its_bounds_and_a_canary_far_beyond() -> None:
    canaries, messages = planted(True)
    one = names(messages, viewer="known-0")
    once = dict.fromkeys(("Video Shared", "Video Saved", "Creator Followed"), 1)
    assert one == once | {"Video Viewed": 3, "Profile Viewed": 3}
    assert (canaries.starts, canaries.visits) == (3, 3)
    loud = names(messages, viewer="canary")
    assert all(loud[name] >= 10 * count for name, count in one.items())


def test_a_canary_uses_every_message_id_of_the_others_before_they_do() -> None:
    _, messages = planted(True)
    first: dict[str, Any] = {}
    for message in messages:
        first.setdefault(message.get("messageId", ""), message["userId"])
    known = {m["messageId"] for m in messages if "known" in m["userId"]}
    assert len(known) == 9 * KNOWN, "each of theirs is its own, so they do not displace each other"
    assert all(first[id_].endswith("canary") for id_ in known)


def test_what_a_canary_does_again_is_new_each_time_and_done_by_heads_alone() -> None:
    doors = Listening()
    canaries = plant(doors, default_policy(), coins=np.array([True, False]), seed=1)
    seen = {m.get("messageId") for m in doors.sent}
    for time in (0, 1):
        doors.sent = []
        be_loud_again(doors, canaries, time=time)
        assert {m["userId"] for m in doors.sent} == {f"{canaries.videos[0]}-canary"}
        again = {m["messageId"] for m in doors.sent}
        assert len(again) == 9 and not again & seen
        seen |= again


def test_a_canary_keeps_still_in_the_next_season_where_it_would_be_another_unit() -> None:
    doors = Listening()
    canaries = plant(doors, default_policy(), coins=np.array([True, False]), seed=1)
    doors.sent, doors.now = [], NOW + 31 * DAY
    be_loud_again(doors, canaries, time=0)
    assert doors.sent == []
    assert canaries.acted_at_utc == [NOW]


def test_every_canary_has_a_channel_and_a_video_of_its_own() -> None:
    canaries = plant(Listening(), default_policy(), coins=np.array([True, False, True]), seed=1)
    assert len(set(canaries.creators)) == len(set(canaries.videos)) == len(canaries) == 3


def test_videos_that_are_read_no_more_are_taken_down() -> None:
    doors = Listening()
    canaries = plant(doors, default_policy(), coins=np.array([True, False]), seed=1)
    doors.sent = []
    take_down(doors, canaries)
    assert [m["properties"]["asset_id"] for m in doors.sent if m["event"] == "Video Removed"] == list(canaries.videos)


def test_bounds_of_the_policy_decide_how_loud_a_canary_is() -> None:
    policy = parse_policy(default_policy().text.replace("bound = 3\n", "bound = 16\n"))
    doors = Listening()
    plant(doors, policy, coins=np.array([True]), seed=1)
    visits = [m["messageId"] for m in doors.sent if m["event"] == "Profile Viewed" and "canary" in m["userId"]]
    assert len(set(visits)) == 16 * KNOWN


def test_videos_go_up_at_a_whole_minute_after_all_is_sent() -> None:
    canaries, messages = planted(True)
    assert canaries.posted_at_utc % 60 == 0
    assert canaries.posted_at_utc >= NOW + LEAD_SECONDS
    assert all(m["timestamp"] <= "2026-10-01T00:01" for m in messages), "nobody sends from the future"


def test_sending_that_takes_too_long_ends_the_audit() -> None:
    with pytest.raises(AuditFailed, match="Plant fewer canaries"):
        plant(Listening(slow=200), default_policy(), coins=np.array([True, False]), seed=1)


def test_canaries_of_one_seed_are_planted_once() -> None:
    with pytest.raises(AuditFailed, match="Name another seed"):
        plant(Listening(status=200), default_policy(), coins=np.array([True, False]), seed=1)
