"""Copies. In: a private folder that is in use. Out: a copy from which it can be restored, taken between two folds.

    all else          ──▶ first: what is noted of a load never runs ahead of the journal beside it
    store.duckdb      ──▶ then: after a checkpoint, while its one owner stands still
    journal/          ──▶ then: it holds all that the store has read, and more
    keys/seasons/     ──▶ last, if asked for: no record lacks its season's key

The gate's key is never copied: with it and the public board anybody could take the noise away again. A restored gate
makes a new one, so what it publishes again has other noise. Season keys are copied if they were asked for.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb

from footlights.private.vault.manifest import FILE, read_manifest, segments_in
from footlights.private.vault.rooms import ROOMS_FILE
from footlights.private.vault.seasons import DESTROYED_FILE, SeasonKeys
from footlights.private.vault.store import STORE_FILE
from footlights.terms.errors import VaultDamaged
from footlights.terms.seasons import parse_season

_SEASON_KEYS = Path("keys", "seasons")
#: Never copied: the gate's key, the log's (who has it can sign another history), what one process tells another, what
#: is being written, and what a viewer may read once.
_LEFT = ("gate.key", "log.key", "counts.json", "copy.ask", "copy.answer")
_LEFT_ENDINGS = (".lock", ".draft", ".new", ".export.json", ".export.taken")
_COPY = "import shutil, sys; shutil.copyfile(*sys.argv[1:])"


def copy_rest(private: Path, to: Path) -> None:
    """Copy what is neither journal nor store: write keys, opt-outs, receipts, how far loads have come."""
    for file in sorted(private.rglob("*")):
        below = file.relative_to(private)
        if not file.is_file() or below.parts[0] == "journal" or _is_left(below):
            continue
        (to / below).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copy2(file, to / below)


def copy_store(store: duckdb.DuckDBPyConnection, private: Path, to: Path) -> None:
    """Copy the store of a folder that this process holds. Nothing may use it meanwhile."""
    store.execute("CHECKPOINT")
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    # In a process of its own: to close any descriptor of the file would end this one's lock on it.
    subprocess.run([sys.executable, "-I", "-c", _COPY, str(private / STORE_FILE), str(to / STORE_FILE)], check=True)
    (to / STORE_FILE).chmod(0o600)


def copy_sealed(private: Path, to: Path) -> None:
    """Copy the segments that have ended, ahead of time: copy_journal then has less to do. Any process may."""
    journal, copied = private / "journal", to / "journal"
    copied.mkdir(mode=0o700, parents=True, exist_ok=True)
    sealed = read_manifest(journal).sealed
    for name in sorted(segments_in(journal) & set(sealed)):
        try:
            shutil.copy2(journal / name, copied / name)
        except FileNotFoundError:  # retired since
            (copied / name).unlink(missing_ok=True)


def copy_journal(private: Path, to: Path) -> None:
    """Copy the journal, which may grow meanwhile. Nothing may retire or rewrite its segments."""
    journal, copied = private / "journal", to / "journal"
    copied.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (journal / FILE).exists():
        return
    # Its steps first: a segment that they name is there, and one that begins after them need not be.
    shutil.copy2(journal / FILE, copied / FILE)
    named = segments_in(journal) - read_manifest(journal).retired
    for name in sorted(named):
        if not _is_same(journal / name, copied / name):
            shutil.copy2(journal / name, copied / name)
    for name in segments_in(copied) - named:
        (copied / name).unlink()


def keys_folder(private: Path) -> Path:
    """Where the season keys of a private folder are."""
    return private / _SEASON_KEYS


def copy_season_keys(private: Path, to: Path) -> None:
    """Copy the keys of the seasons: with them and the journal, whoever knows a viewer's id finds what they did."""
    copied = keys_folder(to)
    copied.mkdir(mode=0o700, parents=True, exist_ok=True)
    for key in keys_folder(private).glob("????-??.key"):
        shutil.copy2(key, copied / key.name)


def fingerprints(seasons: Path) -> dict[str, str]:
    """Season -> a hash of its key, which tells keys apart and nothing of them. seasons: a folder of season keys."""
    return {
        path.stem: hashlib.blake2b(path.read_bytes(), digest_size=16, person=b"fingerprint").hexdigest()
        for path in sorted(seasons.glob("????-??.key"))
    }


def destroyed_before(seasons: Path) -> str:
    """The first season whose key a folder of keys may have, such as 2026-11; "" before any was destroyed."""
    mark = seasons / DESTROYED_FILE
    return mark.read_text("ascii").strip() if mark.exists() else ""


def bar_seasons(private: Path, *, before: str) -> None:
    """Accept no event of a season before this one, such as 2026-12, any more, and destroy their keys."""
    SeasonKeys(private / _SEASON_KEYS).destroy_before(parse_season(before))


def check_unused(private: Path, *, journal: bool = True) -> None:
    """Raises VaultDamaged if a gate holds the store, or a collector or a load the journal, if that is asked."""
    for name in segments_in(private / "journal") if journal else ():
        with (private / "journal" / name).open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                raise VaultDamaged("The journal is being written. Stop `footlights up` first.") from None
    if (private / STORE_FILE).exists():
        try:
            duckdb.connect(str(private / STORE_FILE), read_only=True).close()
        except duckdb.IOException as error:
            if "lock" in str(error).lower():
                raise VaultDamaged("The store is in use. Stop `footlights up` first.") from None
        except duckdb.Error:
            return  # one that is damaged is what a backup is for


def _is_left(below: Path) -> bool:
    name = below.name
    is_season_key = below.parent == _SEASON_KEYS and below.suffix == ".key"
    return is_season_key or name in _LEFT or name.startswith((STORE_FILE, ROOMS_FILE)) or name.endswith(_LEFT_ENDINGS)


def _is_same(file: Path, copied: Path) -> bool:
    if not copied.exists():
        return False
    now, then = file.stat(), copied.stat()
    return (now.st_size, now.st_mtime_ns) == (then.st_size, then.st_mtime_ns)
