"""Planting. In: doors, a policy and coins. Out: canaries, each alone on a channel of its own among viewers it knows.

A canary is two units at once, (viewer, video, season) and (viewer, creator, season). If its coin is heads it does all
that a viewer can, as early and as often as it can; if tails, nothing that is private. Whatever else happens on its
channel is the same either way and known:

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
from footlights.audit.messages import act, declare_creator, declare_video, follow, track, view, visit_profile
from footlights.simulate.draws import Draws
from footlights.terms.domains import UNKNOWN
from footlights.terms.errors import AuditFailed
from footlights.terms.events import Kind
from footlights.terms.policy import Policy
from footlights.terms.seasons import Season, season_at
from footlights.terms.ticks import MINUTE

Coins = NDArray[np.bool_]

#: Viewers of each video whose acts are known. They keep figures away from 0, and are there to be displaced.
KNOWN = 10
#: Between the last message and the moment that the videos go up.
LEAD_SECONDS = 5 * MINUTE
#: What the platform says of every viewer here; ISO's code of Antarctica, where nobody else is.
TRAITS = {"age": "25-34", "gender": "other", "country": "AQ", "type": "not_follower", "interest": UNKNOWN}
#: Where every viewer here comes from.
SOURCE = "search"


class Canaries(msgspec.Struct, frozen=True, kw_only=True):
    """Canaries that were planted. creators, videos: one each. posted_at_utc: when all their videos go up.

    season: of everything they do, since the next is another unit. acted_at_utc: when they were loud, in order.
    bounds: what one viewer adds at most to each count, in the unit of its figure, by metric.
    """

    creators: tuple[str, ...]
    videos: tuple[str, ...]
    coins: Coins
    posted_at_utc: int
    season: Season
    policy: Policy
    bounds: dict[str, float]
    acted_at_utc: list[int]

    def __len__(self) -> int:
        return len(self.videos)

    @property
    def starts(self) -> int:
        """How many starts of one viewer count: the first, and replays."""
        return 1 + int(self.bounds["replays"])

    @property
    def visits(self) -> int:
        """How many visits of one viewer to a profile count."""
        return int(self.bounds["profile_views"])

    @property
    def loud(self) -> int:
        """How often a canary does each thing at first: as often as all known viewers do, whose message ids it uses."""
        return KNOWN * max(self.starts, self.visits)


def toss(seed: int, count: int) -> Coins:
    """The coins, fair and independent: a keyed hash of the seed, so they stand before anything is planted."""
    coins: Coins = Draws(str(seed).encode(), "audit", "coins").uniform(count) < 0.5
    return coins


def plant(doors: Doors, policy: Policy, *, coins: Coins, seed: int) -> Canaries:
    """Declare a channel and a video a coin and send what their viewers do. seed: names them.

    Raises AuditFailed if that takes too long, or if canaries of that name are there already.
    """
    now = doors.now_utc()
    posted_at = -(-(now + LEAD_SECONDS) // MINUTE) * MINUTE
    run = hashlib.blake2b(str(seed).encode(), digest_size=4).hexdigest()
    names = tuple(f"audit-{run}-{number}" for number in range(len(coins)))
    canaries = Canaries(
        creators=names, videos=names, coins=coins, posted_at_utc=posted_at, season=season_at(now), policy=policy,
        bounds=_bounds(policy), acted_at_utc=[now],
    )  # fmt: skip
    if doors.get(f"/api/v1/creators/{names[0]}/videos", creator=names[0]).status == 200:
        raise AuditFailed(f"canaries of seed {seed} have been planted here. Name another seed.")
    send_all(doors, (declare_creator(creator, at_utc=now) for creator in canaries.creators))
    send_all(doors, _declared_videos(canaries, at_utc=now))
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
    now = doors.now_utc()
    if season_at(now) != canaries.season:
        return
    again = _Numbers(
        plays=_nth(time, canaries.starts, after=canaries.loud), acts=_nth(time, 1, after=canaries.loud),
        visits=_nth(time, canaries.visits, after=canaries.loud),
    )  # fmt: skip
    heads = np.flatnonzero(canaries.coins).tolist()
    send_all(
        doors,
        (
            message
            for number in heads
            for message in _acts(canaries, number, viewer=_canary(canaries, number), at_utc=now, numbers=again)
        ),
    )
    canaries.acted_at_utc.append(now)


def take_down(doors: Doors, canaries: Canaries) -> None:
    """Take all videos down: nobody reads them any more, and each costs the deployment a tick a minute."""
    now = doors.now_utc()
    pairs = zip(canaries.creators, canaries.videos, strict=True)
    send_all(doors, (track("Video Removed", viewer=creator, at_utc=now, asset_id=video) for creator, video in pairs))


class _Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of messages, which make their ids. acts: of shares, saves and follows, each."""

    plays: range
    acts: range
    visits: range


def _nth(time: int, count: int, *, after: int) -> range:
    return range(after + time * count, after + (time + 1) * count)


def _bounds(policy: Policy) -> dict[str, float]:
    return {bound.name: float(bound.bound_seconds or bound.bound) for bound in (*policy.counters, *policy.channel)}


def _declared_videos(canaries: Canaries, *, at_utc: int) -> Iterator[Message]:
    watch = next(counter for counter in canaries.policy.counters if counter.bound_seconds)
    # The shortest video whose watch time is bounded by bound_seconds: the bound is then the same in every unit.
    duration_seconds = -(-watch.bound_seconds // watch.bound_durations)
    for creator, video in zip(canaries.creators, canaries.videos, strict=True):
        yield declare_video(
            video, creator=creator, at_utc=at_utc, posted_at_utc=canaries.posted_at_utc,
            duration_seconds=duration_seconds,
        )  # fmt: skip


def _canary(canaries: Canaries, number: int) -> str:
    return f"{canaries.videos[number]}-canary"


def _all_acts(canaries: Canaries, *, at_utc: int) -> Iterator[Message]:
    all_of_it = range(canaries.loud)
    loud = _Numbers(plays=all_of_it, acts=range(KNOWN), visits=all_of_it)
    twice = _Numbers(plays=all_of_it, acts=range(0), visits=all_of_it)
    for number, heads in enumerate(canaries.coins.tolist()):
        canary = _canary(canaries, number)
        if heads:
            for numbers in (loud, twice):
                yield from _acts(canaries, number, viewer=canary, at_utc=at_utc, numbers=numbers)
        else:  # a follow as such is disclosed, so it happens either way; which video led to it is the secret
            yield follow(canaries.creators[number], viewer=canary, at_utc=at_utc, message=f"{canary}/tails")
        for known in range(KNOWN):
            own = _Numbers(
                plays=_nth(known, canaries.starts, after=0), acts=_nth(known, 1, after=0),
                visits=_nth(known, canaries.visits, after=0),
            )  # fmt: skip
            viewer = f"{canaries.videos[number]}-known-{known}"
            yield from _acts(canaries, number, viewer=viewer, at_utc=at_utc, numbers=own)


def _acts(canaries: Canaries, number: int, *, viewer: str, at_utc: int, numbers: _Numbers) -> Iterator[Message]:
    """What one viewer does on the channel of one canary."""
    creator, video = canaries.creators[number], canaries.videos[number]
    for play in numbers.plays:
        yield view(
            video, viewer=viewer, at_utc=at_utc, message=f"{video}/play/{play}", completed=True, follower=False,
            watch_seconds=canaries.bounds["total_time_watched"], age=TRAITS["age"], gender=TRAITS["gender"],
            country=TRAITS["country"], source=SOURCE,
        )  # fmt: skip
    for nth in numbers.acts:
        for kind in (Kind.SHARE, Kind.SAVE):
            yield act(kind, video, viewer=viewer, at_utc=at_utc, message=f"{video}/{kind.name}/{nth}")
        yield follow(creator, viewer=viewer, at_utc=at_utc, message=f"{video}/follow/{nth}", video=video)
    for visit in numbers.visits:
        yield visit_profile(creator, viewer=viewer, at_utc=at_utc, message=f"{video}/visit/{visit}")
