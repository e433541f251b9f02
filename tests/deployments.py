"""Deployments for tests: a data folder that is told of events through the vault's own journal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from footlights.gate.publish import Gate
from footlights.private.vault.journal import JournalWriter
from footlights.terms.events import CreatorDeclared, Declaration, VideoPublished
from footlights.terms.policy import Policy, default_policy
from tests.worlds import CREATORS, DURATION_MS, POSTED_AT, VIDEOS, Act, records

DECLARED: tuple[CreatorDeclared | VideoPublished, ...] = (
    *(CreatorDeclared(id=name, at_ms=POSTED_AT * 1000) for name in CREATORS),
    *(
        VideoPublished(
            id=video, creator=creator, at_ms=POSTED_AT * 1000, posted_at_utc=POSTED_AT, duration_ms=DURATION_MS[video]
        )
        for video, creator in VIDEOS.items()
    ),
)


def tell(data: Path, acts: Sequence[Act], *, declare: bool = False, more: Sequence[Declaration] = ()) -> None:
    """Write acts and declarations to the journal of a data folder, as the collector would."""
    journal = JournalWriter(data / "private" / "journal", segment_bytes=1 << 20)
    journal.append(records(acts), [*(DECLARED if declare else ()), *more])
    journal.commit()
    journal.close()


def gate_of(data: Path, *, policy: Policy | None = None, at: int = 0) -> Gate:
    """The gate of a data folder, under the default policy if none is given. at: now, in seconds after the videos."""
    return Gate(
        data / "private", data / "board", policy=policy or default_policy(), memory="1GB", fold_events=1000,
        at_utc=POSTED_AT + at,
    )  # fmt: skip


def publish(data: Path, *, until: int) -> int:
    """Publish what is due up to `until` seconds after the videos were posted, with a gate of its own."""
    gate = gate_of(data)
    try:
        return gate.run(until_utc=POSTED_AT + until)
    finally:
        gate.close()
