"""Fuzz. The whole door, a connection to it and each dialect's reader, fed with what no client sends.

Run as `python -m benchmarks.fuzz --seconds 900`: so many of the processor. A request that is answered with a fault, an
answer that no client understands, a reader that raises: each is printed as the smallest case that shows it, and the
run ends with 1.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import structlog
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from footlights.private.collect.cmcd import read_lines, read_report
from footlights.private.collect.door import create_app
from footlights.private.collect.keys import Keyring
from footlights.private.collect.owncast import Owncast
from footlights.private.collect.peertube import read_view
from footlights.private.collect.segment import open_request, read_message
from footlights.settings import load_settings
from footlights.terms.errors import BadRequest
from tests.hostile import BODIES, Sent, requests, send
from tests.property import test_door as door
from tests.wires import request, send_over

ROUND = settings(
    max_examples=300,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
ALLOWED = {0, 200, 202, 204, 304, 400, 401, 403, 404, 405, 408, 413, 415, 429}
batches = st.fixed_dictionaries({"batch": st.lists(door.messages | door.views, max_size=4)}).map(door.as_json)
told = door.messages | door.seen | door.webhooks | door.asks
bodies = batches | told.map(door.as_json) | door.reports | door.noise
patched = st.tuples(bodies | st.sampled_from(sorted(BODIES.values())), st.integers(0, 5000), door.noise).map(
    door.mutated
)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=60, help="of the processor, all threads (default 60)")
    seconds = asked.parse_args().seconds
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory() as folder:
        return fuzz(Path(folder), seconds)


def fuzz(data: Path, seconds: float) -> int:
    (data / "private").mkdir(parents=True)
    ring = Keyring(data / "private")
    keys = [ring.create("server"), ring.create("web", kind="browser", origins=["https://www.example", "null"])]
    keys.append(ring.create("slow", rate=5))
    app = create_app(data, load_settings(data, over={"commit_wait_ms": 0}))
    seen: Counter[str] = Counter()
    loop = asyncio.new_event_loop()

    asked = requests(bodies, [key.encode() for key in keys])
    lines = st.tuples(
        st.lists(asked, min_size=1, max_size=4), st.integers(0, 20_000), door.noise, st.sampled_from([0, 0, 5, 800])
    )

    @ROUND
    @given(st.lists(asked, min_size=1, max_size=12))
    def whole_door(sent: list[object]) -> None:
        async def all_of() -> None:
            for got in await asyncio.gather(*(send(app, one) for one in sent)):  # type: ignore[arg-type]
                seen[f"answered {got.status}"] += 1
                assert got.status in ALLOWED, got
                assert got.is_ordered(), got

        loop.run_until_complete(all_of())

    @ROUND
    @given(lines)
    def connection(heard: tuple[list[Sent], int, bytes, int]) -> None:
        sent, at, noise, piece_bytes = heard
        raw = b"".join(piece for one in sent if one.method != "HEAD" for piece in request(one))
        raw = raw[: at % (len(raw) + 1)] + noise + raw[at % (len(raw) + 1) + len(noise) // 2 :]
        for got in loop.run_until_complete(send_over(app, raw, piece_bytes=piece_bytes)):
            seen[f"answered {got.status} over a line"] += 1
            assert got.status in ALLOWED | {431}, got
            assert got.is_ordered(), got
        assert app.state.door.room._taken == 0

    @ROUND
    @given(bodies | patched)
    def readers(body: bytes) -> None:
        seen["read"] += 1
        read_message(body, door.ASKED)
        read_report(body, door.ASKED, viewer="ann")
        read_lines(body, door.ASKED, viewer="ann")
        for read in (
            lambda: read_view(body, door.ASKED, video="v", viewer="ann"),
            lambda: Owncast().read(body, door.ASKED, creator="ada"),
            lambda: open_request(body),
        ):
            try:
                read()
            except BadRequest as refused:
                seen[f"refused {refused.code}"] += 1

    try:
        return rounds([whole_door, connection, readers], seconds, seen)
    finally:
        app.state.door.committer.stop()
        loop.close()


def rounds(kinds: list[Callable[[], None]], seconds: float, seen: Counter[str]) -> int:
    began, said = time.process_time(), 0.0
    while (spent := time.process_time() - began) < seconds:
        for kind in kinds:
            try:
                kind()
            except Exception as found:
                print(f"found after {spent:.0f} s: {type(found).__name__}: {found}")
                for note in getattr(found, "__notes__", ()):
                    print(note)
                return 1
        if spent - said >= 60:
            said = spent
            print(f"{spent:6.0f} s  {dict(sorted(seen.items()))}", flush=True)
    print(f"{spent:6.0f} s  {dict(sorted(seen.items()))}")
    print("nothing found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
