"""Signed checkpoints of a log, in the C2SP formats signed-note and tlog-checkpoint, with Ed25519 keys."""

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519 = b"\x01"
_SIGNATURE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_FORBIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_SIZE = re.compile(r"0|[1-9][0-9]*")


class NotACheckpoint(Exception):
    """The text does not follow the format."""


class NotSigned(Exception):
    """No valid signature by the expected key."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The first `size` leaves of the log `origin` have the Merkle root `root`."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{_encode(self.root)}\n"


def origin_of(source: str) -> str:
    """The checkpoint origin, and key name, of a source: `/vn/96/visits` → `vn/96/visits`."""
    return source.removeprefix("/")


def read_seed(path: Path) -> bytes:
    """The Ed25519 seed in a file: 32 bytes as base64. Raises ValueError."""
    seed = _decode(path.read_text().strip())
    if seed is None or len(seed) != 32:
        raise ValueError(f"{path} does not hold 32 bytes as base64")
    return seed


class Verifier:
    """Checks notes signed by one key under one name."""

    def __init__(self, name: str, public_key: bytes) -> None:
        self.name = name
        self.public_key = public_key
        self.key_id = sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:4]
        self._key = Ed25519PublicKey.from_public_bytes(public_key)

    @classmethod
    def parse(cls, key: str) -> "Verifier":
        """From a verifier key, `name+hash+base64`. Raises ValueError."""
        name, _, rest = key.partition("+")
        stated, _, encoded = rest.partition("+")
        data = _decode(encoded)
        if data is None or data[:1] != _ED25519 or len(data) != 33:
            raise ValueError("not an Ed25519 verifier key")
        verifier = cls(name, data[1:])
        if verifier.key_id.hex() != stated:
            raise ValueError("the verifier key's hash does not match")
        return verifier

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_encode(_ED25519 + self.public_key)}"

    def open(self, note: str) -> Checkpoint:
        """The checkpoint in a note that this key signed. Raises NotACheckpoint and NotSigned."""
        self.text(note)
        return parse(note)

    def text(self, note: str) -> str:
        """The text that this key signed; signatures by other keys are passed over. Raises NotACheckpoint when
        it is no signed note, and NotSigned.
        """
        text, signatures = _split(note)
        for name, key_id, signature in signatures:
            if (name, key_id) == (self.name, self.key_id):
                try:
                    self._key.verify(signature, text.encode())
                except InvalidSignature as error:
                    raise NotSigned(f"a signature by {name} is wrong") from error
                return text
        raise NotSigned(f"no signature by {self.name}+{self.key_id.hex()}")


class Signer:
    """Signs checkpoints with an Ed25519 seed of 32 bytes, under a name without spaces and `+`."""

    def __init__(self, name: str, seed: bytes) -> None:
        if not name or re.search(r"[\s+]", name):
            raise ValueError(f"{name!r} cannot name a key")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = Verifier(name, self._key.public_key().public_bytes_raw())

    def sign(self, checkpoint: Checkpoint) -> str:
        """The signed note. The same checkpoint always gives the same bytes."""
        text = checkpoint.text()
        signature = self.verifier.key_id + self._key.sign(text.encode())
        return f"{text}\n— {self.verifier.name} {_encode(signature)}\n"


def parse(note: str) -> Checkpoint:
    """The checkpoint in a note, whoever signed it. Raises NotACheckpoint."""
    text, _ = _split(note)
    lines = text.split("\n")[:-1]
    if len(lines) < 3 or not all(lines) or not _SIZE.fullmatch(lines[1]):
        raise NotACheckpoint("a checkpoint is an origin, a size and a root, each on its line")
    root = _decode(lines[2])
    if root is None or len(root) != 32:
        raise NotACheckpoint("the root is not a hash in base64")
    return Checkpoint(lines[0], int(lines[1]), root)


def _split(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """The signed text, and (name, key id, signature) of every signature line."""
    text, separator, tail = note.rpartition("\n\n")
    if not separator or not tail.endswith("\n") or _FORBIDDEN.search(note):
        raise NotACheckpoint("a signed note is a text, an empty line and signatures")
    signatures = []
    for line in tail[:-1].split("\n"):
        match = _SIGNATURE.fullmatch(line)
        data = _decode(match[2]) if match else None
        if match is None or data is None or len(data) < 5:
            raise NotACheckpoint("a signature line is malformed")
        signatures.append((match[1], data[:4], data[4:]))
    return text + "\n", signatures


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
