"""Rules. Authlib's authorization server and grants, held to what we want: see server.py for why.

In: a request with its parameters, each once. Out: what Authlib answers. Its classes ship no types.
Source: RFC 6749, 7636, 7009, 7662, 9207; RFC 9700.
"""

# ruff: noqa: D102  (what a method is for, the class of Authlib that it is from says)
from __future__ import annotations

import base64
import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc6749.requests import OAuth2Payload
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc9207 import IssuerParameter

from footlights.public.accounts.apps.asked import Answer, Asked
from footlights.public.accounts.apps.grants import ACCESS_SECONDS, Code, Consent, Grants, Reused, Token
from footlights.public.accounts.apps.registry import App, Apps
from footlights.public.accounts.apps.scopes import BASIC, in_order

# It writes tokens into its debug lines.
logging.getLogger("authlib").setLevel(logging.WARNING)

METHODS = ["client_secret_basic", "client_secret_post", "none"]
#: RFC 6749, appendix A: what a parameter may be made of; an error that names one may hold neither " nor \\.
_PRINTABLE = re.compile(r"[ -~]{0,2048}")
_TELLABLE = re.compile(r"[ !#-\[\]-~]{0,2048}")
_ONCE = frozenset(
    "response_type client_id client_secret redirect_uri scope state code_challenge code_challenge_method dpop_jkt "
    "request_uri request grant_type code code_verifier refresh_token token token_type_hint response_mode".split()
)
#: RFC 7638: SHA-256 in base64url.
_PRINT = re.compile(r"[A-Za-z0-9_-]{43}")


class Payload(OAuth2Payload):  # type: ignore[misc]
    """The parameters of a request, each once."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        for name in _ONCE & fields.keys():
            values = fields[name]
            if len(values) != 1:
                raise InvalidRequestError(f"{name} is there more than once.")
            if not (_PRINTABLE if name == "state" else _TELLABLE).fullmatch(values[0]):
                raise InvalidRequestError(f"{name} holds what it cannot hold, or too much.")
        self._lists = {name: values for name, values in fields.items() if name in _ONCE}
        self._data = {name: values[0] for name, values in self._lists.items()}
        # A request object would have to be checked against what stands beside it (RFC 9101).
        if "request" in self._data:
            raise InvalidRequestError("Request objects are not taken: push the request instead (RFC 9126).")
        if self._data.get("response_mode", "query") != "query":
            raise InvalidRequestError("response_mode is query.")
        if "scope" in self._data:  # TikTok's clients put commas between
            self._data["scope"] = self._data["scope"].replace(",", " ")

    @property
    def data(self) -> dict[str, str]:
        return self._data

    @property
    def datalist(self) -> dict[str, list[str]]:
        return self._lists


class AppRequest(OAuth2Request):  # type: ignore[misc]
    """A request as Authlib has it. key_print: of the key whose proof came along."""

    def __init__(self, asked: Asked, fields: Mapping[str, list[str]]) -> None:
        # The library would refuse http here; whether a proxy ended TLS before us, it cannot know.
        super().__init__(asked.method, "https://footlights.invalid", headers=_Headers(asked.headers))
        self.asked, self.payload = asked, Payload(fields)
        self.key_print: str | None = None

    @property
    def args(self) -> dict[str, str]:
        return self.payload.data if self.method == "GET" else {}

    @property
    def form(self) -> dict[str, str]:
        return self.payload.data if self.method == "POST" else {}


class _Headers(dict[str, str]):
    """Headers by any spelling of their names; of credentials those that are ones."""

    def __init__(self, given: Mapping[str, str]) -> None:
        told = {name.lower(): value for name, value in given.items()}
        if not _is_basic(told.get("authorization", "")):
            told.pop("authorization", None)  # the library breaks on what is no credential
        super().__init__(told)

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


def _is_basic(authorization: str) -> bool:
    """Whether a header is a credential of RFC 7617: base64 of an id and a secret with a colon between."""
    scheme, _, said = authorization.partition(" ")
    try:
        return scheme.lower() == "basic" and ":" in base64.b64decode(said, validate=True).decode()
    except ValueError:
        return False


class Client(ClientMixin):  # type: ignore[misc]
    """An app, as Authlib asks about it."""

    def __init__(self, registered: App) -> None:
        self.registered = registered

    def get_client_id(self) -> str:
        return self.registered.client_id

    def get_default_redirect_uri(self) -> str | None:
        """None: an app names where it wants to be answered, each time."""
        return None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        if not scope:
            return " ".join(self.registered.scopes)
        asked = set(scope.split()) | {BASIC}
        return " ".join(in_order(asked)) if asked <= set(self.registered.scopes) else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return self.registered.is_answered_at(redirect_uri)

    def check_client_secret(self, client_secret: str) -> bool:
        return self.registered.has_secret(client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return (method == "none") == self.registered.public

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in ("authorization_code", "refresh_token")


class Rules(AuthorizationServer):  # type: ignore[misc]
    """Authlib's server on our store."""

    def __init__(self, apps: Apps, grants: Grants) -> None:
        super().__init__()
        self.apps, self.grants = apps, grants
        self.register_grant(_CodeGrant, [_S256Alone(required=True)])
        self.register_grant(_RefreshGrant)
        self.register_endpoint(_Revocation)
        self.register_endpoint(_Introspection)
        # The tokens that are handed over are made where they are saved, in one transaction with what they are for.
        self.register_token_generator("default", lambda **_: {"token_type": "", "expires_in": ACCESS_SECONDS})

    def query_client(self, client_id: str) -> Client | None:
        """An app; a banned one does not exist any more."""
        app = self.apps.find(client_id)
        return None if app is None or app.state == "banned" else Client(app)

    def save_token(self, token: dict[str, Any], request: AppRequest) -> None:
        """Fill a token in: claim what it is for, and keep its digest."""
        app, print_ = request.client.registered, request.key_print
        if print_ is None and app.bound:
            raise _proof_needed()
        try:
            if request.refresh_token is not None:
                held: Token = request.refresh_token
                scopes = held.consent.scopes
                if request.payload.scope:
                    scopes = in_order({BASIC, *request.payload.scope.split()})
                issued = self.grants.rotate(held, scopes=scopes, access_key=print_)
            else:
                code: Code = request.authorization_code
                scopes = code.consent.scopes
                # A confidential app's refresh token is bound to its secret already (RFC 9449, section 5).
                issued = self.grants.exchange(code, access_key=print_, refresh_key=print_ if app.public else None)
        except Reused as reused:
            raise InvalidGrantError(str(reused)) from None
        token |= {
            "access_token": issued.access,
            "token_type": "Bearer" if print_ is None else "DPoP",
            "refresh_token": issued.refresh,
            "scope": " ".join(scopes),
        }

    def create_oauth2_request(self, request: AppRequest) -> AppRequest:
        return request

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def handle_response(self, status: int, body: Any, headers: Iterable[tuple[str, str]]) -> Answer:
        told = {name: value for name, value in headers if name.lower() != "content-type"}
        return Answer(status=status, body=None if isinstance(body, str) else dict(body), headers=told)


class _CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def validate_authorization_request(self) -> str:
        # Without it the library would take the one that is registered: then nothing ties code and address together.
        if not self.request.payload.redirect_uri:
            raise InvalidRequestError("redirect_uri is missing.")
        redirect_uri: str = super().validate_authorization_request()
        return redirect_uri

    def generate_authorization_code(self) -> str:
        """Empty: it is made where it is kept."""
        return ""

    def create_authorization_response(self, redirect_uri: str, grant_user: Consent | None) -> Any:
        if grant_user is None:
            return super().create_authorization_response(redirect_uri, None)
        data = self.request.payload.data
        code = self.server.grants.agree(
            self.request.client.registered, grant_user, redirect_uri=redirect_uri,
            code_challenge=data["code_challenge"], key_print=data.get("dpop_jkt"),
        )  # fmt: skip
        params = {"code": code}
        if self.request.payload.state:
            params["state"] = self.request.payload.state
        join = "&" if "?" in redirect_uri else "?"
        return 302, "", [("Location", redirect_uri + join + urlencode(params))]

    def save_authorization_code(self, code: str, request: AppRequest) -> None:
        raise AssertionError("a code is kept where it is made")

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        found: Code | None = self.server.grants.code(code, client.registered)
        if found is not None and found.key_print is not None and found.key_print != self.request.key_print:
            raise InvalidGrantError("This code is bound to another key (dpop_jkt).")
        return found

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """It was used up in the transaction that made the tokens."""

    def authenticate_user(self, authorization_code: Code) -> Consent:
        return authorization_code.consent


class _S256Alone(CodeChallenge):  # type: ignore[misc]
    """PKCE for every app, at both ends, and never `plain`: the library lets an app with a secret go without."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        data = grant.request.payload.data
        if not data.get("code_challenge") or data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE is missing: code_challenge, and code_challenge_method S256 (RFC 7636).")
        if not _PRINT.fullmatch(data["code_challenge"]):
            raise InvalidRequestError("code_challenge is no SHA-256 in base64url.")
        if "dpop_jkt" in data and not _PRINT.fullmatch(data["dpop_jkt"]):
            raise InvalidRequestError("dpop_jkt is no SHA-256 in base64url.")
        super().validate_code_challenge(grant, redirect_uri)

    def validate_code_verifier(self, grant: Any, result: Any) -> None:
        if not grant.request.form.get("code_verifier"):
            raise InvalidRequestError("code_verifier is missing.")
        super().validate_code_verifier(grant, result)


class _RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> Token | None:
        request = self.request
        if request.key_print is None and request.client.registered.bound:
            raise _proof_needed()
        found: Token | None = self.server.grants.refresh(refresh_token, request.client.registered)
        if found is None:
            raise InvalidGrantError("This refresh token has been used, or has ended. Ask the creator again.")
        if found.key_print is not None and found.key_print != request.key_print:
            raise InvalidGrantError("This refresh token is bound to another key.")
        return found

    def authenticate_user(self, refresh_token: Token) -> Consent:
        return refresh_token.consent

    def revoke_old_credential(self, refresh_token: Token) -> None:
        """It was used up in the transaction that made the new ones."""


class _Revocation(RevocationEndpoint):  # type: ignore[misc]
    CLIENT_AUTH_METHODS = METHODS

    def check_params(self, request: AppRequest, client: Client) -> None:
        if "token" not in request.form:
            raise InvalidRequestError("token is missing.")

    def authenticate_token(self, request: AppRequest, client: Client) -> Token | None:
        # Another app's token reads like one that nobody has.
        self.check_params(request, client)
        found = self.query_token(request.form["token"], None)
        return found if found is not None and found.check_client(client) else None

    def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
        found: Token | None = self.server.grants.either(token_string)
        return found

    def revoke_token(self, token: Token, request: AppRequest) -> None:
        self.server.grants.end(token)


class _Introspection(IntrospectionEndpoint):  # type: ignore[misc]
    CLIENT_AUTH_METHODS = METHODS[:2]

    def check_params(self, request: AppRequest, client: Client) -> None:
        if "token" not in request.form:
            raise InvalidRequestError("token is missing.")

    def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
        found: Token | None = self.server.grants.either(token_string)
        return found

    def check_permission(self, token: Token, client: Client, request: AppRequest) -> bool:
        return token.check_client(client)

    def introspect_token(self, token: Token) -> dict[str, Any]:
        """RFC 7662, section 2.2. Its request is not at hand here: the caller adds the issuer."""
        told: dict[str, Any] = {
            "client_id": token.client_id,
            "sub": token.consent.creator,
            "scope": token.get_scope(),
            "iat": token.made_at_utc,
            "exp": token.expires_at_utc,
            "token_type": "Bearer" if token.key_print is None else "DPoP",
        }
        if token.key_print is not None:
            told["cnf"] = {"jkt": token.key_print}
        return told


class Issuer(IssuerParameter):  # type: ignore[misc]
    """RFC 9207. The issuer is what the browser reached us by, so it is of the request."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    def get_issuer(self) -> str:
        return self._issuer


def _proof_needed() -> OAuth2Error:
    return OAuth2Error("This app proves its key with each request (RFC 9449).", error="invalid_dpop_proof")
