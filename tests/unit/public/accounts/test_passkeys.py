from __future__ import annotations

import pytest

from footlights.public.accounts.operators import Operators, Session
from footlights.public.accounts.passkeys import CHALLENGE_SECONDS, Passkeys, Place
from footlights.public.accounts.store import Store
from footlights.terms.errors import NotAllowed
from tests.unit.public.accounts.authenticators import PRESENT, Authenticator
from tests.unit.public.accounts.clocks import Clock

HERE = Place(origin="https://studio.example", host="studio.example")

pytestmark = pytest.mark.usefixtures("quick_hashes")


@pytest.fixture
def operators(store: Store) -> Operators:
    return Operators(store)


@pytest.fixture
def mia(operators: Operators) -> Session:
    return _session(operators, "mia")


@pytest.fixture
def passkeys(store: Store) -> Passkeys:
    return Passkeys(store)


def _session(operators: Operators, name: str) -> Session:
    made = operators.create(name, "four lamps in a row")
    session = operators.session(operators.sign_in(name, "four lamps in a row", made.recovery_codes[0]))
    assert session is not None
    return session


def _made(passkeys: Passkeys, mia: Session, *, counter: int | None = None) -> Authenticator:
    key = Authenticator(HERE.host, HERE.origin, counter=counter)
    passkeys.make(mia, "blue key", key.make(passkeys.ask_to_make(mia, HERE)), HERE)
    return key


def test_a_passkey_says_which_operator_it_is(passkeys: Passkeys, operators: Operators, mia: Session) -> None:
    noa = _session(operators, "noa")
    keys = {session.operator: _made(passkeys, session) for session in (mia, noa)}
    for operator, key in keys.items():
        assert passkeys.who(key.get(passkeys.ask_who(HERE)), HERE) == operator
    assert [passkey.label for passkey in passkeys.of(mia.operator)] == ["blue key"]


def test_what_a_browser_is_asked_for_lives_on_the_device_and_knows_its_owner(passkeys: Passkeys, mia: Session) -> None:
    _made(passkeys, mia)
    asked = passkeys.ask_to_make(mia, HERE)["publicKey"]
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["rp"]["id"] == HERE.host and len(asked["excludeCredentials"]) == 1
    assert passkeys.ask_who(HERE)["publicKey"]["userVerification"] == "required"


def test_an_answer_counts_once(passkeys: Passkeys, mia: Session) -> None:
    key = _made(passkeys, mia)
    answer = key.get(passkeys.ask_who(HERE))
    passkeys.who(answer, HERE)
    with pytest.raises(NotAllowed):
        passkeys.who(answer, HERE)


def test_a_question_is_answered_within_five_minutes(passkeys: Passkeys, mia: Session, clock: Clock) -> None:
    key = _made(passkeys, mia)
    asked = passkeys.ask_who(HERE)
    clock.now += CHALLENGE_SECONDS
    with pytest.raises(NotAllowed, match="too long"):
        passkeys.who(key.get(asked), HERE)


def test_a_question_of_another_process_or_for_another_use_is_not_answered(
    passkeys: Passkeys, store: Store, mia: Session
) -> None:
    key = _made(passkeys, mia)
    for asked in (Passkeys(store).ask_who(HERE), passkeys.ask_to_make(mia, HERE)):
        with pytest.raises(NotAllowed):
            passkeys.who(key.get(asked), HERE)


def test_a_passkey_of_another_address_is_refused(passkeys: Passkeys, mia: Session) -> None:
    key = _made(passkeys, mia)
    for host, origin in ((HERE.host, "https://studio.example.evil.test"), ("evil.test", HERE.origin)):
        key.host, key.origin = host, origin
        with pytest.raises(NotAllowed):
            passkeys.who(key.get(passkeys.ask_who(HERE)), HERE)


def test_a_key_that_did_not_ask_who_is_there_is_refused(passkeys: Passkeys, mia: Session) -> None:
    key = _made(passkeys, mia)
    key.flags = PRESENT
    with pytest.raises(NotAllowed):
        passkeys.who(key.get(passkeys.ask_who(HERE)), HERE)
    with pytest.raises(NotAllowed):
        passkeys.make(mia, "lax", key.make(passkeys.ask_to_make(mia, HERE)), HERE)


def test_another_signature_is_refused(passkeys: Passkeys, mia: Session) -> None:
    key, other = _made(passkeys, mia), Authenticator(HERE.host, HERE.origin)
    other.id = key.id
    with pytest.raises(NotAllowed):
        passkeys.who(other.get(passkeys.ask_who(HERE)), HERE)


def test_a_copied_key_is_seen_by_its_counter(passkeys: Passkeys, mia: Session) -> None:
    key = _made(passkeys, mia, counter=7)
    passkeys.who(key.get(passkeys.ask_who(HERE)), HERE)
    key.counter = 5
    with pytest.raises(NotAllowed, match="copied"):
        passkeys.who(key.get(passkeys.ask_who(HERE)), HERE)


def test_a_removed_passkey_is_refused_and_only_its_owner_removes_it(
    passkeys: Passkeys, operators: Operators, mia: Session
) -> None:
    noa, key = _session(operators, "noa"), _made(passkeys, mia)
    (known,) = passkeys.of(mia.operator)
    with pytest.raises(NotAllowed):
        passkeys.remove(noa, known.id)
    passkeys.remove(mia, known.id)
    with pytest.raises(NotAllowed):
        passkeys.who(key.get(passkeys.ask_who(HERE)), HERE)


def test_a_passkey_is_kept_once(passkeys: Passkeys, operators: Operators, mia: Session) -> None:
    noa, key = _session(operators, "noa"), _made(passkeys, mia)
    with pytest.raises(NotAllowed, match="known"):
        passkeys.make(noa, "same", key.make(passkeys.ask_to_make(noa, HERE)), HERE)
    assert passkeys.who(key.get(passkeys.ask_who(HERE)), HERE) == mia.operator


@pytest.mark.parametrize("answer", [None, {}, [], "x", {"id": "!", "rawId": 5}, {"id": "AA", "rawId": "AA"}])
def test_what_is_no_answer_is_refused(passkeys: Passkeys, mia: Session, answer: object) -> None:
    with pytest.raises(NotAllowed):
        passkeys.who(answer, HERE)
    with pytest.raises(NotAllowed):
        passkeys.make(mia, "x", answer, HERE)


def test_questions_that_nobody_answers_fill_nothing(passkeys: Passkeys, store: Store) -> None:
    for _ in range(100):
        passkeys.ask_who(HERE)
    assert passkeys._answered == {}
