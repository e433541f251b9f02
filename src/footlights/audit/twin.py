"""Twin. The analytics that others have: exact counts, numbers below 10 hidden. Doors in memory, for attacks to bite on.

It answers the same paths in the same shapes as the public side, and has the faults that others had:

    counts and windows   exact; hidden below the threshold, so that a difference of two shows what is hidden
    audience, sources    only cells that reach the threshold are listed, beside an exact total; hours too
    channel              exact, day by day, as it happens: the day that is not over is there already
    first view           a figure is pending until something happened, and its moment is that of the last event
    history              a late event changes what was shown already
    messages             an id that came before is dropped, whoever sent it, and the answer says how many were not
    answers              404 while a video has no view, an ETag and a list order that follow the events, a cache

Never used to protect anybody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from footlights.audit.doors import Answer, Message
from footlights.audit.twin_log import PARTS, Act, Log, TwinVideo
from footlights.terms.families import WEEKDAYS
from footlights.terms.figures import Figure, exact_figure, pending_figure, rfc3339
from footlights.terms.metrics import AUDIENCE, AUDIENCE_AXES, COUNTERS, DERIVED, DISCLOSED, HISTOGRAM, QUARTILES
from footlights.terms.policy import default_policy
from footlights.terms.seasons import season_at, season_name, season_start_utc
from footlights.terms.ticks import DAY, HOUR, MINUTE

#: What is smaller is hidden.
THRESHOLD = 10
#: What an answer is said to take: from the cache, and when it has to be worked out anew.
CACHED_SECONDS, WORKED_OUT_SECONDS = 0.002, 0.020

#: What a naive answer is made of: figures, and JSON around them.
Found = dict[str, Any]

_NAMES = tuple(metric.name for metric in (*COUNTERS, *DISCLOSED, *DERIVED))
_SPANS = {"minute": MINUTE, "hour": HOUR, "day": DAY}
_POINTS_MAX = 10_000


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        self.status = status


class Twin:
    """A deployment of the naive system. began_utc: where its clock starts."""

    def __init__(self, *, began_utc: int) -> None:
        self._clock_utc = began_utc
        self._log = self._kept = Log()
        #: By path and asker: what it was made of (events, clock), and the body.
        self._cache: dict[tuple[str, str], tuple[tuple[int, int], bytes]] = {}

    def now_utc(self) -> int:
        """Its clock."""
        return self._clock_utc

    def pass_time(self, seconds: int) -> None:
        """Move the clock: there is nothing to publish, all is worked out when somebody asks."""
        self._clock_utc += seconds

    def keep(self) -> None:
        """Remember the log."""
        self._kept = deepcopy(self._log)

    def put_back(self) -> None:
        """Forget what came since."""
        self._log = deepcopy(self._kept)
        self._cache.clear()

    def send(self, messages: list[Message]) -> Answer:
        """Take messages in Segment's shape."""
        counted = sum(self._log.take(message) for message in messages)
        body = msgspec.json.encode({"success": True, "counted": counted})
        return Answer(status=200, headers={}, body=body, seconds=CACHED_SECONDS)

    def get(self, path: str, *, creator: str = "", app: str = "") -> Answer:
        """Answer as the public side does, from the log itself; an app is told what its creator is told."""
        asked = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(asked.query).items()}
        events = self._log.events_behind(asked.path)
        known, body = self._cache.get((path, creator), ((-1, 0), b""))
        if known == (events, self._clock_utc):
            return _ok(body, events, CACHED_SECONDS)
        try:
            found = self._route(asked.path.strip("/").split("/"), query, creator)
        except _Refused as refused:
            return Answer(status=refused.status, headers={}, body=b"{}", seconds=CACHED_SECONDS)
        body = msgspec.json.encode(found)
        self._cache[path, creator] = (events, self._clock_utc), body
        return _ok(body, events, CACHED_SECONDS if known[0] == events else WORKED_OUT_SECONDS)

    def _route(self, parts: Sequence[str], query: dict[str, str], asker: str) -> Found:
        match parts:
            case ["api", "v1", "creators", creator, what] if creator == asker:
                return self._of_creator(creator, what, query)
            case ["api", "v1", "videos", video, *rest] if len(rest) < 2:
                return self._of_video(self._own(video, asker), rest[0] if rest else "", query)
            case ["api", "v1", "lives", live]:
                count = self._log.in_room(live)
                ever = self._log.ever_in_room(live)
                counts = {"concurrent_viewers": count, "live_viewers": ever}
                figures = {name: self._figure(name, number, self._clock_utc) for name, number in counts.items()}
                return {"id": live, "figures": figures}
        raise _Refused(404)

    def _own(self, video_id: str, asker: str) -> TwinVideo:
        video = self._log.videos.get(video_id)
        if video is None:
            raise _Refused(404)
        if video.creator != asker:
            raise _Refused(403)
        return video

    def _of_creator(self, creator: str, what: str, query: dict[str, str]) -> Found:
        if what == "overview":
            return self._overview(creator, int(query.get("days", 28)), query.get("metric", "view_count"))
        videos = self._log.videos_of(creator)
        if what == "videos":
            listed = [self._video(video) | self._recent(video) for video in videos]
            return {"videos": listed, "found": len(listed), "cursor": None, "has_more": False}
        if what == "audience":
            return self._audience("channel_audience", list(_firsts(_by_time(videos))), season=True)
        if what == "channel":
            return self._channel(creator, _by_time(videos))
        if what == "hours":
            hours = [(_hour_of_week(act),) for act in _first_hours(_by_time(videos))]
            return self._listed("hours", "hour", hours, season=True)
        raise _Refused(404)

    def _of_video(self, video: TwinVideo, what: str, query: dict[str, str]) -> Found:
        if what == "":
            return self._video(video)
        if not video.acts:
            raise _Refused(404)  # "no data yet"
        if what == "timeseries":
            return self._curve(video, **query)
        if what == "audience":
            return self._audience("audience", list(video.first_plays()), season=False)
        if what == "sources":
            sources = [(act.traits["source"],) for act in video.first_plays()]
            return self._listed("sources", "source", sources, season=False)
        if what == "retention":
            return self._retention(video)
        raise _Refused(404)

    # ---- Figures

    def _figure(self, metric: str, count: int, at_utc: int) -> Figure:
        if count == 0:
            return pending_figure(metric)
        if 0 < count < THRESHOLD:
            hidden = pending_figure(metric)
            return msgspec.structs.replace(hidden, state="too_few", as_of=rfc3339(at_utc))
        return exact_figure(metric, value=count, at_utc=at_utc, tick=None)

    def _tally(self, metric: str, videos: Iterable[TwinVideo], *, after_utc: int, until_utc: int) -> Figure:
        acts = [act for video in videos for act in video.acts if after_utc < act.at_utc <= until_utc]
        last = max((act.at_utc for act in acts), default=0)
        return self._figure(metric, _count(metric, acts), last)

    def _video(self, video: TwinVideo) -> Found:
        return {
            "id": video.id, "title": video.id, "posted_at": rfc3339(video.posted_at_utc),
            "duration_ms": video.duration_ms, "hashtags": [], "sound": "", "removed": video.removed,
            "figures": {name: self._tally(name, [video], after_utc=0, until_utc=_EVER) for name in _NAMES},
        }  # fmt: skip

    def _recent(self, video: TwinVideo) -> Found:
        plays = sum("play" in act.kinds for act in video.acts)
        return {"place": None, "recent": [self._figure("view_count", plays, self._clock_utc)]}

    def _curve(
        self, video: TwinVideo, *, metric: str = "view_count", granularity: str = "hour", kind: str = "running"
    ) -> Found:
        span = _SPANS[granularity]
        first = min(act.at_utc for act in video.acts) - video.posted_at_utc
        points = []
        for number in range(max(1, -(-first // span)), min(_POINTS_MAX, self._age(video) // span) + 1):
            until = video.posted_at_utc + number * span
            since = until - span if kind == "change" else 0
            points.append(self._tally(metric, [video], after_utc=since, until_utc=until))
        return {"metric": metric, "granularity": granularity, "kind": kind, "points": points}

    def _overview(self, creator: str, days: int, metric: str) -> Found:
        videos, now = self._log.videos_of(creator), self._clock_utc
        since = now - days * DAY
        window = {name: self._tally(name, videos, after_utc=since, until_utc=now) for name in _NAMES}
        others = {
            "followers_count": self._followers(creator, after_utc=since),
        }
        points = [
            self._tally(metric, videos, after_utc=since + day * DAY, until_utc=since + (day + 1) * DAY)
            for day in range(days)
        ]
        return {
            "creator": creator, "days": days, "since": rfc3339(since), "as_of": rfc3339(now), "videos": len(videos),
            "followers": self._followers(creator, after_utc=0), "figures": window | others,
            "curve": {"metric": metric, "granularity": "day", "kind": "change", "points": points},
            "before": None, "changes": {},
            "latest": [self._video(video) for video in videos[:6]],
        }  # fmt: skip

    def _followers(self, creator: str, *, after_utc: int) -> Figure:
        count = self._log.followers(creator, after_utc=after_utc)
        return exact_figure("followers_count", value=count, at_utc=self._clock_utc, tick=None)

    def _audience(self, family: str, firsts: Sequence[Act], *, season: bool) -> Found:
        tables = [
            self._table(
                name, AUDIENCE[name].name, AUDIENCE_AXES[name],
                [tuple(act.traits[axis] for axis in AUDIENCE_AXES[name]) for act in firsts],
            )
            for name in default_policy().audiences[family].tables
        ]  # fmt: skip
        return self._stamped(tables, [act.at_utc for act in firsts], season=season)

    def _listed(self, name: str, axis: str, cells: Sequence[tuple[str, ...]], *, season: bool) -> Found:
        table = self._table(name, HISTOGRAM[name].name, (axis,), cells)
        return self._stamped([table], [self._clock_utc] if cells else [], season=season)

    def _stamped(self, tables: list[Found], moments_utc: Sequence[int], *, season: bool) -> Found:
        last = max(moments_utc, default=None)
        return {
            "as_of": None if last is None else rfc3339(last),
            "season": None if last is None or not season else season_name(season_at(last)),
            "tables": tables,
        }

    def _table(self, name: str, metric: str, axes: tuple[str, ...], keys: Sequence[tuple[str, ...]]) -> Found:
        cells = [
            {"key": dict(zip(axes, key, strict=True)), "figure": self._figure(metric, count, self._clock_utc)}
            for key, count in sorted(Counter(keys).items())
            if count >= THRESHOLD
        ]
        return {"name": name, "metric": metric, "axes": axes, "cells": cells}

    def _retention(self, video: TwinVideo) -> Found:
        furthest: dict[str, int] = {}
        for act in video.acts:
            furthest[act.viewer] = max(act.position, furthest.get(act.viewer, 0))
        watched = sorted(_watched_by_viewer(video.acts).values())
        viewers, now = len(furthest), self._clock_utc
        return {
            "as_of": rfc3339(now),
            "viewers": self._figure("reach", viewers, now),
            "curve": [
                self._figure(
                    HISTOGRAM["positions"].name,
                    _part(10_000 * sum(reached >= part for reached in furthest.values()), viewers), now,
                )
                for part in range(PARTS)
            ],
            "watch_time": {
                str(share): self._figure(metric.name, watched[len(watched) * share // 100], now)
                for share, metric in QUARTILES.items()
            },
        }  # fmt: skip

    def _channel(self, creator: str, acts: Sequence[Act]) -> Found:
        begins = season_start_utc(season_at(self._clock_utc))
        first = min([act.at_utc for act in acts] + self._log.profile_views(creator), default=self._clock_utc)
        ends = range(begins + DAY * ((first - begins) // DAY + 1), self._clock_utc + DAY, DAY)
        days = [self._day(creator, acts, until_utc=end) for end in ends]
        return {
            "season": season_name(season_at(begins)), "as_of": rfc3339(self._clock_utc), "figures": days[-1],
            "days": days,
        }  # fmt: skip

    def _day(self, creator: str, acts: Sequence[Act], *, until_utc: int) -> Found:
        days_of: dict[str, set[int]] = {}
        for act in acts:
            if "play" in act.kinds and act.at_utc < until_utc:
                days_of.setdefault(act.viewer, set()).add(act.at_utc // DAY)
        returned = sum(len(days) > 1 for days in days_of.values())
        counts = {
            "profile_views": sum(at_utc < until_utc for at_utc in self._log.profile_views(creator)),
            "unique_viewers": len(days_of), "returning_viewers": returned, "new_viewers": len(days_of) - returned,
        }  # fmt: skip
        return {name: self._figure(name, count, self._clock_utc) for name, count in counts.items()}

    def _age(self, video: TwinVideo) -> int:
        return self._clock_utc - video.posted_at_utc


def _by_time(videos: Iterable[TwinVideo]) -> list[Act]:
    return sorted((act for video in videos for act in video.acts), key=lambda act: act.at_utc)


def _firsts(acts: Iterable[Act]) -> Iterator[Act]:
    """Each viewer's first play."""
    seen: set[str] = set()
    for act in acts:
        if "play" in act.kinds and act.viewer not in seen:
            seen.add(act.viewer)
            yield act


def _first_hours(acts: Iterable[Act]) -> Iterator[Act]:
    """A play of each viewer in each hour."""
    seen: set[tuple[str, str]] = set()
    for act in acts:
        if "play" in act.kinds and (hour := (act.viewer, _hour_of_week(act))) not in seen:
            seen.add(hour)
            yield act


def _hour_of_week(act: Act) -> str:
    return f"{WEEKDAYS[(act.at_utc // DAY + 3) % 7]} {act.at_utc // HOUR % 24:02d}"  # 1970 began with a Thursday


def _watched_by_viewer(acts: Iterable[Act]) -> dict[str, int]:
    watched: dict[str, int] = {}
    for act in acts:
        watched[act.viewer] = watched.get(act.viewer, 0) + act.watch_ms
    return watched


_EVER = 2**62


def _ok(body: bytes, events: int, seconds: float) -> Answer:
    headers = {"content-type": "application/json", "etag": f'"{events}"'}
    return Answer(status=200, headers=headers, body=body, seconds=seconds)


def _count(metric: str, acts: Sequence[Act]) -> int:
    return _COUNTS[metric](acts)


def _viewers(kind: str) -> Callable[[Sequence[Act]], int]:
    return lambda acts: len({act.viewer for act in acts if kind in act.kinds})


def _all(kind: str) -> Callable[[Sequence[Act]], int]:
    return lambda acts: sum(kind in act.kinds for act in acts)


def _watched_ms(acts: Sequence[Act]) -> int:
    return sum(act.watch_ms for act in acts)


def _part(above: int, below: int) -> int:
    return above // below if below else 0


_COUNTS: dict[str, Callable[[Sequence[Act]], int]] = {
    "view_count": _all("play"),
    "reach": _viewers("play"),
    "replays": lambda acts: _all("play")(acts) - _viewers("play")(acts),
    "total_time_watched": lambda acts: _watched_ms(acts) // 1000,
    "full_views": _viewers("end"),
    "share_count": _viewers("share"),
    "favorites_count": _viewers("save"),
    "new_followers": _viewers("follow"),
    "like_count": _all("like"),
    "comment_count": _all("comment"),
    "average_time_watched": lambda acts: _part(_watched_ms(acts), _all("play")(acts)),
    "full_video_watched_rate": lambda acts: _part(10_000 * _viewers("end")(acts), _viewers("play")(acts)),
}
