from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

import footlights
from footlights.client import Figures, Studio
from footlights.client.plot import draw
from footlights.links import make_token
from footlights.public.web.exports import COLUMNS
from footlights.settings import load_settings
from footlights.terms.errors import AskFailed, BoardDamaged, NotAllowed, NotFound

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "python.md"
HAS_FRAMES = all(importlib.util.find_spec(name) for name in ("pandas", "polars", "pyarrow"))

ASKS: dict[str, Callable[[Studio], Figures]] = {
    "overview": lambda studio: studio.overview("ada", days=7),
    "videos": lambda studio: studio.videos("ada", sort="view_count"),
    "audience": lambda studio: studio.audience("ada"),
    "channel": lambda studio: studio.channel("ada"),
    "hours": lambda studio: studio.hours("ada"),
    "video": lambda studio: studio.video("a2"),
    "timeseries": lambda studio: studio.timeseries("a2", metric="reach", kind="change"),
    "typical": lambda studio: studio.typical("a2"),
    "video_audience": lambda studio: studio.video_audience("a2"),
    "retention": lambda studio: studio.retention("a2"),
    "typical_retention": lambda studio: studio.typical_retention("a2"),
    "leaving": lambda studio: studio.leaving("a2"),
    "sources": lambda studio: studio.sources("a2"),
    "suggestions": lambda studio: studio.suggestions("ada"),
    "drivers": lambda studio: studio.drivers("ada"),
    "best_time": lambda studio: studio.best_time("ada"),
    "brought": lambda studio: studio.brought("ada"),
    "forecast": lambda studio: studio.forecast("a2"),
    "pace": lambda studio: studio.pace("a2"),
    "holding": lambda studio: studio.holding("a2"),
    "experiment": lambda studio: studio.experiment("a2", other="a1"),
}

#: What may find nothing to tell, or tells it in other fields than figures.
NUMBERLESS = {
    "leaving", "typical", "typical_retention", "suggestions", "drivers", "best_time", "holding",
}  # fmt: skip


def connected(url: str, data: Path, creator: str) -> Studio:
    return footlights.connect(url, make_token(data, load_settings(data), creator))


@pytest.mark.parametrize("name", ASKS)
def test_a_folder_and_a_server_give_the_same_rows(here: Studio, data: Path, url: str, name: str) -> None:
    ours, theirs = ASKS[name](here), ASKS[name](connected(url, data, "ada"))
    assert ours.rows() == theirs.rows() and ours.answer == theirs.answer
    assert all(tuple(row) == COLUMNS for row in ours.rows())


def test_every_route_of_figures_has_a_method() -> None:
    methods = {name for name in vars(Studio) if not name.startswith("_")} - {"close"}
    assert methods == {*ASKS, "creators", "privacy"}


def test_a_list_of_videos_is_read_to_its_end(here: Studio, data: Path, url: str) -> None:
    for studio in (here, connected(url, data, "ada")):
        assert len(studio.videos("ada").answer.videos) == 130
        assert len(studio.videos("ada", most=103).answer.videos) == 103


def test_a_folder_tells_of_all_creators_and_a_token_of_one(here: Studio, data: Path, url: str) -> None:
    assert [one["id"] for one in here.creators()] == ["ada", "bob"]
    assert [one["id"] for one in connected(url, data, "bob").creators()] == ["bob"]
    assert here.privacy() == connected(url, data, "bob").privacy()


def test_a_token_reads_nothing_of_another_creator_and_no_pro_figures_of_a_basic_one(data: Path, url: str) -> None:
    bob = connected(url, data, "bob")
    with pytest.raises(NotFound):
        bob.overview("ada")
    for video in ("a2", "none"):
        with pytest.raises(NotFound):
            bob.video(video)
    with pytest.raises(NotAllowed, match="pro tier"):
        bob.audience("bob")
    with pytest.raises(NotAllowed, match="Bearer"):
        footlights.connect(url, "not-a-token").overview("bob")


def test_a_wrong_question_is_told_what_is_allowed_by_both(here: Studio, data: Path, url: str) -> None:
    for studio in (here, connected(url, data, "ada")):
        with pytest.raises(AskFailed, match="granularity is one of minute, hour, day"):
            studio.timeseries("a2", granularity="week")
        with pytest.raises(NotFound):
            studio.video("none")


@pytest.mark.parametrize("url", ["http://studio.example", "ftp://studio.example", "https://a:b@studio.example", "x"])
def test_a_token_is_sent_over_https_or_to_this_machine(url: str) -> None:
    with pytest.raises((NotAllowed, AskFailed)):
        footlights.connect(url, "token")


def test_a_token_that_would_write_a_header_is_refused_and_never_repeated() -> None:
    with pytest.raises(NotAllowed) as caught:
        footlights.connect("https://studio.example", "secret\r\nHost: other")
    assert "secret" not in str(caught.value)


def test_nobody_at_the_address_is_an_error_that_says_so() -> None:
    with pytest.raises(AskFailed, match=r"127\.0\.0\.1 did not answer"):
        footlights.connect("http://127.0.0.1:9", "token").creators()


def test_a_folder_without_a_board_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(BoardDamaged, match="footlights tick"):
        footlights.open(tmp_path)


def test_a_plot_of_a_curve_has_its_band_and_says_it_in_words(here: Studio) -> None:
    svg = here.timeseries("a2", granularity="hour").plot()
    root = ElementTree.fromstring(svg)
    assert [part.get("class") for part in root.iter("{http://www.w3.org/2000/svg}path")] == ["b", "l"]
    assert "with 95 % confidence" in svg and "http" not in svg.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("name", sorted(set(ASKS) - NUMBERLESS))
def test_whatever_has_figures_can_be_drawn(here: Studio, name: str) -> None:
    ElementTree.fromstring(ASKS[name](here).plot())


def test_a_plot_of_what_is_too_few_shows_its_interval_and_no_number() -> None:
    row = dict.fromkeys(COLUMNS, "") | {
        "metric": "reach", "value": 7, "low": 0, "high": 30, "state": "too_few", "exact": False, "cell": "<DE>",
    }  # fmt: skip
    svg = draw([row], metric=None, width=720, height=320)
    assert "0 to 30" in svg and ">7<" not in svg and "<circle" not in svg and "&lt;DE&gt;" in svg


def test_a_metric_that_is_not_there_names_those_that_are(here: Studio) -> None:
    with pytest.raises(AskFailed, match="video_view_retention"):
        here.retention("a2").plot("share_count")


@pytest.mark.skipif(HAS_FRAMES, reason="the frames are installed here")
def test_a_frame_without_its_package_is_refused_with_the_line_that_installs_it(here: Studio) -> None:
    figures = here.video("a2")
    for frame in (figures.to_arrow, figures.to_polars, figures.to_pandas):
        with pytest.raises(AskFailed, match=r'pip install "footlights\[frames\]"'):
            frame()


@pytest.mark.skipif(not HAS_FRAMES, reason='needs pip install "footlights[frames]"')
def test_frames_have_the_rows_and_whole_numbers(here: Studio) -> None:
    figures = here.overview("ada", days=365)
    assert figures.to_arrow().to_pylist() == figures.rows() == figures.to_polars().to_dicts()
    assert str(figures.to_pandas()["value"].dtype) == "int64[pyarrow]"


def test_importing_the_package_loads_no_room() -> None:
    code = "import footlights, sys; print([m for m in sys.modules if m.startswith('footlights.')], len(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.startswith("[]")


def test_the_client_loads_no_private_room_and_no_duckdb(data: Path) -> None:
    code = (
        "import footlights, sys; footlights.open(sys.argv[1]).overview('ada'); "
        "print([m for m in sys.modules if m.startswith(('footlights.private', 'footlights.gate', 'duckdb'))])"
    )
    told = subprocess.run([sys.executable, "-c", code, str(data)], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "[]"


def test_an_attribute_that_is_none_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'shut'"):
        footlights.shut  # type: ignore[attr-defined]  # noqa: B018


_EXAMPLES = re.findall(r"^```python( frames)?\n(.*?)^```", GUIDE.read_text("utf-8"), re.M | re.S)


@pytest.mark.parametrize("place", range(len(_EXAMPLES)))
def test_every_example_of_the_guide_runs(data: Path, url: str, tmp_path: Path, place: int) -> None:
    frames, code = _EXAMPLES[place]
    if frames and not HAS_FRAMES:
        pytest.skip('needs pip install "footlights[frames]"')
    code = code.replace("https://studio.example", url)
    code = code.replace('"TOKEN"', repr(make_token(data, load_settings(data), "ada")))
    os.symlink(data, tmp_path / "footlights-data")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert all(len(path.read_text("utf-8")) > 500 for path in tmp_path.glob("*.svg"))
