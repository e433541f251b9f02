"""Proofs of DPoP: each thing that a proof says is needed, and each is held against the request."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.apps import Key
from tests.unit.public.web.oauth.conftest import Making

VIDEOS = "/api/v1/creators/ada/videos"
NOW = int(time.time())
WRONG: dict[str, dict[str, Any]] = {
    "another method": {"htm": "POST"},
    "another address": {"htu": "http://studio.test/api/v1/creators"},
    "another host": {"htu": f"http://evil.test{VIDEOS}"},
    "another token": {"ath": "x" * 43},
    "no token": {"ath": None},
    "no id": {"jti": None},
    "an id that is too short": {"jti": "1"},
    "an id of halves of characters": {"jti": "\ud800" * 8},
    "half a character for a token": {"ath": "\ud800"},
    "no time": {"iat": None},
    "made long ago": {"iat": NOW - 3600},
    "made tomorrow": {"iat": NOW + 86_400},
    "another kind of token": {"typ": "JWT"},
    "no signature": {"alg": "none"},
    "a shared key": {"jwk": {"kty": "oct", "k": "AAAA"}},
    "somebody else's key": {"jwk": Key()._key.as_dict(private=False)},
}


@pytest.mark.parametrize("what", WRONG)
def test_a_proof_of_something_else_is_none(making: Making, what: str) -> None:
    app = making(public=True)
    token = app.tokens()["access_token"]
    assert app.key is not None
    over = WRONG[what]
    if over.get("alg") == "none":
        _, body, _ = app.key.proof("GET", app.url(VIDEOS), nonce=app.nonce, token=token).split(".")
        proof = f"eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6Im5vbmUifQ.{body}."
    else:
        proof = app.key.proof("GET", app.url(VIDEOS), nonce=app.nonce, **{"token": token} | over)
    answer = app.read(VIDEOS, token, proof=proof)
    assert answer.status_code == 401 and answer.json()["reason"] == "invalid_dpop_proof"
    assert answer.headers["www-authenticate"].startswith('DPoP error="invalid_dpop_proof"')


def test_a_proof_works_once(making: Making) -> None:
    app = making(public=True)
    token = app.tokens()["access_token"]
    assert app.key is not None
    proof = app.key.proof("GET", app.url(VIDEOS), nonce=app.nonce, token=token)
    assert [app.read(VIDEOS, token, proof=proof).status_code for _ in range(2)] == [200, 401]


@pytest.mark.parametrize("nonce", ["", "made-up-nonce", "x" * 128])
def test_a_proof_without_our_nonce_is_told_it_and_then_taken(making: Making, nonce: str) -> None:
    app = making(public=True)
    token = app.tokens()["access_token"]
    assert app.key is not None
    answer = app.read(VIDEOS, token, proof=app.key.proof("GET", app.url(VIDEOS), nonce=nonce, token=token))
    assert answer.status_code == 401 and 'error="use_dpop_nonce"' in answer.headers["www-authenticate"]
    again = app.key.proof("GET", app.url(VIDEOS), nonce=answer.headers["dpop-nonce"], token=token)
    assert app.read(VIDEOS, token, proof=again).status_code == 200


def test_a_query_is_no_part_of_what_a_proof_is_for(making: Making) -> None:
    app = making(public=True)
    token = app.tokens()["access_token"]
    assert app.read(f"{VIDEOS}?max_count=1", token).status_code == 200


@pytest.mark.parametrize("path", ["a%20b", "%C3%BCber", "a%3Ab", "a:b", "%7Eada", "what%3F", "a%2541", "100%25"])
def test_a_proof_for_an_address_with_percent_signs_is_taken_as_the_app_wrote_it(making: Making, path: str) -> None:
    app = making(public=True)
    token = app.tokens()["access_token"]
    # The video is nobody's: a proof that is not taken would be answered with 401.
    assert app.read(f"/api/v1/videos/{path}", token).status_code == 404


def test_a_proof_for_another_video_is_none_however_it_is_written(making: Making) -> None:
    app = making(public=True)
    token = app.tokens()["access_token"]
    assert app.key is not None
    for asked, proved in (("a%2541", "aA"), ("a%253F", "a%3F"), ("a%3Fb", "a"), ("what%23", "what")):
        proof = app.key.proof("GET", app.url(f"/api/v1/videos/{proved}"), nonce=app.nonce, token=token)
        assert app.read(f"/api/v1/videos/{asked}", token, proof=proof).status_code == 401


@pytest.mark.parametrize("proof", ["", "x", "a.b.c", "." * 2, "e30.e30.e30", "x" * 9000, "\u00e9.\u00e9.\u00e9"])
def test_what_is_no_proof_is_refused_and_nothing_breaks(making: Making, proof: str) -> None:
    app = making(public=True)
    token = app.tokens()["access_token"]
    answer = app.client.get(
        VIDEOS, headers={b"Authorization": f"DPoP {token}".encode(), b"DPoP": proof.encode("latin-1")}
    )
    assert answer.status_code == 401


def test_a_token_that_is_bound_to_nothing_is_not_taken_as_if_it_were(making: Making) -> None:
    app = making()
    token = app.tokens()["access_token"]
    answer = app.client.get(
        VIDEOS, headers={"Authorization": f"DPoP {token}", "DPoP": Key().proof("GET", app.url(VIDEOS))}
    )
    assert answer.status_code == 401


def test_a_code_that_was_asked_for_with_a_key_is_of_that_key(making: Making) -> None:
    key = Key()
    app = making(bound=True, key=key)
    code = app.code(dpop_jkt=Key().print_)
    assert app.exchange(code).json()["error"] == "invalid_grant"
    assert app.exchange(app.code(dpop_jkt=key.print_)).status_code == 200
