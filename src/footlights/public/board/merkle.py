"""Merkle. In: hashes. Out: roots, and whether a path leads from a leaf, or from an older root, to a root. Pure.

A tree over n leaves is cut at the largest power of two below n, and so on. A leaf is hashed behind a byte 0, a node
behind a byte 1, so that neither can be taken for the other.
Source: RFC 9162, "Certificate Transparency Version 2.0", section 2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

HASH_BYTES = 32
#: A subtree of complete tree nodes: node(level, index) covers leaves [index << level, (index + 1) << level).
Node = Callable[[int, int], bytes]


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node."""
    return sha256(b"\x01" + left + right).digest()


#: The hash of a leaf without content, and of a complete tree of such leaves, by its level.
EMPTY: tuple[bytes, ...]
_levels = [leaf_hash(b"")]
for _ in range(63):
    _levels.append(node_hash(_levels[-1], _levels[-1]))
EMPTY = tuple(_levels)


def root_of(size: int, node: Node) -> bytes:
    """The root of the tree over the first `size` leaves, size >= 0. node: hashes of complete subtrees."""
    return sha256(b"").digest() if size == 0 else _range_hash(0, size, node)


def inclusion_path(index: int, size: int, node: Node) -> list[bytes]:
    """The hashes beside the way from a leaf to the root of the first `size` leaves, from below. 0 <= index < size.

    Source: RFC 9162, section 2.1.3.1.
    """
    assert 0 <= index < size, "the leaf is in the tree"
    path: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _largest_power_below(end - begin)
        if index < middle:
            path.append(_range_hash(middle, end, node))
            end = middle
        else:
            path.append(_range_hash(begin, middle, node))
            begin = middle
    return path[::-1]


def consistency_path(old: int, new: int, node: Node) -> list[bytes]:
    """The hashes that show that the tree of `new` leaves begins with that of `old`. 0 < old <= new.

    Source: RFC 9162, section 2.1.4.1.
    """
    assert 0 < old <= new, "the older tree is the smaller one"
    path: list[bytes] = []
    begin, end, known = 0, new, True
    while old != end:
        middle = begin + _largest_power_below(end - begin)
        if old <= middle:
            path.append(_range_hash(middle, end, node))
            end = middle
        else:
            path.append(_range_hash(begin, middle, node))
            begin, known = middle, False
    if not known:
        path.append(_range_hash(begin, end, node))
    return path[::-1]


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root to which a path leads from a leaf; None where no such path exists. Source: RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size:
        return None
    place, last, root = index, size - 1, leaf
    for beside in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            root = node_hash(beside, root)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, beside)
        place, last = place >> 1, last >> 1
    return root if last == 0 else None


def is_consistent(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the tree with `new` leaves begins with the one with `old`. Source: RFC 9162, section 2.1.4.2."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    hashes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not hashes:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    was = now = hashes[0]
    for beside in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            was, now = node_hash(beside, was), node_hash(beside, now)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            now = node_hash(now, beside)
        place, last = place >> 1, last >> 1
    return last == 0 and was == old_root and now == new_root


def peaks(size: int) -> list[tuple[int, int]]:
    """The complete subtrees of which a tree of `size` leaves is made, largest first: (level, index)."""
    return [(level, (size >> level) - 1) for level in range(size.bit_length() - 1, -1, -1) if size >> level & 1]


def tree(leaves: Sequence[bytes]) -> Node:
    """The nodes of a small tree whose leaves' hashes are all at hand."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([node_hash(*below[place : place + 2]) for place in range(0, len(below) - 1, 2)])
    return lambda level, index: levels[level][index]


def _range_hash(begin: int, end: int, node: Node) -> bytes:
    """The hash over leaves begin..end-1 of a subtree: begin is a multiple of a power of two that holds them all."""
    parts = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        parts.append(node(level, begin >> level))
        begin += 1 << level
    whole = parts.pop()
    while parts:
        whole = node_hash(parts.pop(), whole)
    return whole


def _largest_power_below(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1
