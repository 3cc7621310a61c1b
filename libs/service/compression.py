"""Answers made smaller for those who accept it: a telephone pays for every byte, and waits for it."""

import zlib
from typing import Any, Literal

import zstandard
from starlette.types import Message, Send

SMALLEST = 2048
"""Bytes below which it is not worth the while: such an answer travels in one or two packets anyway."""
LEVEL = 6

Coding = Literal[b"zstd", b"gzip"]
_CODINGS: tuple[Coding, ...] = (b"zstd", b"gzip")
"""What is preferred of what a client likes equally stands first."""

_GZIP = 16 + zlib.MAX_WBITS
_TEXT = (b"application/json", b"application/problem+json", b"application/x-ndjson", b"text/")
_zstd = zstandard.ZstdCompressor(level=LEVEL)


class Compressing:
    """Stands before `send`. An answer that comes in one piece is compressed whole; one that comes in several
    passes as it is, since somebody may be waiting for each of them.
    """

    def __init__(self, send: Send, coding: Coding) -> None:
        self._send = send
        self._coding: Coding = coding
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if _suits(message):
                self._start = message
            else:
                await self._send(message)
            return
        start, self._start = self._start, None
        if start is not None:
            body = message.get("body", b"")
            if not message.get("more_body") and len(body) >= SMALLEST:
                body = _compressed(body, self._coding)
                message = {**message, "body": body}
                start = _with_headers(start, len(body), self._coding)
            await self._send(start)
        await self._send(message)


def accepted(accept_encoding: bytes | None) -> Coding | None:
    """Which coding to answer with: of those that were asked for and not ruled out, the one liked best."""
    liked: dict[bytes, float] = {}
    for part in (accept_encoding or b"").lower().split(b",")[:16]:
        coding, _, quality = part.strip().partition(b";")
        try:
            weight = float(quality.partition(b"=")[2] or 1)
        except ValueError:
            weight = 0.0
        liked.setdefault(coding.strip(), weight)
    anything = liked.get(b"*", 0.0)
    best = max(_CODINGS, key=lambda coding: liked.get(coding, anything))
    return best if liked.get(best, anything) > 0 else None


def _suits(start: Message) -> bool:
    headers = dict(start.get("headers", ()))
    return b"content-encoding" not in headers and headers.get(b"content-type", b"").startswith(_TEXT)


def _compressed(body: bytes, coding: Coding) -> bytes:
    if coding == b"zstd":
        return _zstd.compress(body)
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP)
    return compressor.compress(body) + compressor.flush()


def _with_headers(start: Message, length: int, coding: Coding) -> dict[str, Any]:
    headers = [(name, value) for name, value in start["headers"] if name not in (b"content-length", b"vary")]
    vary = [value for name, value in start["headers"] if name == b"vary"]
    headers += [
        (b"content-length", str(length).encode()),
        (b"content-encoding", coding),
        (b"vary", b", ".join([*vary, b"Accept-Encoding"])),
    ]
    return {**start, "headers": headers}
