"""Static. In: what the build made of web/assets. Out: its files, packed ahead of time, with names that never change.

A file's name holds a hash of its content, so a browser may keep it for ever. All of them fit in memory, and a request
names a key of a dictionary, not a path: there is nothing to walk out of.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from footlights.public.web.problems import NOT_FOUND, Refusal
from footlights.terms.errors import FootlightsError

FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
#: Best first: what a build leaves beside each file.
_PACKED = {"br": ".br", "gzip": ".gz"}


class AssetsMissing(FootlightsError):
    """The package was installed without its front end."""


class _Asset(msgspec.Struct, frozen=True):
    plain: bytes
    packed: dict[str, bytes]
    media_type: str


class Assets:
    """The front end's files. Raises AssetsMissing where the package was not built."""

    def __init__(self, folder: Path = FOLDER) -> None:
        try:
            self.names: dict[str, str] = json.loads((folder / "manifest.json").read_text("utf-8"))
        except (OSError, ValueError):
            raise AssetsMissing(
                "the front-end assets are not built. `pip install .` builds them, and so does "
                "`python hatch_build.py` in a checkout."
            ) from None
        self._files = {
            path.name: _Asset(path.read_bytes(), _packed(path), _TYPES[path.suffix])
            for path in folder.iterdir()
            if path.suffix in _TYPES
        }

    def url(self, name: str) -> str:
        """Where a source of web/assets is served, such as app.css. An unknown name is a programming error."""
        return f"/static/{self.names[name]}"

    def respond(self, request: Request) -> Response:
        """Answer /static/NAME. Raises Refusal NOT_FOUND."""
        asset = self._files.get(request.path_params["name"])
        if asset is None:
            raise Refusal(NOT_FOUND)
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
        accepted = {part.split(";")[0].strip() for part in request.headers.get("accept-encoding", "").split(",")}
        for encoding, body in asset.packed.items():
            if encoding in accepted:
                return Response(body, media_type=asset.media_type, headers={**headers, "Content-Encoding": encoding})
        return Response(asset.plain, media_type=asset.media_type, headers=headers)


def _packed(path: Path) -> dict[str, bytes]:
    beside = {encoding: path.with_name(path.name + suffix) for encoding, suffix in _PACKED.items()}
    return {encoding: packed.read_bytes() for encoding, packed in beside.items() if packed.exists()}
