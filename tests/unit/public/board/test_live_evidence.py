"""Live figures prove themselves: every answer about a session can be checked offline, and what was changed is named."""

from __future__ import annotations

import base64
import copy
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footlights.gate.notary import LogKeys
from footlights.public.board import evidence, notes
from footlights.public.board.live import LIVE_FILE, LiveBoard
from footlights.public.board.live_evidence import TracedLive
from footlights.public.board.live_streams import live_matrices
from footlights.public.board.log import Log
from footlights.public.board.statements import minute_of, place_of, row_leaf
from footlights.public.board.write_live import LiveBoardWriter
from footlights.public.web import questions
from footlights.terms.errors import BoardDamaged, ProofFailed
from footlights.terms.events import Kind, QuestionAsked, QuestionClosed
from tests import notaries
from tests.rooms import BEGIN, HOST, House, ended, event, joins, started

LIVE, REPLAY = "/api/v1/lives/{live}", "/api/v1/lives/{live}/replay"
Proof = tuple[evidence.Evidence, str]


def asked_at(at: float, number: str = "q1", text: str = "tea?") -> QuestionAsked:
    return QuestionAsked(id=number, live="l1", text=text, at_ms=int((BEGIN + at) * 1000), options=("yes", "no"))


def told(house: House) -> None:
    """A session of three minutes and a half, with a question, beside another one."""
    house.tell(
        started("l1"), started("l2", at=3), asked_at(1), *joins([f"v{n}" for n in range(40)], at=5),
        event("v1", Kind.LIVE_REACTION, at=20, choice=1), event("v2", Kind.LIVE_ANSWER, at=30, question="q1", choice=1),
        QuestionClosed(id="q1", live="l1", at_ms=(BEGIN + 70) * 1000), asked_at(80, "q2"), ended("l1", at=211),
    )  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("live evidence")
    house = House(folder)
    told(house)
    for until in (60, 200, 360):
        house.publish(until)
    return folder


def key_of(data: Path) -> str:
    return notaries.key_of(LogKeys(data / "private"))


def ask(data: Path, endpoint: str = LIVE, live: str = "l1") -> evidence.Evidence:
    asked = questions.question(endpoint, creator=HOST, live=live, query={"format": "evidence"})
    return questions.prove_live(live_matrices(data / "board"), asked)


@pytest.mark.parametrize("endpoint", sorted(questions.OF_SESSION))
@pytest.mark.parametrize("live", ["l1", "l2"])
def test_every_answer_about_a_session_is_proved_by_its_evidence(data: Path, endpoint: str, live: str) -> None:
    found = evidence.read(evidence.write(ask(data, endpoint, live)))
    verdict = questions.verify(found, key_of(data))
    assert verdict.differences == () and verdict.figures and found.rows
    assert verdict.origin.endswith("/live")


def test_evidence_of_a_session_that_is_over_holds_the_answer_that_the_api_gives(data: Path) -> None:
    with closing(LiveBoard(data / "board")) as board:
        plain = msgspec.json.decode(msgspec.json.encode(questions.OF_SESSION[LIVE](board, board.live("l1"))))
    assert ask(data).asked[0].answer == plain
    assert [option["figure"]["state"] for option in plain["questions"][0]["options"]] != ["pending"] * 2


# ---- What was changed


@pytest.fixture(scope="module")
def proof(data: Path) -> Proof:
    return ask(data), key_of(data)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every text and whole number of a JSON value."""
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(inner, (*path, name))
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield path


def test_any_byte_of_a_live_row_its_path_or_its_statement_that_is_changed_is_found(proof: Proof) -> None:
    whole = msgspec.to_builtins(proof[0])
    places = [
        *(("live", "streams", *path) for path in _places(whole["live"]["streams"])),
        *(("rows", *path) for path in _places(whole["rows"])),
        *(("hashes", *path) for path in _places(whole["hashes"])),
    ]

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(st.sampled_from(places), st.integers(0, 1 << 16))
    def changed(place: tuple[Any, ...], which: int) -> None:
        broken = copy.deepcopy(whole)
        at: Any = broken
        for name in place[:-1]:
            at = at[name]
        at[place[-1]] = _other(at[place[-1]], which)
        try:
            verdict = questions.verify(msgspec.convert(broken, evidence.Evidence), proof[1])
        except (ProofFailed, BoardDamaged):
            return
        assert verdict.differences, place

    changed()


def _other(value: str | int, which: int) -> str | int:
    if isinstance(value, int):
        return value + 1 + which
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    at = which % max(1, len(value) - 4)  # of the last letters of base64 not every bit says something
    old = value[at : at + 1]
    return value[:at] + digits[(digits.find(old.lower()) + 1 + which % 9) % len(digits)] + value[at + 1 :]


def test_a_figure_of_a_room_that_is_changed_is_named(proof: Proof) -> None:
    answer = copy.deepcopy(proof[0].asked[0].answer)
    answer["figures"]["live_viewers"]["value"] += 1
    claimed = msgspec.structs.replace(proof[0], asked=[msgspec.structs.replace(proof[0].asked[0], answer=answer)])
    (difference,) = questions.verify(claimed, proof[1]).differences
    assert difference.where == "figures.live_viewers.value"


@pytest.mark.parametrize("field", ["text", "options"])
def test_a_question_that_is_worded_otherwise_has_no_result(proof: Proof, field: str) -> None:
    assert proof[0].live is not None
    first, *rest = proof[0].live.questions
    other = {"text": "coffee?", "options": ("no", "yes")}
    questions_ = [msgspec.structs.replace(first, **{field: other[field]}), *rest]
    broken = msgspec.structs.replace(proof[0], live=msgspec.structs.replace(proof[0].live, questions=questions_))
    with pytest.raises(ProofFailed, match="live_questions of session l1"):
        questions.verify(broken, proof[1])


def test_two_values_for_one_tick_cannot_both_be_proved(proof: Proof) -> None:
    """A row's minute and place follow from what it is of: another row is at them, or in no minute at all."""
    assert proof[0].live is not None
    at, row = next((at, row) for at, row in enumerate(proof[0].rows) if row.tick == 40)
    for other in proof[0].rows:
        if other is row:
            continue
        # Another row, with its own proof, said to be this tick's.
        moved = msgspec.structs.replace(other, tick=row.tick, stream=row.stream)
        for claimed in (moved, msgspec.structs.replace(row, row=other.row)):
            if claimed == row or claimed.row == row.row:
                continue
            rows = [*proof[0].rows[:at], claimed, *proof[0].rows[at + 1 :]]
            with pytest.raises(ProofFailed):
                questions.verify(msgspec.structs.replace(proof[0], rows=rows), proof[1])


def test_a_second_value_that_a_gate_puts_into_a_later_minute_is_not_accepted(tmp_path: Path) -> None:
    """The gate that signs is the liar here: both values are in its log, and one of them can be proved."""
    house = House(tmp_path)
    told(house)
    house.publish(60)
    honest = ask(tmp_path)
    first = next(row for row in honest.rows if row.tick == 10)
    assert honest.live is not None
    stream = honest.live.streams[first.stream]
    moment = stream.moment_utc(10)
    assert moment is not None
    place, other = place_of(stream.name, moment), bytes(len(evidence.bytes_of(first.row)))
    leaf = row_leaf(place, bytes.fromhex(first.salt), stream.hash, 10, other)
    with closing(sqlite3.connect(house.board / LIVE_FILE)) as db:
        db.execute("INSERT INTO unsealed VALUES (?, ?, ?)", (minute_of(moment) + 1, place, leaf))
        db.commit()
    house.publish(120)
    with closing(sqlite3.connect(house.board / LIVE_FILE)) as db:
        size = ask(tmp_path).checkpoint.split("\n")[1]
        proof = Log(db).row_proof(minute=minute_of(moment) + 1, place=place, size=int(size))
    assert proof is not None, "it is in the log, though not where its tick is"
    whole = ask(tmp_path)
    assert questions.verify(whole, key_of(tmp_path)).differences == ()
    hashes = [*whole.hashes, *(evidence.text_of(each) for each in (*proof.in_minute, *proof.in_log))]
    path = list(range(len(whole.hashes), len(hashes)))
    lie = msgspec.structs.replace(
        first, row=evidence.text_of(other), policies=proof.policies.hex(), in_minute=path[: len(proof.in_minute)],
        in_log=path[len(proof.in_minute) :],
    )  # fmt: skip
    rows = [lie if (row.stream, row.tick) == (first.stream, 10) else row for row in whole.rows]
    with pytest.raises(ProofFailed, match="was changed, or was never published"):
        questions.verify(msgspec.structs.replace(whole, rows=rows, hashes=hashes), key_of(tmp_path))


def test_a_live_row_in_the_log_of_minutes_proves_nothing(data: Path, proof: Proof) -> None:
    """The log of minutes is of the same keys: were a live row taken from it, a tick could have two values."""
    keys = LogKeys(data / "private")
    body = proof[0].checkpoint.partition("\n\n")[0].replace("/live", "")
    size, root = body.split("\n")[1], body.split("\n")[2]
    moved = notes.Checkpoint(origin=keys.origin, size=int(size), root=base64.b64decode(root))
    note = notes.signed(moved, keys.public, keys.sign)
    with pytest.raises(ProofFailed, match="another log"):
        questions.verify(msgspec.structs.replace(proof[0], checkpoint=note), proof[1])


@pytest.mark.parametrize("endpoint", sorted(questions.OF_SESSION))
def test_a_tick_that_is_left_out_is_missed(data: Path, endpoint: str) -> None:
    """Each row that is left is proved; a mean over them would be one that nobody published."""
    found = ask(data, endpoint)
    assert found.live is not None
    families = [stream.family for stream in found.live.streams]
    for left_out in (1, 40):
        rows = [row for row in found.rows if (families[row.stream], row.tick) != ("live", left_out)]
        with pytest.raises(ProofFailed, match="left out"):
            questions.verify(msgspec.structs.replace(found, rows=rows), key_of(data))


def test_a_plan_that_no_proved_row_names_makes_no_interval(proof: Proof) -> None:
    """Without the ticks, whose statement names the plan, nobody may say how wide an audience's intervals are."""
    of = proof[0].live
    assert of is not None
    at = next(at for at, stream in enumerate(of.streams) if stream.family == "live")
    rows = [row for row in proof[0].rows if row.stream != at]
    with pytest.raises(ProofFailed, match="no row"):
        questions.verify(msgspec.structs.replace(proof[0], rows=rows), proof[1])


def test_a_session_of_which_no_minute_is_over_has_nothing_to_prove_yet(tmp_path: Path) -> None:
    house = House(tmp_path)
    told(house)
    house.publish(40)
    found = ask(tmp_path)
    assert found.rows == [] and found.asked[0].answer["figures"]["live_viewers"]["state"] == "pending"
    assert questions.verify(found, key_of(tmp_path)).differences == ()


def test_another_sessions_rows_are_not_this_ones(data: Path, proof: Proof) -> None:
    of = ask(data, live="l2").live
    assert of is not None and proof[0].live is not None
    mixed = msgspec.structs.replace(proof[0].live, session=of.session)
    asked = msgspec.structs.replace(proof[0].asked[0], live="l2")
    with pytest.raises(ProofFailed):
        questions.verify(msgspec.structs.replace(proof[0], live=mixed, asked=[asked]), proof[1])


# ---- Where it stands


def test_evidence_of_a_running_session_stands_at_the_last_minute_that_is_over(tmp_path: Path) -> None:
    house = House(tmp_path)
    told(house)
    house.publish(60)
    house.publish(95)
    found = ask(tmp_path)
    verdict = questions.verify(found, key_of(tmp_path))
    answer = found.asked[0].answer
    assert verdict.differences == () and answer["tick"] == 30 and answer["live"]["state"] == "live"
    assert answer["questions"][0]["closed"] is False and len(answer["questions"]) == 1


def test_nothing_is_proved_before_a_minute_is_signed(tmp_path: Path) -> None:
    house = House(tmp_path)
    told(house)
    gate = house.gate()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(LiveBoardWriter, "seal", lambda *_, **__: None)
        gate.run(until_utc=BEGIN + 20)
    gate.close()
    with pytest.raises(ProofFailed, match="Nothing is proved yet"):
        ask(tmp_path)


def test_a_row_that_the_log_does_not_have_is_no_evidence(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "data")
    with closing(sqlite3.connect(tmp_path / "data" / "board" / LIVE_FILE)) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute("UPDATE figures SET row = (SELECT row FROM figures WHERE tick = 9) WHERE tick = 8")
        db.commit()
    with pytest.raises(ProofFailed, match="was changed, or was never published"):
        questions.verify(ask(tmp_path / "data"), key_of(data))


def test_what_was_read_and_nothing_else_is_in_the_evidence(data: Path) -> None:
    with closing(TracedLive(live_matrices(data / "board"))) as board:
        board.rows(board.live("l1"), after_tick=90)
        assert {tick for _, tick in board.read} == set(range(91, 107))
