"""Planting. In: doors, a policy and coins. Out: canaries, each alone on a video of its own among viewers it knows.

A canary is one unit, (viewer, video, season). If its coin is heads it does all that a viewer can, as early and as often
as it can; if tails, nothing that is private. Whatever else happens on its video is the same either way and known:

    heads   KNOWN viewers, each up to every bound      + the canary, up to and far beyond every bound
    tails   KNOWN viewers, each up to every bound

It is as hostile as any client can be: it does everything far more often than counts, sends messages twice, does it all
again whenever it has been counted, and uses, first, the message ids that the others use after it. Nothing of that may
make a difference that the bounds do not allow.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.audit.doors import Doors, Message, send_all
from footlights.audit.messages import act, declare_creator, declare_video, follow, view
from footlights.simulate.draws import Draws
from footlights.terms.errors import AuditFailed
from footlights.terms.events import Kind
from footlights.terms.policy import Policy
from footlights.terms.seasons import Season, season_at
from footlights.terms.ticks import MINUTE

Coins = NDArray[np.bool_]

#: Viewers of each video whose acts are known. They keep figures away from 0, and are there to be displaced.
KNOWN = 10
#: How often a canary starts its video, and does each other thing, before that goes up. Messages are numbered, which
#: makes their ids; those of all known viewers are among them.
LOUD = 30
#: Between the last message and the moment that the videos go up.
LEAD_SECONDS = 5 * MINUTE
#: What the platform says of every viewer here; ISO's code of Antarctica, where nobody else is.
TRAITS = {"age": "25-34", "gender": "other", "country": "AQ", "type": "not_follower"}


class Canaries(msgspec.Struct, frozen=True, kw_only=True):
    """Canaries that were planted. videos: one each. posted_at_utc: when all their videos go up.

    season: of everything they do, since the next is another unit.
    bounds: what one viewer adds at most to each counter, in the unit of its figure, by metric.
    """

    creator: str
    videos: tuple[str, ...]
    coins: Coins
    posted_at_utc: int
    season: Season
    policy: Policy
    bounds: dict[str, float]

    def __len__(self) -> int:
        return len(self.videos)

    @property
    def starts(self) -> int:
        """How many starts of one viewer count: the first, and replays."""
        return 1 + int(self.bounds["replays"])


def toss(seed: int, count: int) -> Coins:
    """The coins, fair and independent: a keyed hash of the seed, so they stand before anything is planted."""
    coins: Coins = Draws(str(seed).encode(), "audit", "coins").uniform(count) < 0.5
    return coins


def plant(doors: Doors, policy: Policy, *, coins: Coins, seed: int) -> Canaries:
    """Declare a video a coin and send what its viewers do. seed: names them.

    Raises AuditFailed if that takes too long, or if canaries of that name are there already.
    """
    now = doors.now_utc()
    posted_at = -(-(now + LEAD_SECONDS) // MINUTE) * MINUTE
    run = hashlib.blake2b(str(seed).encode(), digest_size=4).hexdigest()
    watch = next(counter for counter in policy.counters if counter.bound_seconds)
    # The shortest video whose watch time is bounded by bound_seconds: the bound is then the same in every unit.
    duration_seconds = -(-watch.bound_seconds // watch.bound_durations)
    canaries = Canaries(
        creator=f"audit-{run}",
        videos=tuple(f"audit-{run}-{number}" for number in range(len(coins))),
        coins=coins,
        posted_at_utc=posted_at,
        season=season_at(now),
        policy=policy,
        bounds={counter.name: float(counter.bound_seconds or counter.bound) for counter in policy.counters},
    )
    assert canaries.starts * KNOWN <= LOUD, "a canary uses every id that the known viewers use"
    if doors.get(f"/api/v1/creators/{canaries.creator}/videos", creator=canaries.creator).status == 200:
        raise AuditFailed(f"canaries of seed {seed} have been planted here. Name another seed.")
    send_all(doors, [declare_creator(canaries.creator, at_utc=now)])
    send_all(
        doors,
        (
            declare_video(
                video, creator=canaries.creator, at_utc=now, posted_at_utc=posted_at, duration_seconds=duration_seconds
            )
            for video in canaries.videos
        ),
    )
    send_all(doors, _all_acts(canaries, at_utc=now))
    if doors.now_utc() >= posted_at:
        raise AuditFailed(
            f"sending took longer than the {LEAD_SECONDS} s before the videos went up. Plant fewer canaries."
        )
    return canaries


def be_loud_again(doors: Doors, canaries: Canaries, *, time: int) -> None:
    """Let every canary whose coin is heads do everything up to its bounds once more. time: 0, 1, 2, ...

    In the next season it keeps still: there it would be another unit, which may add as much again.
    """
    starts, now = canaries.starts, doors.now_utc()
    if season_at(now) != canaries.season:
        return
    plays = range(LOUD + time * starts, LOUD + (time + 1) * starts)
    acts = range(LOUD + time, LOUD + time + 1)
    send_all(
        doors,
        (
            message
            for video, heads in zip(canaries.videos, canaries.coins.tolist(), strict=True)
            if heads
            for message in _acts(canaries, video, viewer=_canary(video), at_utc=now, plays=plays, acts=acts)
        ),
    )


def _canary(video: str) -> str:
    return f"{video}-canary"


def _all_acts(canaries: Canaries, *, at_utc: int) -> Iterator[Message]:
    for video, heads in zip(canaries.videos, canaries.coins.tolist(), strict=True):
        if heads:
            loud = range(LOUD)
            yield from _acts(canaries, video, viewer=_canary(video), at_utc=at_utc, plays=loud, acts=loud)
            yield from _acts(canaries, video, viewer=_canary(video), at_utc=at_utc, plays=loud, acts=range(0))
        else:  # a follow as such is disclosed, so it happens either way; which video led to it is the secret
            yield follow(canaries.creator, viewer=_canary(video), at_utc=at_utc, message=f"{video}/tails")
        starts = canaries.starts
        for number in range(KNOWN):
            yield from _acts(
                canaries, video, viewer=f"{video}-known-{number}", at_utc=at_utc,
                plays=range(number * starts, (number + 1) * starts), acts=range(number, number + 1),
            )  # fmt: skip


def _acts(canaries: Canaries, video: str, *, viewer: str, at_utc: int, plays: range, acts: range) -> Iterator[Message]:
    """What one viewer does. plays, acts: the numbers of the messages, which make their ids."""
    for number in plays:
        yield view(
            video, viewer=viewer, at_utc=at_utc, message=f"{video}/play/{number}", completed=True, follower=False,
            watch_seconds=canaries.bounds["total_time_watched"], age=TRAITS["age"], gender=TRAITS["gender"],
            country=TRAITS["country"],
        )  # fmt: skip
    for number in acts:
        for kind in (Kind.SHARE, Kind.SAVE):
            yield act(kind, video, viewer=viewer, at_utc=at_utc, message=f"{video}/{kind.name}/{number}")
        yield follow(canaries.creator, viewer=viewer, at_utc=at_utc, message=f"{video}/follow/{number}", video=video)
