"""An event that is sent again counts once, whenever that is: for as long as its season lives it is remembered."""

from __future__ import annotations

from pathlib import Path

from footlights.private.measure.engine import Engine, hold
from footlights.terms.events import Kind
from footlights.terms.policy import Policies, default_policy
from footlights.terms.ticks import DAY
from tests.deployments import tell
from tests.worlds import POSTED_AT, Act

ACTS = [
    Act(viewer=f"v{n}", kind=Kind.VIEW, subject="v1", at=60, watch_ms=2000, message=n % 3 and n + 1) for n in range(20)
]


def test_an_event_that_is_sent_again_after_7_30_or_58_days_is_a_duplicate_and_then_too_late(tmp_path: Path) -> None:
    dropped = []
    policies = Policies([(0, default_policy())])
    for days in (0, 7, 30, 58, 59):
        tell(tmp_path, ACTS, declare=days == 0)
        engine = Engine(
            tmp_path / "private", store=hold(tmp_path / "private", memory="1GB"), policies=policies, fold_events=1000
        )
        try:
            # The gate's clock, by hand: what it lets go of by then is gone.
            engine._store.execute("UPDATE clock SET published_through = ?", [POSTED_AT + days * DAY])
            engine.forget(at_utc=POSTED_AT + days * DAY)
            engine.fold()
            counts = engine.private_counts()
        finally:
            engine.close()
        dropped.append(counts["dropped"])
        assert counts["folded"] == len(ACTS)
    assert dropped == [
        {}, {"duplicate": 20}, {"duplicate": 40}, {"duplicate": 60}, {"duplicate": 60, "too_late": 20},
    ]  # fmt: skip
