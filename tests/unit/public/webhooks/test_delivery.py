from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from footlights.public.accounts.store import Store
from footlights.public.webhooks import Courier, Webhooks
from footlights.public.webhooks.delivery import AFTER_SECONDS, FAILING_SECONDS_MAX
from footlights.public.webhooks.endpoints import ENDPOINTS_MAX
from footlights.public.webhooks.sending import Outcome
from footlights.terms.errors import NotAllowed

OWNER = "creator:ada"
NOW = 1_800_000_000


class World:
    """A store with a clock, and a receiver that answers what it is told to."""

    def __init__(self, folder: Path) -> None:
        self.now = float(NOW)
        self.store = Store(folder, clock=lambda: self.now)
        self.hooks = Webhooks(self.store)
        self.answer: dict[str, str] = {}
        self.takes_seconds = 0
        self.heard: list[tuple[str, dict[str, str], bytes]] = []
        self.courier = Courier(self.store, send=self._send)

    def _send(self, url: str, *, headers: dict[str, str], body: bytes, private_allowed: bool) -> Outcome:
        self.heard.append((url, headers, body))
        self.now += self.takes_seconds
        word = self.answer.get(url, "200")
        return Outcome(taken=word.startswith("2"), word=word)

    def tell(self, key: str = "k", owner: str = OWNER) -> int:
        return self.hooks.tell(owner, key=key, type="video.taking_off", data={"video": "v"}, at_utc=int(self.now))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.store.close()


def _url(name: str) -> str:
    return f"https://{name}.example/hook"


def test_a_message_is_signed_with_its_endpoints_secret_and_sent_once(world: World) -> None:
    added = world.hooks.add(OWNER, _url("a"))
    assert [world.tell(), world.tell()] == [1, 0]
    assert world.courier.run().taken == 1 and world.courier.run().taken == 0
    ((url, headers, body),) = world.heard
    key = base64.b64decode(added.secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert (url, headers["webhook-signature"]) == (_url("a"), f"v1,{right}")
    said: dict[str, Any] = msgspec.json.decode(body)
    assert said == {"type": "video.taking_off", "timestamp": "2027-01-15T08:00:00Z", "data": {"video": "v"}}


def test_every_endpoint_of_the_owner_is_told_and_nobody_elses(world: World) -> None:
    for owner, name in ((OWNER, "a"), (OWNER, "b"), ("creator:bob", "c"), ("app:ada", "d")):
        world.hooks.add(owner, _url(name))
    world.tell()
    world.courier.run()
    assert sorted(url for url, _, __ in world.heard) == [_url("a"), _url("b")]


def test_what_is_not_taken_is_tried_again_later_and_later_with_the_same_id(world: World) -> None:
    world.hooks.add(OWNER, _url("a"))
    world.answer[_url("a")] = "500"
    world.tell()
    for tries, seconds in enumerate(AFTER_SECONDS, start=1):
        assert world.courier.run().later == 1 and len(world.heard) == tries
        world.now += seconds - 1
        assert world.courier.run().later == 0
        world.now += 1
    assert len({headers["webhook-id"] for _, headers, __ in world.heard}) == 1
    assert world.courier.run().dead == 1
    (endpoint,) = world.hooks.of(OWNER)
    assert (endpoint.dead, endpoint.waiting, endpoint.outcome) == (1, 0, "500")


def test_one_endpoint_that_fails_holds_up_no_other_and_its_own_wait(world: World) -> None:
    world.hooks.add(OWNER, _url("bad"))
    world.hooks.add(OWNER, _url("good"))
    world.answer[_url("bad")] = "timeout"
    for key in "xyz":
        world.tell(key)
    done = world.courier.run()
    assert (done.taken, done.later) == (3, 1)
    assert [url for url, _, __ in world.heard].count(_url("bad")) == 1


def test_an_endpoint_that_takes_nothing_for_days_is_stopped_and_its_owner_starts_it_again(world: World) -> None:
    number = world.hooks.add(OWNER, _url("a")).endpoint
    world.answer[_url("a")] = "unreachable"
    world.tell()
    world.courier.run()
    world.now += FAILING_SECONDS_MAX
    done = world.courier.run()
    assert (done.stopped, done.dead) == (1, 1)
    (endpoint,) = world.hooks.of(OWNER)
    assert endpoint.stopped and world.tell("later") == 0
    world.hooks.again(OWNER, number)
    world.answer.clear()
    assert world.courier.run().taken == 1
    (endpoint,) = world.hooks.of(OWNER)
    assert not endpoint.stopped and endpoint.failing_since_utc is None and endpoint.dead == 0


def test_410_stops_an_endpoint_at_once(world: World) -> None:
    world.hooks.add(OWNER, _url("a"))
    world.answer[_url("a")] = "410"
    world.tell()
    assert world.courier.run().stopped == 1 and world.hooks.of(OWNER)[0].stopped


def test_two_runs_at_a_time_send_a_message_once(world: World) -> None:
    world.hooks.add(OWNER, _url("a"))
    world.tell()
    inner = world.courier

    def send(url: str, **options: Any) -> Outcome:
        assert inner.run() == inner.run(), "nothing is left for another"
        return Outcome(taken=True, word="200")

    assert Courier(world.store, send=send).run().taken == 1 and world.heard == []


def test_an_endpoint_is_told_nothing_of_before_it(world: World) -> None:
    world.hooks.add(OWNER, _url("a"))
    assert world.hooks.tell(OWNER, key="old", type="t", data=None, at_utc=NOW - 1) == 0


def test_an_owner_changes_their_own_endpoints_alone(world: World) -> None:
    number = world.hooks.add(OWNER, _url("a")).endpoint
    for change in (world.hooks.remove, world.hooks.again):
        with pytest.raises(NotAllowed):
            change("creator:bob", number)
    assert world.hooks.tell("creator:bob", key="k", type="t", data=None, at_utc=NOW, only=number) == 0
    world.hooks.remove(OWNER, number)
    assert world.hooks.of(OWNER) == []


def test_there_are_so_many_endpoints_and_each_once(world: World) -> None:
    for number in range(ENDPOINTS_MAX):
        world.hooks.add(OWNER, _url(f"a{number}"))
    for name in ("a0", "more"):
        with pytest.raises(NotAllowed):
            world.hooks.add(OWNER, _url(name))


def test_no_log_or_repr_holds_an_address_or_a_secret(world: World) -> None:
    with capture_logs() as logs:
        added = world.hooks.add(OWNER, _url("a"))
        world.tell()
        world.courier.run()
    assert "example" not in str(logs) and added.secret not in f"{logs}{added!r}" and logs


def test_an_endpoint_that_answers_slowly_is_served_for_a_minute_of_each_run_and_no_longer(world: World) -> None:
    world.hooks.add(OWNER, _url("a"))
    for key in range(20):
        world.tell(str(key))
    world.takes_seconds = 14
    assert [world.courier.run().taken for _ in range(5)] == [5, 5, 5, 5, 0]
