"""Apps. In: the board, and what creators let apps read. Out: messages to the apps' endpoints, which wait to be sent.

Apps in the order of their registration, creators by id, once for each moment that the board is published up to: nothing
that anybody watched decides when or in what order. A message says what there is to read and, but for a video that takes
off, no figure; that one is written into the creator's log of reads.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

import msgspec
import structlog

from footlights.alerts.due import due_between, families_of
from footlights.alerts.letter import BACK_SECONDS, Alert, alert_of_video
from footlights.public import insights
from footlights.public.accounts.apps.reads import Reads
from footlights.public.accounts.apps.told import Listening, Told
from footlights.public.accounts.store import Store
from footlights.public.board.read import Board, Creator
from footlights.public.webhooks import Webhooks
from footlights.public.webhooks.messages import (
    PUBLISHED,
    SUSPENDED,
    TAKING_OFF,
    AppSuspended,
    FiguresPublished,
    VideoPublished,
)
from footlights.settings import Settings
from footlights.terms.errors import NotFound
from footlights.terms.figures import rfc3339

log = structlog.get_logger()

#: What an app needs to be told of a video that takes off: its list, and how each does beside the others.
TAKING_OFF_NEEDS = frozenset({"video.list", "video.insights"})
#: Videos that one message names, newest first; beyond it `more` says that there are others.
VIDEOS_MAX = 500


class Herald:
    """Who tells apps. through_utc: until when the board is published."""

    def __init__(self, board: Board, store: Store, settings: Settings, *, through_utc: int) -> None:
        self._board, self._store, self._through = board, store, through_utc
        self._told = Told(store)
        self._reads = Reads(store, kept_days=settings.app_log_days)
        self._webhooks = Webhooks(store, private_allowed=bool(settings.webhooks_private))
        self._alerts: dict[tuple[str, int], list[Alert]] = {}

    def tell(self) -> int:
        """Tell every app what it was not told yet. Returns how many messages are new."""
        made = self._tell_stopped() + sum(self._tell_app(app) for app in self._told.listening())
        if made:
            log.info("apps.told", told=made)
        return made

    def _tell_stopped(self) -> int:
        made = 0
        with self._store.changing() as db:
            self._told.drop_expired(db)
            for stop in self._told.stops(db):
                data = AppSuspended(app=stop.client_id, state=stop.state, reason=stop.reason)
                made += len(self._webhooks.tell_in(
                    db, f"app:{stop.client_id}", key=f"{SUSPENDED} {stop.stop}", type=SUSPENDED, data=data,
                    at_utc=stop.at_utc,
                ))  # fmt: skip
        return made

    def _tell_app(self, app: Listening) -> int:
        """An app hears of what was published after it was told for the first time."""
        since = app.through_utc
        if since is not None and since >= self._through:
            return 0  # or the board was put back to a copy: what is published again was told
        found: list[tuple[str, FiguresPublished, list[Alert]]] = []
        if since is not None:
            with self._store.reading() as db:
                granted = self._told.granted(db, app.app)
            found = [(creator, *self._of(creator, scopes, since)) for creator, scopes in granted.items()]
        with self._store.changing() as db:
            # What took long is done, and a consent may have changed meanwhile: then nothing is said of that channel.
            still = self._told.granted(db, app.app)
            if not self._told.go_on(db, app, through_utc=self._through):
                return 0  # another run was faster, or the app was stopped
            return sum(
                self._say(db, app, creator, published, alerts)
                for creator, published, alerts in found
                if still.get(creator) == granted[creator]
            )

    def _of(self, creator_id: str, scopes: frozenset[str], since_utc: int) -> tuple[FiguresPublished, list[Alert]]:
        """What there is to say of a channel."""
        nothing = _published(creator_id, (), (), since_utc=since_utc, through_utc=self._through)
        try:
            creator = self._board.creator(creator_id)
        except NotFound:
            return nothing, []
        due = due_between(
            self._board, creator, families_of(scopes), after_utc=since_utc, until_utc=self._through
        )  # fmt: skip
        videos = [VideoPublished(video=video, families=families) for video, families in due.videos.items()]
        published = _published(creator_id, due.channel, videos, since_utc=since_utc, through_utc=self._through)
        return published, self._taking_off(creator, since_utc) if scopes >= TAKING_OFF_NEEDS else []

    def _taking_off(self, creator: Creator, since_utc: int) -> list[Alert]:
        key = (creator.id, since_utc)
        if key not in self._alerts:
            since = max(since_utc, self._through - BACK_SECONDS)
            found = insights.taking_off(self._board, creator, since_utc=since, until_utc=self._through)
            self._alerts[key] = [alert_of_video(creator, each) for each in reversed(found)]
        return self._alerts[key]

    def _say(
        self, db: sqlite3.Connection, app: Listening, creator_id: str, published: FiguresPublished, alerts: list[Alert]
    ) -> int:  # fmt: skip
        made = 0
        for endpoint in self._told.endpoints(db, app, at_utc=self._through):
            if published.channel or published.videos:
                waiting = self._told.take_back(db, endpoint, creator_id, type=PUBLISHED)
                whole = merged([*(_said(body) for body in waiting), published])
                key = f"{PUBLISHED} {creator_id} {published.through}"
                made += self._add(db, app, endpoint, creator_id, type=PUBLISHED, key=key, data=whole) - len(waiting)
            for alert in alerts:
                key = f"{creator_id} {alert.key}"
                new = self._add(db, app, endpoint, creator_id, type=TAKING_OFF, key=key, data=alert.data)
                if new:
                    self._reads.sent(
                        db, app.app, creator_id, f"webhook: {TAKING_OFF}", through_utc=self._through
                    )  # fmt: skip
                made += new
        return made

    def _add(
        self, db: sqlite3.Connection, app: Listening, endpoint: int, creator_id: str, *, type: str, key: str, data: Any
    ) -> int:  # fmt: skip
        messages = self._webhooks.tell_in(
            db, f"app:{app.client_id}", key=key, type=type, data=data, at_utc=self._through, only=endpoint
        )
        self._told.note(db, app.app, creator_id, type=type, messages=messages)
        return len(messages)


def merged(said: list[FiguresPublished]) -> FiguresPublished:
    """What some messages about one channel say together, the oldest first. What is newer comes first in it."""
    videos: dict[str, tuple[str, ...]] = {}
    for one in reversed(said):
        for each in one.videos:
            videos[each.video] = tuple(dict.fromkeys((*videos.get(each.video, ()), *each.families)))
    channel = tuple(dict.fromkeys(family for one in reversed(said) for family in one.channel))
    return FiguresPublished(
        creator=said[-1].creator, since=said[0].since, through=said[-1].through, channel=channel,
        videos=tuple(VideoPublished(video=video, families=which) for video, which in videos.items())[:VIDEOS_MAX],
        more=any(one.more for one in said) or len(videos) > VIDEOS_MAX,
    )  # fmt: skip


def _published(
    creator_id: str, channel: tuple[str, ...], videos: Iterable[VideoPublished], *, since_utc: int, through_utc: int
) -> FiguresPublished:
    of_videos = tuple(videos)
    return FiguresPublished(
        creator=creator_id, since=rfc3339(since_utc), through=rfc3339(through_utc), channel=channel,
        videos=of_videos[:VIDEOS_MAX], more=len(of_videos) > VIDEOS_MAX,
    )  # fmt: skip


def _said(body: bytes) -> FiguresPublished:
    return msgspec.json.decode(body, type=_Envelope).data


class _Envelope(msgspec.Struct):
    data: FiguresPublished
