"""Answers made smaller: for whom, which ones, and that they are the same afterwards."""

import zlib
from typing import Any

import pytest
import zstandard
from starlette.types import Message

from libs.service.compression import SMALLEST, Coding, Compressing, accepted

LONG = b'{"a":"' + b"x" * SMALLEST + b'"}'


async def sent(
    *bodies: bytes, headers: list[tuple[bytes, bytes]] | None = None, coding: Coding = b"gzip"
) -> list[Any]:
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    compressing = Compressing(send, coding)
    headers = headers or [(b"content-type", b"application/json")]
    await compressing({"type": "http.response.start", "status": 200, "headers": headers})
    for number, body in enumerate(bodies, 1):
        more = number < len(bodies)
        await compressing({"type": "http.response.body", "body": body, "more_body": more})
    return messages


async def test_a_long_answer_is_compressed_and_says_so() -> None:
    length = (b"content-length", str(len(LONG)).encode())
    vary = (b"vary", b"Accept-Language")
    start, body = await sent(LONG, headers=[(b"content-type", b"application/json"), length, vary])
    assert zlib.decompress(body["body"], 16 + zlib.MAX_WBITS) == LONG
    headers = dict(start["headers"])
    assert headers[b"content-encoding"] == b"gzip"
    assert headers[b"content-length"] == str(len(body["body"])).encode()
    assert headers[b"vary"] == b"Accept-Language, Accept-Encoding"


async def test_the_same_with_zstd() -> None:
    start, body = await sent(LONG, coding=b"zstd")
    assert zstandard.ZstdDecompressor().decompress(body["body"]) == LONG
    assert dict(start["headers"])[b"content-encoding"] == b"zstd"


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-type", b"application/json"), (b"content-encoding", b"gzip")],
        [(b"content-type", b"image/png")],
        [(b"content-length", b"0")],
    ],
)
async def test_what_is_compressed_already_or_no_text_passes(headers: list[tuple[bytes, bytes]]) -> None:
    start, body = await sent(LONG, headers=headers)
    assert (start["headers"], body["body"]) == (headers, LONG)


async def test_what_is_short_or_comes_in_pieces_passes() -> None:
    for bodies in ((LONG[:100],), (b"",), (LONG, LONG), (LONG, b"")):
        start, *parts = await sent(*bodies)
        assert b"content-encoding" not in dict(start["headers"])
        assert [part["body"] for part in parts] == list(bodies)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (None, None),
        (b"", None),
        (b"identity", None),
        (b"br", None),
        (b"gzip", b"gzip"),
        (b"deflate, GZip;q=0.5", b"gzip"),
        (b"br, gzip;q=0", None),
        (b"gzip;q=odd", None),
        (b"*", b"zstd"),
        (b"gzip, deflate, br, zstd", b"zstd"),
        (b"zstd;q=0.5, gzip", b"gzip"),
        (b"zstd;q=0, *", b"gzip"),
    ],
)
def test_only_those_who_accept_it_get_it(asked: bytes | None, answer: Coding | None) -> None:
    assert accepted(asked) == answer
