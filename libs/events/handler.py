"""From commands to appended events: load and fold, decide, append; again when somebody was faster."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import msgspec

from libs.events.append import Append, Appended, Draft, EventTooLarge, NotStorable
from libs.events.decider import Command, Conflict, Context, Domain, NotYet, Refusal, Rejected
from libs.events.envelope import decode
from libs.events.event import Event, SealedEvent, type_of
from libs.events.fingerprint import Fingerprint, fingerprint, same_content
from libs.events.folded import Folded, Versioned
from libs.events.key_store import KeyStore, KeysUnavailable
from libs.events.log import Log
from libs.events.personal import PersonalDataErased
from libs.events.sealing import DataKey

OUT_OF_SCOPE = "out-of-scope"
"""The code of a command that its sender's scope does not cover."""
ATTEMPTS = 32
"""How often a command is decided again when a stream it relied on has moved. Of those that meet in one commit
one gets through, so this is also how many may meet."""


class Request(msgspec.Struct, frozen=True):
    """A command as it came in. `expected_version` is the target's, where the client edits what it read.
    `scope` is what the domain compares the command with before it is decided (`Domain.allows`); what the
    service does of its own accord has none.
    """

    command_id: UUID
    actor: str
    command: Command
    correlation_id: str | None = None
    expected_version: int | None = None
    scope: Any = None


class Accepted(msgspec.Struct, frozen=True):
    """`id` and `version` are the target's; `position` and `leaf_hash` (hex) those of the command's last
    event. Where nothing had to change, there is no hash, and `position` is where the log ended when that was
    answered. `repeated`: this is the first answer, given again. `dropped` names the personal fields that were
    said and not kept.
    """

    id: str
    version: int
    source: str
    position: int
    leaf_hash: str | None
    command_id: UUID
    repeated: bool
    dropped: tuple[str, ...] = ()


Outcome = Accepted | Refusal


class _Work(msgspec.Struct, frozen=True):
    """A request with its place among the others and the streams that it touches, the target first."""

    place: int
    request: Request
    streams: tuple[str, ...]

    def finding(self, known: Any) -> "_Work":
        """With the streams that only what was looked up tells."""
        command = self.request.command
        if type(command).found is Command.found:
            return self  # as most commands
        found = dict.fromkeys((*self.streams, *command.found(known)))
        return _Work(self.place, self.request, tuple(found))


@dataclass(slots=True)
class _Decided:
    """What was decided on which versions of which streams. `streams` are those of the events, one each;
    `after` are the states that follow from them. `moves` are the names beside streams, as in Append.
    """

    work: _Work
    events: list[Event]
    streams: list[str]
    seen: dict[str, int]
    after: dict[str, Versioned]
    moves: list[tuple[str, int | None]]

    def seals(self) -> bool:
        return any(isinstance(event, SealedEvent) and event.personal for event in self.events)


class Handler:
    """Executes commands of one domain against one log. `keys` seal the personal fields of its events; a
    domain without any needs none.
    """

    def __init__(self, log: Log, domain: Domain, keys: KeyStore | None = None) -> None:
        self.log = log
        self.domain = domain
        self._keys = keys
        self._types = {event: type_of(domain.service, event) for event in domain.events.values()}
        self._folded = Folded(log, domain)

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
        level = [work.finding(known) for work in level]
        now = Context.current(known)
        contexts = {
            (actor, id(scope)): replace(now, actor=actor, scope=scope)
            for actor, scope in ((work.request.actor, work.request.scope) for work in level)
        }
        open_ = level
        fresh = False
        for _ in range(ATTEMPTS):
            loaded = await self._load(open_, fresh)
            decided: list[_Decided] = []
            refused: list[tuple[_Work, Refusal]] = []
            for work in sorted(open_, key=lambda work: work.request.command.takes_long()):
                context = contexts[work.request.actor, id(work.request.scope)]
                seen = self._seen(work, loaded)
                positions = self._positions(seen)
                try:
                    if work.request.command.takes_long():
                        decided.append(await self._decide_aside(work, context, seen, positions))
                    else:
                        decided.append(self._decide(work, context, seen, positions))
                except Refusal as refusal:
                    refused.append((work, refusal))
            again = [work for work, _ in refused] if not fresh else []
            if fresh and refused:
                await self._refuse(refused, outcomes)
            decided = await self._seal(decided, outcomes)
            erased: list[Event] = []
            answers = await self._append([self._to_append(each) for each in decided], bulk)
            for each, appended in zip(decided, answers, strict=True):
                work = each.work
                if isinstance(appended, Refusal):
                    outcomes[work.place] = appended
                elif appended.status == "stale":
                    again.append(work)
                else:
                    outcomes[work.place] = await self._answer(work.request, appended, each.events)
                    if appended.status == "accepted":
                        self._folded.remember(each.after)
                        erased += [event for event in each.events if isinstance(event, PersonalDataErased)]
            if erased and self._keys is not None:
                await self._keys.carry_out_now()
            if not again:
                return
            open_, fresh = sorted(again, key=lambda work: work.place), True
        for work in open_:
            outcomes[work.place] = NotYet("too-many-writers")

    async def _load(self, level: Sequence[_Work], fresh: bool) -> dict[str, Versioned]:
        """Makes sure that every stream that the requests need is folded in memory: from the log where it is
        not, or where memory may be stale. Targets that a command creates are taken to be new at first.

        Answers with the streams as they were before the wide states were brought up: a version must not be
        newer than what the decision knew, or the append would not notice that something came in between.
        """
        wanted: set[str] = set()
        for work in level:
            wanted.update(work.streams[0 if fresh or not work.request.command.creates else 1 :])
        await self._folded.load(wanted, again=fresh)
        await self._folded.load({stream for work in level for stream in self._followed(work)}, again=fresh)
        touched = {stream for work in level for stream in (*work.streams, *self._followed(work))}
        wide = {stream for stream in touched if self._folded.is_wide(stream)}
        seen = {stream: self._folded[stream] for stream in touched - wide}
        for stream in wide:
            await self._folded.widen(stream)
        return seen

    def _followed(self, work: _Work) -> tuple[str, ...]:
        """The streams that the target's state leads to, beyond those that the command names itself."""
        if type(work.request.command).follows is Command.follows:
            return ()  # as most commands
        followed = work.request.command.follows(self._folded[work.streams[0]][1])
        return tuple(stream for stream in followed if stream not in work.streams)

    def _seen(self, work: _Work, loaded: Mapping[str, Versioned]) -> dict[str, Versioned]:
        """What the request is decided on: streams as they were loaded, wide states as they are."""
        streams = (*work.streams, *self._followed(work))
        return {stream: loaded.get(stream) or self._folded[stream] for stream in streams}

    def _positions(self, seen: Mapping[str, Versioned]) -> dict[str, int]:
        """As of which positions the wide states are."""
        return {stream: self._folded.position(stream) for stream in seen if self._folded.is_wide(stream)}

    async def _decide_aside(
        self, work: _Work, context: Context, seen: dict[str, Versioned], positions: Mapping[str, int]
    ) -> _Decided:
        """What takes long is decided in a thread, on wide states as they are now: nobody folds on these. What
        others do meanwhile the append notices, as far as it matters.
        """
        for stream in positions:
            version, state = seen[stream]
            seen[stream] = (version, self.domain.wide[stream].copy(state))
        return await asyncio.to_thread(self._decide, work, context, seen, positions)

    def _decide(
        self, work: _Work, context: Context, seen: dict[str, Versioned], positions: Mapping[str, int]
    ) -> _Decided:
        request = work.request
        command, target = request.command, work.streams[0]
        states = {stream: state for stream, (_, state) in seen.items()}
        if request.scope is not None and not self.domain.permits(command, states, context, request.scope):
            raise Rejected(OUT_OF_SCOPE)
        if request.expected_version is not None and request.expected_version != seen[target][0]:
            raise Conflict("version-conflict", version=seen[target][0])
        events = list(self.domain.decide(command, states, context))
        written = [event.stream() for event in events]
        after = dict(seen)
        for stream, event in zip(written, events, strict=True):
            version, state = after[stream]
            evolved = state if self._folded.is_wide(stream) else self.domain.evolve(state, event)
            after[stream] = (version + 1, evolved)
        versions = {stream: version for stream, (version, _) in seen.items()}
        return _Decided(work, events, written, versions, after, self._moves(command, events, positions))

    def _moves(
        self, command: Command, events: Sequence[Event], positions: Mapping[str, int]
    ) -> list[tuple[str, int | None]]:
        """Names that are claimed, but for streams, which the append compares by version; and names that are
        moved in passing.
        """
        if not positions or not events:
            return []  # as most commands
        since = min(positions.values())
        streams = {command.target(), *command.relies_on()} - positions.keys()
        claimed = {name: since for name in command.claims() if name not in streams}
        return [*claimed.items(), *((name, None) for name in command.moves() if name not in claimed)]

    async def _seal(self, decided: list[_Decided], outcomes: dict[int, Outcome]) -> list[_Decided]:
        """Seals the personal fields of what was decided: from here on they stand nowhere in clear. Fields of
        somebody who has been erased are left out. While keys cannot be had, the commands that need them wait
        at their senders, and the others go on.
        """
        sealing = [each for each in decided if each.seals()]
        if not sealing:
            return decided
        assert self._keys is not None, "a domain with personal fields needs keys"
        events = [event for each in sealing for event in each.events if isinstance(event, SealedEvent)]
        subjects = {event.sealed_for() for event in events if event.personal}
        try:
            keys = await self._keys.keys(subjects, make=True)
        except KeysUnavailable as error:
            for each in sealing:
                outcomes[each.work.place] = NotYet(error.code)
            return [each for each in decided if not each.seals()]
        for each in sealing:
            each.events = [
                _sealed(event, keys) if isinstance(event, SealedEvent) and event.personal else event
                for event in each.events
            ]
        return decided

    def _to_append(self, decided: _Decided) -> Append:
        request = decided.work.request
        mark = self._fingerprint(request.command)
        return Append(
            command_id=request.command_id,
            fingerprint=mark.stored,
            earlier=mark.earlier,
            actor=request.actor,
            target=decided.work.streams[0],
            expects=list(decided.seen.items()),
            events=[
                Draft(stream, self._types[type(event)], event.model_dump_json(exclude_none=True))
                for stream, event in zip(decided.streams, decided.events, strict=True)
            ],
            correlation_id=request.correlation_id,
            moves=decided.moves,
        )

    def _fingerprint(self, command: Command) -> Fingerprint:
        return fingerprint(command, self._keys.masters.fingerprints if self._keys is not None else ())

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
                same = same_content(mark, self._fingerprint(request.command))
                appended = appended if same else appended._replace(status="reused")
                outcomes[work.place] = await self._answer(request, appended)

    async def _answer(self, request: Request, appended: Appended, events: Sequence[Event] = ()) -> Outcome:
        if appended.status == "reused":
            return Conflict("command-id-reused")
        said = sorted(name for name, value in request.command.personal().items() if value is not None)
        if said and appended.status == "repeated":
            events = [self.domain.event(decode(payload)) for payload in await self._logged(appended)]
        kept = said and any(isinstance(event, SealedEvent) and event.sealed for event in events)
        return Accepted(
            id=appended.target.partition("/")[2],
            version=appended.version,
            source=self.log.source,
            position=appended.last_position or await self.log.head(),
            leaf_hash=appended.leaf_hash.hex() if appended.leaf_hash else None,
            command_id=request.command_id,
            repeated=appended.status == "repeated",
            dropped=() if kept else tuple(said),
        )

    async def _logged(self, appended: Appended) -> list[bytes]:
        """The events of a command that was accepted before."""
        if appended.first_position is None or appended.last_position is None:
            return []
        first, last = appended.first_position, appended.last_position
        return [row.payload for row in await self.log.read(first - 1, last - first + 1)]


def _sealed(event: SealedEvent, keys: Mapping[str, DataKey]) -> SealedEvent:
    key = keys.get(event.sealed_for())
    sealed = key.seal(event.personal) if key is not None and event.personal else None
    return event.model_copy(update={"sealed": sealed, "personal": None})


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
        writes = dict.fromkeys((*(streams if command.writes_all else streams[:1]), *command.claims()))
        level = written.get(request.command_id, -1) + 1
        for stream in (*streams, *writes):
            level = max(level, written.get(stream, -1) + 1)
        for stream in writes:
            level = max(level, read.get(stream, -1) + 1)
        written[request.command_id] = level
        for stream in writes:
            written[stream] = level
        for stream in streams:
            if stream not in writes:
                read[stream] = max(read.get(stream, -1), level)
        if level == len(levels):
            levels.append([])
        levels[level].append(_Work(place, request, streams))
    return levels
