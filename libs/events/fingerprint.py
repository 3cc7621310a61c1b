"""Fingerprints of commands: whether a command that comes again is the same one."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import NamedTuple

import orjson

from libs.events.decider import Command

RECOVERED = b""
"""The fingerprint of a command whose events were put back from the topic: it matches any content."""
KEY_ID = 4
_PLAIN = 32
_MAC = 16


class FingerprintKey(NamedTuple):
    """`id` says, in KEY_ID bytes, which master key the key was derived from."""

    id: bytes
    key: bytes


class Fingerprint(NamedTuple):
    """`stored` goes into the log's table of commands; `earlier` is what the same content would have there if
    it had come under a previous master key.
    """

    stored: bytes
    earlier: tuple[bytes, ...] = ()


def fingerprint(command: Command, keys: Sequence[FingerprintKey] = ()) -> Fingerprint:
    """The same request has the same one, whatever its JSON looked like. Defaults are left out, so that a
    field that is added later changes no fingerprint of before.

    SHA-256 over everything that is not personal. Where something personal is said, a key's id and an HMAC
    over it follow: a bare hash of a name or a telephone number is guessed in minutes. `keys` are needed for
    these, the current one first.
    """
    personal = command.personal()
    asked = command.model_dump_json(exclude=set(personal) if personal else None, exclude_defaults=True)
    plain = hashlib.sha256(f"{command.kind} {asked}".encode()).digest()
    if not personal:
        return Fingerprint(plain)
    assert keys, f"{command.kind} carries personal fields: its fingerprint needs a key"
    said = plain + orjson.dumps(personal, option=orjson.OPT_SORT_KEYS)
    first, *earlier = (plain + each.id + hmac.digest(each.key, said, "sha256")[:_MAC] for each in keys)
    return Fingerprint(first, tuple(earlier))


def same_content(stored: bytes, asked: Fingerprint) -> bool:
    """Whether a command that was accepted with the fingerprint `stored` had this content.

    Personal fields cannot be compared under a master key that is not given any more. Then the rest decides: a
    repeat must be recognised as one whatever became of the keys.
    """
    if stored in (RECOVERED, asked.stored, *asked.earlier):
        return True
    if _PLAIN in (len(stored), len(asked.stored)) or stored[:_PLAIN] != asked.stored[:_PLAIN]:
        return False
    known = {each[_PLAIN : _PLAIN + KEY_ID] for each in (asked.stored, *asked.earlier)}
    return stored[_PLAIN : _PLAIN + KEY_ID] not in known
