from __future__ import annotations

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

from footlights.terms.exact import Exact

SRC = Path(__file__).parents[2] / "src" / "footlights"
SECRET = 987_654_321


def _exact() -> Exact:
    return Exact({"reach": np.array([SECRET], dtype=np.int64)})


def test_an_exact_number_cannot_be_printed() -> None:
    exact = _exact()
    for text in (repr(exact), str(exact), f"{exact}", f"{exact!r:>40}", repr([exact])):
        assert str(SECRET) not in text
        assert "withheld" in text


def test_an_exact_number_cannot_be_saved_copied_or_compared() -> None:
    for use in (pickle.dumps, copy.copy, copy.deepcopy, hash):
        with pytest.raises(TypeError):
            use(_exact())
    with pytest.raises(TypeError):
        assert _exact() == _exact()


def test_only_the_gates_release_opens_an_exact_number() -> None:
    opening = {
        str(path.relative_to(SRC))
        for path in SRC.rglob("*.py")
        if "open_in_gate" in path.read_text("utf-8") and path.name != "exact.py"
    }
    assert opening == {"gate/release.py"}
