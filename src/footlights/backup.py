"""Backup. In: a data folder, whether it is in use or not. Out: a folder from which it can be restored, and restores it.

    TO/20261126T003000Z/manifest.json      what it holds, each file with its SHA-256
                        private/  board/  policy.toml  settings.toml

Never copies the gate's key, and season keys only when asked. Never writes over a data folder: what a restore replaces
is moved aside.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from footlights import __version__
from footlights.gate import copies
from footlights.gate.copies import Answer, Ask
from footlights.operate import open_gate
from footlights.settings import Settings
from footlights.terms.errors import BadBackup, VaultDamaged
from footlights.terms.policy import POLICY_FILE
from footlights.terms.seasons import parse_season, season_name

MANIFEST = "manifest.json"
FORMAT = 1
_PARTIAL = ".partial"
_LOCK = "backup.lock"
#: Where a restore puts a backup before it takes the place of what is there.
_DRAFT = "restoring"
_BESIDE = (POLICY_FILE, "settings.toml")
#: How long a gate that runs may take; a copy waits for what it folds and publishes.
PATIENCE_SECONDS = 900.0

Wait = Callable[[float], None]


class File(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of a backup is."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds. published_through: its clock, in seconds since 1970. seasons: fingerprints of their keys.

    with_keys: whether the season keys are in it.
    """

    format: int
    footlights: str
    made_at_utc: int
    published_through: int | None
    with_keys: bool
    seasons: dict[str, str]
    files: dict[str, File]

    @property
    def bytes(self) -> int:
        """How large it is."""
        return sum(file.bytes for file in self.files.values())


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore did. barred_before: the first season whose events count again, if season keys were missing.

    aside: where what it replaced has gone.
    """

    published_through: int | None
    keys: str
    barred_before: str | None
    aside: str | None


_manifest = msgspec.json.Decoder(Manifest)


def backup(
    data: Path,
    to: Path,
    settings: Settings,
    *,
    with_keys: bool = False,
    keep: int | None = None,
    wait: Wait = time.sleep,
) -> tuple[Path, Manifest]:
    """Make a backup in a folder of its own below `to`. keep: how many whole ones stay there, the newest; None: all.

    The deployment may run meanwhile. wait: called while the gate is waited for.
    Raises VaultDamaged if a gate holds the store and does not answer, BadBackup if it cannot write there or another is
    being made.
    """
    if not (data / "private").is_dir():
        raise BadBackup(f"{data} is no data folder: there is no private folder in it.")
    if to.resolve().is_relative_to(data.resolve()):
        raise BadBackup(f"{to} is in the data folder, and would be lost with it. Name a folder elsewhere.")
    with _alone(data):
        final, manifest = _make(data, to, settings, with_keys=with_keys, wait=wait)
        if keep is not None:
            _rotate(to, keep)
    return final, manifest


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """One backup at a time: the gate hears one ask, and what is half made is taken for one that was killed."""
    try:
        lock = os.open(data / "private" / _LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
    except OSError as error:
        raise BadBackup(
            f"{data / 'private'} cannot be written to: {error.strerror}. Be the user whose it is."
        ) from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadBackup(f"Another backup of {data} is being made. Wait until it is done, or end it.") from None
        yield
    finally:
        os.close(lock)


def _make(data: Path, to: Path, settings: Settings, *, with_keys: bool, wait: Wait) -> tuple[Path, Manifest]:
    made_at = int(time.time())
    final = to.resolve() / f"{datetime.fromtimestamp(made_at, UTC):%Y%m%dT%H%M%SZ}"
    partial = final.with_name(f"{final.name}{_PARTIAL}")
    try:
        partial.mkdir(mode=0o700, parents=True)
        answer = _copied(data, Ask(to=str(partial), with_keys=with_keys), settings, wait=wait)
        for name in _BESIDE:
            if (data / name).exists():
                shutil.copy2(data / name, partial / name)
        keys = copies.keys_folder((partial if with_keys else data) / "private")
        manifest = Manifest(
            format=FORMAT, footlights=__version__, made_at_utc=made_at, published_through=answer.published_through,
            with_keys=with_keys, seasons=copies.fingerprints(keys),
            files=_files(partial),
        )  # fmt: skip
        (partial / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
        _sync(partial / MANIFEST)
        _sync_folders(partial)
        partial.rename(final)
        _sync_one(final.parent)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        if isinstance(error, OSError):
            raise BadBackup(f"The backup could not be written: {error.strerror}. Nothing of it is left.") from None
        raise
    return final, manifest


def check(folder: Path) -> tuple[Path, Manifest]:
    """The backup that a folder is, or the newest whole one in it; every byte was read. Raises BadBackup."""
    found = folder if (folder / MANIFEST).exists() else max(_whole(folder), default=None)
    if found is None:
        raise BadBackup(f"{folder} is no backup and holds none that is whole: there is no {MANIFEST}.")
    try:
        manifest = _manifest.decode((found / MANIFEST).read_bytes())
    except (OSError, msgspec.DecodeError):
        raise BadBackup(f"{found / MANIFEST} cannot be read. Use another backup.") from None
    if manifest.format != FORMAT:
        raise BadBackup(
            f"{found} has format {manifest.format}; this is Footlights {__version__}, which reads {FORMAT}."
        )
    files = _files(found)
    for name in sorted(files.keys() | manifest.files.keys()):
        if files.get(name) != manifest.files.get(name):
            what = "missing" if name not in files else "changed" if name in manifest.files else "not of it"
            raise BadBackup(f"{found}: {name} is {what}. Use another backup.")
    return found, manifest


def restore(
    folder: Path,
    data: Path,
    settings: Settings,
    *,
    force: bool = False,
    keys: Path | None = None,
    without_keys: bool = False,
) -> Restored:
    """Put a backup into a data folder, and open it once. keys: a folder of season keys, if the backup has none.

    force: move aside what is there; its season keys are then used, if the backup has none. without_keys: do without;
    events of the seasons that the backup counts are refused from then on, since their viewers would count again.
    What is there is touched last, once the copy was opened and the disk has it: a restore that fails, or is killed, has
    changed nothing, and one that is done outlives a power cut.
    Raises BadBackup if the backup is not whole, keys are missing or wrong, there is something already, or the disk is
    full; VaultDamaged if the folder is in use.
    """
    found, manifest = check(folder)
    old = data / "private"
    there = [name for name in ("private", "board") if _holds_something(data / name)]
    if there and not force:
        raise BadBackup(f"{data} holds a deployment already. Name another --data, or move it aside with --force.")
    if there:
        copies.check_unused(old)
    given = _keys_for(manifest, found, keys or (copies.keys_folder(old) if there else None), without_keys=without_keys)
    # Keys that were destroyed since the backup was made stay destroyed.
    ended = max((copies.destroyed_before(folder) for folder in (given, copies.keys_folder(old)) if folder), default="")
    new = [folder for folder in (data, *data.resolve().parents) if not folder.exists()]
    draft = data / _DRAFT
    shutil.rmtree(draft, ignore_errors=True)  # of a restore that was killed: it may hold season keys
    _check_room(data, manifest.bytes)
    try:
        _copy_all(found, draft)
        if not there:
            _copy_beside(data, draft)
        barred = _take_keys(draft / "private", manifest, given)
        if ended:
            copies.bar_seasons(draft / "private", before=ended)
        _open_once(draft, settings)
        _sync_all(draft)
    except BaseException as error:
        shutil.rmtree(draft, ignore_errors=True)
        if isinstance(error, OSError | sqlite3.Error):
            raise BadBackup(_not_restored(data, error)) from None
        raise
    aside = _move_aside(data, there)
    for file in sorted(draft.iterdir()):
        file.replace(data / file.name)
    draft.rmdir()
    for each in (*((aside,) if aside else ()), data, *(folder.parent for folder in new)):
        _sync_one(each)
    of_backup = given == copies.keys_folder(found / "private")
    return Restored(
        published_through=manifest.published_through,
        keys="none" if given is None else "of the backup" if of_backup else str(given),
        barred_before=barred,
        aside=str(aside) if aside else None,
    )


def _copy_all(found: Path, draft: Path) -> None:
    draft.mkdir(mode=0o700, parents=True)
    for name in ("private", "board"):
        shutil.copytree(found / name, draft / name)
    for name in _BESIDE:
        if (found / name).exists():
            shutil.copy2(found / name, draft / name)
    (draft / "private").chmod(0o700)


def _copy_beside(data: Path, draft: Path) -> None:
    """Settings and policy of a folder that holds nothing else, where the backup has none."""
    for name in _BESIDE:
        if (data / name).exists() and not (draft / name).exists():
            shutil.copy2(data / name, draft / name)


def _not_restored(data: Path, error: OSError | sqlite3.Error) -> str:
    # copytree tells of every file at once; the first says it as well as all.
    why = error.args[0][0][2] if isinstance(error, shutil.Error) else getattr(error, "strerror", None) or str(error)
    return f"The backup could not be put into {data}: {why}. Nothing of it is left there."


def _check_room(data: Path, bytes_needed: int) -> None:
    """Before a byte is copied: a disk that fills up takes what else is on it along. Raises BadBackup."""
    there = next(folder for folder in (data, *data.resolve().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if free < bytes_needed:
        raise BadBackup(
            f"The backup has {bytes_needed / 1e6:,.1f} MB, and {free / 1e6:,.1f} MB are free for {data}. Free some, or "
            "name another --data."
        )


def _open_once(data: Path, settings: Settings) -> None:
    """State the restore on the board and fold the journal: what ends well has worked."""
    gate = open_gate(data, settings)
    try:
        gate.note_restore(at_utc=int(time.time()))
        gate.fold()
    finally:
        gate.close()


def _copied(data: Path, wanted: Ask, settings: Settings, *, wait: Wait) -> Answer:
    """Make the copy here, or have the gate make it that runs."""
    if _is_held(data / "private"):
        return _asked(data, wanted, wait=wait)
    gate = open_gate(data, settings)
    try:
        return copies.make(gate, wanted)
    finally:
        gate.close()


def _is_held(private: Path) -> bool:
    try:
        copies.check_unused(private, journal=False)
    except VaultDamaged:
        return True
    return False


def _asked(data: Path, wanted: Ask, *, wait: Wait) -> Answer:
    copies.ask(data, wanted)
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            answer = copies.answered(data, wanted)
            if answer is not None and answer.error:
                raise BadBackup(f"The gate could not make the copy: {answer.error}")
            if answer is not None:
                return answer
            wait(0.2)
    finally:
        copies.take_back(data)
    raise VaultDamaged(
        f"The gate holds the store and did not answer within {PATIENCE_SECONDS:.0f} s. Look at its log; a backup of a "
        "deployment that is stopped needs no gate."
    )


def _files(folder: Path) -> dict[str, File]:
    """Every file of a backup but its manifest; the disk has each on return."""
    return {
        file.relative_to(folder).as_posix(): File(bytes=file.stat().st_size, sha256=_sync(file))
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file != folder / MANIFEST
    }


def _sync(path: Path) -> str:
    """Wait until the disk has a file. Returns its SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(2**20):
            digest.update(piece)
        os.fsync(file.fileno())
    return digest.hexdigest()


def _sync_all(folder: Path) -> None:
    """Wait until the disk has a folder and all that is in it."""
    for path in folder.rglob("*"):
        if path.is_file():
            _sync_one(path)
    _sync_folders(folder)


def _sync_folders(folder: Path) -> None:
    """Wait until the disk has the names of all that is in a folder."""
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            _sync_one(path)


def _sync_one(path: Path) -> None:
    """Wait until the disk has a file, or the names that are in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _whole(to: Path) -> list[Path]:
    return [manifest.parent for manifest in to.glob(f"*Z/{MANIFEST}")]


def _rotate(to: Path, keep: int) -> None:
    for old in sorted(_whole(to))[: -keep or None]:
        shutil.rmtree(old)
    for broken in to.glob(f"*Z{_PARTIAL}"):  # of a backup that was killed
        shutil.rmtree(broken)


def _holds_something(folder: Path) -> bool:
    return folder.exists() and any(path.is_file() for path in folder.rglob("*"))


def _keys_for(manifest: Manifest, found: Path, elsewhere: Path | None, *, without_keys: bool) -> Path | None:
    """The folder of season keys to use; None to do without. Raises BadBackup where they are not those of the backup."""
    folder = copies.keys_folder(found / "private") if manifest.with_keys else elsewhere
    if without_keys or not manifest.seasons:
        return None
    known = copies.fingerprints(folder) if folder is not None else {}
    open_from = copies.destroyed_before(folder) if folder is not None else ""
    missing = [season for season, mark in manifest.seasons.items() if season >= open_from and known.get(season) != mark]
    if not missing:
        return folder
    raise BadBackup(
        f"The keys of {', '.join(missing)} are missing: without them a viewer who was counted would count again. Give "
        "their folder with --keys, such as private/keys/seasons of the folder that was lost; or --without-keys, and no "
        f"event up to the end of {max(manifest.seasons)} counts."
    )


def _take_keys(private: Path, manifest: Manifest, given: Path | None) -> str | None:
    """Put season keys into a private folder, or bar the seasons. Returns the first that is open, if any is barred."""
    if given is None:
        return _bar_all(private, manifest)
    to = copies.keys_folder(private)
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    for season in copies.fingerprints(given).keys() & manifest.seasons.keys():
        shutil.copy2(given / f"{season}.key", to / f"{season}.key")
    return None


def _bar_all(private: Path, manifest: Manifest) -> str | None:
    if not manifest.seasons:
        return None
    first = season_name(parse_season(max(manifest.seasons)) + 1)
    copies.bar_seasons(private, before=first)
    return first


def _move_aside(data: Path, there: list[str]) -> Path | None:
    for name in {"private", "board"} - set(there):  # empty folders, if anything
        shutil.rmtree(data / name, ignore_errors=True)
    if not there:
        return None
    aside = data / f"replaced-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    aside.mkdir(mode=0o700)
    for name in (*there, *_BESIDE):
        if (data / name).exists():
            (data / name).rename(aside / name)
    return aside
