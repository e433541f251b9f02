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
#: Words that one number may take; the address of number m, word w is lane m * LANES + w, so no two numbers share one.
LANES = 2
WORD_BYTES = 16
#: Numbers drawn at a time: their addresses, words and columns stay in the second-level cache.
CHUNK = 8192


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
        drawn = np.empty((len(subjects), len(samplers)), dtype=np.int64)
        for index, sampler in enumerate(samplers):
            lane = first_lane + index
            self._fill(drawn[:, index : index + 1], sampler, subjects, nodes, range(lane, lane + 1))
        return Noise(drawn)

    def draw_cells(self, sampler: Sampler, *, subjects: Int64s, nodes: Int64s, lanes: range) -> Noise:
        """Noise of many numbers with one variance for each (subject, node), shape (n, len(lanes))."""
        drawn = np.empty((len(subjects), len(lanes)), dtype=np.int64)
        if drawn.size:
            self._fill(drawn, sampler, subjects, nodes, lanes)
        return Noise(drawn)

    def _fill(self, drawn: Int64s, sampler: Sampler, subjects: Int64s, nodes: Int64s, lanes: range) -> None:
        """Put the noise of (subject, node, lane) into each cell of `drawn`, some rows at a time."""
        assert subjects.shape == nodes.shape == drawn.shape[:1], "a subject has one node"
        assert nodes.size == 0 or (int(nodes.min()) >= 0 and int(nodes.max()) < 2**32), "a node has 32 bits"
        assert lanes.step == 1 and lanes.start >= 0 and lanes.stop * LANES <= 2**32, "a lane has 32 bits"
        rows = max(1, CHUNK // len(lanes))
        stream = bytearray(min(rows, len(drawn)) * len(lanes) * sampler.words * WORD_BYTES + WORD_BYTES)
        for start in range(0, len(drawn), rows):
            part = slice(start, start + rows)
            words = self._words(subjects[part], nodes[part], lanes, sampler.words, into=stream)
            drawn[part] = sampler.draw(words).reshape(-1, len(lanes))

    def _words(
        self, subjects: Int64s, nodes: Int64s, lanes: range, words: int, *, into: bytearray
    ) -> NDArray[np.uint64]:
        """The uniform words of each (subject, node) and lane, shape (n * len(lanes), words, 2); they live in `into`."""
        addresses = np.empty((words, len(subjects), len(lanes)), dtype=_ADDRESS)
        addresses["subject"] = subjects[:, None]
        addresses["node"] = nodes[:, None]
        for word in range(words):
            addresses["lane"][word] = np.arange(lanes.start, lanes.stop) * LANES + word
        self._encrypt.update_into(addresses.view(np.uint8).data, into)
        halves = np.frombuffer(into, dtype="<u8", count=2 * addresses.size)
        return halves.reshape(words, -1, 2).swapaxes(0, 1)
