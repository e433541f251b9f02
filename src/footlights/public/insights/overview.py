"""Overview. In: a creator and a period. Out: what happened in it, day by day, and whether it is more than before.

The period and the one before it have noise in common, since both are read from the same running counts: the interval
of their difference takes it into account.
"""

from __future__ import annotations

from functools import cached_property

import msgspec
import numpy as np

from footlights.public.board.read import Board, Creator
from footlights.public.board.rows import Int64s
from footlights.public.insights.changes import Change, change_of, exact_change, tally_change
from footlights.public.insights.channel import ProfileViews, profile_views
from footlights.public.insights.moments import reading_time_utc
from footlights.public.insights.periods import Period, last_days
from footlights.public.insights.streams import DaySums, Streams, Totals
from footlights.public.insights.tallies import DISCLOSED_NAMES, TALLY_NAMES, Floats, Tally, figure_of, figures_of
from footlights.public.insights.timeseries import Curve
from footlights.public.insights.videos import VideoFigures, video_figures
from footlights.terms.figures import Figure, exact_figure, pending_figure, rfc3339
from footlights.terms.ticks import DAY

WINDOW_DAYS_MAX = 730
LATEST_COUNT = 6
PROFILE_VIEWS, FOLLOWERS = "profile_views", "followers_count"
#: What an overview tells of, and can draw.
OVERVIEW_NAMES: tuple[str, ...] = (*TALLY_NAMES, PROFILE_VIEWS, FOLLOWERS)


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """From a moment to another, RFC 3339, UTC."""

    since: str
    until: str


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """A channel in a period. figures: what each metric gained; followers: how many there are.

    days: how many calendar days, UTC; the last may still run. since, as_of: the period; None before the first tick.
    before: the period as long before it, None where the channel's figures do not reach back so far. changes: what each
    metric gained more than in it. curve: one metric, day by day. latest: the newest videos.
    """

    creator: str
    days: int
    since: str | None
    as_of: str | None
    videos: int
    followers: Figure
    figures: dict[str, Figure]
    before: Span | None
    changes: dict[str, Change]
    curve: Curve
    latest: tuple[VideoFigures, ...]


def overview(
    board: Board,
    creator: Creator,
    *,
    days: int = 28,
    period: Period | None = None,
    metric: str = "view_count",
    at_utc: int | None = None,
    sums: DaySums | None = None,
) -> Overview:
    """What happened on a channel in a period: the last days (1..730) if none is given.

    metric: the curve's, one of OVERVIEW_NAMES. sums: what is known of days that are over; None to begin anew.
    """
    assert 1 <= days <= WINDOW_DAYS_MAX, "the caller checks the number of days"
    at = reading_time_utc(board, at_utc)
    videos = [video for video in board.videos(creator) if at is None or video.posted_at_utc <= at]
    latest = tuple(video_figures(board, video, at_utc=at) for video in videos[:LATEST_COUNT])
    if at is None:
        figures = {name: pending_figure(name, exact=name in (*DISCLOSED_NAMES, FOLLOWERS)) for name in OVERVIEW_NAMES}
        return Overview(
            creator=creator.id, days=days, since=None, as_of=None, videos=len(videos),
            followers=pending_figure(FOLLOWERS, exact=True), figures=figures, before=None, changes={},
            curve=_curve(metric, ()), latest=latest,
        )  # fmt: skip
    chosen = period or last_days(days, at_utc=at)
    streams = Streams(board, creator, videos)
    seen = _Seen(board, creator, streams, chosen, sums or DaySums())
    return Overview(
        creator=creator.id,
        days=chosen.days,
        since=rfc3339(chosen.since_utc),
        as_of=rfc3339(chosen.until_utc),
        videos=len(videos),
        followers=_followers(board, creator, at_utc=chosen.until_utc),
        figures=seen.figures(),
        before=seen.span_before(),
        changes=seen.changes(),
        curve=_curve(metric, seen.points(metric)),
        latest=latest,
    )


class _Seen:
    """What a board tells of a period and of the one before it."""

    def __init__(self, board: Board, creator: Creator, streams: Streams, period: Period, sums: DaySums) -> None:
        self._board, self._creator, self._streams, self._period = board, creator, streams, period
        self._sums = sums
        self._too_few = board.policy().too_few
        self._moments = period.moments_utc()
        self._totals, self._variances = _totals(creator, streams, self._moments, sums)
        self._before = period.before() if self._reaches_back(period.before()) else None

    def _reaches_back(self, before: Period) -> bool:
        """Whether figures go back to the beginning of the period before: else it would be compared with a part."""
        began = self._streams.began_utc()
        return began is not None and began <= before.since_utc

    def span_before(self) -> Span | None:
        if self._before is None:
            return None
        return Span(since=rfc3339(self._before.since_utc), until=rfc3339(self._before.until_utc))

    def figures(self) -> dict[str, Figure]:
        until, period = self._period.until_utc, self._period
        whole = self._whole if self._streams.videos else None
        told = figures_of(whole, TALLY_NAMES, at_utc=until, tick=None, too_few=self._too_few, change=True)
        visits = self._visits
        gained = _gained(self._board, self._creator, period)
        followers = (
            pending_figure(FOLLOWERS, exact=True)
            if gained is None
            else exact_figure(FOLLOWERS, value=gained, at_utc=until, tick=None)
        )
        return told | {PROFILE_VIEWS: visits.whole, FOLLOWERS: followers}

    def changes(self) -> dict[str, Change]:
        if self._before is None:
            return {}
        ends = np.asarray([at for p in (self._before, self._period) for at in (p.since_utc, p.until_utc)])
        since, _ = self._sums.of(
            self._creator, self._streams, first_day=int(ends[0]) // DAY, last_day=int(ends[0]) // DAY
        )
        until = self._streams.totals_at(int(ends[1]))
        was = Tally(
            totals=until.noisy[0] - since.noisy[0],
            variances=self._streams.variances(ends[:2], (-1, 1)),
            exact=until.exact[0] - since.exact[0],
            longest_watch_ms=self._streams.longest_watch_ms,
        )
        variances = self._streams.variances(ends, (1, -1, -1, 1))
        at = self._period.until_utc
        found = {
            name: tally_change(
                self._whole, was, name, variances=variances, at_utc=at, before_utc=self._before.until_utc,
                too_few=self._too_few,
            )
            for name in TALLY_NAMES
        }  # fmt: skip
        visits = self._visits_change()
        if visits is not None:
            found[PROFILE_VIEWS] = visits
        now, then = (_gained(self._board, self._creator, period) for period in (self._period, self._before))
        if now is not None and then is not None:
            found[FOLLOWERS] = exact_change(
                FOLLOWERS, now=now, before=then, at_utc=at, before_utc=self._before.until_utc
            )
        return found

    def points(self, metric: str) -> tuple[Figure, ...]:
        if metric == PROFILE_VIEWS:
            return self._visits.days
        if metric == FOLLOWERS:
            return _follower_days(self._board, self._creator, self._moments)
        if not self._streams.videos:
            return ()
        return tuple(
            figure_of(self._day(day), metric, at_utc=int(until), tick=None, too_few=self._too_few, change=True)
            for day, until in enumerate(self._moments[1:])
        )

    @cached_property
    def _visits(self) -> ProfileViews:
        return self._visits_at(self._moments)

    def _visits_at(self, moments: Int64s) -> ProfileViews:
        return profile_views(self._board, self._creator, moments, too_few=self._too_few)

    @cached_property
    def _whole(self) -> Tally:
        return Tally(
            totals=self._totals.noisy[-1] - self._totals.noisy[0],
            # Not the sum of the days' variances: the noise of adjoining days is shared, and cancels.
            variances=self._streams.variances(self._moments[[0, -1]], (-1, 1)),
            exact=self._totals.exact[-1] - self._totals.exact[0],
            longest_watch_ms=self._streams.longest_watch_ms,
        )

    def _day(self, day: int) -> Tally:
        return Tally(
            totals=self._totals.noisy[day + 1] - self._totals.noisy[day],
            variances=self._variances[day],
            exact=self._totals.exact[day + 1] - self._totals.exact[day],
            longest_watch_ms=self._streams.longest_watch_ms,
        )

    def _visits_change(self) -> Change | None:
        assert self._before is not None, "asked for where there is a period before"
        now, then = self._visits, self._visits_at(self._before.moments_utc())
        if now.whole.value is None or then.whole.value is None or not (now.complete and then.complete):
            return None
        return change_of(
            PROFILE_VIEWS, now=now.gained, before=then.gained, was=then.whole, at_utc=self._period.until_utc,
            # A bound: two halves of one month share noise, and then it is smaller than this.
            std=(now.variance**0.5 + then.variance**0.5),
        )  # fmt: skip


def _totals(creator: Creator, streams: Streams, moments: Int64s, sums: DaySums) -> tuple[Totals, Floats]:
    """Totals at the moments of a period, and the variances of its days."""
    first_day, last_day = int(moments[0]) // DAY, int(moments[-2]) // DAY
    totals, variances = sums.of(creator, streams, first_day=first_day, last_day=last_day)
    last = streams.variances_of_spans(moments[-2:])
    return streams.totals_at(int(moments[-1])).since(totals), np.concatenate([variances, last])


def _curve(metric: str, points: tuple[Figure, ...]) -> Curve:
    return Curve(metric=metric, granularity="day", kind="change", points=points)


def _followers(board: Board, creator: Creator, *, at_utc: int) -> Figure:
    """How many there are, exactly."""
    now = board.followers(creator, at_utc=at_utc)
    if now is None:
        return pending_figure(FOLLOWERS, exact=True)
    return exact_figure(FOLLOWERS, value=int(now.exact[0]), at_utc=now.at_utc, tick=now.tick)


def _gained(board: Board, creator: Creator, period: Period) -> int | None:
    """How many more there are than before the period; None where nobody has ever followed."""
    now = board.followers(creator, at_utc=period.until_utc)
    if now is None:
        return None
    before = board.followers(creator, at_utc=period.since_utc)
    return int(now.exact[0]) - (0 if before is None else int(before.exact[0]))


def _follower_days(board: Board, creator: Creator, moments: Int64s) -> tuple[Figure, ...]:
    readings = [board.followers(creator, at_utc=int(at)) for at in moments]
    if readings[-1] is None:
        return ()
    counts = [0 if reading is None else int(reading.exact[0]) for reading in readings]
    return tuple(
        exact_figure(FOLLOWERS, value=count - before, at_utc=int(until), tick=None)
        for before, count, until in zip(counts, counts[1:], moments[1:], strict=False)
    )
