"""Insights. In: the board. Out: figures computed from figures alone, so they cost no privacy."""

from footlights.public.insights.audience import (
    Audience,
    active_hours,
    audience,
    channel_audience,
    impression_sources,
)
from footlights.public.insights.cells import Cell, Table
from footlights.public.insights.channel import Channel, channel
from footlights.public.insights.moments import next_tick_utc
from footlights.public.insights.overview import WINDOW_DAYS_MAX, Overview, overview
from footlights.public.insights.retention import Retention, retention
from footlights.public.insights.timeseries import GRANULARITIES, KINDS, Curve, Granularity, Kind, timeseries
from footlights.public.insights.videos import VideoFigures, VideoPage, video_figures, video_page

__all__ = [
    "GRANULARITIES",
    "KINDS",
    "WINDOW_DAYS_MAX",
    "Audience",
    "Cell",
    "Channel",
    "Curve",
    "Granularity",
    "Kind",
    "Overview",
    "Retention",
    "Table",
    "VideoFigures",
    "VideoPage",
    "active_hours",
    "audience",
    "channel",
    "channel_audience",
    "impression_sources",
    "next_tick_utc",
    "overview",
    "retention",
    "timeseries",
    "video_figures",
    "video_page",
]
