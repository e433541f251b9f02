"""Apps for tests. In: a site and a registered app. Out: what a client of it does, step by step, in this process.

Every step may be told to go wrong, so that a test says what is different from a right client, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from joserfc import jws
from joserfc.jwk import ECKey

from footlights.public.accounts.apps.registry import App, Apps, Said, State
from footlights.public.accounts.apps.scopes import SCOPES
from footlights.public.accounts.creators import Accounts
from footlights.public.accounts.store import Store
from footlights.public.web.sessions import COOKIE

BACK = "https://lampkit.example/back"
SAID = Said(
    name="LampKit", maker="Lamp Works", site="https://lampkit.example", purpose="reports",
    scopes=[scope.name for scope in SCOPES], redirect_uris=[BACK],
)  # fmt: skip
VERIFIER = "v" * 64
_NUMBERS = itertools.count()


def challenge_of(verifier: str) -> str:
    """S256 of RFC 7636."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


class Key:
    """A DPoP key, as a client keeps it."""

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-256", private=True)
        self.print_ = self._key.thumbprint()

    def proof(self, method: str, url: str, *, nonce: str = "", token: str | None = None, **over: Any) -> str:
        """A proof for one request. over: claims, or header members, that are to be different; None leaves one out."""
        header: dict[str, Any] = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self._key.as_dict(private=False)}
        claims: dict[str, Any] = {
            "jti": f"proof-of-a-test-{next(_NUMBERS)}", "htm": method, "htu": url, "iat": int(time.time()),
            "nonce": nonce,
        }  # fmt: skip
        if token is not None:
            claims["ath"] = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).decode().rstrip("=")
        for name, value in over.items():
            place = header if name in ("typ", "alg", "jwk") else claims
            place[name] = value
        claims = {name: value for name, value in claims.items() if value is not None}
        return jws.serialize_compact(header, json.dumps(claims).encode(), self._key, algorithms=["ES256"])


def registered(
    data: Path, *, state: State = "approved", public: bool = False, bound: bool = False, said: Said = SAID
) -> tuple[App, str | None]:
    """An app of a data folder in some state, and its secret."""
    store = Store(data / "public")
    apps = Apps(store, excess="review")
    app, secret = apps.create(said, public=public, bound=bound)
    steps: tuple[State, ...] = ("sandbox", "review", "approved", "suspended", "banned")
    for step in steps:
        if app.state == state:
            break
        app = apps.move(app, step, reason="of a test")
    store.close()
    return app, secret


class AppClient:
    """A client of an app. client: of the site, as nobody. creator: whose browser it sends to the site."""

    def __init__(self, client: Any, data: Path, app: App, secret: str | None, *, key: Key | None = None) -> None:
        self.client, self.data, self.app, self.secret, self.key = client, data, app, secret, key
        self.nonce = ""

    # ---- The creator's browser

    def query(self, **over: str | None) -> str:
        """The query that the browser is sent with. over: parameters that are to be different, or left out (None)."""
        usual: dict[str, str | None] = {
            "response_type": "code", "client_id": self.app.client_id, "redirect_uri": self.app.redirect_uris[0],
            "scope": " ".join(self.app.scopes), "state": "st4te", "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
        }  # fmt: skip
        asked = usual | over
        return urlencode({name: value for name, value in asked.items() if value is not None})

    def browser_of(self, creator: str) -> dict[str, str]:
        """The headers of a creator's browser that is signed in."""
        accounts = Accounts(self.data / "public")
        session = accounts.redeem(accounts.make_login_link(creator, 5))
        accounts.close()
        return {"Cookie": f"{COOKIE}={session}"}

    def decide(
        self, creator: str, query: str, *, decision: str = "allow", scopes: list[str] | None = None
    ) -> httpx.Response:
        """What the browser gets for the creator's answer. scopes: those that they left ticked; None for all."""
        ticked = self.app.scopes if scopes is None else scopes
        form = {"asked": query, "decision": decision, **{f"scope.{name}": "on" for name in ticked}}
        headers = self.browser_of(creator) | {"Origin": "http://studio.test"}
        answer: httpx.Response = self.client.post("/oauth/authorize", data=form, headers=headers)
        return answer

    def code(self, creator: str = "ada", *, scopes: list[str] | None = None, **over: str | None) -> str:
        """A code that a creator's browser brings back."""
        answer = self.decide(creator, self.query(**over), scopes=scopes)
        assert answer.status_code == 303, answer.text
        return sent_back(answer)["code"]

    # ---- The app's own requests

    def post(self, path: str, fields: Mapping[str, str | None], *, proof: str | None = None) -> httpx.Response:
        """A request of the app, authenticated as it is registered."""
        form = {name: value for name, value in fields.items() if value is not None}
        headers = {}
        if self.secret is None:
            form.setdefault("client_id", self.app.client_id)
        else:
            pair = f"{self.app.client_id}:{self.secret}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        if proof is not None:
            headers["DPoP"] = proof
        elif self.key is not None:
            if not self.nonce:
                self.nonce = self.client.post(
                    path, data=form, headers={"DPoP": self.key.proof("POST", self.url(path))}
                ).headers["DPoP-Nonce"]
            headers["DPoP"] = self.key.proof("POST", self.url(path), nonce=self.nonce)
        answer: httpx.Response = self.client.post(path, data=form, headers=headers)
        self.nonce = answer.headers.get("DPoP-Nonce", self.nonce)
        return answer

    def url(self, path: str) -> str:
        """An address of the site."""
        return f"http://studio.test{path}"

    def exchange(self, code: str, **over: str | None) -> httpx.Response:
        """Tokens for a code."""
        fields: dict[str, str | None] = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self.app.redirect_uris[0],
            "code_verifier": VERIFIER,
        }  # fmt: skip
        return self.post("/oauth/token", fields | over)

    def refresh(self, refresh_token: str, **over: str | None) -> httpx.Response:
        """Tokens for a refresh token."""
        fields: dict[str, str | None] = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.post("/oauth/token", fields | over)

    def tokens(self, creator: str = "ada", *, scopes: list[str] | None = None) -> dict[str, Any]:
        """The whole way, once."""
        answer = self.exchange(self.code(creator, scopes=scopes))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def read(
        self, path: str, token: str, *, method: str = "GET", proof: str | None = None, **more: Any
    ) -> httpx.Response:
        """A read of the API, with a proof of the app's key if it has one."""
        headers = {"Authorization": f"Bearer {token}"}
        if self.key is not None:
            made = self.key.proof(method, self.url(path.partition("?")[0]), nonce=self.nonce, token=token)
            headers = {"Authorization": f"DPoP {token}", "DPoP": made if proof is None else proof}
        answer: httpx.Response = self.client.request(method, path, headers=headers, **more)
        return answer


def sent_back(answer: httpx.Response) -> dict[str, str]:
    """What a browser brings back to an app."""
    query = urlsplit(answer.headers["location"]).query
    return {name: values[0] for name, values in parse_qs(query).items()}
