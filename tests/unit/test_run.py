"""The script `run`: makes .venv once, makes it again when it is half-made or stale, says what is missing.

A stand-in takes the place of Python: it notes what it is asked for, and its `-m venv` makes an environment of itself.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

STAND_IN = """#!/bin/sh
case "$*" in
*version_info*) exit 0 ;;
*ensurepip*) exit ${{NO_VENV:-0}} ;;
"-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" &&
    printf '#!/bin/sh\\necho footlights "$@"\\n(: >&9) 2>/dev/null && echo and holds the lock\\nexit 0\\n' \\
        >"$3/bin/footlights" && chmod +x "$3/bin/footlights" && echo venv >>"{notes}" ;;
*flock*) exec "{python}" "$@" ;;
*"pip"*"--require-hashes"*) [ -z "${{CUT:-}}" ] && sleep "${{TAKES:-0}}" && echo lock >>"{notes}" ;;
*"pip"*" -e "*) echo package >>"{notes}" ;;
*pytest*) echo "$@" ;;
esac
"""

STATIC = ("src/footlights/public/web/static", "src/footlights/private/collect/static")


class Checkout:
    """A checkout with nothing in it but what `run` looks at."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a checkout"
        self.notes = folder / "notes"
        (self.root / "requirements").mkdir(parents=True)
        (self.root / "src/footlights/public/web/assets").mkdir(parents=True)
        (self.root / "src/footlights/private/collect/assets").mkdir(parents=True)
        for built in STATIC:
            (self.root / built).mkdir()
        shutil.copy(ROOT / "run", self.root)
        for name in (
            "pyproject.toml",
            "hatch_build.py",
            "requirements/dev.lock",
            "src/footlights/public/web/assets/app.css",
            "src/footlights/private/collect/assets/footlights.js",
        ):
            (self.root / name).write_text(name, "utf-8")
        (folder / "bin").mkdir()
        self.python = folder / "bin" / "python3"
        self.python.write_text(STAND_IN.format(notes=self.notes, python=sys.executable), "utf-8")
        self.python.chmod(0o755)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.python.parent}:/usr/bin:/bin"
        return subprocess.run(
            [str(self.root / "run"), *arguments],
            env={"PATH": path, "PYTHON": str(self.python), **environment},
            cwd=self.root.parent,
            capture_output=True,
            text=True,
            check=False,
        )

    def done(self) -> list[str]:
        """What was set up since the last look."""
        lines = self.notes.read_text("utf-8").split() if self.notes.exists() else []
        self.notes.unlink(missing_ok=True)
        return lines


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_first_start_makes_everything_and_runs_the_command(checkout: Checkout) -> None:
    result = checkout.run("footlights", "report", "--creator", "two words")
    assert result.stdout == "footlights report --creator two words\n"
    assert checkout.done() == ["venv", "lock", "package"]


def test_the_second_start_makes_nothing(checkout: Checkout) -> None:
    checkout.run("demo")
    checkout.done()
    assert checkout.run("demo", "--from", "x").stdout == "footlights demo --from x\n"
    assert checkout.done() == []


def test_a_set_up_that_was_cut_short_is_made_again(checkout: Checkout) -> None:
    assert checkout.run("demo", CUT="1").returncode == 1
    assert checkout.done() == ["venv"]
    assert checkout.run("demo").returncode == 0
    assert checkout.done() == ["venv", "lock", "package"]


def test_commands_that_start_together_make_everything_once(checkout: Checkout) -> None:
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(lambda name: checkout.run("footlights", name, TAKES="0.3"), "abc"))
    assert [result.stdout for result in results] == [f"footlights {name}\n" for name in "abc"]
    assert checkout.done() == ["venv", "lock", "package"]


def test_a_changed_lock_file_makes_the_environment_again(checkout: Checkout) -> None:
    checkout.run("demo")
    checkout.done()
    (checkout.root / "requirements" / "dev.lock").write_text("other", "utf-8")
    checkout.run("demo")
    assert checkout.done() == ["venv", "lock", "package"]


@pytest.mark.parametrize(
    "name",
    [
        "pyproject.toml",
        "hatch_build.py",
        "src/footlights/public/web/assets/app.css",
        "src/footlights/private/collect/assets/footlights.js",
    ],
)
def test_a_changed_source_of_the_build_builds_the_package_alone(checkout: Checkout, name: str) -> None:
    checkout.run("demo")
    checkout.done()
    (checkout.root / name).write_text("other", "utf-8")
    checkout.run("demo")
    assert checkout.done() == ["package"]


@pytest.mark.parametrize("folder", STATIC)
def test_assets_that_are_gone_are_built_again(checkout: Checkout, folder: str) -> None:
    checkout.run("demo")
    checkout.done()
    (checkout.root / folder).rmdir()
    checkout.run("demo")
    assert checkout.done() == ["package"]


def test_a_checkout_that_was_moved_makes_its_environment_again(checkout: Checkout) -> None:
    checkout.run("demo")
    checkout.done()
    checkout.root = checkout.root.rename(checkout.root.with_name("elsewhere"))
    checkout.run("demo")
    assert checkout.done() == ["venv", "lock", "package"]


def test_an_old_python_is_refused_with_the_versions_that_would_do(checkout: Checkout) -> None:
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        stand_in = checkout.python.parent / name
        stand_in.write_text("#!/bin/sh\nexit 1\n", "utf-8")
        stand_in.chmod(0o755)
    result = checkout.run("demo")
    assert result.returncode == 1
    assert "Python 3.11, 3.12 or 3.13 is needed" in result.stderr


def test_a_python_without_venv_is_refused_with_the_package_to_install(checkout: Checkout) -> None:
    result = checkout.run("demo", NO_VENV="1")
    assert result.returncode == 1
    assert "apt install python3-venv" in result.stderr
    assert not (checkout.root / ".venv").exists()


def test_arguments_of_test_go_to_pytest(checkout: Checkout) -> None:
    assert checkout.run("test", "-k", "ticks").stdout == "-m pytest -n auto --dist loadfile -m not slow -k ticks\n"
    assert checkout.run("test-all").stdout == "-m pytest -n auto --dist loadfile --hypothesis-profile=thorough\n"


@pytest.mark.parametrize("arguments", [(), ("dance",)])
def test_an_unknown_command_shows_the_known_ones_and_sets_nothing_up(
    checkout: Checkout, arguments: tuple[str, ...]
) -> None:
    result = checkout.run(*arguments)
    assert result.returncode == 2
    assert "./run" in result.stderr and "demo" in result.stderr
    assert checkout.done() == []
