"""What apps are told by webhook: of whom they may read, by tick, once; and nothing after they were stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
import standardwebhooks

from footlights.alerts import send_alerts
from footlights.alerts.apps import Herald, merged
from footlights.alerts.due import due_between, families_of
from footlights.public.accounts.apps.grants import GRANT_SECONDS, Consent, Grants
from footlights.public.accounts.apps.reads import Reads
from footlights.public.accounts.apps.registry import App, Apps
from footlights.public.accounts.apps.scopes import BY_NAME
from footlights.public.accounts.apps.told import Told
from footlights.public.accounts.store import Store
from footlights.public.board.read import Board
from footlights.public.web import openapi
from footlights.public.web.described import with_apps
from footlights.public.webhooks import Courier, Webhooks
from footlights.public.webhooks.delivery import TAKEN_OF_APPS_SECONDS
from footlights.public.webhooks.messages import FiguresPublished, VideoPublished
from footlights.public.webhooks.sending import Outcome
from footlights.settings import load_settings
from footlights.terms.families import FAMILIES
from footlights.terms.ticks import AGES, DAY, HOUR, MINUTE, tick_time
from tests import boards
from tests.apps import registered

ALL = tuple(BY_NAME)
HOOK = "https://lampkit.example/hook"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada, of whose videos one took off; Bob, with one video that nobody watched."""
    made = tmp_path_factory.mktemp("hooks") / "board"
    boards.make_board(
        made,
        [boards.ACreator(id="ada", name="Ada", tier="pro"), boards.ACreator(id="bob", name="Bob")],
        [
            *(
                boards.AVideo(id=f"a{i}", creator="ada", age_seconds=(i + 3) * 3 * DAY, reach=900 + 40 * i)
                for i in range(10)
            ),
            boards.AVideo(id="hit", creator="ada", age_seconds=30 * HOUR, reach=60_000),
            boards.AVideo(id="b0", creator="bob", age_seconds=6 * HOUR, reach=0),
        ],
        every_tick=True,
    )
    return made


class World:
    """A deployment with an approved app, a clock, and what its endpoint hears."""

    def __init__(self, data: Path, board: Path) -> None:
        (data / "board").symlink_to(board)
        self.data, self.now = data, float(boards.NOW - 2 * DAY)
        self.app, _ = registered(data)
        self.store = Store(data / "public", clock=lambda: self.now)
        self.apps, self.grants, self.hooks = Apps(self.store), Grants(self.store), Webhooks(self.store)
        self.owner = f"app:{self.app.client_id}"
        self.board = Board(board)
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.word = "200"

    def close(self) -> None:
        self.board.close()
        self.store.close()

    def grant(self, creator: str = "ada", *scopes: str, sandbox: bool = False, app: App | None = None) -> None:
        consent = Consent(creator=creator, sandbox=sandbox, scopes=scopes or ALL)
        self.grants.agree(
            app or self.app, consent, redirect_uri=self.app.redirect_uris[0], code_challenge="x", key_print=None
        )

    def herald(self, through_utc: int) -> int:
        self.now = max(self.now, through_utc)
        return Herald(self.board, self.store, load_settings(self.data), through_utc=through_utc).tell()

    def send(self) -> list[dict[str, Any]]:
        """What the endpoint hears now."""
        before = len(self.heard)
        Courier(self.store, send=self._send).run()
        return [msgspec.json.decode(body) for _, body in self.heard[before:]]

    def _send(self, _: str, *, headers: dict[str, str], body: bytes, private_allowed: bool) -> Outcome:
        self.heard.append((headers, body))
        return Outcome(taken=self.word.startswith("2"), word=self.word)


@pytest.fixture
def world(tmp_path: Path, folder: Path) -> Iterator[World]:
    made = World(tmp_path, folder)
    yield made
    made.close()


THROUGH = boards.NOW - HOUR


def _listening(world: World) -> str:
    """An endpoint that has been told up to THROUGH; its secret."""
    secret = world.hooks.add(world.owner, HOOK).secret
    assert world.herald(THROUGH) == 0 and world.send() == []
    return secret


def test_an_app_hears_what_was_published_of_each_creator_by_id_and_once(world: World) -> None:
    world.grant("bob")
    world.grant("ada")
    _listening(world)
    assert world.herald(THROUGH + MINUTE) == 1  # none of Ada's is younger than a day
    assert world.herald(THROUGH + MINUTE) == 0
    assert world.herald(THROUGH + HOUR) == 1  # Ada's: what nobody had tried to send of Bob says now this, too
    said = world.send()
    assert [(each["type"], each["data"]["creator"]) for each in said] == [
        ("figures.published", "ada"), ("figures.published", "bob"),
    ]  # fmt: skip
    bob = said[1]["data"]
    assert bob["videos"] == [{"video": "b0", "families": ["counters", "audience", "retention", "sources"]}]
    assert (bob["since"], bob["through"]) == ("2026-11-01T11:00:00Z", "2026-11-01T12:00:00Z")
    assert bob["channel"] == ["followers"] and not bob["more"]
    assert world.send() == []


def test_a_message_says_of_what_a_scope_covers_and_nothing_else(world: World) -> None:
    for scopes, channel, families in (
        (("user.info.basic", "user.info.profile", "live.insights"), None, None),
        (("user.info.stats",), ["followers"], None),
        (("video.list",), [], ["counters"]),
        (("audience.insights",), [], ["audience"]),
    ):
        world.grant("bob", *scopes)
        if world.now < THROUGH:
            _listening(world)
        world.herald(THROUGH)
        with world.store.changing() as db:
            db.execute("UPDATE app_told SET through = ?", (THROUGH,))
            db.execute("DELETE FROM webhook_messages")
        world.herald(boards.NOW)
        said = [each["data"] for each in world.send()]
        if channel is None:
            assert said == []
        else:
            assert [each["channel"] for each in said] == [channel]
            assert [v["families"] for v in said[0]["videos"]] == ([] if families is None else [families])


def test_when_and_of_what_is_told_is_the_same_whether_anybody_watched(tmp_path: Path) -> None:
    """Two platforms that differ in who watched alone: same ids, same order, same words but for what took off."""
    told = []
    for number, reach in enumerate((0, 50_000)):
        board = tmp_path / f"board-{number}"
        boards.make_board(
            board, [boards.ACreator(id=name) for name in "ab"],
            [boards.AVideo(id=f"{name}{i}", creator=name, age_seconds=5 * HOUR * (i + 1), reach=reach)
             for name in "ab" for i in range(3)],
            every_tick=False,
        )  # fmt: skip
        data = tmp_path / f"data-{number}"
        data.mkdir()
        world = World(data, board)
        for name in "ab":
            world.grant(name)
        _listening(world)
        world.herald(THROUGH + MINUTE)
        world.send()
        world.herald(boards.NOW)
        world.send()
        told.append([body for _, body in world.heard])
        world.close()
    assert told[0] == told[1] and len(told[0]) == 4


def test_due_is_what_the_schedules_say(world: World) -> None:
    ada = world.board.creator("ada")
    for video in world.board.videos(ada):
        for family in ("counters", "audience"):
            for tick in (1, 3, 5):
                at = tick_time(video.posted_at_utc, tick=tick, ages=AGES[FAMILIES[family].schedule])
                for after, until, there in ((at - 1, at, True), (at, at + 1, False), (at - 1, at - 1, False)):
                    due = due_between(world.board, ada, frozenset({family}), after_utc=after, until_utc=until)
                    assert (video.id in due.videos) is there
    assert families_of(()) == frozenset() and families_of(ALL) == {*FAMILIES, "followers"}


def test_a_video_that_takes_off_is_told_with_its_interval_and_is_in_the_creators_log(world: World) -> None:
    world.grant("ada")
    world.hooks.add(world.owner, HOOK)
    at = boards.NOW - 30 * HOUR
    world.herald(at)
    for hours in (1, 6, 24, 30):
        world.herald(at + hours * HOUR)
    (said,) = [each for each in world.send() if each["type"] == "video.taking_off"]
    assert said["data"]["video"] == "hit"
    assert said["data"]["view_count"]["low"] > said["data"]["typical"]["high"]
    (read,) = Reads(world.store).of("ada", limit=9)
    assert (read.client_id, read.route, read.reads) == (world.app.client_id, "webhook: video.taking_off", 1)


@pytest.mark.parametrize("scopes", [("video.list",), ("video.insights",), ("user.info.stats", "audience.insights")])
def test_who_may_not_read_both_list_and_curves_hears_of_no_video_that_takes_off(
    world: World, scopes: tuple[str, ...]
) -> None:
    world.grant("ada", *scopes)
    world.hooks.add(world.owner, HOOK)
    world.herald(boards.NOW - 30 * HOUR)
    world.herald(boards.NOW)
    assert {each["type"] for each in world.send()} == {"figures.published"}


def _cut(world: World) -> None:
    world.grants.cut("ada", world.app.client_id)


def _narrow(world: World) -> None:
    world.grant("ada", "user.info.basic")


def _expire(world: World) -> None:
    world.now += GRANT_SECONDS


@pytest.mark.parametrize("end", [_cut, _narrow])
def test_what_waits_of_a_creator_ends_with_their_consent(world: World, end: Callable[[World], None]) -> None:
    world.grant("ada")
    world.grant("bob")
    _listening(world)
    world.word = "500"
    world.herald(boards.NOW)
    world.send()
    end(world)
    world.now += HOUR
    world.word = "200"
    assert {each["data"]["creator"] for each in world.send()} == {"bob"}


def test_what_waits_ends_when_the_consent_runs_out(world: World) -> None:
    world.grant("ada")
    world.grant("bob")
    _listening(world)
    world.word = "500"
    world.herald(boards.NOW)
    world.send()
    world.now += HOUR
    with world.store.changing() as db:
        db.execute("UPDATE app_grants SET expires_at = ? WHERE creator = 'ada'", (int(world.now),))
    world.herald(boards.NOW)
    world.word = "200"
    assert {each["data"]["creator"] for each in world.send()} == {"bob"}


@pytest.mark.parametrize("end", [_cut, _narrow, _expire])
def test_of_whom_an_app_may_read_no_more_it_is_told_no_more(world: World, end: Callable[[World], None]) -> None:
    world.grant("ada")
    _listening(world)
    end(world)
    assert world.herald(boards.NOW) == 0


def test_a_simulated_creator_and_an_app_that_is_not_approved_are_told_of_nothing(world: World, tmp_path: Path) -> None:
    world.grant("ada", sandbox=True)
    trial, _ = registered(world.data, state="sandbox")
    world.grant("ada", app=trial)
    world.hooks.add(f"app:{trial.client_id}", "https://trial.example/hook")
    _listening(world)
    assert world.herald(boards.NOW) == 0


@pytest.mark.parametrize("state", ["suspended", "banned"])
def test_a_stopped_app_is_told_so_and_nothing_else_afterwards(world: World, state: Any) -> None:
    world.grant("ada")
    _listening(world)
    world.word = "500"
    world.herald(THROUGH + HOUR)
    assert [each["type"] for each in world.send()] == ["figures.published"]
    world.now += 10
    stopped = world.apps.move(world.apps.get(world.app.client_id), state, reason="It sold what it read.")
    world.word = "200"
    assert world.herald(boards.NOW + DAY) == 1
    (said,) = world.send()
    assert said["type"] == "app.suspended"
    assert said["data"] == {"app": stopped.client_id, "state": state, "reason": "It sold what it read."}
    world.now += 6 * DAY
    assert world.herald(boards.NOW + 2 * DAY) == 0 and world.send() == []


def test_an_app_that_is_allowed_again_hears_of_what_comes_and_not_of_what_was(world: World) -> None:
    world.grant("bob")
    _listening(world)
    world.apps.move(world.apps.get(world.app.client_id), "suspended", reason="?")
    world.herald(THROUGH + 10 * MINUTE)
    world.apps.move(world.apps.get(world.app.client_id), "approved")
    assert world.herald(THROUGH + 20 * MINUTE) == 0
    assert world.herald(THROUGH + 21 * MINUTE) == 1
    said = [each["data"] for each in world.send() if each["type"] == "figures.published"]
    assert [each["since"] for each in said] == ["2026-11-01T11:20:00Z"]


def test_an_endpoint_that_is_away_has_one_message_a_creator_waiting_that_says_all(world: World) -> None:
    world.grant("bob")
    _listening(world)
    world.word = "500"
    for minute in range(1, 30):
        world.herald(THROUGH + minute * MINUTE)
        world.send()
    (endpoint,) = world.hooks.of(world.owner)
    assert endpoint.waiting == 2  # the one that was tried, whose id it may know, and one for all since
    world.word = "200"
    world.now += DAY
    spans = [(each["data"]["since"], each["data"]["through"]) for each in world.send()]
    assert spans == [
        ("2026-11-01T11:00:00Z", "2026-11-01T11:01:00Z"), ("2026-11-01T11:01:00Z", "2026-11-01T11:29:00Z"),
    ]  # fmt: skip


def test_two_messages_together_say_what_each_said() -> None:
    def one(since: str, through: str, **videos: tuple[str, ...]) -> FiguresPublished:
        named = tuple(VideoPublished(video=name, families=families) for name, families in videos.items())
        return FiguresPublished(creator="a", since=since, through=through, channel=(), videos=named, more=False)

    whole = merged([one("1", "2", x=("counters",), y=("counters",)), one("2", "3", x=("counters", "audience"))])
    assert (whole.since, whole.through) == ("1", "3")
    assert {each.video: each.families for each in whole.videos} == {
        "x": ("counters", "audience"), "y": ("counters",),
    }  # fmt: skip


def test_a_board_that_was_put_back_is_not_told_again(world: World) -> None:
    world.grant("bob")
    _listening(world)
    assert world.herald(THROUGH + HOUR) == 1
    assert world.herald(THROUGH + MINUTE) == 0 and world.herald(THROUGH + HOUR) == 0


def test_a_run_that_breaks_off_in_the_middle_has_told_nothing_and_the_next_tells_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.grant("ada")
    world.grant("bob")
    _listening(world)
    with monkeypatch.context() as patch:
        patch.setattr(Told, "note", lambda *given, **_: _breaks() if given[3] == "bob" else None)
        with pytest.raises(ZeroDivisionError):
            world.herald(boards.NOW)
    assert world.send() == []
    assert world.herald(boards.NOW) == 2
    assert [each["data"]["creator"] for each in world.send()] == ["ada", "bob"]


def _breaks() -> None:
    raise ZeroDivisionError


def test_what_apps_took_is_kept_for_an_hour_alone(world: World) -> None:
    world.grant("bob")
    _listening(world)
    world.herald(boards.NOW)
    world.send()
    assert len(world.hooks.messages(world.owner, 1, limit=9)) == 1
    world.now += TAKEN_OF_APPS_SECONDS + 1
    world.send()
    assert world.hooks.messages(world.owner, 1, limit=9) == []


def test_a_developer_checks_a_message_with_the_library_of_the_standard(world: World) -> None:
    """As docs/guides/webhooks.md says it; also while a secret is being replaced, with the old one and the new."""
    secrets = [_listening(world)]
    world.grant("bob")
    world.herald(boards.NOW)
    secrets.append(world.hooks.rotate(world.owner, 1).secret)
    world.send()
    ((headers, body),) = world.heard
    for secret in secrets:
        whole = standardwebhooks.Webhook(secret)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(whole, "_Webhook__verify_timestamp", _at)
            assert whole.verify(body, headers)["type"] == "figures.published"
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(secret).verify(body.replace(b"bob", b"eve"), headers)
    world.now += 25 * HOUR
    world.hooks.tell(world.owner, key="t", type="test", data=None, at_utc=int(world.now))
    world.send()
    assert len(world.heard[-1][0]["webhook-signature"].split()) == 1


def _at(text: str) -> Any:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(int(text), UTC)


def test_every_message_is_as_the_description_says(world: World) -> None:
    described = with_apps(openapi.document())
    world.grant("ada")
    world.hooks.add(world.owner, HOOK)
    world.herald(boards.NOW - 30 * HOUR)
    world.herald(boards.NOW)
    said = world.send()
    world.apps.move(world.apps.get(world.app.client_id), "suspended", reason="?")
    world.herald(boards.NOW)
    said += world.send()
    assert {each["type"] for each in said} == {"figures.published", "video.taking_off", "app.suspended"}
    for each in said:
        content = described["webhooks"][each["type"]]["post"]["requestBody"]["content"]["application/json"]
        whole = {**content["schema"], "components": described["components"]}
        for instance in (each, content["example"]):
            jsonschema_rs.validator_for(whole).validate(instance)


def test_the_command_tells_apps_and_sends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from footlights import alerts

    world.grant("bob")
    _listening(world)
    monkeypatch.setattr(alerts, "Courier", lambda store, **_: Courier(store, send=world._send))
    done = send_alerts(world.data, load_settings(world.data))
    assert (done.told, done.taken) == (1, 1)
    assert send_alerts(world.data, load_settings(world.data)).told == 0
