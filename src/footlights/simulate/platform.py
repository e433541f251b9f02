"""Platform. In: a seed and a moment. Out: the simulated platform: declarations, history up to then, traffic after."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from footlights.simulate import calibration as fit
from footlights.simulate.audience import make_audience
from footlights.simulate.behaviour import Bools
from footlights.simulate.draws import Draws, Floats
from footlights.simulate.history import Arrivals, History, arrivals_in, make_history
from footlights.simulate.videos import declared_creator, make_videos, personas
from footlights.terms.events import CreatorDeclared, VideoPublished
from footlights.terms.ticks import DAY


class Platform:
    """A small video platform, the same for the same seed and moment.

    seed: any bytes. now_utc: where history ends and live traffic begins. views: about how many the history has.
    The first creator is the star and has the pro tier.
    """

    def __init__(
        self,
        seed: bytes,
        *,
        now_utc: int,
        creators: int = 6,
        viewers: int = 120_000,
        days: int = 40,
        views: int = 200_000,
    ) -> None:
        self.seed = seed
        self.now_utc = now_utc
        self.start_utc = now_utc // DAY * DAY - days * DAY
        self.cast = personas(creators)
        self.audience = make_audience(seed, viewers)
        self.videos = make_videos(seed, self.cast, now_utc=now_utc, days=days, views=views)

    @cached_property
    def creators(self) -> tuple[CreatorDeclared, ...]:
        """The creators; the first is the star."""
        return tuple(
            declared_creator(persona, star=number == 0, at_utc=self.start_utc)
            for number, persona in enumerate(self.cast)
        )

    def declarations(self) -> list[CreatorDeclared | VideoPublished]:
        """What the platform has declared by now: creators first, then videos in the order of their posting."""
        rows = np.argsort(self.videos.posted_utc, kind="stable")
        published = [self.video(int(row)) for row in rows if self.videos.posted_utc[row] <= self.now_utc]
        return [*self.creators, *published]

    def video(self, row: int) -> VideoPublished:
        """The platform's word on one video."""
        return self.videos.declared(row, creator=self.creators[self.videos.creator[row]].id)

    def viewer_id(self, row: int) -> str:
        """A viewer's id on the platform."""
        return f"viewer-{row:06d}"

    @cached_property
    def history(self) -> History:
        """Every view and act up to now, as columns in order of time."""
        return make_history(self.seed, self.videos, self.audience, self.weights, self.fans, now_utc=self.now_utc)

    @cached_property
    def arrivals(self) -> Arrivals:
        """Each viewer's first coming in each season of the history."""
        return arrivals_in(self.history.views)

    @cached_property
    def fans(self) -> list[Bools]:
        """For each creator, who follows them before the history begins."""
        out = []
        for number, taste in enumerate(self._tastes):
            own = (self.videos.creator == number) & (self.videos.posted_utc < self.now_utc)
            median = float(np.median(self.videos.popularity[own]))
            followers = min(round(median / fit.VIEWS_PER_FOLLOWER), len(self.audience) // 4)
            chosen = np.zeros(len(self.audience), dtype=np.bool_)
            chosen[Draws(self.seed, "fans", number).pick_distinct(taste, followers)] = True
            out.append(chosen)
        return out

    @cached_property
    def weights(self) -> list[Floats]:
        """For each creator, how likely each viewer is to be shown one of their videos."""
        return [
            taste * np.where(fan, fit.FOLLOWER_PULL, 1.0) for taste, fan in zip(self._tastes, self.fans, strict=True)
        ]

    @cached_property
    def _tastes(self) -> list[Floats]:
        return [self.audience.taste_for(persona) for persona in self.cast]
