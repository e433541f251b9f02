"""CMCD. In: Common Media Client Data, as hls.js, dash.js and Shaka send it. Out: events, or reasons to drop.

    cid="v100",e=ps,sid="6517f303-...",sn=3,sta=p,ts=1795414375392,v=2      one line of a body, a query, or headers

Of its many keys these are read, and nothing else: cid (the video), sid (the session), sn and ts (which event, when),
sta (what the player is doing), and whether ot and br tell of media. No url, referrer or speed is kept.
Players tell states and no positions, so watch time is counted by the clock: from one that says it plays to the next.
Version 1, and a version 2 that tells no state, still say that media was loaded: a start, without watch time.
Source: CTA-5004 (version 1), CTA-5004-A and -B (version 2); structured fields are RFC 9651, parsed by http-sf.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import http_sf
import msgspec

from footlights.private.collect.checks import Asked
from footlights.private.collect.decoder import BadJson, Decoder
from footlights.private.collect.intake import Item, Row
from footlights.terms.events import Drop, Kind, ViewerEvent

#: The headers in which a player that does not use the query spreads its keys.
HEADERS = ("cmcd-object", "cmcd-request", "cmcd-session", "cmcd-status")
_PLAYING, _ENDED = "p", "e"
#: Types of object that are media: video, audio, both at once.
_MEDIA = frozenset({"v", "a", "av"})

_list = Decoder(list[msgspec.Raw])
_object = Decoder(dict[str, Any])
_raw = Decoder(msgspec.Raw)


def read_lines(body: bytes, asked: Asked, *, viewer: str) -> list[Row]:
    """What a body says: structured fields or JSON objects, one a line, or one JSON list of objects.

    viewer: "" if nobody named one. Never raises. Rows are numbered from 0; an empty line is none.
    """
    return [(number, (read_report(line, asked, viewer=viewer),)) for number, line in enumerate(_reports(body))]


def read_report(report: bytes, asked: Asked, *, viewer: str) -> Item:
    """What one report says: a structured field or a JSON object. Never raises."""
    if len(report) > asked.limits.event_bytes:
        return Drop.TOO_LARGE
    keys = _keys_of_json(report) if report.startswith(b"{") else _keys_of_field(report)
    return Drop.BAD_FIELD if keys is None else _read(keys, asked, viewer)


def _reports(body: bytes) -> list[bytes]:
    body = body.strip()
    try:
        if body.startswith(b"["):
            return [bytes(report) for report in _list.decode(body)]
        if body.startswith(b"{"):
            return [bytes(_raw.decode(body))]
    except BadJson:
        pass  # not one JSON value: one a line, or nothing that can be read
    return [line for line in map(bytes.strip, body.splitlines()) if line]


def _keys_of_field(report: bytes) -> Mapping[str, Any] | None:
    try:
        fields = http_sf.parse(report, tltype="dictionary")
    except ValueError:
        return None
    assert isinstance(fields, dict), "asked for a dictionary"
    # Parameters say what a value is about, such as audio or video: not read.
    return {key: member[0] if isinstance(member, tuple) else member for key, member in fields.items()}


def _keys_of_json(report: bytes) -> Mapping[str, Any] | None:
    try:
        return _object.decode(report)
    except BadJson:
        return None


def _read(keys: Mapping[str, Any], asked: Asked, viewer: str) -> Item:
    video, session, state = _text(keys.get("cid")), _text(keys.get("sid")), _text(keys.get("sta"))
    at_ms, number = _whole(keys.get("ts", asked.received_ms)), _whole(keys.get("sn", 0))
    if video is None or session is None or state is None or at_ms is None or number is None:
        return Drop.BAD_FIELD
    if not video:
        return Drop.NO_SUBJECT
    if not session:
        return Drop.BAD_FIELD
    if not state and not _tells_of_media(keys):
        return Drop.UNKNOWN_EVENT
    kinds = {"": Kind.PLAY, _PLAYING: Kind.PLAY, _ENDED: Kind.COMPLETION}
    return ViewerEvent(
        kind=kinds.get(state, Kind.PROGRESS),
        viewer=viewer,
        subject=video,
        at_ms=at_ms,
        # Players send again what was not answered for, under the same three.
        message=f"{session} {number} {at_ms}" if "sn" in keys and "ts" in keys else "",
        session=session,
        playing=state == _PLAYING if state else None,
    )


def _tells_of_media(keys: Mapping[str, Any]) -> bool:
    """Whether media is loaded, so that a player which tells no state has started; a playlist alone is no start."""
    return _text(keys["ot"]) in _MEDIA if "ot" in keys else "br" in keys


def _text(given: Any) -> str | None:
    """A string or token as text, "" if there is none; None where it is something else."""
    if given is None:
        return ""
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    return str(given) if isinstance(given, str | http_sf.Token) else None


def _whole(given: Any) -> int | None:
    return given if isinstance(given, int) and not isinstance(given, bool) else None
