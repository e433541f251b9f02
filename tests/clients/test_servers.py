"""The client libraries of servers: a story that they tell counts exactly, however often they have to say it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.collector import Collector
from tests.clients.installed import node_path
from tests.clients.proxy import Proxy
from tests.clients.stories import calls_of
from tests.spec.stories import COUNTS

SCRIPTS = Path(__file__).parent / "scripts"
PYTHON = [("segment_python", False), ("segment_python", True), ("rudder_python", True)]
NODE = ["segment_node", "rudder_node"]


def tell(command: list[str], *, to: Proxy, collector: Collector, video: str, **more: Any) -> None:
    collector.declare(video)
    told = {"address": to.address, "key": collector.server_key, "calls": calls_of(video), **more}
    done = subprocess.run(command, input=json.dumps(told), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]


def assert_said_again(to: Proxy) -> None:
    assert [(one.how, one.status) for one in to.seen[:3]] == [("refuse", 0), ("lose", 200), ("pass", 200)]


@pytest.mark.parametrize(("script", "packed"), PYTHON)
def test_a_story_of_a_python_client_counts_once_though_it_was_refused_and_an_answer_was_lost(
    script: str, packed: bool, collector: Collector, proxy: Callable[..., Proxy]
) -> None:
    to, video = proxy("refuse", "lose"), f"{script}-{packed}"
    tell([sys.executable, str(SCRIPTS / f"{script}.py")], to=to, collector=collector, video=video, packed=packed)
    assert_said_again(to)
    assert to.seen[0].body.startswith(b"\x1f\x8b") is packed
    assert collector.counts(video) == COUNTS


@pytest.mark.parametrize("script", NODE)
def test_a_story_of_a_node_client_counts_once_though_it_was_refused_and_an_answer_was_lost(
    script: str, collector: Collector, proxy: Callable[..., Proxy], libraries: Path
) -> None:
    to = proxy("refuse", "lose")
    # Node looks for packages beside the script.
    beside = libraries / f"{script}.mjs"
    beside.write_bytes((SCRIPTS / f"{script}.mjs").read_bytes())
    tell([node_path(), str(beside)], to=to, collector=collector, video=script)
    assert_said_again(to)
    assert collector.counts(script) == COUNTS
