"""Publish. The gate's clock. In: a moment. Out: on the board, everything that was due up to it. Once, ever.

    fold ─▶ charge ─▶ assign ─▶ release ─▶ board ─▶ published          a crash anywhere: run again, same figures
            spend     fixes x   y = Cx+z   one txn  gate's own note

What is due follows from declared times alone. The spend is on the board before anything exact is read: a crash then
costs budget, never privacy.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from footlights.gate.decoding import ANCHOR_STEPS, LACKING, Decoders
from footlights.gate.keys import gate_key
from footlights.gate.ledger import Ledger
from footlights.gate.mechanisms.counter import counter_plan
from footlights.gate.mechanisms.noise import KeyedNoise
from footlights.gate.notary import LogKeys
from footlights.gate.plan import FamilyPlan, write_rows
from footlights.gate.promise import check_feasible, guarantee
from footlights.gate.release import release_counters, release_row
from footlights.gate.timetable import all_due, next_ticks, run_ends, tick_count
from footlights.private.measure.engine import Due, Engine, hold
from footlights.public.board.rows import Layout, layout_of
from footlights.public.board.write import BoardWriter
from footlights.terms.errors import BadPolicy, BoardDamaged
from footlights.terms.families import FAMILIES, FOLLOWERS, families_at
from footlights.terms.policy import Policies, Policy, parse_policy
from footlights.terms.seasons import Season, season_at, season_name
from footlights.terms.ticks import DAY, HOUR, STEPS, Schedule

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
log = structlog.get_logger()

#: How long the gate attends to viewers' asks at a time.
ATTEND_SECONDS = 1.0
#: Streams of tables whose rows are held at a time: one row of an audience has 6,000 numbers.
ROWS = 2_000


class Gate:
    """The gate of one data folder. private, board: its folders. at_utc: now, which decides when a new policy begins."""

    def __init__(
        self, private: Path, board: Path, *, policy: Policy, memory: str, fold_events: int, at_utc: int
    ) -> None:
        # The store first: who does not get it has touched no board, and keeps no gate that runs from its own.
        store = hold(private, memory=memory)
        try:
            self._board = BoardWriter(board)
            self._policies = self._decided(policy, at_utc=at_utc)
            self._engine = Engine(private, store=store, policies=self._policies, fold_events=fold_events)
        except BaseException:
            store.close()
            raise
        self._ledger = Ledger(self._board)
        key = gate_key(private)
        self._noise = {family: KeyedNoise(key, family=family) for family in FAMILIES}
        self._notary = LogKeys(private)
        self._plans: dict[tuple[int, str], tuple[FamilyPlan, int]] = {}
        self._decoders = Decoders(counter_plan(STEPS[Schedule.MINUTES]), layout_of("counters"))
        self._declared: dict[tuple[str, int], tuple[object, ...]] = {}
        self._promised: Season | None = None
        if self._board.fact("privacy") is None:
            with self._board:
                self._promise(season_at(at_utc))

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

    def copy_to(self, private: Path, board: Path, *, with_keys: bool) -> int | None:
        """Copy the private folder and the board, both of now. Returns the moment through which it has published.

        Between two ticks: what is fixed is on the board. with_keys: the season keys too.
        """
        self.fold()
        self._engine.copy_to(private, with_keys=with_keys)
        self._board.copy_to(board)
        return self._engine.clock()[1]

    def note_restore(self, *, at_utc: int) -> None:
        """State on the board that it was put back to a copy: what it published since is published again."""
        _, through = self._engine.clock()
        if through is None:
            return
        with self._board:
            restores = [*json.loads(self._board.fact("restores") or "[]"), {"at": at_utc, "through": through}]
            self._board.state("restores", json.dumps(restores))

    def attend(self, *, seconds: float = ATTEND_SECONDS) -> None:
        """Go on with what viewers asked for. Nothing that is published waits for it or depends on it."""
        self._engine.attend(seconds=seconds)

    def run(self, *, until_utc: int, progress: Callable[[int, int], None] | None = None) -> int:
        """Publish all that is due up to a moment; returns how many ticks that was. A moment that is over is nothing."""
        self.fold()
        _, start = self._engine.clock()
        if start is not None and until_utc <= start:
            return 0
        videos, creators = self._engine.videos(), self._engine.creators()
        ticks = 0
        after = start
        for moment in run_ends(videos, after_utc=after, until_utc=until_utc):
            due = all_due(videos, creators, self._policies, after_utc=after, until_utc=moment)
            self._run_once(due, after_utc=after, until_utc=moment)
            ticks += sum(map(tick_count, due))
            after = moment
            if progress is not None:
                progress(ticks, moment)
        self._engine.forget(at_utc=until_utc)
        return ticks

    def _finish(self) -> None:
        """Put on the board what a crash left between assign and published: the same numbers, the same noise."""
        assigned, published = self._engine.clock()
        if published is not None and int(self._board.fact("published_through") or 0) < published:
            raise BoardDamaged(LACKING)
        if assigned is None or assigned == published:
            return
        videos, creators = self._engine.videos(), self._engine.creators()
        due = all_due(videos, creators, self._policies, after_utc=published, until_utc=assigned)
        self._publish([self._with_offsets(part) for part in due], after_utc=published, until_utc=assigned)
        log.info("gate.run_finished", through=assigned)

    def _run_once(self, due: list[Due], *, after_utc: int | None, until_utc: int) -> None:
        try:
            with self._board:
                self._declare()
                self._promise(season_at(until_utc))
                for part in due:
                    self._charge(part)
        except BaseException:
            self._ledger.forget()
            self._plans.clear()
            raise
        due = [self._with_offsets(part) for part in due]
        self._engine.assign(due, until_utc=until_utc)
        self._publish(due, after_utc=after_utc, until_utc=until_utc)

    def _decided(self, policy: Policy, *, at_utc: int) -> Policies:
        """The policies of this board. A new one starts with the next season; within a day of it, with the one after.

        Clocks may be a little ahead, and no event of a season may be counted under the bounds of another.
        """
        with self._board:
            decided = self._board.policies()
            if not decided:
                check_feasible(policy)
                self._board.decide(policy.text, from_season=0)
            elif decided[-1][1] != policy.text:
                through = int(self._board.fact("published_through") or 0)
                begins = season_at(max(at_utc, through) + DAY) + 1
                _check_change(parse_policy(decided[-1][1]), policy)
                check_feasible(policy)
                self._board.decide(policy.text, from_season=begins)
                log.info("policy.decided", from_season=season_name(begins), digest=policy.digest)
            return Policies([(begins, parse_policy(text)) for begins, text in self._board.policies()])

    def _promise(self, season: Season) -> None:
        """State the guarantee of a season, once this process knows that it has begun."""
        if self._promised != season:
            stated = self._board.fact("privacy")
            self._board.state("privacy", guarantee(self._policies, season=season, stated=stated))
            self._promised = season

    def _plan(self, policy: int, family: str) -> tuple[FamilyPlan, int]:
        """The plan of a family under a policy, and its number on the board."""
        if (policy, family) not in self._plans:
            plan = FamilyPlan(self._policies.of(policy), family)
            error_rows, cell_rows = write_rows(plan, self._board.folder)
            detail = plan.detail(error_rows=error_rows, cell_rows=cell_rows)
            self._plans[policy, family] = plan, self._board.plan(family, digest=plan.digest, detail=detail)
        return self._plans[policy, family]

    def _charge(self, due: Due) -> None:
        for family in families_at(due.schedule):
            for policy, part in _by_policy(due):
                plan, number = self._plan(policy, family)
                self._ledger.charge(part, family=family, plan=number, rho=plan.rho)

    def _declare(self) -> None:
        """Tell the board what the platform declared: this process tells it each row once, and again when it changed."""
        creators, videos = self._engine.declared()
        new_creators = [row for row in creators if self._declared.get(("creator", row[0])) != row]
        new_videos = [row for row in videos if self._declared.get(("video", row[0])) != row]
        self._board.declare_creators(new_creators)
        self._board.declare_videos(new_videos)
        self._declared.update({("creator", row[0]): row for row in new_creators})
        self._declared.update({("video", row[0]): row for row in new_videos})

    def _publish(self, due: list[Due], *, after_utc: int | None, until_utc: int) -> None:
        try:
            with self._board:
                for part in due:
                    for policy, mine in _by_policy(part):
                        if part.schedule is Schedule.MINUTES:
                            self._publish_counters(mine, policy)
                        else:
                            for family in families_at(part.schedule):
                                self._publish_rows(mine, policy, family)
                self._publish_followers(after_utc=after_utc, until_utc=until_utc)
                self._board.state("published_through", str(until_utc))
                self._board.seal(self._notary, through_utc=until_utc)
        except BaseException:
            self._decoders.forget()
            raise
        counters = next(part for part in due if part.schedule is Schedule.MINUTES)
        self._engine.published(due, self._bins(counters), through_utc=until_utc)
        log.info("figures.published", through=until_utc, videos=len(counters))

    def _publish_counters(self, due: Due, policy: int) -> None:
        plan, layout = self._plan(policy, "counters")[0], layout_of("counters")
        exact, disclosed = self._engine.counter_rows(due)
        spends, _ = self._ledger.streams(due, family="counters")
        decoders = self._decoders.rows(
            spends, first_ticks=due.offset_tick, next_ticks=due.first_tick, board=self._board
        )
        told = _running(disclosed, slots=len(due), names=("likes", "comments"))
        released = release_counters(
            plan, self._noise["counters"], exact, subjects=due.subject,
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

    def _publish_rows(self, due: Due, policy: int, family: str) -> None:
        """The ticks of a family of tables or histograms: one of each stream at a time; nearly always there is one."""
        plan = self._plan(policy, family)[0]
        for start in range(0, len(due), ROWS):
            part = due.chosen(np.arange(start, min(start + ROWS, len(due))))
            while len(part):
                self._publish_row(part, plan)
                part = next_ticks(part)

    def _publish_row(self, due: Due, plan: FamilyPlan) -> None:
        assert plan.shape is not None, "a family of tables or histograms has a shape"
        family = plan.family.name
        layout = layout_of(family, width=plan.width)
        spends, _ = self._ledger.streams(due, family=family)
        read = self._engine.cell_rows if plan.family.shape == "tables" else self._engine.bin_rows
        y = release_row(plan, self._noise[family], read(due), due=due)
        running = self._running_rows(due, spends, y, plan, layout)
        rows = layout.pack(y, plan.shape.estimate(running), np.zeros((len(due), 0), np.int64))
        self._board.publish(list(zip(spends.tolist(), due.first_tick.tolist(), rows, strict=True)))

    def _running_rows(self, due: Due, spends: Int64s, y: Int64s, plan: FamilyPlan, layout: Layout) -> Floats:
        """Row `step` of A C^-1 applied to what was published until now: running counts, with noise, of each cell.

        Raises BoardDamaged when the board lacks ticks that the gate has published, as the decoders of counters do.
        """
        inverse = plan.counter.error_rows().astype(np.float64)
        steps = due.first_tick - due.offset_tick
        running: Floats = y * inverse[steps, steps][:, None]
        for slot, (spend, step) in enumerate(zip(spends.tolist(), steps.tolist(), strict=True)):
            first = int(due.offset_tick[slot])
            earlier = self._board.rows_between(spend, after=first - 1, before=first + step)
            if len(earlier) != step:
                raise BoardDamaged(LACKING)
            for tick, packed in earlier:
                running[slot] += inverse[step, tick - first] * layout.unpack([packed])[0][0]
        return running

    def _publish_followers(self, *, after_utc: int | None, until_utc: int) -> None:
        """Followers, disclosed: a row for each hour in which somebody followed or stopped, which all can see anyway."""
        after_hour = after_utc // HOUR if after_utc is not None else -1
        counts = self._engine.follower_counts(after_hour=after_hour, until_hour=until_utc // HOUR)
        if not counts:
            return
        first: dict[int, int] = {}
        for creator, hour, _ in counts:
            first.setdefault(creator, hour)
        number = self._board.plan(FOLLOWERS, digest="disclosed", detail={"sigmas": []})
        opened = ((creator, 0, hour) for creator, hour in first.items())
        self._board.open_spends(opened, family=FOLLOWERS, plan=number, rho=Fraction(0))
        streams = self._board.streams(FOLLOWERS)
        packed = layout_of(FOLLOWERS).pack(
            np.zeros((len(counts), 0), np.int64), np.zeros((len(counts), 0), np.int64),
            np.array([[followers] for _, _, followers in counts], dtype=np.int64),
        )  # fmt: skip
        rows = [(streams[creator, 0][0], hour, row) for (creator, hour, _), row in zip(counts, packed, strict=True)]
        self._board.publish(rows)

    def _with_offsets(self, due: Due) -> Due:
        """The due ticks with each stream's own step 0: families that are published together were charged together."""
        _, offsets = self._ledger.streams(due, family=families_at(due.schedule)[0])
        return due.chosen(np.arange(len(due)), offset_tick=offsets)

    def _bins(self, due: Due) -> dict[str, Int64s] | None:
        """Which increments to gather: of the streams that passed a multiple of ANCHOR_STEPS in this run."""
        first, last = due.first_tick - due.offset_tick, due.last_tick - due.offset_tick
        passed = (last + 1) // ANCHOR_STEPS > first // ANCHOR_STEPS
        if not passed.any():
            return None
        videos, steps = self._engine.steps_held(due.subject[passed])
        row_of = np.searchsorted(due.subject, videos)  # videos are due in the order of their keys
        bins = counter_plan(STEPS[Schedule.MINUTES]).slot_of[last[row_of], steps]
        order = np.lexsort((steps, bins, row_of))
        videos, steps, row_of, bins = videos[order], steps[order], row_of[order], bins[order]
        begins = np.ones(len(videos), dtype=bool)
        begins[1:] = (row_of[1:] != row_of[:-1]) | (bins[1:] != bins[:-1])
        into = steps[np.flatnonzero(begins)][np.cumsum(begins) - 1]
        return {"video": videos, "step": steps, "into_step": into}


def _by_policy(due: Due) -> Iterator[tuple[int, Due]]:
    """The due streams under each policy; nearly always there is one."""
    for policy in sorted(set(due.policy.tolist())):
        mine = due.policy == policy
        yield policy, due if mine.all() else due.chosen(np.flatnonzero(mine))


def _check_change(old: Policy, new: Policy) -> None:
    """Raises BadPolicy where streams that run could not go on: events name an interest by its place in the list."""
    if new.interests[: len(old.interests)] != old.interests:
        raise BadPolicy(
            "policy.toml: interests.names may only grow at its end: events that are kept name an interest by its place "
            f"in the list. Put these first, in this order: {', '.join(old.interests)}."
        )


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
