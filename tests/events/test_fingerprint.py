"""Fingerprints: nothing personal can be guessed from them, and repeats stay repeats."""

import hashlib
import os

from libs.events.fingerprint import RECOVERED, fingerprint, same_content
from libs.events.master_keys import MasterKeys
from tests.events.people import Note
from tests.events.toggles import Turn

KEYS = MasterKeys(os.urandom(32)).fingerprints


def test_a_field_that_is_added_later_changes_no_fingerprint_of_before() -> None:
    class TurnWithReason(Turn):
        reason: str | None = None

    assert fingerprint(TurnWithReason(id="a", on=True)) == fingerprint(Turn(id="a", on=True, after=None))
    assert fingerprint(Turn(id="a", on=True)) != fingerprint(Turn(id="a", on=False))


def test_a_personal_field_cannot_be_guessed_from_the_fingerprint() -> None:
    """Whoever has the command without the note, and a good guess, but not the key."""
    note, other = Note(id="a", mood="well", note="0900123457"), Note(id="a", mood="well", note="0900123458")
    stored = fingerprint(note, KEYS).stored
    plain = stored[:32]
    assert plain == fingerprint(other, KEYS).stored[:32]
    assert stored != fingerprint(other, KEYS).stored
    strangers = MasterKeys(os.urandom(32)).fingerprints
    assert fingerprint(note, strangers).stored[36:] != stored[36:]
    for guess in (note.model_dump_json(), '{"note":"0900123457"}', "0900123457"):
        assert hashlib.sha256(guess.encode()).digest()[:16] != stored[36:]


def test_saying_something_personal_is_another_command_than_saying_nothing() -> None:
    said, silent = Note(id="a", mood="well", note="x"), Note(id="a", mood="well")
    assert same_content(fingerprint(said, KEYS).stored, fingerprint(said, KEYS))
    assert not same_content(fingerprint(silent, KEYS).stored, fingerprint(said, KEYS))
    assert not same_content(fingerprint(said, KEYS).stored, fingerprint(silent, KEYS))


def test_under_a_key_that_is_gone_the_rest_decides() -> None:
    gone = MasterKeys(os.urandom(32)).fingerprints
    stored = fingerprint(Note(id="a", mood="well", note="x"), gone).stored
    assert same_content(stored, fingerprint(Note(id="a", mood="well", note="y"), KEYS))
    assert not same_content(stored, fingerprint(Note(id="b", mood="well", note="x"), KEYS))


def test_a_command_that_was_recovered_from_the_topic_matches_any_content() -> None:
    assert same_content(RECOVERED, fingerprint(Turn(id="a", on=True)))
    assert same_content(RECOVERED, fingerprint(Note(id="a", mood="well"), KEYS))
