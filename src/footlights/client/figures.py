"""Figures. In: an answer of the API. Out: its figures as rows, as Arrow, polars or pandas frames, or as a plot.

Rows are those of the CSV and Parquet files of the pages, made by the same code: a number never without its interval.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from footlights.client.plot import Svg, draw
from footlights.public.web.exports import COLUMNS, arrow_table, figure_rows
from footlights.terms.errors import AskFailed

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow


class Figures:
    """Some figures. answer: the struct that they are in, for whoever wants all of it.

    Columns: scope (where in the answer), id (whose), cell (of a table), and the figure: metric, value, low, high
    (its 95 % interval), state (ok, too_few, pending), exact, as_of (RFC 3339, UTC) and tick.
    """

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self._rows = figure_rows(answer)

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"<{type(self.answer).__name__}: {len(self):,} figures>"

    def rows(self) -> list[dict[str, Any]]:
        """One dictionary a figure. Needs nothing installed."""
        return [dict(zip(COLUMNS, row, strict=True)) for row in self._rows]

    def to_arrow(self) -> pyarrow.Table:
        """An Arrow table. Raises AskFailed where pyarrow is not installed."""
        _needs("pyarrow")
        return arrow_table(self._rows)

    def to_polars(self) -> polars.DataFrame:
        """A polars frame. Raises AskFailed where polars is not installed."""
        return _needs("polars").from_arrow(self.to_arrow())

    def to_pandas(self) -> pandas.DataFrame:
        """A pandas frame with Arrow's types: a pending value is missing, and the others stay whole numbers."""
        pandas = _needs("pandas")
        return self.to_arrow().to_pandas(types_mapper=pandas.ArrowDtype)

    def plot(self, metric: str | None = None, *, width: int = 720, height: int = 320) -> Svg:
        """A picture, as SVG: a curve with its 95 % band where the answer has one, else a bar and interval for each.

        metric: of which figures; by default the curve's, or the first that there is. width, height: pixels. Raises
        AskFailed where there is no figure of that metric.
        """
        return draw(self.rows(), metric=metric, width=width, height=height)


def _needs(package: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError:
        raise AskFailed(
            f'Frames need {package}, which is not installed: pip install "footlights[frames]". rows() needs nothing.'
        ) from None
