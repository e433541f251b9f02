"""Server. In: a request of an app, as plain data. Out: an answer, as plain data. Authlib decides, within our rules.

Ours are tighter than the library's defaults: PKCE with S256 for every app at both ends, refresh tokens that work once,
codes and tokens claimed in one transaction with what they are exchanged for, no parameter twice, one grant type for
people and one for refreshing. Nothing of a request is logged.
Source: RFC 6749, 7636, 7009, 7662, 8414, 9126, 9207, 9449; RFC 9700.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidRequestError

from footlights.public.accounts.apps.asked import Answer, Asked, NoQuestion, Question, ToldApp
from footlights.public.accounts.apps.grants import Consent, Grants
from footlights.public.accounts.apps.proofs import ALGORITHMS, BadProof, Proofs
from footlights.public.accounts.apps.pushed import KEPT_SECONDS, Pushed
from footlights.public.accounts.apps.registry import Apps
from footlights.public.accounts.apps.rules import METHODS, AppRequest, Issuer, Rules
from footlights.public.accounts.apps.scopes import BY_NAME, in_order
from footlights.public.accounts.store import Store
from footlights.terms.errors import NotAllowed


class OAuthServer:
    """The authorization server of a deployment. Safe to share between threads."""

    def __init__(self, store: Store, apps: Apps, grants: Grants) -> None:
        self.apps, self.grants = apps, grants
        self.proofs, self.pushed = Proofs(store), Pushed(store)
        self._server = Rules(apps, grants)

    # ---- The creator's browser

    def question(self, asked: Asked) -> Question:
        """What an app asks for in a creator's browser. Raises NoQuestion, or ToldApp."""
        request = self._authorization(asked)
        grant = self._consent_grant(request)
        return Question(
            app=request.client.registered, scopes=in_order(request.scope.split()), redirect_uri=grant.redirect_uri,
            query=urlencode({name: values[0] for name, values in asked.fields.items()}),
        )  # fmt: skip

    def decide(self, asked: Asked, consent: Consent | None) -> Answer:
        """Send a creator's browser back with what they decided. consent: None for no. Raises NoQuestion, or ToldApp."""
        request = self._authorization(asked)
        grant = self._consent_grant(request)
        # Two threads never have the same request, and the library keeps nothing of one but in it.
        answer: Answer = self._server.create_authorization_response(request, grant_user=consent, grant=grant)
        Issuer(asked.issuer).add_issuer_parameter(self._server, answer)
        request_uri = _one(asked.fields, "request_uri")
        if request_uri is not None:
            self.pushed.use(request_uri)
        return answer

    def _authorization(self, asked: Asked) -> AppRequest:
        """The authorization request, or the one that its app left before. Raises NoQuestion."""
        try:
            checked = AppRequest(asked, self._fields_of(asked))
        except OAuth2Error as error:
            raise NoQuestion(error.description or "") from None
        return checked

    def _fields_of(self, asked: Asked) -> Mapping[str, list[str]]:
        request_uri = _one(asked.fields, "request_uri")
        if request_uri is None:
            return asked.fields
        app = self.apps.find(_one(asked.fields, "client_id") or "")
        query = None if app is None else self.pushed.find(app, request_uri)
        if query is None:
            raise InvalidRequestError("This request is too old, or was never made. Start again in the app.")
        kept: dict[str, list[str]] = msgspec.json.decode(query, type=dict[str, list[str]])
        return kept

    def _consent_grant(self, request: AppRequest) -> Any:
        try:
            return self._server.get_consent_grant(request)
        except OAuth2Error as error:
            if error.redirect_uri is None:
                raise NoQuestion(error.get_error_description() or error.error) from None
            answer = self._server.handle_error_response(request, error)
            Issuer(request.asked.issuer).add_issuer_parameter(self._server, answer)
            raise ToldApp(answer) from None

    # ---- The app's own requests

    def token(self, asked: Asked) -> Answer:
        """RFC 6749, section 3.2: tokens for a code or a refresh token."""
        return self._told(asked, self._server.create_token_response)

    def revoke(self, asked: Asked) -> Answer:
        """RFC 7009: the app gives tokens back."""
        return self._told(asked, lambda request: self._server.create_endpoint_response("revocation", request))

    def introspect(self, asked: Asked) -> Answer:
        """RFC 7662: an app asks about a token of its own."""
        answer = self._told(asked, lambda request: self._server.create_endpoint_response("introspection", request))
        if answer.body is not None and answer.body.get("active"):
            answer.body |= {"iss": asked.issuer, "aud": asked.issuer}
        return answer

    def push(self, asked: Asked) -> Answer:
        """RFC 9126: an authorization request, before a browser is sent here."""
        return self._told(asked, self._push)

    def _push(self, request: AppRequest) -> Answer:
        if "request_uri" in request.payload.data:
            raise InvalidRequestError("A pushed request holds the request itself, and no request_uri.")
        client = self._server.authenticate_client(request, METHODS, "token").registered
        if client.client_id != request.payload.client_id:
            raise InvalidRequestError("client_id is not of the app that authenticates.")
        fields = {name: values for name, values in request.payload.datalist.items() if name != "client_secret"}
        print_ = request.key_print
        if print_ is not None and fields.setdefault("dpop_jkt", [print_]) != [print_]:
            raise InvalidRequestError("dpop_jkt is not of the key that signs the proof.")
        try:
            self._server.get_consent_grant(AppRequest(request.asked, fields))
        except OAuth2Error as error:
            # The app itself asks here, so it is told here.
            error.redirect_uri = None
            raise
        name = self.pushed.keep(client, msgspec.json.encode(fields).decode())
        body = {"request_uri": name, "expires_in": KEPT_SECONDS}
        return Answer(status=201, body=body, headers={"Cache-Control": "no-store"})

    def _told(self, asked: Asked, run: Any) -> Answer:
        """An app's own request, answered; the proof of its key, if it sends one, is checked before anything else."""
        try:
            request = AppRequest(asked, asked.fields)
            proof = asked.headers.get("dpop")
            if proof is not None:
                request.key_print = self.proofs.check(proof, method=asked.method, url=asked.url)
            answer: Answer = run(request)
        except BadProof as bad:
            body = {"error": bad.code, "error_description": str(bad)}
            answer = Answer(status=400, body=body, headers={"Cache-Control": "no-store"})
        except NotAllowed as refused:
            body = {"error": "temporarily_unavailable", "error_description": str(refused)}
            answer = Answer(status=429, body=body, headers={"Cache-Control": "no-store", "Retry-After": "60"})
        except OAuth2Error as error:
            answer = self._server.handle_error_response(None, error)
        if "dpop" in asked.headers:
            answer.headers["DPoP-Nonce"] = self.proofs.nonce()
        return answer


def metadata(issuer: str) -> dict[str, Any]:
    """What an app has to know to speak with us (RFC 8414, RFC 9728 is for resource servers)."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "pushed_authorization_request_endpoint": f"{issuer}/oauth/par",
        "require_pushed_authorization_requests": False,
        "scopes_supported": list(BY_NAME),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_methods_supported": METHODS,
        "introspection_endpoint_auth_methods_supported": METHODS[:2],
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
        "authorization_response_iss_parameter_supported": True,
    }


def _one(fields: Mapping[str, list[str]], name: str) -> str | None:
    values = fields.get(name, [])
    return values[0] if len(values) == 1 else None
