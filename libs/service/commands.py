"""Commands over HTTP: one in a request, or up to a thousand in a batch."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import orjson
from msgspec.structs import replace
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Scope as HttpScope
from uuid_utils.compat import uuid7

from libs.events.decider import Command, Conflict, NotYet, Refusal, Rejected
from libs.events.envelope import decode
from libs.events.handler import OUT_OF_SCOPE, Accepted, Handler, Outcome, Request
from libs.service import metrics
from libs.service.access import Rule, rule_of
from libs.service.answers import Json
from libs.service.auth import Principal, principal_of
from libs.service.batches import BatchItem, id_of, read_item, split
from libs.service.body import read_json
from libs.service.edge import headers_of
from libs.service.openapi import batch_operation, command_operation, form_operation
from libs.service.problems import Problem, from_refusal, from_validation, language_of, pointer
from libs.service.read_after import ReadAfter
from libs.service.routes import Routes
from libs.service.scope import Scope, Scopes

SHORT_BATCH = 32
"""Up to so many commands travel with the single ones: somebody with a telephone waits for them."""
BREATH = 100
"""Commands parsed before other requests get a turn."""


Fold = Callable[[str, Sequence[bytes]], Mapping[str, Any]]
"""From a stream and the payloads of its events to the resource as the API shows it."""
Parsed = tuple[Any, int | None, Command | Problem]
"""A command's id, the version of its target that it expects, and the command, or why it could not be read."""


class Form(BaseModel):
    """What somebody fills in once and means several times."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    def commands(self) -> Sequence[tuple[UUID | None, Command | Problem]]:
        """The commands that it stands for, each with its id, or why there is none. Raises Problem."""
        raise NotImplementedError

    def about(self, index: int) -> dict[str, Any]:
        """What the answer to that command says besides what became of it."""
        raise NotImplementedError


class CommandApi:
    """Puts a handler behind HTTP. `kinds` are the commands of its batches by the route's verb; `fold` makes
    conflicts say what differs. `scopes` say how far a sender reaches; each kind of command by the rule of its
    own route, also in a batch. Without them everybody reaches everything.
    """

    def __init__(
        self,
        handler: Handler,
        kinds: Mapping[str, type[Command]],
        read_after: ReadAfter | None = None,
        *,
        scopes: Scopes | None,
        fold: Fold | None = None,
    ) -> None:
        self._handler = handler
        self._kinds = kinds
        self._scopes = scopes
        self._rules: dict[type[BaseModel], Rule] = {}
        self._read_after = read_after or ReadAfter({})
        self._fold = fold

    def post(self, routes: Routes, template: str, cls: type[Command], **given: str) -> None:
        """A route for one kind of command. `team_id="id"`: the field `team_id` is the path's `{id}`."""
        self._add(routes, "POST", template, cls, given)

    def patch(self, routes: Routes, template: str, cls: type[Command], **given: str) -> None:
        """The same, for a command that says only what changes."""
        self._add(routes, "PATCH", template, cls, given)

    def rule(self, method: str, template: str, cls: type[BaseModel]) -> None:
        """Says by the rule of which route such commands are allowed."""
        self._rules[cls] = rule_of(method, template)

    def _add(
        self, routes: Routes, method: str, template: str, cls: type[Command], given: Mapping[str, str]
    ) -> None:
        self.rule(method, template, cls)

        async def endpoint(request: HttpRequest) -> Response:
            fields = {field: request.path_params[name] for field, name in given.items()}
            return await self.one(request, principal_of(request.scope), cls, given=fields)

        routes.add_endpoint(method, template, endpoint, command_operation(cls, given))

    def post_many(
        self, routes: Routes, template: str, cls: type[Form], *, name: str, results: type[BaseModel]
    ) -> None:
        """A route for a form that stands for several commands; it is answered like a batch of them. `name` is
        the operation's, `results` describes the answer.
        """
        self.rule("POST", template, cls)

        async def endpoint(request: HttpRequest) -> Response:
            body = await read_json(request.scope, request.receive)
            try:
                form = cls.model_validate_json(body)
            except ValidationError as error:
                raise from_validation(error, body) from None
            parsed = [(command_id, None, command) for command_id, command in form.commands()]
            scope = await self._scope(principal_of(request.scope), cls)
            results = await self._execute_all(request, parsed, scope)
            return Json({"results": [form.about(index) | result for index, result in enumerate(results)]})

        routes.add_endpoint("POST", template, endpoint, form_operation(name, cls, results))

    def post_batch(self, routes: Routes, template: str, *, name: str) -> None:
        async def endpoint(request: HttpRequest) -> Response:
            return await self.batch(request)

        routes.add_endpoint("POST", template, endpoint, batch_operation(name, sorted(self._kinds)))

    async def one(
        self,
        request: HttpRequest,
        principal: Principal,
        cls: type[Command],
        target: str | None = None,
        *,
        given: Mapping[str, str] | None = None,
    ) -> Response:
        """`target` is the id that the path names; `given` are all fields that it names.

        The command's id is the `Idempotency-Key`, else the id of the resource that the client makes. A verb
        on a resource that exists needs the header for a repeat to be recognised as one.
        """
        scope = request.scope
        body = await read_json(scope, request.receive)
        reach = await self._scope(principal, cls)
        fields = {"id": target, **(given or {})} if target is not None else given
        command = parse(cls, body, fields)
        asked = Request(
            command_id=_idempotency_key(scope) or command.own_id() or uuid7(),
            actor=principal.subject,
            correlation_id=scope["socai.correlation_id"],
            command=command,
            expected_version=_expected_version(scope),
        )
        await self._read_after.wait(scope)
        [outcome] = await self._execute([asked], [reach])
        metrics.COMMANDS.labels(cls.kind, _status(outcome)).inc()
        if isinstance(outcome, Refusal):
            problem = from_refusal(outcome)
            if outcome.code == "version-conflict":
                problem.current = await self._current(asked)
                problem.headers["ETag"] = f'"{problem.current["version"]}"'
            raise problem
        answer: dict[str, Any] = {"id": outcome.id, "version": outcome.version, "receipt": _receipt(outcome)}
        if outcome.repeated:
            answer["repeated"] = True
        if outcome.dropped:
            answer["dropped"] = outcome.dropped
        return Json(answer, 200 if outcome.repeated else 201, {"ETag": f'"{outcome.version}"'})

    async def batch(self, request: HttpRequest) -> Response:
        """One result for each command, in order; a bad one does not spoil the others."""
        parsed: list[Parsed] = []
        for place, raw in enumerate(split(await read_json(request.scope, request.receive))):
            if place % BREATH == BREATH - 1:
                await asyncio.sleep(0)
            try:
                item, command = self._parse_item(raw, f"/commands/{place}")
                parsed.append((item.id, item.expected_version, command))
            except Problem as problem:
                parsed.append((id_of(raw), None, problem))
        return Json({"results": await self._execute_all(request, parsed)})

    async def _scope(self, principal: Principal, cls: type[BaseModel]) -> Scope | None:
        """Raises Problem role-not-allowed."""
        if self._scopes is None:
            return None
        return await self._scopes.of(principal, self._rules[cls])

    async def _execute(
        self, asked: Sequence[Request], scopes: Sequence[Scope | None], *, bulk: bool = False
    ) -> list[Outcome]:
        """One outcome for each, in order. What a sender's scope does not cover is tried once more when that
        has been looked up again: a hamlet may have been established a moment ago, or in the same batch.
        """
        outcomes = await self._handler.execute(_within(asked, scopes), bulk=bulk)
        outside = [place for place, outcome in enumerate(outcomes) if _is_outside(outcome)]
        if outside:
            for scope in {id(scope): scope for place in outside if (scope := scopes[place])}.values():
                await scope.renew()
            again = _within([asked[place] for place in outside], [scopes[place] for place in outside])
            for place, outcome in zip(outside, await self._handler.execute(again, bulk=bulk), strict=True):
                outcomes[place] = outcome
        return outcomes

    async def _execute_all(
        self, request: HttpRequest, parsed: Sequence[Parsed], form_scope: Scope | None = None
    ) -> list[dict[str, Any]]:
        """One result for each, in order; what could not be parsed is answered with its problem. A form's
        commands are allowed by the form's own rule.
        """
        scope = request.scope
        principal = principal_of(scope)
        scopes: dict[type[Command], Scope | None] = {}
        language = language_of(headers_of(scope).get(b"accept-language"))
        results: list[dict[str, Any]] = []
        asked: list[Request] = []
        reaches: list[Scope | None] = []
        places: list[int] = []
        for place, (command_id, expected_version, command) in enumerate(parsed):
            try:
                if isinstance(command, Problem):
                    raise command
                if (cls := type(command)) not in scopes:
                    scopes[cls] = form_scope or await self._scope(principal, cls)
            except Problem as problem:
                results.append({"id": command_id, "status": "rejected", "problem": problem.body(language)})
                continue
            results.append({})
            places.append(place)
            reaches.append(scopes[cls])
            asked.append(
                Request(
                    command_id=command_id,
                    actor=principal.subject,
                    correlation_id=scope["socai.correlation_id"],
                    command=command,
                    expected_version=expected_version,
                )
            )
        await self._read_after.wait(scope)
        outcomes = await self._execute(asked, reaches, bulk=len(asked) > SHORT_BATCH)
        for place, one, outcome in zip(places, asked, outcomes, strict=True):
            results[place] = await self._result(one, outcome, language)
        _count(asked, outcomes, len(parsed) - len(asked))
        return results

    def _parse_item(self, raw: bytes | msgspec.Raw, at: str) -> tuple[BatchItem, Command]:
        """Raises Problem: about the command's body with pointers into that, else with pointers into the
        batch, in which the command stands `at`.
        """
        item = read_item(raw, at)
        cls = self._kinds.get(item.kind)
        if cls is None:
            raise _at(f"{at}/kind", "command-kind-unknown")
        if item.target is None and not cls.creates:
            raise _at(f"{at}/target", "target-missing")
        return item, parse(cls, bytes(item.body), {"id": item.target} if item.target is not None else None)

    async def _result(self, asked: Request, outcome: Outcome, language: str) -> dict[str, Any]:
        status = _status(outcome)
        result: dict[str, Any] = {"id": str(asked.command_id), "status": status}
        if isinstance(outcome, Accepted):
            result["version"] = outcome.version
            result["receipt"] = _receipt(outcome)
            if outcome.dropped:
                result["dropped"] = outcome.dropped
            return result
        result["problem"] = from_refusal(outcome).body(language)
        if outcome.code == "version-conflict":
            result["current"] = await self._current(asked)
        return result

    async def _current(self, asked: Request) -> dict[str, Any]:
        """Who changed the target last, when, and what differs now from the version that was expected."""
        stream, expected = asked.command.target(), asked.expected_version or 0
        payloads = [payload for _, _, payload in await self._handler.log.read_streams([stream])]
        if not payloads:
            return {"version": 0}
        last = decode(payloads[-1])
        current: dict[str, Any] = {"version": last.streamversion, "by": last.actor, "at": last.time}
        if self._fold is not None and 0 < expected < len(payloads):
            before = self._fold(stream, payloads[:expected])
            current["differences"] = _differences(before, self._fold(stream, payloads))
        return current


def _within(asked: Sequence[Request], scopes: Sequence[Scope | None]) -> list[Request]:
    """The requests with what their senders' scopes cover now."""
    return [
        replace(one, scope=scope.covered) if scope is not None else one
        for one, scope in zip(asked, scopes, strict=True)
    ]


def _is_outside(outcome: Outcome) -> bool:
    return isinstance(outcome, Rejected) and outcome.code == OUT_OF_SCOPE


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a resource says differently now, field by field; null where it says nothing."""
    return [
        {"pointer": pointer((name,)), "before": before.get(name), "now": now.get(name)}
        for name in dict.fromkeys((*before, *now))
        if name != "version" and before.get(name) != now.get(name)
    ]


def parse(cls: type[Command], body: bytes, given: Mapping[str, str] | None = None) -> Command:
    """The command in a body. `given` are fields that the address has named already; the body may leave them
    out, but not contradict them. Raises Problem with a pointer to each bad field.
    """
    whole = _with(body, given) if given else body
    try:
        command = cls.model_validate_json(whole)
    except ValidationError as error:
        raise from_validation(error, whole) from None
    for field, value in (given or {}).items():
        if str(getattr(command, field)) not in (value, value.lower()):
            raise _at(f"/{field}", "target-mismatch")
    return command


def _at(place: str, code: str) -> Problem:
    return Problem(code, errors=[{"pointer": place, "code": code}])


def _with(body: bytes, given: Mapping[str, str]) -> bytes:
    """The body with the given fields in front; of a field that stands there twice, the later one counts, and
    is compared afterwards. What is not an object is left to the parser to refuse.
    """
    rest = body.lstrip(b" \t\r\n")
    if not rest.startswith(b"{"):
        return body
    rest = rest[1:].lstrip(b" \t\r\n")
    front = orjson.dumps(dict(given))[:-1]
    return front + (b"" if rest.startswith(b"}") else b",") + rest


def _idempotency_key(scope: HttpScope) -> UUID | None:
    key = headers_of(scope).get(b"idempotency-key")
    if key is None:
        return None
    try:
        return UUID(key.decode().strip('"'))
    except ValueError:
        raise Problem("idempotency-key-malformed") from None


def _expected_version(scope: HttpScope) -> int | None:
    match = headers_of(scope).get(b"if-match")
    if match is None or match == b"*":
        return None
    digits = match.strip(b'"')
    if len(digits) > 9 or not digits.isdigit() or match != b'"%s"' % digits:
        raise Problem("if-match-malformed", 'a version in quotation marks, such as "3"')
    return int(digits)


def _status(outcome: Outcome) -> str:
    """The word of `/sync` for what became of a command."""
    if isinstance(outcome, Accepted):
        return "repeated" if outcome.repeated else "accepted"
    if isinstance(outcome, NotYet):
        return "retry"
    return "conflict" if isinstance(outcome, Conflict) else "rejected"


def _receipt(accepted: Accepted) -> dict[str, Any]:
    return {
        "source": accepted.source,
        "position": accepted.position,
        "leaf_hash": accepted.leaf_hash,
        "command_id": str(accepted.command_id),
    }


def _count(asked: Sequence[Request], outcomes: Sequence[Outcome], malformed: int) -> None:
    pairs = zip(asked, outcomes, strict=True)
    counts = Counter((one.command.kind, _status(outcome)) for one, outcome in pairs)
    if malformed:
        counts["malformed", "rejected"] = malformed
    for (kind, status), number in counts.items():
        metrics.COMMANDS.labels(kind, status).inc(number)
