"""There is no scope, field or parameter through which a viewer could be named.

Every schema that an answer is made of is walked, and every parameter that a request may hold. A number is a figure, or
one of the few that are listed here; a text is one of those that are listed here, each with what it is of. A new one
fails until somebody says what it is of; what is of a viewer has no place in the lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from footlights.public.accounts.apps.scopes import PURPOSES, SCOPES
from footlights.public.web import openapi, watching
from footlights.public.web.api import ENDPOINTS
from footlights.public.web.apps import NEEDS
from footlights.public.web.described import with_apps
from footlights.terms.figures import Figure

#: Properties that are no figure, by what they are of.
OF = {
    "a creator": (
        "avatar_large_url avatar_url avatar_url_100 bio_description creator display_name handle id name open_id "
        "profile_deep_link tier union_id username"
    ),
    "a video": (
        "cover_image_url create_time duration duration_ms embed_html embed_link hashtags posted_at removed share_url "
        "sound title video video_description video_ids"
    ),
    "a moment or a period": (
        "age_seconds as_of at copy_of days doubles_in_seconds granularity hour over_seconds raw_event_days season "
        "since starts through timestamp until"
    ),
    "how a list is read": "best cursor found has_more max_count video_count videos worst",
    "what is drawn": (
        "axes earlier from_percent having high key kind left left_out low lower "
        "metric middle more more_than_noise other percent state step to_percent upper usual usual_day usual_factor "
        "usual_high usual_low value verdict"
    ),
    "a live room, a poll in it, or what its host said": (
        "closed fewer_than from_minute minute minutes reaction started_at text tick to_minute what why why_not"
    ),
    "public counts": "comment_count follower_count like_count likes_count share_count view_count",
    "the promise": (
        "bound channel delta epsilon everything_epsilon everything_rho families family law policy_digest protects rho "
        "unit"
    ),
    "the log that proves figures": (
        "checkpoint endorsement in_log in_minute origin path policies public size to verifier"
    ),
    "an answer": "code data detail error error_description log_id message reason status type",
    "an app": (
        "access_token active app aud client_id cnf exp expires_in iat iss refresh_token request_uri scope sub "
        "token_type"
    ),
}  # fmt: skip
KNOWN = {name for names in OF.values() for name in names.split()}
PARAMETERS = set(
    "after client_id client_secret code code_challenge code_challenge_method code_verifier creator cursor days dpop "
    "dpop_jkt fields format from grant_type granularity ids if-modified-since if-none-match kind leaf live "
    "last-event-id log max_count metric metrics minute order other place posted_from posted_to q redirect_uri "
    "refresh_token response_type scope since sort state to token until video".split()
)
NAMES_A_VIEWER = re.compile(
    r"(?i)(viewer|user|member|person|people|visitor|follower|commenter|liker|device|session|account|email|phone|ip|agent|"
    r"anonymous|pseudonym)s?(_?(id|ids|name|names|key|handle|hash|list|address))?"
)
#: Aggregates of viewers and of followers, whose names say so: each is a figure, or a public count.
AGGREGATES = {"viewers", "followers"}
#: What TikTok calls the creator whose token it is.
THE_CREATOR = {"user", "username"}


def unclassified(document: dict[str, Any]) -> list[str]:
    """Properties and parameters of a description that nobody has said of whom they are."""
    found = []
    for name, schema in document["components"]["schemas"].items():
        if name == "Figure":
            continue
        for field, inside in schema.get("properties", {}).items():
            named = NAMES_A_VIEWER.fullmatch(field) and field not in AGGREGATES | THE_CREATOR
            if named or (field not in KNOWN and not _all_figures(inside, document)):
                found.append(f"{name}.{field}")
    found += [name for name in _parameters(document) if name.lower() not in PARAMETERS]
    return found


def _all_figures(schema: dict[str, Any], document: dict[str, Any]) -> bool:
    """Whether a schema holds nothing but other components, which are walked by themselves, figures among them."""
    if "$ref" in schema:
        return True
    if "anyOf" in schema:
        return all(_all_figures(each, document) for each in schema["anyOf"])
    if schema.get("type") == "array":
        inside = [schema["items"]] if schema.get("items") else schema.get("prefixItems", [{}])
        return all(_all_figures(each, document) for each in inside)
    if schema.get("type") == "object":
        return _all_figures(schema.get("additionalProperties", {}), document)
    return schema.get("type") == "null"


def _parameters(document: dict[str, Any]) -> Iterator[str]:
    for path, operations in document["paths"].items():
        yield from re.findall(r"{(\w+)}", path)
        for operation in operations.values():
            yield from (parameter["name"] for parameter in operation.get("parameters", ()))
            for content in operation.get("requestBody", {}).get("content", {}).values():
                yield from content["schema"].get("properties", {})


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return with_apps(openapi.document())


def test_nothing_that_is_answered_or_asked_could_name_a_viewer(document: dict[str, Any]) -> None:
    assert unclassified(document) == []


def test_a_figure_is_a_metric_and_numbers(document: dict[str, Any]) -> None:
    fields = {field.name for field in msgspec.structs.fields(Figure)}
    assert set(document["components"]["schemas"]["Figure"]["properties"]) == fields
    assert fields == {"metric", "value", "low", "high", "state", "exact", "as_of", "tick"}


class _Commenter(msgspec.Struct):
    viewer_id: str


class _Visitor(msgspec.Struct):
    nickname: str


@pytest.mark.parametrize("kind", [_Commenter, _Visitor])
def test_a_schema_with_somebody_in_it_fails(document: dict[str, Any], kind: type) -> None:
    _, components = msgspec.json.schema_components([kind], ref_template="#/components/schemas/{name}")
    mine = {**document["components"], "schemas": document["components"]["schemas"] | components}
    assert unclassified({**document, "components": mine})


@pytest.mark.parametrize("name", ["viewer", "user_id", "follower"])
def test_a_parameter_that_asks_for_somebody_fails(document: dict[str, Any], name: str) -> None:
    operation = {"parameters": [{"name": name, "in": "query"}]}
    assert unclassified({**document, "paths": {**document["paths"], "/api/v1/x": {"get": operation}}}) == [name]


def test_every_route_of_the_api_says_what_an_app_needs_or_is_open_to_none() -> None:
    private = {endpoint.path for endpoint in ENDPOINTS if endpoint.access.name != "PUBLIC"}
    assert set(NEEDS) == private | {watching.PATH}, "say in web/apps.py which scopes a new route needs"
    scopes = {scope.name for scope in SCOPES}
    assert all(needs and needs <= scopes for needs in NEEDS.values())


def test_what_is_about_the_audience_needs_the_scope_of_it() -> None:
    for endpoint in ENDPOINTS:
        if endpoint.access.name.endswith("_PRO"):
            assert NEEDS[endpoint.path] == {"audience.insights"}


def test_no_scope_and_no_purpose_speaks_of_one_viewer() -> None:
    for text in [scope.name for scope in SCOPES] + [purpose.name for purpose in PURPOSES]:
        assert not NAMES_A_VIEWER.search(text.replace("user.info", ""))
