"""Settings: one table, four sources, no silent change of a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from footlights.settings import BY_NAME, SETTINGS, Setting, load_settings
from footlights.terms.errors import BadSetting


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in SETTINGS:
        monkeypatch.delenv(f"FOOTLIGHTS_{setting.name.upper()}", raising=False)


def write(folder: Path, text: str) -> None:
    (folder / "settings.toml").write_text(text, "utf-8")


def test_without_any_source_every_setting_has_its_default(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert {setting.name: getattr(settings, setting.name) for setting in SETTINGS} == {
        setting.name: setting.default for setting in SETTINGS
    }


def test_the_command_line_beats_the_environment_beats_the_file_beats_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings(tmp_path).serve_port == 8700
    write(tmp_path, "serve_port = 1001")
    assert load_settings(tmp_path).serve_port == 1001
    monkeypatch.setenv("FOOTLIGHTS_SERVE_PORT", "1002")
    assert load_settings(tmp_path).serve_port == 1002
    assert load_settings(tmp_path, over={"serve_port": 1003}).serve_port == 1003


def test_the_file_may_set_one_thing_and_leave_the_rest(tmp_path: Path) -> None:
    write(tmp_path, 'duckdb_memory = "8GB"')
    settings = load_settings(tmp_path)
    assert (settings.duckdb_memory, settings.serve_port) == ("8GB", 8700)


def test_an_unknown_name_in_the_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "serve_prot = 1001")
    with pytest.raises(BadSetting, match=r"settings\.toml: serve_prot is no setting"):
        load_settings(tmp_path)


def test_an_unknown_name_on_the_command_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="command line: colour is no setting"):
        load_settings(tmp_path, over={"colour": "red"})


def test_text_where_a_number_belongs_is_refused_with_the_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTLIGHTS_BODY_BYTES_MAX", "half a megabyte")
    with pytest.raises(BadSetting, match="FOOTLIGHTS_BODY_BYTES_MAX: body_bytes_max must be a whole number of bytes"):
        load_settings(tmp_path)


@pytest.mark.parametrize("value", ["8700.5", "true", "[8700]", '"8700.0"'])
def test_a_number_is_never_rounded_or_guessed(tmp_path: Path, value: str) -> None:
    write(tmp_path, f"serve_port = {value}")
    with pytest.raises(BadSetting, match="serve_port must be a whole number"):
        load_settings(tmp_path)


def test_a_number_below_the_least_is_refused_with_the_least(tmp_path: Path) -> None:
    write(tmp_path, "segment_bytes = 1")
    with pytest.raises(BadSetting, match="segment_bytes must be at least 65536 bytes"):
        load_settings(tmp_path)


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "serve_port: 1001")
    with pytest.raises(BadSetting, match=r"settings\.toml is not TOML"):
        load_settings(tmp_path)


def test_asking_for_a_setting_that_does_not_exist_is_a_programming_error(tmp_path: Path) -> None:
    with pytest.raises(AttributeError, match="colour"):
        _ = load_settings(tmp_path).colour


def test_no_two_settings_share_a_name() -> None:
    assert len(BY_NAME) == len(SETTINGS)


@pytest.mark.parametrize("setting", SETTINGS, ids=BY_NAME)
def test_every_setting_has_a_sentence_and_a_number_has_a_unit(setting: Setting) -> None:
    assert setting.help.endswith(".")
    assert bool(setting.unit) is isinstance(setting.default, int)
    assert isinstance(setting.default, str) or setting.default >= setting.least
