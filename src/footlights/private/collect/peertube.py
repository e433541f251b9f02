"""PeerTube. In: a body of POST /api/v1/videos/VIDEO/views, as PeerTube's player sends it. Out: one event, or a reason.

The player posts {currentTime, sessionId, viewEvent} when it starts, every few seconds while the position moves, and at
the end. Its browser and system, which it may send too, are never decoded. A post has no time of its own and no id: its
moment is when it arrives, and what is sent again moves no position, so it adds nothing.
Contract: PeerTube's server/core/middlewares/validators/videos/video-view.ts, version 7.
"""

from __future__ import annotations

import msgspec

from footlights.private.collect.checks import SPAN_MS_MAX, Asked
from footlights.private.collect.decoder import BadJson, Decoder
from footlights.private.collect.intake import Item
from footlights.terms.errors import BadRequest
from footlights.terms.events import Drop, Kind, ViewerEvent

_SEEK = "seek"


class _View(msgspec.Struct, gc=False):
    currentTime: float | str | None = None
    sessionId: str | int | None = None
    viewEvent: str | None = None


class _Object(msgspec.Struct):
    pass


_view = Decoder(_View)
_object = Decoder(_Object)


def read_view(body: bytes, asked: Asked, *, video: str, viewer: str) -> Item:
    """What one post says. video: of the path. viewer: "" if nobody named one.

    Raises BadRequest if the body is no JSON object. A field that PeerTube's own server refuses is a bad_field.
    """
    if len(body) > asked.limits.event_bytes:
        return Drop.TOO_LARGE
    try:
        _object.decode(body)
    except BadJson:
        raise BadRequest("bad_json", 'The body must be a JSON object: {"currentTime": SECONDS, ...}.') from None
    try:
        view = _view.decode(body)
    except BadJson:
        return Drop.BAD_FIELD
    position_ms = _position_ms(view.currentTime)
    if position_ms is None or view.viewEvent not in (None, _SEEK):
        return Drop.BAD_FIELD
    # From its very beginning a video is started, or after its end played again; a seek to there is neither.
    starts = position_ms == 0 and view.viewEvent is None
    return ViewerEvent(
        kind=Kind.PLAY if starts else Kind.PROGRESS,
        viewer=viewer,
        subject=video,
        at_ms=asked.received_ms,
        message="",
        # Players before version 5 name no session: then all that a viewer does with a video in a season is one.
        session=str(view.sessionId or "peertube"),
        position_ms=position_ms,
    )


def _position_ms(seconds: float | str | None) -> int | None:
    """Seconds as whole milliseconds; None where they are no number from 0. PeerTube takes a number as text, too."""
    if isinstance(seconds, str):
        if not (seconds.isascii() and seconds.isdecimal() and len(seconds) <= 10):
            return None
        seconds = int(seconds)
    if seconds is None or not 0 <= seconds <= SPAN_MS_MAX / 1000:
        return None
    return int(seconds * 1000 + 0.5)
