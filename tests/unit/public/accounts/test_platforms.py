from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from footlights.public.accounts.jwks import Jwks, keys_of
from footlights.public.accounts.platforms import LENGTH_MAX, Embed, Platforms, make_token
from footlights.public.accounts.signing import KEYS_MAX, Signing, SigningKey
from footlights.public.accounts.store import Store
from footlights.terms.errors import NotAllowed, NotFound
from tests.unit.public.accounts.clocks import Clock

Make = Callable[..., str]


class _Published(Jwks):
    """Keys of a platform, without a network."""

    def __init__(self, *keys: RSAKey | ECKey | OKPKey) -> None:
        super().__init__("")
        self._known = keys_of({"keys": [{**key.as_dict(private=False), "kid": key.kid} for key in keys]})

    def key(self, kid: str) -> Any:
        return self._known.get(kid)


@pytest.fixture(scope="module")
def rsa() -> RSAKey:
    return RSAKey.generate_key(2048, parameters={"kid": "rsa-1"})


@pytest.fixture(scope="module")
def ec() -> ECKey:
    return ECKey.generate_key("P-256", parameters={"kid": "ec-1"})


@pytest.fixture(scope="module")
def okp() -> OKPKey:
    return OKPKey.generate_key("Ed25519", parameters={"kid": "okp-1"})


@pytest.fixture
def shared(store: Store) -> SigningKey:
    return Signing(store).create()


@pytest.fixture
def platforms(store: Store, rsa: RSAKey, ec: ECKey, okp: OKPKey) -> Platforms:
    return Platforms(store, _Published(rsa, ec, okp), issuer="platform", audience="footlights")


@pytest.fixture
def make(clock: Clock, shared: SigningKey) -> Make:
    """A token of the shared key, with some claims changed; None leaves one out."""

    def made(**changed: Any) -> str:
        claims = {
            "iss": "platform", "aud": "footlights", "sub": "ada", "kind": "signin", "iat": int(clock.now),
            "exp": int(clock.now) + 60, "jti": "0123456789", **changed,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        return make_token(claims, kid=shared.kid, secret=_secret(shared))

    return made


def _secret(key: SigningKey) -> bytes:
    return base64.urlsafe_b64decode(key.secret + "=" * (-len(key.secret) % 4))


def test_a_platform_vouches_for_its_creator(platforms: Platforms, make: Make) -> None:
    assert platforms.sign_in(make()) == "ada"
    assert platforms.sign_in(make(aud=["other", "footlights"], jti="0123456788")) == "ada"


@pytest.mark.filterwarnings("ignore::joserfc.jwk.SecurityWarning")
@pytest.mark.parametrize(
    ("sort", "algorithm"), [("rsa", "RS256"), ("ec", "ES256"), ("okp", "Ed25519"), ("okp", "EdDSA")]
)
def test_a_platform_signs_with_its_own_key_too(
    platforms: Platforms, clock: Clock, request: pytest.FixtureRequest, sort: str, algorithm: str
) -> None:
    key = request.getfixturevalue(sort)
    now = int(clock.now)
    claims = {
        "iss": "platform", "aud": "footlights", "sub": "ada", "kind": "signin", "iat": now, "exp": now + 300,
        "jti": f"number {algorithm}",
    }  # fmt: skip
    token = jwt.encode({"alg": algorithm, "kid": key.kid}, claims, key, algorithms=[algorithm])
    assert platforms.sign_in(token) == "ada"


def test_a_token_signs_in_once_and_looking_at_it_does_not_count(platforms: Platforms, make: Make) -> None:
    token = make()
    for _ in range(3):
        assert platforms.peek(token).sub == "ada"
    platforms.sign_in(token)
    with pytest.raises(NotAllowed, match="already"):
        platforms.sign_in(token)
    with pytest.raises(NotAllowed, match="already"):
        platforms.sign_in(make(sub="bob"))  # another token with the same id


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"iss": "other"}, "iss"), ({"iss": None}, "iss"), ({"aud": "other"}, "aud"), ({"aud": []}, "aud"),
        ({"aud": None}, "aud"), ({"sub": ""}, "sub"), ({"sub": 5}, "sub"), ({"sub": None}, "sub"),
        ({"kind": None}, "kind"), ({"kind": "id"}, "kind"), ({"jti": None}, "jti"), ({"jti": "1"}, "jti"),
        ({"exp": None}, "exp"), ({"iat": None}, "iat"), ({"exp": 1_800_000_301}, "at most 300"),
        ({"exp": 1_800_000_000, "iat": 1_799_999_800}, "too old"), ({"exp": 1_799_999_999}, "at most"),
        ({"iat": 1_800_000_031, "exp": 1_800_000_090}, "future"), ({"exp": "tomorrow"}, "exp"),
        ({"kind": "embed", "page": "overview", "origin": "https://app.example"}, "signs nobody in"),
    ],
)  # fmt: skip
def test_a_claim_that_is_not_as_it_should_be_is_named(
    platforms: Platforms, make: Make, changed: dict[str, Any], says: str
) -> None:
    with pytest.raises(NotAllowed, match=says):
        platforms.sign_in(make(**changed))


def _forged(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def test_nothing_passes_that_no_known_key_signed(
    platforms: Platforms, make: Make, shared: SigningKey, rsa: RSAKey, clock: Clock
) -> None:
    good = make()
    head, body, signature = good.split(".")
    now = int(clock.now)
    claims = {
        "iss": "platform", "aud": "footlights", "sub": "ada", "kind": "signin", "iat": now, "exp": now + 60,
        "jti": "0123456789",
    }  # fmt: skip
    other = jwt.encode({"alg": "HS256", "kid": shared.kid}, claims, OctKey.import_key(b"x" * 32))
    # The public key as a shared secret: what a verifier that lets the token choose falls for.
    pem = rsa.as_pem(private=False)
    confused = _forged({"alg": "HS256", "kid": "rsa-1"}, claims)
    confused += base64.urlsafe_b64encode(_hmac(pem, confused.rpartition(".")[0])).decode().rstrip("=")
    tokens = [
        _forged({"alg": "none", "kid": shared.kid}, claims), _forged({"alg": "none", "kid": "rsa-1"}, claims),
        _forged({"alg": "RS256", "kid": shared.kid}, claims), _forged({"alg": "HS512", "kid": shared.kid}, claims),
        _forged({"alg": "HS256"}, claims), _forged({"kid": shared.kid}, claims), other, confused,
        f"{head}.{body}.", f"{head}.{body}.{signature[:-2]}AA", f"{head}.{body}", "", "a.b.c", "..", good + ".x",
        good + "x" * LENGTH_MAX, _forged({"alg": "HS256", "kid": ["a"]}, claims), _forged({"alg": 5, "kid": "x"}, {}),
    ]  # fmt: skip
    for token in tokens:
        with pytest.raises(NotAllowed):
            platforms.sign_in(token)
    assert platforms.sign_in(good) == "ada"


def _hmac(key: bytes, text: str) -> bytes:
    import hmac

    return hmac.digest(key, text.encode(), "sha256")


def test_a_revoked_key_signs_nobody_in(platforms: Platforms, make: Make, store: Store, shared: SigningKey) -> None:
    token = make()
    Signing(store).revoke(shared.kid)
    with pytest.raises(NotAllowed):
        platforms.sign_in(token)
    with pytest.raises(NotFound):
        Signing(store).revoke(shared.kid)


def test_a_platform_changes_over_from_one_key_to_the_next(store: Store) -> None:
    signing = Signing(store)
    made = [signing.create() for _ in range(KEYS_MAX)]
    assert sorted(signing.kids()) == sorted(key.kid for key in made)
    assert signing.secret_of(made[3].kid) == _secret(made[3])
    with pytest.raises(NotAllowed):
        signing.create()


def test_used_ids_are_forgotten_when_their_tokens_are_too_old(store: Store, clock: Clock) -> None:
    signing = Signing(store)
    assert signing.use_once("a", expires_at_utc=int(clock.now) + 10)
    assert not signing.use_once("a", expires_at_utc=int(clock.now) + 10)
    clock.now += 10
    signing.use_once("b", expires_at_utc=int(clock.now) + 10)
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM used_tokens").fetchone() == (1,)


def test_an_embed_token_shows_one_page_as_often_as_it_is_asked_until_it_expires(
    platforms: Platforms, make: Make, clock: Clock
) -> None:
    token = make(kind="embed", page="chart:view_count", origin="https://app.example", jti=None, exp=1_800_000_600)
    for _ in range(2):
        claims = platforms.embed(token)
        assert isinstance(claims, Embed)
        assert (claims.sub, claims.page, claims.origin) == ("ada", "chart:view_count", "https://app.example")
    clock.now += 600
    with pytest.raises(NotAllowed, match="too old"):
        platforms.embed(token)
    with pytest.raises(NotAllowed):
        platforms.embed(make())


@pytest.mark.parametrize(
    "origin",
    [
        "*", "https://*.example", "https://app.example/", "https://app.example; script-src *", "http://app.example",
        "https://app.example https://evil.test", "https://app.example\n", "null", "", "javascript:0", "https://App.example",
    ],
)  # fmt: skip
def test_an_origin_is_one_site_and_nothing_that_a_header_would_read_otherwise(
    platforms: Platforms, make: Make, origin: str
) -> None:
    with pytest.raises(NotAllowed, match="origin"):
        platforms.embed(make(kind="embed", page="overview", origin=origin))


@pytest.mark.parametrize("origin", ["https://app.example", "https://app.example:8443", "http://localhost:3000"])
def test_a_plain_origin_is_taken(platforms: Platforms, make: Make, origin: str) -> None:
    assert platforms.embed(make(kind="embed", page="overview", origin=origin)).origin == origin
