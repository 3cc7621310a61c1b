"""What must always hold of the log."""

import asyncio
import hashlib
import itertools
import json
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.events.append import Append, Appended, Draft, EventTooLarge, NotStorable
from libs.events.envelope import decode
from libs.events.log import LONGEST_QUEUE, Log, LogUnavailable, LogUnverified
from socai.local.embedded import Database

TYPE = "vn.socai.test.turned-on.v1"


def an_append(
    stream: str,
    version: int = 0,
    *,
    command_id: UUID | None = None,
    events: int = 1,
    mark: bytes = b"1",
    data: str = "{}",
) -> Append:
    return Append(
        command_id=command_id or uuid4(),
        fingerprint=mark,
        actor="tester",
        target=stream,
        expects=((stream, version),),
        events=[Draft(stream, TYPE, data)] * events,
    )


async def assert_sound(log: Log) -> None:
    """Positions and versions without gaps, time that never goes back, bytes that say where they stand."""
    rows = await log.read(0, 1_000_000)
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    assert all(a.time < b.time for a, b in itertools.pairwise(rows))
    versions: dict[str, int] = {}
    for row in rows:
        versions[row.stream] = versions.get(row.stream, 0) + 1
        event = decode(row.payload)
        assert (row.version, event.streamversion) == (versions[row.stream],) * 2
        assert (event.position, event.subject, event.type) == (row.position, row.stream, row.type)
        assert event.time == row.time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        assert row.leaf_hash == hashlib.sha256(b"\0" + row.payload).digest()


async def test_concurrent_writers_in_two_processes_leave_no_gap(
    open_log: Callable[[], Awaitable[Log]],
) -> None:
    first, second = await open_log(), await open_log()

    async def write(log: Log, bulk: bool) -> None:
        for _ in range(20):
            appended = await log.append(an_append(f"s/{uuid4()}", events=2), bulk=bulk)
            assert appended.status == "accepted"
            assert (appended.version, appended.last_position) == (2, (appended.first_position or 0) + 1)

    await asyncio.gather(*(write(log, bulk) for log in (first, second) for bulk in (True, False) * 8))
    assert await first.head() == 2 * 16 * 20 * 2
    await assert_sound(first)


async def test_the_same_command_sixteen_times_at_once_is_one_event(log: Log) -> None:
    command = an_append("s/1", events=2)
    answers = await asyncio.gather(*(log.append(command) for _ in range(16)))
    assert sorted(answer.status for answer in answers) == ["accepted"] + ["repeated"] * 15
    assert len({answer[1:] for answer in answers}) == 1
    assert await log.head() == 2


async def test_the_same_id_with_other_content_is_reused(log: Log) -> None:
    command_id = uuid4()
    await log.append(an_append("s/1", command_id=command_id))
    assert (await log.append(an_append("s/2", command_id=command_id, mark=b"2"))).status == "reused"
    assert await log.head() == 1


async def test_a_command_without_events_is_remembered(log: Log) -> None:
    nothing = an_append("s/1", events=0)
    assert (await log.append(nothing)).status == "accepted"
    again = await log.append(nothing)
    assert (again.status, again.version, again.last_position, again.leaf_hash) == ("repeated", 0, None, None)


async def test_one_of_many_that_expect_the_same_version_is_accepted(
    open_log: Callable[[], Awaitable[Log]],
) -> None:
    logs = [await open_log(), await open_log()]
    answers = await asyncio.gather(*(logs[n % 2].append(an_append("s/1")) for n in range(10)))
    assert sorted(answer.status for answer in answers) == ["accepted"] + ["stale"] * 9


async def test_every_stream_that_was_relied_on_is_checked(log: Log) -> None:
    await log.append(an_append("household/1"))
    visit = Append(
        uuid4(), b"", "t", "visit/1", (("visit/1", 0), ("household/1", 0)), [Draft("visit/1", TYPE, "{}")]
    )
    assert (await log.append(visit)).status == "stale"
    assert (await log.append(an_append("visit/1"))).status == "accepted"


async def test_a_text_that_the_database_refuses_fails_alone(log: Log) -> None:
    appends = [an_append(f"s/{n}") for n in range(5)]
    appends[2] = an_append("s/\0")
    answers = await log.append_many(appends)
    assert isinstance(answers[2], NotStorable)
    assert [a.status for a in answers if not isinstance(a, BaseException)] == ["accepted"] * 4
    await assert_sound(log)


async def test_an_event_that_the_broker_would_refuse_is_refused_first(log: Log) -> None:
    with pytest.raises(EventTooLarge):
        await log.append(an_append("s/1", data=json.dumps({"text": "x" * 600_000})))
    assert await log.head() == 0


async def test_who_comes_when_too_many_wait_is_sent_away_and_all_others_answered(log: Log) -> None:
    commands = [an_append(f"s/{n}") for n in range(LONGEST_QUEUE + 10)]
    answers = await log.append_many(commands)
    refused = [answer for answer in answers if isinstance(answer, LogUnavailable)]
    assert len(refused) == 10
    assert await log.head() == LONGEST_QUEUE
    assert isinstance(await log.append(commands[-1]), Appended), "later there is room again"


async def test_the_service_may_append_and_read_but_change_nothing(log: Log, database: Database) -> None:
    await log.append(an_append("s/1"))
    connection = await asyncpg.connect(database.app_url)
    try:
        for statement in (
            "DELETE FROM events",
            "UPDATE events SET payload = ''",
            "TRUNCATE events",
            "INSERT INTO commands SELECT gen_random_uuid(), '', '', '', 0, 0, 0",
            "DELETE FROM commands",
            "UPDATE log_identity SET timeline = 9",
            "ALTER TABLE events DISABLE TRIGGER ALL",
            "CREATE TABLE elsewhere (x int)",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_another_cluster_waits_until_it_is_verified(
    open_log: Callable[[], Awaitable[Log]], database: Database
) -> None:
    await (await open_log()).append(an_append("s/1"))
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute("UPDATE log_identity SET timeline = timeline + 1")
    await owner.close()
    moved = await open_log()
    with pytest.raises(LogUnverified):
        await moved.append(an_append("s/2"))
    await moved.confirm_identity()
    assert (await moved.append(an_append("s/3"))).last_position == 2


async def test_a_log_that_went_back_stops_its_writers(log: Log, database: Database) -> None:
    await log.append(an_append("s/1", events=3))
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute("DELETE FROM events WHERE position = 3")
    await owner.close()
    with pytest.raises(LogUnverified):
        await log.append(an_append("s/2"))


@given(
    commands=st.lists(
        st.lists(
            st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.integers(1, 2)), min_size=1, max_size=3
        ),
        min_size=1,
        max_size=30,
    ),
    bulk=st.booleans(),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_mix_of_commands_keeps_the_log_sound(
    log: Log, commands: Sequence[Sequence[tuple[str, int, int]]], bulk: bool
) -> None:
    prefix = uuid4()
    appends = []
    for command in commands:
        expects = {f"{prefix}/{stream}": version for stream, version, _ in command}
        drafts = [
            Draft(f"{prefix}/{stream}", TYPE, "{}") for stream, _, count in command for _ in range(count)
        ]
        appends.append(Append(uuid4(), b"", "t", drafts[0].stream, list(expects.items()), drafts))
    if bulk:
        await log.append_many(appends)
    else:
        await asyncio.gather(*(log.append(append) for append in appends))
    await assert_sound(log)
