import base64
from pathlib import Path

import pytest

from libs.events.checkpoint import (
    Checkpoint,
    NotACheckpoint,
    NotSigned,
    Signer,
    Verifier,
    origin_of,
    parse,
    read_seed,
)

SEED = bytes(range(32))
CHECKPOINT = Checkpoint("vn/96/visits", 48211, b"\xfe" * 32)

# The example in the documentation of golang.org/x/mod/sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)  # fmt: skip
GO_NOTE = (
    f"{GO_TEXT}\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_a_note_that_go_signed_is_verified() -> None:
    verifier = Verifier.parse(GO_KEY)
    assert str(verifier) == GO_KEY
    assert verifier.text(GO_NOTE) == GO_TEXT
    with pytest.raises(NotSigned):
        verifier.text(GO_NOTE.replace("answer", "Answer"))
    with pytest.raises(NotACheckpoint):
        verifier.open(GO_NOTE)


def test_a_signed_checkpoint_opens_as_what_was_signed() -> None:
    signer = Signer(origin_of("/vn/96/visits"), SEED)
    note = signer.sign(CHECKPOINT)
    root = base64.b64encode(CHECKPOINT.root).decode()
    assert note.startswith(f"vn/96/visits\n48211\n{root}\n\n— vn/96/visits ")
    assert Verifier.parse(str(signer.verifier)).open(note) == CHECKPOINT
    assert signer.sign(CHECKPOINT) == note, "signing is deterministic"


def test_signatures_of_witnesses_are_passed_over() -> None:
    signer = Signer("vn/96/visits", SEED)
    witness = Signer("witness.example/1", bytes(32)).sign(CHECKPOINT).split("\n\n")[1]
    assert signer.verifier.open(signer.sign(CHECKPOINT) + witness) == CHECKPOINT


def test_what_another_key_signed_is_not_accepted() -> None:
    signer = Signer("vn/96/visits", SEED)
    with pytest.raises(NotSigned):
        signer.verifier.open(Signer("vn/96/visits", bytes(32)).sign(CHECKPOINT))
    with pytest.raises(NotSigned):
        signer.verifier.open(Signer("vn/95/visits", SEED).sign(CHECKPOINT))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("48211", "48212"),
        ("48211", "048211"),
        ("vn/96/visits\n4", "vn/95/visits\n4"),
        ("\n\n", "\n"),
        ("/v", "/\tv"),
    ],
)
def test_a_changed_note_is_refused(old: str, new: str) -> None:
    signer = Signer("vn/96/visits", SEED)
    with pytest.raises((NotSigned, NotACheckpoint)):
        signer.verifier.open(signer.sign(CHECKPOINT).replace(old, new, 1))


@pytest.mark.parametrize("text", ["", "a\n1\n", "a\n-1\nAA==\n", "a\n1\nAA==\n", "a\n1\n\n"])
def test_a_note_that_holds_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NotACheckpoint):
        parse(f"{text}\n— a AAAAAAAA\n")


@pytest.mark.parametrize("key", ["", "a+00000000+AQ==", GO_KEY.replace("c74f20a3", "c74f20a4"), "a+b+c"])
def test_a_malformed_verifier_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="verifier key"):
        Verifier.parse(key)


def test_a_seed_file_holds_32_bytes(tmp_path: Path) -> None:
    file = tmp_path / "seed"
    file.write_text(base64.b64encode(SEED).decode() + "\n")
    assert read_seed(file) == SEED
    file.write_text(base64.b64encode(SEED[1:]).decode())
    with pytest.raises(ValueError, match="32 bytes"):
        read_seed(file)
