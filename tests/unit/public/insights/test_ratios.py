from __future__ import annotations

import math

from scipy.stats import norm

from footlights.public.insights.ratios import Z975, ratio_figure, share_figure
from footlights.terms.figures import Z95, Figure


def _rate(above: float, above_std: float, below: float, below_std: float, *, most: float = 10_000) -> Figure:
    return ratio_figure(
        "full_video_watched_rate", above=above, above_std=above_std, below=below, below_std=below_std,
        scale=10_000, most=most, at_utc=0, tick=1, too_few=0.5,
    )  # fmt: skip


def test_each_part_of_a_ratio_is_taken_at_97_and_a_half_percent() -> None:
    assert math.isclose(Z975, norm.ppf(1 - 0.025 / 2), rel_tol=1e-12)
    figure = _rate(400, 10, 1000, 20)
    assert figure.low == math.floor(10_000 * (400 - Z975 * 10) / (1000 + Z975 * 20))
    assert figure.high == math.ceil(10_000 * (400 + Z975 * 10) / (1000 - Z975 * 20))
    assert figure.value == 4000


def test_a_ratio_over_what_may_be_nothing_says_all_that_is_possible_and_no_number() -> None:
    figure = _rate(5, 10, 8, 10)
    assert (figure.low, figure.high, figure.state) == (0, 10_000, "too_few")
    below_zero = _rate(5, 10, -8, 10)
    assert (below_zero.low, below_zero.high, below_zero.state) == (0, 10_000, "too_few")


def test_a_rate_never_leaves_what_is_possible() -> None:
    figure = _rate(990, 30, 1000, 5)
    assert figure.high == 10_000 and figure.value == 9900


def test_the_interval_of_a_ratio_is_wider_than_either_part_alone_would_make_it() -> None:
    both = _rate(400, 10, 1000, 20)
    above_alone = _rate(400, 10, 1000, 0)
    assert both.low is not None and both.high is not None
    assert above_alone.low is not None and above_alone.high is not None
    assert both.high - both.low > above_alone.high - above_alone.low


def _share(part: float, whole: float, *, variances: tuple[float, float] = (100, 100), covariance: float = 0) -> Figure:
    return share_figure(
        "video_view_retention", part=part, whole=whole, part_variance=variances[0], whole_variance=variances[1],
        covariance=covariance, scale=10_000, at_utc=0, tick=1, too_few=0.5,
    )  # fmt: skip


def test_at_either_end_of_a_share_the_difference_is_1_96_standard_deviations_from_nothing() -> None:
    for covariance in (-50.0, 0.0, 60.0):
        figure = _share(400, 1000, covariance=covariance)
        for end in (figure.low, figure.high):
            r = (end or 0) / 10_000
            std = math.sqrt(100 - 2 * r * covariance + r**2 * 100)
            assert abs(abs(400 - r * 1000) / std - Z95) < 0.02, "to the last hundredth of a percent"
        assert figure.value == 4000


def test_a_share_whose_counts_have_their_noise_in_common_is_better_known() -> None:
    apart, together = _share(900, 1000), _share(900, 1000, covariance=90)
    assert (apart.low or 0) < (together.low or 0) <= (together.high or 0) < (apart.high or 0)


def test_the_share_of_the_whole_in_itself_is_all_of_it() -> None:
    figure = _share(1000, 1000, covariance=100)
    assert (figure.low, figure.value, figure.high, figure.state) == (10_000, 10_000, 10_000, "ok")


def test_a_share_of_what_may_be_nothing_is_anything() -> None:
    for whole in (15.0, 0.0, -200.0):
        figure = _share(10, whole)
        assert (figure.low, figure.high, figure.state) == (0, 10_000, "too_few")


def test_a_share_never_leaves_what_is_possible() -> None:
    assert _share(1100, 1000).high == _share(1100, 1000).value == 10_000
    assert _share(-30, 1000).low == _share(-30, 1000).value == 0
