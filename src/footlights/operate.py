"""Operate. The private processes: collector and gates, and the supervisor of all rooms' processes.

up ─┬─ collect   takes events          restarted when it dies, with a pause that doubles to a minute
    ├─ gate      folds and publishes   SIGTERM to `up` ends all of them, collector first
    ├─ live      the same for live sessions, every two seconds
    └─ serve     as another user       when started as root
"""

from __future__ import annotations

import gc
import json
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import structlog

from footlights.gate import copies
from footlights.gate.live import LiveGate, open_live_gate
from footlights.gate.publish import Gate
from footlights.private.collect.checks import Limits
from footlights.private.collect.door import DATA_VARIABLE, app
from footlights.private.collect.exchanges import Application
from footlights.private.collect.intake import Intake, open_journal, private_folder
from footlights.private.collect.keys import Keyring
from footlights.private.collect.listener import listen
from footlights.private.collect.rights import Rights, write_ask
from footlights.private.collect.traffic import traffic_report
from footlights.public.web.deployment import listens
from footlights.settings import Settings
from footlights.terms.errors import BadSetting, BoardDamaged, VaultDamaged
from footlights.terms.live import TICK_SECONDS
from footlights.terms.policy import POLICY_FILE, load_policy
from footlights.terms.seasons import Season, season_at
from footlights.terms.ticks import DAY, MINUTE

log = structlog.get_logger()

COUNTS_FILE = "counts.json"
ROOMS = ("collect", "gate", "live", "serve")
#: Between two folds of what arrived; the tick itself comes with the minute.
FOLD_SECONDS = 5
#: How long after its time a live tick is fixed: what happened before it is then on its way no longer.
GRACE_SECONDS = 0.2
_PAUSE_SECONDS_MAX = 60.0
#: How long one who wants the store waits for another process that has it.
_PATIENCE_SECONDS = 10.0
_STOP_SECONDS = 15.0


def open_gate(data: Path, settings: Settings) -> Gate:
    """The gate of a data folder. Raises VaultDamaged when another process holds it."""
    return Gate(
        private_folder(data),
        data / "board",
        policy=load_policy(data / POLICY_FILE),
        memory=settings.duckdb_memory,
        fold_events=settings.fold_events,
        at_utc=int(time.time()),
    )


def private_counts(data: Path, settings: Settings, *, wait_seconds: float = _PATIENCE_SECONDS) -> dict[str, Any]:
    """The operator's exact numbers. While a gate runs, those of its last fold, since it alone may open the store.

    One that has just begun is waited for. Raises VaultDamaged where it takes longer, or the store cannot be read.
    """
    noted = data / "private" / COUNTS_FILE
    until = time.monotonic() + wait_seconds
    while True:
        gate = _free_gate(data, settings)
        if gate is not None:
            try:
                gate.fold()
                return gate.private_counts()
            finally:
                gate.close()
        if noted.exists():
            return dict(json.loads(noted.read_text("utf-8")))
        if time.monotonic() >= until:
            raise VaultDamaged(
                "Another process holds the store and has told no numbers yet: a gate that counts for the first time, "
                "or a `footlights tick`. Ask again in a minute."
            )
        time.sleep(0.2)


def _free_gate(data: Path, settings: Settings) -> Gate | None:
    """The gate of a data folder; None while another process is it. Raises VaultDamaged."""
    try:
        return open_gate(data, settings)
    except VaultDamaged as error:
        if "in use" not in str(error):
            raise
        return None


def _note_counts(gate: Gate, data: Path) -> None:
    """Leave the gate's numbers where the operator's command finds them: in the private folder."""
    draft = data / "private" / f"{COUNTS_FILE}.draft"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(gate.private_counts()), "utf-8")
    draft.replace(data / "private" / COUNTS_FILE)


def keyring(data: Path) -> Keyring:
    """The write keys of a data folder."""
    return Keyring(private_folder(data))


def traffic(data: Path) -> list[dict[str, Any]]:
    """What each write key and page sent in the last day, and what of it is unusual. For the operator alone."""
    return traffic_report(data / "private", now_utc=int(time.time()))


def viewer_rights(data: Path, settings: Settings) -> Rights:
    """What viewers may ask of a data folder."""
    private = private_folder(data)
    return Rights(private, Intake(private, Limits.of(settings)))


def ask_for_viewer(
    data: Path, settings: Settings, what: Literal["erase", "export"], viewer: str, *, wait_seconds: float
) -> dict[str, Any]:
    """Ask, beside a collector that may be running, and wait until the gate has heard it. Returns the receipt.

    Where no gate runs, this process is the gate for as long as it takes. A receipt that still says pending after the
    wait is written in the same place once the gate has heard: the ask itself is on disk. Raises VaultDamaged.
    """
    rights = viewer_rights(data, settings)
    ask = write_ask(rights, open_journal(private_folder(data), settings), what, viewer)
    until = time.monotonic() + wait_seconds
    while True:
        receipt = rights.receipt(ask.id) or {}
        # A segment that is being written ends in its own time: nobody waits for it here.
        if receipt.get("state") == "done" or "store" in receipt or time.monotonic() > until:
            return receipt
        _be_the_gate(data, settings, seconds=wait_seconds)


def _be_the_gate(data: Path, settings: Settings, *, seconds: float) -> None:
    """Fold and attend to what was asked, unless another process is the gate."""
    gate = _free_gate(data, settings)
    if gate is None:
        time.sleep(0.2)
        return
    try:
        gate.fold()
        gate.attend(seconds=seconds)
    finally:
        gate.close()


def run_collect(data: Path, settings: Settings, *, made: Callable[[], Application] | None = None) -> None:
    """Take events over HTTP until stopped. made: makes what is asked; a benchmark has others."""
    os.environ[DATA_VARIABLE] = str(data)
    try:
        listen((made or app)(), settings)
    finally:
        gc.unfreeze()  # DuckDB's extension takes what is frozen at the end for a leak, and prints it


def run_gate(data: Path, settings: Settings) -> None:
    """Fold every few seconds and publish with every minute, until SIGTERM."""
    stopping = stop_flag()
    # A command that is the gate for a moment, such as `footlights status --private`, is waited for.
    until = time.monotonic() + _PATIENCE_SECONDS
    while (gate := _free_gate(data, settings)) is None and time.monotonic() < until:
        if stopping():
            return
        time.sleep(0.2)
    gate = gate or open_gate(data, settings)
    try:
        while not stopping():
            minute = int(time.time()) // MINUTE * MINUTE
            gate.run(until_utc=minute)
            _note_counts(gate, data)
            while not stopping() and time.time() < minute + MINUTE:
                time.sleep(min(FOLD_SECONDS, max(0.05, minute + MINUTE - time.time())))
                if time.time() < minute + MINUTE:
                    gate.fold()
                    gate.attend()
                    copies.attend(gate, data)
                    _note_counts(gate, data)
    finally:
        gate.close()


def tick_live(data: Path, *, until_utc: int) -> int:
    """Publish what is due of live sessions up to a moment; returns how many ticks that was."""
    gate = open_live_gate(data / "private", data / "board")
    try:
        return gate.run(until_utc=until_utc)
    finally:
        gate.close()


def run_live(data: Path) -> None:
    """Publish live sessions with every tick of their grid, until SIGTERM. Waits for the gate to state a policy."""
    stopping = stop_flag()
    private_folder(data)
    while not stopping():
        try:
            gate = open_live_gate(data / "private", data / "board")
        except BoardDamaged:
            time.sleep(TICK_SECONDS)
            continue
        try:
            _run_live_season(gate, stopping)
        finally:
            gate.close()


def _run_live_season(gate: LiveGate, stopping: Callable[[], bool]) -> None:
    """Run until half a day before a season's end, from where on it is the next that counts: its policy may be another.

    That was decided a day before at the latest. No session of the next season is heard of yet: clocks are less ahead.
    """
    season = _season_to_come()
    while not stopping() and _season_to_come() == season:
        tick = int(time.time() - GRACE_SECONDS) // TICK_SECONDS * TICK_SECONDS
        gate.run(until_utc=tick)
        # A tick that took longer than there is time publishes the next at once: late, by itself. Where the clock was
        # set back meanwhile, the next look is not put off by as much: it may be set right again.
        left = tick + TICK_SECONDS + GRACE_SECONDS - time.time()
        time.sleep(min(max(0.0, left), TICK_SECONDS + GRACE_SECONDS))


def _season_to_come() -> Season:
    return season_at(int(time.time()) + DAY // 2)


def run_up(data: Path, settings: Settings, *, ready: Callable[[], None] | None = None) -> None:
    """Run all rooms and restart one that dies, until SIGTERM or SIGINT. ready: called once pages can be asked for."""
    private_folder(data)
    (data / "board").mkdir(parents=True, exist_ok=True)
    stopping = stop_flag()
    rooms = {name: Room(name, data, settings) for name in ROOMS}
    try:
        for room in rooms.values():
            room.start()
        while not stopping():
            if ready is not None and listens(settings.serve_host, settings.serve_port):
                ready()
                ready = None
            for room in rooms.values():
                room.tend()
            time.sleep(0.2)
    finally:
        for room in rooms.values():
            room.stop()


class Room:
    """One process of the house, started again when it dies."""

    def __init__(self, name: str, data: Path, settings: Settings) -> None:
        self.name = name
        self._data = data
        self._user = _public_user(data, settings) if name == "serve" else None
        self._process: subprocess.Popen[bytes] | None = None
        self._pause_seconds = 0.25
        self._start_at = 0.0

    def start(self) -> None:
        """Start the process; the public one as the public user, when there is one to change to."""
        command = [sys.executable, "-m", "footlights.cli", self.name, "--data", str(self._data)]
        who = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}
        self._process = subprocess.Popen(command, **who)  # type: ignore[call-overload]
        self._start_at = time.monotonic()
        log.info("room.started", room=self.name, pid=self._process.pid)

    def tend(self) -> None:
        """Start the process again if it died, after a pause that doubles while it keeps dying."""
        if self._process is not None and self._process.poll() is not None:
            lived = time.monotonic() - self._start_at
            self._pause_seconds = 0.25 if lived > 30 else min(self._pause_seconds * 2, _PAUSE_SECONDS_MAX)
            log.warning(
                "room.died", room=self.name, code=self._process.returncode, again_in_seconds=self._pause_seconds
            )
            self._process, self._start_at = None, time.monotonic() + self._pause_seconds
        if self._process is None and time.monotonic() >= self._start_at:
            self.start()

    def stop(self) -> None:
        """End the process: it may finish what it is doing, but not for ever."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        log.info("room.stopped", room=self.name)


def _public_user(data: Path, settings: Settings) -> pwd.struct_passwd | None:
    """The user of the public process, who owns its folder; None when we are not root and cannot change.

    Where that user cannot run this Python (it may lie in root's own home), the public side runs as we do, and a
    warning says so: file permissions then do not keep it from the private folder.
    """
    public = data / "public"
    public.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return None
    try:
        user = pwd.getpwnam(settings.serve_user)
    except KeyError:
        raise BadSetting(
            f"serve_user: there is no user {settings.serve_user}. Name one, or do not start as root."
        ) from None
    try:
        subprocess.run(
            [sys.executable, "-c", "import footlights.serve"],
            check=True, capture_output=True, cwd="/", user=user.pw_uid, group=user.pw_gid, extra_groups=[],
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        log.warning(
            "serve.same_user", user=settings.serve_user, why="it cannot run this Python: install it outside root's home"
        )
        return None
    for path in (public, *public.iterdir()):
        os.chown(path, user.pw_uid, user.pw_gid)
    return user


def stop_flag() -> Callable[[], bool]:
    """A flag that SIGTERM and SIGINT set."""
    stopped: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _frame: stopped.append(got))
    return lambda: bool(stopped)
