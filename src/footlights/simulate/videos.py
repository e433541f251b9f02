"""Videos. In: a seed, creators and a stretch of time. Out: the platform's catalogue as columns, one row a video."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from footlights.simulate import calibration as fit
from footlights.simulate.audience import UTC_OFFSET_ELSE, UTC_OFFSETS
from footlights.simulate.catalogue import PERSONAS, Persona
from footlights.simulate.draws import Draws, Floats, Integers
from footlights.simulate.hours import intensity, share_grown
from footlights.terms.events import CreatorDeclared, VideoPublished
from footlights.terms.ticks import DAY, HOUR, MINUTE

#: Videos in the history: the star posts most, the others a little less each.
STAR_VIDEOS, FEWER_VIDEOS, LEAST_VIDEOS = 30, 2, 20
#: The star's newest video, so that a demo opens while something is taking off.
STAR_NEWEST_SECONDS = 25 * MINUTE
#: While the demo runs, a new video appears now and then.
FIRST_POST_SECONDS, POST_GAP_SECONDS, LIVE_POSTS = 3 * MINUTE, 30 * MINUTE, 48
#: A rate is never above these shares of views, however far out in its distribution.
RATE_MOST = {"like": 0.25, "comment": 0.02, "share": 0.05, "save": 0.08}


@dataclass(frozen=True)
class Videos:
    """One row a video, oldest first for each creator; rows with posted_utc after `now` are still to come.

    popularity: views over its whole life. scale_seconds: how slowly they come. hold: how well it holds viewers, 1 in
    the middle. like, comment, share, save: acts for each view.
    """

    ids: tuple[str, ...]
    titles: tuple[str, ...]
    hashtags: tuple[tuple[str, ...], ...]
    sounds: tuple[str, ...]
    creator: Integers
    posted_utc: Integers
    duration_seconds: Floats
    popularity: Floats
    scale_seconds: Floats
    hold: Floats
    like: Floats
    comment: Floats
    share: Floats
    save: Floats

    def __len__(self) -> int:
        return len(self.ids)

    def declared(self, row: int, *, creator: str) -> VideoPublished:
        """The platform's word on one video."""
        posted = int(self.posted_utc[row])
        return VideoPublished(
            id=self.ids[row],
            creator=creator,
            at_ms=posted * 1000,
            posted_at_utc=posted,
            title=self.titles[row],
            duration_ms=int(self.duration_seconds[row] * 1000),
            hashtags=self.hashtags[row],
            sound=self.sounds[row],
        )


def personas(creators: int) -> list[Persona]:
    """The platform's creators. More than the catalogue has: numbered siblings of those it has."""
    return [
        persona if number < len(PERSONAS) else _sibling(persona, 1 + number // len(PERSONAS))
        for number in range(creators)
        for persona in (PERSONAS[number % len(PERSONAS)],)
    ]


def _sibling(persona: Persona, number: int) -> Persona:
    return Persona(
        handle=f"{persona.handle}.{number}", name=f"{persona.name} {number}", home=persona.home, taste=persona.taste,
        hashtags=persona.hashtags, sounds=persona.sounds, frames=persona.frames, subjects=persona.subjects,
    )  # fmt: skip


def declared_creator(persona: Persona, *, star: bool, at_utc: int) -> CreatorDeclared:
    """The platform's word on one creator."""
    return CreatorDeclared(
        id=f"creator-{persona.handle}",
        at_ms=at_utc * 1000,
        name=persona.name,
        handle=persona.handle,
        tier="pro" if star else "basic",
    )


def make_videos(seed: bytes, cast: list[Persona], *, now_utc: int, days: int, views: int) -> Videos:
    """The catalogue: `days` of history that has seen about `views` views by now, and the posts of the next day."""
    creator = np.concatenate([np.full(_history_videos(number), number) for number in range(len(cast))])
    posted = np.concatenate([_posts(seed, cast, number, now_utc=now_utc, days=days) for number in range(len(cast))])
    to_come = np.arange(1, LIVE_POSTS + 1) % len(cast)
    creator = np.concatenate((creator, to_come))
    posted = np.concatenate((posted, now_utc + FIRST_POST_SECONDS + POST_GAP_SECONDS * np.arange(LIVE_POSTS)))
    draws = Draws(seed, "videos")
    count = len(creator)
    scale = fit.GROWTH_DAYS * DAY * np.exp(fit.GROWTH_LN_SD * draws.spread_normal(count))
    luck = _luck(draws, creator, len(cast))
    levels = np.sort(fit.CREATOR_LN_SD * draws.spread_normal(len(cast)))[::-1]
    relative = np.exp(levels[creator] + fit.VIDEO_LN_SD * luck)
    seen = (relative * share_grown((now_utc - posted).astype(np.float64), scale)).sum()
    texts = [_text(seed, cast[owner], owner, row) for owner, row in _rows_of_creators(creator)]
    return Videos(
        ids=tuple(_video_id(seed, cast[owner], row) for owner, row in _rows_of_creators(creator)),
        titles=tuple(title for title, _, _ in texts),
        hashtags=tuple(tags for _, tags, _ in texts),
        sounds=tuple(sound for _, _, sound in texts),
        creator=creator,
        posted_utc=posted.astype(np.int64),
        duration_seconds=np.clip(
            np.round(np.exp(fit.DURATION_LN_MEAN + fit.DURATION_LN_SD * draws.spread_normal(count))),
            *fit.DURATION_SECONDS,
        ),
        popularity=relative * views / seen,
        scale_seconds=scale,
        hold=np.exp(fit.HOLD_LN_SD * draws.normal(count)),
        **_rates(draws, luck),
    )


def _history_videos(number: int) -> int:
    return max(LEAST_VIDEOS, STAR_VIDEOS - FEWER_VIDEOS * number)


def _posts(seed: bytes, cast: list[Persona], number: int, *, now_utc: int, days: int) -> Integers:
    """When a creator posted: on days spread over the history, at the hours at which people post."""
    draws = Draws(seed, "posts", number)
    count = _history_videos(number)
    day = np.floor((np.arange(count) + draws.uniform(count)) * (days - 1) / count)
    local = draws.pick(intensity(np.arange(24.0), fit.POST_HARMONICS), count)
    offset = UTC_OFFSETS.get(cast[number].home, UTC_OFFSET_ELSE)
    first_midnight = now_utc // DAY * DAY - days * DAY
    posted = first_midnight + (day + 1) * DAY + (local - offset + draws.uniform(count)) * HOUR
    posted = np.sort(np.where(posted > now_utc - HOUR, posted - DAY, posted))
    if number == 0:
        posted[-1] = now_utc - STAR_NEWEST_SECONDS
    return posted.astype(np.int64)


def _luck(draws: Draws, creator: Integers, creators: int) -> Floats:
    """How far each video is above its creator's level, in standard deviations: spread over each creator's videos."""
    luck = np.empty(len(creator))
    for number in range(creators):
        rows = np.flatnonzero(creator == number)
        luck[rows] = draws.spread_normal(len(rows))
    return luck


def _rates(draws: Draws, luck: Floats) -> dict[str, Floats]:
    """Acts for each view, by act: lognormal, correlated with luck and with likes as was measured."""
    alone = draws.normal(len(luck))
    with_views = fit.WITH_VIEWS["like"]
    own_of_like = np.sqrt(1 - with_views**2)
    rates = {"like": _rate("like", fit.LIKE_LN, with_views * luck + own_of_like * alone)}
    for act, ln in (("comment", fit.COMMENT_LN), ("share", fit.SHARE_LN), ("save", fit.SAVE_LN)):
        of_views = fit.WITH_VIEWS[act]
        of_likes = (fit.WITH_LIKES[act] - of_views * with_views) / own_of_like
        own = np.sqrt(1 - of_views**2 - of_likes**2) * draws.normal(len(luck))
        rates[act] = _rate(act, ln, of_views * luck + of_likes * alone + own)
    return rates


def _rate(act: str, ln: tuple[float, float], deviation: Floats) -> Floats:
    return np.asarray(np.minimum(np.exp(ln[0] + ln[1] * deviation), RATE_MOST[act]))


def _rows_of_creators(creator: Integers) -> list[tuple[int, int]]:
    """(creator, how many of theirs came before) for each row."""
    seen: dict[int, int] = {}
    rows = []
    for owner in creator.tolist():
        rows.append((owner, seen.get(owner, 0)))
        seen[owner] = seen.get(owner, 0) + 1
    return rows


def _video_id(seed: bytes, persona: Persona, row: int) -> str:
    return "v" + hashlib.blake2b(f"{persona.handle}/{row}".encode(), key=seed[:64], digest_size=6).hexdigest()


def _text(seed: bytes, persona: Persona, number: int, row: int) -> tuple[str, tuple[str, ...], str]:
    """Title, hashtags and sound of a creator's video; titles repeat only once all have been used."""
    order = Draws(seed, "titles", number).order(len(persona.frames) * len(persona.subjects))
    frame, subject = divmod(int(order[row % len(order)]), len(persona.subjects))
    title = persona.frames[frame].format(persona.subjects[subject])
    draws = Draws(seed, "text", number, row)
    tags = draws.order(len(persona.hashtags))[: 2 + int(3 * draws.uniform(1)[0])]
    sound = persona.sounds[int(draws.pick(np.ones(len(persona.sounds)), 1)[0])]
    return title[0].upper() + title[1:], tuple(persona.hashtags[tag] for tag in tags), sound
