"""Minutes. In: the rows that a minute published, by their place. Out: that minute's tree, and proofs from it. Pure.

A row's place is a hash of what it is of, whatever it says: 128 bits, read from the first. The tree follows them, left
for 0 and right for 1, until a row is alone. So a row has one place, and two rows cannot both be proved at it:

    at the same depth the two leaves would have one hash; at different depths a leaf (hashed behind a byte 0) would have
    the hash of a node (behind a byte 1).

A subtree without rows is 32 zero bytes, which nothing hashes to.
Source: the tree is that of Gao, Hu and Wu, "Jellyfish Merkle Tree", 2021, with the hashing of RFC 9162.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.public.board.merkle import HASH_BYTES, node_hash

PLACE_BYTES = 16
LEAF_BYTES = PLACE_BYTES + HASH_BYTES
NOTHING = bytes(HASH_BYTES)
#: About how many rows are kept together: one look-up and as many hashes as this make a proof's lower half.
PART_ROWS = 256
#: Up to so many rows are hashed one by one: nearly all minutes of a small deployment have fewer.
_FEW = 128

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
Places = NDArray[np.int64]


class Minute(msgspec.Struct, frozen=True, kw_only=True):
    """A minute's tree. top: the nodes of depth 0..bits, by depth and place, 32 bytes each; zero where there is none.

    parts: the rows by the first `bits` bits of their places: place and hash of each, 48 bytes, ordered by place.
    """

    rows: int
    bits: int
    top: bytes
    parts: dict[int, bytes]

    @property
    def root(self) -> bytes:
        """The hash that stands for the whole minute."""
        return self.top[:HASH_BYTES]


def build(places: Bytes, hashes: Bytes) -> Minute:
    """The tree of a minute. places: shape (n, 16), all different. hashes: the leaves' hashes, shape (n, 32). n >= 1."""
    if len(places) <= _FEW:
        return _of_few(np.hstack([places, hashes]))
    order = np.lexsort(_words(places).T[::-1])
    places, hashes = np.ascontiguousarray(places[order]), np.ascontiguousarray(hashes[order])
    words = _words(places)
    count = len(words)
    shared = _shared_bits(words)
    assert count == 1 or int(shared.max()) < 8 * PLACE_BYTES, "a row has a place of its own"
    bits = max(0, (count // PART_ROWS).bit_length() - 1)
    return Minute(
        rows=count, bits=bits, top=_fold(words, shared, hashes, bits=bits), parts=_parts(places, hashes, words, bits)
    )


def _of_few(lines: Bytes) -> Minute:
    text = lines.tobytes()
    rows = sorted(text[at : at + LEAF_BYTES] for at in range(0, len(text), LEAF_BYTES))
    assert len({row[:PLACE_BYTES] for row in rows}) == len(rows), "a row has a place of its own"
    return Minute(rows=len(rows), bits=0, top=subtree(rows, 0), parts={0: b"".join(rows)})


def path_in(part: bytes, place: bytes, *, bits: int, top: bytes) -> list[bytes] | None:
    """The hashes beside the way from a row to its minute's root, from the root down; None where there is no such row.

    part: the rows that share the place's first `bits` bits. bits, top: the minute's.
    """
    rows = [part[at : at + LEAF_BYTES] for at in range(0, len(part), LEAF_BYTES)]
    mine = next((row for row in rows if row.startswith(place)), None)
    if mine is None:
        return None
    number = int.from_bytes(place, "big")
    prefix = number >> 8 * PLACE_BYTES - bits

    def above(depth: int) -> list[bytes]:
        return [_top_node(top, step, prefix >> bits - step ^ 1) for step in range(1, depth + 1)]

    if len(rows) > 1:
        return above(bits) + _path(rows, place, bits)
    leaf = mine[PLACE_BYTES:]
    depth = next(depth for depth in range(bits + 1) if _top_node(top, depth, prefix >> bits - depth) == leaf)
    return above(depth)


def part_of(place: bytes, bits: int) -> int:
    """In which part of a minute a row is."""
    return int.from_bytes(place, "big") >> 8 * PLACE_BYTES - bits


def root_at(leaf: bytes, place: bytes, path: Sequence[bytes]) -> bytes | None:
    """The root to which a path leads from a row's place; None where there can be no such path."""
    if len(path) > 8 * PLACE_BYTES:
        return None
    number, root = int.from_bytes(place, "big"), leaf
    for depth in range(len(path), 0, -1):
        beside = path[depth - 1]
        right = number >> 8 * PLACE_BYTES - depth & 1
        root = node_hash(beside, root) if right else node_hash(root, beside)
    return root


def _words(places: Bytes) -> Words:
    return np.ascontiguousarray(places).view(">u8").astype(np.uint64).reshape(-1, 2)


def _shared_bits(words: Words) -> Places:
    """How many bits each place shares with the next one, shape (n - 1,)."""
    differ = words[1:] ^ words[:-1]
    halves = np.stack([differ[:, 0] >> 32, differ[:, 0] & 0xFFFFFFFF, differ[:, 1] >> 32, differ[:, 1] & 0xFFFFFFFF])
    # Of 32 bits a double holds each number exactly, so its exponent is the number's length.
    lengths = np.frexp(halves.astype(np.float64))[1]
    shared = np.zeros(len(differ), dtype=np.int64)
    same = np.ones(len(differ), dtype=bool)
    for length in lengths:
        shared[same] += 32 - length[same]
        same &= length == 0
    return shared


def _fold(words: Words, shared: Places, hashes: Bytes, *, bits: int) -> bytes:
    """Hash the tree from its deepest rows up, depth by depth; returns the top's nodes."""
    count = len(words)
    top = np.zeros(((2 << bits) - 1, HASH_BYTES), dtype=np.uint8)
    edge = np.concatenate(([-1], shared, [-1]))
    depths = np.maximum(edge[:-1], edge[1:]) + 1
    by_depth = np.argsort(depths, kind="stable")
    starts = np.searchsorted(depths[by_depth], np.arange(int(depths.max()) + 2))
    first, nodes = np.zeros(0, dtype=np.int64), np.zeros((0, HASH_BYTES), dtype=np.uint8)
    for depth in range(int(depths.max()), -1, -1):
        leaves = by_depth[starts[depth] : starts[depth + 1]]
        first, nodes = np.concatenate([first, leaves]), np.concatenate([nodes, hashes[leaves]])
        order = np.argsort(first, kind="stable")
        first, nodes = first[order], nodes[order]
        if depth <= bits:
            top[(1 << depth) - 1 + _prefixes(words[first], depth)] = nodes
        if depth > 0:
            first, nodes = _fold_once(words, edge, first, nodes, depth)
    assert len(first) == 1 and count >= 1, "all rows have one root"
    return top.tobytes()


def _fold_once(words: Words, edge: Places, first: Places, nodes: Bytes, depth: int) -> tuple[Places, Bytes]:
    """The nodes of one depth less. first: each node's first row."""
    meets = np.zeros(len(first), dtype=bool)
    # edge[i] is what row i shares with the one before it: two nodes with one parent share depth - 1 bits.
    meets[1:] = edge[first[1:]] >= depth - 1
    joins = np.append(meets[1:], False)
    parents = np.flatnonzero(~meets)
    pairs = np.zeros((len(parents), 1 + 2 * HASH_BYTES), dtype=np.uint8)
    pairs[:, 0] = 1
    right = (_prefixes(words[first[parents]], depth) & 1).astype(bool) & ~joins[parents]
    pairs[~right, 1 : 1 + HASH_BYTES] = nodes[parents[~right]]
    pairs[right, 1 + HASH_BYTES :] = nodes[parents[right]]
    both = np.flatnonzero(joins[parents])
    pairs[both, 1 + HASH_BYTES :] = nodes[parents[both] + 1]
    return first[parents], hash_lines(pairs)


def hash_lines(lines: Bytes) -> Bytes:
    """SHA-256 of each line of an array, shape (n, 32)."""
    width, text = lines.shape[1], lines.tobytes()
    digests = [sha256(text[at : at + width]).digest() for at in range(0, len(text), width)]
    return np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, HASH_BYTES)


def _prefixes(words: Words, depth: int) -> Places:
    """The first `depth` bits of places, as far as 63 of them tell; deeper, the last bit alone is asked for."""
    if depth == 0:
        return np.zeros(len(words), dtype=np.int64)
    if depth <= 63:
        return (words[:, 0] >> np.uint64(64 - depth)).astype(np.int64)
    word = words[:, (depth - 1) // 64]
    return (word >> np.uint64(63 - (depth - 1) % 64) & np.uint64(1)).astype(np.int64)


def _parts(places: Bytes, hashes: Bytes, words: Words, bits: int) -> dict[int, bytes]:
    lines = np.hstack([places, hashes])
    prefixes = _prefixes(words, bits)
    cuts = np.flatnonzero(np.diff(prefixes)) + 1
    starts = [0, *cuts.tolist()]
    return {int(prefixes[at]): part.tobytes() for at, part in zip(starts, np.split(lines, cuts), strict=True)}


def _top_node(top: bytes, depth: int, prefix: int) -> bytes:
    at = ((1 << depth) - 1 + prefix) * HASH_BYTES
    return top[at : at + HASH_BYTES]


def _path(rows: list[bytes], place: bytes, depth: int) -> list[bytes]:
    """The hashes beside a row's way, below a depth at which it is one of some rows."""
    path: list[bytes] = []
    while len(rows) > 1:
        left, right = _halves(rows, depth)
        mine, other = (right, left) if place[depth >> 3] >> 7 - (depth & 7) & 1 else (left, right)
        path.append(subtree(other, depth + 1))
        rows, depth = mine, depth + 1
    return path


def subtree(rows: list[bytes], depth: int) -> bytes:
    """The hash of the rows that share their first `depth` bits. rows: place and hash of each, ordered."""
    if len(rows) < 2:
        return rows[0][PLACE_BYTES:] if rows else NOTHING
    left, right = _halves(rows, depth)
    return node_hash(subtree(left, depth + 1), subtree(right, depth + 1))


def _halves(rows: list[bytes], depth: int) -> tuple[list[bytes], list[bytes]]:
    byte, bit = depth >> 3, 7 - (depth & 7)
    left = [row for row in rows if not row[byte] >> bit & 1]
    return left, rows[len(left) :]
