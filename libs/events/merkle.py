"""The Merkle tree over a source's events (RFC 6962): hashes, and the compact range that grows with it."""

from collections.abc import Iterable
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
HASH_SIZE = 32


def leaf_hash(payload: bytes) -> bytes:
    """The leaf of one event: the hash of its bytes as they are stored and published."""
    return sha256(b"\x00" + payload).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class CompactRange:
    """What one must keep of a tree's first `size` leaves to append to it and to know its root: the roots of
    the perfect subtrees that `size` is made of, largest first (a few hashes, one per bit set in `size`).
    """

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        if len(self.hashes) != size.bit_count() or any(len(h) != HASH_SIZE for h in self.hashes):
            raise ValueError(f"a compact range of {size} leaves has {size.bit_count()} hashes")

    @classmethod
    def load(cls, size: int, data: bytes) -> "CompactRange":
        """Raises ValueError when `data` is not what `dump()` gave for that size."""
        return cls(size, (data[i : i + HASH_SIZE] for i in range(0, len(data), HASH_SIZE)))

    def dump(self) -> bytes:
        return b"".join(self.hashes)

    def copy(self) -> "CompactRange":
        return CompactRange(self.size, self.hashes)

    def append(self, leaf: bytes) -> None:
        self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Appends leaf hashes in order. Each costs one node hash on average."""
        hashes, size, hash_ = self.hashes, self.size, sha256
        for node in leaves:
            merges = size
            while merges & 1:
                node = hash_(b"\x01" + hashes.pop() + node).digest()
                merges >>= 1
            hashes.append(node)
            size += 1
        self.size = size

    def root(self) -> bytes:
        if not self.hashes:
            return EMPTY_ROOT
        *rest, root = self.hashes
        for left in reversed(rest):
            root = node_hash(left, root)
        return root
