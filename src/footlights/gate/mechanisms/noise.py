"""Noise. In: a key and the address of a number. Out: its noise, always the same. Pure; the proof is noise.md.

    AES-256(family key, | subject: 8 bytes | node: 4 | lane: 4 |)  =  one uniform 128-bit word

The block cipher runs in counter mode with the address as the counter, so asking again never averages the noise away,
and a tick that crashed and runs again draws what it drew before. An address must never serve twice over changed data:
publish-once (board) and the gate's own memory of its clock see to that.
"""

from __future__ import annotations

import hashlib

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from footlights.gate.mechanisms.sampler import Int64s, Sampler

_ADDRESS = np.dtype([("subject", "<i8"), ("node", "<u4"), ("lane", "<u4")])
#: Words that one number may take; the address of number m, word w is lane m * LANES + w.
LANES = 2
#: Addresses turned into words at a time.
CHUNK = 65_536


class Noise:
    """Discrete Gaussian integers that nothing but KeyedNoise makes: the only thing that opens an Exact."""

    def __init__(self, values: Int64s) -> None:
        self.values = values

    def __repr__(self) -> str:
        return "<noise, withheld>"


class KeyedNoise:
    """The noise of one family under one gate key."""

    def __init__(self, gate_key: bytes, *, family: str) -> None:
        assert len(gate_key) == 32, "the gate key has 256 bits"
        family_key = hashlib.blake2b(family.encode(), key=gate_key, digest_size=32, person=b"footlights noise").digest()
        self._encrypt = Cipher(
            algorithms.AES(family_key), modes.ECB()
        ).encryptor()  # a PRF on addresses, not a way to hide text

    def draw(self, samplers: list[Sampler], *, subjects: Int64s, nodes: Int64s, first_lane: int = 0) -> Noise:
        """Noise of len(samplers) numbers for each (subject, node), shape (n, len(samplers)).

        subjects: 64-bit keys. nodes: 0..2^32-1, the step of a stream. first_lane: index of the first number.
        """
        columns = [
            self._column(sampler, subjects, nodes, lane=(first_lane + index) * LANES)
            for index, sampler in enumerate(samplers)
        ]
        return Noise(np.stack(columns, axis=1) if columns else np.zeros((len(subjects), 0), dtype=np.int64))

    def draw_cells(self, sampler: Sampler, *, subjects: Int64s, nodes: Int64s, lanes: range) -> Noise:
        """Noise of many numbers with one variance for each (subject, node), shape (n, len(lanes))."""
        n, cells = len(subjects), len(lanes)
        flat = self._addressed(
            sampler,
            np.repeat(subjects, cells),
            np.repeat(nodes, cells),
            np.tile(np.arange(lanes.start, lanes.stop, dtype=np.int64) * LANES, n),
        )
        return Noise(flat.reshape(n, cells))

    def _column(self, sampler: Sampler, subjects: Int64s, nodes: Int64s, *, lane: int) -> Int64s:
        return self._addressed(sampler, subjects, nodes, np.full(len(subjects), lane, dtype=np.int64))

    def _addressed(self, sampler: Sampler, subjects: Int64s, nodes: Int64s, lanes: Int64s) -> Int64s:
        assert nodes.size == 0 or (int(nodes.min()) >= 0 and int(nodes.max()) < 2**32), "a node has 32 bits"
        drawn = np.empty(len(subjects), dtype=np.int64)
        for start in range(0, len(subjects), CHUNK):
            part = slice(start, start + CHUNK)
            drawn[part] = sampler.draw(self._words(subjects[part], nodes[part], lanes[part], sampler.words))
        return drawn

    def _words(self, subjects: Int64s, nodes: Int64s, lanes: Int64s, words: int) -> NDArray[np.uint64]:
        addresses = np.empty((len(subjects), words), dtype=_ADDRESS)
        addresses["subject"] = subjects[:, None]
        addresses["node"] = nodes[:, None]
        addresses["lane"] = lanes[:, None] + np.arange(words)
        stream = self._encrypt.update(addresses.tobytes())
        return np.frombuffer(stream, dtype="<u8").reshape(len(subjects), words, 2)
