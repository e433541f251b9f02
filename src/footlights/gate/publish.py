"""Publish. The gate's clock. In: a moment. Out: on the board, everything that was due up to it. Once, ever.

    fold ─▶ charge ─▶ assign ─▶ release ─▶ board ─▶ published          a crash anywhere: run again, same figures
            spend     fixes x   y = Cx+z   one txn  gate's own note

What is due follows from declared times alone. The spend is on the board before anything exact is read: a crash then
costs budget, never privacy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from footlights.gate.decoding import ANCHOR_STEPS, Decoders
from footlights.gate.keys import gate_key
from footlights.gate.ledger import charge
from footlights.gate.mechanisms.noise import KeyedNoise
from footlights.gate.plan import (
    digest_of,
    guarantee,
    plan_audience,
    plan_counters,
    write_error_rows,
)
from footlights.gate.release import release_audience, release_counters
from footlights.private.measure.engine import Due, Engine, Videos
from footlights.public.board.rows import layout_of
from footlights.public.board.write import BoardWriter
from footlights.terms.errors import BadPolicy
from footlights.terms.policy import Policy
from footlights.terms.ticks import AGES_OF_FAMILY, HOUR

Int64s = NDArray[np.int64]
log = structlog.get_logger()

#: Due (video, tick) pairs of one run at most: a long catch-up is many runs, each whole.
RUN_TICKS = 400_000
FOREVER = 2**62


class Gate:
    """The gate of one data folder. private, board: its folders."""

    def __init__(self, private: Path, board: Path, *, policy: Policy, memory: str, fold_events: int) -> None:
        self._policy = policy
        self._engine = Engine(private, policy=policy, memory=memory, fold_events=fold_events)
        self._board = BoardWriter(board)
        self._plans = {"counters": plan_counters(policy), "audience": plan_audience(policy)}
        key = gate_key(private)
        self._noise = {family: KeyedNoise(key, family=family) for family in self._plans}
        self._decoders = Decoders(self._plans["counters"].counter, layout_of("counters"))
        self._charged: dict[str, dict[int, tuple[int, int]]] = {family: {} for family in self._plans}
        self._declared: dict[tuple[str, int], tuple[object, ...]] = {}
        self._numbers = self._write_plans()

    def close(self) -> None:
        """Give store and board back."""
        self._engine.close()
        self._board.close()

    def private_counts(self) -> dict[str, Any]:
        """The operator's exact numbers, for `status --private` alone."""
        return self._engine.private_counts()

    def fold(self) -> None:
        """Take in what arrived: the work that grows with events is done before the tick."""
        self._finish()
        self._engine.fold()

    def run(self, *, until_utc: int, progress: Callable[[int, int], None] | None = None) -> int:
        """Publish all that is due up to a moment; returns how many ticks that was. A moment that is over is nothing."""
        self.fold()
        _, start = self._engine.clock()
        if start is not None and until_utc <= start:
            return 0
        videos = self._engine.videos()
        ticks = 0
        after = start
        for moment in _run_ends(videos, after_utc=after, until_utc=until_utc):
            due = _all_due(videos, after_utc=after, until_utc=moment)
            ticks += self._run_once(due, after_utc=after, until_utc=moment)
            after = moment
            if progress is not None:
                progress(ticks, moment)
        self._engine.forget(at_utc=until_utc)
        return ticks

    def _finish(self) -> None:
        """Put on the board what a crash left between assign and published: the same numbers, the same noise."""
        assigned, published = self._engine.clock()
        if assigned is None or assigned == published:
            return
        videos = self._engine.videos()
        due = _all_due(videos, after_utc=published, until_utc=assigned)
        self._publish(due, after_utc=published, until_utc=assigned)
        log.info("gate.run_finished", through=assigned)

    def _run_once(self, due: dict[str, Due], *, after_utc: int | None, until_utc: int) -> int:
        with self._board:
            self._declare()
            for family, part in due.items():
                charge(self._board, part, plan=self._numbers[family], rho=self._plans[family].rho)
        due = {family: self._with_offsets(part) for family, part in due.items()}
        self._engine.assign(list(due.values()), until_utc=until_utc)
        self._publish(due, after_utc=after_utc, until_utc=until_utc)
        return int(sum((part.last_tick - part.first_tick + 1).sum() for part in due.values()))

    def _declare(self) -> None:
        """Tell the board what the platform declared: this process tells it each row once, and again when it changed."""
        creators, videos = self._engine.declared()
        new_creators = [row for row in creators if self._declared.get(("creator", row[0])) != row]
        new_videos = [row for row in videos if self._declared.get(("video", row[0])) != row]
        self._board.declare_creators(new_creators)
        self._board.declare_videos(new_videos)
        self._declared.update({("creator", row[0]): row for row in new_creators})
        self._declared.update({("video", row[0]): row for row in new_videos})

    def _publish(self, due: dict[str, Due], *, after_utc: int | None, until_utc: int) -> None:
        due = {family: self._with_offsets(part) for family, part in due.items()}
        try:
            with self._board:
                self._publish_counters(due["counters"])
                self._publish_audience(due["audience"])
                self._publish_channels(after_utc=after_utc, until_utc=until_utc)
                self._board.state("published_through", str(until_utc))
        except BaseException:
            self._decoders.forget()
            raise
        self._engine.published(self._bins(due["counters"]), through_utc=until_utc)
        log.info("figures.published", through=until_utc, videos=len(due["counters"]))

    def _publish_counters(self, due: Due) -> None:
        if not len(due):
            return
        plan, layout = self._plans["counters"], layout_of("counters")
        exact, disclosed = self._engine.counter_rows(due)
        spends, _ = self._streams(due)
        decoders = self._decoders.rows(
            spends, first_ticks=due.offset_tick, next_ticks=due.first_tick, board=self._board
        )
        told = _running(disclosed, slots=len(due), names=("likes", "comments"))
        released = release_counters(
            plan, self._noise["counters"], exact, subjects=due.video,
            first_step=due.first_tick - due.offset_tick, last_step=due.last_tick - due.offset_tick,
        )  # fmt: skip
        rows: list[tuple[int, int, bytes]] = []
        for step, slots, y in released:
            estimates = np.rint(self._decoders.step(step, decoders[slots], y)).astype(np.int64)
            packed = layout.pack(y, estimates, told(step)[slots])
            of, ticks = spends[slots].tolist(), (due.offset_tick[slots] + step).tolist()
            rows += zip(of, ticks, packed, strict=True)
            if (step + 1) % ANCHOR_STEPS == 0:
                states = map(self._decoders.anchor, decoders[slots].tolist())
                self._board.anchor(zip(of, ticks, states, strict=True))
        rows.sort()  # the board's own order: twice as fast to store
        self._board.publish(rows)

    def _publish_audience(self, due: Due) -> None:
        plan, tables = self._plans["audience"], self._policy.audience_tables
        layout = layout_of("audience", tables=tables)
        rows = plan.counter.error_rows().astype(np.float64)
        while len(due):  # one milestone of each video at a time; nearly always there is one
            spends, offsets = self._streams(due)
            steps = due.first_tick - offsets
            exact = self._engine.audience_rows(due)
            y = release_audience(
                plan, self._noise["audience"], exact, tables=tables, subjects=due.video, steps=steps
            )  # fmt: skip
            estimates = y * rows[steps, steps][:, None]
            for slot, (spend, step) in enumerate(zip(spends.tolist(), steps.tolist(), strict=True)):
                first = int(due.offset_tick[slot])
                for tick, packed in self._board.rows_between(spend, after=first - 1, before=first + step):
                    earlier, _, _ = layout.unpack([packed])
                    estimates[slot] += rows[step, tick - first] * earlier[0]
            packed_rows = layout.pack(y, np.rint(estimates).astype(np.int64), np.zeros((len(due), 0), np.int64))
            self._board.publish(list(zip(spends.tolist(), due.first_tick.tolist(), packed_rows, strict=True)))
            due = _next_ticks(due)

    def _publish_channels(self, *, after_utc: int | None, until_utc: int) -> None:
        """Followers, disclosed: a row for each hour in which somebody followed or stopped, which all can see anyway."""
        after_hour = after_utc // HOUR if after_utc is not None else -1
        counts = self._engine.follower_counts(after_hour=after_hour, until_hour=until_utc // HOUR)
        if not counts:
            return
        first: dict[int, int] = {}
        for creator, hour, _ in counts:
            first.setdefault(creator, hour)
        self._board.open_spends(first.items(), family="channel", plan=self._numbers["channel"], rho=Fraction(0))
        streams = self._board.streams("channel")
        packed = layout_of("channel").pack(
            np.zeros((len(counts), 0), np.int64), np.zeros((len(counts), 0), np.int64),
            np.array([[followers] for _, _, followers in counts], dtype=np.int64),
        )  # fmt: skip
        rows = [(streams[creator][0], hour, row) for (creator, hour, _), row in zip(counts, packed, strict=True)]
        self._board.publish(rows)

    def _streams(self, due: Due) -> tuple[Int64s, Int64s]:
        """The spend and the step-0 tick of each due stream, as they were charged."""
        known = self._charged[due.family]
        videos = due.video.tolist()
        if any(video not in known for video in videos):
            known.update(
                {video: (spend, first) for video, (spend, _, first) in self._board.streams(due.family).items()}
            )
        rows = np.array([known[video] for video in videos], dtype=np.int64).reshape(-1, 2)
        return rows[:, 0], rows[:, 1]

    def _with_offsets(self, due: Due) -> Due:
        """The due ticks with each stream's own step 0."""
        return Due(
            family=due.family,
            video=due.video,
            first_tick=due.first_tick,
            last_tick=due.last_tick,
            offset_tick=self._streams(due)[1],
        )

    def _bins(self, due: Due) -> dict[str, Int64s] | None:
        """Which increments to gather: of the streams that passed a multiple of ANCHOR_STEPS in this run."""
        first, last = due.first_tick - due.offset_tick, due.last_tick - due.offset_tick
        passed = (last + 1) // ANCHOR_STEPS > first // ANCHOR_STEPS
        if not passed.any():
            return None
        videos, steps = self._engine.steps_held(due.video[passed])
        row_of = np.searchsorted(due.video, videos)  # videos are due in the order of their keys
        bins = self._plans["counters"].counter.slot_of[last[row_of], steps]
        order = np.lexsort((steps, bins, row_of))
        videos, steps, row_of, bins = videos[order], steps[order], row_of[order], bins[order]
        begins = np.ones(len(videos), dtype=bool)
        begins[1:] = (row_of[1:] != row_of[:-1]) | (bins[1:] != bins[:-1])
        into = steps[np.flatnonzero(begins)][np.cumsum(begins) - 1]
        return {"video": videos, "step": steps, "into_step": into}

    def _write_plans(self) -> dict[str, int]:
        numbers = {}
        with self._board:
            for family, plan in self._plans.items():
                digest = digest_of(self._policy, family)
                tables = self._policy.audience_tables if family == "audience" else ()
                rows = write_error_rows(plan, self._board.folder, digest=digest)
                numbers[family] = self._board.plan(
                    family, digest=digest, detail=plan.detail(tables=tables, error_rows=rows)
                )
            in_force = self._board.fact("policy")
            if in_force is not None and in_force != self._policy.text:
                raise BadPolicy(
                    "policy.toml is not the policy that this board's streams were opened under. A policy cannot change "
                    "while they run: put the old file back, or start a new data folder."
                )
            if in_force is None:
                self._board.state("policy", self._policy.text)
                self._board.state("privacy", guarantee(self._policy))
            numbers["channel"] = self._board.plan("channel", digest="disclosed", detail={"sigmas": []})
        return numbers


def _all_due(videos: Videos, *, after_utc: int | None, until_utc: int) -> dict[str, Due]:
    """The ticks of every family in (after, until], by video key. Depends on declared times alone."""
    return {
        family: _due(videos, family, after_utc=after_utc, until_utc=until_utc) for family in ("counters", "audience")
    }


def _due(videos: Videos, family: str, *, after_utc: int | None, until_utc: int) -> Due:
    ages = np.asarray(AGES_OF_FAMILY[family], dtype=np.int64)
    after = np.maximum(videos.ticks_from, -FOREVER if after_utc is None else after_utc)
    until = np.minimum(until_utc, videos.removed_at)
    first = np.searchsorted(ages, np.maximum(after, -FOREVER) - videos.posted_at, side="right") + 1
    last = np.searchsorted(ages, until - videos.posted_at, side="right")
    here = first <= last
    return Due(
        family=family,
        video=videos.video[here],
        first_tick=first[here].astype(np.int64),
        last_tick=last[here].astype(np.int64),
        offset_tick=first[here].astype(np.int64),
    )


def _next_ticks(due: Due) -> Due:
    """The same without everybody's first tick."""
    rest = due.first_tick < due.last_tick
    return Due(
        family=due.family,
        video=due.video[rest],
        first_tick=due.first_tick[rest] + 1,
        last_tick=due.last_tick[rest],
        offset_tick=due.offset_tick[rest],
    )


def _run_ends(videos: Videos, *, after_utc: int | None, until_utc: int) -> Iterator[int]:
    """Moments that cut (after, until] into runs of at most RUN_TICKS ticks: by declared times alone."""
    after = after_utc
    while after is None or after < until_utc:
        low = after if after is not None else int(videos.posted_at.min(initial=until_utc))
        end = until_utc
        while _ticks_in(videos, after_utc=after, until_utc=end) > RUN_TICKS and end - low > 60:
            end = low + (end - low) // 2
        yield end
        after = end


def _ticks_in(videos: Videos, *, after_utc: int | None, until_utc: int) -> int:
    due = _due(videos, "counters", after_utc=after_utc, until_utc=until_utc)
    return int((due.last_tick - due.first_tick + 1).sum())


def _running(disclosed: dict[str, Int64s], *, slots: int, names: tuple[str, ...]) -> Callable[[int], Int64s]:
    """Disclosed totals by step: call with ascending steps, get (slots, names)."""
    order = np.argsort(disclosed["step"], kind="stable")
    steps, at = disclosed["step"][order], disclosed["slot"][order]
    added = np.stack([disclosed[name][order] for name in names], axis=1)
    totals = np.zeros((slots, len(names)), dtype=np.int64)
    done = 0

    def told(step: int) -> Int64s:
        nonlocal done
        until = int(np.searchsorted(steps, step, side="right"))
        np.add.at(totals, at[done:until], added[done:until])
        done = until
        return totals

    return told
