"""Admission: who may send from where, and how much."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footlights.private.collect.admission import Admission, Bucket, Caller
from footlights.private.collect.callers import OWN_PAGE
from footlights.private.collect.keys import Keyring
from footlights.settings import load_settings
from footlights.terms.errors import BadRequest

PAGE, OTHER = "https://www.example", "https://other.example"
SECOND_NS = 1_000_000_000


class Clock:
    """Nanoseconds that a test moves on."""

    def __init__(self) -> None:
        self.now_ns = 123

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def admission(tmp_path: Path, clock: Clock) -> Callable[..., Admission]:
    def make(**over: int) -> Admission:
        return Admission(Keyring(tmp_path), load_settings(tmp_path, over={**over}), clock_ns=clock)

    return make


def refusal(what: Callable[..., Any], *given: Any) -> tuple[int, str]:
    with pytest.raises(BadRequest) as refused:
        what(*given)
    return refused.value.status, refused.value.code


def test_a_key_that_is_none_is_refused(admission: Callable[..., Admission]) -> None:
    assert refusal(admission().admit, "wk_none", None) == (401, "bad_write_key")


def test_a_server_key_is_let_in_from_no_page_whatsoever(admission: Callable[..., Admission], tmp_path: Path) -> None:
    key = Keyring(tmp_path).create("server")
    assert admission().admit(key, None).name == "server"
    for page in (PAGE, "null", OWN_PAGE, ""):
        assert refusal(admission().admit, key, page) == (403, "server_key_in_page")


def test_a_browser_key_is_let_in_from_the_pages_that_it_names_and_no_other(
    admission: Callable[..., Admission], tmp_path: Path
) -> None:
    key = Keyring(tmp_path).create("web", kind="browser", origins=[PAGE, "http://localhost:3000"])
    assert admission().admit(key, PAGE).readable_by == PAGE
    assert admission().admit(key, "http://localhost:3000").readable_by == "http://localhost:3000"
    assert admission().admit(key, OWN_PAGE).readable_by == "*", "a page of the collector's own host is the operator's"
    for page in (
        OTHER,
        "null",
        None,
        "",
        "*",
        PAGE + ":443",
        PAGE + ".evil.example",
        "http://www.example",
        PAGE.upper(),
    ):
        assert refusal(admission().admit, key, page) == (403, "wrong_origin")


def test_any_page_and_apps_and_hidden_origins_are_let_in_where_the_key_says_so_alone(
    admission: Callable[..., Admission], tmp_path: Path
) -> None:
    anywhere = Keyring(tmp_path).create("apps", kind="browser", origins=["*"])
    hidden = Keyring(tmp_path).create("files", kind="browser", origins=["null"])
    for page in (PAGE, "null", None, OWN_PAGE):
        assert admission().admit(anywhere, page).readable_by == "*"
    assert admission().admit(hidden, "null").readable_by == "*"
    for page in (PAGE, None):
        assert refusal(admission().admit, hidden, page) == (403, "wrong_origin")


def caller_of(admission: Admission, tmp_path: Path, name: str = "app", rate: int = 0) -> Caller:
    return admission.admit(Keyring(tmp_path).create(name, rate=rate), None)


def test_a_key_may_send_a_burst_at_once_and_then_its_rate(
    admission: Callable[..., Admission], tmp_path: Path, clock: Clock
) -> None:
    door = admission(key_burst_seconds=5)
    caller = caller_of(door, tmp_path, rate=100)
    for _ in range(50):
        door.charge(caller, 10)
    assert refusal(door.charge, caller, 1) == (429, "rate_limited")
    clock.now_ns += SECOND_NS // 100 - 1
    assert refusal(door.charge, caller, 1) == (429, "rate_limited")
    clock.now_ns += 1
    door.charge(caller, 1)
    assert refusal(door.charge, caller, 1) == (429, "rate_limited")


def test_what_was_refused_costs_nothing_and_is_let_in_when_it_was_told_to_come(
    admission: Callable[..., Admission], tmp_path: Path, clock: Clock
) -> None:
    door = admission(key_burst_seconds=1)
    caller = caller_of(door, tmp_path, rate=10)
    door.charge(caller, 10)
    for _ in range(100):
        with pytest.raises(BadRequest) as refused:
            door.charge(caller, 10)
    assert refused.value.retry_after_seconds == 1
    clock.now_ns += refused.value.retry_after_seconds * SECOND_NS
    door.charge(caller, 10)


def test_a_batch_larger_than_the_burst_comes_in_and_is_paid_for_afterwards(
    admission: Callable[..., Admission], tmp_path: Path, clock: Clock
) -> None:
    door = admission(key_burst_seconds=1)
    caller = caller_of(door, tmp_path, rate=10)
    door.charge(caller, 50)
    with pytest.raises(BadRequest) as refused:
        door.charge(caller, 1)
    assert refused.value.retry_after_seconds == 5
    clock.now_ns += 5 * SECOND_NS
    door.charge(caller, 1)


def test_one_key_s_traffic_takes_nothing_from_another_s_rate(
    admission: Callable[..., Admission], tmp_path: Path
) -> None:
    door = admission(key_events_a_second_max=2, key_burst_seconds=1)
    noisy, quiet = caller_of(door, tmp_path, "noisy"), caller_of(door, tmp_path, "quiet")
    door.charge(noisy, 2)
    assert refusal(door.charge, noisy, 1) == (429, "rate_limited")
    door.charge(quiet, 2)


def test_without_a_rate_there_is_no_limit_and_a_key_s_own_rate_comes_before_the_settings(
    admission: Callable[..., Admission], tmp_path: Path
) -> None:
    unlimited = admission()
    caller = caller_of(unlimited, tmp_path)
    for _ in range(10):
        unlimited.charge(caller, 5000)
    door = admission(key_events_a_second_max=1_000_000, key_burst_seconds=1)
    own = caller_of(door, tmp_path, "own", rate=1)
    door.charge(own, 1)
    assert refusal(door.charge, own, 1) == (429, "rate_limited")


def test_a_batch_has_at_most_so_many_events(admission: Callable[..., Admission], tmp_path: Path) -> None:
    door = admission(batch_events_max=3)
    caller = caller_of(door, tmp_path)
    door.charge(caller, 3)
    assert refusal(door.charge, caller, 4) == (413, "too_many_events")


@given(
    rate=st.integers(1, 1000),
    burst_seconds=st.integers(1, 10),
    asks=st.lists(st.tuples(st.integers(0, 3 * SECOND_NS), st.integers(1, 30)), max_size=60),
)
def test_no_span_of_time_lets_in_more_than_its_rate_and_one_burst_and_its_last_batch(
    rate: int, burst_seconds: int, asks: list[tuple[int, int]]
) -> None:
    bucket, now_ns = Bucket(rate=rate, burst_seconds=burst_seconds, now_ns=0), 0
    taken: list[tuple[int, int]] = []
    for passed_ns, events in asks:
        now_ns += passed_ns
        wait_ns = bucket.take(events, now_ns=now_ns)
        if wait_ns:
            assert Bucket.take(bucket, events, now_ns=now_ns + wait_ns - 1), "it is not let in before"
            now_ns += wait_ns
            assert bucket.take(events, now_ns=now_ns) == 0, "and it is let in then"
        taken.append((now_ns, events))
    for first, (began_ns, _) in enumerate(taken):
        total = 0
        for at_ns, events in taken[first:]:
            held = rate * burst_seconds * SECOND_NS + rate * (at_ns - began_ns)
            assert (total + min(events, rate * burst_seconds)) * SECOND_NS <= held
            total += events
