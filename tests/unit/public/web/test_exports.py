from __future__ import annotations

import csv
import importlib.util
import io

import pytest

from footlights.public.web import exports
from footlights.terms.figures import exact_figure
from tests.unit.public.web.conftest import Asking


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    "path", ["creators/ada/overview?days=7", "creators/ada/audience?", "videos/a2/retention?", "videos/a2/timeseries?"]
)
def test_a_file_holds_every_figure_of_the_answer_with_its_interval(asking: Asking, path: str) -> None:
    ada = asking("ada")
    answer = ada.get(f"/api/v1/{path}&format=csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    figures = list(_figures(ada.get(f"/api/v1/{path}").json()))
    found = rows(answer.text)
    assert len(found) == len(figures) > 0
    for row, figure in zip(found, figures, strict=True):
        for name, value in figure.items():
            assert row[name] == ("" if value is None else str(value).lower() if isinstance(value, bool) else str(value))


def _figures(part: object) -> list[dict[str, object]]:
    if isinstance(part, dict):
        if set(part) == set(exports.FIELDS):
            return [part]
        return [figure for value in part.values() for figure in _figures(value)]
    return [figure for value in part for figure in _figures(value)] if isinstance(part, list) else []


def test_a_cell_of_a_table_is_named_in_its_row(asking: Asking) -> None:
    found = rows(asking("ada").get("/api/v1/creators/ada/audience?format=csv").text)
    assert {"DE", "18-24"} <= {row["cell"] for row in found}
    assert {row["cell"] for row in rows(asking("ada").get("/api/v1/videos/a2/retention?format=csv").text)} >= {
        "0",
        "99",
    }


@pytest.mark.parametrize("begins", ["=", "+", "-", "@"])
def test_a_text_that_a_spreadsheet_would_run_is_told_as_text(begins: str) -> None:
    figure = exact_figure("like_count", value=-3, at_utc=0, tick=None)
    written = exports._csv([(f"{begins}1+1", "", "", *(getattr(figure, name) for name in exports.FIELDS))])
    (row,) = rows(written.decode())
    assert row["scope"] == f"'{begins}1+1" and row["value"] == "-3"


@pytest.mark.skipif(importlib.util.find_spec("pyarrow") is not None, reason="pyarrow is installed: Parquet works here")
def test_parquet_without_pyarrow_is_refused_with_what_to_do(asking: Asking) -> None:
    answer = asking("ada").get("/api/v1/creators/ada/overview?format=parquet")
    assert answer.status_code == 422 and "footlights[frames]" in answer.json()["detail"]


def test_files_are_refused_to_whom_the_answer_is(asking: Asking) -> None:
    assert asking("bob").get("/api/v1/creators/ada/overview?format=csv").status_code == 404
