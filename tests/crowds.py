"""A crowd for tests: 3,000 viewers of one channel, and a real deployment that counted them."""

from __future__ import annotations

from pathlib import Path

from footlights.terms.domains import AGES, GENDERS, SOURCES
from footlights.terms.events import CreatorDeclared, Kind
from footlights.terms.ticks import DAY, HOUR
from tests.deployments import publish, tell
from tests.worlds import POSTED_AT, Act

VIEWERS = 3_000
#: The 8th of January, 06:00: a video has had three milestones, the channel seven days and one week.
NOW = 7 * DAY + 6 * HOUR
VIDEO_MS = 10_000


def _view(n: int) -> Act:
    """The first view of viewer n, within five days; a tenth of the viewers stay for the whole video."""
    share = 1.0 if n % 10 == 0 else (n % 100) / 100
    return Act(
        viewer=f"viewer {n}", kind=Kind.VIEW, subject="v1", at=60 + n * 5 * DAY // VIEWERS, message=1,
        age=n % len(AGES), gender=n % len(GENDERS), country=(n % 5) * 3, source=n % len(SOURCES),
        follower=n % 3 == 0, position_ms=int(share * VIDEO_MS), watch_ms=int(share * VIDEO_MS),
    )  # fmt: skip


VIEWS = [_view(n) for n in range(VIEWERS)]
#: Every second viewer comes back on the next day, to another video of the channel.
RETURNS = [
    Act(viewer=act.viewer, kind=Kind.VIEW, subject="v2", at=act.at + DAY, message=2, watch_ms=5000)
    for act in VIEWS[::2]
]
VISITS = [
    Act(viewer=act.viewer, kind=Kind.PROFILE_VIEW, subject="c1", at=act.at + time, message=time + 9)
    for act in VIEWS[::3] for time in range(5)
]  # fmt: skip


def crowded(data: Path) -> Path:
    """The data folder, told of the crowd and published up to NOW. Its gate key, and so its noise, is always the same.

    One interval in twenty misses: with another key each time, so would a test now and then.
    """
    keys = data / "private" / "keys"
    keys.mkdir(mode=0o700, parents=True)
    (keys / "gate.key").write_bytes(bytes(range(32)))
    traits = [
        Act(viewer=act.viewer, kind=Kind.TRAITS, subject="", at=1, interests=(1 + place % 20,))
        for place, act in enumerate(VIEWS)
    ]
    acts = sorted([*traits, *VIEWS, *RETURNS, *VISITS], key=lambda act: act.at)
    tell(data, acts, declare=True, more=[CreatorDeclared(id="c1", at_ms=POSTED_AT * 1000, tier="pro")])
    publish(data, until=NOW)
    return data
