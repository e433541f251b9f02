"""Gate. In: nothing. Out: how fast noise and running counts are and how far off, beside the machine, theory and others.

    python benchmarks/gate.py [--alone]

One process on one core; times are its processor time, so what else runs does not count. First the draws of the discrete
Gaussian, beside bare AES over the same words; then one tick of a million streams, beside a bare pass over the same
memory; then what the gate does of a tick for 100,000 videos; then errors beside what is known of them; and last the
same counts by OpenDP and PipelineDP, at the same epsilon and delta, each given in memory what it reads best: columns,
lists, tuples. --alone leaves the last part out. The two come into a development environment by

    python -m pip install "opendp[polars]>=0.16" "pipeline-dp>=0.3"

OpenDP counts a log by its own plan over Polars, and is timed on our counts too: the first is how it is used, the second
leaves what Polars costs out of it. Noise is Gaussian everywhere, as counts that are published again and again need it;
of one lone count at the same epsilon, Laplace noise would be smaller, here as there.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import os
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import duckdb
import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from footlights.gate.decoding import Decoders
from footlights.gate.mechanisms.accountant import epsilon_of
from footlights.gate.mechanisms.counter import counter_plan, decode, encode
from footlights.gate.mechanisms.noise import CHUNK, KeyedNoise
from footlights.gate.mechanisms.sampler import Sampler
from footlights.gate.plan import FamilyPlan
from footlights.gate.release import COLUMNS, release_counters
from footlights.public.board.rows import layout_of
from footlights.terms.exact import Exact
from footlights.terms.policy import default_policy

KEY = bytes(range(32))
INSTALL = 'python -m pip install "opendp[polars]>=0.16" "pipeline-dp>=0.3"'
ORACLES = ("opendp", "polars", "pipeline_dp")
DRAWS = 1_000_000
SIGMAS = (30, 2_470, 1_400_000)
TICKS = 2_836
VIDEOS, WIDTH = 142_858, len(COLUMNS)
#: The schedule's middle: as many bins as it has for most of its life.
STEP = 1_418
EPSILON, DELTA = 1.0, 1e-9
LOG_VIDEOS, LOG_VIEWERS = 1_000, 100
DISTINCT_VIEWERS = "SELECT count(*) AS n FROM (SELECT DISTINCT video, viewer FROM log) GROUP BY video ORDER BY video"


def main() -> int:
    asked = argparse.ArgumentParser(description="Speed and error of the gate's mechanisms.")
    asked.add_argument("--alone", action="store_true", help="without OpenDP and PipelineDP")
    alone = asked.parse_args().alone
    missing = [] if alone else [name for name in ORACLES if importlib.util.find_spec(name) is None]
    if missing:
        print(f"missing: {', '.join(missing)}. {INSTALL}, or --alone.")
        return 2
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    draws()
    tick()
    release()
    errors()
    if not alone:
        counts()
        running_counts()
    return 0


def best(work: Callable[[], object], *, times: int = 5) -> float:
    """Processor seconds of the fastest run: what else is on the machine does not count."""
    took = []
    for _ in range(times):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)


# ---- Draws -------------------------------------------------------------------------------------------------------


def draws() -> None:
    print(f"draws of the discrete Gaussian, {DRAWS:,} at a time, keystream included")
    noise = KeyedNoise(KEY, family="counters")
    subjects, nodes = np.arange(DRAWS, dtype=np.int64), np.full(DRAWS, STEP, dtype=np.int64)
    cipher = Cipher(algorithms.AES(KEY), modes.ECB()).encryptor()
    for sigma in SIGMAS:
        seconds = best(lambda: Sampler(Fraction(sigma**2)), times=2)  # noqa: B023
        sampler = Sampler(Fraction(sigma**2))
        drawn = best(lambda: noise.draw([sampler], subjects=subjects, nodes=nodes))  # noqa: B023
        block, into = bytes(CHUNK * 16 * sampler.words), bytearray(CHUNK * 16 * sampler.words + 15)
        aes = best(lambda: [cipher.update_into(block, into) for _ in range(DRAWS // CHUNK)])  # noqa: B023
        print(
            f"  sigma {sigma:>9,}: {DRAWS / drawn / 1e6:6.1f} million/s; {sampler.words} AES words a draw, bare AES "
            f"takes {aes / drawn:4.0%} of the time; table built in {seconds * 1e3:.0f} ms"
        )


# ---- Streams -----------------------------------------------------------------------------------------------------


def tick() -> None:
    plan, policy_plan = counter_plan(TICKS), FamilyPlan(default_policy(), "counters")
    noise = KeyedNoise(KEY, family="counters")
    streams = VIDEOS * WIDTH
    print(f"\none tick of {streams:,} streams ({VIDEOS:,} videos, {WIDTH} numbers each), step {STEP:,} of {TICKS:,}")
    added = np.ones((VIDEOS, WIDTH), dtype=np.int64)
    encoder = np.ones((plan.slots, VIDEOS, WIDTH), dtype=np.int64)
    decoder = np.ones((plan.slots, VIDEOS, WIDTH))
    subjects = np.arange(VIDEOS, dtype=np.int64)
    seconds = dict.fromkeys(("encode", "noise", "decode"), 0.0)
    steps = range(STEP, STEP + 12)
    for step in steps:
        marks = [time.process_time()]
        y = encode(plan, step, encoder, added)
        marks.append(time.process_time())
        y += noise.draw(policy_plan.samplers, subjects=subjects, nodes=np.full(VIDEOS, step)).values
        marks.append(time.process_time())
        decode(plan, step, decoder, y.astype(np.float64))
        marks.append(time.process_time())
        for name, took in zip(seconds, np.diff(marks).tolist(), strict=True):
            seconds[name] += took / len(steps)
    whole = sum(seconds.values())
    floor = best(lambda: (encoder.max(), decoder.max()))
    parts = ", ".join(f"{name} {took:.3f} s ({took / whole:.0%})" for name, took in seconds.items())
    print(f"  {whole:.3f} s, {streams / whole / 1e6:.1f} million streams/s: {parts}")
    size = (encoder.nbytes + decoder.nbytes) / 1e6
    print(f"  bare pass over both states, {size:,.0f} MB: {floor:.3f} s; the tick takes {whole / floor:.1f} times that")


class NoBoard:
    """A board on which nothing is published yet."""

    def newest_anchor(self, spend: int, *, before: int) -> None: ...

    def rows_between(self, spend: int, *, after: int, before: int) -> list[tuple[int, bytes]]:
        return []


def release() -> None:
    """What publishing costs beside the store and the board: encode from rows, noise, decode, by the gate's own code."""
    plan, videos = FamilyPlan(default_policy(), "counters"), 100_000
    print(f"\nrelease and decode of one tick of {videos:,} videos, 5 rows of counts each")
    for name, ages in (("all at one age", 1), ("at 1,440 ages", 1_440)):
        steps = np.arange(videos, dtype=np.int64) % ages + (0 if ages > 1 else STEP)
        exact = counted(steps)
        decoders = Decoders(plan.counter, layout_of("counters"))
        spends = np.arange(videos, dtype=np.int64)
        rows = decoders.rows(spends, first_ticks=steps, next_ticks=steps, board=NoBoard())
        decoders._next_step[:videos] = steps  # the states are empty, which takes as long
        took = []
        for _ in range(4):
            began = time.process_time()
            ask(plan, exact, steps, decoders, rows)
            took.append(time.process_time() - began)
            decoders._next_step[:videos] = steps
        print(f"  {name:15} {min(took):.3f} s, {videos / min(took):,.0f} videos/s")


def counted(steps: Any) -> Exact:
    slot = np.repeat(np.arange(len(steps)), 5)
    step = np.maximum(np.repeat(steps, 5) - np.tile(np.arange(4, -1, -1), len(steps)) * 3, 0)
    return Exact({"slot": slot, "step": step, **dict.fromkeys(COLUMNS, np.ones(len(slot), dtype=np.int64))})


def ask(plan: FamilyPlan, exact: Exact, steps: Any, decoders: Decoders, rows: Any) -> None:
    noise = KeyedNoise(KEY, family="counters")
    subjects = np.arange(len(steps), dtype=np.int64)
    for step, slots, y in release_counters(plan, noise, exact, subjects=subjects, first_step=steps, last_step=steps):
        decoders.step(step, rows[slots], y)


# ---- Errors ------------------------------------------------------------------------------------------------------


def errors() -> None:
    print("\nlargest standard deviation of a running count, in units of bound / sqrt(2 rho)")
    print(f"  {'ticks':>6} {'numbers of state':>17} {'this':>7} {'no bins':>9} {'lower bound':>12} {'binary tree':>12}")
    for steps in (TICKS, 4_096):
        plan = counter_plan(steps)
        print(
            f"  {steps:>6,} {plan.slots:>17} {plan.max_error():>7.3f} {without_bins(steps):>9.3f} "
            f"{lower_bound(steps):>12.3f} {binary_tree(steps):>12.1f}"
        )


def without_bins(steps: int) -> float:
    """Sum of squares of binom(2d, d) / 4^d: the norm of a column times that of a row, both of them the largest."""
    d = np.arange(1, steps)
    return float(1 + (np.cumprod((2 * d - 1) / (2 * d)) ** 2).sum())


def lower_bound(steps: int) -> float:
    """No factorization is better than the sum of A's singular values, over T: their closed form for a triangle of ones.

    Source: Henzinger, Upadhyay and Upadhyay, "Almost tight error bounds on differentially private continual counting",
    SODA 2023: it bounds the mean square, which is at most the largest.
    """
    angles = (2 * np.arange(1, steps + 1) - 1) * np.pi / (4 * steps + 2)
    return float(np.mean(1 / (2 * np.sin(angles))))


def binary_tree(steps: int) -> float:
    """Levels: each step is in so many nodes, and a count sums up to so many."""
    return float(steps.bit_length())


# ---- Others ------------------------------------------------------------------------------------------------------


class Told(NamedTuple):
    """What a system told of every video, and how long it took. sigma: of its noise, by its own account."""

    seconds: float
    counts: Any
    sigma: float


def counts() -> None:
    videos, viewers = (part.ravel() for part in np.indices((LOG_VIDEOS, LOG_VIEWERS)))
    twice = {"video": np.tile(videos, 2), "viewer": np.tile(viewers * 7919 + videos, 2)}
    engine = duckdb.connect(config={"threads": "1"})
    engine.register("log", twice)
    print(
        f"\ndistinct viewers of {LOG_VIDEOS:,} videos with {LOG_VIEWERS} viewers each who watched twice, "
        f"{len(twice['video']):,} rows; epsilon {EPSILON:g} at delta {DELTA:g} for a viewer and a video"
    )
    print(f"  {'':42} {'seconds':>9} {'rows/s':>16} {'sigma':>7} {'error found':>12}")
    from_log = {
        "Footlights: DuckDB counts, noise": best_of(lambda: footlights_from_log(engine)),
        "OpenDP: its own Polars plan, noise": best_of(opendp_plan_from_log(twice), times=2),
        "PipelineDP: bounds and counts rows, noise": best_of(pipeline_dp_from_log(twice), times=2),
    }
    for name, told in from_log.items():
        show(name, told, of=len(twice["video"]))
    exact = np.full(100 * LOG_VIDEOS, LOG_VIEWERS, dtype=np.int64)
    on_counts = {
        "Footlights: noise on 100,000 counts": best_of(lambda: footlights_noise(exact)),
        "OpenDP: noise on 100,000 counts": best_of(lambda: opendp_noise(exact), times=1),
        "PipelineDP: noise on 100,000 counts": best_of(pipeline_dp_noise(exact), times=1),
    }
    for name, told in on_counts.items():
        show(name, told, of=len(exact))
    on_our_counts = best_of(lambda: opendp_from_log(engine), times=2)
    show("OpenDP: noise on DuckDB's counts of the log", on_our_counts, of=len(twice["video"]))
    for told in (from_log, on_counts):
        (_, ours), *others = told.items()
        times = (
            f"{theirs.seconds / ours.seconds:,.1f} times as fast as {name.partition(':')[0]}" for name, theirs in others
        )
        print("  " + "; ".join(times))
    print(
        "  Footlights and OpenDP add exact integer noise, PipelineDP a float on a grid. All bound one row a viewer and "
        "video:\n  DuckDB's count does that here, Polars in OpenDP's own plan, each in one thread. Nobody writes a "
        "board, a journal or a\n  ledger here: benchmarks/tick.py does."
    )


def best_of(work: Callable[[], Told], *, times: int = 4) -> Told:
    return min((work() for _ in range(times)), key=lambda told: told.seconds)


def show(name: str, told: Told, *, of: int) -> None:
    found = float(np.sqrt(np.mean((np.asarray(told.counts, dtype=float) - LOG_VIEWERS) ** 2)))
    print(f"  {name:42} {told.seconds:>9.4f} {of / told.seconds:>16,.0f} {told.sigma:>7.4f} {found:>12.3f}")


def timed(work: Callable[[], Any], *, sigma: float) -> Told:
    began = time.process_time()
    told = work()
    return Told(time.process_time() - began, told, sigma)


@cache
def rho() -> Fraction:
    """The most that the accountant allows for EPSILON, to seven digits."""
    least = Fraction(10**6)  # a count is encoded in steps of 1/256, so the variance of its noise is far above 4,096
    low, high = 1, 10**7
    while high - low > 1:
        middle = (low + high) // 2
        within = epsilon_of(Fraction(middle, 10**7), delta=DELTA, least_variance=least) <= EPSILON
        low, high = (middle, high) if within else (low, middle)
    return Fraction(low, 10**7)


def footlights_sigma() -> float:
    return 1 / math.sqrt(2 * rho())


def footlights_noise(exact: Any) -> Told:
    plan = counter_plan(1)
    sampler, noise = Sampler(plan.variance(bound=1, rho=rho())), KeyedNoise(KEY, family="counters")
    subjects = np.arange(len(exact), dtype=np.int64)

    def work() -> Any:
        y = encode(plan, 0, np.zeros((plan.slots, len(exact)), dtype=np.int64), exact)
        y += noise.draw([sampler], subjects=subjects, nodes=np.zeros_like(subjects)).values[:, 0]
        return decode(plan, 0, np.zeros((plan.slots, len(exact))), y.astype(np.float64))

    return timed(work, sigma=footlights_sigma())


def distinct(engine: duckdb.DuckDBPyConnection) -> Any:
    return engine.execute(DISTINCT_VIEWERS).fetchnumpy()["n"].astype(np.int64)


def footlights_from_log(engine: duckdb.DuckDBPyConnection) -> Told:
    return timed(lambda: footlights_noise(distinct(engine)).counts, sigma=footlights_sigma())


def opendp_measurement() -> tuple[Any, float]:
    import opendp.prelude as dp

    dp.enable_features("contrib")

    def gaussian(scale: float) -> Any:
        return dp.m.make_gaussian(dp.vector_domain(dp.atom_domain(T=dp.i64)), dp.l2_distance(T=dp.f64), scale)

    def within(scale: float) -> bool:
        return bool(dp.c.make_zCDP_to_approxDP(gaussian(scale)).map(1.0).epsilon(DELTA) <= EPSILON)

    scale = dp.binary_search(within, bounds=(1.0, 100.0))
    return gaussian(scale), scale


def opendp_noise(exact: Any) -> Told:
    measurement, scale = opendp_measurement()
    given = exact.tolist()
    return timed(lambda: measurement(given), sigma=scale)


def opendp_plan_from_log(log: dict[str, Any]) -> Callable[[], Told]:
    """OpenDP's own way from a log: a plan over Polars that bounds each pair to one row and counts by video."""
    import opendp.prelude as dp
    import polars as pl

    dp.enable_features("contrib")
    # A pair as one number, which is what it groups by fastest.
    rows = pl.DataFrame({"video": log["video"], "pair": log["video"] * 10**9 + log["viewer"]})
    videos = pl.LazyFrame({"video": np.arange(LOG_VIDEOS)})

    def count() -> Any:
        context = dp.Context.compositor(
            data=rows.lazy(), privacy_unit=dp.unit_of(contributions=1, identifier=pl.col("pair")),
            privacy_loss=dp.loss_of(rho=float(rho())), split_evenly_over=1,
        )  # fmt: skip
        first = context.query().truncate_per_group(1, keep="first")
        return first.group_by("video").agg(dp.len(signed=True)).with_keys(videos).release().collect()["len"]

    def work() -> Told:
        told = timed(count, sigma=footlights_sigma())
        return Told(told.seconds, told.counts.to_numpy(), told.sigma)

    return work


def opendp_from_log(engine: duckdb.DuckDBPyConnection) -> Told:
    measurement, scale = opendp_measurement()
    return timed(lambda: measurement(distinct(engine).tolist()), sigma=scale)


def pipeline_dp_from_log(log: dict[str, Any]) -> Callable[[], Told]:
    import pipeline_dp as pdp

    rows = list(zip(log["viewer"].tolist(), log["video"].tolist(), strict=True))
    extractors = pdp.DataExtractors(
        privacy_id_extractor=lambda row: row, partition_extractor=lambda row: row[1], value_extractor=lambda row: 0
    )
    parameters = pdp.AggregateParams(
        metrics=[pdp.Metrics.PRIVACY_ID_COUNT], noise_kind=pdp.NoiseKind.GAUSSIAN,
        max_partitions_contributed=1, max_contributions_per_partition=1, output_noise_stddev=True,
    )  # fmt: skip

    def aggregate() -> list[Any]:
        budget = pdp.NaiveBudgetAccountant(total_epsilon=EPSILON, total_delta=DELTA)
        found = pdp.DPEngine(budget, pdp.LocalBackend()).aggregate(
            rows, parameters, extractors, public_partitions=list(range(LOG_VIDEOS))
        )
        budget.compute_budgets()
        return [figures for _, figures in found]

    def work() -> Told:
        told = timed(aggregate, sigma=0)
        return Told(
            told.seconds, [f.privacy_id_count for f in told.counts], told.counts[0].privacy_id_count_noise_stddev
        )

    return work


def pipeline_dp_noise(exact: Any) -> Callable[[], Told]:
    import pipeline_dp as pdp

    given = list(enumerate(exact.tolist()))
    parameters = pdp.AddDPNoiseParams(
        noise_kind=pdp.NoiseKind.GAUSSIAN, l0_sensitivity=1, linf_sensitivity=1, output_noise_stddev=True
    )

    def add() -> list[Any]:
        budget = pdp.NaiveBudgetAccountant(total_epsilon=EPSILON, total_delta=DELTA)
        found = pdp.DPEngine(budget, pdp.LocalBackend()).add_dp_noise(given, parameters)
        budget.compute_budgets()
        return [figure for _, figure in found]

    def work() -> Told:
        told = timed(add, sigma=0)
        return Told(told.seconds, [f.noised_value for f in told.counts], told.counts[0].noise_stddev)

    return work


def running_counts() -> None:
    """The whole life of a count, tick by tick here; OpenDP has a tree for it that needs all the ticks at once."""
    import opendp.prelude as dp

    print(f"\na running count at each of {TICKS:,} ticks, rho {float(rho()):.4f} for one viewer (PipelineDP has none)")
    plan, streams, videos = counter_plan(TICKS), 4_000, 24
    sampler, noise = Sampler(plan.variance(bound=1, rho=rho())), KeyedNoise(KEY, family="counters")
    encoder, decoder = np.zeros((plan.slots, streams), dtype=np.int64), np.zeros((plan.slots, streams))
    added, subjects = np.ones(streams, dtype=np.int64), np.arange(streams, dtype=np.int64)
    count, squares = np.zeros(streams), 0.0
    began = time.process_time()
    for step in range(TICKS):
        y = encode(plan, step, encoder, added)
        y += noise.draw([sampler], subjects=subjects, nodes=np.full(streams, step)).values[:, 0]
        count += decode(plan, step, decoder, y.astype(np.float64))
        squares += float(np.mean((count - step - 1) ** 2))
    ours = (time.process_time() - began) / (streams * TICKS)
    print(f"  Footlights: {1 / ours:>12,.0f} ticks/s, root mean square error {math.sqrt(squares / TICKS):.1f}")

    domain = dp.vector_domain(dp.atom_domain(T=dp.i64))
    tree = dp.t.make_b_ary_tree(domain, dp.l1_distance(T=dp.i64), leaf_count=TICKS, branching_factor=2)
    consistent = dp.t.make_consistent_b_ary_tree(branching_factor=2)
    levels = tree.map(1)  # nodes that one view is in: the L2 sensitivity is its square root
    measurement = dp.m.make_gaussian(domain, dp.l2_distance(T=dp.f64), math.sqrt(levels / (2 * rho())))
    squares = 0.0
    began = time.process_time()
    for _ in range(videos):
        found = np.cumsum(consistent(measurement(tree([1] * TICKS))))[:TICKS]
        squares += float(np.mean((found - np.arange(1, TICKS + 1)) ** 2))
    theirs = (time.process_time() - began) / (videos * TICKS)
    error = math.sqrt(squares / videos)
    print(
        f"  OpenDP:     {1 / theirs:>12,.0f} ticks/s, root mean square error {error:.1f}; a tree, all ticks at the end"
    )
    print(f"  {theirs / ours:,.0f} times as fast")


if __name__ == "__main__":
    sys.exit(main())
