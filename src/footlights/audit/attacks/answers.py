"""Answers. Attacks on what surrounds a figure: status, headers, keys, order, time, first appearance. No number is read.

Each game has two videos, declared alike; the target watches one of them, and a third is there to compare with. What
differs from the third is the one that was watched. Noise tells nothing here, so nothing beyond chance is allowed.
"""

from __future__ import annotations

import re
from typing import Any

from footlights.audit.attacks.game import Attack, Game, Play
from footlights.audit.attacks.residuals import BEFORE_AUDIENCE_SECONDS
from footlights.audit.doors import Answer
from footlights.terms.ticks import MINUTE

#: Reads of each video for its time.
_TIMED_READS = 15
#: Headers that differ from one answer to the next by themselves.
_OWN_HEADERS = frozenset({"date", "content-length", "server"})


def surroundings(game: Game) -> Play:
    """Status, headers and keys of every route of a video, also to somebody else, and to nobody."""
    one, other, third = yield from _one_of_two(game)
    told = [[_surroundings(answer, video) for answer in _answers(game, video)] for video in (one, other, third)]
    return _odd_one(*told)


def first_appearance(game: Game) -> Play:
    """Does anything appear with the first view: a point, a state, a moment?"""
    one, other, third = yield from _one_of_two(game)
    told = [[_appearance(answer.json()) for answer in _answers(game, video) if _is_json(answer)]
            for video in (one, other, third)]  # fmt: skip
    return _odd_one(*told)


def order(game: Game) -> Play:
    """In which order is a channel's list of videos?"""
    channel = game.channel()
    one, other, _ = yield from _one_of_two(game, channel)
    listed = [video["id"] for video in game.read(f"/api/v1/creators/{channel}/videos", creator=channel)["videos"]]
    return listed.index(one) < listed.index(other)


def response_time(game: Game) -> Play:
    """Which of two videos takes longer to answer for, at the first read and at the best of many?"""
    one, other, _ = yield from _one_of_two(game, warm=True)
    first = [_seconds(game, video) for video in (one, other)]
    if max(first) > 3 * min(first):
        return first[0] > first[1]
    best = [first[0], first[1]]
    for _ in range(_TIMED_READS):
        best = [min(least, _seconds(game, video)) for least, video in zip(best, (one, other), strict=True)]
    return best[0] > best[1]


def _one_of_two(game: Game, creator: str = "", *, warm: bool = False) -> Any:
    one, other, third = (
        game.video(what, creator=creator, age_seconds=BEFORE_AUDIENCE_SECONDS) for what in ("a", "b", "c")
    )
    yield 3 * MINUTE
    if warm:
        for video in (one, other):
            _seconds(game, video)
    game.either(
        [game.view(one, after_seconds=3 * MINUTE + 1)],
        [game.view(other, after_seconds=3 * MINUTE + 1)],
    )
    yield 3 * MINUTE
    return one, other, third


def _answers(game: Game, video: str) -> list[Answer]:
    paths = (
        "", "/retention", "/sources", "/audience", "/timeseries?granularity=minute",
        "/timeseries?metric=reach&kind=change", "/viewers",
    )  # fmt: skip
    stranger = game.creator + "-stranger"
    return [
        *(game.get(f"/api/v1/videos/{video}{path}") for path in paths),
        game.get(f"/studio/videos/{video}"),
        *(_as_stranger(game, video, path, stranger) for path in paths[:2]),
    ]


def _as_stranger(game: Game, video: str, path: str, stranger: str) -> Answer:
    return game.get(f"/api/v1/videos/{video}{path}", creator=stranger)


def _surroundings(answer: Answer, video: str) -> Any:
    headers = {name: value for name, value in answer.headers.items() if name not in _OWN_HEADERS}
    text = answer.body.decode("utf-8", "replace").replace(video, "")
    if _is_json(answer):
        return answer.status, headers, _shape(answer.json())
    return answer.status, headers, "" if answer.status == 200 else re.sub(r"\d+", "", text)


def _is_json(answer: Answer) -> bool:
    return answer.status == 200 and answer.headers.get("content-type", "").startswith("application/json")


def _shape(found: Any) -> Any:
    """The keys of an answer and how long its lists are, without what stands there."""
    if isinstance(found, dict):
        return {name: _shape(value) for name, value in found.items()}
    return [_shape(value) for value in found] if isinstance(found, list) else None


def _appearance(found: Any) -> Any:
    """Which figures are published, for which moments: without their numbers, which noise decides."""
    if isinstance(found, dict) and "state" in found:
        return found["state"] == "pending", found["as_of"], found["tick"]
    if isinstance(found, dict):
        return {name: _appearance(value) for name, value in found.items() if name not in ("id", "title")}
    return [_appearance(value) for value in found] if isinstance(found, list) else found


def _odd_one(one: Any, other: Any, third: Any) -> bool:
    """Heads if the first differs from the third and the second does not; tails where both or none do."""
    return bool(one != third and other == third)


def _seconds(game: Game, video: str) -> float:
    return game.get(f"/api/v1/videos/{video}").seconds


ATTACKS = (
    Attack(
        name="surroundings",
        about="Status, headers, ETag and keys of every route: does a video that was watched look different?",
        play=surroundings,
    ),
    Attack(
        name="first appearance",
        about="A state, a point or a moment that appears with the first view.",
        play=first_appearance,
    ),
    Attack(name="order", about="The order of a channel's list of videos.", play=order),
    Attack(
        name="response time",
        about="How long an answer takes: at the first read after an event, and at the best of many.",
        play=response_time,
    ),
)  # fmt: skip
