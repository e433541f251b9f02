"""Messages. What a webhook says, by type. Every message is {"type": ..., "timestamp": ..., "data": one of these}.

A number is a figure with its interval. There is no field in which a viewer could be named.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from footlights.public.insights.typical import TypicalPoint
from footlights.terms.figures import Figure

PUBLISHED, TAKING_OFF, SUSPENDED = "figures.published", "video.taking_off", "app.suspended"
UNUSUAL_WEEK = "channel.unusual_week"


class VideoPublished(msgspec.Struct, frozen=True, kw_only=True):
    """A video, and the families of which it has a new tick."""

    video: str
    families: tuple[str, ...]


class FiguresPublished(msgspec.Struct, frozen=True, kw_only=True):
    """Of which families of a channel there is a new tick in (since, through]. It holds no figure: ask for them.

    channel: of the channel itself. videos: of each video, newest first. more: there are others; ask for the list.
    """

    creator: str
    since: str
    through: str
    channel: tuple[str, ...]
    videos: tuple[VideoPublished, ...]
    more: bool


class VideoTakesOff(msgspec.Struct, frozen=True, kw_only=True):
    """A video has far more views at an age than the creator's last ones had. typical: of them, at that age."""

    creator: str
    video: str
    title: str
    age_seconds: int
    view_count: Figure
    typical: TypicalPoint


class WeekIsUnusual(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of a week, Monday to Sunday, UTC, is unlike the weeks before. before: of the week before."""

    creator: str
    metric: str
    since: str
    until: str
    figure: Figure
    before: Figure
    change: Figure
    direction: Literal["up", "down"]


class AppSuspended(msgspec.Struct, frozen=True, kw_only=True):
    """The operator stopped the app: its tokens are worth nothing, and no other event follows. banned: for good."""

    app: str
    state: Literal["suspended", "banned"]
    reason: str


class AppTest(msgspec.Struct, frozen=True, kw_only=True):
    """What "Send a test" sends to an app's endpoint."""

    app: str


#: What an app may be told, by type.
FOR_APPS: dict[str, type[msgspec.Struct]] = {
    PUBLISHED: FiguresPublished, TAKING_OFF: VideoTakesOff, SUSPENDED: AppSuspended, "test": AppTest,
}  # fmt: skip
ABOUT = {
    PUBLISHED: "Something was published of a channel that the app may read.",
    TAKING_OFF: "A video takes off, of a channel of which the app may read video.list and video.insights.",
    SUSPENDED: "The app was suspended or banned. Nothing else follows.",
    "test": "A test.",
}
_VIEWS = Figure(
    metric="view_count", value=21_034, low=20_880, high=21_188, state="ok", exact=False,
    as_of="2026-11-01T12:00:00Z", tick=360,
)  # fmt: skip
#: An example of each.
EXAMPLES: dict[str, msgspec.Struct] = {
    PUBLISHED: FiguresPublished(
        creator="ada", since="2026-11-01T11:59:00Z", through="2026-11-01T12:00:00Z", channel=("followers",),
        videos=(VideoPublished(video="v100", families=("counters", "audience")),), more=False,
    ),
    TAKING_OFF: VideoTakesOff(
        creator="ada", video="v100", title="Opening night", age_seconds=21_600, view_count=_VIEWS,
        typical=TypicalPoint(age_seconds=21_600, low=900, middle=1400, high=2100),
    ),
    SUSPENDED: AppSuspended(app="app-5f0c2a9be1d37764", state="suspended", reason="It sold what it read."),
    "test": AppTest(app="app-5f0c2a9be1d37764"),
}  # fmt: skip
