"""Platforms. In: a token that the creators' platform signed. Out: whom it vouches for, and what they may see.

Two kinds of token, and neither passes for the other: `signin` signs a creator in, once, within five minutes; `embed`
shows one page inside the platform's own app, and signs nobody in. A platform signs with a key that it shares with us
(HS256), or with its own (RS256, ES256, Ed25519), whose public half it publishes as JWKS.
Source: RFC 7519, and the advice of RFC 8725: algorithms are listed, and each goes with its own sort of key.
"""

from __future__ import annotations

import base64
import json
from typing import Annotated, Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from footlights.public.accounts.jwks import Jwks, PublicKey
from footlights.public.accounts.signing import Signing
from footlights.public.accounts.store import Store
from footlights.terms.errors import NotAllowed
from footlights.terms.words import N_

LENGTH_MAX = 4096
SIGNIN_SECONDS_MAX = 5 * 60
EMBED_SECONDS_MAX = 24 * 3600
#: How far a platform's clock may be ahead of ours.
AHEAD_SECONDS_MAX = 30
_SHARED = "HS256"
_SORTS: dict[str, type[RSAKey | ECKey | OKPKey]] = {
    "RS256": RSAKey, "ES256": ECKey, "Ed25519": OKPKey, "EdDSA": OKPKey,
}  # fmt: skip
#: What may stand in a header as it is. http is for trying things out on one's own machine.
_ORIGIN = r"^(https://[a-z0-9.-]{1,253}|http://(localhost|127\.0\.0\.1))(:[0-9]{1,5})?\Z"
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class SignIn(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="signin"):
    """Claims that sign a creator in. sub: the creator's id. jti: the token's own, never used before."""

    iss: str
    aud: str | list[str]
    sub: _Name
    iat: int | float
    exp: int | float
    jti: Annotated[str, msgspec.Meta(min_length=8, max_length=128)]


class Embed(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="embed"):
    """Claims that show one page. page: overview, video:ID or chart:METRIC. origin: the site that may frame it."""

    iss: str
    aud: str | list[str]
    sub: _Name
    iat: int | float
    exp: int | float
    page: _Name
    origin: Annotated[str, msgspec.Meta(pattern=_ORIGIN)]
    days: Annotated[int, msgspec.Meta(ge=1, le=730)] = 28


class Platforms:
    """What platforms vouch for. issuer, audience: what `iss` and `aud` have to say."""

    def __init__(self, store: Store, jwks: Jwks, *, issuer: str, audience: str) -> None:
        self._store = store
        self._signing = Signing(store)
        self._jwks = jwks
        self._issuer, self._audience = issuer, audience

    def peek(self, token: str) -> SignIn:
        """A sign-in token that would be taken, without using it up. Raises NotAllowed, with what is wrong."""
        claims = self._claims(token)
        if not isinstance(claims, SignIn):
            raise NotAllowed("This token shows a page and signs nobody in: its `kind` is not signin.")
        self._check(claims, seconds_max=SIGNIN_SECONDS_MAX)
        return claims

    def sign_in(self, token: str) -> str:
        """The id of the creator whom a token vouches for. The token is used up. Raises NotAllowed."""
        claims = self.peek(token)
        # An id belongs to its issuer's own key: two keys that number from 1 do not use each other's up.
        kid = _header(token).get("kid")
        if not self._signing.use_once(f"{kid} {claims.jti}", expires_at_utc=int(claims.exp) + 1):
            raise NotAllowed("This token has signed somebody in already. The platform makes a new one for each time.")
        return claims.sub

    def embed(self, token: str) -> Embed:
        """What a token lets its bearer see. It may be shown again until it expires. Raises NotAllowed."""
        claims = self._claims(token)
        if not isinstance(claims, Embed):
            raise NotAllowed("This token signs somebody in and shows no page: its `kind` is not embed.")
        self._check(claims, seconds_max=EMBED_SECONDS_MAX)
        return claims

    def _claims(self, token: str) -> SignIn | Embed:
        """The claims of a token whose signature is right. Raises NotAllowed."""
        header = _header(token)
        key = self._key(header.get("alg"), header.get("kid"))
        try:
            said = jwt.decode(token, key, algorithms=[header["alg"]]).claims
        except (JoseError, ValueError):
            raise NotAllowed(_UNSIGNED) from None
        try:
            return msgspec.convert(said, SignIn | Embed)
        except msgspec.ValidationError as problem:
            # The platform's own words about its creator, told to whoever brought the token: they could read it.
            raise NotAllowed("The token's claims are not as they should be: %(problem)s.", problem=problem) from None

    def _key(self, algorithm: Any, kid: Any) -> OctKey | PublicKey:
        if not isinstance(kid, str) or not kid.isprintable():
            raise NotAllowed("The token's header names no key: `kid` is missing.")
        if not isinstance(algorithm, str):
            raise NotAllowed(_UNSIGNED)
        if algorithm == _SHARED:
            secret = self._signing.secret_of(kid)
            if secret is not None:
                return OctKey.import_key(secret)
        elif algorithm in _SORTS:
            key = self._jwks.key(kid)
            if isinstance(key, _SORTS[algorithm]):
                return key
        raise NotAllowed(_UNSIGNED)

    def _check(self, claims: SignIn | Embed, *, seconds_max: int) -> None:
        now = self._store.now_utc()
        if claims.iss != self._issuer:
            raise NotAllowed("The token's `iss` is not the setting signin_issuer.")
        if self._audience not in ([claims.aud] if isinstance(claims.aud, str) else claims.aud):
            raise NotAllowed("The token's `aud` is not the setting signin_audience.")
        if claims.iat > now + AHEAD_SECONDS_MAX:
            raise NotAllowed("The token's `iat` is in the future. Is the platform's clock right?")
        if not 0 < claims.exp - claims.iat <= seconds_max:
            raise NotAllowed("The token's `exp` must be at most %(most)s seconds after its `iat`.", most=seconds_max)
        if claims.exp <= now:
            raise NotAllowed("This token is too old. Go back to your platform and try again.")


_UNSIGNED = N_("The token is not signed with a key that we know. `footlights creator signing-keys` lists shared ones.")


def make_token(claims: dict[str, Any], *, kid: str, secret: bytes) -> str:
    """A token signed with a shared key, as a platform makes it."""
    return jwt.encode({"alg": _SHARED, "kid": kid}, claims, OctKey.import_key(secret))


def _header(token: str) -> dict[str, Any]:
    """The header of a token, which says nothing that may be believed but which key to look for."""
    if not token or len(token) > LENGTH_MAX or token.count(".") != 2:
        raise NotAllowed("This is no token: it has three parts with dots between.")
    head = token.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise NotAllowed("This is no token: its header is not JSON.")
    return header
