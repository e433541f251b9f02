from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette

from footlights.public.accounts.apps.grants import Consent, Grants
from footlights.public.accounts.apps.reads import Reads
from footlights.public.accounts.apps.registry import App, Apps, State
from footlights.public.accounts.creators import Accounts
from footlights.public.accounts.store import Store
from footlights.public.board.live import LiveBoard
from footlights.public.web import stages, watching
from footlights.public.web.app import create_app
from footlights.public.web.stages import END, HEARTBEAT
from footlights.settings import load_settings
from footlights.terms.events import Kind, QuestionAsked, QuestionClosed
from tests import boards
from tests.apps import BACK, Key, registered
from tests.rooms import BEGIN, HOST, House, ended, event, joins, started

Message = tuple[int | None, str, dict[str, Any]]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A room of 300, live for ten ticks so far."""
    boards.make_board(tmp_path / "board", [boards.ACreator(id=HOST), boards.ACreator(id="other")], [], every_tick=False)
    made = House(tmp_path)
    made.tell(started(), *joins([f"v{number}" for number in range(300)], at=1))
    made.publish(20)
    yield made


class Site:
    """The application in this loop, and streams of it."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.app: Starlette = create_app(data, load_settings(data))
        accounts = Accounts(data / "public")
        self.tokens = {who: accounts.redeem(accounts.make_login_link(who, 60)) for who in (HOST, "other")}
        accounts.close()
        self.store = Store(data / "public")
        self.apps, self.grants = Apps(self.store, excess="review"), Grants(self.store)

    def let_in(
        self, scopes: tuple[str, ...] = ("live.insights",), *, state: State = "approved", sandbox: bool = False,
        key_print: str | None = None,
    ) -> App:  # fmt: skip
        """Let an app in; who=its client id watches with its token."""
        app, _ = registered(self._data, state=state)
        code = self.grants.agree(
            app, Consent(creator=HOST, sandbox=sandbox, scopes=scopes), redirect_uri=BACK, code_challenge="c",
            key_print=key_print,
        )  # fmt: skip
        found = self.grants.code(code, app)
        assert found is not None, "it was made just now"
        self.tokens[app.client_id] = self.grants.exchange(
            found, access_key=key_print, refresh_key=key_print
        ).access  # fmt: skip
        return app

    @asynccontextmanager
    async def stream(
        self,
        live: str = "l1",
        *,
        who: str = HOST,
        last: int | None = None,
        query: str = "",
        held: asyncio.Event | None = None,
        proof: str | None = None,
    ) -> AsyncIterator[Stream]:
        opened = Stream(held)
        headers = [(b"authorization", f"Bearer {self.tokens[who]}".encode()), (b"host", b"studio.test")]
        if proof is not None:
            headers = [(b"authorization", f"DPoP {self.tokens[who]}".encode()), (b"host", b"studio.test")]
            headers.append((b"dpop", proof.encode()))
        if last is not None:
            headers.append((b"last-event-id", str(last).encode()))
        scope = {
            "type": "http", "method": "GET", "path": f"/live/{live}", "raw_path": b"",
            "query_string": query.encode(),
            "headers": headers, "http_version": "1.1", "scheme": "http", "server": ("studio.test", 80),
            "client": ("127.0.0.1", 1), "root_path": "", "asgi": {"version": "3.0"},
        }  # fmt: skip
        task = asyncio.ensure_future(self.app(scope, opened.receive, opened.send))
        try:
            yield opened
        finally:
            opened.left.set()
            await asyncio.wait_for(task, 5)


class Stream:
    """What came of one. held: nothing is taken before it is set."""

    def __init__(self, held: asyncio.Event | None) -> None:
        self.status, self.raw, self.closed = 0, b"", False
        self.headers: dict[str, str] = {}
        self.fails_at = b""
        self.left, self._held, self._asked = asyncio.Event(), held, False

    async def receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.left.wait()  # set, too, when the answer is complete: then ASGI says the same
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            return
        if self._held is not None and self.raw:
            await self._held.wait()
        if self.fails_at and self.fails_at in message.get("body", b""):
            raise OSError("the client's connection broke")
        self.raw += message.get("body", b"")
        self.closed = not message.get("more_body", False)
        if self.closed:
            self.left.set()

    def messages(self) -> list[Message]:
        found: list[Message] = []
        for block in self.raw.decode().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
            if "event" in lines:
                number = int(lines["id"]) if "id" in lines else None
                found.append((number, lines["event"], json.loads(lines["data"])))
        return found

    def ids(self) -> list[int]:
        return [number for number, _, __ in self.messages() if number is not None]

    async def until(self, holds: Callable[[Stream], bool]) -> None:
        with anyio.fail_after(20):
            while not holds(self):
                await asyncio.sleep(0.02)


def run(test: Callable[[Site], Awaitable[None]], house: House) -> None:
    async def whole() -> None:
        async with asyncio.timeout(60):
            site = Site(house.board.parent)
            async with site.app.router.lifespan_context(site.app):
                await test(site)

    asyncio.run(whole())


def test_who_comes_gets_the_newest_tick_and_each_that_follows_once(house: House) -> None:
    async def test(site: Site) -> None:
        async with site.stream() as stream:
            await stream.until(lambda s: s.ids() == [10])
            for until in (22, 24, 30):
                await asyncio.to_thread(house.publish, until)
            await stream.until(lambda s: 15 in s.ids())
            assert stream.ids() == [10, 11, 12, 13, 14, 15]
            assert stream.raw.startswith(b"retry: ")
            _, __, tick = stream.messages()[-1]
            assert tick["tick"] == 15 and set(tick["figures"]) >= {"concurrent_viewers", "chat_count", "reactions_fire"}
            assert tick["figures"]["concurrent_viewers"]["low"] <= tick["figures"]["concurrent_viewers"]["high"]

    run(test, house)


def test_who_was_cut_off_gets_each_tick_that_it_missed_once_and_in_order(house: House) -> None:
    async def test(site: Site) -> None:
        async with site.stream() as stream:
            await stream.until(lambda s: s.ids() == [10])
        await asyncio.to_thread(house.publish, 40)
        async with site.stream(last=stream.ids()[-1]) as again:
            await again.until(lambda s: 20 in s.ids())
            assert again.ids() == list(range(11, 21))
        async with site.stream(query="after=17") as loaded:  # a page that was made at that tick
            await loaded.until(lambda s: 20 in s.ids())
            assert loaded.ids() == [18, 19, 20]
        async with site.stream(query="after=x") as wrong:
            await wrong.until(lambda s: s.closed)
            assert wrong.status == 400
        async with site.stream(last=99) as ahead:  # a tick that is yet to come: from there on
            await asyncio.to_thread(house.publish, 42)
            await ahead.until(lambda s: bool(s.ids()))
            assert ahead.ids() == [21]

    run(test, house)


def test_a_restart_goes_on_with_the_same_bytes(house: House) -> None:
    seen: list[bytes] = []

    async def test(site: Site) -> None:
        async with site.stream(last=0) as stream:
            await stream.until(lambda s: 10 in s.ids())
            seen.append(stream.raw.partition(b"\n\n")[2])
            site.app.state.end_streams()
            await stream.until(lambda s: s.closed)
            assert END not in stream.raw, "it is to come back"

    run(test, house)
    run(test, house)
    assert seen[0] == seen[1]


def test_ticks_that_are_kept_no_more_are_said_to_be_missing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "KEPT_TICKS", 4)

    async def test(site: Site) -> None:
        async with site.stream(last=2) as stream:
            await stream.until(lambda s: 10 in s.ids())
            assert stream.ids() == [7, 8, 9, 10]
            assert stream.messages()[0] == (None, "gap", {"after": 2, "next": 7})

    run(test, house)


def test_a_thousand_watchers_share_one_reading_and_one_message(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(site: Site) -> None:
        found = stages.Stages(house.board, watchers_max=2000, watchers_a_person_max=2000)
        stage = await found.stage("l1")
        assert await found.stage("l1") is stage
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        ticket = stages.Ticket("ada", "token", lambda: True)
        with ExitStack() as stack:
            for _ in range(1000):
                stack.enter_context(found.watching(stage, ticket, send, after_tick=10, seconds=60))
            read = found.reads
            await asyncio.to_thread(house.publish, 22)
            with anyio.fail_after(20):
                while len(sent) < 1000:
                    await asyncio.sleep(0.02)
            assert len({id(message) for message in sent}) == 1 and b"id: 11\n" in sent[0]["body"]
            assert found.reads - read <= 2, "the look that found it, and one that may have been on its way"
        assert not stage.watchers and not stage.a_person
        found.close()

    run(test, house)


def test_when_nothing_happens_there_is_a_sign_of_life(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "HEARTBEAT_SECONDS", 0.3)

    async def test(site: Site) -> None:
        async with site.stream() as stream:
            await stream.until(lambda s: s.raw.count(HEARTBEAT) >= 2)
            assert stream.ids() == [10]

    run(test, house)


def test_who_takes_nothing_is_let_go_and_holds_up_nobody(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "BEHIND_TICKS", 3)

    async def test(site: Site) -> None:
        held = asyncio.Event()
        async with site.stream(held=held) as slow, site.stream() as quick:
            await quick.until(lambda s: s.ids() == [10])
            await asyncio.to_thread(house.publish, 40)
            await quick.until(lambda s: 20 in s.ids())
            site_stage = await _stage_of(site)
            with anyio.fail_after(20):
                while len(site_stage.watchers) > 1:
                    await asyncio.sleep(0.02)
            assert slow.ids() == [], "and it comes back with the last that it saw"
            assert quick.ids() == list(range(10, 21))

    run(test, house)


async def _stage_of(site: Site) -> stages.Stage:
    watched: watching.Watching = site.app.state.end_streams.__self__
    return await watched.stages.stage("l1")


def test_who_went_away_is_counted_no_more(house: House) -> None:
    async def test(site: Site) -> None:
        async with site.stream() as stream:
            await stream.until(lambda s: bool(s.ids()))
            assert len((await _stage_of(site)).watchers) == 1
        stage = await _stage_of(site)
        assert not stage.watchers and not stage.a_person

    run(test, house)


def test_the_end_of_a_session_ends_its_streams(house: House) -> None:
    async def test(site: Site) -> None:
        async with site.stream() as stream:
            await stream.until(lambda s: bool(s.ids()))
            house.tell(ended(at=24))
            await asyncio.to_thread(house.publish, 40)
            await stream.until(lambda s: s.closed)
            assert stream.ids() == [10, 11, 12] and stream.raw.endswith(END)
        async with site.stream(last=11) as late:
            await late.until(lambda s: s.closed)
            assert late.ids() == [12] and late.raw.endswith(END)

    run(test, house)


def test_a_question_that_is_asked_or_closed_is_told_beside_the_ticks(house: House) -> None:
    async def test(site: Site) -> None:
        async with site.stream() as stream:
            await stream.until(lambda s: bool(s.ids()))
            asked = QuestionAsked(
                live="l1", id="q", at_ms=(BEGIN + 21) * 1000, text="More?", options=("yes", "no")
            )  # fmt: skip
            house.tell(asked, event("v1", Kind.LIVE_ANSWER, at=22, question="q", choice=0))
            await asyncio.to_thread(house.publish, 24)
            await stream.until(lambda s: 12 in s.ids())
            house.tell(QuestionClosed(live="l1", id="q", at_ms=(BEGIN + 25) * 1000))
            await asyncio.to_thread(house.publish, 28)
            await stream.until(lambda s: 14 in s.ids())
            assert [name for _, name, __ in stream.messages()].count("room") == 2

    run(test, house)


def test_only_the_host_may_watch_and_only_so_often(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTLIGHTS_WATCHERS_A_PERSON_MAX", "2")

    async def test(site: Site) -> None:
        for live, who in (("l1", "other"), ("none", HOST)):
            async with site.stream(live, who=who) as refused:
                await refused.until(lambda s: s.closed)
                assert refused.status == 404
        async with site.stream() as one, site.stream() as two:
            await one.until(lambda s: bool(s.ids()))
            await two.until(lambda s: bool(s.ids()))
            async with site.stream() as third:
                await third.until(lambda s: s.closed)
                assert third.status == 429 and b"too_many_watchers" in third.raw

    run(test, house)


def test_an_app_that_a_creator_let_in_gets_each_tick_and_is_written_down(house: House) -> None:
    async def test(site: Site) -> None:
        app = site.let_in()
        async with site.stream(who=app.client_id) as stream:
            await stream.until(lambda s: s.ids() == [10])
            await asyncio.to_thread(house.publish, 24)
            await stream.until(lambda s: s.ids() == [10, 11, 12])
        (read,) = Reads(site.store).of(HOST, limit=9)
        assert (read.client_id, read.route, read.reads) == (app.client_id, watching.PATH, 1)

    run(test, house)


def test_a_token_that_is_bound_to_a_key_watches_with_one_proof_for_as_long_as_it_stands(house: House) -> None:
    async def test(site: Site) -> None:
        key = Key()
        app = site.let_in(key_print=key.print_)
        token, url = site.tokens[app.client_id], "http://studio.test/live/l1"
        async with site.stream(who=app.client_id, proof=key.proof("GET", url, token=token)) as asked:
            await asked.until(lambda s: s.closed)
            assert asked.status == 401
        nonce = asked.headers["dpop-nonce"]
        async with site.stream(who=app.client_id, proof=key.proof("GET", url, token=token, nonce=nonce)) as stream:
            await stream.until(lambda s: s.ids() == [10])
            await asyncio.sleep(3 * stages.GUARD_SECONDS)
            await asyncio.to_thread(house.publish, 22)
            await stream.until(lambda s: s.ids() == [10, 11])
            site.grants.cut(HOST, app.client_id)
            await stream.until(lambda s: s.closed)

    run(test, house)


def test_a_connection_that_breaks_in_the_middle_of_a_tick_is_one_alone(house: House) -> None:
    async def test(site: Site) -> None:
        async with site.stream() as breaks, site.stream() as stays:
            await breaks.until(lambda s: s.ids() == [10])
            await stays.until(lambda s: s.ids() == [10])
            breaks.fails_at = b"id: 11"
            await asyncio.to_thread(house.publish, 24)
            await stays.until(lambda s: s.ids() == [10, 11, 12])
            watchers = (await _stage_of(site)).watchers
            await breaks.until(lambda _: len(watchers) == 1)  # whoever broke is gone once the tick is through
        assert breaks.ids() == [10]

    run(test, house)


def test_an_app_sees_no_room_that_it_was_not_let_into(house: House, tmp_path: Path) -> None:
    boards.make_board(tmp_path / "sandbox" / "board", [boards.ACreator(id=HOST)], [], every_tick=False)

    async def test(site: Site) -> None:
        for app, live, status in (
            (site.let_in(("video.list",)), "l1", 403),
            (site.let_in(), "none", 404),
            (site.let_in(state="sandbox", sandbox=True), "l1", 404),  # its platform is simulated, and nobody is live
        ):
            async with site.stream(live, who=app.client_id) as refused:
                await refused.until(lambda s: s.closed)
                assert refused.status == status
        assert Reads(site.store).of(HOST, limit=9) == []

    run(test, house)


def test_all_tokens_of_one_app_hold_so_many_streams_together(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTLIGHTS_WATCHERS_A_PERSON_MAX", "1")

    async def test(site: Site) -> None:
        app = site.let_in()
        one = site.tokens[app.client_id]
        token = site.grants.access(one)
        assert token is not None
        with site.store.changing() as db:
            site.tokens["again"] = site.grants._issue(
                db, token.family, scopes=("live.insights",), access_key=None, refresh_key=None,
                until_utc=token.expires_at_utc,
            ).access  # fmt: skip
        async with site.stream(who=app.client_id) as first:
            await first.until(lambda s: bool(s.ids()))
            async with site.stream(who="again") as second:
                await second.until(lambda s: s.closed)
                assert second.status == 429

    run(test, house)


def _sign_out(site: Site, _: App) -> None:
    Accounts(site.store).logout(site.tokens[HOST])


def _cut_off(site: Site, app: App) -> None:
    site.grants.cut(HOST, app.client_id)


def _suspend(site: Site, app: App) -> None:
    site.apps.move(app, "suspended", reason="of a test")


def _take_back(site: Site, _: App) -> None:
    with site.store.changing() as db:
        db.execute("UPDATE app_grants SET scopes = 'video.list'")


@pytest.mark.parametrize("end", [_sign_out, _cut_off, _suspend, _take_back])
def test_whoever_may_watch_no_more_sees_nothing_of_the_next_tick(
    house: House, end: Callable[[Site, App], None]
) -> None:
    async def test(site: Site) -> None:
        app = site.let_in()
        who, other = (HOST, app.client_id) if end is _sign_out else (app.client_id, HOST)
        async with site.stream(who=who) as cut, site.stream(who=other) as stays:
            await cut.until(lambda s: s.ids() == [10])
            await stays.until(lambda s: s.ids() == [10])
            end(site, app)
            began = asyncio.get_running_loop().time()
            await cut.until(lambda s: s.closed)
            print(f"cut after {asyncio.get_running_loop().time() - began:.2f} s")
            await asyncio.to_thread(house.publish, 22)
            await stays.until(lambda s: s.ids() == [10, 11])
            assert cut.ids() == [10] and END not in cut.raw and not stays.closed
        async with site.stream(who=who) as again:
            await again.until(lambda s: s.closed)
            assert again.status in (401, 403)

    run(test, house)


def test_a_stream_ends_after_ten_minutes_so_that_access_is_asked_for_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "STREAM_SECONDS", 0.0)

    async def test(site: Site) -> None:
        async with site.stream() as stream:
            await stream.until(lambda s: s.closed)
            assert stream.status == 200 and END not in stream.raw

    run(test, house)


def test_a_follower_tells_every_tick_as_one_who_came_at_that_tick_would_be_told(house: House) -> None:
    from footlights.public.insights import Follower, room_now

    house.publish(200)
    board = LiveBoard(house.board)
    live = board.live("l1")
    told = Follower(board, live).follow(board, ticks_most=50)
    assert [tick.tick for tick in told] == list(range(51, 101))
    assert told[-1].figures == room_now(board, live).figures
    every = Follower(board, live).follow(board, ticks_most=50, every=20)
    assert [tick.tick for tick in every] == [60, 80, 100] and every[-1] == told[-1]
    board.close()


def test_waits_before_coming_back_are_spread_evenly() -> None:
    waits = sorted(watching.retry_ms(number) for number in range(10_000))
    assert waits[0] >= 1000 and waits[-1] < 5000
    a_second = [sum(1000 * second <= wait < 1000 * (second + 1) for wait in waits) for second in range(1, 5)]
    assert all(2400 < many < 2600 for many in a_second)
