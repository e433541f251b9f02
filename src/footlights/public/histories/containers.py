"""Containers. In: files, folders, or uploaded bytes. Out: the files in them, unpacked, each within the limits.

A zip is read member by member into memory and never onto the disk: no path in it is ever used as one.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import msgspec

from footlights.public.histories.found import Note, Unreadable, note
from footlights.public.histories.limits import DAMAGED, DEPTH_MAX, Limits
from footlights.terms.errors import BadFile

_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
#: What a system puts beside files, and no export has.
_NOT_OURS = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A file of an export. place: the zip or folder that it lies in: what lies together was exported together.

    made_at_utc: when it was made, at the latest; None if nobody knows. packed: whether a zip says so, which its
    platform made, and not a folder, into which it may have been copied later.
    """

    name: str
    place: str
    data: bytes
    made_at_utc: int | None
    packed: bool = False


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was not read, and why."""

    name: str
    why: Note


class Budget:
    """What may still be unpacked. take raises BadFile where it would be more than the limits allow."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._left_bytes, self._left_members = limits.unpacked_bytes, limits.members

    def take(self, size_bytes: int) -> None:
        """Account for one file."""
        self._left_bytes -= size_bytes
        self._left_members -= 1
        if self._left_bytes < 0:
            raise Unreadable(
                "These files unpack to more than %(mb)s MB, and no export is so large. Take the files that hold "
                "figures out of the zip, and bring those alone.",
                mb=self.limits.unpacked_bytes // 1_000_000,
            )
        if self._left_members < 0:
            raise Unreadable(
                "These are more than %(count)s files. Bring those that hold figures alone.", count=self.limits.members
            )


def members_of_paths(paths: Iterable[Path], limits: Limits) -> Iterator[Member | Unread]:
    """The files of some files and folders, in the order of their names. Raises BadFile."""
    budget = Budget(limits)
    for path in paths:
        if not path.exists():
            raise BadFile(f"{path} is not there.")
        if path.is_file():
            yield from _of_file(path, path.parent.name, budget)
            continue
        for inner in sorted(each for each in path.rglob("*") if each.is_file() and not each.is_symlink()):
            if _is_ours(inner.relative_to(path).as_posix()):
                yield from _of_file(inner, inner.parent.relative_to(path.parent).as_posix(), budget)


def members_of_uploads(files: Iterable[tuple[str, bytes]], limits: Limits) -> Iterator[Member | Unread]:
    """The files of some that a browser sent, as (name, bytes). Raises BadFile."""
    budget = Budget(limits)
    for name, data in files:
        yield from _members(_plain_name(name), "upload", data, None, budget, depth=0)


def _of_file(path: Path, place: str, budget: Budget) -> Iterator[Member | Unread]:
    size = path.stat().st_size
    if size > budget.limits.packed_bytes:
        yield Unread(
            name=path.name, why=note("it is larger than %(mb)s MB", mb=budget.limits.packed_bytes // 1_000_000)
        )
        return
    yield from _members(path.name, place, path.read_bytes(), int(path.stat().st_mtime), budget, depth=0)


def _members(
    name: str, place: str, data: bytes, made_at_utc: int | None, budget: Budget, *, depth: int
) -> Iterator[Member | Unread]:
    """A file itself, or what is in it if it is a zip that is no workbook."""
    if data.startswith(_EMPTY_ZIP):
        yield Unread(name=name, why=note("the zip is empty"))
        return
    if not data.startswith(_ZIP) or _is_workbook(name, data):
        budget.take(len(data))
        yield Member(name=name, place=place, data=data, made_at_utc=made_at_utc, packed=depth > 0)
        return
    if depth >= DEPTH_MAX:
        yield Unread(name=name, why=note("it is a zip in a zip in a zip"))
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if len(packed.infolist()) > budget.limits.members:
                budget.take(budget.limits.unpacked_bytes + 1)
            if any(_is_of_another_office(info.filename) for info in packed.infolist()):
                yield Unread(
                    name=name, why=note("it is a document of another office program: save it as .xlsx or .csv")
                )
                return
            for info in packed.infolist():
                if not info.is_dir() and _is_ours(info.filename):
                    yield from _unpacked(packed, info, f"{place}/{name}".lstrip("/"), budget, depth=depth)
    except DAMAGED:
        yield Unread(name=name, why=note("the zip is damaged: download it again"))


def _unpacked(
    packed: zipfile.ZipFile, info: zipfile.ZipInfo, place: str, budget: Budget, *, depth: int
) -> Iterator[Member | Unread]:
    name = _plain_name(info.filename)
    if info.flag_bits & 0x1:
        yield Unread(name=name, why=note("it is encrypted: unpack it, and bring what is in it"))
        return
    budget.take(info.file_size)
    with packed.open(info) as member:
        # One byte more than it says would be a lie about its size: zipfile stops at it, so this cannot grow.
        data = member.read(info.file_size)
    inner = f"{place}/{PurePosixPath(info.filename).parent}".removesuffix("/.")
    yield from _members(name, inner, data, _zip_time(info), _Paid(budget), depth=depth + 1)


def _is_workbook(name: str, data: bytes) -> bool:
    """Whether a zip is a workbook: by its name, or by what is in it where a browser or its owner renamed it."""
    if name.lower().endswith((".xlsx", ".xlsm")):
        return True
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            return "xl/workbook.xml" in packed.namelist()
    except DAMAGED:
        return False


def _is_of_another_office(member: str) -> bool:
    return member == "META-INF/manifest.xml" or member.endswith(".iwa")


class _Paid(Budget):
    """The budget for a file that has been accounted for: what it unpacks to has not."""

    def __init__(self, budget: Budget) -> None:
        self.limits, self._budget, self._first = budget.limits, budget, True

    def take(self, size_bytes: int) -> None:
        if not self._first:
            self._budget.take(size_bytes)
        self._first = False


def _zip_time(info: zipfile.ZipInfo) -> int | None:
    """When a member was made. Zips hold local times without a zone: a day's doubt either way."""
    try:
        moment = datetime(*info.date_time, tzinfo=UTC)
    except ValueError:
        return None
    # 1980 is what a zip says that does not know.
    return int(moment.timestamp()) if moment.year > 2000 else None


def _is_ours(name: str) -> bool:
    return not any(part in name for part in _NOT_OURS) and not PurePosixPath(name).name.startswith("._")


def _plain_name(name: str) -> str:
    """A file's own name, without folders or what could be mistaken for markup on a terminal."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return "".join(sign if sign.isprintable() else "?" for sign in last)[:120] or "a file without a name"
