from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.merkle import EMPTY_ROOT, CompactRange, leaf_hash, node_hash

# The tree of Certificate Transparency's own tests: eight leaves, and the root after each.
LEAVES = [
    bytes.fromhex(h)
    for h in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def oracle(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(oracle(leaves[:k]), oracle(leaves[k:]))


def test_roots_are_those_of_certificate_transparency() -> None:
    tree = CompactRange()
    assert tree.root() == EMPTY_ROOT == sha256(b"").digest()
    for payload, root in zip(LEAVES, ROOTS, strict=True):
        tree.append(leaf_hash(payload))
        assert tree.root().hex() == root


@given(st.integers(0, 300), st.lists(st.integers(0, 300), max_size=4))
def test_however_it_grew_the_root_is_that_of_the_whole_tree(size: int, cuts: list[int]) -> None:
    leaves = [leaf_hash(str(i).encode()) for i in range(size)]
    tree = CompactRange()
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), size], strict=True):
        tree.extend(leaves[min(start, size) : min(end, size)])
        tree = CompactRange.load(tree.size, tree.dump())
    assert tree.size == size
    assert tree.root() == oracle(leaves)


def test_a_copy_grows_alone() -> None:
    tree = CompactRange()
    tree.append(leaf_hash(b"a"))
    copy = tree.copy()
    copy.append(leaf_hash(b"b"))
    assert (tree.size, copy.size) == (1, 2)
    assert tree.root() == leaf_hash(b"a")


@pytest.mark.parametrize(("size", "data"), [(1, b""), (2, b"x" * 31), (3, b"x" * 32), (0, b"x" * 32)])
def test_a_range_of_another_size_is_not_loaded(size: int, data: bytes) -> None:
    with pytest.raises(ValueError, match="compact range"):
        CompactRange.load(size, data)
