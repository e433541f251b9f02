"""Traffic. In: a simulated platform. Out: what happens on it after its history, as Segment's messages in order of time.

Each second of the clock has draws of its own, so that asking once for a minute or sixty times for a second gives the
same messages. Viewers go on where the history left them: who has seen a video does not discover it again.
"""

from __future__ import annotations

import heapq

import numpy as np

from footlights.simulate import calibration as fit
from footlights.simulate.behaviour import Bools, Watching, act, sources, watch
from footlights.simulate.draws import Draws, Integers
from footlights.simulate.hours import growth_rate
from footlights.simulate.messages import Message, Writer
from footlights.simulate.platform import Platform
from footlights.terms.domains import SOURCES
from footlights.terms.events import Kind
from footlights.terms.seasons import season_at

#: Views that start in a second. Much busier than the history's mean, so that a demo moves while one looks.
VIEWS_PER_SECOND = 4.0
#: A player tells where it is this often.
HEARTBEAT_MS = 5_000
#: Draws of a viewer before a start is given up: on a video that nearly everybody has seen, or by a busy viewer.
TRIES = 12
#: Share of views that reach the end, roughly; it keeps the acts' rates where they were calibrated.
COMPLETION_RATE = 0.07
ACT_KINDS = (Kind.LIKE, Kind.COMMENT, Kind.SHARE, Kind.SAVE, Kind.FOLLOW, Kind.PROFILE_VIEW)


class Traffic:
    """Everything that happens after the platform's now, once: `until` moves on and never returns a message twice."""

    def __init__(self, platform: Platform, *, views_per_second: float = VIEWS_PER_SECOND) -> None:
        self._platform = platform
        self._views_per_second = views_per_second
        self._second = platform.now_utc
        self._writer = Writer(platform, "traffic")
        self._cumulative = [np.cumsum(weights) for weights in platform.weights]
        self._seen = _seen_by_now(platform)
        self._follows = _followers_by_now(platform)
        self._season = season_at(platform.now_utc)
        self._identified = _identified_by_now(platform)
        self._busy_until_ms: dict[int, int] = {}
        self._coming: list[tuple[int, int, Message]] = []
        self._told = 0

    def until(self, at_utc: float) -> list[Message]:
        """The messages of what happens up to a moment, since the last call; in order of time."""
        while self._second < at_utc:
            self._play(self._second)
            self._second += 1
        out = []
        while self._coming and self._coming[0][0] <= at_utc * 1000:
            out.append(heapq.heappop(self._coming)[2])
        return out

    def skip_to(self, at_utc: int) -> None:
        """Let nothing happen until a moment: after a machine has slept."""
        self._second = max(self._second, at_utc)

    # ---- one second ----------------------------------------------------------------------------------------------

    def _play(self, second: int) -> None:
        videos = self._platform.videos
        if season_at(second) != self._season:
            self._season = season_at(second)
            self._identified[:] = False
        for row in np.flatnonzero(videos.posted_utc == second).tolist():
            self._tell(second * 1000, self._writer.published(row))
        draws = Draws(self._platform.seed, "traffic", self._platform.now_utc, second)
        starts = draws.poisson(self._views_per_second)
        age = (second - videos.posted_utc).astype(np.float64)
        pull = np.where(age > 0, videos.popularity * growth_rate(age, videos.scale_seconds), 0.0)
        rows = draws.pick(pull, starts)
        at_ms = second * 1000 + np.sort(1000 * draws.uniform(starts)).astype(np.int64)
        chosen = [self._viewer(draws, row, at) for row, at in zip(rows.tolist(), at_ms.tolist(), strict=True)]
        kept = [place for place, viewer in enumerate(chosen) if viewer is not None]
        if kept:
            self._watch(draws, rows[kept], np.array([chosen[place] for place in kept]), at_ms[kept])

    def _viewer(self, draws: Draws, row: int, at_ms: int) -> int | None:
        """Who starts a video: somebody new to it, or now and then somebody who has seen it."""
        seen = self._seen[row]
        if draws.uniform(1)[0] < fit.REPLAY_SHARE and seen.any():
            known = np.flatnonzero(seen)
            candidates = known[draws.order(len(known))[:TRIES]]
        else:
            candidates = draws.pick_cumulative(self._cumulative[self._platform.videos.creator[row]], TRIES)
            candidates = candidates[~seen[candidates]]
        for viewer in candidates.tolist():
            if self._busy_until_ms.get(viewer, 0) <= at_ms:
                # Busy from here on; until when is known once the watching is drawn.
                self._busy_until_ms[viewer] = at_ms + 1000
                return int(viewer)
        return None

    def _watch(self, draws: Draws, rows: Integers, viewers: Integers, at_ms: Integers) -> None:
        videos = self._platform.videos
        creators = videos.creator[rows]
        follower = self._follows[creators, viewers]
        watching = watch(draws, duration_seconds=videos.duration_seconds[rows], hold=videos.hold[rows])
        source = sources(draws, follower=follower)
        first = ~self._seen[rows, viewers]
        acts = self._acts(draws, rows, watching, first, follower)
        moment = draws.uniform(len(rows))
        for place, (row, viewer) in enumerate(zip(rows.tolist(), viewers.tolist(), strict=True)):
            self._seen[row, viewer] = True
            start_ms = int(at_ms[place])
            watch_ms = int(1000 * watching.position_seconds[place])
            self._busy_until_ms[viewer] = start_ms + watch_ms
            self._identify(viewer, start_ms)
            self._playback(
                row, viewer, start_ms, watch_ms,
                completed=bool(watching.completed[place]), follower=bool(follower[place]),
                source=SOURCES[source[place]],
            )  # fmt: skip
            done_ms = start_ms + int(watch_ms * (0.5 + 0.5 * moment[place]))
            for kind in acts[place]:
                creator = int(creators[place])
                if kind is Kind.FOLLOW:
                    self._follows[creator, viewer] = True
                self._tell(done_ms, self._writer.act(kind, viewer=viewer, video=row, creator=creator, at_ms=done_ms))

    def _identify(self, viewer: int, at_ms: int) -> None:
        """Pseudonyms hold for a season, so each season is told anew who its viewers are."""
        if not self._identified[viewer]:
            self._identified[viewer] = True
            self._tell(at_ms, self._writer.identify(viewer, at_ms))

    def _acts(
        self, draws: Draws, rows: Integers, watching: Watching, first: Bools, follower: Bools
    ) -> list[list[Kind]]:
        """What each view makes its viewer do."""
        videos = self._platform.videos
        count = len(rows)
        rates = {
            Kind.LIKE: videos.like[rows] * first,
            Kind.COMMENT: videos.comment[rows] * first,
            Kind.SHARE: videos.share[rows] * first,
            Kind.SAVE: videos.save[rows] * first,
            Kind.FOLLOW: np.full(count, fit.FOLLOWS_PER_VIEW) * (first & ~follower),
            Kind.PROFILE_VIEW: np.full(count, fit.PROFILE_VIEWS_PER_VIEW),
        }
        completion = np.full(count, COMPLETION_RATE)
        out: list[list[Kind]] = [[] for _ in range(count)]
        for kind in ACT_KINDS:
            done = act(draws, rate=rates[kind], completed=watching.completed, completion_rate=completion)
            for place in np.flatnonzero(done).tolist():
                out[place].append(kind)
        return out

    def _playback(
        self, row: int, viewer: int, start_ms: int, watch_ms: int, *, completed: bool, follower: bool, source: str
    ) -> None:
        """What a player sends: impression, start, heartbeats, and the end or where the viewer left."""
        writer, videos = self._writer, self._platform.videos
        user, video = self._platform.viewer_id(viewer), videos.ids[row]
        length = float(videos.duration_seconds[row])
        session = f"{user}/{start_ms}"

        def tell(event: str, position_ms: int, **more: object) -> None:
            at_ms = start_ms + position_ms
            position = {"session_id": session, "position": position_ms / 1000, "total_length": length}
            self._tell(at_ms, writer.track(event, user, at_ms, position | more))

        self._tell(start_ms, writer.track("Video Impression", user, start_ms, {"asset_id": video, "source": source}))
        started = writer.track(
            "Video Playback Started",
            user,
            start_ms,
            {
                "session_id": session, "content_asset_ids": [video], "position": 0, "total_length": length,
                "source": source, "is_follower": follower,
            },
        )  # fmt: skip
        started["context"] = {"traits": writer.traits(viewer)}
        self._tell(start_ms, started)
        for position_ms in range(HEARTBEAT_MS, watch_ms, HEARTBEAT_MS):
            tell("Video Content Playing", position_ms, asset_id=video)
        if completed:
            tell("Video Content Completed", watch_ms, asset_id=video)
        else:
            tell("Video Playback Exited", watch_ms, content_asset_id=video)

    def _tell(self, at_ms: int, message: Message) -> None:
        # The count keeps messages of one moment in the order in which they were made; messages do not compare.
        self._told += 1
        heapq.heappush(self._coming, (at_ms, self._told, message))


def _seen_by_now(platform: Platform) -> Bools:
    """Who has seen which video in the history, shape (videos, viewers)."""
    seen = np.zeros((len(platform.videos), len(platform.audience)), dtype=np.bool_)
    seen[platform.history.views.video, platform.history.views.viewer] = True
    return seen


def _identified_by_now(platform: Platform) -> Bools:
    """Of whom this season has been told, shape (viewers,)."""
    arrivals = platform.arrivals
    told = np.zeros(len(platform.audience), dtype=np.bool_)
    told[arrivals.viewer[arrivals.season == season_at(platform.now_utc)]] = True
    return told


def _followers_by_now(platform: Platform) -> Bools:
    """Who follows whom at the end of the history, shape (creators, viewers)."""
    follows = np.stack(platform.fans)
    acts = platform.history.acts
    for kind, holds in ((Kind.FOLLOW, True), (Kind.UNFOLLOW, False)):
        rows = np.flatnonzero(acts.kind == kind)
        follows[acts.creator[rows], acts.viewer[rows]] = holds
    return follows
