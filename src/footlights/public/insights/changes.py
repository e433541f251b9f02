"""Changes. In: what a metric gained in a period and in the one before. Out: the difference, and whether it is noise.

A difference is more than noise where its 95 % interval does not hold 0. Of many metrics that did not change, one in
twenty seems to have.
"""

from __future__ import annotations

import math

import msgspec

from footlights.public.insights.ratios import ratio_figure
from footlights.public.insights.tallies import (
    COUNTER_NAMES,
    DISCLOSED_NAMES,
    Floats,
    Tally,
    figure_of,
    ratio_terms,
    terms_of,
)
from footlights.terms.figures import Figure, exact_figure, noisy_figure, pending_figure

#: Two-sided 98.75 % point of the normal distribution: four counts, of which all are within with 95 %.
Z9875 = 2.4977054744123723


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """before: the figure of the period before. change: by how much it is more now, below 0 if it is less.

    more_than_noise: whether the interval of the change leaves 0 out; of an exact figure, whether it changed.
    """

    before: Figure
    change: Figure
    more_than_noise: bool


def change_of(metric: str, *, now: float, before: float, was: Figure, std: float, at_utc: int) -> Change:
    """The change of a sum. now, before: unclipped. std: of their difference."""
    change = noisy_figure(
        metric, estimate=now - before, std=std, at_utc=at_utc, tick=None, too_few=math.inf, least=None
    )  # fmt: skip
    return _told(was, change)


def exact_change(metric: str, *, now: int, before: int, at_utc: int, before_utc: int) -> Change:
    """The change of a disclosed count."""
    was = exact_figure(metric, value=before, at_utc=before_utc, tick=None)
    change = exact_figure(metric, value=now - before, at_utc=at_utc, tick=None)
    return Change(before=was, change=change, more_than_noise=now != before)


def tally_change(
    now: Tally, was: Tally, name: str, *, variances: Floats, at_utc: int, before_utc: int, too_few: float
) -> Change:
    """The change of one metric of a tally. variances: of the difference of both tallies' totals, shape (7,)."""
    if name in DISCLOSED_NAMES:
        place = DISCLOSED_NAMES.index(name)
        return exact_change(
            name, now=int(now.exact[place]), before=int(was.exact[place]), at_utc=at_utc, before_utc=before_utc
        )  # fmt: skip
    before = figure_of(was, name, at_utc=before_utc, tick=None, too_few=too_few, change=True)
    if name in COUNTER_NAMES or name == "view_count":
        terms = list(terms_of(name))
        return change_of(
            name, now=float(now.totals[terms].sum()), before=float(was.totals[terms].sum()), was=before,
            std=math.sqrt(float(variances[terms].sum())), at_utc=at_utc,
        )  # fmt: skip
    return _ratio_change(now, was, name, before=before, at_utc=at_utc)


def _ratio_change(now: Tally, was: Tally, name: str, *, before: Figure, at_utc: int) -> Change:
    """Both ratios lie in their wider intervals together with 95 %, so their difference lies between the ends."""
    high, low = (
        ratio_figure(name, **ratio_terms(tally, name), at_utc=at_utc, tick=None, too_few=math.inf, z=Z9875)
        for tally in (now, was)
    )
    if high.value is None or low.value is None or before.state == "too_few":
        return Change(before=before, change=pending_figure(name), more_than_noise=False)
    assert high.low is not None and high.high is not None and low.low is not None and low.high is not None
    change = msgspec.structs.replace(
        high, value=high.value - low.value, low=high.low - low.high, high=high.high - low.low
    )
    return _told(before, change)


def _told(was: Figure, change: Figure) -> Change:
    assert change.low is not None and change.high is not None, "a change is published"
    telling = change.low > 0 or change.high < 0
    state = "ok" if telling else "too_few"
    return Change(before=was, change=msgspec.structs.replace(change, state=state), more_than_noise=telling)
