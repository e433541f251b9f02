"""Insights. In: the board. Out: figures computed from figures alone, so they cost no privacy."""

from footlights.public.insights.audience import (
    Audience,
    active_hours,
    audience,
    channel_audience,
    impression_sources,
)
from footlights.public.insights.best import BestVideo, best_videos
from footlights.public.insights.cells import Cell, Table
from footlights.public.insights.changes import Change
from footlights.public.insights.channel import Channel, channel
from footlights.public.insights.forecast import Forecast, Foreseen, forecast
from footlights.public.insights.leaving import Leaving, leaving
from footlights.public.insights.moments import next_tick_utc
from footlights.public.insights.overview import OVERVIEW_NAMES, WINDOW_DAYS_MAX, Overview, overview
from footlights.public.insights.periods import Period, from_day_to_day, last_days
from footlights.public.insights.ranking import ListedVideo, Place, RankedPage, ranked_page
from footlights.public.insights.retention import Retention, retention
from footlights.public.insights.streams import DaySums
from footlights.public.insights.timeseries import GRANULARITIES, KINDS, Curve, Granularity, Kind, timeseries
from footlights.public.insights.typical import TYPICAL_NAMES, Typical, typical
from footlights.public.insights.videos import VideoFigures, video_figures

__all__ = [
    "GRANULARITIES",
    "KINDS",
    "OVERVIEW_NAMES",
    "TYPICAL_NAMES",
    "WINDOW_DAYS_MAX",
    "Audience",
    "BestVideo",
    "Cell",
    "Change",
    "Channel",
    "Curve",
    "DaySums",
    "Forecast",
    "Foreseen",
    "Granularity",
    "Kind",
    "Leaving",
    "ListedVideo",
    "Overview",
    "Period",
    "Place",
    "RankedPage",
    "Retention",
    "Table",
    "Typical",
    "VideoFigures",
    "active_hours",
    "audience",
    "best_videos",
    "channel",
    "channel_audience",
    "forecast",
    "from_day_to_day",
    "impression_sources",
    "last_days",
    "leaving",
    "next_tick_utc",
    "overview",
    "ranked_page",
    "retention",
    "timeseries",
    "typical",
    "video_figures",
]
