"""Macs: what is done for all texts at once is the CBC-MAC of each, and no text's blocks begin another's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from footlights.private.vault.macs import Mac

SECRET = bytes(range(32))
texts = st.lists(st.text(max_size=4) | st.text(max_size=70) | st.sampled_from(["", "\0", "é" * 256, "x" * 12]))


def laid_out(text: str) -> bytes:
    raw = len(text.encode()).to_bytes(4, "little") + text.encode()
    return raw + bytes(-len(raw) % 16)


def cbc_mac(message: bytes) -> bytes:
    return Cipher(algorithms.AES(SECRET), modes.CBC(bytes(16))).encryptor().update(message)[-16:]


@given(texts)
def test_each_tag_is_the_cbc_mac_of_its_text(given: list[str]) -> None:
    tags = Mac(SECRET).of_texts(given)
    assert tags.shape == (len(given), 2)
    assert [tag.tobytes() for tag in tags] == [cbc_mac(laid_out(text)) for text in given]


@given(texts)
def test_a_block_before_a_text_is_its_first(given: list[str]) -> None:
    before = np.arange(2 * len(given), dtype="<u8").reshape(-1, 2)
    tags = Mac(SECRET).of_texts(given, after=before)
    whole = [block.tobytes() + laid_out(text) for block, text in zip(before, given, strict=True)]
    assert [tag.tobytes() for tag in tags] == [cbc_mac(message) for message in whole]


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_s_blocks_are_the_beginning_of_another_s(one: str, other: str) -> None:
    assert one == other or not laid_out(other).startswith(laid_out(one))


def test_a_tag_depends_on_its_secret_and_no_secret_can_be_printed() -> None:
    mac = Mac(SECRET)
    assert (mac.of_texts(["ann"]) != Mac(bytes(32)).of_texts(["ann"])).any()
    assert repr(mac) == "<keyed hash, withheld>"


def test_a_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        Mac(SECRET).of_texts(["\ud800"])


def test_threads_that_ask_at_once_get_the_tags_that_one_gets() -> None:
    mac = Mac(b"\x07" * 32)
    texts = [[f"{thread}-{row}" * (row % 5 + 1) for row in range(300)] for thread in range(4)]
    alone = [mac.of_texts(some).tolist() for some in texts]
    with ThreadPoolExecutor(4) as threads:
        for _ in range(20):
            assert [tags.tolist() for tags in threads.map(mac.of_texts, texts)] == alone
