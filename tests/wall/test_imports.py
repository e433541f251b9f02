"""The import rules of pyproject.toml stand, and each of them is seen to catch a violation that is planted in a copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.wall.tree import MADE, ROOT

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]

#: A module, what it must not import, and the contracts that say so.
PLANTED = (
    ("terms/ticks.py", "footlights.settings", {"house"}),
    # Public rooms import the terms, so private code is within their reach here, through others.
    ("terms/ticks.py", "footlights.private.vault.records", {"house", "vault", "serve"}),
    ("settings.py", "footlights.public.board.read", {"house"}),
    ("private/vault/records.py", "footlights.gate.keys", {"house"}),
    ("private/measure/engine.py", "footlights.public.board.read", {"house"}),
    ("private/collect/intake.py", "footlights.private.measure.engine", {"private", "measure"}),
    ("private/vault/store.py", "footlights.private.collect.keys", {"private"}),
    ("public/board/read.py", "footlights.gate.keys", {"house", "serve"}),
    ("public/insights/moments.py", "footlights.private.vault.store", {"house", "serve", "vault"}),
    ("public/web/headers.py", "footlights.private.measure.engine", {"house", "serve", "measure"}),
    ("public/web/headers.py", "duckdb", {"serve"}),
    ("public/insights/moments.py", "footlights.public.web.headers", {"public"}),
    ("public/board/rows.py", "footlights.public.insights.moments", {"public", "gate"}),
    ("public/web/apps.py", "authlib.oauth2", {"apps"}),
    ("public/histories/tables.py", "footlights.public.board.read", {"histories"}),
    ("public/histories/views.py", "footlights.public.accounts.tokens", {"histories"}),
    ("public/histories/reading.py", "footlights.public.web.headers", {"public"}),
    ("public/insights/moments.py", "footlights.public.histories.words", {"public"}),
    ("public/web/history_pages.py", "footlights.public.histories.write", {"histories-write"}),
    ("public/histories/write.py", "footlights.public.board.write", {"board", "histories"}),
    ("studio.py", "footlights.gate.keys", {"serve"}),
    ("public/webhooks/sending.py", "footlights.public.web.headers", {"public"}),
    ("public/insights/moments.py", "footlights.public.webhooks.sending", {"public"}),
    ("public/languages/pseudo.py", "footlights.public.accounts.store", {"public"}),
    ("alerts/letter.py", "footlights.digest.letter", {"house"}),
    ("alerts/letter.py", "footlights.gate.keys", {"serve"}),
    ("mail.py", "footlights.alerts.letter", {"house"}),
    ("serve.py", "footlights.operate", {"house", "serve"}),
    ("gate/keys.py", "footlights.public.web.headers", {"gate"}),
    ("gate/plan.py", "footlights.private.vault.store", {"vault"}),
    ("gate/keys.py", "footlights.public.board.write", {"board"}),
    ("gate/keys.py", "footlights.terms.exact", {"exact"}),
    ("gate/mechanisms/sampler.py", "footlights.settings", {"mechanisms"}),
    ("gate/mechanisms/sampler.py", "footlights.gate.keys", {"gate-inside"}),
    ("operate.py", "footlights.private.vault.store", {"vault"}),
    ("operate.py", "footlights.private.measure.engine", {"measure"}),
    ("cli/keeping.py", "footlights.public.board.write", {"board"}),
    ("simulate/draws.py", "footlights.private.collect.intake", {"house"}),
    ("audit/canaries.py", "footlights.public.board.read", {"audit"}),
    ("audit/readers.py", "footlights.private.vault.journal", {"audit", "vault"}),
    ("operate.py", "footlights.audit.doors", {"house"}),
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package, its rules beside it."""
    folder = tmp_path_factory.mktemp("house")
    shutil.copytree(ROOT / "src" / "footlights", folder / "footlights", ignore=shutil.ignore_patterns(*MADE, "*.so"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def broken(house: Path) -> set[str]:
    """The contracts that the copy breaks, by id. A copy that cannot be checked at all is an error."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    result = subprocess.run(
        [*command, "--no-logo", "--cache-dir", "cache"],
        cwd=house,
        env=os.environ | {"PYTHONPATH": str(house), "COLUMNS": "1000"},
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = {
        contract["id"]: line.removeprefix(contract["name"]).split()[0]
        for contract in CONTRACTS
        for line in result.stdout.splitlines()
        if line.startswith(contract["name"] + " ")
    }
    assert verdicts.keys() == {contract["id"] for contract in CONTRACTS}, result.stdout + result.stderr
    assert (result.returncode == 0) == (set(verdicts.values()) == {"KEPT"})
    return {name for name, verdict in verdicts.items() if verdict == "BROKEN"}


def test_the_house_keeps_its_own_rules(house: Path) -> None:
    assert broken(house) == set()


@pytest.mark.parametrize(("module", "forbidden", "contracts"), PLANTED)
def test_a_planted_violation_is_caught(house: Path, module: str, forbidden: str, contracts: set[str]) -> None:
    path = house / "footlights" / module
    original = path.read_text("utf-8")
    path.write_text(f"{original}\n\ndef _planted() -> None:\n    import {forbidden}\n", "utf-8")
    try:
        assert broken(house) == contracts
    finally:
        path.write_text(original, "utf-8")


def test_a_new_room_without_a_place_in_the_house_is_caught(house: Path) -> None:
    path = house / "footlights" / "cellar.py"
    path.write_text('"""A room that nobody planned."""\n', "utf-8")
    try:
        assert broken(house) == {"house"}
    finally:
        path.unlink()


def test_every_contract_is_seen_to_catch_something() -> None:
    assert {name for _, _, contracts in PLANTED for name in contracts} == {contract["id"] for contract in CONTRACTS}
