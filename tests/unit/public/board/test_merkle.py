"""The hashing of RFC 9162: its own vectors, and every proof of every small tree."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from footlights.public.board import merkle

#: The leaves and roots that Certificate Transparency's implementations test each other with.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def hashes(count: int) -> list[bytes]:
    return [merkle.leaf_hash(bytes([number])) for number in range(count)]


def plain_root(leaves: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + plain_root(leaves[:k]) + plain_root(leaves[k:])).digest()


def test_roots_are_those_that_certificate_transparency_tests_with() -> None:
    found = [
        merkle.root_of(n, merkle.tree([merkle.leaf_hash(leaf) for leaf in LEAVES[:n]])).hex() for n in range(len(ROOTS))
    ]
    assert found == ROOTS


def test_a_tree_is_that_of_the_recursive_definition() -> None:
    for count in range(70):
        assert merkle.root_of(count, merkle.tree(hashes(count))) == plain_root(hashes(count))


def test_every_leaf_of_every_small_tree_is_proved_and_no_other() -> None:
    for size in range(1, 40):
        leaves, node = hashes(size), merkle.tree(hashes(size))
        root = merkle.root_of(size, node)
        for index in range(size):
            path = merkle.inclusion_path(index, size, node)
            assert merkle.root_from_path(leaves[index], index, size, path) == root
            assert merkle.root_from_path(leaves[index - 1] if size > 1 else b"x" * 32, index, size, path) != root
            for elsewhere in {index - 1, index + 1, index ^ 1} - {index}:
                assert merkle.root_from_path(leaves[index], elsewhere, size, path) != root


def test_a_tree_that_grew_is_consistent_and_one_that_was_rewritten_is_not() -> None:
    for new in range(1, 34):
        node = merkle.tree(hashes(new))
        root = merkle.root_of(new, node)
        for old in range(1, new + 1):
            path = merkle.consistency_path(old, new, node)
            assert merkle.is_consistent(old, new, merkle.root_of(old, node), root, path)
            rewritten = merkle.tree([*hashes(new)[: old - 1], b"\x00" * 32, *hashes(new)[old:]])
            assert not merkle.is_consistent(old, new, merkle.root_of(old, rewritten), root, path)


@given(st.integers(1, 300), st.data())
def test_a_path_with_any_byte_changed_leads_elsewhere(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = [sha256(number.to_bytes(4, "big")).digest() for number in range(size)]
    node = merkle.tree(leaves)
    path = merkle.inclusion_path(index, size, node)
    if path:
        step, byte = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 31))
        bent = bytearray(path[step])
        bent[byte] ^= data.draw(st.integers(1, 255))
        path[step] = bytes(bent)
        assert merkle.root_from_path(leaves[index], index, size, path) != merkle.root_of(size, node)
    assert merkle.root_from_path(leaves[index], index, size, [*path, b"\x00" * 32]) is None


def test_trees_without_content_have_the_hashes_that_are_known() -> None:
    for level in range(6):
        assert merkle.EMPTY[level] == plain_root([merkle.leaf_hash(b"")] * 2**level)
