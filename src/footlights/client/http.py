"""Server. In: an address, a token and what is asked. Out: the API's answer, read into the struct it was made from.

The token goes to that address alone: no redirection is followed, and it is in no error and no repr.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from footlights.client.source import Asked, endpoint_of, error_of, texts
from footlights.public.web.problems import Problem
from footlights.terms.errors import AskFailed, NotAllowed

ANSWER_BYTES_MAX = 67_108_864
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class Server:
    """A public side somewhere else."""

    def __init__(self, url: str, token: str, *, timeout_seconds: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise AskFailed("An address is such as https://studio.example.")
        if parts.scheme == "http" and parts.hostname not in _THIS_MACHINE:
            raise NotAllowed("A token is sent over https, or to this machine: over http anybody on the way reads it.")
        if not (token.isascii() and token.isprintable() and token):
            raise NotAllowed("A token is one line of text. `footlights creator token ID` makes one.")
        self._host, self._port, self._secure = parts.hostname, parts.port, parts.scheme == "https"
        self._root = parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._timeout_seconds = timeout_seconds

    def ask(self, path: str, ids: Mapping[str, str], query: Asked) -> Any:
        """The endpoint's answer. Raises NotFound, NotAllowed or AskFailed."""
        where = path.format_map({name: quote(subject, safe="") for name, subject in ids.items()})
        words = urlencode(texts(query))
        status, body = self._get(f"{self._root}{where}" + (f"?{words}" if words else ""))
        try:
            if status == 200:
                return msgspec.json.decode(body, type=endpoint_of(path).answer)
            raise error_of(msgspec.json.decode(body, type=Problem))
        except msgspec.MsgspecError:
            raise AskFailed(
                f"{self._host} answered {status}, and not as this version's API does. Look at the address, and at "
                "the version of Footlights there."
            ) from None

    def close(self) -> None:
        """Nothing is kept open between two asks."""

    def _get(self, target: str) -> tuple[int, bytes]:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=self._timeout_seconds)
        try:
            connection.request("GET", target, headers=self._headers)
            answer = connection.getresponse()
            body = answer.read(ANSWER_BYTES_MAX + 1)
        except (OSError, http.client.HTTPException) as error:
            raise AskFailed(f"{self._host} did not answer ({type(error).__name__}). Is it running?") from None
        finally:
            connection.close()
        if len(body) > ANSWER_BYTES_MAX:
            raise AskFailed(f"{self._host} answered with more than {ANSWER_BYTES_MAX:,} bytes. Ask for less.")
        return answer.status, body
