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


def test_a_command_from_before_its_personal_fields_were_taken_in_is_recognised() -> None:
    before = hashlib.sha256(b'note {"id":"a","mood":"well"}').digest()
    assert same_content(before, fingerprint(Note(id="a", mood="well", note="x"), KEYS))
    assert not same_content(before, fingerprint(Note(id="b", mood="well", note="x"), KEYS))


def test_a_command_that_was_recovered_from_the_topic_matches_any_content() -> None:
    assert same_content(RECOVERED, fingerprint(Turn(id="a", on=True)))
    assert same_content(RECOVERED, fingerprint(Note(id="a", mood="well"), KEYS))
