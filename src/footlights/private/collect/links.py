"""Links. In: the token of an opt-out link. Out: the viewer whom the platform named in it, or why it cannot be taken.

A token is a JSON Web Token (RFC 7519) that the platform signs with HS256 and the secret of `footlights viewer secret`:

    {"sub": the viewer's id, "aud": "footlights-opt-out", "exp": seconds since 1970, within a day}

One algorithm is read and no other, so a token cannot choose how it is checked. Never shows the secret or the viewer.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from pathlib import Path

import msgspec

from footlights.private.collect.decoder import BadJson, Decoder
from footlights.private.vault import keyfiles
from footlights.terms.errors import BadRequest

KEY_FILE = "optout_links.key"
AUDIENCE = "footlights-opt-out"
#: A link is for now: one that holds for ever would be passed on, found in a mailbox, and opened by somebody else.
LIFE_SECONDS_MAX = 86_400
#: Clocks of the platform and of the collector may differ by this much.
LEEWAY_SECONDS = 60
_LENGTH_MAX = 4096


class _Header(msgspec.Struct):
    alg: str


class _Claims(msgspec.Struct):
    sub: str
    aud: str | list[str]
    exp: int | float


_header = Decoder(_Header)
_claims = Decoder(_Claims)


class OptOutLinks:
    """The opt-out links of one private folder."""

    def __init__(self, private: Path) -> None:
        self._path = private / "keys" / KEY_FILE

    def secret(self, *, anew: bool = False) -> str:
        """What the platform signs with, as text, which is the key as it stands. anew: links of the old one end."""
        return (keyfiles.replace(self._path) if anew else keyfiles.read_or_make(self._path)).hex()

    def sign(self, viewer: str, *, seconds: int) -> str:
        """A token for a viewer that holds for some seconds, as the platform's own server would make it."""
        claims = {"sub": viewer, "aud": AUDIENCE, "exp": int(time.time()) + seconds}
        signed = ".".join(_encoded(msgspec.json.encode(part)) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
        return f"{signed}.{_encoded(self._signature(signed))}"

    def viewer_of(self, token: str) -> str:
        """The viewer that a token names. Raises BadRequest: bad_link, or link_over."""
        signed, _, signature = token.rpartition(".")
        header, _, claims = signed.partition(".")
        if len(token) > _LENGTH_MAX or not self._path.exists():
            raise _bad_link()
        try:
            right = hmac.compare_digest(_decoded(signature), self._signature(signed))
            if not right or _header.decode(_decoded(header)).alg != "HS256":
                raise _bad_link()
            said = _claims.decode(_decoded(claims))
        except (ValueError, BadJson):
            raise _bad_link() from None
        if AUDIENCE not in ([said.aud] if isinstance(said.aud, str) else said.aud) or not said.sub:
            raise _bad_link()
        left = said.exp - time.time()
        if not -LEEWAY_SECONDS < left < LIFE_SECONDS_MAX + LEEWAY_SECONDS:
            raise BadRequest(
                "link_over", "This opt-out link is over: it holds for a day at most. Open a new one from your account."
            )
        return said.sub

    def _signature(self, signed: str) -> bytes:
        return hmac.digest(keyfiles.read(self._path).hex().encode("ascii"), signed.encode(), hashlib.sha256)


def _bad_link() -> BadRequest:
    return BadRequest(
        "bad_link", "This is no opt-out link of this platform, or it was cut. Open a new one from your account."
    )


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
