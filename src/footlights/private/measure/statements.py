"""Statements. The SQL files of this room, each split into its statements once."""

from __future__ import annotations

from functools import cache
from importlib import resources

import duckdb


@cache
def statements(name: str) -> tuple[str, ...]:
    """The statements of sql/<name>.sql, in order; a statement ends with a semicolon at a line's end."""
    text = resources.files("footlights.private.measure.sql").joinpath(f"{name}.sql").read_text("utf-8")
    code = "".join(line.split("--")[0].rstrip() + "\n" for line in text.splitlines())
    parts = (part.strip() for part in code.split(";\n"))
    return tuple(part for part in parts if part)


def run(store: duckdb.DuckDBPyConnection, name: str) -> None:
    """Run all statements of a file."""
    for statement in statements(name):
        store.execute(statement)
