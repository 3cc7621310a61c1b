"""How often one subject may ask: a window of a minute or so, kept by each process for itself."""

import math
import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.service.auth import principal_of
from libs.service.problems import Problem


class RateLimit:
    """`limit` as the library `limits` writes it, such as `6000/minute`; None: none.

    Every answer says where its sender stands, in the two header fields of the IETF's draft
    (draft-ietf-httpapi-ratelimit-headers): the policy, what is left of it, and in how many seconds it begins
    anew.
    """

    def __init__(self, limit: str | None) -> None:
        self._limit: RateLimitItem | None = parse(limit) if limit else None
        self._windows = FixedWindowRateLimiter(MemoryStorage())

    def around(self, inner: ASGIApp) -> ASGIApp:
        """Raises Problem rate-limited."""
        if (limit := self._limit) is None:
            return inner
        policy = f'"subject";q={limit.amount};w={limit.get_expiry()}'

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            subject = principal_of(scope).subject
            allowed = self._windows.hit(limit, subject)
            resets, left = self._windows.get_window_stats(limit, subject)
            wait = max(1, math.ceil(resets - time.time()))
            told = {"RateLimit-Policy": policy, "RateLimit": f'"subject";r={left};t={wait}'}
            if not allowed:
                raise Problem("rate-limited", headers={**told, "Retry-After": str(wait)})
            headers = [(name.lower().encode(), value.encode()) for name, value in told.items()]

            async def send_with_limit(message: Message) -> None:
                if message["type"] == "http.response.start":
                    message["headers"] = [*message.get("headers", ()), *headers]
                await send(message)

            await inner(scope, receive, send_with_limit)

        return app
