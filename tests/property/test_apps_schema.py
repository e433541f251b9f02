"""/oauth and /v2 keep to their description, whatever an app sends: what fits each operation, and what does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from footlights.public.web import openapi
from footlights.public.web.described import with_apps
from footlights.terms.ticks import HOUR
from tests import boards
from tests.apps import AppClient, registered
from tests.unit.public.web.conftest import Client
from tests.web.serving import served

EXAMPLES = 25
OPERATIONS = (
    ("/oauth/token", "POST"), ("/oauth/revoke", "POST"), ("/oauth/introspect", "POST"), ("/oauth/par", "POST"),
    ("/v2/user/info/", "GET"), ("/v2/video/list/", "POST"), ("/v2/video/query/", "POST"),
)  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of a site, and the token of an app that Ada let in."""
    from footlights.public.web.app import create_app
    from footlights.settings import load_settings

    data: Path = tmp_path_factory.mktemp("data")
    data.joinpath("settings.toml").write_text("app_requests_a_minute_max = 1000000\n", "utf-8")
    boards.make_board(
        data / "board",
        [boards.ACreator(id="ada", name="Ada", tier="pro", followers=900)],
        [boards.AVideo(id="a0", creator="ada", age_seconds=11 * HOUR)],
        every_tick=False,
    )
    app, secret = registered(data)
    token = AppClient(Client(create_app(data, load_settings(data))), data, app, secret).tokens()["access_token"]
    with served(data) as port:
        yield f"http://127.0.0.1:{port}", token


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_what_apps_are_answered_is_as_described_whatever_they_ask(
    site: tuple[str, str], path: str, method: str
) -> None:
    address, token = site
    described = schemathesis.openapi.from_dict(with_apps(openapi.document()), config=SchemathesisConfig.from_dict({}))
    described.config.update(base_url=address)
    operation = described[path][method]
    modes = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
    cases = st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes])
    # That a made-up code or token is refused is right, and no description can say which there are.
    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_schema_conformance,
    ]

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate],
    )  # fmt: skip
    @given(case=cases)
    def run(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=checks)

    run()
