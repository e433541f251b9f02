"""What the repository holds: documents that agree with the code, locks that agree with the package, no hosts."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from footlights.reference import pages
from footlights.settings import SETTINGS
from tests.wall.tree import ROOT, files, sources

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
#: Names of package registries, put together here so that this file is none that names them.
REGISTRIES = tuple(
    ".".join(parts).encode()
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("debian", "org"),
        ("jsdelivr", "net"),
        ("unpkg", "com"),
        ("cdnjs", "com"),
    )
)
MACHINE = re.compile(rb"/(?:root|work|home)/[a-z.]|/tmp/[a-z]+/v/")


def pins(name: str) -> dict[str, set[str]]:
    """What a lock file holds: the pinned versions of each package."""
    found: dict[str, set[str]] = {}
    for package, version in re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements" / name).read_text("utf-8"), re.M):
        found.setdefault(canonicalize_name(package), set()).add(version)
    return found


@pytest.mark.parametrize("name", ["settings.md", "metrics.md", "policy.md", "cli.md", "http-api.md", "apps.md"])
def test_a_generated_page_is_what_the_code_says(name: str) -> None:
    committed = (ROOT / "docs" / "reference" / name).read_text("utf-8")
    assert committed == pages()[name], "run ./run reference and commit what it writes"


def test_every_generated_page_is_compared() -> None:
    assert sorted(pages()) == ["apps.md", "cli.md", "http-api.md", "metrics.md", "policy.md", "settings.md"]


def test_every_setting_is_read_somewhere() -> None:
    code = "\n".join(
        (ROOT / "src" / "footlights" / path).read_text("utf-8") for path, _ in sources() if path != "settings.py"
    )
    unread = [setting.name for setting in SETTINGS if not re.search(rf"\b{setting.name}\b", code)]
    assert unread == []


def test_every_document_that_the_code_names_exists() -> None:
    named = {
        match
        for path in files()
        if path.suffix in {".py", ".sql", ".toml", ".html", ".md", ""} and "wall" not in path.parts
        for match in re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text("utf-8"))
    }
    assert named, "documents are named"
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_every_link_between_documents_leads_somewhere() -> None:
    lost = []
    for path in files():
        if path.suffix != ".md":
            continue
        prose = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose):
            if not re.match(r"[a-z]+:", target) and not (path.parent / target).exists():
                lost.append(f"{path.relative_to(ROOT)}: {target}")
    assert lost == []


def test_every_document_can_be_reached_from_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    pages_there = sorted(path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md"))
    assert [page for page in pages_there if page != "index.md" and f"]({page})" not in index] == []


def test_no_file_names_a_package_registry_s_host() -> None:
    named = [(path.relative_to(ROOT), host) for path in files() for host in REGISTRIES if host in path.read_bytes()]
    assert named == []


def test_no_file_names_a_folder_of_the_machine_it_was_written_on() -> None:
    assert [path.relative_to(ROOT) for path in files() if MACHINE.search(path.read_bytes())] == []


def test_the_locks_hold_what_the_package_asks_for() -> None:
    locked = pins("run.lock")
    for dependency in map(Requirement, PROJECT["dependencies"]):
        versions = locked[canonicalize_name(dependency.name)]
        assert all(version in dependency.specifier for version in versions), dependency.name


def test_the_tests_run_with_what_production_runs_with() -> None:
    production, development = pins("run.lock"), pins("dev.lock")
    assert {name: development[name] for name in production} == production


def test_the_development_lock_holds_everything_that_development_asks_for() -> None:
    asked = [
        Requirement(line).name
        for line in (ROOT / "requirements" / "dev.in").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    asked += [Requirement(line).name for line in build]
    assert {canonicalize_name(name) for name in asked} <= pins("dev.lock").keys()


@pytest.mark.parametrize("name", ["run.lock", "dev.lock"])
def test_every_pin_has_a_hash_and_no_place_to_fetch_it_from(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text("utf-8")
    entries = re.split(r"\n(?=\S)", text)
    packages = [entry for entry in entries if not entry.startswith("#")]
    assert packages
    assert all("--hash=sha256:" in entry and "://" not in entry for entry in packages)


def test_nothing_of_the_front_end_s_libraries_is_committed() -> None:
    ours = {
        ROOT / "src" / "footlights" / "public" / "web",
        ROOT / "src" / "footlights" / "private" / "collect" / "assets",
    }
    assert [path.name for path in files() if path.suffix == ".js" and not ours & {*path.parents}] == []
    assert [path.name for path in files() if ".min." in path.name] == []


def test_the_licence_is_the_apache_licence() -> None:
    text = Path(ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text and "Version 2.0, January 2004" in text
    assert PROJECT["license"] == "Apache-2.0"
