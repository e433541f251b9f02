"""Live rooms for tests: a data folder that is told of sessions through the vault's own journal, and its live gate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from footlights.gate.live import LiveGate
from footlights.private.collect.encode import encode
from footlights.private.vault.journal import JournalWriter
from footlights.private.vault.seasons import SeasonKeys
from footlights.public.board.live import Live, LiveBoard, LiveRows
from footlights.terms.events import Declaration, Kind, LiveEnded, LiveStarted, ViewerEvent
from footlights.terms.policy import Policies, Policy, default_policy

BEGIN = 1_767_225_600  # 2026-01-01T00:00:00Z
HOST = "c1"


def started(live: str = "l1", *, at: float = 0, silent: int = 0, title: str = "") -> LiveStarted:
    at_ms = int((BEGIN + at) * 1000)
    return LiveStarted(
        id=live, creator=HOST, at_ms=at_ms, started_at_utc=at_ms // 1000, title=title, silent_seconds=silent
    )


def ended(live: str = "l1", *, at: float) -> LiveEnded:
    return LiveEnded(id=live, at_ms=int((BEGIN + at) * 1000))


def event(
    viewer: str, kind: Kind = Kind.LIVE_JOIN, *, at: float, live: str = "l1", message: str = "", choice: int = 0,
    question: str = "", country: int = 0, source: int = 0, follower: bool | None = None,
) -> ViewerEvent:  # fmt: skip
    return ViewerEvent(
        kind=kind, viewer=viewer, subject=live, at_ms=int((BEGIN + at) * 1000), choice=choice, question=question,
        message=message or f"{viewer} {kind} {at} {choice} {question}", country=country, source=source,
        follower=follower,
    )  # fmt: skip


class House:
    """A data folder with live sessions. Every gate of it is closed before the next is opened."""

    def __init__(self, data: Path, policy: Policy | None = None) -> None:
        self.private, self.board = data / "private", data / "board"
        self.policies = Policies([(0, policy or default_policy())])
        self._keys = SeasonKeys(self.private / "keys" / "seasons")

    def tell(self, *items: Declaration | ViewerEvent) -> None:
        """Write to the journal, in this order, as the collector would."""
        journal = JournalWriter(self.private / "journal", segment_bytes=1 << 24)
        events = [item for item in items if isinstance(item, ViewerEvent)]
        records, kept = encode(events, self._keys)
        assert kept.all(), "every season has its key"
        is_event = np.array([isinstance(item, ViewerEvent) for item in items])
        places = np.cumsum(is_event)[~is_event].tolist()
        declared = [item for item in items if not isinstance(item, ViewerEvent)]
        journal.append(records, declared, declared_after=places)
        journal.commit()
        journal.close()

    def gate(self) -> LiveGate:
        return LiveGate(self.private, self.board, policies=self.policies)

    def publish(self, until: float) -> int:
        """Publish what is due up to `until` seconds after BEGIN, with a gate of its own."""
        gate = self.gate()
        try:
            return gate.run(until_utc=int(BEGIN + until))
        finally:
            gate.close()

    def rows(self, live: str = "l1") -> LiveRows:
        board = LiveBoard(self.board)
        try:
            return board.rows(board.live(live))
        finally:
            board.close()

    def live(self, live: str = "l1") -> Live:
        board = LiveBoard(self.board)
        try:
            return board.live(live)
        finally:
            board.close()


def joins(viewers: Sequence[str], *, at: float, live: str = "l1") -> list[ViewerEvent]:
    return [event(viewer, at=at, live=live) for viewer in viewers]
