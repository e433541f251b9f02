"""Own past. In: a folder of public series. Out: whether a creator's earlier videos make a forecast nearer, and hold.

    python -m benchmarks.own_past DATA            series whose videos have creators
    python -m benchmarks.own_past --planted 20    so many channels a size, of planted growth, with the gate's noise

Each video is foreseen twice, by the code that a page calls: by the guess alone, and as a page says it, with what the
guess got wrong on earlier videos of the same creator. The guess never saw that creator: it is fitted without the fifth
of all groups that the creator is in (benchmarks/forecast.py, "unseen").

What counts as an earlier video's past is what was over when the forecast is made, as in the product. Of
youtube_trending_2017_us that is asked for: a video's days on the list stand for its age. The other series were looked
at twice, all their videos in the same weeks: there an earlier video is an older one of the creator, of at most twice
the age, in the same week. It knows that week's luck, which a page does not; and it was not as old, as on a page it is.

of alone   error with the own past as a part of that without
In brackets, 95 % of such figures when creators are drawn again with replacement.
"""

from __future__ import annotations

import argparse
import importlib
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.forecast import Checked, Unseen, between, checked, draws, part_of
from benchmarks.growth_series import DAY, YOUNG, Floats, Tasks, all_tasks
from benchmarks.planted_board import ASKED_AGES, Planted, plant
from footlights.public import insights
from footlights.public.board.read import Board
from footlights.public.insights.forecast import EARLIER_MAX, TARGETS_SECONDS, WIDEST, corrected, shipped
from footlights.public.insights.growth import LEVELS, Growths, log_of
from footlights.terms.ticks import HOUR

#: How many times as old an earlier video may be where none was seen at the same age.
ALIKE = 2.0
#: Of fewer tasks no row is made.
LEAST, LEAST_PLANTED = 40, 20
#: How many earlier videos a row's tasks have.
ROWS = {"any": (0, EARLIER_MAX), "none": (0, 0), "1 to 4": (1, 4), "5 or more": (5, EARLIER_MAX)}
#: Views that videos of a planted board get, at the median.
SIZES = (1_000, 10_000)
HEAD = (
    "| series | ahead | earlier | n | alone: error | own past: error | of alone | alone: 50 % | own past: 50 % "
    "| alone: 95 % | own past: 95 % | alone: width | own past: width |\n|---|---|---|---:|" + "---:|" * 9
)
HEAD_PLANTED = (
    "| views | age | ahead | asked | told: alone, own past | alone: error | own past: error | alone: 95 % "
    "| own past: 95 % | alone: width | own past: width | alone, cut: 95 % | own past, cut: 95 % |\n"
    "|---:|---|---|---:|" + "---:|" * 9
)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("data", type=Path, nargs="?")
    arguments.add_argument("--planted", type=int, default=0, metavar="CHANNELS")
    asked = arguments.parse_args()
    if asked.data is not None:
        print(HEAD)
        for line in _lines_of_series(asked.data):
            print(line, flush=True)
    if asked.planted:
        print(HEAD_PLANTED)
        for views in SIZES:
            for line in _lines_of_planted(views, asked.planted):
                print(line, flush=True)


def _lines_of_series(data: Path) -> Iterator[str]:
    found = [tasks.at(tasks.rate > 0) if np.isnan(tasks.age).all() else tasks for tasks in all_tasks(data)]
    unseen = Unseen(found)
    for tasks in _with_creators(found):
        guess = unseen.told(tasks)
        asked = np.isnan(tasks.age) | (tasks.age < YOUNG)
        errors = _scaled(np.maximum(tasks.growth, 0.0)) - _scaled(guess.middle)
        own, count = _with_own_past(guess, errors, [_earlier(tasks, one) for one in range(len(tasks))])
        alone, told = checked(tasks, guess), checked(tasks, own)
        for name, (least, most) in ROWS.items():
            chosen = asked & (least <= count) & (count <= most)
            # Without earlier videos both are the guess.
            if name != "none" and chosen.sum() >= LEAST:
                yield _row([tasks.series, tasks.horizon, name], _some(alone, chosen), _some(told, chosen))


def _with_creators(found: list[Tasks]) -> Iterator[Tasks]:
    """Series of videos that have creators, those of one series and horizon together."""
    kinds = ("youtube_trending_2017_us", "youtube_fr_tech_daily videos", "tiktok_videos_vn")
    for kind, horizon in dict.fromkeys(
        (kind, tasks.horizon) for kind in kinds for tasks in found if kind in tasks.series
    ):
        parts = [tasks for tasks in found if kind in tasks.series and tasks.horizon == horizon]
        columns = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name, column in msgspec.structs.asdict(parts[0]).items()
            if isinstance(column, np.ndarray)
        }
        yield Tasks(series=kind, horizon=horizon, **columns)


def _earlier(tasks: Tasks, one: int) -> NDArray[np.int64]:
    """Which tasks are of earlier videos of the same creator and about as old; the newest first."""
    listed = bool(np.isnan(tasks.age).all())
    ages = tasks.listed if listed else tasks.age
    posted = tasks.origin - ages
    mine = (tasks.group == tasks.group[one]) & (posted < posted[one])
    if listed:
        mine &= (np.abs(ages - ages[one]) < DAY / 2) & (tasks.origin + tasks.ahead <= tasks.origin[one])
    else:
        mine &= (ages <= ALIKE * ages[one]) & (np.abs(tasks.ahead - tasks.ahead[one]) < tasks.ahead[one] / 2)
    chosen = np.flatnonzero(mine)
    return chosen[np.argsort(-posted[chosen], kind="stable")][:EARLIER_MAX]


def _with_own_past(
    guess: Growths, errors: Floats, earlier: list[NDArray[np.int64]]
) -> tuple[Growths, NDArray[np.int64]]:
    """What a page says of each task, and how many earlier videos had a say."""
    middle, ends = np.zeros(len(errors)), np.zeros((len(errors), len(LEVELS)))
    for one, others in enumerate(earlier):
        alone = Growths(middle=guess.middle[one : one + 1], ends=guess.ends[one : one + 1])
        middle[one : one + 1], ends[one : one + 1], _ = corrected(alone, errors[others][:, None])
    return Growths(middle=middle, ends=ends), np.asarray([len(others) for others in earlier])


def _scaled(growth: Floats) -> Floats:
    return log_of(growth, floor=shipped().by_age.floor)


def _some(told: Checked, chosen: NDArray[np.bool_]) -> Checked:
    return Checked(*(column[chosen] for column in told))


def _row(begin: list[str], alone: Checked, own: Checked) -> str:
    drawn = draws(alone.group)
    parts = between([part_of(own.error[rows], alone.error[rows]) for rows in drawn], 2)
    cells = [
        *begin, f"{len(alone.error):,}", f"{np.median(alone.error):.4f}", f"{np.median(own.error):.4f}",
        f"{part_of(own.error, alone.error):.2f} {parts}",
        *(f"{100 * each.inside.mean():.1f}" for each in (alone, own)),
        *(_held(each) for each in (alone, own)),
        *(f"{np.median(each.width):.3f}" for each in (alone, own)),
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |".replace("..", " to ")


def _held(told: Checked) -> str:
    if not len(told.error):
        return "none"
    brackets = between([100 * told.inside_95[rows].mean() for rows in draws(told.group)], 1)
    return f"{100 * told.inside_95.mean():.1f} {brackets}"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one forecast of a planted board came out. told: whether a page would say it, or cut it as too wide."""

    creator: str
    told: bool
    error: float
    inside: bool
    inside_95: bool
    width: float


def _lines_of_planted(views: int, channels: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        videos = plant(Path(folder), channels=channels, views=views, seed=views)
        board = Board(Path(folder))
        for age in ASKED_AGES:
            alone, own = (_outcomes(board, videos, age, alone=alone) for alone in (True, False))
            for target in TARGETS_SECONDS:
                if target > age and len(alone[target]) >= LEAST_PLANTED:
                    yield _row_planted(
                        [f"{views:,}", _span(age), _span(target)], len(videos), alone[target], own[target]
                    )
        board.close()


def _outcomes(board: Board, videos: list[Planted], age: int, *, alone: bool) -> dict[int, list[Outcome]]:
    """What became of each forecast, by target, those that a page would cut among them."""
    found: dict[int, list[Outcome]] = {target: [] for target in TARGETS_SECONDS}
    for each in videos:
        video = board.video(each.alone if alone else each.id)
        foreseen = _uncut(board, board.creator_of(video), video, each.posted_at_utc + age)
        cut_at = next((at for at, low, _, high in map(_ends, foreseen.fan) if high + 1 > WIDEST * (low + 1)), math.inf)
        for target in foreseen.targets:
            at, low, value, high = _ends(target)
            truth = each.views[TARGETS_SECONDS.index(at)]
            found[at].append(
                Outcome(
                    creator=each.creator, told=at < cut_at, error=abs(math.log((truth + 1) / (value + 1))),
                    inside=target.lower <= truth <= target.upper, inside_95=low <= truth <= high,
                    width=math.log((high + 1) / (low + 1)),
                )
            )  # fmt: skip
    return found


def _ends(foreseen: insights.Foreseen) -> tuple[int, int, int, int]:
    views = foreseen.views
    return foreseen.age_seconds, views.low or 0, views.value or 0, views.high or 0


def _uncut(board: Board, *asked: Any) -> insights.Forecast:
    """A forecast, however wide."""
    # The package has a function of the module's name.
    module: Any = importlib.import_module("footlights.public.insights.forecast")
    module.WIDEST = 1e200
    try:
        creator, video, at = asked
        return insights.forecast(board, creator, video, at_utc=at)
    finally:
        module.WIDEST = WIDEST


def _row_planted(begin: list[str], asked: int, alone: list[Outcome], own: list[Outcome]) -> str:
    told = [_as_checked(each, told=True) for each in (alone, own)]
    cut = [_as_checked(each, told=False) for each in (alone, own)]
    cells = [
        *begin, f"{asked:,}", ", ".join(f"{len(each.error):,}" for each in told),
        *(f"{np.median(each.error):.3f}" if len(each.error) else "none" for each in told),
        *(_held(each) for each in told),
        *(f"{np.median(each.width):.2f}" if len(each.width) else "none" for each in told),
        *(f"{100 * each.inside_95.mean():.1f} of {len(each.error)}" if len(each.error) else "none" for each in cut),
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |".replace("..", " to ")


def _as_checked(outcomes: list[Outcome], *, told: bool) -> Checked:
    chosen = [each for each in outcomes if each.told == told]
    return Checked(
        group=np.asarray([each.creator for each in chosen]),
        error=np.asarray([each.error for each in chosen]),
        inside=np.asarray([each.inside for each in chosen], dtype=bool),
        inside_95=np.asarray([each.inside_95 for each in chosen], dtype=bool),
        width=np.asarray([each.width for each in chosen]),
    )


def _span(seconds: int) -> str:
    if seconds < HOUR:
        return f"{seconds // 60} min"
    return f"{seconds // HOUR} h" if seconds <= DAY else f"{seconds // int(DAY)} d"


if __name__ == "__main__":
    main()
