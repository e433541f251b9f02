"""Season keys: made once, destroyed for good, and hashes that are what the docstrings say."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from footlights.private.vault.records import subject_key
from footlights.private.vault.seasons import SeasonKeys
from footlights.terms.errors import BadEvent, VaultDamaged
from footlights.terms.seasons import parse_season, season_start_utc

NOV, DEC = parse_season("2026-11"), parse_season("2026-12")
VIDEO = np.array([subject_key("video", "v1")], dtype=np.int64)


@pytest.fixture
def keys(tmp_path: Path) -> SeasonKeys:
    return SeasonKeys(tmp_path / "seasons")


def test_a_key_is_made_on_first_use_with_32_bytes_for_its_owner_alone(keys: SeasonKeys) -> None:
    assert not keys.exists(NOV)
    keys.tokens(NOV, ["ann"])
    path = keys.folder / "2026-11.key"
    assert keys.exists(NOV) and keys.seasons() == [NOV]
    assert path.stat().st_size == 32 and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.folder.stat().st_mode) == 0o700


def test_another_process_finds_the_same_key(keys: SeasonKeys) -> None:
    code = (
        "import sys; from pathlib import Path; from footlights.private.vault.seasons import SeasonKeys\n"
        f"print(SeasonKeys(Path(sys.argv[1])).tokens({NOV}, ['ann']).tobytes().hex())"
    )
    command = [sys.executable, "-c", code, str(keys.folder)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    told = {process.communicate()[0].strip() for process in running}
    assert told == {keys.tokens(NOV, ["ann"]).tobytes().hex()}
    assert [path.name for path in keys.folder.iterdir()] == ["2026-11.key"]


def test_threads_that_start_a_season_together_use_one_key(keys: SeasonKeys) -> None:
    def first_token(season: int) -> bytes:
        together.wait(10)
        return SeasonKeys(keys.folder).tokens(season, ["ann"]).tobytes()

    together = threading.Barrier(8)
    with ThreadPoolExecutor(8) as threads:
        for season in range(NOV, NOV + 25):
            told = set(threads.map(first_token, [season] * 8))
            assert told == {SeasonKeys(keys.folder).tokens(season, ["ann"]).tobytes()}


def test_what_a_crash_left_beside_a_key_does_not_change_it(keys: SeasonKeys) -> None:
    token = keys.tokens(NOV, ["ann"]).tobytes()
    os.link(keys.folder / "2026-11.key", keys.folder / f"2026-12.{os.getpid()}-{threading.get_ident()}.new")
    keys.tokens(DEC, ["ann"])
    assert SeasonKeys(keys.folder).tokens(NOV, ["ann"]).tobytes() == token


def derived(keys: SeasonKeys, purpose: bytes) -> bytes:
    secret = (keys.folder / "2026-11.key").read_bytes()
    return blake2b(b"", key=secret, digest_size=32, person=purpose).digest()


def cbc_mac(secret: bytes, message: bytes) -> bytes:
    """One message at a time, by the library's own mode."""
    return Cipher(algorithms.AES(secret), modes.CBC(bytes(16))).encryptor().update(message)[-16:]


def test_a_token_is_the_mac_of_the_viewer(keys: SeasonKeys) -> None:
    tokens = keys.tokens(NOV, ["ann", "bob", "ann"])
    assert tokens.shape == (3, 16)
    expected = cbc_mac(derived(keys, b"token"), b"\3\0\0\0ann".ljust(16, b"\0"))
    assert tokens[0].tobytes() == tokens[2].tobytes() == expected
    assert keys.viewers(tokens)[1] == int.from_bytes(tokens[1, :8].tobytes(), "little", signed=True)


def test_a_viewer_is_somebody_else_in_the_next_season(keys: SeasonKeys) -> None:
    assert keys.tokens(NOV, ["ann"]).tobytes() != keys.tokens(DEC, ["ann"]).tobytes()


def test_a_pair_is_the_cbc_mac_of_viewer_and_subject(keys: SeasonKeys) -> None:
    token = keys.tokens(NOV, ["ann"])
    message = token.tobytes() + int(VIDEO[0]).to_bytes(8, "little", signed=True) + bytes(8)
    mac = cbc_mac(derived(keys, b"pair"), message)
    assert keys.pairs(NOV, token, VIDEO)[0] == int.from_bytes(mac[:8], "little", signed=True)


def test_a_session_is_the_mac_of_viewer_and_id_and_a_message_of_its_id(keys: SeasonKeys) -> None:
    token = keys.tokens(NOV, ["ann"])
    named = b"\2\0\0\0s1".ljust(16, b"\0")
    session = cbc_mac(derived(keys, b"session"), token.tobytes() + named)
    message = cbc_mac(derived(keys, b"message"), named)
    assert keys.sessions(NOV, token, ["s1"])[0] == int.from_bytes(session[:8], "little", signed=True)
    assert keys.messages(NOV, ["s1"])[0] == int.from_bytes(message[:8], "little", signed=True)


def test_pairs_of_different_viewers_subjects_and_seasons_differ(keys: SeasonKeys) -> None:
    viewers = [f"u{number}" for number in range(500)]
    subjects = np.arange(-250, 250, dtype=np.int64)
    tokens = keys.tokens(NOV, viewers)
    one_video = keys.pairs(NOV, tokens, np.repeat(VIDEO, 500))
    one_viewer = keys.pairs(NOV, np.repeat(tokens[:1], 500, axis=0), subjects)
    another_season = keys.pairs(DEC, keys.tokens(DEC, viewers), np.repeat(VIDEO, 500))
    assert len(set(np.concatenate((one_video, one_viewer, another_season)).tolist())) == 1500


def test_many_at_once_are_hashed_as_one_by_one(keys: SeasonKeys) -> None:
    viewers = ["ann", "bob", "é" * 256, "ann"]
    subjects = np.array([1, -1, 2**62, 0], dtype=np.int64)
    tokens = keys.tokens(NOV, viewers)
    for row, (viewer, subject) in enumerate(zip(viewers, subjects, strict=True)):
        token = keys.tokens(NOV, [viewer])
        assert token.tobytes() == tokens[row].tobytes()
        assert keys.pairs(NOV, token, np.array([subject]))[0] == keys.pairs(NOV, tokens, subjects)[row]
        assert keys.messages(NOV, [viewer])[0] == keys.messages(NOV, viewers)[row]
        assert keys.sessions(NOV, token, ["s"])[0] == keys.sessions(NOV, tokens, ["s"] * 4)[row]


def test_nobody_is_hashed_to_nothing(keys: SeasonKeys) -> None:
    none = keys.tokens(NOV, [])
    assert none.shape == (0, 16)
    assert len(keys.viewers(none)) == len(keys.pairs(NOV, none, np.zeros(0, dtype=np.int64))) == 0
    assert len(keys.messages(NOV, [])) == len(keys.sessions(NOV, none, [])) == 0


def test_a_session_belongs_to_its_viewer_and_no_session_is_zero(keys: SeasonKeys) -> None:
    tokens = keys.tokens(NOV, ["ann", "bob", "ann", "ann"])
    sessions = keys.sessions(NOV, tokens, ["1", "1", "1", ""])
    assert sessions[0] == sessions[2] != sessions[1]
    assert sessions[3] == 0


def test_a_row_without_a_message_id_is_known_by_its_time_and_kind(keys: SeasonKeys) -> None:
    at_ms = np.repeat(np.array([0, 1, 1_700_000_000_123], dtype=np.int64), 16)
    kinds = np.tile(np.arange(1, 17, dtype=np.uint8), 3)
    assert len(set(keys.row_messages(at_ms, kinds).tolist())) == 48


def test_a_destroyed_season_takes_no_event_and_never_gets_a_key_again(keys: SeasonKeys) -> None:
    keys.tokens(NOV, ["ann"])
    keys.tokens(DEC, ["ann"])
    assert keys.destroy_before(DEC) == [NOV]
    assert keys.is_destroyed(NOV) and not keys.exists(NOV) and keys.exists(DEC)
    assert keys.open_from_ms() == season_start_utc(DEC) * 1000
    for attempt in (keys, SeasonKeys(keys.folder)):
        with pytest.raises(BadEvent, match="2026-12 or later"):
            attempt.tokens(NOV, ["ann"])
    assert keys.seasons() == [DEC]


def test_a_collector_that_runs_forgets_a_key_that_another_process_destroyed(keys: SeasonKeys) -> None:
    collector = SeasonKeys(keys.folder)
    collector.tokens(NOV, ["ann"])
    keys.destroy_before(DEC)
    with pytest.raises(BadEvent):
        collector.tokens(NOV, ["ann"])


def test_destroying_overwrites_the_key_before_it_unlinks_it(keys: SeasonKeys, tmp_path: Path) -> None:
    keys.tokens(NOV, ["ann"])
    os.link(keys.folder / "2026-11.key", tmp_path / "same file")
    keys.destroy_before(DEC)
    assert (tmp_path / "same file").read_bytes() == bytes(32)


def test_destroying_again_or_earlier_changes_nothing(keys: SeasonKeys) -> None:
    keys.tokens(DEC, ["ann"])
    keys.destroy_before(DEC)
    assert keys.destroy_before(DEC) == keys.destroy_before(NOV) == []
    assert keys.open_from_ms() == season_start_utc(DEC) * 1000 and keys.exists(DEC)


def test_a_crash_between_the_bar_and_the_keys_leaves_them_to_the_next_call(keys: SeasonKeys) -> None:
    keys.tokens(NOV, ["ann"])
    (keys.folder / "destroyed_before").write_text("2026-12")
    with pytest.raises(BadEvent):
        keys.tokens(NOV, ["ann"])
    assert keys.destroy_before(DEC) == [NOV] and keys.seasons() == []


def test_a_cut_key_is_an_error_and_not_a_new_key(keys: SeasonKeys) -> None:
    keys.tokens(NOV, ["ann"])
    (keys.folder / "2026-11.key").write_bytes(bytes(31))
    with pytest.raises(VaultDamaged, match=r"2026-11\.key has 31 bytes"):
        SeasonKeys(keys.folder).tokens(NOV, ["ann"])


def test_a_bar_that_cannot_be_read_is_an_error_and_not_no_bar(keys: SeasonKeys) -> None:
    (keys.folder / "destroyed_before").write_text("soon")
    with pytest.raises(VaultDamaged, match="destroyed_before"):
        keys.tokens(NOV, ["ann"])
