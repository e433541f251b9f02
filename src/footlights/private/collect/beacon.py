"""Beacon. In: a request for footlights.js. Out: the script, packed as the browser likes it. Reads nothing of the asker.

The script is built from assets/footlights.js by hatch_build.py; the wheel carries it. Its name never changes, so a
browser keeps it for an hour and then asks with its ETag whether there is a newer one.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"
NAME = "footlights.js"
#: Best first: what a build leaves beside the script.
_PACKED = {"br": ".br", "gzip": ".gz"}
_HEADERS = {
    # A page may use a new script an hour late; while one asks for it, the old one does for a day.
    "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400",
    # A page that isolates itself (COEP) may load it too.
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}


class Beacon:
    """The script, in memory. Where it was not built, events are taken all the same and the script is not found."""

    def __init__(self, folder: Path = FOLDER) -> None:
        plain = folder / NAME
        self._plain = plain.read_bytes() if plain.exists() else b""
        beside = {encoding: folder / f"{NAME}{suffix}" for encoding, suffix in _PACKED.items()}
        self._packed = {encoding: path.read_bytes() for encoding, path in beside.items() if path.exists()}
        # Weak: it is of the script, however it is packed.
        self._etag = f'W/"{hashlib.sha256(self._plain).hexdigest()[:16]}"'

    async def respond(self, request: Request) -> Response:
        """Answer GET /footlights.js. Raises HTTPException 404 where the package was not built."""
        if not self._plain:
            raise HTTPException(404, f"{NAME} is not built: `python hatch_build.py` in a checkout builds it.")
        headers = {**_HEADERS, "ETag": self._etag}
        if self._etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        accepted = {part.split(";")[0].strip() for part in request.headers.get("accept-encoding", "").split(",")}
        body = self._plain
        for encoding, packed in self._packed.items():
            if encoding in accepted:
                body, headers["Content-Encoding"] = packed, encoding
                break
        return Response(body, media_type="text/javascript", headers=headers)
