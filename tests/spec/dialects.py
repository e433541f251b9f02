"""Dialects. A story told as each client tells it: the requests that the client sends, in order.

A new dialect adds a function here, and a line to DIALECTS: then it is held to every story.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from tests.spec.stories import VIDEO, Doing, Moment

#: 2026-11-23T06:10:00Z.
BEGAN_MS = 1_795_414_200_000


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """One request. at_ms: when it arrives. beat: it tells that playing goes on, and nothing else. body: as sent."""

    at_ms: int
    path: str
    body: bytes
    viewer: str
    beat: bool = False


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """module: its file in private/collect. tells_times: whether an event has a time of its own, or that of arrival.

    tells_positions: whether a beat says where in the video it is.
    """

    name: str
    module: str
    tell: Callable[[Sequence[Moment]], list[Sent]]
    tells_times: bool = True
    tells_positions: bool = True


def at_ms(moment: Moment) -> int:
    return BEGAN_MS + moment.at * 1000


def rfc3339(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


# ---- Segment and RudderStack: the Video Spec, with heartbeats

VIDEO_SPEC: dict[Doing, tuple[str, ...]] = {
    "start": ("Video Playback Started", "Video Content Started"),
    "beat": ("Video Content Playing",),
    "pause": ("Video Playback Paused",),
    "seek": ("Video Playback Seek Started", "Video Playback Seek Completed"),
    "resume": ("Video Playback Resumed",),
    "end": ("Video Content Completed", "Video Playback Completed"),
    "again": ("Video Playback Started", "Video Content Started"),
    "leave": ("Video Playback Exited",),
}


def video_spec(story: Sequence[Moment]) -> list[tuple[Moment, str, dict[str, Any]]]:
    """Each track call: its moment, name and properties. A playback has a session of its own, as the Spec says."""
    playbacks: dict[str, int] = {}
    positions: dict[str, int] = {}
    calls = []
    for moment in story:
        if moment.doing in ("start", "again"):
            playbacks[moment.viewer] = playbacks.get(moment.viewer, 0) + 1
        for name in VIDEO_SPEC[moment.doing]:
            position = positions[moment.viewer] if name == "Video Playback Seek Started" else moment.position
            session = f"{moment.viewer}'s {playbacks[moment.viewer]}"
            calls.append((moment, name, {"asset_id": VIDEO, "session_id": session, "position": position}))
        positions[moment.viewer] = moment.position
    return calls


def segment(story: Sequence[Moment]) -> list[Sent]:
    """analytics.js, unbatched: a POST a call."""
    return [
        Sent(
            at_ms=at_ms(moment), viewer=moment.viewer, path="/v1/t", beat=moment.doing == "beat",
            body=as_json({
                "type": "track", "event": name, "anonymousId": moment.viewer, "userId": None,
                "messageId": f"ajs-next-{number}", "timestamp": rfc3339(at_ms(moment)), "properties": properties,
                "sentAt": rfc3339(at_ms(moment) + 20),
            }),
        )
        for number, (moment, name, properties) in enumerate(video_spec(story))
    ]  # fmt: skip


def rudderstack(story: Sequence[Moment]) -> list[Sent]:
    """rudder-sdk-node: gzipped batches, a viewer's own as here, labelled as a form."""
    return [
        Sent(
            at_ms=at_ms(moment), viewer=moment.viewer, path="/v1/batch", beat=moment.doing == "beat",
            body=gzip.compress(as_json({
                "sentAt": rfc3339(at_ms(moment) + 20),
                "batch": [{
                    "type": "track", "event": name, "userId": moment.viewer, "messageId": f"rudder-{number}",
                    "originalTimestamp": rfc3339(at_ms(moment)), "properties": properties, "channel": "server",
                    "context": {"library": {"name": "@rudderstack/rudder-sdk-node"}},
                }],
            })),
        )
        for number, (moment, name, properties) in enumerate(video_spec(story))
    ]  # fmt: skip


#: What footlights.js tells, each thing once.
BEACON: dict[Doing, tuple[str, ...]] = VIDEO_SPEC | {
    "start": ("Video Content Started",),
    "end": ("Video Content Completed",),
    "again": ("Video Content Started",),
}


def beacon(story: Sequence[Moment]) -> list[Sent]:
    """footlights.js: a batch of what happened within a second. An element has one session, played again or not."""
    positions: dict[str, int] = {}
    sent = []
    for number, moment in enumerate(story):
        page = f"{moment.viewer}'s page"
        batch = [
            {
                "type": "track", "event": name, "userId": moment.viewer, "messageId": f"{page}-{number}-{n}",
                "timestamp": rfc3339(at_ms(moment)),
                "properties": {
                    "asset_id": VIDEO, "session_id": f"{page}-1",
                    "position": positions[moment.viewer] if name.endswith("Seek Started") else moment.position,
                },
            }
            for n, name in enumerate(BEACON[moment.doing])
        ]  # fmt: skip
        positions[moment.viewer] = moment.position
        body = as_json({"sentAt": rfc3339(at_ms(moment) + 1000), "batch": batch})
        beat = moment.doing == "beat"
        sent.append(Sent(at_ms=at_ms(moment) + 1000, viewer=moment.viewer, path="/v1/batch", body=body, beat=beat))
    return sent


def summed_up(story: Sequence[Moment]) -> list[Sent]:
    """Video Viewed: one call a playback, when it is over or was last heard of."""
    views: list[dict[str, Any]] = []
    open_views: dict[str, dict[str, Any]] = {}
    for moment in story:
        if moment.doing in ("start", "again"):
            open_views[moment.viewer] = {"watched": 0, "furthest": 0, "completed": False, "plays": True}
            views.append(open_views[moment.viewer])
        view = open_views[moment.viewer]
        if view["plays"]:
            view["watched"] += moment.at - view.get("at", moment.at)
        view |= {"at": moment.at, "viewer": moment.viewer, "furthest": max(view["furthest"], moment.position)}
        view["completed"] |= moment.doing == "end"
        view["plays"] = moment.doing in ("start", "again", "beat", "resume")
    return [
        Sent(
            at_ms=BEGAN_MS + view["at"] * 1000, viewer=view["viewer"], path="/v1/track",
            body=as_json({
                "event": "Video Viewed", "userId": view["viewer"], "messageId": f"view-{number}",
                "timestamp": rfc3339(BEGAN_MS + view["at"] * 1000),
                "properties": {
                    "asset_id": VIDEO, "watch_seconds": view["watched"], "max_position": view["furthest"],
                    "completed": view["completed"],
                },
            }),
        )
        for number, view in enumerate(views)
    ]  # fmt: skip


# ---- CMCD version 2, event mode

#: The states of a player, each with how many milliseconds after the moment it reports them.
CMCD_STATES: dict[Doing, tuple[tuple[int, str], ...]] = {
    "start": ((-300, "d"), (-200, "s"), (0, "p")),
    "beat": ((0, "p"),),
    "pause": ((0, "a"),),
    "seek": ((0, "k"), (3, "r"), (7, "a")),
    "resume": ((0, "p"),),
    "end": ((0, "e"),),
    "again": ((0, "p"),),
    "leave": ((0, "q"),),
}


def cmcd(story: Sequence[Moment]) -> list[Sent]:
    """hls.js, unbatched: a POST a report. One session a player, so a video that is played again stays in it."""
    reports = [
        (moment, at_ms(moment) + later_ms, state)
        for moment in story
        for later_ms, state in CMCD_STATES[moment.doing]
    ]  # fmt: skip
    return [
        Sent(
            at_ms=ms, viewer=moment.viewer, path=f"/cmcd?viewer={moment.viewer}", beat=moment.doing == "beat",
            body=(
                f'br=(260),cid="{VIDEO}",e={"t" if moment.doing == "beat" else "ps"},mtp=(500),sf=h,'
                f'sid="{moment.viewer}\'s player",sn={number},st=v,sta={state},ts={ms},v=2\n'
            ).encode(),
        )
        for number, (moment, ms, state) in enumerate(reports)
    ]  # fmt: skip


# ---- PeerTube


def peertube(story: Sequence[Moment]) -> list[Sent]:
    """PeerTube's player: a POST whenever its position is another than in the last. Its session outlives a playback."""
    posted: dict[str, int] = {}
    sent = []
    for moment in story:
        if posted.get(moment.viewer) == moment.position:
            continue
        posted[moment.viewer] = moment.position
        view: dict[str, Any] = {"currentTime": moment.position, "sessionId": f"{moment.viewer}-tab"}
        if moment.doing == "seek":
            view["viewEvent"] = "seek"
        path = f"/api/v1/videos/{VIDEO}/views"
        sent.append(Sent(at_ms=at_ms(moment), viewer=moment.viewer, path=path, body=as_json(view)))
    return sent


DIALECTS = (
    Dialect(name="segment", module="segment", tell=segment),
    Dialect(name="beacon", module="segment", tell=beacon),
    Dialect(name="rudderstack", module="segment", tell=rudderstack),
    Dialect(name="summed up", module="segment", tell=summed_up, tells_positions=False),
    Dialect(name="cmcd", module="cmcd", tell=cmcd, tells_positions=False),
    Dialect(name="peertube", module="peertube", tell=peertube, tells_times=False),
)
