"""The master keys of a service: they wrap the keys of its subjects, and key the fingerprints of commands."""

import base64
import binascii
import os
import re

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from libs.events.fingerprint import KEY_ID, FingerprintKey

_SIZE = 32
_NONCE = 12


class MasterKeyMissing(Exception):
    """A key was wrapped by a master key that is not among those given, or is not what was wrapped."""


class MasterKeys:
    """The current master key first, then previous ones, which open what they wrapped."""

    def __init__(self, *keys: bytes) -> None:
        if not keys or any(len(key) != _SIZE for key in keys):
            raise ValueError("a master key has 256 bits")
        self._wrapping = {_id(key).hex(): AESGCM(_derived(key, b"wrapping")) for key in keys}
        self.current = _id(keys[0]).hex()
        self.fingerprints = tuple(FingerprintKey(_id(key), _derived(key, b"fingerprints")) for key in keys)

    @classmethod
    def parse(cls, text: str) -> "MasterKeys":
        """Base64, the current one first, separated by commas or white space. Raises ValueError, which does
        not repeat the text.
        """
        try:
            return cls(*(base64.b64decode(part, validate=True) for part in re.split(r"[,\s]+", text.strip())))
        except binascii.Error:
            raise ValueError("is not base64 of 256 bits") from None

    def wrap(self, kid: str, key: bytes) -> bytes:
        """Under the current one; it unwraps for the same `kid` only."""
        nonce = os.urandom(_NONCE)
        return nonce + self._wrapping[self.current].encrypt(nonce, key, kid.encode())

    def unwrap(self, master: str, kid: str, wrapped: bytes) -> bytes:
        """Raises MasterKeyMissing."""
        aead = self._wrapping.get(master)
        if aead is None:
            raise MasterKeyMissing(f"a key is wrapped by the master key {master}, which is not given")
        try:
            return aead.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], kid.encode())
        except (InvalidTag, ValueError):
            raise MasterKeyMissing(f"the master key {master} did not wrap this key") from None


def _derived(key: bytes, purpose: bytes, size: int = _SIZE) -> bytes:
    return HKDF(SHA256(), size, salt=None, info=b"socai " + purpose).derive(key)


def _id(key: bytes) -> bytes:
    """Says which key it was, and nothing about it."""
    return _derived(key, b"id", KEY_ID)
