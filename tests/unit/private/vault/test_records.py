"""Records: 64 bytes, the same through struct and through NumPy, and subject keys that are the journal's format."""

from __future__ import annotations

import numpy as np

from footlights.private.vault.records import PACK, RECORD, subject_key

ONE = (1_700_000_000_123, -5, 2**63 - 1, -(2**63), 7, 0, 5, 7, 3, 12, 249, 7, 2**31 - 1, 600_000)


def test_a_record_packed_alone_reads_the_same_as_a_row_of_an_array() -> None:
    row = np.frombuffer(PACK.pack(*ONE), dtype=RECORD)[0]
    assert tuple(row.item()) == ONE
    assert np.array([ONE], dtype=RECORD).tobytes() == PACK.pack(*ONE)


def test_a_record_has_no_padding_and_no_field_that_could_hold_an_id() -> None:
    assert RECORD.itemsize == 64 == sum(RECORD[name].itemsize for name in RECORD.names or ())
    assert {RECORD[name].kind for name in RECORD.names or ()} <= {"i", "u"}


def test_a_video_and_a_creator_of_the_same_name_have_different_keys() -> None:
    assert subject_key("video", "frank") != subject_key("creator", "frank")


def test_the_key_of_a_video_never_changes() -> None:
    # Journals and stores hold these numbers.
    assert subject_key("video", "v100") == 3978907434215128151
    assert subject_key("creator", "c1") == -8801902494733081786
