"""Answers prove themselves: whatever the API says can be checked offline, and whatever was changed in it is found."""

from __future__ import annotations

import base64
import copy
import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footlights.gate.notary import LogKeys
from footlights.public.accounts.creators import Accounts
from footlights.public.accounts.export_keys import ExportKeys, is_signed
from footlights.public.accounts.store import Store
from footlights.public.board import evidence, merkle, notes
from footlights.public.board.live_evidence import ProvedLive
from footlights.public.board.matrices import Matrices
from footlights.public.board.statements import canonical, minute_of, place_of, row_leaf
from footlights.public.web import exports, questions
from footlights.public.web.app import create_app
from footlights.settings import load_settings
from footlights.terms.errors import ProofFailed
from footlights.terms.ticks import DAY
from tests import boards, notaries
from tests.rooms import HOST, House, joins, started
from tests.unit.public.web.conftest import ADDRESS, Asking, Client

VIDEO = "/api/v1/videos/{video}"
OVERVIEW = "/api/v1/creators/{creator}/overview"


@pytest.fixture(scope="module")
def proved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LogKeys]:
    """A data folder of which everything is proved."""
    folder = tmp_path_factory.mktemp("proved")
    boards.make_board(
        folder / "board",
        [boards.ACreator(id="ada", name="Ada", tier="pro", followers=500)],
        [boards.AVideo(id=f"a{n}", creator="ada", age_seconds=(n + 1) * DAY, reach=4000) for n in range(7)],
    )
    return folder, notaries.sign(folder)


def ask(proved: tuple[Path, LogKeys], endpoint: str, **query: str) -> evidence.Evidence:
    video = "a2" if "{video}" in endpoint else None
    asked = questions.question(endpoint, creator="ada", video=video, query=query)
    return questions.prove(Matrices(proved[0] / "board"), [asked])


@pytest.mark.parametrize("endpoint", sorted(set(questions.BY_PATH) - {"/api/v1/creators"}))
def test_every_answer_of_the_api_is_proved_by_its_evidence(proved: tuple[Path, LogKeys], endpoint: str) -> None:
    found = evidence.read(evidence.write(ask(proved, endpoint)))
    verdict = questions.verify(found, notaries.key_of(proved[1]))
    assert verdict.differences == () and found.rows
    assert verdict.figures == len(
        exports.figure_rows(questions.answer_to(evidence.Proved(found, notaries.key_of(proved[1])), found.asked[0]))
    )


def test_evidence_holds_the_answer_that_the_api_gives(proved: tuple[Path, LogKeys]) -> None:
    plain = json.loads(
        Client(create_app(proved[0], load_settings(proved[0])), token=_token(proved[0])).get("/api/v1/videos/a2").text
    )
    assert ask(proved, VIDEO).asked[0].answer == plain


def _token(data: Path) -> str:
    accounts = Accounts(data / "public")
    token = accounts.redeem(accounts.make_login_link("ada", 5))
    accounts.close()
    return token


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every text and number of a JSON value."""
    if isinstance(value, dict):
        return [place for name, inner in value.items() for place in _places(inner, (*path, name))]
    if isinstance(value, list):
        return [place for at, inner in enumerate(value) for place in _places(inner, (*path, at))]
    return [] if value is None else [path]


#: What the platform declared and may change, or what says nothing of a figure: proved by nothing. The operator's key is
#: the one that the verifier has: others that evidence names count if it endorses them, and a test of its own has that.
UNPROVED = re.compile(r"(creators|videos|keys)\.|asked\.0\.query|signature|share|asked\.0\.endpoint|asked\.0\.creator")


@pytest.fixture(scope="module")
def text(proved: tuple[Path, LogKeys]) -> bytes:
    """The evidence of one video's figures."""
    return evidence.write(ask(proved, VIDEO))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_byte_that_is_changed_is_found(proved: tuple[Path, LogKeys], text: bytes, data: st.DataObject) -> None:
    found = json.loads(text)
    places = [place for place in _places(found) if not UNPROVED.match(".".join(map(str, place)))]
    place = data.draw(st.sampled_from(places))
    inner = found
    for step in place[:-1]:
        inner = inner[step]
    was = inner[place[-1]]
    if isinstance(was, bool):
        inner[place[-1]] = not was
    elif isinstance(was, int):
        inner[place[-1]] = was + data.draw(st.sampled_from([-1, 1]))
    else:
        at = data.draw(st.integers(0, max(0, len(was) - 1)))
        inner[place[-1]] = was[:at] + data.draw(st.sampled_from("AbZ09+")) + was[at + 1 :]
    if inner[place[-1]] == was:
        return
    try:
        verdict = questions.verify(evidence.read(json.dumps(found)), notaries.key_of(proved[1]))
    except ProofFailed:
        return
    assert verdict.differences or _same_bytes(was, inner[place[-1]]), place


def _same_bytes(was: Any, now: Any) -> bool:
    """Base64 leaves some bits of its last letter unused, and hexadecimal has two ways to write some digits."""
    if not isinstance(was, str):
        return False
    if re.fullmatch("[0-9a-f]+", was):
        return bool(was == now.lower())
    return base64.b64decode(was) == base64.b64decode(now)


def test_a_row_of_another_video_cannot_stand_in(proved: tuple[Path, LogKeys]) -> None:
    found = json.loads(evidence.write(ask(proved, VIDEO)))
    other = questions.prove(
        Matrices(proved[0] / "board"), [questions.question(VIDEO, creator="ada", video="a5", query={})]
    )
    found["rows"][0]["row"] = json.loads(evidence.write(other))["rows"][0]["row"]
    with pytest.raises(ProofFailed, match="changed"):
        questions.verify(evidence.read(json.dumps(found)), notaries.key_of(proved[1]))


def test_a_changed_line_of_an_export_is_named(proved: tuple[Path, LogKeys]) -> None:
    found = ask(proved, OVERVIEW, days="5")
    table = exports.export(
        questions.answer_to(evidence.Proved(found, notaries.key_of(proved[1])), found.asked[0]), format="csv"
    ).decode()
    assert questions.verify(found, notaries.key_of(proved[1]), table=table).differences == ()
    lines = table.split("\r\n")
    cells = lines[4].split(",")
    cells[4] = str(int(cells[4]) + 1)
    lines[4] = ",".join(cells)
    (difference,) = questions.verify(found, notaries.key_of(proved[1]), table="\r\n".join(lines)).differences
    assert difference.line == 5 and cells[3] in difference.where


def test_the_key_of_another_deployment_proves_nothing(proved: tuple[Path, LogKeys], tmp_path: Path) -> None:
    with pytest.raises(ProofFailed, match="operator's key"):
        questions.verify(ask(proved, VIDEO), notaries.key_of(LogKeys(tmp_path)))


def test_a_key_that_came_later_is_trusted_through_the_first_alone(tmp_path: Path) -> None:
    boards.make_board(
        tmp_path / "board", [boards.ACreator(id="ada")], [boards.AVideo(id="a2", creator="ada", age_seconds=DAY)],
        every_tick=False,
    )  # fmt: skip
    keys = notaries.sign(tmp_path)
    old = ask((tmp_path, keys), VIDEO)
    keys.rotate()
    notaries.sign(tmp_path, through_utc=boards.NOW + 120)
    new = ask((tmp_path, keys), VIDEO)
    first, second = notaries.key_of(keys), notaries.key_of(keys, number=1)
    for key, shown in ((first, old), (first, new), (second, new)):
        assert questions.verify(shown, key).differences == ()
    forged = json.loads(evidence.write(new))
    forged["keys"][1]["endorsement"] = "00" * 64
    with pytest.raises(ProofFailed, match="endorsed"):
        questions.verify(evidence.read(json.dumps(forged)), first)


def test_the_log_is_published_and_consistent_from_any_size(proved: tuple[Path, LogKeys]) -> None:
    client = Client(create_app(proved[0], load_settings(proved[0])))
    note = client.get("/api/v1/proofs/checkpoint").text
    keys = client.get("/api/v1/proofs/keys").json()
    assert keys["keys"][0]["verifier"] == notaries.key_of(proved[1])
    said = notes.opened(note, [proved[1].public])
    answer = client.get("/api/v1/proofs/consistency", params={"from": said.size - 1000}).json()
    path = [bytes.fromhex(each) for each in answer["path"]]
    assert path and not merkle.is_consistent(said.size - 1000, said.size, b"\x00" * 32, said.root, path)
    assert client.get("/api/v1/proofs/consistency", params={"from": said.size + 1}).status_code == 422


def test_a_path_is_told_to_whoever_has_the_leaf_and_to_nobody_else(proved: tuple[Path, LogKeys]) -> None:
    client = Client(create_app(proved[0], load_settings(proved[0])))
    found = ask(proved, VIDEO)
    row, stream = found.rows[0], found.streams[0]
    moment = stream.moment_utc(row.tick)
    assert moment is not None
    place = place_of(stream.name, moment)
    leaf = row_leaf(place, bytes.fromhex(row.salt), stream.hash, row.tick, base64.b64decode(row.row))
    params = {"minute": str(minute_of(moment)), "place": place.hex(), "leaf": leaf.hex()}
    told = client.get("/api/v1/proofs/inclusion", params=params).json()
    assert [bytes.fromhex(each) for each in told["in_log"]] == [base64.b64decode(found.hashes[at]) for at in row.in_log]
    for wrong in ({"leaf": "00" * 32}, {"place": "00" * 16}, {"minute": str(minute_of(moment) - 1)}):
        assert client.get("/api/v1/proofs/inclusion", params={**params, **wrong}).status_code == 404
    assert client.get("/api/v1/proofs/inclusion", params={**params, "leaf": "x"}).status_code == 400


def test_an_export_is_signed_and_its_key_is_published(client: Client, asking: Asking, data: Path) -> None:
    answer = asking("ada").get("/api/v1/videos/a0", params={"format": "csv"})
    jwks = client.get("/.well-known/jwks.json").json()
    signature = answer.headers["Footlights-Signature"]
    rows = [line.split(",") for line in answer.text.splitlines()]
    again = canonical({"columns": rows[0], "rows": [_typed(row) for row in rows[1:]]})
    assert is_signed(again, signature, jwks)
    assert not is_signed(again.replace(b"view_count", b"view_kount"), signature, jwks)


def _typed(row: list[str]) -> list[Any]:
    scope, subject, cell, metric, value, low, high, state, exact, as_of, tick = row
    return [scope, subject, cell, metric, int(value), int(low), int(high), state, exact == "true", as_of, int(tick)]


def test_what_an_older_key_signed_can_still_be_checked(tmp_path: Path) -> None:
    keys = ExportKeys(Store(tmp_path))
    old = keys.sign(b"figures")
    keys.rotate()
    new = keys.sign(b"figures")
    assert old != new and is_signed(b"figures", old, keys.jwks()) and is_signed(b"figures", new, keys.jwks())
    assert not is_signed(b"figure", old, keys.jwks()) and len(keys.jwks()["keys"]) == 2
    assert all("d" not in key for key in keys.jwks()["keys"])


def test_evidence_over_http_is_signed_by_the_server_and_proved_by_the_gate(
    client: Client, asking: Asking, data: Path
) -> None:
    answer = asking("ada").get("/api/v1/videos/a0", params={"format": "evidence"})
    assert answer.status_code == 200
    found = evidence.read(answer.content)
    assert is_signed(found.signed_content(), found.signature, client.get("/.well-known/jwks.json").json())
    key = client.get("/api/v1/proofs/keys").json()["keys"][0]["verifier"]
    assert questions.verify(found, key).differences == ()


def _checked(client: Client, **form: str) -> httpx.Response:
    return client.post("/verify", data=form, headers={"Origin": ADDRESS})


def test_the_page_checks_what_is_pasted(client: Client, asking: Asking) -> None:
    text = asking("ada").get("/api/v1/videos/a0", params={"format": "evidence"}).text
    key = client.get("/api/v1/proofs/keys").json()["keys"][0]["verifier"]
    assert "are as published" in _checked(client, evidence=text, key=key).text
    bent = re.sub(r'"value":(\d+)', lambda found: f'"value":{int(found[1]) + 1}', text, count=1)
    assert "Changed in 1 place" in _checked(client, evidence=bent, key=key).text
    assert "Not proved" in _checked(client, evidence="{}", key=key).text
    assert "Not proved" in _checked(client, evidence=text, key="footlights/1+2+3").text
    assert _checked(client, evidence="x" * (5 << 20), key=key).status_code == 413


def test_evidence_that_names_hashes_it_does_not_have_is_refused(proved: tuple[Path, LogKeys]) -> None:
    found = json.loads(evidence.write(ask(proved, VIDEO)))
    for spoil in (
        lambda e: e["hashes"].clear(),
        lambda e: e["rows"][0].update(stream=99),
        lambda e: e["rows"][0].update(tick=99_999),
        lambda e: e["rows"][0].update(salt="zz"),
        lambda e: e["plans"].clear(),
        lambda e: e["streams"].append(e["streams"][0]),
        lambda e: e["creators"].clear(),
        lambda e: e["asked"][0].update(endpoint="/api/v1/nothing"),
    ):
        spoilt = copy.deepcopy(found)
        spoil(spoilt)  # type: ignore[no-untyped-call]
        with pytest.raises(ProofFailed):
            questions.verify(evidence.read(json.dumps(spoilt)), notaries.key_of(proved[1]))


# ---- Live


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Client]:
    """A data folder with a live session, the key of its log, and its host's client."""
    folder = tmp_path_factory.mktemp("live")
    boards.make_board(folder / "board", [boards.ACreator(id=HOST)], [], every_tick=False)
    house = House(folder)
    house.tell(started(), *joins([f"v{n}" for n in range(300)], at=1))
    house.publish(122)
    accounts = Accounts(folder / "public")
    token = accounts.redeem(accounts.make_login_link(HOST, 5))
    accounts.close()
    client = Client(create_app(folder, load_settings(folder)), token=token)
    return folder, notaries.key_of(LogKeys(folder / "private")), client


@pytest.mark.parametrize("path", ["/api/v1/lives/l1", "/api/v1/lives/l1/replay"])
def test_a_live_answer_comes_with_its_evidence(live: tuple[Path, str, Client], path: str) -> None:
    _, key, client = live
    answer = client.get(path, params={"format": "evidence"})
    assert answer.status_code == 200 and answer.headers["content-type"] == exports.MEDIA_TYPES["evidence"]
    verdict = questions.verify(evidence.read(answer.content), key)
    assert verdict.differences == () and verdict.through == "2026-01-01T00:02:00Z" and verdict.figures


def test_an_export_of_a_live_room_is_checked_by_its_evidence(live: tuple[Path, str, Client]) -> None:
    _, key, client = live
    found = evidence.read(client.get("/api/v1/lives/l1", params={"format": "evidence"}).content)
    with closing(ProvedLive(found, key)) as board:
        assert found.live is not None
        again = questions.answer_of_session(board, found.live.session, found.asked[0])
    table = exports.export(again, format="csv").decode()
    assert questions.verify(found, key, table=table).differences == ()
    changed = re.sub(r"live_viewers,(\d)", lambda m: f"live_viewers,{int(m[1]) % 9 + 1}", table)
    (difference,) = questions.verify(found, key, table=changed).differences
    assert "live_viewers" in difference.where and difference.line > 1


def test_anybody_may_check_a_live_figure_on_the_page(live: tuple[Path, str, Client]) -> None:
    folder, key, client = live
    found = client.get("/api/v1/lives/l1", params={"format": "evidence"}).text
    nobody = Client(create_app(folder, load_settings(folder)))
    page = nobody.request("POST", "/verify", data={"evidence": found, "key": key}, headers={"Origin": ADDRESS})
    assert page.status_code == 200 and f"{key.partition('+')[0]}/live" in page.text


def test_the_log_of_live_sessions_is_published_beside_that_of_minutes(live: tuple[Path, str, Client]) -> None:
    folder, key, _ = live
    client = Client(create_app(folder, load_settings(folder)))
    said = notes.opened(client.get("/api/v1/proofs/checkpoint", params={"log": "live"}).text, evidence.trusted([], key))
    assert evidence.same_log(said.origin, key, log="/live") and not evidence.same_log(said.origin, key)
    answer = client.get("/api/v1/proofs/consistency", params={"from": said.size - 1, "log": "live"}).json()
    assert answer["to"] == said.size and answer["path"]
    assert client.get("/api/v1/proofs/checkpoint", params={"log": "both"}).status_code == 400


def test_where_nobody_has_gone_live_no_log_is_published_of_it(proved: tuple[Path, LogKeys]) -> None:
    client = Client(create_app(proved[0], load_settings(proved[0])))
    assert client.get("/api/v1/proofs/checkpoint", params={"log": "live"}).status_code == 503
