"""Sealed fields: personal data as a compact JWE under a key of the person or household that it is about."""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any

import msgspec
import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PAD_TO = 64
"""Bytes. What is sealed is filled up with blanks to a multiple, so that its length hardly tells a name's."""
_NONCE, _TAG = 12, 16

Fields = Mapping[str, str | None]
"""Personal fields by name; None says that a field of before was taken away."""


class NotOpened(Exception):
    """Not sealed under this key, or changed since. The message names no content."""


class _Header(msgspec.Struct, frozen=True):
    kid: str


_headers = msgspec.json.Decoder(_Header)
_fields = msgspec.json.Decoder(dict[str, str | None])


class DataKey:
    """The key of one subject, `household/018f…` or `member/018f…`.

    `number` tells the keys of one subject apart: it is drawn at random, since one that is counted would come
    again after the key database was restored from an older backup, for another key.

    The form is RFC 7516's with `alg` `dir` and `enc` `A256GCM`. The protected header names the key, and is
    authenticated with the content: a value that is put into another subject's event does not open there.
    """

    def __init__(self, subject: str, number: int, key: bytes) -> None:
        self.subject = subject
        self.number = number
        self._aead = AESGCM(key)
        header = orjson.dumps({"alg": "dir", "enc": "A256GCM", "kid": self.kid})
        self._header = _encoded(header)

    @property
    def kid(self) -> str:
        return kid_of(self.subject, self.number)

    def seal(self, fields: Fields) -> str:
        plain = orjson.dumps(dict(fields))
        plain += b" " * (-len(plain) % PAD_TO)
        nonce = os.urandom(_NONCE)
        content = self._aead.encrypt(nonce, plain, self._header)
        parts = (self._header, b"", _encoded(nonce), _encoded(content[:-_TAG]), _encoded(content[-_TAG:]))
        return b".".join(parts).decode()

    def open(self, sealed: str) -> dict[str, str | None]:
        """The fields that were sealed. Raises NotOpened.

        The header is compared as it stands, so no other algorithm and no further parameter is ever accepted.
        """
        parts = sealed.encode().split(b".")
        if len(parts) != 5 or parts[0] != self._header or parts[1]:
            raise NotOpened(f"not sealed under {self.kid}")
        try:
            nonce, content, tag = (_decoded(part) for part in parts[2:])
            if (len(nonce), len(tag)) != (_NONCE, _TAG):
                raise NotOpened(f"malformed under {self.kid}")
            return _fields.decode(self._aead.decrypt(nonce, content + tag, self._header))
        except (InvalidTag, ValueError, msgspec.MsgspecError):
            raise NotOpened(f"changed since it was sealed under {self.kid}") from None


def kid_of(subject: str, number: int) -> str:
    return f"{subject}#{number}"


def key_named(sealed: str) -> tuple[str, int]:
    """The subject and the number of the key that a sealed value names. Raises NotOpened."""
    try:
        kid = _headers.decode(_decoded(sealed.partition(".")[0].encode())).kid
        subject, _, number = kid.rpartition("#")
        return subject, int(number)
    except (ValueError, msgspec.MsgspecError):
        raise NotOpened("names no key") from None


def merged(values: list[dict[str, str | None]]) -> dict[str, str]:
    """What holds after several sealed values, in the order of their events: of each field the last word."""
    latest: dict[str, Any] = {}
    for value in values:
        latest |= value
    return {name: text for name, text in latest.items() if text is not None}


def _encoded(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _decoded(data: bytes) -> bytes:
    """Raises ValueError for what is not base64url, also for a spelling of it that is not the usual one."""
    try:
        found = urlsafe_b64decode(data + b"=" * (-len(data) % 4))
    except Base64Error:
        raise ValueError("not base64url") from None
    if _encoded(found) != data:
        raise ValueError("not base64url as it is written")
    return found
