"""What the API tells of a real deployment, family by family: every number a figure, and figures that say something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from footlights.public.accounts.creators import Accounts
from footlights.public.web.app import create_app
from footlights.settings import load_settings
from footlights.terms.families import HISTOGRAMS, POSITIONS
from footlights.terms.policy import default_policy
from tests.crowds import crowded
from tests.unit.public.web.conftest import Client
from tests.unit.public.web.test_api import _figures, _numbers_outside_of_figures

#: Each route, and how many figures it tells.
FIGURES = {
    "/api/v1/videos/v1/retention": 1 + POSITIONS + 3,
    "/api/v1/videos/v1/sources": len(HISTOGRAMS["sources"]),
    "/api/v1/videos/v1/audience": 1 + 8 + 4 + 250 + 2 + 21 + 8 * 4 + 21 * 8 + 21 * 250,
    "/api/v1/creators/c1/channel": 4 + 7 * 4,
    "/api/v1/creators/c1/hours": 168,
    "/api/v1/creators/c1/audience": 1 + 8 + 4 + 250 + 2 + 21 + 2 * 8 + 2 * 4 + 2 * 250,
}


@pytest.fixture(scope="module")
def c1(tmp_path_factory: pytest.TempPathFactory) -> Client:
    data: Path = crowded(tmp_path_factory.mktemp("deployment"))
    app = create_app(data, load_settings(data))
    accounts = Accounts(data / "public")
    token = accounts.redeem(accounts.make_login_link("c1", 5))
    accounts.close()
    return Client(app, token=token)


def asked(client: Client, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("path", FIGURES)
def test_a_route_tells_figures_alone_and_all_of_them(c1: Client, path: str) -> None:
    answer = asked(c1, path)
    assert _numbers_outside_of_figures(answer) == []
    figures = _figures(answer)
    assert len(figures) == FIGURES[path]
    assert {figure["state"] for figure in figures} <= {"ok", "too_few"} and not any(f["exact"] for f in figures)
    assert sum(figure["state"] == "ok" for figure in figures) >= 5


@pytest.mark.parametrize("path", FIGURES)
def test_a_figure_lies_within_its_interval_and_the_interval_within_what_is_possible(c1: Client, path: str) -> None:
    for figure in _figures(asked(c1, path)):
        assert 0 <= figure["low"] <= figure["value"] <= figure["high"]
        if figure["metric"] == "video_view_retention":
            assert figure["high"] <= 10_000


def test_the_moments_are_those_of_the_schedules(c1: Client) -> None:
    assert asked(c1, "/api/v1/videos/v1/retention")["as_of"] == "2026-01-08T00:00:00Z"
    channel = asked(c1, "/api/v1/creators/c1/channel")
    assert (channel["season"], channel["as_of"]) == ("2026-01", "2026-01-08T00:00:00Z")
    assert asked(c1, "/api/v1/creators/c1/hours")["season"] == "2026-01"


def test_the_channel_of_the_overview_and_of_its_videos_do_not_stand_in_for_each_other(c1: Client) -> None:
    """A viewer of two videos is two in their reach together, and one among the channel's viewers."""
    reach = asked(c1, "/api/v1/creators/c1/overview?days=28")["figures"]["reach"]
    unique = asked(c1, "/api/v1/creators/c1/channel")["figures"]["unique_viewers"]
    assert reach["low"] > unique["high"]


def test_privacy_tells_every_family_of_every_unit_and_what_watching_costs_in_all(c1: Client) -> None:
    told = asked(c1, "/api/v1/privacy")
    policy = default_policy()
    assert (told["state"], told["policy_digest"]) == ("ok", policy.digest)
    assert [(unit["unit"], unit["rho"]) for unit in told["units"]] == [
        (unit, "3/50") for unit in ("video", "creator", "live")
    ]
    assert told["many_videos"][0]["everything_rho"] == "39/250"
    names = {(spend["unit"], spend["name"]) for spend in told["spends"]}
    assert names >= {
        ("video", "audience"), ("video", "positions"), ("video", "watch_times"), ("video", "sources"),
        ("creator", "channel_audience"), ("creator", "hours"), ("creator", "unique_viewers"),
        ("live", "concurrent_viewers"), ("live", "countries"), ("live", "answers"),
    }  # fmt: skip
    assert told["next_policies"] == []
