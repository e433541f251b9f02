"""JWKS. In: an address that the operator set, and a key's name. Out: that public key, as the platform publishes it.

Nothing that a visitor sends decides where we ask: the address is https, or this machine, and leads nowhere else.
At most one request is under way, and one a minute at most, however many unknown keys somebody names.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from footlights.terms.errors import BadSetting

log = structlog.get_logger()

PublicKey = RSAKey | ECKey | OKPKey
KEPT_SECONDS = 10 * 60
PAUSE_SECONDS = 60
_TIMEOUT_SECONDS = 5.0
_BYTES_MAX = 65_536
_KEYS_MAX = 32
_RSA_BITS_MIN = 2048


class Jwks:
    """A platform's public keys. url: "" for none. Raises BadSetting for an address that could lead anywhere."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        if url and not _allowed(url):
            raise BadSetting("signin_jwks_url must be an https address without a user name, or http to this machine.")
        self._url = url
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[str, PublicKey] = {}
        self._asked_at = self._read_at = -float("inf")

    def key(self, kid: str) -> PublicKey | None:
        """The key of that name; None if the platform publishes none, or could not be asked."""
        with self._lock:
            now = self._clock()
            if kid in self._keys and now - self._read_at < KEPT_SECONDS:
                return self._keys[kid]
            if self._url and now - self._asked_at >= PAUSE_SECONDS:
                self._asked_at = now
                self._read(now)
            # Keys outlive their time when the platform cannot be reached: it is up to an hour, and then they end.
            return self._keys.get(kid) if now - self._read_at < 6 * KEPT_SECONDS else None

    def _read(self, now: float) -> None:
        try:
            with _OPENER.open(self._url, timeout=_TIMEOUT_SECONDS) as answer:
                text = answer.read(_BYTES_MAX + 1)
            if len(text) > _BYTES_MAX:
                raise ValueError("too large")
            self._keys = keys_of(json.loads(text))
            self._read_at = now
        except (OSError, http.client.HTTPException, ValueError) as problem:
            log.warning("jwks.unreadable", error=type(problem).__name__)


def keys_of(document: Any) -> dict[str, PublicKey]:
    """The signature keys of a JWKS document, by their names. Others are passed over. Raises ValueError for no JWKS."""
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("no JWKS")
    found: dict[str, PublicKey] = {}
    for one in document["keys"][:_KEYS_MAX]:
        key = _key(one)
        if key is not None:
            found[one["kid"]] = key
    return found


def _key(one: Any) -> PublicKey | None:
    if not isinstance(one, dict) or not isinstance(one.get("kid"), str) or one.get("use", "sig") != "sig":
        return None
    try:
        key = JWKRegistry.import_key(one)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, RSAKey):
        return key if key.public_key.key_size >= _RSA_BITS_MIN else None
    # A shared key has no place in a public document: whoever reads it could sign.
    return key if isinstance(key, ECKey | OKPKey) else None


def _allowed(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.password is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in ("localhost", "127.0.0.1", "::1"))


class _Nowhere(urllib.request.HTTPRedirectHandler):
    """A redirect could lead into the operator's own network."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none: urllib then raises HTTPError."""


_OPENER = urllib.request.build_opener(_Nowhere)
