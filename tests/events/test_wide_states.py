"""States that draw on every stream, and commands so wide that they are decided aside."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import msgspec
import pytest

from libs.events import folded
from libs.events.decider import Command, Context, Domain, Rejected, Wide
from libs.events.envelope import Recorded
from libs.events.event import Event
from libs.events.handler import Handler
from libs.events.log import Log
from tests.events import toggles
from tests.events.test_handler import answers, request
from tests.events.toggles import SWITCHES, Install, Turn

PATIENCE = 30.0
ALL = "all/switches"


class InstallIf(Install):
    """Installs a switch unless there are so many already."""

    kind: ClassVar[str] = "install-if"
    most: int
    long: bool = False

    def relies_on(self) -> tuple[str, ...]:
        return (ALL,)

    def claims(self) -> tuple[str, ...]:
        return (ALL,) if self.long else ()

    def moves(self) -> tuple[str, ...]:
        return (ALL,)

    def takes_long(self) -> bool:
        return self.long


@dataclass
class Pause:
    """Where a command that takes long waits, once it has begun, until it may go on."""

    begun: threading.Event
    go_on: threading.Event


def fold(state: list[str] | None, events: Sequence[Recorded]) -> list[str]:
    """Every switch that was ever installed or turned off; in place, as large states are."""
    state = [] if state is None else state
    state += [msgspec.json.decode(event.data)["switch"] for event in events]
    return state


def domain(pause: Pause | None = None) -> Domain:
    def decide(command: Command, states: Mapping[str, Any], context: Context) -> Sequence[Event]:
        if command.takes_long() and pause is not None:
            pause.begun.set()
            assert pause.go_on.wait(PATIENCE)
        if isinstance(command, InstallIf) and len(states[ALL]) >= command.most:
            raise Rejected("too-many", "/most")
        return toggles.decide(command, states, context)

    types = frozenset(type_ for type_ in SWITCHES.events if "turned-off" in type_)
    return replace(SWITCHES, decide=decide, wide={ALL: Wide(types=types, fold=fold, copy=list)})


async def test_a_command_relies_on_what_stands_in_any_stream(log: Log) -> None:
    handler = Handler(log, domain())
    commands = [
        Install(id="a"),
        InstallIf(id="b", most=1),
        InstallIf(id="b", most=2),
        InstallIf(id="c", most=3),
    ]
    outcomes = [answers(await handler.execute([request(command)]))[0] for command in commands]
    assert outcomes == ["accepted", "too-many", "accepted", "accepted"]


async def test_others_are_answered_while_a_command_takes_long(log: Log) -> None:
    pause = Pause(threading.Event(), threading.Event())
    handler = Handler(log, domain(pause))
    await handler.execute([request(Install(id="a"))])
    long = asyncio.create_task(handler.execute([request(InstallIf(id="b", most=2, long=True))]))
    assert await asyncio.to_thread(pause.begun.wait, PATIENCE)
    others = [Turn(id="a", on=True), Turn(id="x", on=True)]
    assert [answers(await handler.execute([request(other)]))[0] for other in others] == [
        "accepted",
        "switch-unknown",
    ]
    pause.go_on.set()
    assert answers(await long) == ["accepted"]


@pytest.mark.parametrize(("most", "outcome"), [(5, "accepted"), (4, "too-many")])
async def test_a_command_that_takes_long_does_not_overlook_what_others_do_meanwhile(
    log: Log, most: int, outcome: str
) -> None:
    """It is decided on the state as it was, which the others fold on, and then once more."""
    pause = Pause(threading.Event(), threading.Event())
    handler = Handler(log, domain(pause))
    await handler.execute([request(Install(id="a"))])
    long = asyncio.create_task(handler.execute([request(InstallIf(id="b", most=most, long=True))]))
    assert await asyncio.to_thread(pause.begun.wait, PATIENCE)
    others = [Install(id="c"), Install(id="d"), InstallIf(id="e", most=4)]
    assert [answers(await handler.execute([request(other)]))[0] for other in others] == ["accepted"] * 3
    pause.go_on.set()
    assert answers(await long) == [outcome]


async def test_what_moves_while_a_command_takes_long_is_noticed(log: Log) -> None:
    pause = Pause(threading.Event(), threading.Event())
    handler = Handler(log, domain(pause))
    long = asyncio.create_task(handler.execute([request(InstallIf(id="a", most=9, long=True))]))
    assert await asyncio.to_thread(pause.begun.wait, PATIENCE)
    assert answers(await handler.execute([request(Install(id="a"))])) == ["accepted"]
    pause.go_on.set()
    assert answers(await long) == ["switch-exists"]


async def test_in_a_batch_those_that_take_long_keep_their_places(log: Log) -> None:
    commands = [InstallIf(id="a", most=9, long=True), Turn(id="b", on=True), Install(id="c")]
    outcomes = await Handler(log, domain()).execute([request(command) for command in commands])
    assert answers(outcomes) == ["accepted", "switch-unknown", "accepted"]


async def test_much_is_folded_aside_and_once(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folded, "MUCH", 0)
    handler = Handler(log, domain())
    for most in (8, 16):
        commands = [InstallIf(id=f"{most}-{n}", most=most) for n in range(8)]
        outcomes = await asyncio.gather(*(handler.execute([request(command)]) for command in commands))
        assert [answers(outcome) for outcome in outcomes] == [["accepted"]] * 8
    assert answers(await handler.execute([request(InstallIf(id="one-more", most=16))])) == ["too-many"]
    assert answers(await handler.execute([request(InstallIf(id="one-more", most=17))])) == ["accepted"]
