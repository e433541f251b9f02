"""The suite bites: every attack beats the twin, a gate without noise is caught, and the real one withstands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from footlights import cli
from footlights.audit import suite
from footlights.audit.attacks import ATTACKS, Attack, Game, Play, counts
from footlights.audit.doors import Answer, Doors, Message
from footlights.audit.rehearsal import Rehearsal
from footlights.audit.suite import Verdict, coins, run_attacks, verdict_lines, verdicts_json
from footlights.audit.twin import Twin
from footlights.gate.mechanisms.noise import KeyedNoise, Noise
from footlights.simulate.draws import Draws
from tests.lean import POLICY
from tests.unit.audit.promises import promised, stated

BEGAN = 1_790_812_800
SEED = 11
#: Of all attacks together: how often an honest gate is called broken here.
ALPHA = 1e-5
NAMES = [attack.name for attack in ATTACKS]


class Promising:
    """The twin, which promises what the shipped policy does: an audit of it has to fail."""

    def __init__(self) -> None:
        self._twin = Twin(began_utc=BEGAN)

    def now_utc(self) -> int:
        return self._twin.now_utc()

    def send(self, messages: list[Message]) -> Answer:
        return self._twin.send(messages)

    def pass_time(self, seconds: int) -> None:
        self._twin.pass_time(seconds)

    def keep(self) -> None:
        self._twin.keep()

    def put_back(self) -> None:
        self._twin.put_back()

    def get(self, path: str, *, creator: str = "", app: str = "") -> Answer:
        if path == suite.PRIVACY:
            return Answer(status=200, headers={}, body=msgspec.json.encode(stated()), seconds=0.0)
        return self._twin.get(path, creator=creator)


class Forgetful(Promising):
    """Adds fresh noise to every read, as systems do that draw it when they are asked."""

    def __init__(self) -> None:
        super().__init__()
        self._noise = Draws(b"forgetful")

    def get(self, path: str, *, creator: str = "", app: str = "") -> Answer:
        answer = super().get(path, creator=creator)
        if path == suite.PRIVACY or answer.status != 200:
            return answer
        return msgspec.structs.replace(answer, body=msgspec.json.encode(self._noisy(answer.json())))

    def _noisy(self, found: Any) -> Any:
        if isinstance(found, dict) and isinstance(found.get("value"), int):
            value = found["value"] + round(5 * self._noise.normal(1)[0])
            return found | {"value": value, "low": value - 10, "high": value + 10}
        if isinstance(found, dict):
            return {name: self._noisy(value) for name, value in found.items()}
        return [self._noisy(value) for value in found] if isinstance(found, list) else found


def named(*names: str) -> list[Attack]:
    return [attack for attack in ATTACKS if attack.name in names]


def audited(doors: Doors, *, games: int, attacks: list[Attack] | None = None) -> dict[str, Verdict]:
    twin = Twin(began_utc=doors.now_utc())
    found = run_attacks(doors, twin, games=games, seed=SEED, attacks=ATTACKS if attacks is None else attacks)
    return {verdict.attack: verdict for verdict in found}


@pytest.fixture(autouse=True)
def few_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "READS", 40)


@pytest.fixture(scope="module")
def against_the_twin() -> dict[str, Verdict]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(counts, "READS", 40)
        return audited(Promising(), games=30)


@pytest.mark.parametrize("attack", NAMES)
def test_every_attack_beats_the_twin(against_the_twin: dict[str, Verdict], attack: str) -> None:
    verdict = against_the_twin[attack]
    assert verdict.twin_right == verdict.twin_games > 0
    assert verdict.outcome == "broken"
    assert verdict.failed


@pytest.fixture(scope="module")
def against_the_real(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    folder = tmp_path_factory.mktemp("rehearsal")
    with pytest.MonkeyPatch.context() as patched, Rehearsal(folder, policy=POLICY.text) as doors:
        patched.setattr(counts, "READS", 40)
        patched.setattr(suite, "ALPHA", ALPHA)
        return audited(doors, games=30)


@pytest.mark.parametrize("attack", NAMES)
def test_the_real_deployment_withstands_every_attack(against_the_real: dict[str, Verdict], attack: str) -> None:
    verdict = against_the_real[attack]
    assert verdict.outcome == "withstood"
    assert not verdict.failed


@pytest.mark.slow
def test_a_gate_without_noise_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(_: KeyedNoise, samplers: Any, *, subjects: Any, nodes: Any, **__: Any) -> Noise:
        return Noise(np.zeros((len(subjects), len(samplers)), dtype=np.int64))

    def silent_cells(_: KeyedNoise, __: Any, *, subjects: Any, nodes: Any, lanes: range) -> Noise:
        return Noise(np.zeros((len(subjects), len(lanes)), dtype=np.int64))

    monkeypatch.setattr(KeyedNoise, "draw", silent)
    monkeypatch.setattr(KeyedNoise, "draw_cells", silent_cells)
    # Each reads figures; the others read what surrounds them, where noise plays no part.
    noisy = [attack for attack in ATTACKS if attack.reads_figures]
    with Rehearsal(tmp_path, policy=POLICY.text) as doors:
        found = audited(doors, games=22, attacks=noisy)
    assert {name: verdict.outcome for name, verdict in found.items()} == dict.fromkeys(found, "broken")


class KeptKey(Rehearsal):
    """Put back with the gate's old key, as a copy of the whole folder would do it."""

    def put_back(self) -> None:
        key = (self._folder / "private" / "keys" / "gate.key").read_bytes()
        self.put_back_with(key)


def test_a_gate_that_kept_its_key_over_a_restore_is_caught(tmp_path: Path) -> None:
    attacks = named("lost in a restore")
    with KeptKey(tmp_path, policy=POLICY.text) as doors:
        assert audited(doors, games=24, attacks=attacks)["lost in a restore"].outcome == "broken"


def test_what_cannot_be_put_back_is_not_asked_to_be() -> None:
    class Running(Promising):
        keep = put_back = None  # type: ignore[assignment]

    found = audited(Running(), games=4, attacks=named("restored twice"))["restored twice"]
    assert (found.outcome, found.failed) == ("not here yet", False)


def test_fresh_noise_at_every_read_is_averaged_away(monkeypatch: pytest.MonkeyPatch) -> None:
    attacks = named("many reads")
    monkeypatch.setattr(counts, "READS", 1)
    once = audited(Forgetful(), games=20, attacks=attacks)["many reads"]
    monkeypatch.setattr(counts, "READS", 1000)
    often = audited(Forgetful(), games=20, attacks=attacks)["many reads"]
    assert (once.outcome, often.outcome) == ("withstood", "broken")


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("footlights.cli", "footlights.cli.audit"):
        monkeypatch.setattr(f"{module}.log_to_stderr", lambda **_: None)


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(("failed", "status"), [(True, 1), (False, 0)])
def test_the_command_ends_with_1_where_something_failed(
    against_the_twin: dict[str, Verdict], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    failed: bool, status: int,
) -> None:  # fmt: skip
    told = msgspec.structs.replace(against_the_twin["one view"], outcome="broken" if failed else "withstood")
    monkeypatch.setattr(suite, "run_attacks", lambda *_, **__: [told])
    assert ended_with("audit", "--attacks", "--games", "40", "--json") == status
    answer = capsys.readouterr().out.splitlines()[-1]  # logs come before it
    assert msgspec.json.decode(answer)["failed"] == (["one view"] if failed else [])


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    "arguments",
    [["--attacks", "--canaries", "20"], ["--attacks", "--games", "0"], ["--canaries", "20", "--games", "40"]],
)
def test_an_attack_that_cannot_be_meant_is_wrong_usage(arguments: list[str]) -> None:
    assert ended_with("audit", *arguments) == 2


def ended_with(*arguments: str) -> object:
    try:
        return cli.main(list(arguments))
    except SystemExit as ended:
        return ended.code


def always_heads(game: Game) -> Play:
    yield 60
    return True


def test_an_attack_that_cannot_tell_is_blunt() -> None:
    guess = Attack(name="guess", about="Heads, always.", play=always_heads)
    verdict = audited(Promising(), games=40, attacks=[guess])["guess"]
    assert (verdict.outcome, verdict.failed) == ("blunt", True)


def test_games_that_are_too_few_to_tell_are_no_pass() -> None:
    verdict = audited(Promising(), games=12, attacks=named("order", "one view"))["one view"]
    assert (verdict.outcome, verdict.failed) == ("too few games", True)


def test_what_takes_longer_than_there_is_time_is_left_out() -> None:
    doors = Promising()
    days = run_attacks(
        doors, Twin(began_utc=BEGAN), games=2, seed=SEED, attacks=named("neighbouring days"), seconds_most=3600
    )  # fmt: skip
    assert [(one.outcome, one.games, one.failed) for one in days] == [("too long", 0, False)]
    assert doors.now_utc() == BEGAN


def test_coins_come_from_the_seed_and_the_attack_alone_and_are_fair() -> None:
    assert coins(1, "one view", 50) == coins(1, "one view", 80)[:50]
    assert len({tuple(coins(seed, name, 50)) for seed in (1, 2) for name in NAMES[:3]}) == 6
    assert 4500 < sum(coins(3, "one view", 10_000)) < 5500


def test_a_game_tells_nobody_its_coin() -> None:
    game = Game(
        Promising(), name="g", cast="c", heads=True, promise=promised(), tell=lambda _: None
    )  # fmt: skip
    assert "True" not in repr(game)


def test_progress_counts_the_games_here() -> None:
    told: list[tuple[int, int]] = []
    run_attacks(
        Promising(), Twin(began_utc=BEGAN), games=3, seed=SEED, attacks=named("one view", "order"),
        progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert told[-1] == (6, 6)


def test_the_table_and_the_json_say_the_same(against_the_twin: dict[str, Verdict]) -> None:
    verdicts = list(against_the_twin.values())
    lines = verdict_lines(verdicts)
    assert [line[:22].rstrip() for line in lines[1 : len(verdicts) + 1]] == NAMES
    assert any(line.startswith("broken: one view, ") for line in lines[len(verdicts) :])
    answer = verdicts_json(verdicts, seed=SEED)
    assert answer["failed"] == NAMES
    assert [row["attack"] for row in answer["attacks"]] == NAMES
    assert msgspec.json.decode(msgspec.json.encode(answer)) == answer
