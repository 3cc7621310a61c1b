"""Reads the body of a request: JSON only, and not for ever."""

import asyncio

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from libs.service.edge import headers_of
from libs.service.problems import Problem

SLOWEST = 60.0
"""Seconds for a whole body; 4 MB in that time is a poor telephone's line."""


async def read_json(scope: Scope, receive: Receive) -> bytes:
    """The bytes as they came, not parsed. Raises Problem: media-type-unsupported, request-timeout, and what
    the edge says of bodies that are too large.
    """
    headers = headers_of(scope)
    media_type = headers.get(b"content-type", b"application/json").partition(b";")[0].strip().lower()
    if media_type != b"application/json" and not media_type.endswith(b"+json"):
        raise Problem("media-type-unsupported", media_type.decode("latin-1"))
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise Problem("media-type-unsupported", "compressed bodies are not accepted")
    return await read_body(receive)


async def read_body(receive: Receive) -> bytes:
    """The bytes as they came. Raises Problem request-timeout."""
    parts: list[bytes] = []
    more = True
    try:
        async with asyncio.timeout(SLOWEST):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                parts.append(message.get("body", b""))
                more = message.get("more_body", False)
    except TimeoutError:
        raise Problem("request-timeout") from None
    return parts[0] if len(parts) == 1 else b"".join(parts)
