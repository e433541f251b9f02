"""Scopes. In: what an app says that it is for. Out: what it may ask a creator for. There is none that names a viewer.

An app declares one purpose from a list, and a purpose says what it needs: whatever an app asks for beyond that is
excess, which is refused when the app is registered, or decided by the operator (setting `app_excess`).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from footlights.terms.errors import NotAllowed
from footlights.terms.words import N_


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Something that an app may read. title, sees: as a creator is told. pro: only of creators of the pro tier."""

    name: str
    title: str
    sees: str
    pro: bool = False


class Purpose(msgspec.Struct, frozen=True, kw_only=True):
    """What an app is for. needs: the scopes without which it could not do it."""

    name: str
    title: str
    needs: frozenset[str]


SCOPES: tuple[Scope, ...] = (
    Scope(name="user.info.basic", title=N_("Who you are"), sees=N_("your name and the id of your channel")),
    Scope(name="user.info.profile", title=N_("Your profile"), sees=N_("your handle and your tier")),
    Scope(
        name="user.info.stats", title=N_("Your channel's totals"),
        sees=N_("followers, likes, videos, and what your channel gained in a period"),
    ),
    Scope(
        name="video.list", title=N_("Your videos"),
        sees=N_("the list of your videos, each with its title and its running totals"),
    ),
    Scope(
        name="video.insights", title=N_("How each video does"),
        sees=N_("curves over time, how far people watch, where views come from"),
    ),
    Scope(
        name="audience.insights", title=N_("Your audience as a whole"), pro=True,
        sees=N_("shares by age, gender, country and hour of the week"),
    ),
    Scope(
        name="live.insights", title=N_("Your live rooms"),
        sees=N_("how full a room was, and what moved it"),
    ),
)  # fmt: skip
BY_NAME = {scope.name: scope for scope in SCOPES}
#: The least that an app asks for: whose figures it reads.
BASIC = "user.info.basic"

PURPOSES: tuple[Purpose, ...] = (
    Purpose(
        name="media-kit", title=N_("Shows a creator's reach to sponsors"),
        needs=frozenset({BASIC, "user.info.profile", "user.info.stats", "video.list"}),
    ),
    Purpose(
        name="reports", title=N_("Makes reports and dashboards for the creator"),
        needs=frozenset(BY_NAME),
    ),
    Purpose(
        name="content-planning", title=N_("Helps to decide what to post, and when"),
        needs=frozenset({BASIC, "video.list", "video.insights", "audience.insights"}),
    ),
    Purpose(name="video-list", title=N_("Shows a creator's videos elsewhere"), needs=frozenset({BASIC, "video.list"})),
    Purpose(
        name="campaigns", title=N_("Measures videos of a paid campaign"),
        needs=frozenset({BASIC, "video.list", "video.insights"}),
    ),
    Purpose(name="live-tools", title=N_("Helps while a room is live"), needs=frozenset({BASIC, "live.insights"})),
    Purpose(
        name="sign-in", title=N_("Lets a creator sign in elsewhere"), needs=frozenset({BASIC, "user.info.profile"}),
    ),
)  # fmt: skip
PURPOSE_BY_NAME = {purpose.name: purpose for purpose in PURPOSES}


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Some scopes, each once, in the order in which they are shown."""
    wanted = set(names)
    return tuple(scope.name for scope in SCOPES if scope.name in wanted)


def excess_of(purpose: str, names: Iterable[str]) -> tuple[str, ...]:
    """Those of some scopes that a purpose does not need."""
    return in_order(set(names) - PURPOSE_BY_NAME[purpose].needs)


def too_much(purpose: str, excess: Iterable[str]) -> NotAllowed:
    """What an app that asks for too much is told."""
    return NotAllowed(
        "An app of the purpose %(purpose)s does not need %(excess)s. It needs %(needs)s. Leave the others out, or "
        "declare what the app is for.",
        purpose=purpose, excess=", ".join(excess), needs=", ".join(in_order(PURPOSE_BY_NAME[purpose].needs)),
    )  # fmt: skip
