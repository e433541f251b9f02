"""Report. In: a creator's part of the board. Out: one row a figure, as a table, JSON, CSV or Parquet."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

from footlights.public import insights
from footlights.public.board.read import Board
from footlights.terms.errors import BadSetting
from footlights.terms.figures import Figure

COLUMNS = ("scope", "id", "metric", "cell", "value", "low", "high", "state", "exact", "as_of", "tick")


def report_rows(board: Board, creator_id: str, *, days: int) -> list[dict[str, Any]]:
    """Every figure of a creator: the overview's window, each video's running counts, the audience. Raises NotFound."""
    creator = board.creator(creator_id)
    seen = insights.overview(board, creator, days=days)
    rows = [_row(f"last {days} days", creator.id, figure) for figure in seen.figures.values()]
    rows.append(_row("now", creator.id, seen.followers))
    for video in board.videos(creator):
        figures = insights.video_figures(board, video).figures
        rows += [_row("video", video.id, figure) for figure in figures.values()]
    for table in insights.channel_audience(board, creator).tables:
        rows += [_row("audience", creator.id, cell.figure, cell="|".join(cell.key.values())) for cell in table.cells]
    return rows


def _row(scope: str, subject: str, figure: Figure, *, cell: str = "") -> dict[str, Any]:
    fields = {name: getattr(figure, name) for name in Figure.__struct_fields__}
    return {"scope": scope, "id": subject, "cell": cell} | fields


def write_report(rows: list[dict[str, Any]], *, format: str, out: Path | None) -> None:
    """Write rows to a file, or to standard output. Raises BadSetting for Parquet on a terminal."""
    if format == "parquet":
        _write_parquet(rows, out)
        return
    text = {"json": _json, "csv": _csv, "table": _table}[format](rows)
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, "utf-8")


def _json(rows: list[dict[str, Any]]) -> str:
    return json.dumps({"figures": rows}, ensure_ascii=False) + "\n"


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _table(rows: list[dict[str, Any]]) -> str:
    """What fits a terminal: cells that are too few are counted, not listed."""
    lines = [f"{'':26}  {'metric':24} {'value':>12}   95 % interval"]
    hidden = 0
    for row in rows:
        if row["scope"] == "audience" and row["state"] != "ok":
            hidden += 1
            continue
        name = row["cell"] or (row["id"] if row["scope"] == "video" else row["scope"])
        lines.append(f"{name[:26]:26}  {row['metric']:24} {_value(row):>12}   {_interval(row)}")
    if hidden:
        lines.append(f"{hidden} audience cells have too few viewers to say, or no tick yet; --format csv lists them.")
    return "\n".join(lines) + "\n"


def _value(row: dict[str, Any]) -> str:
    if row["state"] == "ok":
        return f"{row['value']:,}"
    return str(row["state"]).replace("_", " ")


def _interval(row: dict[str, Any]) -> str:
    if row["state"] == "pending":
        return ""
    return "exact" if row["exact"] else f"{row['low']:,} to {row['high']:,}"


def _write_parquet(rows: list[dict[str, Any]], out: Path | None) -> None:
    if out is None:
        raise BadSetting("Parquet is not for a terminal: name a file with --out.")
    import duckdb
    import numpy as np

    columns: dict[str, Any] = {}
    for name in COLUMNS:
        columns[name] = np.empty(len(rows), dtype=object)
        columns[name][:] = [row[name] for row in rows]
    with duckdb.connect() as writer:
        writer.register("figures", columns)
        numbers = ", ".join(f"{name}::BIGINT AS {name}" for name in ("value", "low", "high", "tick"))
        writer.execute(
            f"COPY (SELECT * REPLACE ({numbers}, exact::BOOLEAN AS exact) FROM figures) TO ? (FORMAT parquet)",
            [str(out)],
        )
