"""False alarms of days on which followers grow as on all others, although they come in leaps and by the week."""

from __future__ import annotations

import numpy as np
import pytest

from footlights.public.histories import followers
from footlights.public.histories.followers import ALARMS_A_MONTH, DAYS_BEFORE, off_by
from footlights.public.insights.tallies import Floats

DAYS, MONTH = 9000, 30
_DRAW = np.random.default_rng(2)
#: Followers to expect of each day.
CHANNELS: dict[str, Floats] = {
    "few": np.full(DAYS, 0.5),
    "some": np.full(DAYS, 5.0),
    "leaps": 50 * np.exp(0.4 * _DRAW.standard_normal(DAYS)),
    "by the week": 30 * np.exp(0.3 * np.sin(2 * np.pi * np.arange(DAYS) / 7) + 0.2 * _DRAW.standard_normal(DAYS)),
}


def alarms_a_month(expected: Floats) -> float:
    draw = np.random.default_rng(3)
    net = (draw.poisson(expected) - draw.poisson(0.3 * expected)).tolist()
    told = [off_by(net[day], net[day - DAYS_BEFORE : day]) for day in range(DAYS_BEFORE, DAYS)]
    return float(np.mean(np.abs(told))) * MONTH


@pytest.mark.parametrize("name", CHANNELS)
def test_days_of_one_kind_raise_no_more_alarms_than_the_page_says(name: str) -> None:
    assert alarms_a_month(CHANNELS[name]) <= ALARMS_A_MONTH


def test_a_rule_that_asks_for_less_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followers, "RUN_AT", 2.0)
    assert alarms_a_month(CHANNELS["leaps"]) > ALARMS_A_MONTH
