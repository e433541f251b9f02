"""Studio. In: a source and ids. Out: each answer of the API, as figures that become rows, frames or a plot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from types import TracebackType
from typing import Any

import msgspec

from footlights.client.figures import Figures
from footlights.client.source import Source
from footlights.public.web.api import CREATORS_PATH, VIDEOS_PATH

_PAGE_VIDEOS = 100


class Studio:
    """Published figures, from a folder or a server. Every method raises NotFound, NotAllowed or AskFailed.

    What a creator or video is called is the platform's own id of it. Parameters and their defaults are those of the
    API (docs/reference/http-api.md). A context manager; `close` ends it otherwise.
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    def __enter__(self) -> Studio:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give back what is open."""
        self._source.close()

    # ---- channels

    def creators(self) -> list[dict[str, str]]:
        """Whose figures can be read: id, name, handle and tier of each. With a token: the one whose it is."""
        return [msgspec.structs.asdict(one) for one in self._source.ask(CREATORS_PATH, {}, {}).creators]

    def overview(
        self,
        creator: str,
        *,
        days: int | None = None,
        since: date | None = None,
        until: date | None = None,
        metric: str | None = None,
    ) -> Figures:
        """What happened on a channel in a period, beside the one before. since, until: its first and last day, UTC."""
        return self._of_creator("overview", creator, days=days, from_=since, to=until, metric=metric)

    def videos(
        self,
        creator: str,
        *,
        sort: str | None = None,
        order: str | None = None,
        q: str | None = None,
        ids: Sequence[str] | None = None,
        posted_from: date | None = None,
        posted_to: date | None = None,
        metrics: Sequence[str] | None = None,
        most: int | None = None,
    ) -> Figures:
        """A channel's videos with their running figures, all of them or the first `most`."""
        asked = {
            "sort": sort, "order": order, "q": q, "ids": ids, "posted_from": posted_from, "posted_to": posted_to,
            "metrics": metrics,
        }  # fmt: skip
        pages = self._pages(creator, asked, most)
        first = next(pages)
        videos = [*first.videos, *(video for page in pages for video in page.videos)]
        return Figures(msgspec.structs.replace(first, videos=tuple(videos[:most]), cursor=None, has_more=False))

    def audience(self, creator: str) -> Figures:
        """The viewers of a channel in its newest season, each once, by who they are. Of the pro tier."""
        return self._of_creator("audience", creator)

    def channel(self, creator: str) -> Figures:
        """A channel's newest season: profile views, unique, returning and new viewers, day by day."""
        return self._of_creator("channel", creator)

    def hours(self, creator: str) -> Figures:
        """When a channel's viewers watch, by hour of the week. Of the pro tier."""
        return self._of_creator("hours", creator)

    def suggestions(self, creator: str) -> Figures:
        """At most three things to try next, each with its evidence."""
        return self._of_creator("suggestions", creator)

    def drivers(self, creator: str) -> Figures:
        """What goes with more views on a channel, beyond chance: percent more, with intervals."""
        return self._of_creator("drivers", creator)

    def best_time(self, creator: str) -> Figures:
        """When to post, with the gain to expect; or that no difference shows. Of the pro tier."""
        return self._of_creator("best-time", creator)

    def brought(self, creator: str) -> Figures:
        """Followers that each of a channel's last videos brought, beside a usual day."""
        return self._of_creator("brought", creator)

    # ---- videos

    def video(self, video: str) -> Figures:
        """A video's running figures."""
        return Figures(self._source.ask("/api/v1/videos/{video}", {"video": video}, {}))

    def timeseries(
        self,
        video: str,
        *,
        metric: str | None = None,
        granularity: str | None = None,
        kind: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Figures:
        """One metric of a video by minute, hour or day. kind: running, or change since the point before.

        since, until: points after the one and up to the other alone; they have a time zone.
        """
        return self._of_video(
            "timeseries", video, metric=metric, granularity=granularity, kind=kind, since=since, until=until
        )

    def typical(self, video: str, *, metric: str | None = None) -> Figures:
        """What the creator's last twenty videos had at the same ages."""
        return self._of_video("typical", video, metric=metric)

    def video_audience(self, video: str) -> Figures:
        """A video's audience at its newest milestone. Of the pro tier."""
        return self._of_video("audience", video)

    def retention(self, video: str) -> Figures:
        """How far and how long a video's viewers watched, at its newest milestone."""
        return self._of_video("retention", video)

    def typical_retention(self, video: str) -> Figures:
        """How far viewers of the creator's last videos got. Where this one differs from them is `holding`."""
        return self._of_video("retention/typical", video)

    def leaving(self, video: str) -> Figures:
        """The stretches in which more viewers leave than elsewhere, beyond noise."""
        return self._of_video("leaving", video)

    def sources(self, video: str) -> Figures:
        """Where a video's viewers came from, at its newest milestone."""
        return self._of_video("sources", video)

    def forecast(self, video: str) -> Figures:
        """A video's views at 24 hours, 7 and 28 days. Their intervals are 95 %; `answer` has the 50 % ones, too."""
        return self._of_video("forecast", video)

    def pace(self, video: str) -> Figures:
        """How fast a video's views double now (`answer`), and which sources feed it."""
        return self._of_video("pace", video)

    def holding(self, video: str) -> Figures:
        """Where a video lost or held viewers unlike its creator's earlier ones, beyond noise: see `answer`."""
        return self._of_video("holding", video)

    def experiment(self, video: str, *, other: str | None = None) -> Figures:
        """How a video differs from another one of the same creator at the same age; by default the one before it."""
        return self._of_video("experiment", video, other=other)

    def privacy(self) -> dict[str, Any]:
        """The guarantee that the policy in force gives every viewer, as the API states it."""
        told: dict[str, Any] = msgspec.to_builtins(self._source.ask("/api/v1/privacy", {}, {}))
        return told

    def _of_creator(self, name: str, creator: str, **query: Any) -> Figures:
        return Figures(self._source.ask(f"/api/v1/creators/{{creator}}/{name}", {"creator": creator}, query))

    def _of_video(self, name: str, video: str, **query: Any) -> Figures:
        return Figures(self._source.ask(f"/api/v1/videos/{{video}}/{name}", {"video": video}, query))

    def _pages(self, creator: str, query: dict[str, Any], most: int | None) -> Iterator[Any]:
        """Pages of a list until it ends or there are enough. There is always a first."""
        cursor, count = None, 0
        while True:
            asked = query | {"max_count": min(_PAGE_VIDEOS, max(1, (most or _PAGE_VIDEOS) - count)), "cursor": cursor}
            page = self._source.ask(VIDEOS_PATH, {"creator": creator}, asked)
            yield page
            cursor, count = page.cursor, count + len(page.videos)
            if cursor is None or (most is not None and count >= most):
                return
