"""The operator's commands as a client of the gateway: a token, patience, and errors with a name."""

import asyncio
import io
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp
import orjson

from libs.events.errors import told

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_LATER = {429, 502, 503, 504}


class Away(ConnectionError):
    """Nobody answers there, or only that it cannot now; `socai` ends with exit code 3."""


class Refused(Exception):
    """An answer that will not change by asking again."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", ""))
        self.errors: list[Mapping[str, Any]] = list(problem.get("errors") or ())
        title = problem.get("title") or "no problem was given"
        detail = f": {problem['detail']}" if problem.get("detail") else ""
        super().__init__(f"{status} {self.code} – {title}{detail}")


class Answer(NamedTuple):
    status: int
    body: bytes
    retry_after: float | None

    def json(self) -> Any:
        return orjson.loads(self.body)


class Gateway:
    """`token()` gives a bearer token; it is asked again when one has expired. What passes by itself (a lost
    connection, 503, anything with Retry-After) is tried again for up to `patience` seconds.
    """

    def __init__(self, url: str, token: Callable[[], str], *, patience: float = 10.0) -> None:
        self.url = url.rstrip("/")
        self._make_token = token
        self._token = token()
        self._patience = patience
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # Batches are answered within seconds; a minute of silence is a lost connection.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=60)
        self._session = aiohttp.ClientSession(timeout=timeout, auto_decompress=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()

    async def get(
        self,
        path: str,
        query: list[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The answer's JSON. Raises Refused, Away."""
        return (await self._patiently("GET", path, query=query, headers=headers)).json()

    async def find(self, path: str) -> Any | None:
        """As `get`; None where there is no such thing."""
        try:
            return await self.get(path)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    async def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Any:
        """The answer's JSON. Raises Refused, Away."""
        return (await self._patiently("POST", path, body=body, headers=headers)).json()

    async def _patiently(
        self,
        method: str,
        path: str,
        *,
        query: list[tuple[str, str]] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Sending the same command again is safe: its id decides whether it is new."""
        deadline, pause, renewed = time.monotonic() + self._patience, _FIRST_PAUSE, False
        while True:
            wait, refused = pause, None
            try:
                answer = await self._once(method, path, query, body, headers)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                why = told(error)
            else:
                if answer.status < 400:
                    return answer
                refused = Refused(answer.status, _problem(answer))
                if answer.status == 401 and answer.retry_after is None and not renewed:
                    self._token, renewed = self._make_token(), True
                    continue
                if answer.retry_after is None and answer.status not in _LATER:
                    raise refused
                wait = max(answer.retry_after or 0.0, pause)
                why = str(refused)
            if time.monotonic() + wait > deadline:
                # What nobody has heard of after all this time is an answer, too, and not an absence.
                if refused is not None and refused.status == 409:
                    raise refused
                raise Away(f"{self.url}{path}: {why}")
            await asyncio.sleep(wait)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _once(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]] | None,
        body: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        assert self._session is not None, "the client is used as a context manager"
        # Whoever is this near pays more for compressing an answer than for its bytes.
        sent = {
            "Authorization": f"Bearer {self._token}",
            "Accept-Encoding": "identity",
            **(headers or {}),
        }
        if body is not None:
            sent["Content-Type"] = "application/json"
        # A long bytes object would be written in one go, and aiohttp warns of that.
        data = io.BytesIO(body) if body is not None else None
        url = self.url + path
        async with self._session.request(method, url, params=query, data=data, headers=sent) as response:
            return Answer(
                response.status, await response.read(), _seconds(response.headers.get("Retry-After"))
            )


def _seconds(retry_after: str | None) -> float | None:
    """Only the form in seconds: it is the one our services use."""
    try:
        return None if retry_after is None else max(0.0, float(retry_after))
    except ValueError:
        return None


def _problem(answer: Answer) -> Mapping[str, Any]:
    try:
        problem = answer.json()
    except orjson.JSONDecodeError:
        return {"detail": answer.body[:200].decode(errors="replace")}
    return problem if isinstance(problem, dict) else {}
