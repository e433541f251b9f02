from __future__ import annotations

import pytest

from tests.unit.public.web.conftest import Asking


@pytest.mark.parametrize("creator", ["ada", "bob", "eve"])
def test_the_insights_of_a_channel_are_a_page_whatever_it_has(asking: Asking, creator: str) -> None:
    page = asking(creator).get("/studio/insights")
    assert page.status_code == 200
    for title in ("What to try next", "What goes with more views", "Best time to post", "Followers that each video"):
        assert title in page.text


def test_a_basic_channel_is_told_that_the_best_time_is_of_the_pro_tier(asking: Asking) -> None:
    assert "part of the pro tier" in asking("bob").get("/studio/insights").text


def test_a_video_has_two_pages_that_lead_to_each_other(asking: Asking) -> None:
    ada = asking("ada")
    assert 'href="/studio/videos/a1/insights"' in ada.get("/studio/videos/a1").text
    page = ada.get("/studio/videos/a1/insights").text
    assert 'href="/studio/videos/a1" ' in page
    assert "data-half=" in page and "At 28 days" in page


def test_two_videos_are_compared_by_a_link_that_can_be_kept(asking: Asking) -> None:
    page = asking("ada").get("/studio/videos/a1/insights?other=a2").text
    assert "The other" in page and "Difference" in page


@pytest.mark.parametrize("other", ["b0", "none"])
def test_a_video_of_somebody_else_and_one_that_is_not_there_cannot_be_compared_with(asking: Asking, other: str) -> None:
    ada = asking("ada")
    assert ada.get(f"/studio/videos/a1/insights?other={other}").status_code == 404
    assert ada.get(f"/api/v1/videos/a1/experiment?other={other}").status_code == 404


def test_the_api_answers_each_insight_and_files_hold_its_figures(asking: Asking) -> None:
    ada = asking("ada")
    for path in ("creators/ada/suggestions", "creators/ada/drivers", "creators/ada/brought", "videos/a1/pace"):
        assert ada.get(f"/api/v1/{path}").status_code == 200
    rows = ada.get("/api/v1/videos/a1/forecast?format=csv").text.splitlines()
    assert any(row.startswith("targets.views,") for row in rows)
    assert ada.get("/api/v1/videos/a1/experiment").json()["other"] == "a2"
