"""What the privacy page and its API say of a policy is what that policy does, also of one that is not the default."""

from __future__ import annotations

from pathlib import Path

import pytest

from footlights.public.web.app import create_app
from footlights.settings import load_settings
from footlights.terms.policy import default_policy, parse_policy
from tests.deployments import gate_of
from tests.unit.public.web.conftest import Client


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    data = tmp_path_factory.mktemp("stated")
    text = default_policy().text.replace("bound_durations = 2", "bound_durations = 3")
    gate_of(data, policy=parse_policy(text.replace("[interests]", "[interests]\na_viewer = 2"))).close()
    (data / "public").mkdir(exist_ok=True)
    return Client(create_app(data, load_settings(data)))


def test_the_page_states_the_bound_on_watch_time_that_is_in_force(client: Client) -> None:
    text = client.get("/privacy").text
    assert "3 \N{MULTIPLICATION SIGN} the video, at most 600 s" in text and "twice the video" not in text


def test_of_a_viewer_with_several_interests_the_cells_of_all_are_stated(client: Client) -> None:
    assert "one cell of each table, of those of interests up to 2" in client.get("/privacy").text
    bounds = {spend["name"]: spend["bound"] for spend in client.get("/api/v1/privacy").json()["spends"]}
    assert (bounds["audience"], bounds["channel_audience"]) == (2, 2)


def test_the_default_policy_is_stated_in_words(tmp_path: Path) -> None:
    gate_of(tmp_path).close()
    text = Client(create_app(tmp_path, load_settings(tmp_path))).get("/privacy").text
    assert "twice the video, at most 600 s" in text and "one cell of each table<" in text
