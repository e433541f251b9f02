"""Insights. In: the board. Out: figures computed from figures alone, so they cost no privacy."""

from footlights.public.insights.audience import Audience, AudienceCell, AudienceTable, audience, channel_audience
from footlights.public.insights.moments import next_tick_utc
from footlights.public.insights.overview import WINDOW_DAYS_MAX, Overview, overview
from footlights.public.insights.timeseries import GRANULARITIES, KINDS, Curve, Granularity, Kind, timeseries
from footlights.public.insights.videos import VideoFigures, VideoPage, video_figures, video_page

__all__ = [
    "GRANULARITIES",
    "KINDS",
    "WINDOW_DAYS_MAX",
    "Audience",
    "AudienceCell",
    "AudienceTable",
    "Curve",
    "Granularity",
    "Kind",
    "Overview",
    "VideoFigures",
    "VideoPage",
    "audience",
    "channel_audience",
    "next_tick_utc",
    "overview",
    "timeseries",
    "video_figures",
    "video_page",
]
