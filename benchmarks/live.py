"""Live rooms: `python -m benchmarks.live [--data FOLDER] [--part ...]`.

bound      theorem 1's bound, beside what a search finds
series     real YouTube counters replayed as joins and leaves: error over time, coverage, beside a tree and fresh noise
attack     one known person enters an otherwise quiet room, 1,000 rooms: right guesses beside what is allowed
peak       the peak that is published, less the peak that was
raid       10,000 join in 10 s: how long a tick takes from journal to board
latency    from a viewer's event at the collector to the host's screen, with all processes up, each stage by itself
day        twelve hours: the process's memory, hour by hour
"""

from __future__ import annotations

import argparse
import math
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from benchmarks.latency import latency
from footlights.audit.attacks.chances import best_success
from footlights.gate.live_plan import LivePlan, count_noise
from footlights.gate.mechanisms.counter import UNIT
from footlights.gate.mechanisms.live import LongCounter, long_counter
from footlights.gate.mechanisms.noise import KeyedNoise
from footlights.public.board.live import LiveBoard
from footlights.public.insights.replay import peak_of
from footlights.simulate.draws import Draws
from footlights.simulate.live import JOIN, LEAVE, REACT, Likeness, Raid, RoomTable, read_series, replayed, room
from footlights.terms.events import Kind, ViewerEvent
from footlights.terms.figures import Z95
from footlights.terms.live import MINUTE_TICKS, TICK_SECONDS, TICKS
from footlights.terms.policy import default_policy

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]
SEED = b"benchmarks/live"
RUNS = 20
ROOMS = 1000
#: Viewers of a quiet room, and for how many ticks it is watched.
KNOWN, WATCHED = 20, 16


def bound(_: Path | None) -> None:
    counter = long_counter(TICKS)
    of_two = counter.alternating_norm2(2)
    print(f"one column {counter.norm2 / UNIT**2:.2f}; two sessions: triangle {16 * counter.norm2 / UNIT**2:.2f}, "
          f"orthogonal {4 * counter.norm2 / UNIT**2:.2f}, theorem 1 {of_two / UNIT**2:.2f}")  # fmt: skip
    times, found = _climb(counter, [0, TICKS // 4, TICKS // 2, 3 * TICKS // 4])
    print(f"the worst times that a search finds: {times}: {found / UNIT**2:.2f}")
    grown = count_noise().count
    ours = np.sqrt(of_two * grown)
    levels = TICKS.bit_length()
    tree = np.sqrt(4.0 * levels * np.array([bin(tick).count("1") for tick in range(1, TICKS + 1)]))
    print(f"error over {TICKS} ticks, in viewers / sqrt(2 rho): ours {ours.max():.2f} at most, {ours.mean():.2f} on "
          f"average; tree {tree.max():.2f} and {tree.mean():.2f}; fresh noise each tick {math.sqrt(TICKS):.1f}; "
          f"ours / tree {ours.max() / tree.max():.3f} and {ours.mean() / tree.mean():.3f}")  # fmt: skip


def _climb(counter: LongCounter, times: list[int]) -> tuple[list[int], int]:
    columns: dict[int, Int64s] = {counter.steps: np.zeros(counter.steps, np.int64)}

    def length(at: list[int]) -> int:
        for tick in at:
            if tick not in columns:
                places = np.minimum((counter.starts <= tick).sum(axis=1) - 1, counter.coefficients.shape[1] - 1)
                columns[tick] = counter.coefficients[np.arange(counter.steps), places].copy()
                columns[tick][:tick] = 0
        moved = columns[at[0]] - columns[at[1]] + columns[at[2]] - columns[at[3]]
        return int(moved @ moved)

    best, step = length(times), 2048
    while step:
        around = [[*times[:i], times[i] + by, *times[i + 1 :]] for i in range(4) for by in (-step, step)]
        tried = [(length(at), at) for at in around if at == sorted(at) and at[0] >= 0 and at[-1] <= counter.steps]
        most, at = max(tried)
        if most > best:
            best, times = most, at
        else:
            step //= 2
    return times, best


def series(data: Path | None) -> None:
    assert data is not None, "--data FOLDER: where the real series are"
    plan = LivePlan(default_policy())
    for path in sorted((data / "live_youtube_concurrent").glob("*.json")):
        interval, counts = read_series(path)
        table = replayed(SEED, path.name, counts, interval_seconds=interval, turnover=0.1)
        ticks = int(len(counts) * interval / TICK_SECONDS)
        truth = table.concurrent(TICK_SECONDS * np.arange(1.0, ticks + 1))
        kept = _kept(table, ticks)
        errors, within, tree = [], [], []
        std = np.sqrt(float(plan.variances["concurrent_viewers"]) * count_noise().count[:ticks])
        for number in range(RUNS):
            counts_out = _published(plan, kept, number)
            errors.append(counts_out - truth)
            within.append(np.abs(counts_out - truth) <= Z95 * std)
            tree.append(_tree(kept, number, rho=float(plan.policy.live_bound("concurrent_viewers").rho)) - truth)
        rms, rms_tree = (np.sqrt((np.array(some) ** 2).mean(axis=0)) for some in (errors, tree))
        fresh = math.sqrt(TICKS / (2 * float(plan.policy.live_bound("concurrent_viewers").rho)))
        thirds = [f"{part.mean():.1f}" for part in np.array_split(rms, 3)]
        covered = [f"{part.mean():.3f}" for part in np.array_split(np.array(within), 3, axis=1)]
        print(f"{path.stem[:22]} {ticks} ticks, {truth.min()}..{truth.max()} viewers; left out by two sessions at most "
              f"{int((truth - np.cumsum(kept)).max())}; rms error by thirds {', '.join(thirds)}; covered "
              f"{', '.join(covered)}; tree {rms_tree.mean():.1f}; fresh noise {fresh:.0f}")  # fmt: skip


def _kept(table: RoomTable, ticks: int) -> Int64s:
    """What each tick adds once each viewer is bounded to two sessions."""
    added = np.zeros(ticks + 1, dtype=np.int64)
    sessions: dict[int, int] = {}
    counted: set[int] = set()
    for at, viewer, what in zip(table.at_seconds.tolist(), table.viewer.tolist(), table.what.tolist(), strict=True):
        tick = min(int(-(-at // TICK_SECONDS)), ticks)
        if what == JOIN and viewer not in counted and sessions.get(viewer, 0) < 2:
            sessions[viewer] = sessions.get(viewer, 0) + 1
            counted.add(viewer)
            added[max(tick, 1)] += 1
        elif what == LEAVE and viewer in counted:
            counted.discard(viewer)
            added[max(tick, 1)] -= 1
    return added[1:]


def _published(plan: LivePlan, added: Int64s, number: int) -> Floats:
    sums = np.concatenate([[0], np.cumsum(added)])[:, None]
    noise = KeyedNoise(number.to_bytes(32, "big"), family="live")
    steps = np.arange(len(added))
    sampler = plan.samplers[0][1]
    z = noise.draw([sampler], subjects=np.full(len(added), number, np.int64), nodes=steps + 1).values
    counts = np.zeros((len(added) + 1, 1))
    for step in steps.tolist():
        y = plan.counter.encode(step, sums) + z[step]
        counts[step + 1] = plan.counter.decode(step, counts, y.astype(np.float64))
    return counts[1:, 0]


def _tree(added: Int64s, number: int, *, rho: float) -> Floats:
    """A binary tree over 21,600 ticks at the same budget: four events of a viewer are in 15 nodes each."""
    levels = TICKS.bit_length()
    sigma = math.sqrt(4 * levels / (2 * rho))
    draws = Draws(SEED, "tree", number)
    nodes: dict[tuple[int, int], float] = {}
    out = np.empty(len(added))
    sums = np.concatenate([[0], np.cumsum(added)])
    for tick in range(1, len(added) + 1):
        total, end = float(sums[tick]), tick
        while end:
            low = end & -end
            if (low, end) not in nodes:
                nodes[low, end] = sigma * float(draws.normal(1)[0])
            total += nodes[low, end]
            end -= low
        out[tick - 1] = total
    return out


def attack(_: Path | None) -> None:
    """A thousand rooms through the real gate, read off the board; and all that a viewer can do, as its law says."""
    plan = LivePlan(default_policy())
    rho = float(plan.policy.units["live"])
    coins = Draws(SEED, "coins").uniform(ROOMS) < 0.5
    right = int((_guesses(plan, coins) == coins).sum())
    print(f"enters, watched for {WATCHED} ticks: {right} of {ROOMS} right, {best_success(_enters(plan) ** 2 / 2):.3f} "
          f"expected; the promise allows {best_success(rho):.3f}")  # fmt: skip
    mu = _most(plan)
    guesses = Draws(SEED, "most").normal(ROOMS) + np.where(coins, mu / 2, -mu / 2) > 0
    print(f"all that counts of a viewer in twelve hours: {int((guesses == coins).sum())} of {ROOMS} right, "
          f"{best_success(mu**2 / 2):.3f} expected; the promise allows {best_success(rho):.3f}")  # fmt: skip


def _guesses(plan: LivePlan, coins: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What the best attacker makes of each room: the log likelihood ratio of what was published, y."""
    from tests.rooms import House, event, joins, started

    columns = np.stack([plan.counter.row(step)[:WATCHED] for step in range(WATCHED)])
    of_known, of_target = columns[:, 0], columns[:, 1]
    guesses = np.zeros(len(coins), dtype=bool)
    with TemporaryDirectory() as folder:
        house = House(Path(folder))
        for number, heads in enumerate(coins.tolist()):
            live = f"room {number}"
            target = [event("target", at=3, live=live)] if heads else []
            house.tell(started(live), *joins([f"known {viewer}" for viewer in range(KNOWN)], at=1, live=live), *target)
        house.publish(WATCHED * TICK_SECONDS)
        board = LiveBoard(house.board)
        for number in range(len(coins)):
            y = board.rows(board.live(f"room {number}")).y[:, :2].astype(np.float64)
            over = y - KNOWN * of_known[:, None] - of_target[:, None] / 2
            weights = [1 / float(plan.variances[part]) for part in ("concurrent_viewers", "live_viewers")]
            guesses[number] = float((of_target @ over) @ weights) > 0
        board.close()
    return guesses


def _enters(plan: LivePlan) -> float:
    """What somebody's entering moves the counts of the watched ticks, in standard deviations of their noise."""
    n = float(plan.counter.prefix_norms[WATCHED - 1])
    return math.sqrt(sum(n / float(plan.variances[part]) for part in ("concurrent_viewers", "live_viewers")))


def _most(plan: LivePlan) -> float:
    _, worst = _climb(plan.counter, [3072, 7424, 10_752, 14_336])
    rest = sum(
        norm2 / float(plan.variances[part]) for part, norm2 in plan.norms2.items() if part != "concurrent_viewers"
    )
    return math.sqrt(worst / float(plan.variances["concurrent_viewers"]) + rest)


def peak(data: Path | None) -> None:
    assert data is not None, "--data FOLDER: where the real series are"
    plan = LivePlan(default_policy())
    sigma = math.sqrt(plan.variances["concurrent_viewers"])
    for path in sorted((data / "live_youtube_concurrent").glob("*.json")):
        interval, counts = read_series(path)
        minutes = int(len(counts) * interval / 60)
        times = np.arange(minutes * MINUTE_TICKS) * TICK_SECONDS / interval
        truth = np.asarray(counts)[np.minimum(times.astype(int), len(counts) - 1)].reshape(minutes, -1).mean(axis=1)
        sums = np.zeros((minutes + 1, minutes + 1))
        sums[1:, 1:] = count_noise().marks[:minutes, :minutes]
        covariance = np.diff(np.diff(sums, axis=0), axis=1) * (sigma / MINUTE_TICKS) ** 2
        lower = np.linalg.cholesky(covariance + 1e-9 * np.eye(minutes))
        split, largest, chosen = [], [], []
        for number in range(400):
            means = truth + lower @ Draws(SEED, path.name, number).normal(minutes)
            value, minute, _ = peak_of(means, covariance, seed=f"{path.name} {number}")
            split.append(value - truth[minute])
            chosen.append(truth[minute] - truth.max())
            largest.append(means.max() - truth.max())
        print(f"{path.stem[:22]} peak {truth.max():.0f}: bias of ours for the minute found {np.mean(split):+.1f} "
              f"+- {np.std(split) / 20:.1f}, that minute below the peak by {-np.mean(chosen):.1f}; of the largest "
              f"of all minutes {np.mean(largest):+.1f}")  # fmt: skip


def raid(_: Path | None) -> None:
    from tests.rooms import BEGIN, House, started

    likeness = Likeness(seconds=120, viewers=2000, raids=(Raid(at_seconds=60.0),))
    table = room(SEED, "raid", likeness)
    with TemporaryDirectory() as folder:
        house = House(Path(folder))
        house.tell(started())
        gate = house.gate()
        gate.run(until_utc=BEGIN)
        took = []
        for tick in range(2, 122, TICK_SECONDS):
            rows = np.flatnonzero((table.at_seconds > tick - TICK_SECONDS) & (table.at_seconds <= tick))
            house.tell(*_events(table, rows))
            began = time.perf_counter()
            gate.run(until_utc=BEGIN + tick)
            took.append((time.perf_counter() - began, len(rows)))
        gate.close()
    seconds = np.array([each for each, _ in took])
    busiest = max(took, key=lambda each: each[1])
    print(f"{len(table)} events; a tick takes {np.median(seconds) * 1000:.0f} ms, at most {seconds.max() * 1000:.0f}; "
          f"the busiest had {busiest[1]} events in {busiest[0] * 1000:.0f} ms")  # fmt: skip


_KINDS = {JOIN: Kind.LIVE_JOIN, LEAVE: Kind.LIVE_LEAVE, REACT: Kind.LIVE_REACTION}


def _events(table: RoomTable, rows: Int64s) -> Iterator[ViewerEvent]:
    from tests.rooms import event

    for row in rows.tolist():
        kind = _KINDS.get(int(table.what[row]))
        if kind is not None:
            yield event(f"v{table.viewer[row]}", kind, at=float(table.at_seconds[row]), choice=int(table.choice[row]))


def day(_: Path | None) -> None:
    from tests.rooms import BEGIN, House, started

    table = room(SEED, "day", Likeness(seconds=12 * 3600, viewers=400, reacts=0.05))
    with TemporaryDirectory() as folder:
        house = House(Path(folder))
        house.tell(started())
        gate = house.gate()
        for hour in range(1, 13):
            began = time.perf_counter()
            for until in range((hour - 1) * 3600 + 300, hour * 3600 + 1, 300):
                rows = np.flatnonzero((table.at_seconds > until - 300) & (table.at_seconds <= until))
                house.tell(*_events(table, rows))
                gate.run(until_utc=BEGIN + until)
            held = _resident_mb()
            print(
                f"hour {hour}: {held:.0f} MB, {(time.perf_counter() - began) / 1800 * 1000:.1f} ms a tick", flush=True
            )
        gate.close()
        print(f"board {sum(path.stat().st_size for path in house.board.glob('live.db*')) / 2**20:.1f} MB")


def _resident_mb() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return pages * resource.getpagesize() / 2**20


PARTS: dict[str, Callable[[Path | None], None]] = {
    part.__name__: part for part in (bound, series, attack, peak, raid, latency, day)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder with live_youtube_concurrent")
    parser.add_argument("--part", choices=PARTS, action="append", help="only these; all if left out")
    asked = parser.parse_args()
    for name in asked.part or PARTS:
        if name in ("series", "peak") and asked.data is None:
            continue
        print(f"== {name}", flush=True)
        PARTS[name](asked.data)


if __name__ == "__main__":
    main()
