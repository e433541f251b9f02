"""Traces. In: what the tests of this session sent through a door. Out: each file of its data folder that holds any.

Every viewer's id becomes a pseudonym in one place, and every request passes one door: there they are written down, with
the address and the user agent they came with. At the end of the session all files that those doors left are read:
as they are, journals unpacked, for each id in plain and in the forms in which one may leak.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import re
import sqlite3
import urllib.parse
from collections.abc import Iterable, Iterator, Set
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import zstandard

from footlights.private.collect import door
from footlights.private.vault.frames import commits, unpack
from footlights.private.vault.journal import JournalReader
from footlights.private.vault.optouts import OptOuts
from footlights.private.vault.seasons import SeasonKeys
from footlights.private.vault.texts import Texts
from footlights.public.board.read import BOARD_FILE
from footlights.terms.errors import VaultDamaged

#: Shorter ones are found by chance in any file; their other forms are long enough.
LEAST_BYTES = 8
#: What of a data folder is ours: a test may keep its own files, such as what it loads, beside it.
_OURS = r"(private|board|public)/|[^/]*\.log$"
_OWN_ADDRESSES = {"127.0.0.1", "testclient", ""}


class Traces:
    """What was sent, and where to."""

    def __init__(self) -> None:
        self.sent: set[str] = set()
        self.folders: set[Path] = set()

    def left(self) -> list[str]:
        """Where something of it is: the folder, the file, and the form."""
        found: list[str] = []
        needles = Needles(self.sent)
        for folder in sorted(self.folders):
            if folder.exists():
                told = needles.leaks(folder, public=declared(folder), among=_OURS)
                found += [f"{'/'.join(folder.parts[-3:])}: {file}" for file in told]
        return found


def forms(text: str) -> dict[str, bytes]:
    """The forms in which an id may be on a disk although nobody meant it to be."""
    plain = text.encode("utf-8", "surrogatepass")
    made = {
        "plain": plain,
        "UTF-16": text.encode("utf-16-le", "surrogatepass"),
        "hex": plain.hex().encode(),
        "HEX": plain.hex().upper().encode(),
        "escaped": text.encode("unicode_escape"),
        "in an address": urllib.parse.quote(plain).encode(),
    }
    for shift in range(3):  # base64 of it, wherever in a longer text it begins
        inner = base64.b64encode(bytes(shift) + plain)[4 if shift else 0 :]
        made[f"base64, {shift} before"] = inner[: len(inner) // 4 * 4 - 4]
    for name in ("md5", "sha1", "sha256", "blake2b"):
        # Without a key, a hash is a name like any other.
        digest = hashlib.new(name, plain).digest()
        made |= {name: digest[:16], f"{name} in hex": digest.hex()[:32].encode()}
    return {name: form for name, form in made.items() if len(form) >= LEAST_BYTES}


def leaks(folder: Path, sent: Iterable[str], *, among: str = "") -> list[str]:
    """Which files of a data folder hold what was sent, and in which form. Nothing of it is in the answer.

    among: what the paths of the files begin with, as an expression.
    """
    return Needles(sent).leaks(folder, among=among)


class Needles:
    """All forms of what was sent, made once to be looked for in many folders."""

    def __init__(self, sent: Iterable[str]) -> None:
        self._told: dict[bytes, tuple[str, str]] = {}
        self._heads: dict[int, list[bytes]] = {}
        for text in sent:
            for name, form in forms(text).items():
                self._told.setdefault(form, (name, text))
        for form in self._told:
            self._heads.setdefault(int.from_bytes(form[:8], "little"), []).append(form)
        self._starts = np.array(sorted(self._heads), dtype="<u8")
        # Nearly every place of a file is told apart by its first three bytes: a look into a table, and no search.
        self._begins = np.zeros(1 << 24, dtype=bool)
        self._begins[self._starts & np.uint64(0xFFFFFF)] = True

    def leaks(self, folder: Path, *, public: Set[str] = frozenset(), among: str = "") -> list[str]:
        """As leaks() says. public: what is no leak."""
        found = set()
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            if not re.match(among, path.relative_to(folder).as_posix()):
                continue
            for content in _contents(path):
                for form in self._forms_in(content):
                    name, text = self._told[form]
                    if text not in public:
                        found.add(f"{path.relative_to(folder)}: {name}")
        return sorted(found)

    def _forms_in(self, content: bytes) -> Iterator[bytes]:
        for shift in range(8):
            windows = np.frombuffer(content[shift : shift + (len(content) - shift) // 8 * 8], dtype="<u8")
            maybe = np.flatnonzero(self._begins[windows & np.uint64(0xFFFFFF)])
            # Not np.isin, which sorts the many starts anew for every few windows.
            near = np.searchsorted(self._starts, windows[maybe]).clip(max=max(len(self._starts) - 1, 0))
            for place in maybe[self._starts[near] == windows[maybe]].tolist():
                at = shift + 8 * place
                yield from (form for form in self._heads[int(windows[place])] if content.startswith(form, at))


def declared(folder: Path) -> set[str]:
    """What the platform declared: public, even where somebody chose a viewer's id for a creator.

    From the board, too: a journal lets go of what it was told long ago.
    """
    published = _published(folder / "board" / BOARD_FILE)
    try:
        batch = JournalReader(folder / "private" / "journal").read({}, limit_events=10**9)
    except VaultDamaged:
        return published
    told = published | {
        text for one in batch.declarations for text in msgspec.structs.astuple(one) if isinstance(text, str)
    }
    return published | told | {tag for one in batch.declarations for tag in getattr(one, "hashtags", ())}


def _published(board: Path) -> set[str]:
    if not board.exists():
        return set()
    with (
        contextlib.closing(sqlite3.connect(f"file:{board}?mode=ro", uri=True)) as db,
        contextlib.suppress(sqlite3.Error),
    ):
        rows = db.execute("SELECT id, name, handle FROM creators UNION ALL SELECT id, title, sound FROM videos")
        return {text for row in rows for text in row}
    return set()


def _contents(path: Path) -> Iterator[bytes]:
    yield os.fsencode(path.name)
    yield path.read_bytes()
    if path.suffix == ".flj":
        unpacker = zstandard.ZstdDecompressor()
        with path.open("rb") as file:
            try:
                for commit in commits(file, path.name, start=0, size=path.stat().st_size, sealed=False):
                    for frame, payload in commit:
                        yield unpack(frame, payload, name=path.name, unpacker=unpacker)
            except VaultDamaged:  # a test broke it on purpose; what is whole was read
                return


@pytest.fixture(scope="session", autouse=True)
def traces() -> Iterator[Traces]:
    """Written down all session long; read at its end."""
    traces = Traces()
    with pytest.MonkeyPatch.context() as patch:
        tokens, listed = SeasonKeys.tokens, OptOuts._set
        called, made = door.Collector.__call__, door.Door.__init__

        def tokens_and_note(self: SeasonKeys, season: int, viewers: Any) -> Any:
            traces.sent.update(Texts.of(viewers).each())
            return tokens(self, season, viewers)

        async def called_and_note(self: Any, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
                address = (scope.get("client") or [""])[0]
                told = {address, headers.get(b"user-agent", ""), headers.get(b"x-forwarded-for", "")}
                traces.sent.update(told - _OWN_ADDRESSES)
            await called(self, scope, receive, send)

        def made_and_note(self: Any, data: Path, settings: Any) -> None:
            traces.folders.add(data)
            made(self, data, settings)

        def listed_and_note(self: Any, viewer: str, *rest: Any, **more: Any) -> None:
            traces.sent.add(viewer)
            listed(self, viewer, *rest, **more)

        patch.setattr(SeasonKeys, "tokens", tokens_and_note)
        patch.setattr(OptOuts, "_set", listed_and_note)
        patch.setattr(door.Collector, "__call__", called_and_note)
        patch.setattr(door.Door, "__init__", made_and_note)
        yield traces
    # It reads gigabytes, for minutes: `./run test-all` waits for it, and the wall's own test looks every time.
    if os.environ.get("FOOTLIGHTS_SWEEP"):
        left = traces.left()
        assert not left, f"a data folder holds what a viewer is known by: {left[:20]}"
