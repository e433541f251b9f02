"""Metrics. In: how a deployment runs. Out: the same for Prometheus, in its text format (version 0.0.4).

Public facts alone: nothing here depends on who watched. It answers this machine, where a Prometheus may stand, and
nobody else unless the operator says so; an address is compared and kept nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from footlights.public.web.deployment import Deployment, deployment
from footlights.public.web.problems import NOT_FOUND, Refusal
from footlights.public.web.shared import Shared

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: What a proxy adds. A request that carries one came from elsewhere, even if the proxy is on this machine.
_PROXIED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")


class Metrics:
    """GET /metrics."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [Route("/metrics", self._answer, methods=["GET"])]

    def _answer(self, request: Request) -> Response:
        if not self._shared.settings.metrics_open and not from_this_machine(request):
            raise Refusal(NOT_FOUND)
        with self._shared.maybe_board() as board:
            found = deployment(self._shared.data, self._shared.settings, board)
        return PlainTextResponse(metrics_text(found), media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})


def from_this_machine(request: Request) -> bool:
    """Whether a request came from this machine and by no proxy."""
    if request.client is None or any(name in request.headers for name in _PROXIED):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def metrics_text(found: Deployment) -> str:
    """A deployment's public facts, a line each, with what each means."""
    return "".join(f"{line}\n" for line in _lines(found))


def _lines(found: Deployment) -> Iterator[str]:
    yield from _gauge("footlights_info", "What runs here.", {f'{{version="{found.version}"}}': 1})
    rooms = {f'{{room="{room}"}}': int(up) for room, up in found.rooms.items()}
    yield from _gauge("footlights_up", "Whether a room answers.", rooms)
    if found.published_through_utc is not None and found.behind_seconds is not None:
        through, behind = found.published_through_utc, found.behind_seconds
        yield from _gauge(
            "footlights_published_through_seconds",
            "The moment up to which all that was due is published.",
            {"": through},
        )
        yield from _gauge("footlights_gate_behind_seconds", "How long ago that moment was.", {"": behind})
    for name, count in found.declared.items():
        yield from _gauge(f"footlights_{name}", f"How many {name} the platform has declared.", {"": count})
    sizes = {f'{{folder="{folder}"}}': size for folder, size in found.disk_bytes.items()}
    yield from _gauge("footlights_disk_bytes", "Size of a folder.", sizes)


def _gauge(name: str, about: str, values: dict[str, int]) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} gauge"
    for labels, value in values.items():
        yield f"{name}{labels} {value}"
