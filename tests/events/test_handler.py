"""Commands come in, outcomes go out; nothing is decided on a state that has moved."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

from libs.events.decider import Command, Refusal
from libs.events.handler import Accepted, Handler, Outcome, Request
from libs.events.log import Log
from tests.events.toggles import SWITCHES, Install, Turn


def request(command: Command, command_id: UUID | None = None, expected: int | None = None) -> Request:
    return Request(
        command_id=command_id or uuid4(), actor="tester", command=command, expected_version=expected
    )


def answers(outcomes: list[Outcome]) -> list[str]:
    return [o.code if isinstance(o, Refusal) else "repeated" if o.repeated else "accepted" for o in outcomes]


async def test_commands_on_one_stream_are_decided_in_the_order_given(log: Log) -> None:
    outcomes = await Handler(log, SWITCHES).execute(
        [request(Install(id="a")), request(Turn(id="a", on=True)), request(Turn(id="a", on=False))], bulk=True
    )
    assert answers(outcomes) == ["accepted"] * 3
    assert [o.version for o in outcomes if isinstance(o, Accepted)] == [1, 2, 3]


async def test_one_bad_command_never_spoils_the_others(log: Log) -> None:
    outcomes = await Handler(log, SWITCHES).execute(
        [
            request(Turn(id="a", on=True)),
            request(Install(id="a")),
            request(Install(id="a")),
            request(Install(id="b")),
        ]
    )
    assert answers(outcomes) == ["switch-unknown", "accepted", "switch-exists", "accepted"]


async def test_a_repeat_is_answered_as_the_first_time_even_when_it_would_be_refused_now(log: Log) -> None:
    handler, command_id = Handler(log, SWITCHES), uuid4()
    first = (await handler.execute([request(Install(id="a"), command_id)]))[0]
    await handler.execute([request(Turn(id="a", on=True))])
    for again in (handler, Handler(log, SWITCHES)):
        outcome = (await again.execute([request(Install(id="a"), command_id)]))[0]
        assert isinstance(first, Accepted)
        assert isinstance(outcome, Accepted)
        assert outcome.repeated
        assert (outcome.id, outcome.version, outcome.position) == (first.id, first.version, first.position)
    assert answers(await handler.execute([request(Install(id="b"), command_id)])) == ["command-id-reused"]


async def test_what_changed_nothing_is_answered_with_where_the_log_ended(log: Log) -> None:
    handler, command_id = Handler(log, SWITCHES), uuid4()
    await handler.execute([request(Install(id="a")), request(Install(id="b"))])
    for _ in range(2):
        [outcome] = await handler.execute([request(Turn(id="a", on=False), command_id)])
        assert isinstance(outcome, Accepted)
        assert (outcome.version, outcome.position, outcome.leaf_hash) == (1, 2, None)


async def test_the_same_command_twice_in_one_batch_is_one_event(log: Log) -> None:
    command_id = uuid4()
    outcomes = await Handler(log, SWITCHES).execute(
        [request(Install(id="a"), command_id), request(Install(id="a"), command_id)]
    )
    assert answers(outcomes) == ["accepted", "repeated"]


async def test_a_stale_memory_is_loaded_and_decided_again(open_log: Callable[[], Awaitable[Log]]) -> None:
    here, there = Handler(await open_log(), SWITCHES), Handler(await open_log(), SWITCHES)
    await here.execute([request(Install(id="a")), request(Install(id="b"))])
    await there.execute([request(Turn(id="a", on=True))])
    assert answers(await here.execute([request(Turn(id="b", on=True, after="a"))])) == ["accepted"]
    await there.execute([request(Turn(id="a", on=False))])
    assert answers(await here.execute([request(Turn(id="b", on=False, after="a"))])) == ["switch-not-on"]


async def test_many_writers_on_one_stream_all_get_through(open_log: Callable[[], Awaitable[Log]]) -> None:
    handlers = [Handler(await open_log(), SWITCHES) for _ in range(2)]
    await handlers[0].execute([request(Install(id="a"))])
    outcomes = await asyncio.gather(
        *(handlers[n % 2].execute([request(Turn(id="a", on=n % 3 == 0))]) for n in range(20))
    )
    assert {code for outcome in outcomes for code in answers(outcome)} == {"accepted"}


async def test_an_expected_version_that_has_passed_is_a_conflict(log: Log) -> None:
    handler = Handler(log, SWITCHES)
    await handler.execute([request(Install(id="a")), request(Turn(id="a", on=True))])
    outcome = (await handler.execute([request(Turn(id="a", on=False), expected=1)]))[0]
    assert isinstance(outcome, Refusal)
    assert (outcome.code, outcome.values) == ("version-conflict", {"version": 2})
    assert answers(await handler.execute([request(Turn(id="a", on=False), expected=2)])) == ["accepted"]
