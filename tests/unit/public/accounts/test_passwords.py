from __future__ import annotations

import pytest

from footlights.public.accounts.passwords import check_choice, fits, hash_password
from footlights.terms.errors import NotAllowed

GOOD = "four lamps in a row"


def test_a_password_fits_its_own_hash_alone() -> None:
    hashed = hash_password(GOOD)
    assert fits(GOOD, hashed)
    assert not fits(GOOD + " ", hashed) and not fits("", hashed) and not fits(GOOD, None)


def test_a_hash_is_argon2id_with_the_cost_of_rfc_9106_and_a_salt_of_its_own() -> None:
    first, second = hash_password(GOOD), hash_password(GOOD)
    assert first.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert first != second and GOOD not in first


@pytest.mark.parametrize(
    "password", ["short", "x" * 257, "mia in the theatre", "aaaaaaaaaaaabbbb", "footlights footlights"]
)
def test_a_password_that_is_easy_to_guess_is_refused_and_not_repeated(password: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        check_choice(password, name="mia")
    assert password not in str(refused.value)


def test_a_good_password_is_taken() -> None:
    check_choice(GOOD, name="mia")
