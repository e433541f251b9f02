"""Doors over HTTP: a collector and a public side in processes of their own, the gate run whenever the doors sleep."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from footlights.audit import live
from footlights.audit.canaries import audit_canaries
from footlights.audit.doors import read, send_all
from footlights.audit.live import Live, live_doors
from footlights.audit.messages import declare_creator, declare_video, view
from footlights.gate.publish import Gate
from footlights.operate import keyring, open_gate
from footlights.settings import Settings, load_settings
from footlights.terms.errors import AuditFailed
from footlights.terms.policy import default_policy
from footlights.terms.ticks import DAY, MINUTE


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Settings]]:
    data = tmp_path_factory.mktemp("data")
    ports: dict[str, str | int] = {"collect_port": free_port(), "serve_port": free_port()}
    data.joinpath("settings.toml").write_text("".join(f"{name} = {port}\n" for name, port in ports.items()), "utf-8")
    with ExitStack() as stack:
        for room in ("collect", "serve"):
            process = stack.enter_context(
                subprocess.Popen([sys.executable, "-m", "footlights.cli", room, "--data", str(data)])
            )
            stack.callback(process.terminate)
        for port in ports.values():
            wait_for(int(port))
        yield data, load_settings(data)


def wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("a room did not open its port")


class Clock:
    """A clock that begins a day ago and moves when somebody sleeps, and the gate that runs on it."""

    def __init__(self, gate: Gate) -> None:
        self.now = float(int(time.time()) - DAY)
        self.gate = gate
        self.runs = True

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.runs:
            self.gate.run(until_utc=int(self.now) // MINUTE * MINUTE)


@pytest.fixture(scope="module")
def clock(settings: tuple[Path, Settings]) -> Iterator[Clock]:
    gate = open_gate(*settings)
    yield Clock(gate)
    gate.close()


@pytest.fixture
def doors(settings: tuple[Path, Settings], clock: Clock) -> Live:
    data, known = settings
    key = keyring(data).create("test", replace=True)
    return Live(data, known, write_key=key, clock=lambda: clock.now, sleep=clock.sleep)


def test_a_running_deployment_is_sent_to_and_read_over_http(doors: Live) -> None:
    now = doors.now_utc()
    send_all(
        doors,
        [
            declare_creator("ada", at_utc=now),
            declare_video("v", creator="ada", at_utc=now, posted_at_utc=now),
            *(view("v", viewer=f"viewer {n}", at_utc=now) for n in range(1000)),
        ],
    )
    doors.pass_time(5 * MINUTE)
    assert doors.now_utc() >= now + 5 * MINUTE
    reach = read(doors, "/api/v1/videos/v", creator="ada")["figures"]["reach"]
    assert reach["tick"] in (4, 5)
    assert abs(reach["value"] - 1000) < 3 * (reach["high"] - reach["low"])


def test_a_gate_that_does_not_publish_ends_the_audit(doors: Live, clock: Clock) -> None:
    clock.runs = False
    with pytest.raises(AuditFailed, match="behind its clock"):
        doors.pass_time(2 * MINUTE)
    clock.runs = True


def test_canaries_are_planted_and_read_over_http(doors: Live) -> None:
    report = audit_canaries(doors, default_policy(), canaries=20, seed=1, units=("video",))
    assert report.canaries == 20
    assert [unit.unit for unit in report.units] == ["video"]
    assert report.units[0].expected_mu == pytest.approx(0.276, abs=0.01)
    with pytest.raises(AuditFailed, match="Name another seed"):
        audit_canaries(doors, default_policy(), canaries=20, seed=1, units=("video",))


def test_its_write_key_ends_with_it(settings: tuple[Path, Settings]) -> None:
    data, known = settings
    with live_doors(data, known) as doors:
        assert live.KEY_NAME in keyring(data).all()
        assert doors.send([]).status == 200
    assert live.KEY_NAME not in keyring(data).all()
    assert doors.send([]).status == 401


def test_a_folder_that_holds_no_deployment_is_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(AuditFailed, match="no data folder"), live_doors(tmp_path, load_settings(tmp_path)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_deployment_that_is_not_up_is_named(tmp_path: Path) -> None:
    known = load_settings(tmp_path, over={"serve_port": free_port()})
    with pytest.raises(AuditFailed, match="nothing answers at"):
        Live(tmp_path, known, write_key="none").get("/api/v1/privacy")
