"""Insights. In: the board. Out: figures computed from figures alone, so they cost no privacy."""

from footlights.public.insights.audience import (
    Audience,
    active_hours,
    audience,
    channel_audience,
    impression_sources,
)
from footlights.public.insights.best import BestVideo, best_videos
from footlights.public.insights.best_time import BestTime, PostingHour, best_time
from footlights.public.insights.brought import Brought, BroughtFollowers, brought
from footlights.public.insights.cells import Cell, Table
from footlights.public.insights.changes import Change
from footlights.public.insights.channel import Channel, channel
from footlights.public.insights.drivers import Driver, Drivers, drivers
from footlights.public.insights.experiment import Experiment, experiment
from footlights.public.insights.forecast import Forecast, Foreseen, forecast
from footlights.public.insights.holding import Held, Holding, holding
from footlights.public.insights.leaving import Leaving, leaving
from footlights.public.insights.live import Follower, ListedLive, RoomNow, RoomTick, room_now
from footlights.public.insights.live import listed as listed_live
from footlights.public.insights.moments import next_tick_utc
from footlights.public.insights.notable import TakingOff, UnusualWeek, taking_off, unusual_weeks
from footlights.public.insights.overview import OVERVIEW_NAMES, WINDOW_DAYS_MAX, Overview, overview
from footlights.public.insights.pace import Pace, pace
from footlights.public.insights.periods import Period, from_day_to_day, last_days
from footlights.public.insights.ranking import ListedVideo, Place, RankedPage, ranked_page
from footlights.public.insights.replay import Moment, Replay, Summary, moments_so_far, replay, summary
from footlights.public.insights.retention import Retention, retention
from footlights.public.insights.streams import DaySums
from footlights.public.insights.suggestions import Findings, Suggestion, Suggestions, findings, suggested, suggestions
from footlights.public.insights.timeseries import GRANULARITIES, KINDS, Curve, Granularity, Kind, timeseries
from footlights.public.insights.typical import TYPICAL_NAMES, Typical, typical
from footlights.public.insights.typical_retention import (
    TypicalPart,
    TypicalRetention,
    typical_retention,
)
from footlights.public.insights.videos import VideoFigures, video_figures

__all__ = [
    "GRANULARITIES",
    "KINDS",
    "OVERVIEW_NAMES",
    "TYPICAL_NAMES",
    "WINDOW_DAYS_MAX",
    "Audience",
    "BestTime",
    "BestVideo",
    "Brought",
    "BroughtFollowers",
    "Cell",
    "Change",
    "Channel",
    "Curve",
    "DaySums",
    "Driver",
    "Drivers",
    "Experiment",
    "Findings",
    "Follower",
    "Forecast",
    "Foreseen",
    "Granularity",
    "Held",
    "Holding",
    "Kind",
    "Leaving",
    "ListedLive",
    "ListedVideo",
    "Moment",
    "Overview",
    "Pace",
    "Period",
    "Place",
    "PostingHour",
    "RankedPage",
    "Replay",
    "Retention",
    "RoomNow",
    "RoomTick",
    "Suggestion",
    "Suggestions",
    "Summary",
    "Table",
    "TakingOff",
    "Typical",
    "TypicalPart",
    "TypicalRetention",
    "UnusualWeek",
    "VideoFigures",
    "active_hours",
    "audience",
    "best_time",
    "best_videos",
    "brought",
    "channel",
    "channel_audience",
    "drivers",
    "experiment",
    "findings",
    "forecast",
    "from_day_to_day",
    "holding",
    "impression_sources",
    "last_days",
    "leaving",
    "listed_live",
    "moments_so_far",
    "next_tick_utc",
    "overview",
    "pace",
    "ranked_page",
    "replay",
    "retention",
    "room_now",
    "suggested",
    "suggestions",
    "summary",
    "taking_off",
    "timeseries",
    "typical",
    "typical_retention",
    "unusual_weeks",
    "video_figures",
]
