"""History. In: a platform's videos and viewers. Out: every view and act up to now, as columns in order of time.

A view is summed up: one row holds how long it lasted and how far it got. Computed by whole arrays, no loop over views.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from footlights.simulate import calibration as fit
from footlights.simulate.audience import Audience
from footlights.simulate.behaviour import Bools, act, sources, watch
from footlights.simulate.draws import Draws, Floats, Integers
from footlights.simulate.hours import Clock, age_at_share
from footlights.simulate.videos import Videos
from footlights.terms.events import Kind
from footlights.terms.ticks import DAY, HOUR

#: No video reaches more than this share of the platform's viewers.
REACH_MOST = 0.8
#: Awake seconds between a viewer's first view of a video and a replay, in the mean.
REPLAY_GAP_SECONDS = fit.REPLAY_HOURS * HOUR


@dataclass(frozen=True)
class Views:
    """One row a view, at the moment it ended. viewer, video: row numbers. first: not a replay."""

    at_ms: Integers
    viewer: Integers
    video: Integers
    watch_ms: Integers
    position_ms: Integers
    completed: Bools
    first: Bools
    follower: Bools
    source: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.at_ms)


@dataclass(frozen=True)
class Acts:
    """One row an act. video: -1 for an act on a creator that came from no video."""

    at_ms: Integers
    kind: NDArray[np.uint8]
    viewer: Integers
    video: Integers
    creator: Integers

    def __len__(self) -> int:
        return len(self.at_ms)


@dataclass(frozen=True)
class Arrivals:
    """One row a viewer and season: the start of the first view there, when the platform tells who the viewer is."""

    at_ms: Integers
    viewer: Integers
    season: Integers

    def __len__(self) -> int:
        return len(self.at_ms)


@dataclass(frozen=True)
class History:
    """What happened by now."""

    views: Views
    acts: Acts


@dataclass(frozen=True)
class Plays:
    """Starts, before anything is known of how they went on. first: not a replay."""

    start_utc: Floats
    viewer: Integers
    video: Integers
    first: Bools


def make_history(
    seed: bytes, videos: Videos, audience: Audience, weights: list[Floats], fans: list[Bools], *, now_utc: int
) -> History:
    """Everything that happened up to now_utc.

    weights: for each creator, how likely each viewer is to be shown a video. fans: who followed before the history.
    """
    plays = _plays(seed, videos, audience, weights, now_utc=now_utc)
    draws = Draws(seed, "behaviour")
    watching = watch(draws, duration_seconds=videos.duration_seconds[plays.video], hold=videos.hold[plays.video])
    ended = plays.start_utc + watching.seconds
    completion = _mean_by(plays.video, watching.completed, len(videos))[plays.video]
    creator = videos.creator[plays.video]
    fan = np.stack(fans)[creator, plays.viewer]
    doing = _Doing(draws, plays, watching.seconds, watching.completed, completion, creator, now_utc)
    follows = _follows(doing, videos, fan)
    follower = fan | follows.holds(creator, plays.viewer, plays.start_utc)
    past = np.flatnonzero(ended < now_utc)
    past = past[np.argsort(ended[past], kind="stable")]
    views = Views(
        at_ms=(ended[past] * 1000).astype(np.int64),
        viewer=plays.viewer[past],
        video=plays.video[past],
        watch_ms=(watching.seconds[past] * 1000).astype(np.int64),
        position_ms=(watching.position_seconds[past] * 1000).astype(np.int64),
        completed=watching.completed[past],
        first=plays.first[past],
        follower=follower[past],
        source=sources(draws, follower=follower)[past],
    )
    acts = [*_acts_on_videos(doing, videos), follows.acts(now_utc), _profile_views(doing)]
    return History(views=views, acts=_merged(acts))


def arrivals_in(views: Views) -> Arrivals:
    """When each viewer comes for the first time in each season, in order of time."""
    month = views.at_ms.astype("datetime64[ms]").astype("datetime64[M]")
    # Seasons count months from the year 0, numpy's months from 1970.
    season = month.astype(np.int64) + 1970 * 12
    viewers = int(views.viewer.max(initial=0)) + 1
    _, first = np.unique(season * viewers + views.viewer, return_index=True)
    # A view that began in the season before it ended would tell of its viewer under last season's pseudonym.
    began = np.maximum(views.at_ms - views.watch_ms, month.astype("datetime64[ms]").astype(np.int64))[first]
    rows = first[np.argsort(began, kind="stable")]
    return Arrivals(at_ms=np.sort(began), viewer=views.viewer[rows], season=season[rows])


# ---- starts ------------------------------------------------------------------------------------------------------


def _plays(seed: bytes, videos: Videos, audience: Audience, weights: list[Floats], *, now_utc: int) -> Plays:
    reach = np.minimum(videos.popularity * (1 - fit.REPLAY_SHARE), REACH_MOST * len(audience)).round().astype(np.int64)
    reach[videos.posted_utc >= now_utc] = 0
    viewer = np.concatenate(
        [
            Draws(seed, "reach", row).pick_distinct(weights[owner], int(reach[row]))
            for row, owner in enumerate(videos.creator.tolist())
        ]
    )
    video = np.repeat(np.arange(len(videos)), reach)
    draws = Draws(seed, "starts")
    awake = age_at_share(draws.uniform(len(video)), videos.scale_seconds[video])
    again = np.flatnonzero(draws.uniform(len(video)) < fit.REPLAY_SHARE / (1 - fit.REPLAY_SHARE))
    awake_again = awake[again] + REPLAY_GAP_SECONDS * draws.exponential(len(again))
    first = np.arange(len(video) + len(again)) < len(video)
    viewer, video = np.concatenate((viewer, viewer[again])), np.concatenate((video, video[again]))
    clock = Clock(start_utc=int(videos.posted_utc.min()), end_utc=now_utc)
    start = clock.run(
        videos.posted_utc[video].astype(np.float64),
        np.concatenate((awake, awake_again)),
        audience.utc_offset_hours[viewer],
    )
    kept = np.flatnonzero(start < now_utc)
    return Plays(start_utc=start[kept], viewer=viewer[kept], video=video[kept], first=first[kept])


# ---- acts --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Doing:
    """The plays, with what decides about acts."""

    draws: Draws
    plays: Plays
    seconds: Floats
    completed: Bools
    completion: Floats
    creator: Integers
    now_utc: int

    def rows(self, rate: Floats, *, among: Bools) -> Integers:
        """The plays during which something happens that has this rate."""
        done = act(self.draws, rate=rate, completed=self.completed, completion_rate=self.completion)
        return np.flatnonzero(done & among)

    def during(self, rows: Integers) -> Floats:
        """A moment of each play, in its second half: people act on what they have seen."""
        return self.plays.start_utc[rows] + self.seconds[rows] * (0.5 + 0.5 * self.draws.uniform(len(rows)))

    def acts(self, kind: Kind, rows: Integers, at_utc: Floats) -> Acts:
        """Acts of the viewers of these plays, as far as they have happened by now."""
        kept = at_utc < self.now_utc
        rows, at_utc = rows[kept], at_utc[kept]
        return Acts(
            at_ms=(at_utc * 1000).astype(np.int64),
            kind=np.full(len(rows), kind, dtype=np.uint8),
            viewer=self.plays.viewer[rows],
            video=self.plays.video[rows],
            creator=self.creator[rows],
        )


def _acts_on_videos(doing: _Doing, videos: Videos) -> list[Acts]:
    plays = doing.plays
    out = []
    for kind, rate in (
        (Kind.LIKE, videos.like),
        (Kind.COMMENT, videos.comment),
        (Kind.SHARE, videos.share),
        (Kind.SAVE, videos.save),
    ):
        rows = doing.rows(rate[plays.video], among=plays.first)
        at_utc = doing.during(rows)
        out.append(doing.acts(kind, rows, at_utc))
        if kind is Kind.LIKE:
            regrets = doing.draws.uniform(len(rows)) < fit.UNLIKES_PER_LIKE
            later = at_utc[regrets] + HOUR * doing.draws.exponential(int(regrets.sum()))
            out.append(doing.acts(Kind.UNLIKE, rows[regrets], later))
    return out


def _profile_views(doing: _Doing) -> Acts:
    rows = doing.rows(np.full(len(doing.creator), fit.PROFILE_VIEWS_PER_VIEW), among=np.ones(len(doing.creator), bool))
    return doing.acts(Kind.PROFILE_VIEW, rows, doing.plays.start_utc[rows] + doing.seconds[rows])


@dataclass(frozen=True)
class _Follows:
    """Follows, one for each (creator, viewer) at most, in order of `key`. until_utc: infinity, or the unfollow."""

    key: Integers
    viewers: int
    since_utc: Floats
    until_utc: Floats
    video: Integers

    def holds(self, creator: Integers, viewer: Integers, at_utc: Floats) -> Bools:
        """Whether each viewer follows each creator at a moment."""
        if not len(self.key):
            return np.zeros(len(creator), dtype=np.bool_)
        key = creator * self.viewers + viewer
        row = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
        inside = (at_utc > self.since_utc[row]) & (at_utc < self.until_utc[row])
        return np.asarray((self.key[row] == key) & inside)

    def acts(self, now_utc: int) -> Acts:
        """The follows and the unfollows that have happened by now."""
        at_utc = np.concatenate((self.since_utc, self.until_utc))
        kind = np.repeat(np.array([Kind.FOLLOW, Kind.UNFOLLOW], dtype=np.uint8), len(self.key))
        kept = at_utc < now_utc
        creator, viewer = np.divmod(np.tile(self.key, 2)[kept], self.viewers)
        return Acts(
            at_ms=(at_utc[kept] * 1000).astype(np.int64),
            kind=kind[kept],
            viewer=viewer,
            video=np.tile(self.video, 2)[kept],
            creator=creator,
        )


def _follows(doing: _Doing, videos: Videos, fan: Bools) -> _Follows:
    """Who follows a creator during the history: the first time that a viewer would."""
    plays, draws = doing.plays, doing.draws
    appeal = videos.like / np.exp(fit.LIKE_LN[0] + fit.LIKE_LN[1] ** 2 / 2)
    rows = doing.rows(fit.FOLLOWS_PER_VIEW * appeal[plays.video], among=plays.first & ~fan)
    since = doing.during(rows)
    viewers = int(plays.viewer.max(initial=0)) + 1
    key = doing.creator[rows] * viewers + plays.viewer[rows]
    order = np.lexsort((since, key))
    _, firsts = np.unique(key[order], return_index=True)
    rows, since, key = rows[order][firsts], since[order][firsts], key[order][firsts]
    leaves = draws.uniform(len(rows)) < fit.UNFOLLOWS_PER_FOLLOW
    until = np.where(leaves, since + fit.UNFOLLOW_DAYS * DAY * draws.exponential(len(rows)), np.inf)
    from_profile = draws.uniform(len(rows)) < fit.FOLLOWS_WITHOUT_VIDEO
    return _Follows(
        key=key, viewers=viewers, since_utc=since, until_utc=until, video=np.where(from_profile, -1, plays.video[rows])
    )


# ---- columns -----------------------------------------------------------------------------------------------------


def _mean_by(group: Integers, value: Bools, groups: int) -> Floats:
    count = np.bincount(group, minlength=groups)
    return np.asarray(np.bincount(group, weights=value.astype(np.float64), minlength=groups) / np.maximum(count, 1))


def _merged(parts: list[Acts]) -> Acts:
    at_ms = np.concatenate([part.at_ms for part in parts])
    order = np.argsort(at_ms, kind="stable")
    return Acts(
        at_ms=at_ms[order],
        kind=np.concatenate([part.kind for part in parts])[order],
        viewer=np.concatenate([part.viewer for part in parts])[order],
        video=np.concatenate([part.video for part in parts])[order],
        creator=np.concatenate([part.creator for part in parts])[order],
    )
