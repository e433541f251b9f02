"""Proofs: what it costs to prove a large board, and to verify it.

    python -m benchmarks.proofs [--rows 1_120_000] [--streams 20_000]

A row holds nine published counts of one video at one tick, so the default is a board of ten million figures. It is
written as the gate writes it, minute by minute, and once more without the log, for the ratio; processor time, since
both wait for the same disk. Then the whole board is verified in a process of its own, whose memory is looked at, and a
single figure is proved and verified.
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from importlib import resources
from pathlib import Path

import numpy as np

from footlights.gate.notary import LogKeys
from footlights.gate.plan import FamilyPlan, write_rows
from footlights.public.board import evidence, merkle
from footlights.public.board.matrices import Matrices
from footlights.public.board.minutes import root_at
from footlights.public.board.notes import opened, verifier_key
from footlights.public.board.read import BOARD_FILE, Board
from footlights.public.board.rows import layout_of
from footlights.public.board.statements import minute_leaf, minute_of, place_of, row_leaf, salt_of
from footlights.public.board.streams import StreamTable
from footlights.public.board.write import BoardWriter
from footlights.public.web import questions
from footlights.terms.metrics import COUNTERS, DISCLOSED
from footlights.terms.policy import default_policy

BEGIN = 1_793_491_200  # 2026-11-01T00:00:00Z
Row = tuple[int, int, bytes]
_VERIFY = """
import resource, sys, time
from pathlib import Path
from footlights.verify import verify_board
began = time.process_time()
verdict = verify_board(Path(sys.argv[1]), sys.argv[2])
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(time.process_time() - began, memory, verdict.rows, verdict.differences)
"""


def main() -> None:
    asked = argparse.ArgumentParser(description="What proofs cost.")
    asked.add_argument("--rows", type=int, default=1_120_000)
    asked.add_argument("--streams", type=int, default=20_000)
    options = asked.parse_args()
    minutes = options.rows // options.streams
    assert 1 <= minutes <= 1440, "each stream has a tick a minute, of its first day"
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        spends = _declared(data, options.streams)
        bare = _written_bare(data / "bare.db", spends, minutes)
        proved, keys = _written(data, spends, minutes)
        rows = minutes * len(spends)
        figures = rows * (len(COUNTERS) + len(DISCLOSED))
        print(f"{rows:,} rows, {figures:,} figures of {len(spends):,} videos in {minutes} minutes")
        print(f"publication, bare insert   {bare / rows * 1e6:6.2f} us a row")
        print(f"publication, with the log  {proved / rows * 1e6:6.2f} us a row, {proved / bare:.1f} times")
        _sizes(data, rows)
        key = verifier_key(keys.origin, keys.public)
        _whole_board(data / "board", key, figures)
        _single(data / "board", key)


def _batches(spends: list[int], minutes: int) -> list[list[Row]]:
    """What each minute publishes: numbers of the size that noise gives them."""
    layout, found = layout_of("counters"), []
    generator = np.arange(len(spends) * 7, dtype=np.int64).reshape(-1, 7)
    for tick in range(1, minutes + 1):
        y = generator * 7919 % 40_000 + tick
        packed = layout.pack(y * 256, y, y[:, :2])
        found.append([(spend, tick, row) for spend, row in zip(spends, packed, strict=True)])
    return found


def _declared(data: Path, streams: int) -> list[int]:
    plan = FamilyPlan(default_policy(), "counters")
    board = BoardWriter(data / "board")
    with board:
        board.decide(default_policy().text, from_season=0)
        error_rows, cell_rows = write_rows(plan, board.folder)
        number = board.plan(
            "counters", digest=plan.digest, detail=plan.detail(error_rows=error_rows, cell_rows=cell_rows)
        )
        board.declare_creators([(1, "c", "c", "", "pro", BEGIN)])
        board.declare_videos((10 + n, f"v{n}", 1, "", BEGIN, 30_000, "[]", "", None) for n in range(streams))
        board.open_spends(
            ((10 + n, 0, 1) for n in range(streams)), family="counters", plan=number, rho=Fraction(plan.rho)
        )
    spends = sorted(spend for spend, _ in board.streams("counters").values())
    board.close()
    return spends


def _written_bare(path: Path, spends: list[int], minutes: int) -> float:
    """Processor seconds of the same rows in the same table, minute by minute, without a log."""
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -65536"):
        db.execute(f"PRAGMA {pragma}")
    db.executescript(resources.files("footlights.public.board").joinpath("schema.sql").read_text("utf-8"))
    db.execute("INSERT INTO plans VALUES (1, 'counters', 'x', '{}')")
    db.executemany("INSERT INTO spends VALUES (?, ?, 0, 'counters', 1, '0', 1)", ((spend, spend) for spend in spends))
    batches = _batches(spends, minutes)
    began = time.process_time()
    for rows in batches:
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO figures VALUES (?, ?, ?)", rows)
        db.execute("COMMIT")
    spent = time.process_time() - began
    db.close()
    return spent


def _written(data: Path, spends: list[int], minutes: int) -> tuple[float, LogKeys]:
    board, keys = BoardWriter(data / "board"), LogKeys(data / "private")
    batches = _batches(spends, minutes)
    began = time.process_time()
    for minute, rows in enumerate(batches, start=1):
        with board:
            board.publish(rows)
            board.state("published_through", str(BEGIN + 60 * minute))
            board.seal(keys, through_utc=BEGIN + 60 * minute)
    spent = time.process_time() - began
    board.close()
    return spent, keys


def _sizes(data: Path, rows: int) -> None:
    whole, bare = (data / "board" / BOARD_FILE).stat().st_size, (data / "bare.db").stat().st_size
    print(f"{whole / 1e6:,.0f} MB, the log is {(whole - bare) / rows:.0f} bytes a row of it beside {bare / rows:.0f}")


def _whole_board(board: Path, key: str, figures: int) -> None:
    ran = subprocess.run([sys.executable, "-c", _VERIFY, str(board), key], check=True, capture_output=True, text=True)
    seconds, memory, rows, differences = (float(word) for word in ran.stdout.split())
    assert differences == 0, "the board is as it was published"
    print(
        f"whole board verified in {seconds:.1f} s of one core, {memory / 1e6:,.0f} MB: "
        f"{seconds / rows * 1e6:.1f} us a row, {figures / seconds / 1e6:.2f} million figures a second"
    )


def _single(folder: Path, key: str) -> None:
    matrices, asked = Matrices(folder), questions.question(
        "/api/v1/videos/{video}", creator="c", video="v77", query={}
    )  # fmt: skip
    found = questions.prove(matrices, [asked])
    text = evidence.write(found)
    hashes = len(found.rows[0].in_minute) + len(found.rows[0].in_log)
    print(f"one video's figures: {hashes} hashes, {32 * hashes:,} bytes of proof; {len(text):,} bytes as a file")
    print(f"  proved               {_median(lambda: questions.prove(matrices, [asked])):6.2f} ms")
    anew = _median(lambda: questions.verify(evidence.read(text), key))
    print(f"  verified, asked anew {anew:6.2f} ms, with its signature and all 12 figures")
    print(f"  verified, path alone {_median(_path_alone(folder)):6.2f} ms (signature and paths)")


def _path_alone(folder: Path) -> Callable[[], None]:
    board = Board(folder)
    log, db = board.log(), sqlite3.connect(folder / BOARD_FILE)
    spend, tick, row = db.execute("SELECT spend, max(tick), row FROM figures WHERE spend = 78").fetchone()
    stream = StreamTable(db, Matrices(folder)).stream(spend)
    note = log.checkpoint()
    assert stream is not None and note is not None
    moment = stream.moment_utc(tick)
    assert moment is not None
    place = place_of(stream.name, moment)
    salt, size = salt_of(log.blind(), place), int(note.split("\n")[1])
    proof = log.row_proof(minute=minute_of(moment), place=place, size=size)
    assert proof is not None
    public = bytes.fromhex(log.keys()[0].public)

    def check() -> None:
        checkpoint = opened(note, [public])
        root = root_at(row_leaf(place, salt, stream.hash, tick, row), place, proof.in_minute)
        assert root is not None
        leaf = minute_leaf(root, proof.policies)
        assert merkle.root_from_path(leaf, proof.minute, checkpoint.size, proof.in_log) == checkpoint.root

    return check


def _median(run: Callable[[], object]) -> float:
    spent = []
    for _ in range(50):
        began = time.process_time()  # others may want the core, too
        run()
        spent.append(time.process_time() - began)
    return statistics.median(spent) * 1e3


if __name__ == "__main__":
    main()
    print(f"this process at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6:,.0f} MB")
