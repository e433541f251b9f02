"""The gate's own keys: two gates that start together have one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from footlights.gate.keys import KEY_BYTES, gate_key
from footlights.gate.notary import LogKeys
from footlights.terms.errors import VaultDamaged

GATES = 8


def _together(make: Callable[[], bytes]) -> set[bytes]:
    """What so many gates get that ask at one moment."""
    barrier = Barrier(GATES)

    def at_once(_: int) -> bytes:
        barrier.wait()
        return make()

    with ThreadPoolExecutor(GATES) as pool:
        return set(pool.map(at_once, range(GATES)))


@pytest.mark.parametrize("deployment", range(5))
def test_gates_that_start_together_have_one_key_for_noise_and_one_for_the_log(tmp_path: Path, deployment: int) -> None:
    assert len(_together(lambda: gate_key(tmp_path))) == 1
    assert len(_together(lambda: LogKeys(tmp_path).public)) == 1
    assert [path.name for path in sorted((tmp_path / "keys").iterdir())] == ["gate.key", "log.key"]
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()} == {0o600}


def test_a_key_is_never_made_anew_where_there_is_one_and_a_cut_one_is_refused(tmp_path: Path) -> None:
    key = gate_key(tmp_path)
    assert len(key) == KEY_BYTES and gate_key(tmp_path) == key
    (tmp_path / "keys" / "gate.key").write_bytes(key[:-1])
    with pytest.raises(VaultDamaged, match=r"gate\.key is cut"):
        gate_key(tmp_path)
