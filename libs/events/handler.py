"""From commands to appended events: load and fold, decide, append; again when somebody was faster."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from libs.events.append import RECOVERED, Append, Appended, Draft, EventTooLarge, NotStorable
from libs.events.decider import Command, Conflict, Context, Domain, NotYet, Refusal, Rejected
from libs.events.envelope import decode
from libs.events.event import type_of
from libs.events.log import Log

ATTEMPTS = 32
"""How often a command is decided again when a stream it relied on has moved. Of those that meet in one commit
one gets through, so this is also how many may meet."""
REMEMBERED = 50_000
"""Folded streams kept in memory. A stale one is caught by the append, loaded and decided again."""


@dataclass(frozen=True, slots=True)
class Request:
    """A command as it came in. `expected_version` is the target's, where the client edits what it read."""

    command_id: UUID
    actor: str
    command: Command
    correlation_id: str | None = None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """`id` and `version` are the target's; `position` and `leaf_hash` (hex) those of the command's last
    event, or None where nothing had to change. `repeated`: this is the first answer, given again.
    """

    id: str
    version: int
    source: str
    position: int | None
    leaf_hash: str | None
    command_id: UUID
    repeated: bool


Outcome = Accepted | Refusal


@dataclass(frozen=True, slots=True)
class _Work:
    """A request with its place among the others and the streams that it touches, the target first."""

    place: int
    request: Request
    streams: tuple[str, ...]


class Handler:
    """Executes commands of one domain against one log."""

    def __init__(self, log: Log, domain: Domain) -> None:
        self.log = log
        self.domain = domain
        self._types = {event: type_of(domain.service, event) for event in domain.events.values()}
        self._folded: OrderedDict[str, tuple[int, Any]] = OrderedDict()

    async def execute(self, requests: Sequence[Request], *, bulk: bool = False) -> list[Outcome]:
        """One outcome for each request, in order. Requests on one stream are decided in the order given; one
        that is refused does not keep others from being accepted.

        Raises LogUnavailable or LogUnverified: some may have been appended, all may be sent again.
        """
        outcomes: dict[int, Outcome] = {}
        for level in _levels(requests):
            await self._execute(level, outcomes, bulk)
        return [outcomes[place] for place in range(len(requests))]

    async def _execute(self, level: list[_Work], outcomes: dict[int, Outcome], bulk: bool) -> None:
        """Requests that do not touch each other's streams."""
        prepare = self.domain.prepare
        known = await prepare([work.request.command for work in level]) if prepare else None
        context = Context.current(known)
        open_ = level
        fresh = False
        for _ in range(ATTEMPTS):
            await self._load(open_, fresh)
            decided: list[tuple[_Work, Append, dict[str, Any]]] = []
            refused: list[tuple[_Work, Refusal]] = []
            for work in open_:
                try:
                    decided.append((work, *self._decide(work, context)))
                except Refusal as refusal:
                    refused.append((work, refusal))
            again = [work for work, _ in refused] if not fresh else []
            if fresh and refused:
                await self._refuse(refused, outcomes)
            answers = await self._append([append for _, append, _ in decided], bulk)
            for (work, _, states), appended in zip(decided, answers, strict=True):
                if isinstance(appended, Refusal):
                    outcomes[work.place] = appended
                elif appended.status == "stale":
                    again.append(work)
                else:
                    outcomes[work.place] = self._answer(work.request, appended)
                    if appended.status == "accepted":
                        self._remember(states)
            if not again:
                return
            open_, fresh = sorted(again, key=lambda work: work.place), True
        for work in open_:
            outcomes[work.place] = NotYet("too-many-writers")

    async def _load(self, level: Iterable[_Work], fresh: bool) -> None:
        """Makes sure that every stream that the requests need is folded in memory: from the log where it is
        not, or where memory may be stale. Targets that a command creates are taken to be new at first.
        """
        wanted: set[str] = set()
        for work in level:
            wanted.update(work.streams[0 if fresh or not work.request.command.creates else 1 :])
        await self._fold(wanted, fresh)
        await self._fold({stream for work in level for stream in self._followed(work)}, fresh)

    def _followed(self, work: _Work) -> tuple[str, ...]:
        """The streams that the target's state leads to, beyond those that the command names itself."""
        target = self._folded.get(work.streams[0])
        followed = work.request.command.follows(target[1] if target else None)
        return tuple(stream for stream in followed if stream not in work.streams)

    async def _fold(self, wanted: set[str], fresh: bool) -> None:
        if not fresh:
            wanted = {stream for stream in wanted if stream not in self._folded}
        if not wanted:
            return
        folded: dict[str, tuple[int, Any]] = dict.fromkeys(wanted, (0, None))
        evolve, event = self.domain.evolve, self.domain.event
        for stream, version, payload in await self.log.read_streams(list(wanted)):
            folded[stream] = (version, evolve(folded[stream][1], event(decode(payload))))
        self._remember(folded)

    def _decide(self, work: _Work, context: Context) -> tuple[Append, dict[str, Any]]:
        request = work.request
        command, target = request.command, work.streams[0]
        streams = (*work.streams, *self._followed(work))
        seen = {stream: self._folded.get(stream, (0, None)) for stream in streams}
        if request.expected_version is not None and request.expected_version != seen[target][0]:
            raise Conflict("version-conflict", version=seen[target][0])
        states = {stream: state for stream, (_, state) in seen.items()}
        events = self.domain.decide(command, states, replace(context, actor=request.actor))
        after = dict(seen)
        drafts = []
        for event in events:
            stream = event.stream()
            version, state = after[stream]
            after[stream] = (version + 1, self.domain.evolve(state, event))
            drafts.append(Draft(stream, self._types[type(event)], event.model_dump_json(exclude_none=True)))
        append = Append(
            command_id=request.command_id,
            fingerprint=fingerprint(command),
            actor=request.actor,
            target=target,
            expects=[(stream, version) for stream, (version, _) in seen.items()],
            events=drafts,
            correlation_id=request.correlation_id,
        )
        return append, after

    async def _append(self, appends: list[Append], bulk: bool) -> list[Appended | Refusal]:
        if len(appends) == 1:
            try:
                return [await self.log.append(appends[0], bulk=bulk)]
            except (EventTooLarge, NotStorable) as error:
                return [_refusal(error)]
        answers: list[Appended | Refusal] = []
        for answer in await self.log.append_many(appends) if appends else []:
            if isinstance(answer, EventTooLarge | NotStorable):
                answers.append(_refusal(answer))
            elif isinstance(answer, BaseException):
                raise answer
            else:
                answers.append(answer)
        return answers

    async def _refuse(self, refused: list[tuple[_Work, Refusal]], outcomes: dict[int, Outcome]) -> None:
        """A command that was accepted before is answered as then, even if today's state would refuse it."""
        before = await self.log.find_commands([work.request.command_id for work, _ in refused])
        for work, refusal in refused:
            request = work.request
            outcomes[work.place] = refusal
            if first := before.get(request.command_id):
                mark, appended = first
                same = mark in (fingerprint(request.command), RECOVERED)
                appended = appended if same else appended._replace(status="reused")
                outcomes[work.place] = self._answer(request, appended)

    def _answer(self, request: Request, appended: Appended) -> Outcome:
        if appended.status == "reused":
            return Conflict("command-id-reused")
        return Accepted(
            id=appended.target.partition("/")[2],
            version=appended.version,
            source=self.log.source,
            position=appended.last_position,
            leaf_hash=appended.leaf_hash.hex() if appended.leaf_hash else None,
            command_id=request.command_id,
            repeated=appended.status == "repeated",
        )

    def _remember(self, states: dict[str, tuple[int, Any]]) -> None:
        for stream, state in states.items():
            self._folded[stream] = state
            self._folded.move_to_end(stream)
        while len(self._folded) > REMEMBERED:
            self._folded.popitem(last=False)


def fingerprint(command: Command) -> bytes:
    """SHA-256 over what was asked for: the same request has the same one, whatever its JSON looked like.
    Defaults are left out, so that a field that is added later changes no fingerprint of before.
    """
    asked = command.model_dump_json(exclude_defaults=True)
    return hashlib.sha256(f"{command.kind} {asked}".encode()).digest()


def _refusal(error: EventTooLarge | NotStorable) -> Refusal:
    code = "event-too-large" if isinstance(error, EventTooLarge) else "not-storable"
    return Rejected(code, detail=str(error))


def _levels(requests: Sequence[Request]) -> list[list[_Work]]:
    """Requests by how many others they have to wait for: one that touches a stream which an earlier one
    writes comes a level later; so does one with an earlier one's command id.
    """
    levels: list[list[_Work]] = []
    written: dict[str | UUID, int] = {}
    read: dict[str, int] = {}
    for place, request in enumerate(requests):
        command = request.command
        streams = (command.target(), *command.relies_on())
        writes = streams if command.writes_all else streams[:1]
        level = written.get(request.command_id, -1) + 1
        for stream in streams:
            level = max(level, written.get(stream, -1) + 1)
        for stream in writes:
            level = max(level, read.get(stream, -1) + 1)
        written[request.command_id] = level
        for stream in writes:
            written[stream] = level
        for stream in streams[len(writes) :]:
            read[stream] = max(read.get(stream, -1), level)
        if level == len(levels):
            levels.append([])
        levels[level].append(_Work(place, request, streams))
    return levels
