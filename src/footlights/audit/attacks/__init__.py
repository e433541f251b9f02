"""Attacks. What worked on other analytics, as games against any doors. One file for a few that are alike."""

from footlights.audit.attacks import answers, channels, counts, ids, live_room, matching, people, residuals, restores
from footlights.audit.attacks.game import Attack, Game, NotHere, Play

ATTACKS: tuple[Attack, ...] = (
    *counts.ATTACKS,
    *residuals.ATTACKS,
    *people.ATTACKS,
    *matching.ATTACKS,
    *channels.ATTACKS,
    *answers.ATTACKS,
    *ids.ATTACKS,
    *live_room.ATTACKS,
    *restores.ATTACKS,
)

__all__ = ["ATTACKS", "Attack", "Game", "NotHere", "Play"]
