from __future__ import annotations

import pytest

from footlights.public.accounts.one_time import address_of, code_of, step_of, typed

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("at", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (2000000000, "279037")]
)
def test_codes_are_those_of_rfc_6238(at: int, code: str) -> None:
    """Appendix B, its last six digits."""
    assert code_of(SECRET, at // 30) == code
    assert step_of(SECRET, code, now_utc=at) == at // 30


def test_a_clock_may_be_half_a_minute_off_and_no_more() -> None:
    now = 1_800_000_000
    for steps in (-1, 0, 1):
        assert step_of(SECRET, code_of(SECRET, now // 30 + steps), now_utc=now) == now // 30 + steps
    for steps in (-2, 2):
        assert step_of(SECRET, code_of(SECRET, now // 30 + steps), now_utc=now) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "٢٨٧٠٨٢", "28 70 8"])
def test_what_is_no_code_has_no_step(code: str) -> None:
    assert step_of(SECRET, code, now_utc=59) is None


def test_a_code_may_be_typed_with_a_space() -> None:
    assert step_of(SECRET, "287 082", now_utc=59) == 1


def test_an_app_gets_the_secret_by_address_or_by_hand() -> None:
    assert "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" in address_of(SECRET, name="mia")
    assert typed(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
