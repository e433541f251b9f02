"""Notaries for tests. In: a board that was written. Out: its log, signed as by the gate, and the key to check it by."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from footlights.gate.notary import LogKeys
from footlights.public.board.notes import verifier_key
from footlights.public.board.write import BoardWriter
from footlights.public.board.write_live import LiveBoardWriter
from tests.boards import NOW


def sign(data: Path, *, through_utc: int = NOW) -> LogKeys:
    """Close the minutes of a data folder's board up to a moment; its keys are made if there are none."""
    keys = LogKeys(data / "private")
    with closing(BoardWriter(data / "board")) as board, board:
        board.seal(keys, through_utc=through_utc)
    return keys


def sign_live(data: Path, *, through_utc: int = NOW) -> LogKeys:
    """The same of its live board."""
    keys = LogKeys(data / "private")
    with closing(LiveBoardWriter(data / "board")) as board:
        board.seal(keys, through_utc=through_utc, restores=0)
    return keys


def key_of(keys: LogKeys, *, number: int = 0) -> str:
    """A public key as the operator publishes it: the first one, if no other is asked for."""
    return verifier_key(keys.origin, bytes.fromhex(keys.chain()[number].public))
