"""The repository as the wall tests see it: its files, and its Python sources as syntax trees."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src" / "footlights"
#: What git does not hold: made by builds, tools and runs.
MADE = {
    ".git", ".venv", ".hypothesis", ".import_linter_cache", ".mypy_cache", ".pytest_cache", ".ruff_cache",
    "__pycache__", "build", "dist", "node_modules", "static", "static.new", "data", "footlights-data",
}  # fmt: skip


def files() -> Iterator[Path]:
    """Every file that a person wrote."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(set(folders) - MADE)
        yield from (Path(folder) / name for name in sorted(names))


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the package: its path under src/footlights, and its syntax tree."""
    for path in sorted(SOURCES.rglob("*.py")):
        if not MADE & set(path.relative_to(SOURCES).parts):
            yield path.relative_to(SOURCES).as_posix(), ast.parse(path.read_text("utf-8"))


def imported(tree: ast.AST) -> Iterator[str]:
    """Every name that is imported, in full: `from a import b` gives a and a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def dotted(node: ast.AST) -> str:
    """An attribute chain as it is written, such as np.random.default_rng; "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (left := dotted(node.value)):
        return f"{left}.{node.attr}"
    return ""


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call, with what is called as it is written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield dotted(node.func), node


def texts(tree: ast.AST) -> Iterator[str]:
    """Every text in the code, docstrings included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
