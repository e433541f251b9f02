"""Drawing. In: figures. Out: numbers for small inline SVGs, which templates write. Colours are left to CSS."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

import msgspec

from footlights.terms.figures import Figure


class Beam(msgspec.Struct, frozen=True, kw_only=True):
    """Where a figure's interval lies on a line of 100: a narrow beam is a sure number. core: None if it is not told."""

    start: float
    width: float
    core: float | None


def beam(figure: Figure, *, most: float | None = None) -> Beam | None:
    """The beam of a figure on a line from 0 to most (default: a little above its own interval); None while pending."""
    if figure.value is None or figure.low is None or figure.high is None:
        return None
    end = max(1.0, figure.high * 1.12 if most is None else most)
    start, stop = (100 * min(1.0, max(0.0, number / end)) for number in (figure.low, figure.high))
    core = 100 * min(1.0, max(0.0, figure.value / end))
    return Beam(
        start=round(start, 2),
        width=round(max(0.8, stop - start), 2),
        core=None if figure.state == "too_few" else round(core, 2),
    )


def swing(gain: Figure, *, most: float) -> Beam | None:
    """The beam of a gain in percent on a line of 100 with no gain in the middle, by factors. most: the one at its end.

    A half and twice as many are as far from the middle.
    """
    if gain.value is None or gain.low is None or gain.high is None:
        return None

    def at(percent: int) -> float:
        factor = max(1 + percent / 100, 1 / most)
        return 50 + 50 * min(1.0, max(-1.0, math.log(factor) / math.log(most)))

    start, core, stop = at(gain.low), at(gain.value), at(gain.high)
    return Beam(start=round(start, 2), width=round(max(0.8, stop - start), 2), core=round(core, 2))


def scale_of(figures: Iterable[Figure]) -> float:
    """A common scale for beams that are compared: a little above the highest end of those that say something."""
    known = [figure for figure in figures if figure.high is not None]
    telling = [figure.high for figure in known if figure.state == "ok" and figure.high is not None]
    highest = telling or [figure.high for figure in known if figure.high is not None]
    return 1.04 * max(highest, default=1)


class Spark(msgspec.Struct, frozen=True, kw_only=True):
    """A small curve in a box of 112 x 28: the band of its intervals, and a line through what says something."""

    band: str
    line: str


def spark(figures: Sequence[Figure]) -> Spark | None:
    """The curve of some figures, oldest first; None where there are fewer than two or none says anything."""
    told = [figure for figure in figures if figure.high is not None and figure.low is not None]
    top = max((figure.high or 0 for figure in told), default=0)
    if len(told) < 2 or top <= 0:
        return None

    def at(place: int, number: int) -> str:
        return f"{112 * place / (len(told) - 1):.1f} {27 - 26 * min(1.0, max(0.0, number / top)):.1f}"

    upper = [at(place, figure.high or 0) for place, figure in enumerate(told)]
    lower = [at(place, figure.low or 0) for place, figure in enumerate(told)]
    middle = [at(place, figure.value or 0) for place, figure in enumerate(told)]
    return Spark(band="M" + " L".join((*upper, *reversed(lower))) + "z", line="M" + " L".join(middle))


class Bells(msgspec.Struct, frozen=True, kw_only=True):
    """Two bell curves as SVG paths in a box of 400 x 120, and how far apart they are in standard deviations.

    guessed_percent: how often the best guesser is right who has to say which of the two a result came from.
    """

    without: str
    with_you: str
    apart: float
    guessed_percent: int


def bells(rho: Fraction) -> Bells:
    """What all figures of a unit look like without and with one person, to scale.

    A guarantee of rho says: no test tells the two apart better than it would tell a normal distribution from itself
    moved by sqrt(2 rho) standard deviations (Bun and Steinke, "Concentrated differential privacy", 2016; exact for
    the Gaussian mechanism, and for one on integers up to its sampling error).
    """
    apart = math.sqrt(2 * float(rho))
    return Bells(
        without=_bell(-apart / 2),
        with_you=_bell(apart / 2),
        apart=round(apart, 2),
        guessed_percent=math.ceil(50 * (1 + math.erf(apart / 2 / math.sqrt(2)))),
    )


def _bell(middle: float) -> str:
    points = (
        (200 + 50 * z, 112 - 100 * math.exp(-((z - middle) ** 2) / 2)) for z in (step / 10 for step in range(-40, 41))
    )
    return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """One head in the house, seen from the stage: no face. shoulders: a path. light: of the rim, 0..1."""

    x: float
    y: float
    head: float
    shoulders: str
    light: float


def house(rows: int = 7) -> list[Seat]:
    """The house in a box of 800 x 260, back rows first: smaller and darker towards the back, seats staggered."""
    return [seat for row in range(rows) for seat in _row(row, depth=row / (rows - 1))]


def _row(row: int, *, depth: float) -> list[Seat]:
    size = 7 + 17 * depth**1.4
    gap = size * 2.7
    half = int(480 / gap) + 1
    return [_seat((place + (row % 2) / 2) * gap, size=size, depth=depth) for place in range(-half, half + 1)]


def _seat(aside: float, *, size: float, depth: float) -> Seat:
    # Rows bend towards the stage at the sides, the front ones less.
    y = 40 + 164 * depth**1.25 - (aside / 400) ** 2 * 16 * (1 - depth / 2)
    wide, foot, top = 1.3 * size, y + 7 * size, y + 1.75 * size
    left = 400 + aside - wide
    shoulders = f"M{left:.1f} {foot:.1f}V{top:.1f}a{wide:.1f} {0.95 * size:.1f} 0 0 1 {2 * wide:.1f} 0V{foot:.1f}z"
    return Seat(
        x=round(400 + aside, 1), y=round(y, 1), head=round(0.72 * size, 1), shoulders=shoulders,
        light=round(0.14 + 0.7 * depth**2, 2),
    )  # fmt: skip
