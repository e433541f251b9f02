"""Plot. In: rows of figures. Out: one SVG that needs nothing else: light and dark, with a text for who cannot see it.

A band or whisker is always drawn. A number that is too few to say has its interval alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from typing import Any

from footlights.public.web.formats import Formats
from footlights.terms.errors import AskFailed

Row = dict[str, Any]

#: Code is written in English, and so is what it draws.
FORMATS = Formats()
#: Where an answer has a curve.
_CURVES = ("points", "curve.points", "curve")
_BARS_MAX = 40
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 16, 40, 34
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#444}.t{font-size:15px;font-weight:600;fill:#111}"
    ".g{stroke:#ddd}.b{fill:#7a5af8;fill-opacity:.22}.l{fill:none;stroke:#5b3fd6;stroke-width:2}"
    ".w{stroke:#5b3fd6;stroke-width:5;stroke-opacity:.4;stroke-linecap:round}.d{fill:#5b3fd6}"
    "@media(prefers-color-scheme:dark){text{fill:#bbb}.t{fill:#eee}.g{stroke:#444}.l,.w{stroke:#a996ff}"
    ".b,.d{fill:#a996ff}}"
)


class Svg(str):
    """An SVG as text. A notebook shows it; `pathlib.Path(...).write_text(svg)` keeps it."""

    def _repr_svg_(self) -> str:
        return str(self)


def draw(rows: list[Row], *, metric: str | None, width: int, height: int) -> Svg:
    """The curve of some rows with its band, or a line with a whisker for each row. Raises AskFailed for no row."""
    curve = [row for row in rows if row["scope"] in _CURVES and metric in (None, row["metric"])]
    chosen = curve or _of_metric(rows, metric)
    told = [row for row in chosen if row["low"] is not None]
    if not told:
        known = ", ".join(sorted({row["metric"] for row in rows if row["low"] is not None})) or "none yet"
        raise AskFailed(f"There is no published figure of this metric here. Published: {known}.")
    return _curve(told, width, height) if len(curve) > 1 and len(told) > 1 else _bars(told[:_BARS_MAX], width)


def _of_metric(rows: list[Row], metric: str | None) -> list[Row]:
    """The rows of a metric, where it stands first; without one, of the first that has several."""
    if metric is None:
        names = [row["metric"] for row in rows if row["low"] is not None]
        metric = next((name for name in names if names.count(name) > 1), names[0] if names else None)
    found = [row for row in rows if row["metric"] == metric]
    # A video's views and the parts of its last days have one metric, and no place beside each other.
    return [row for row in found if row["scope"] == found[0]["scope"]]


# ---- a curve


def _curve(rows: list[Row], width: int, height: int) -> Svg:
    metric = rows[0]["metric"]
    least, most = _ends(rows)
    places = _places(rows)
    first, last = places[0], max(places[-1], places[0] + 1)

    def at(place: float, number: float) -> str:
        x = _LEFT + (width - _LEFT - _RIGHT) * (place - first) / (last - first)
        return f"{x:.1f} {_height(number, least, most, height):.1f}"

    pairs = list(zip(places, rows, strict=True))
    upper = [at(place, row["high"]) for place, row in pairs]
    lower = [at(place, row["low"]) for place, row in pairs]
    parts = [f'<path class="b" d="M{" L".join((*upper, *reversed(lower)))}z"/>']
    parts += [f'<path class="l" d="{_line(pairs, at)}"/>', *_grid(metric, least, most, width, height)]
    ends = ((_LEFT, "start", rows[0]), (width - _RIGHT, "end", rows[-1]))
    parts += [f'<text x="{x}" y="{height - 10}" text-anchor="{side}">{_where(row)}</text>' for x, side, row in ends]
    about = f"{FORMATS.title(metric)}, with its 95 % band, from {_where(rows[0])} to {_where(rows[-1])}. Last: "
    return _svg(metric, about + _words(rows[-1]), parts, width, height)


def _line(pairs: Iterable[tuple[float, Row]], at: Any) -> str:
    """Through what says something; it is broken where there is too few to say."""
    parts, pen = [], "M"
    for place, row in pairs:
        if row["state"] == "ok":
            parts.append(f"{pen}{at(place, row['value'])}")
        pen = "L" if row["state"] == "ok" else "M"
    return "".join(parts)


def _grid(metric: str, least: float, most: float, width: int, height: int) -> list[str]:
    parts = []
    for step in range(5):
        number = least + (most - least) * step / 4
        y = _height(number, least, most, height)
        parts.append(f'<line class="g" x1="{_LEFT}" x2="{width - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        label = escape(FORMATS.amount(round(number), metric))
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    return parts


def _height(number: float, least: float, most: float, height: int) -> float:
    return height - _BOTTOM - (height - _TOP - _BOTTOM) * (number - least) / (most - least)


def _places(rows: list[Row]) -> list[float]:
    """Where a row stands on the line of time, or among the parts of a video."""
    if rows[0]["cell"]:
        return [float(row["cell"]) for row in rows]
    return [_moment(row).timestamp() for row in rows]


def _where(row: Row) -> str:
    return f"{row['cell']} % of the video" if row["cell"] else f"{_moment(row):%Y-%m-%d %H:%M}"


def _moment(row: Row) -> datetime:
    return datetime.strptime(row["as_of"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


# ---- one line for each


def _bars(rows: list[Row], width: int) -> Svg:
    metric = rows[0]["metric"]
    least, most = _ends(rows)
    left, right = 190, 150
    height = _TOP + 24 * len(rows) + 12
    parts = []

    def x(number: float) -> float:
        return left + (width - left - right) * (number - least) / (most - least)

    for place, row in enumerate(rows):
        y = _TOP + 24 * place + 12
        label = (row["cell"] or row["id"] or row["scope"])[:28]
        parts += [
            f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{escape(label)}</text>',
            f'<line class="w" x1="{x(row["low"]):.1f}" x2="{x(row["high"]):.1f}" y1="{y}" y2="{y}"/>',
            f'<text x="{width - right + 10}" y="{y + 4}">{escape(_short(row))}</text>',
        ]
        if row["state"] == "ok":
            parts.append(f'<circle class="d" cx="{x(row["value"]):.1f}" cy="{y}" r="3.5"/>')
    about = f"{FORMATS.title(metric)}, {len(rows)} figures with their 95 % intervals. First: {_words(rows[0])}"
    return _svg(metric, about, parts, width, height)


def _short(row: Row) -> str:
    ends = f"{FORMATS.amount(row['low'], row['metric'])} to {FORMATS.amount(row['high'], row['metric'])}"
    return f"{FORMATS.amount(row['value'], row['metric'])}, exact" if row["exact"] else ends


def _words(row: Row) -> str:
    if row["exact"]:
        return f"{_short(row)}."
    told = "too few to say" if row["state"] == "too_few" else FORMATS.amount(row["value"], row["metric"])
    return f"{told}, from {_short(row)} with 95 % confidence."


def _ends(rows: list[Row]) -> tuple[float, float]:
    least = min(0, *(row["low"] for row in rows))
    return least, max(least + 1, *(row["high"] for row in rows))


def _svg(metric: str, about: str, parts: list[str], width: int, height: int) -> Svg:
    title = escape(FORMATS.title(metric))
    return Svg(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img"><title>{title}</title><desc>{escape(about)}</desc><style>{_STYLE}</style>'
        f'<text class="t" x="16" y="24">{title}</text>{"".join(parts)}</svg>'
    )
