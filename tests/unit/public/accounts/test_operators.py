from __future__ import annotations

import base64
import sqlite3
from pathlib import Path

import pytest

from footlights.public.accounts.attempts import TRIES_OF_ALL, TRIES_OF_ONE, WINDOW_SECONDS
from footlights.public.accounts.one_time import code_of
from footlights.public.accounts.operators import FRESH_SECONDS, WRONG, Enrolment, Operators
from footlights.public.accounts.store import ACCOUNTS_FILE, Store
from footlights.terms.errors import NotAllowed, NotFound
from tests.unit.public.accounts.clocks import Clock

GOOD, BETTER = "four lamps in a row", "a curtain of 400 kg"

pytestmark = pytest.mark.usefixtures("quick_hashes")


@pytest.fixture
def operators(store: Store) -> Operators:
    return Operators(store, session_hours=8)


@pytest.fixture
def mia(operators: Operators) -> Enrolment:
    return operators.create("mia", GOOD)


def _code(made: Enrolment, clock: Clock, *, steps: int = 0) -> str:
    secret = base64.b32decode(made.totp_secret.replace(" ", ""))
    return code_of(secret, int(clock.now) // 30 + steps)


def test_there_is_no_operator_until_one_is_created(operators: Operators) -> None:
    assert operators.all() == []
    for name in ("admin", "operator", "root", ""):
        with pytest.raises(NotAllowed, match=WRONG):
            operators.sign_in(name, "admin", "000000")


def test_an_operator_signs_in_with_password_and_code(operators: Operators, mia: Enrolment, clock: Clock) -> None:
    session = operators.session(operators.sign_in("mia", GOOD, _code(mia, clock)))
    assert session is not None and (session.name, session.fresh) == ("mia", True)


@pytest.mark.parametrize("wrong", ["name", "password", "code", "no code"])
def test_whatever_is_wrong_the_answer_is_the_same(
    operators: Operators, mia: Enrolment, clock: Clock, wrong: str
) -> None:
    code = {"code": "000000", "no code": ""}.get(wrong, _code(mia, clock))
    with pytest.raises(NotAllowed) as refused:
        operators.sign_in("ma" if wrong == "name" else "mia", "x" if wrong == "password" else GOOD, code)
    assert str(refused.value) == WRONG


def test_a_code_works_once(operators: Operators, mia: Enrolment, clock: Clock) -> None:
    operators.sign_in("mia", GOOD, _code(mia, clock))
    for steps in (0, -1):
        with pytest.raises(NotAllowed):
            operators.sign_in("mia", GOOD, _code(mia, clock, steps=steps))
    operators.sign_in("mia", GOOD, _code(mia, clock, steps=1))


def test_a_wrong_password_uses_no_code_up(operators: Operators, mia: Enrolment, clock: Clock) -> None:
    for code in (_code(mia, clock), mia.recovery_codes[0]):
        with pytest.raises(NotAllowed):
            operators.sign_in("mia", "wrong", code)
        operators.sign_in("mia", GOOD, code)


def test_a_recovery_code_works_once_however_it_is_typed(operators: Operators, mia: Enrolment) -> None:
    first, second = mia.recovery_codes[:2]
    operators.sign_in("mia", GOOD, first)
    with pytest.raises(NotAllowed):
        operators.sign_in("mia", GOOD, first)
    operators.sign_in("mia", GOOD, second.lower().replace("-", " "))
    assert operators.all()[0].recovery_codes == len(mia.recovery_codes) - 2


def test_one_operators_recovery_code_is_no_other_ones(operators: Operators, mia: Enrolment) -> None:
    operators.create("noa", BETTER)
    with pytest.raises(NotAllowed):
        operators.sign_in("noa", BETTER, mia.recovery_codes[0])


def test_after_five_wrong_answers_the_right_one_waits_too(operators: Operators, mia: Enrolment, clock: Clock) -> None:
    for _ in range(TRIES_OF_ONE):
        with pytest.raises(NotAllowed, match=WRONG):
            operators.sign_in("mia", "wrong", "000000")
    with pytest.raises(NotAllowed, match="Wait 15 minutes"):
        operators.sign_in("mia", GOOD, _code(mia, clock))
    clock.now += WINDOW_SECONDS
    operators.sign_in("mia", GOOD, _code(mia, clock))


def test_a_name_that_nobody_has_is_locked_like_one_that_exists(operators: Operators) -> None:
    for _ in range(TRIES_OF_ONE):
        with pytest.raises(NotAllowed, match=WRONG):
            operators.sign_in("nobody", "wrong", "000000")
    with pytest.raises(NotAllowed, match="Too many"):
        operators.sign_in("nobody", "wrong", "000000")


def test_guesses_over_many_names_are_limited_too_and_fill_no_table(operators: Operators, store: Store) -> None:
    for number in range(TRIES_OF_ALL):
        with pytest.raises(NotAllowed, match=WRONG):
            operators.sign_in(f"name {number}", "wrong", "000000")
    with pytest.raises(NotAllowed, match="Too many"):
        operators.sign_in("another", "wrong", "000000")
    with store.reading() as db:
        slots = [who for (who,) in db.execute("SELECT who FROM attempts")]
    assert all(-1 <= who < 4096 for who in slots)


def test_signing_in_starts_the_count_again(operators: Operators, mia: Enrolment) -> None:
    for code in mia.recovery_codes[:3]:
        for _ in range(TRIES_OF_ONE - 1):
            with pytest.raises(NotAllowed, match=WRONG):
                operators.sign_in("mia", "wrong", "000000")
        operators.sign_in("mia", GOOD, code)


def test_a_session_ends_with_its_hours_or_by_signing_out(operators: Operators, mia: Enrolment, clock: Clock) -> None:
    first, second = (operators.sign_in("mia", GOOD, code) for code in mia.recovery_codes[:2])
    operators.sign_out(first)
    assert operators.session(first) is None and operators.session(second) is not None
    clock.now += 8 * 3600
    assert operators.session(second) is None


def test_a_session_is_fresh_for_a_quarter_of_an_hour(operators: Operators, mia: Enrolment, clock: Clock) -> None:
    token = operators.sign_in("mia", GOOD, mia.recovery_codes[0])
    clock.now += FRESH_SECONDS
    session = operators.session(token)
    assert session is not None and not session.fresh


def test_a_new_password_ends_the_other_sessions(operators: Operators, mia: Enrolment) -> None:
    here, there = (operators.sign_in("mia", GOOD, code) for code in mia.recovery_codes[:2])
    session = operators.session(here)
    assert session is not None
    operators.change_password(session, BETTER, keep=here)
    assert operators.session(here) is not None and operators.session(there) is None
    with pytest.raises(NotAllowed):
        operators.sign_in("mia", GOOD, mia.recovery_codes[2])
    operators.sign_in("mia", BETTER, mia.recovery_codes[2])


def test_new_recovery_codes_replace_the_old_ones(operators: Operators, mia: Enrolment) -> None:
    session = operators.session(operators.sign_in("mia", GOOD, mia.recovery_codes[0]))
    assert session is not None
    codes = operators.new_recovery_codes(session)
    with pytest.raises(NotAllowed):
        operators.sign_in("mia", GOOD, mia.recovery_codes[1])
    operators.sign_in("mia", GOOD, codes[1])


def test_a_reset_ends_everything_that_the_account_had(operators: Operators, mia: Enrolment, clock: Clock) -> None:
    token = operators.sign_in("mia", GOOD, mia.recovery_codes[0])
    fresh = operators.reset("mia", BETTER)
    assert operators.session(token) is None
    for password, code in ((GOOD, _code(fresh, clock)), (BETTER, _code(mia, clock)), (BETTER, mia.recovery_codes[1])):
        with pytest.raises(NotAllowed):
            operators.sign_in("mia", password, code)
    operators.sign_in("mia", BETTER, _code(fresh, clock))


def test_a_removed_operator_is_gone_at_once(operators: Operators, mia: Enrolment) -> None:
    token = operators.sign_in("mia", GOOD, mia.recovery_codes[0])
    operators.remove("mia")
    assert operators.session(token) is None and operators.all() == []
    for act in (operators.remove, lambda name: operators.reset(name, GOOD)):
        with pytest.raises(NotFound):
            act("mia")


@pytest.mark.parametrize("name", ["", "Mia", "mia k", "-mia", "m" * 33, "mia\n"])
def test_an_odd_name_is_refused(operators: Operators, name: str) -> None:
    with pytest.raises(NotAllowed):
        operators.create(name, GOOD)


def test_a_name_is_taken_once(operators: Operators, mia: Enrolment) -> None:
    with pytest.raises(NotAllowed, match="operator reset"):
        operators.create("mia", BETTER)


def test_the_file_holds_no_password_code_or_session(tmp_path: Path, store: Store, operators: Operators) -> None:
    made = operators.create("mia", GOOD)
    token = operators.sign_in("mia", GOOD, made.recovery_codes[0])
    store.close()
    with sqlite3.connect(tmp_path / ACCOUNTS_FILE) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    stored = (tmp_path / ACCOUNTS_FILE).read_bytes()
    secrets = [GOOD, token, *made.recovery_codes, *(code.replace("-", "") for code in made.recovery_codes)]
    assert [secret for secret in secrets if secret.encode() in stored] == []
