"""Sealed fields: opened under their own key, and under no other."""

import base64
import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import OctKey

from libs.events.master_keys import MasterKeyMissing, MasterKeys
from libs.events.sealing import DataKey, NotOpened, key_named, merged

NAMES = st.text(alphabet="abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=20)
FIELDS = st.dictionaries(NAMES, st.none() | st.text(max_size=300), max_size=5)
HOUSEHOLD = "household/018f3c1e-7a3b-7c21-9f0e-0a1b2c3d4e5f"
SAID = {"head_name": "Trần Thị Mơ", "phone": "0900 123 457"}


def key(subject: str = HOUSEHOLD, number: int = 7, content: bytes = b"k" * 32) -> DataKey:
    return DataKey(subject, number, content)


# The first text that hypothesis ever makes on a machine takes it some seconds.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(FIELDS)
def test_what_is_sealed_is_opened_again(fields: dict[str, str | None]) -> None:
    assert key().open(key().seal(fields)) == fields


@given(FIELDS, st.data())
def test_a_changed_value_is_not_opened(fields: dict[str, str | None], data: st.DataObject) -> None:
    sealed = key().seal(fields)
    place = data.draw(st.integers(0, len(sealed) - 1))
    sign = data.draw(st.sampled_from("ABCxyz019-_.="))
    if sealed[place] == sign:
        return
    with pytest.raises(NotOpened):
        key().open(sealed[:place] + sign + sealed[place + 1 :])


@given(st.text(max_size=200))
def test_what_was_never_sealed_is_not_opened(text: str) -> None:
    with pytest.raises(NotOpened):
        key().open(text)


@pytest.mark.parametrize(
    "other",
    [
        key("household/018f3c1e-7a3b-7c21-9f0e-000000000000"),
        key("member/018f3c1e-7a3b-7c21-9f0e-0a1b2c3d4e5f"),
        key(number=8),
        key(content=b"o" * 32),
    ],
)
def test_a_value_belongs_to_one_subject_and_one_key(other: DataKey) -> None:
    with pytest.raises(NotOpened) as refused:
        other.open(key().seal(SAID))
    assert "Trần" not in str(refused.value)


def test_another_header_is_not_accepted_even_when_the_key_fits() -> None:
    private = OctKey.import_key(b"k" * 32)
    for header in (
        {"alg": "dir", "enc": "A256GCM", "kid": f"{HOUSEHOLD}#7", "zip": "DEF"},
        {"alg": "dir", "enc": "A256GCM", "kid": f"{HOUSEHOLD}#7", "cty": "json"},
    ):
        with pytest.raises(NotOpened):
            key().open(jwe.encrypt_compact(header, json.dumps(SAID), private))


def test_any_library_for_jwe_reads_it_and_we_read_theirs() -> None:
    private = OctKey.import_key(b"k" * 32)
    plain = jwe.decrypt_compact(key().seal(SAID), private).plaintext
    assert plain is not None
    assert json.loads(plain) == SAID
    header = {"alg": "dir", "enc": "A256GCM", "kid": f"{HOUSEHOLD}#7"}
    assert key().open(jwe.encrypt_compact(header, json.dumps(SAID), private)) == SAID


def test_the_same_fields_never_look_the_same_and_hardly_tell_their_length() -> None:
    assert key().seal(SAID) != key().seal(SAID)
    assert len(key().seal({"head_name": "Lý A"})) == len(key().seal({"head_name": "Trần Thị Mơ"}))


def test_a_value_names_its_key() -> None:
    assert key_named(key().seal(SAID)) == (HOUSEHOLD, 7)
    with pytest.raises(NotOpened):
        key_named("eyJ9.x")


def test_of_each_field_the_last_word_counts() -> None:
    values = [dict(SAID), {"phone": None, "address": "ấp Tân Hòa"}, {"head_name": "Trần Thị Mơ Mơ"}]
    assert merged(values) == {"head_name": "Trần Thị Mơ Mơ", "address": "ấp Tân Hòa"}  # type: ignore[arg-type]


def test_a_key_is_wrapped_for_one_subject_and_one_master() -> None:
    one, other = os.urandom(32), os.urandom(32)
    masters = MasterKeys(one)
    wrapped = masters.wrap("member/1#1", b"k" * 32)
    assert masters.unwrap(masters.current, "member/1#1", wrapped) == b"k" * 32
    assert b"k" * 8 not in wrapped
    with pytest.raises(MasterKeyMissing):
        masters.unwrap(masters.current, "member/2#1", wrapped)
    with pytest.raises(MasterKeyMissing):
        MasterKeys(other).unwrap(masters.current, "member/1#1", wrapped)
    assert MasterKeys(other, one).unwrap(masters.current, "member/1#1", wrapped) == b"k" * 32


@pytest.mark.parametrize("text", ["", "c2hvcnQ=", "not base64!", base64.b64encode(b"x" * 33).decode()])
def test_a_malformed_master_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="256 bits") as refused:
        MasterKeys.parse(text)
    assert not text or text not in str(refused.value)


def test_master_keys_are_read_current_one_first() -> None:
    one, other = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    assert MasterKeys.parse(f"{one}, {other}\n").current == MasterKeys.parse(one).current
