"""Draws. In: a seed and a purpose. Out: arrays of uniform, normal and exponential numbers, the same on every machine.

The bits are an AES-256-CTR keystream, so a draw depends on the seed and the purpose alone, never on what else was
drawn. Never used for privacy: the gate has a sampler of its own, which is exact; this one rounds as doubles do.
"""

from __future__ import annotations

import hashlib

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Draws:
    """A stream of draws for one purpose. Two purposes of one seed share nothing."""

    def __init__(self, seed: bytes, *purpose: str | int) -> None:
        name = "\x1f".join(map(str, purpose)).encode()
        root = hashlib.blake2b(seed, digest_size=64, person=b"simulate").digest()
        key = hashlib.blake2b(name, key=root, digest_size=32).digest()
        self._stream = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()

    def uniform(self, count: int) -> Floats:
        """Numbers in (0, 1): never 0 and never 1, so that their logarithms exist."""
        bits = np.frombuffer(self._stream.update(bytes(8 * count)), dtype="<u8")
        return ((bits >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52

    def exponential(self, count: int) -> Floats:
        """Waiting times with mean 1."""
        return -np.log(self.uniform(count))

    def normal(self, count: int) -> Floats:
        """Normal numbers, mean 0 and standard deviation 1 (Box and Muller, 1958)."""
        half = (count + 1) // 2
        radius = np.sqrt(2.0 * self.exponential(half))
        angle = 2.0 * np.pi * self.uniform(half)
        return np.concatenate((radius * np.cos(angle), radius * np.sin(angle)))[:count]

    def spread_normal(self, count: int) -> Floats:
        """Normal numbers one to a stratum, in random order: even a handful of them has the right spread.

        They are every 64th order statistic of a larger sample.
        """
        ordered = np.sort(self.normal(64 * count))[32::64]
        return np.asarray(ordered[self.order(count)])

    def order(self, count: int) -> Integers:
        """A random order of 0..count - 1."""
        return np.argsort(self.uniform(count))

    def pick(self, weights: Floats, count: int) -> Integers:
        """Indices drawn with these weights, with replacement."""
        return self.pick_cumulative(np.cumsum(weights), count)

    def pick_cumulative(self, cumulative: Floats, count: int) -> Integers:
        """As pick, from weights that have been summed up once."""
        at = self.uniform(count) * cumulative[-1]
        return np.asarray(np.minimum(np.searchsorted(cumulative, at, side="right"), len(cumulative) - 1))

    def pick_distinct(self, weights: Floats, count: int) -> Integers:
        """Different indices drawn with these weights: the first `count` of exponential clocks to ring."""
        if count == 0:
            return np.empty(0, dtype=np.int64)
        rings = self.exponential(len(weights)) / weights
        return np.asarray(np.argpartition(rings, count - 1)[:count])

    def poisson(self, mean: float) -> int:
        """A count of arrivals, for means of a few hundred at most."""
        count, clock = 0, float(self.exponential(1)[0])
        while clock < mean:
            count, clock = count + 1, clock + float(self.exponential(1)[0])
        return count
