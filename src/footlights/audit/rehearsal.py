"""Rehearsal. A throw-away deployment in this process: real collector, gate and public side, on a clock of its own.

The clock begins with the last calendar month, so that at least 28 days fit before the real now and all of them lie in
one season. Events carry their own times; what comes from the real clock, such as the life of a session, is not moved.
"""

from __future__ import annotations

import base64
import shutil
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Self

import msgspec

from footlights.accounts import make_app
from footlights.audit.asgi import HOST, InProcess
from footlights.audit.doors import Answer, Message
from footlights.audit.signing import BACK, AppTokens, Sessions
from footlights.gate.live import open_live_gate
from footlights.links import make_login_link
from footlights.operate import keyring, open_gate
from footlights.private.collect.door import create_app as create_collector
from footlights.public.web.app import create_app as create_site
from footlights.settings import load_settings
from footlights.terms.errors import AuditFailed
from footlights.terms.policy import parse_policy
from footlights.terms.seasons import season_at, season_start_utc
from footlights.terms.ticks import MINUTE

_COPY = "copy"


class Rehearsal:
    """Doors of a deployment that lives as long as the context. folder: an empty one, or one with a gate's key.

    policy: the text of a policy.toml, "" for the one that Footlights ships. Raises BadPolicy.
    """

    def __init__(self, folder: Path, *, policy: str = "") -> None:
        if policy:
            parse_policy(policy)
            folder.joinpath("policy.toml").write_text(policy, "utf-8")
        # All games of an attack are asked within a minute, which no app's own would be.
        settings = load_settings(folder, over={"app_requests_a_minute_max": 1_000_000_000})
        self._clock_utc = season_start_utc(season_at(int(time.time())) - 1)
        self._authorization = "Basic " + base64.b64encode(f"{keyring(folder).create('audit')}:".encode()).decode()
        self._sessions = Sessions(lambda creator: make_login_link(folder, settings, creator), self._post)
        self._tokens = AppTokens(lambda name: make_app(folder, name=name, back=BACK), self._sessions, self._post)
        self._folder, self._settings = folder, settings
        self._open()

    def _open(self) -> None:
        with ExitStack() as stack:
            self._gate = open_gate(self._folder, self._settings)
            stack.callback(self._gate.close)
            self._gate.run(until_utc=self._clock_utc // MINUTE * MINUTE)
            self._live = open_live_gate(self._folder / "private", self._folder / "board")
            stack.callback(self._live.close)
            self._apps = stack.enter_context(InProcess())
            self._collector = self._apps.start(create_collector(self._folder, self._settings))
            self._site = self._apps.start(create_site(self._folder, self._settings))
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def now_utc(self) -> int:
        """The rehearsal's clock."""
        return self._clock_utc

    def send(self, messages: list[Message]) -> Answer:
        """POST to the collector."""
        headers = {"authorization": self._authorization, "content-type": "application/json"}
        body = msgspec.json.encode({"batch": messages})
        return self._apps.call(self._collector, "POST", "/v1/batch", headers=headers, body=body)

    def get(self, path: str, *, creator: str = "", app: str = "") -> Answer:
        """GET from the public side, as a creator or an app of theirs."""
        headers = self._tokens.headers(app, creator) if app else self._sessions.headers(creator)
        return self._apps.call(self._site, "GET", path, headers=headers)

    def pass_time(self, seconds: int) -> None:
        """Move the clock and let the gate publish, up to the last whole minute as it always does."""
        later = self._clock_utc + seconds
        if later > time.time():
            raise AuditFailed("a rehearsal's clock cannot pass the real one: it has a month to spend.")
        self._clock_utc = later
        self._gate.run(until_utc=later // MINUTE * MINUTE)
        self._live.run(until_utc=later)

    def _post(self, path: str, form: bytes, more: dict[str, str]) -> Answer:
        headers = {"origin": f"http://{HOST}", "content-type": "application/x-www-form-urlencoded", **more}
        return self._apps.call(self._site, "POST", path, headers=headers, body=form)

    def keep(self) -> None:
        """Copy both sides between two ticks, as a backup with season keys does: the gate's key is not in it."""
        copy = self._folder / _COPY
        shutil.rmtree(copy, ignore_errors=True)
        self._gate.copy_to(copy / "private", copy / "board", with_keys=True)

    def put_back(self) -> None:
        """Lose both sides, and go on from the copy, with a new gate's key."""
        self.put_back_with(None)

    def put_back_with(self, gate_key: bytes | None) -> None:
        """The same with a given key, for a test of what happens then."""
        self._stack.close()
        for side in ("private", "board"):
            shutil.rmtree(self._folder / side)
            shutil.copytree(self._folder / _COPY / side, self._folder / side)
        if gate_key is not None:
            (self._folder / "private" / "keys" / "gate.key").write_bytes(gate_key)
        with closing(open_gate(self._folder, self._settings)) as gate:
            gate.note_restore(at_utc=self._clock_utc)
        self._open()
