"""The relay's Merkle tree: kept over what it sent, signed now and then, taken up again after a restart."""

import base64
from collections.abc import Iterable
from typing import NamedTuple

import asyncpg
import orjson

from libs.events.checkpoint import Checkpoint, Signer, origin_of
from libs.events.history import OtherHistory
from libs.events.merkle import CompactRange

_LEAVES = 10_000


class Signed(NamedTuple):
    """A checkpoint as it was signed and stored."""

    size: int
    root: bytes
    note: str

    def value(self) -> bytes:
        """The value of its record on the topic. `through` is the last position it covers."""
        root = base64.b64encode(self.root).decode()
        return orjson.dumps({"through": self.size, "size": self.size, "root": root, "note": self.note})


async def tree_at(connection: asyncpg.Connection, position: int) -> CompactRange:
    """The compact range over the log's first `position` leaves, starting from a stored one."""
    stored = await connection.fetchrow(
        "SELECT size, range, root FROM checkpoints WHERE size <= $1 ORDER BY size DESC LIMIT 1", position
    )
    tree = CompactRange.load(stored["size"], stored["range"]) if stored else CompactRange()
    if stored and tree.root() != stored["root"]:
        raise OtherHistory(f"the stored checkpoint at {tree.size} is damaged")
    while tree.size < position:
        leaves = await connection.fetch(
            "SELECT leaf_hash FROM events WHERE position > $1 AND position <= $2 ORDER BY position",
            tree.size,
            min(position, tree.size + _LEAVES),
        )
        if not leaves:
            raise OtherHistory(f"the log has no position {tree.size + 1}")
        tree.extend(row[0] for row in leaves)
    return tree


class SignedTree:
    """Grows with what is acknowledged by the topic; `checkpoint` signs it as it is."""

    def __init__(self, source: str, signer: Signer) -> None:
        self._origin = origin_of(source)
        self._signer = signer
        self._tree = CompactRange()
        self.signed = 0
        """The size that was signed last."""

    @property
    def size(self) -> int:
        return self._tree.size

    async def load(self, connection: asyncpg.Connection, position: int) -> Signed | None:
        """Takes up at `position`, and gives the newest checkpoint not beyond it."""
        self._tree = await tree_at(connection, position)
        row = await connection.fetchrow(
            "SELECT size, root, note FROM checkpoints WHERE size <= $1 ORDER BY size DESC LIMIT 1", position
        )
        self.signed = row["size"] if row else 0
        return Signed(*row) if row else None

    def extend(self, leaves: Iterable[bytes]) -> None:
        self._tree.extend(leaves)

    async def checkpoint(self, connection: asyncpg.Connection) -> Signed:
        """Signs and stores the tree. Raises OtherHistory when another root was signed for its size."""
        size, root = self._tree.size, self._tree.root()
        note = self._signer.sign(Checkpoint(self._origin, size, root))
        await connection.execute(
            "INSERT INTO checkpoints (size, root, range, note) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (size) DO NOTHING",
            size,
            root,
            self._tree.dump(),
            note,
        )
        row = await connection.fetchrow("SELECT root, note FROM checkpoints WHERE size = $1", size)
        if row is None or row["root"] != root:
            raise OtherHistory(f"another root was signed for size {size}")
        self.signed = size
        return Signed(size, root, row["note"])
