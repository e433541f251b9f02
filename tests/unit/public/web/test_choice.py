"""The viewer's choice on the privacy page: what it says follows the settings, and so does whom it may call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from footlights.public.web.app import create_app
from footlights.settings import load_settings
from footlights.terms.errors import BadSetting
from tests.unit.public.web.conftest import Client


def page(data: Path, **over: Any) -> Any:
    return Client(create_app(data, load_settings(data, over=over))).get("/privacy")


@pytest.mark.parametrize(
    ("gpc", "dnt", "said", "unsaid"),
    [
        (1, 1, "Global Privacy Control or Do Not Track, what you do is dropped", "does not act"),
        (1, 0, "sends Global Privacy Control, what you do is dropped", "or Do Not Track, what"),
        (0, 1, "sends Do Not Track, what you do is dropped", "or Do Not Track, what"),
        (0, 0, "does not act on Global Privacy Control or Do Not Track", "is dropped at the door"),
    ],
)
def test_the_page_says_which_signals_hold(data: Path, gpc: int, dnt: int, said: str, unsaid: str) -> None:
    text = page(data, honour_gpc=gpc, honour_dnt=dnt).text
    assert said in text and unsaid not in text


def test_the_page_may_call_the_collector_and_nobody_else(data: Path) -> None:
    answer = page(data, collect_url="https://collect.example/some/path")
    assert "connect-src 'self' https://collect.example;" in answer.headers["content-security-policy"]
    assert 'data-opt-out="https://collect.example"' in answer.text
    plain = page(data)
    assert "connect-src 'self';" in plain.headers["content-security-policy"]
    assert "ask the platform" in plain.text


@pytest.mark.parametrize(
    "url", ["collect.example", "ftp://a.example", "https://a.example; script-src *", "https://u@a"]
)
def test_an_address_that_is_none_is_refused_at_the_start(data: Path, url: str) -> None:
    with pytest.raises(BadSetting, match="collect_url"):
        create_app(data, load_settings(data, over={"collect_url": url}))
