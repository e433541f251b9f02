"""Macs. In: a secret and texts. Out: a keyed tag of 16 bytes for each, all of them at once. Keeps neither.

CBC-MAC with AES-256. A text is laid out in blocks of 16 bytes, its length first and zeros last:

    | length | text ...        | ... text | 0 0 0 |
    0        4                 16                 32

So no text's blocks are the beginning of another's, and without that CBC-MAC is no pseudorandom function; with it it is
(Petrank and Rackoff, "CBC MAC for real-time data sources", J. Cryptology 13, 2000; the bound is that of Bellare,
Kilian and Rogaway, J. Computer and System Sciences 61, 2000): whoever has no key tells it from a random function with
advantage at most 2 s**2 / 2**128 after s blocks.

Step j enciphers the j-th block of all texts in one call. That takes a sixth of the time of blake2b for each.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from numpy.typing import NDArray

from footlights.private.vault.texts import Texts

Int64s = NDArray[np.int64]
#: Blocks or tags, shape (n, 2): two words of eight bytes each, little-endian.
Blocks = NDArray[np.uint64]

BLOCK_BYTES = 16
_LENGTH_BYTES = 4


class Mac:
    """Tags under one secret of 32 bytes. Safe to use from several threads."""

    __slots__ = ("_cipher", "_own")

    def __init__(self, secret: bytes) -> None:
        self._cipher = Cipher(algorithms.AES(secret), modes.ECB())
        self._own = threading.local()

    def of_texts(self, texts: Sequence[str] | Texts, *, after: Blocks | None = None) -> Blocks:
        """The tag of each text, shape (n, 2); of a block and a text, if `after` gives a block for each."""
        if not len(texts):
            return np.zeros((0, 2), dtype="<u8")
        blocks, firsts, counts = _laid_out(Texts.of(texts))
        tags = np.zeros((len(texts), 2), dtype="<u8") if after is None else self.of_blocks(after)
        most = int(counts.max())
        if most == counts.min():
            for step in range(most):
                tags = self.of_blocks(blocks[step::most] ^ tags)
            return tags
        # The longest first, so that those that still have a block are those up to some place.
        order = np.argsort(-counts, kind="stable")
        firsts, tags = firsts[order], tags[order]
        going_on = len(texts) - np.cumsum(np.bincount(counts, minlength=most))
        for step in range(most):
            some = int(going_on[step])
            mixed = blocks.take(firsts[:some] + step, axis=0)
            mixed ^= tags[:some]
            tags[:some] = self.of_blocks(mixed)
        back = np.empty_like(tags)
        back[order] = tags
        return back

    def of_blocks(self, blocks: Blocks) -> Blocks:
        """The tag of each single block, shape (n, 2). For input of this one length alone, or as a step."""
        # One for each thread, as an encryptor is not thread-safe: to make it takes as long as to encipher 800 blocks.
        # Whole blocks leave nothing behind in it.
        try:
            encryptor: CipherContext = self._own.encryptor
        except AttributeError:
            encryptor = self._own.encryptor = self._cipher.encryptor()
        return np.frombuffer(encryptor.update(blocks.tobytes()), dtype="<u8").reshape(-1, 2)

    def __repr__(self) -> str:
        return "<keyed hash, withheld>"


def _laid_out(texts: Texts) -> tuple[Blocks, Int64s, Int64s]:
    """All texts in blocks, one after the other; the place of each text's first, and how many it has."""
    said, lengths = np.frombuffer(texts.joined, dtype=np.uint8), texts.lengths.astype(np.int64)
    counts = (lengths + (_LENGTH_BYTES + BLOCK_BYTES - 1)) // BLOCK_BYTES
    firsts = np.cumsum(counts) - counts
    room = np.zeros(int(counts.sum()) * BLOCK_BYTES, dtype=np.uint8)
    longest = int(lengths.max())
    if longest == lengths.min():
        room.reshape(len(texts), -1)[:, _LENGTH_BYTES : _LENGTH_BYTES + longest] = said.reshape(len(texts), longest)
    else:
        moved = firsts * BLOCK_BYTES + _LENGTH_BYTES - (np.cumsum(lengths) - lengths)
        room[np.repeat(moved, lengths) + np.arange(len(said))] = said
    room.view("<u4")[firsts * (BLOCK_BYTES // _LENGTH_BYTES)] = lengths
    return room.view("<u8").reshape(-1, 2), firsts, counts
