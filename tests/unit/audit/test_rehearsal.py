from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from footlights.audit.doors import Doors, read, send_all
from footlights.audit.messages import act, declare_creator, declare_video, follow, track, view, visit_profile
from footlights.audit.rehearsal import Rehearsal
from footlights.terms.errors import AuditFailed, BadPolicy
from footlights.terms.events import Kind
from footlights.terms.policy import default_policy
from footlights.terms.ticks import DAY, HOUR, MINUTE

VIEWERS = 2000


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with Rehearsal(tmp_path_factory.mktemp("rehearsal")) as rehearsal:
        yield rehearsal


def declared(doors: Doors, video: str, *, creator: str) -> int:
    """Declare a video that goes up in a minute; returns when that is."""
    now = doors.now_utc()
    posted_at = now + MINUTE
    send_all(
        doors,
        [
            declare_creator(creator, at_utc=now),
            declare_video(video, creator=creator, at_utc=now, posted_at_utc=posted_at, duration_seconds=300),
        ],
    )
    return posted_at


def test_what_is_sent_through_the_collector_is_read_from_the_public_side(doors: Doors) -> None:
    declared(doors, "v", creator="ada")
    now = doors.now_utc()
    seen = [view("v", viewer=f"viewer {n}", at_utc=now, country="FR", watch_seconds=20) for n in range(VIEWERS)]
    shared = [act(Kind.SHARE, "v", viewer=f"viewer {n}", at_utc=now) for n in range(VIEWERS)]
    followed = [follow("ada", viewer=f"viewer {n}", at_utc=now, video="v") for n in range(VIEWERS)]
    visited = [visit_profile("ada", viewer="viewer 1", at_utc=now)]
    send_all(doors, seen + shared + followed + visited)
    doors.pass_time(MINUTE + 6 * HOUR)
    figures = read(doors, "/api/v1/videos/v", creator="ada")["figures"]
    for name in ("reach", "share_count", "new_followers"):
        assert abs(figures[name]["value"] - VIEWERS) < 3 * (figures[name]["high"] - figures[name]["low"])
    tables = {table["name"]: table for table in read(doors, "/api/v1/videos/v/audience", creator="ada")["tables"]}
    french = next(c["figure"] for c in tables["countries"]["cells"] if c["key"] == {"country": "FR"})
    assert abs(french["value"] - VIEWERS) < 3 * (french["high"] - french["low"])


def test_its_clock_passes_as_it_is_told_and_publishes_what_was_due(doors: Doors) -> None:
    posted_at = declared(doors, "w", creator="bob")
    before = doors.now_utc()
    doors.pass_time(MINUTE)
    assert doors.now_utc() == before + MINUTE == posted_at
    assert read(doors, "/api/v1/videos/w", creator="bob")["figures"]["reach"]["state"] == "pending"
    doors.pass_time(3 * MINUTE)
    assert read(doors, "/api/v1/videos/w", creator="bob")["figures"]["reach"]["tick"] == 3


def test_it_has_four_weeks_to_spend_and_cannot_pass_the_real_clock(doors: Doors) -> None:
    with pytest.raises(AuditFailed, match="cannot pass the real one"):
        doors.pass_time(63 * DAY)
    doors.pass_time(20 * DAY)


def test_an_outsider_reads_as_whom_they_are_signed_in(doors: Doors) -> None:
    declared(doors, "x", creator="eve")
    declared(doors, "y", creator="dan")
    doors.pass_time(2 * MINUTE)
    assert doors.get("/api/v1/videos/x", creator="eve").status == 200
    assert doors.get("/api/v1/videos/x", creator="dan").status == 404
    assert doors.get("/api/v1/videos/x").status == 401
    assert doors.get("/api/v1/privacy").status == 200
    with pytest.raises(AuditFailed, match="status 404"):
        read(doors, "/api/v1/videos/x", creator="dan")


def test_an_answer_says_how_long_it_took_and_what_it_was(doors: Doors) -> None:
    answer = doors.get("/api/v1/privacy")
    assert answer.seconds > 0
    assert answer.headers["content-type"] == "application/json"
    with pytest.raises(AuditFailed, match="no JSON"):
        doors.get("/").json()


def test_a_batch_that_the_collector_refuses_ends_the_audit(doors: Doors) -> None:
    long = track("Video Viewed", viewer="a", at_utc=doors.now_utc(), asset_id="v", title="x" * 600_000)
    with pytest.raises(AuditFailed, match="status 413"):
        send_all(doors, [long])


def test_it_runs_under_the_policy_that_it_is_given(tmp_path: Path) -> None:
    text = default_policy().text.replace('rho = "0.0200"', 'rho = "0.0100"')
    with Rehearsal(tmp_path, policy=text) as rehearsal:
        spends = rehearsal.get("/api/v1/privacy").json()["spends"]
        assert next(spend["rho"] for spend in spends if spend["name"] == "reach") == "1/100"


def test_a_policy_that_cannot_be_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(BadPolicy):
        Rehearsal(tmp_path, policy="version = 2")
