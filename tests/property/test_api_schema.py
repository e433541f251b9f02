"""The API beside its own description: schemathesis makes up requests, well formed and not, and reads every answer.

Every check that it has is on. In `./run test` a few requests an endpoint, the same each time; in `./run test-all` all
of its phases, with thousands of others each time.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup

from footlights.public.accounts.creators import Accounts
from footlights.public.web import openapi
from footlights.public.web.api import ENDPOINTS
from footlights.terms.ticks import HOUR
from tests import boards, notaries
from tests.liveboards import make_live
from tests.web.serving import served

#: What is well formed may still ask for a period that has not begun (422) or for evidence of what has none (409).
CONFIG = {
    "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", "401", "403", "404", "409", "422"]}}
}
IDS = {"creator": ("ada", "eve", "nobody"), "video": ("a0", "a3", "nothing"), "live": ("l0", "nothing")}
EXAMPLES = 12
LONG_EXAMPLES = 150


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of a public side, and Ada's token."""
    data: Path = tmp_path_factory.mktemp("data")
    boards.make_board(
        data / "board",
        [boards.ACreator(id="ada", name="Ada", tier="pro", followers=900), boards.ACreator(id="eve")],
        [boards.AVideo(id=f"a{i}", creator="ada", age_seconds=(i + 1) * 11 * HOUR, reach=5000) for i in range(4)],
        every_tick=False,
    )
    notaries.sign(data)
    make_live(data / "board", "l0", "ada", [300] * 60)
    notaries.sign_live(data)
    accounts = Accounts(data / "public")
    token = accounts.redeem(accounts.make_login_link("ada", 5))
    accounts.close()
    with served(data) as port:
        yield f"http://127.0.0.1:{port}", token


def _try(described: Any, path: str, token: str) -> None:
    operation = described[path]["GET"]
    wrong, right = schemathesis.GenerationMode.NEGATIVE, schemathesis.GenerationMode.POSITIVE
    cases = st.one_of([operation.as_strategy(generation_mode=mode) for mode in (right, wrong)])

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate],
    )  # fmt: skip
    @given(case=cases, known=st.fixed_dictionaries({name: st.sampled_from(ids) for name, ids in IDS.items()}))
    def run(case: Any, known: dict[str, str]) -> None:
        # Ids that there are: with made-up ones all would end at 404.
        for name in case.path_parameters or {}:
            case.path_parameters[name] = known[name]
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"})

    run()


def _described(address: str, **changed: Any) -> Any:
    """The API's description, with some schemas of answers replaced."""
    document = openapi.document()
    document["components"]["schemas"] |= changed
    described = schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict(CONFIG))
    described.config.update(base_url=address)
    return described


@pytest.mark.parametrize("path", [endpoint.path for endpoint in ENDPOINTS])
def test_the_api_keeps_to_its_description_whatever_is_asked(site: tuple[str, str], path: str) -> None:
    address, token = site
    _try(_described(address), path, token)


def test_an_answer_that_is_not_as_described_is_found(site: tuple[str, str]) -> None:
    address, token = site
    wrong = _described(address, Figure={"type": "string"})
    with pytest.raises(FailureGroup):
        _try(wrong, "/api/v1/videos/{video}", token)


@pytest.mark.slow
def test_all_phases_of_schemathesis_find_nothing(site: tuple[str, str], tmp_path: Path) -> None:
    address, token = site
    settings_file = tmp_path / "schemathesis.toml"
    statuses = json.dumps(CONFIG["checks"]["positive_data_acceptance"]["expected-statuses"])
    settings_file.write_text(f"[checks.positive_data_acceptance]\nexpected-statuses = {statuses}\n", "utf-8")
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings_file), "run"]
    asked = [f"{address}/api/v1/openapi.json", "-H", f"Authorization: Bearer {token}", "-n", str(LONG_EXAMPLES)]
    asked += ["--include-path-regex", "^/(api|live)/"]  # what apps ask has tests of its own
    ran = subprocess.run([*command, *asked], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
    assert "Test cases:" in ran.stdout
