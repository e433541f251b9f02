"""Demo. In: nothing, or a folder with a real log. Out: the whole house running on it, and a link to sign in with.

simulated   a month of history is loaded and published, then events keep coming in over HTTP, in real time, and the
            creator whose studio is opened is live
--from      the log is loaded at once; the gate's clock is then replayed through the days that the log covers
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from footlights.gate.publish import Gate
from footlights.links import make_login_link
from footlights.operate import Room, keyring, open_gate, run_up, stop_flag
from footlights.private.collect.load import load
from footlights.settings import Settings
from footlights.terms.errors import BadFile
from footlights.terms.ticks import HOUR, MINUTE

Say = Callable[[str], None]

#: The seed of the simulated platform: the same platform each time, ending now.
SEED = b"footlights demo"
#: A replay without --speed takes about this long.
REPLAY_SECONDS = 60


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """A real log that the demo knows: its files, format, first moment and last, UTC, and whose studio to open."""

    files: tuple[str, ...]
    format: str
    begins: datetime
    ends: datetime
    creator: str


LOGS = (
    Log(
        files=("video_play.csv.gz", "chat.csv.gz"), format="twitch-plays",
        begins=datetime(2015, 1, 1, tzinfo=UTC), ends=datetime(2015, 1, 2, tzinfo=UTC), creator="frank",
    ),
    Log(
        files=("kuairand27k_liked_or_hated_kcore15.tsv",), format="kuairand",
        begins=datetime(2022, 4, 7, 15, tzinfo=UTC), ends=datetime(2022, 4, 21, 16, tzinfo=UTC), creator="channel-00",
    ),
    Log(
        files=("view_events.csv",), format="tiktok-sessions",
        begins=datetime(2022, 11, 15, tzinfo=UTC), ends=datetime(2023, 1, 8, tzinfo=UTC),
        creator="theanh28entertainment",
    ),
)  # fmt: skip


def run_demo(data: Path | None, settings: Settings, *, source: Path | None, hours_a_second: float, say: Say) -> None:
    """Run the demo until SIGTERM or SIGINT. data: None for a folder that is deleted at the end.

    Raises BadFile for a data folder that is in use: a second platform would be mixed into the first.
    """
    if data is not None and (data / "private").exists():
        raise BadFile(f"{data} holds events already. Name a new folder, or none; `footlights up` runs the old one.")
    folder = Path(tempfile.mkdtemp(prefix="footlights-demo-")) if data is None else data
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    try:
        if source is None:
            _simulated(folder, settings, say=say)
        else:
            _replayed(folder, settings, _log_in(source), source, hours_a_second=hours_a_second, say=say)
    finally:
        if data is None:
            shutil.rmtree(folder, ignore_errors=True)


def _simulated(data: Path, settings: Settings, *, say: Say) -> None:
    from footlights.simulate.drive import Poster
    from footlights.simulate.evenings import Evenings
    from footlights.simulate.feed import Feed
    from footlights.simulate.platform import Platform
    from footlights.simulate.write import write_history

    now = int(time.time()) // MINUTE * MINUTE
    platform = Platform(SEED, now_utc=now)
    say("a simulated platform plays its last forty days ...")
    with tempfile.TemporaryDirectory() as drafts:
        files = write_history(platform, Path(drafts))
        for format, written in files:
            load(written, format=format, data=data, settings=settings)
    gate = open_gate(data, settings)
    try:
        ticks = gate.run(until_utc=now)
    finally:
        gate.close()
    say(f"published {ticks:,} ticks")
    key, star = keyring(data).create("demo", replace=True), platform.creators[0].id
    feed = Feed(platform, port=settings.collect_port, key=key)
    evenings = Evenings(SEED, Poster("127.0.0.1", settings.collect_port, key=key), creator=star)

    def ready() -> None:
        _show(data, settings, star, say=say)
        for plays in (feed, evenings):
            threading.Thread(target=plays.run, daemon=True).start()

    try:
        run_up(data, settings, ready=ready)
    finally:
        feed.stop()
        evenings.stop()


def _replayed(data: Path, settings: Settings, log: Log, source: Path, *, hours_a_second: float, say: Say) -> None:
    begins, ends = int(log.begins.timestamp()), int(log.ends.timestamp())
    speed = hours_a_second * HOUR if hours_a_second else (ends - begins) / REPLAY_SECONDS
    say(f"loading {', '.join(log.files)} ...")
    report = load([source / name for name in log.files], format=log.format, data=data, settings=settings)
    say(f"accepted {report.accepted:,} events, dropped {sum(report.dropped.values()):,}")
    stopping = stop_flag()
    gate = open_gate(data, settings)
    rooms = [Room(name, data, settings) for name in ("collect", "serve")]
    try:
        clock = _first_run(gate, log, data, settings, rooms, say=say)
        while not stopping():
            if clock < ends:
                began = time.monotonic()
                clock = min(ends, clock + max(MINUTE, int(speed)) // MINUTE * MINUTE)
                gate.run(until_utc=clock)
                say(f"replayed through {datetime.fromtimestamp(clock, UTC):%Y-%m-%d %H:%M} UTC")
                time.sleep(max(0.0, 1.0 - (time.monotonic() - began)))
            else:
                time.sleep(0.2)
            for room in rooms:
                room.tend()
    finally:
        for room in rooms:
            room.stop()
        gate.close()


def _first_run(gate: Gate, log: Log, data: Path, settings: Settings, rooms: list[Room], *, say: Say) -> int:
    """Publish the log's first quarter of an hour, so that there is a page to look at, and open the doors."""
    clock = int(log.begins.timestamp()) + 15 * MINUTE
    gate.run(until_utc=clock)
    for room in rooms:
        room.start()
    _show(data, settings, log.creator, say=say)
    return clock


def _log_in(source: Path) -> Log:
    for log in LOGS:
        if (source / log.files[0]).exists():
            return log
    known = "; ".join(f"{log.files[0]} ({log.format})" for log in LOGS)
    raise BadFile(f"{source} holds no log that the demo knows. It looks for one of: {known}.")


def _show(data: Path, settings: Settings, creator_id: str, *, say: Say) -> None:
    say("")
    say(f"  the studio of {creator_id}:  {make_login_link(data, settings, creator_id)}")
    say(f"  for viewers:  http://{settings.serve_host}:{settings.serve_port}/privacy")
    say("")
