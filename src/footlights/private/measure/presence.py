"""Presence. In: what one viewer does in one live session, in order. Out: what each act adds, bounded. Pure.

    nobody ──join──▶ here ──leave, silence──▶ away ──join──▶ here ── ... ──▶ away       so many times in, no more
             +1              -1                     +1              -1

Everything hangs on this viewer's own acts in this session and on public facts: nothing that another viewer does can
change what is returned here. One unit adds at most, over its whole life:

    concurrent_viewers        +1, -1, +1, -1 in turn, `sessions` times in
    live_viewers, new_followers_live, share_count_live       1 each
    reactions                 1 in each of `reactions` different (minute, kind)
    a cell of each table of the audience                     1
    an option of each of `answers` different questions       1
"""

from __future__ import annotations

import msgspec

from footlights.terms.events import Kind
from footlights.terms.live import CONCURRENT, FIRST_REACTION, FOLLOWERS, SHARES, VIEWERS, minute_of
from footlights.terms.policy import Policy

#: A viewer who asks to be erased: not an event of the journal's records.
ERASE = 0


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What one viewer may add to one session at most."""

    sessions: int
    reactions: int
    answers: int

    @classmethod
    def of(cls, policy: Policy) -> Bounds:
        """The bounds of a policy."""
        sessions, reactions, answers = (
            policy.live_bound(name).bound for name in ("concurrent_viewers", "reactions", "answers")
        )
        return cls(sessions=sessions, reactions=reactions, answers=answers)


class Person(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What has been counted of one viewer in one session. reacted: (minute, kind) pairs; answered: questions."""

    here: bool = False
    sessions: int = 0
    followed: bool = False
    shared: bool = False
    reacted: list[tuple[int, int]] = []
    answered: list[int] = []
    erased: bool = False

    def __repr__(self) -> str:
        return "<person, withheld>"


class Did(msgspec.Struct, frozen=True, kw_only=True):
    """One act. kind: of Kind, or ERASE. choice: which reaction, which option. question: its number, 0 for none open."""

    kind: int
    tick: int
    choice: int = 0
    question: int = 0


class Adds(msgspec.Struct, kw_only=True):
    """What an act adds. numbers: (place among NOISY, how much). first: the viewer is here for the first time.

    answer: (question, option).
    """

    numbers: list[tuple[int, int]] = []
    first: bool = False
    answer: tuple[int, int] | None = None


def act(person: Person, did: Did, bounds: Bounds) -> Adds:
    """What an act of a viewer adds; `person` moves on."""
    adds = Adds()
    if person.erased:
        return adds
    match did.kind:
        case Kind.LIVE_JOIN | Kind.LIVE_BEAT:
            adds = _join(person, bounds)
        case Kind.LIVE_LEAVE:
            adds = leave(person)
        case Kind.LIVE_REACTION:
            adds = _react(person, did, bounds)
        case Kind.LIVE_ANSWER:
            adds = _answer(person, did, bounds)
        case Kind.LIVE_SHARE:
            adds.numbers = [] if person.shared else [(SHARES, 1)]
            person.shared = True
        case Kind.LIVE_FOLLOW:
            adds.numbers = [] if person.followed else [(FOLLOWERS, 1)]
            person.followed = True
        case _ if did.kind == ERASE:
            adds = _erase(person)
    return adds


def leave(person: Person) -> Adds:
    """What it adds that a viewer is gone: they left, or gave no sign for too long."""
    was_here, person.here = person.here, False
    return Adds(numbers=[(CONCURRENT, -1)] if was_here else [])


def _erase(person: Person) -> Adds:
    """What was counted stays counted, and is forgotten; nothing of theirs counts a second time."""
    adds = leave(person)
    person.sessions, person.followed, person.shared, person.reacted, person.answered = 0, False, False, [], []
    person.erased = True
    return adds


def _join(person: Person, bounds: Bounds) -> Adds:
    if person.here or person.sessions >= bounds.sessions:
        return Adds()
    person.here = True
    person.sessions += 1
    if person.sessions > 1:
        return Adds(numbers=[(CONCURRENT, 1)])
    return Adds(numbers=[(CONCURRENT, 1), (VIEWERS, 1)], first=True)


def _react(person: Person, did: Did, bounds: Bounds) -> Adds:
    cell = minute_of(did.tick), did.choice
    if cell in person.reacted or len(person.reacted) >= bounds.reactions:
        return Adds()
    person.reacted.append(cell)
    return Adds(numbers=[(FIRST_REACTION + did.choice, 1)])


def _answer(person: Person, did: Did, bounds: Bounds) -> Adds:
    if not did.question or did.question in person.answered or len(person.answered) >= bounds.answers:
        return Adds()
    person.answered.append(did.question)
    return Adds(answer=(did.question, did.choice))
