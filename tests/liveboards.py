"""Live boards for tests of the public side, without a gate: numbers are what the test says, and have no noise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from footlights.gate.live_plan import LivePlan, noise_rows
from footlights.private.vault.records import subject_key
from footlights.public.board.live import AUDIENCE_LAYOUT, LAYOUT, answers_layout
from footlights.public.board.write_live import LiveBoardWriter
from footlights.terms.live import CONCURRENT, MINUTE_TICKS, NOISY, VIEWERS
from footlights.terms.policy import Policy, default_policy

Int64s = NDArray[np.int64]


def make_live(
    folder: Path, live: str, creator: str, concurrent: Sequence[int] | Int64s, *, began_utc: int = 1_767_225_600,
    title: str = "", ended: bool = True, reactions: dict[tuple[int, str], int] | None = None,
    cells: dict[int, int] | None = None, answers: Sequence[int] | None = None, policy: Policy | None = None,
) -> None:  # fmt: skip
    """A session with these many in the room at each tick. reactions: (minute, kind) -> how many at its end.

    cells: viewers by place in the audience's row. answers: to a question q that closed.
    """
    plan, key = LivePlan(policy or default_policy()), subject_key("live", live)
    counts = np.asarray(concurrent, dtype=np.int64)
    estimates = np.zeros((len(counts), len(NOISY)), dtype=np.int64)
    estimates[:, CONCURRENT] = counts
    estimates[:, VIEWERS] = np.maximum.accumulate(counts)
    for (minute, kind), many in (reactions or {}).items():
        place = NOISY.index(f"reactions_{kind}")
        estimates[minute * MINUTE_TICKS : (minute + 1) * MINUTE_TICKS, place] = many
    writer = LiveBoardWriter(folder)
    with writer:
        writer.declare((key, live, creator, title or live, began_utc, began_utc, 1, 0))
        spends = {
            family: writer.spend(
                key, family=family, rho=rho,
                plan=writer.plan(family, digest=plan.digest(family), detail=plan.detail(noise_rows(folder))),
            )
            for family, rho in plan.rhos.items()
        }  # fmt: skip
        exact = np.stack([np.arange(len(counts)), np.zeros(len(counts), np.int64)], axis=1)
        rows = LAYOUT.pack(np.zeros_like(estimates), estimates, exact)
        writer.publish([(spends["live"], tick + 1, row) for tick, row in enumerate(rows)])
        audience = np.zeros((1, AUDIENCE_LAYOUT.noisy), dtype=np.int64)
        for place, many in (cells or {}).items():
            audience[0, place] = many
        (packed,) = AUDIENCE_LAYOUT.pack(audience, audience, np.zeros((1, 0), np.int64))
        writer.publish([(spends["live_audience"], 1, packed)])
        if answers is not None:
            line = np.array([answers], dtype=np.int64)
            writer.ask([(key, 1, "q", "?", '["a", "b"]', 1, 5)])
            (packed,) = answers_layout(2).pack(line, line, np.zeros((1, 0), np.int64))
            writer.publish([(spends["live_questions"], 1, packed)])
        if ended:
            writer.end(key, last_tick=len(counts))
    writer.close()
