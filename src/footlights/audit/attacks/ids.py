"""Ids. Attacks with an id that the attacker foresees: a disclosed act under the id of a private one. See game.Play.

Events are counted once by their message id. Where a view's id also swallows a like, an exact count tells of the view.
"""

from __future__ import annotations

from footlights.audit.attacks.counts import KNOWN
from footlights.audit.attacks.game import Attack, Game, Play
from footlights.audit.messages import act
from footlights.terms.events import Kind
from footlights.terms.ticks import MINUTE


def id_of_another(game: Game) -> Play:
    """Somebody else likes the video under the message id of the target's view."""
    return (yield from _like(game, liked_by="fake"))


def id_of_ones_own(game: Game) -> Play:
    """The target's like, or one forged in their name, has the message id of their view."""
    return (yield from _like(game, liked_by="target"))


def sent_again(game: Game) -> Play:
    """The target's view is sent once more: does the collector's answer tell that it came before?"""
    video = game.video()
    foreseen, unheard = game.fresh(), game.fresh()
    game.on_heads(game.view(video, message=foreseen))
    yield 2 * MINUTE
    again, anew = (game.send(game.view(video, message=message)) for message in (foreseen, unheard))
    return (again.status, again.body) != (anew.status, anew.body)


def _like(game: Game, *, liked_by: str) -> Play:
    video = game.video()
    game.tell(*(_liked(game, video, f"known{number}", game.fresh()) for number in range(KNOWN)))
    foreseen = game.fresh()
    game.on_heads(game.view(video, message=foreseen))
    game.tell(_liked(game, video, liked_by, foreseen))
    yield 2 * MINUTE
    return bool(game.read(f"/api/v1/videos/{video}")["figures"]["like_count"]["value"] <= KNOWN)


def _liked(game: Game, video: str, viewer: str, message: str) -> dict[str, object]:
    return act(Kind.LIKE, video, viewer=game.id(viewer), at_utc=game.began_utc + 3, message=message)


ATTACKS = (
    Attack(
        name="id of another",
        about="A like by somebody else under the message id of the target's view: is it counted?",
        play=id_of_another,
    ),
    Attack(
        name="id of one's own",
        about="A like in the target's name under the message id of their view: is it counted?",
        play=id_of_ones_own,
    ),
    Attack(
        name="sent again",
        about="The target's view is sent once more: does the collector's answer tell that it came before?",
        play=sent_again,
    ),
)  # fmt: skip
