"""Examples. In: the board, a creator, a scope. Out: what an app would see of this very channel, right now.

A creator decides by what it would mean for them: not by the name of a permission, but by their own figures.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from footlights.public import insights
from footlights.public.board.read import Board, Creator
from footlights.terms.domains import UNKNOWN
from footlights.terms.figures import Figure
from footlights.terms.words import N_


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A line of what an app would see: words, a figure with its interval, or both."""

    about: str
    of: str = ""
    country: str = ""
    text: str = ""
    figure: Figure | None = None


def examples_of(board: Board, creator: Creator, scope: str, *, sums: insights.DaySums) -> tuple[Example, ...]:
    """What a scope would show of a channel; empty where there is nothing yet."""
    if scope == "user.info.stats":
        seen = insights.overview(board, creator, days=28, sums=sums)
        return (
            Example(about=N_("Followers"), figure=seen.followers),
            Example(about=N_("Views in 28 days"), figure=seen.figures["view_count"]),
        )
    show = _EXAMPLES.get(scope)
    return () if show is None else show(board, creator)


def _basic(_: Board, creator: Creator) -> tuple[Example, ...]:
    return (Example(about=N_("Name"), text=creator.name or creator.id),)


def _profile(_: Board, creator: Creator) -> tuple[Example, ...]:
    handle = Example(about=N_("Handle"), text=creator.handle or creator.id)
    return (handle, Example(about=N_("Tier"), text=creator.tier))


def _listed(board: Board, creator: Creator) -> tuple[Example, ...]:
    return tuple(
        Example(about=N_("Views of"), of=figures.title or figures.id, figure=figures.figures["view_count"])
        for figures in (insights.video_figures(board, video) for video in board.videos(creator, limit=1))
    )


def _insights(board: Board, creator: Creator) -> tuple[Example, ...]:
    return tuple(
        Example(about=about, figure=insights.video_figures(board, video).figures[name])
        for video in board.videos(creator, limit=1)
        for about, name in (
            (N_("Newest video, in full"), "full_video_watched_rate"),
            (N_("Watched"), "average_time_watched"),
        )
    )


def _audience(board: Board, creator: Creator) -> tuple[Example, ...]:
    if creator.tier != "pro":
        return ()
    tables = insights.channel_audience(board, creator).tables
    known = [
        cell
        for table in tables
        if table.axes == ("country",)
        for cell in table.cells
        if cell.figure.state == "ok" and cell.figure.value and cell.key["country"] != UNKNOWN
    ]
    most = sorted(known, key=lambda cell: cell.figure.value or 0, reverse=True)[:2]
    return tuple(Example(about=N_("Viewers from"), country=cell.key["country"], figure=cell.figure) for cell in most)


_EXAMPLES: dict[str, Callable[[Board, Creator], tuple[Example, ...]]] = {
    "user.info.basic": _basic,
    "user.info.profile": _profile,
    "video.list": _listed,
    "video.insights": _insights,
    "audience.insights": _audience,
}
