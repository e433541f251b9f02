"""Owncast. In: a body of POST /owncast/CREATOR, as an Owncast server's webhook sends it. Out: what it says, or a drop.

    STREAM_STARTED, STREAM_STOPPED     a live session of the creator begins, ends
    USER_JOINED, USER_PARTED, CHAT     somebody is in its chat, is no longer, writes

Owncast names no session: it is the time at which the stream connected, which newer servers tell with every webhook
(status.lastConnectTime). Of one that does not, the newest STREAM_STARTED that this process heard is meant. Names,
colours and the text of messages are never decoded.
Contract: Owncast's core/webhooks, versions 0.1 and later.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from footlights.private.collect.checks import AT_MS_MAX, Asked
from footlights.private.collect.decoder import BadJson, Decoder
from footlights.private.collect.intake import Item
from footlights.terms.errors import BadRequest
from footlights.terms.events import Drop, Kind, LiveEnded, LiveStarted, ViewerEvent

_KINDS = {"USER_JOINED": Kind.LIVE_JOIN, "USER_PARTED": Kind.LIVE_LEAVE, "CHAT": Kind.LIVE_CHAT}
#: Creators whose newest stream is remembered.
_REMEMBERED_MAX = 10_000


class _User(msgspec.Struct):
    id: str = ""
    isBot: bool = False


class _Status(msgspec.Struct):
    lastConnectTime: datetime | None = None


class _Data(msgspec.Struct):
    id: str = ""
    timestamp: datetime | None = None
    streamTitle: str = ""
    user: _User | None = None
    status: _Status | None = None


class _Webhook(msgspec.Struct):
    type: str = ""
    eventData: _Data | None = None


class _Object(msgspec.Struct):
    pass


_webhook = Decoder(_Webhook)
_object = Decoder(_Object)


class Owncast:
    """The webhooks of Owncast servers, one a creator."""

    def __init__(self) -> None:
        self._newest: dict[str, str] = {}

    def read(self, body: bytes, asked: Asked, *, creator: str) -> tuple[Item, ...]:
        """What one webhook says. creator: of the path. Raises BadRequest if the body is no JSON object.

        A webhook that is about something else, or about a bot, says nothing.
        """
        if len(body) > asked.limits.event_bytes:
            return (Drop.TOO_LARGE,)
        webhook = _decoded(body)
        if webhook is None:
            return (Drop.BAD_FIELD,)
        data = webhook.eventData or _Data()
        told = _said(data.timestamp)
        at_ms = min(_ms(told) if told is not None else asked.received_ms, asked.received_ms)
        if webhook.type in ("STREAM_STARTED", "STREAM_STOPPED"):
            data.streamTitle = data.streamTitle[: asked.limits.text_length]
            return self._stream(webhook.type, data, at_ms, creator)
        kind = _KINDS.get(webhook.type)
        return (Drop.UNKNOWN_EVENT,) if kind is None else self._of_viewer(kind, data, at_ms, creator)

    def _of_viewer(self, kind: Kind, data: _Data, at_ms: int, creator: str) -> tuple[Item, ...]:
        if data.user is not None and data.user.isBot:
            return ()
        live = self._session(data, creator)
        if not live:
            return (Drop.UNKNOWN_LIVE,)
        viewer = data.user.id if data.user is not None else ""
        return (ViewerEvent(kind=kind, viewer=viewer, subject=live, at_ms=at_ms, message=data.id),)

    def _stream(self, type_: str, data: _Data, at_ms: int, creator: str) -> tuple[Item, ...]:
        if type_ == "STREAM_STOPPED":
            live = self._session(data, creator)
            return (LiveEnded(id=live, at_ms=at_ms),) if live else (Drop.UNKNOWN_LIVE,)
        began = _connected(data) or datetime.fromtimestamp(at_ms // 1000, UTC)
        live = _name(creator, began)
        if len(self._newest) < _REMEMBERED_MAX or creator in self._newest:
            self._newest[creator] = live
        started = LiveStarted(
            id=live, creator=creator, at_ms=at_ms, started_at_utc=_ms(began) // 1000, title=data.streamTitle
        )
        return (started,)

    def _session(self, data: _Data, creator: str) -> str:
        began = _connected(data)
        return _name(creator, began) if began is not None else self._newest.get(creator, "")


def _decoded(body: bytes) -> _Webhook | None:
    """A body as a webhook; None where a field has another type. Raises BadRequest if it is no JSON object."""
    try:
        _object.decode(body)
    except BadJson:
        raise BadRequest("bad_json", 'The body must be a JSON object: {"type": ..., "eventData": {}}.') from None
    try:
        return _webhook.decode(body)
    except BadJson:
        return None


def _connected(data: _Data) -> datetime | None:
    return _said(data.status.lastConnectTime) if data.status is not None else None


def _said(moment: datetime | None) -> datetime | None:
    """A moment, if it is one: Go writes the year 1 for none."""
    return moment if moment is not None and 0 <= _ms(moment) <= AT_MS_MAX else None


def _name(creator: str, began: datetime) -> str:
    return f"{creator}-{datetime.fromtimestamp(_ms(began) // 1000, UTC):%Y%m%dT%H%M%S}"


def _ms(moment: datetime) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)
