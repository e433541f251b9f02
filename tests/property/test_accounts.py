"""Whatever is brought to the doors of accounts, the answer is yes or a refusal, and never anything else."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fido2 import cbor
from fido2.utils import websafe_encode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from footlights.public.accounts.jwks import Jwks, keys_of
from footlights.public.accounts.operators import Session
from footlights.public.accounts.passkeys import Passkeys, Place
from footlights.public.accounts.platforms import Embed, Platforms, SignIn, make_token
from footlights.public.accounts.signing import Signing
from footlights.public.accounts.store import Store
from footlights.public.web.headers import policy
from footlights.terms.errors import NotAllowed

HERE = Place(origin="https://studio.example", host="studio.example")
NOW = 1_800_000_000
MIA = Session(operator=1, name="mia", began_at_utc=NOW, fresh=True)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
CLAIMS = st.fixed_dictionaries(
    {},
    optional={
        "iss": st.just("platform") | JSON,
        "aud": st.just("footlights") | JSON,
        "sub": st.just("ada") | JSON,
        "kind": st.sampled_from(["signin", "embed"]) | JSON,
        "iat": st.integers(NOW - 400, NOW + 400) | JSON,
        "exp": st.integers(NOW - 400, NOW + 90_000) | JSON,
        "jti": st.just("0123456789") | JSON,
        "page": st.just("overview") | JSON,
        "origin": st.from_regex(r"\Ahttps?://[a-z.;: *\n-]{0,12}\Z") | JSON,
        "days": st.integers(-5, 999) | JSON,
    },
)
BYTES = st.binary(max_size=200)
CBOR = st.recursive(
    st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=80) | st.text(max_size=8) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
#: Authenticator data that begins as it should and then goes on as it likes.
DATA = st.builds(lambda flags, rest: bytes(32) + bytes([flags]) + rest, st.integers(0, 255), BYTES)
ATTESTATION = st.builds(
    lambda fmt, data, statement: cbor.encode({"fmt": fmt, "authData": data, "attStmt": statement}),
    st.sampled_from(["none", "packed", "tpm", ""]),
    DATA,
    st.dictionaries(st.text(max_size=4), CBOR, max_size=2),
)
TEXT = BYTES.map(websafe_encode) | DATA.map(websafe_encode) | ATTESTATION.map(websafe_encode)
ANSWERS = JSON | st.fixed_dictionaries(
    {
        "id": TEXT | JSON,
        "rawId": TEXT | JSON,
        "type": st.just("public-key"),
        "response": st.dictionaries(
            st.sampled_from(["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]),
            TEXT
            | st.just(websafe_encode(b'{"type":"webauthn.get","challenge":"AAAA","origin":"https://studio.example"}'))
            | JSON,
            min_size=2,
        ),
    }
)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with tempfile.TemporaryDirectory() as folder:
        opened = Store(Path(folder), clock=lambda: NOW)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def platforms(store: Store) -> Platforms:
    return Platforms(store, Jwks(""), issuer="platform", audience="footlights")


@pytest.fixture(scope="module")
def key(store: Store) -> tuple[str, bytes]:
    made = Signing(store).create()
    secret = Signing(store).secret_of(made.kid)
    assert secret is not None
    return made.kid, secret


@given(token=st.text(max_size=100) | st.from_regex(r"\A[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,9}\.[A-Za-z0-9_-]{0,9}\Z"))
def test_any_text_that_nobody_signed_is_refused(platforms: Platforms, token: str) -> None:
    for ask in (platforms.peek, platforms.sign_in, platforms.embed):
        with pytest.raises(NotAllowed):
            ask(token)


@given(claims=CLAIMS)
def test_claims_that_somebody_signed_are_taken_as_they_should_be_or_refused(
    platforms: Platforms, key: tuple[str, bytes], claims: dict[str, Any]
) -> None:
    kid, secret = key
    token = make_token(claims, kid=kid, secret=secret)
    try:
        taken: SignIn | Embed = platforms.embed(token) if claims.get("kind") == "embed" else platforms.peek(token)
    except NotAllowed:
        return
    assert taken.iss == "platform" and taken.sub and NOW < taken.exp <= taken.iat + 86_400
    if isinstance(taken, Embed):
        told = policy(frame_ancestors=taken.origin)
        assert told.count(";") == policy().count(";") and "\n" not in told and "*" not in told


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(answer=ANSWERS)
def test_any_answer_that_no_passkey_gave_is_refused(store: Store, answer: Any) -> None:
    passkeys = Passkeys(store)
    with pytest.raises(NotAllowed):
        passkeys.who(answer, HERE)
    with pytest.raises(NotAllowed):
        passkeys.make(MIA, "x", answer, HERE)


@given(document=JSON | st.fixed_dictionaries({"keys": st.lists(JSON, max_size=4)}))
def test_any_document_is_keys_or_none(document: Any) -> None:
    try:
        assert keys_of(document) == {}
    except ValueError:
        assert not (isinstance(document, dict) and isinstance(document.get("keys"), list))
