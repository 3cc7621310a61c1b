"""Keys of subjects on a real database: made once, gone for good, and not brought back by a backup."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
from structlog.testing import capture_logs

import libs.events
from libs.events import key_store
from libs.events.decider import Command, Refusal
from libs.events.envelope import decode
from libs.events.handler import Accepted, Handler, Outcome, Request
from libs.events.key_store import ErasuresBehind, KeyStore, KeysUnavailable, wrap_anew
from libs.events.log import Log
from libs.events.master_keys import MasterKeys
from libs.events.migrations import migrate
from libs.events.sealing import DataKey
from socai.local.embedded import Database, Embedded
from socai.local.postgres import KEYS
from tests.events.people import PEOPLE, Erase, Meet, Note
from tests.services import eventually

SOURCE = "/vn/96/test"
MASTER = os.urandom(32)
NAME, NOTE = "Huỳnh Văn Thử", "gọi số 0900123457"

OpenStore = Callable[..., Awaitable[KeyStore]]


@pytest.fixture
async def keys_database(stack: Embedded) -> Database:
    created = await asyncio.to_thread(stack.create_database, "keys", KEYS)
    await migrate(created.owner_url, KEYS, [Path(libs.events.__file__).parent / "sql" / "keys"])
    return created


@pytest.fixture
async def open_store(keys_database: Database, log: Log) -> AsyncIterator[OpenStore]:
    """Opens stores on that database, each as another process would."""
    opened: list[KeyStore] = []

    async def open_one(*masters: bytes, log: Log = log, url: str = keys_database.app_url) -> KeyStore:
        store = KeyStore(url, MasterKeys(*(masters or (MASTER,))), log, SOURCE)
        await store.open()
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        store.terminate()


@pytest.fixture
async def store(open_store: OpenStore) -> KeyStore:
    return await open_store()


async def run(handler: Handler, *commands: Command, command_id: UUID | None = None) -> list[Outcome]:
    return await handler.execute([Request(command_id or uuid4(), "tester", each) for each in commands])


async def accepted(handler: Handler, command: Command, command_id: UUID | None = None) -> Accepted:
    [outcome] = await run(handler, command, command_id=command_id)
    assert isinstance(outcome, Accepted), outcome
    return outcome


async def sealed_in(log: Log) -> list[str | None]:
    rows = await log.read(0, 100)
    return [orjson.loads(bytes(decode(row.payload).data)).get("sealed") for row in rows]


async def rows_of(database: Database) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(database.owner_url)
    try:
        return await connection.fetch("SELECT * FROM subject_keys ORDER BY subject")
    finally:
        await connection.close()


async def test_personal_fields_stand_sealed_in_the_bytes_of_the_event(store: KeyStore, log: Log) -> None:
    with capture_logs() as logs:
        await accepted(Handler(log, PEOPLE, store), Meet(id="a", name=NAME))
    [row] = await log.read(0, 10)
    assert NAME.encode() not in row.payload
    assert b"personal" not in row.payload
    [sealed] = await sealed_in(log)
    assert sealed is not None
    keys = await store.keys(["person/a"])
    assert keys["person/a"].open(sealed) == {"name": NAME}
    assert NAME not in str(logs)


async def test_a_command_shows_nothing_personal(store: KeyStore) -> None:
    assert NAME not in repr(Meet(id="a", name=NAME))
    assert NAME not in str(Meet(id="a", name=NAME))


async def test_a_key_is_made_when_it_is_first_needed_and_once(
    open_store: OpenStore, keys_database: Database
) -> None:
    stores = [await open_store() for _ in range(4)]
    subjects = [f"person/{n}" for n in range(50)]
    assert await stores[0].keys(subjects) == {}
    answers = await asyncio.gather(
        *(store.keys(subjects[:: 1 if n % 2 else -1], make=True) for n, store in enumerate(stores * 2))
    )
    sealed = {subject: answers[0][subject].seal({"name": subject}) for subject in subjects}
    for answer in answers:
        assert {subject: answer[subject].open(sealed[subject])["name"] for subject in subjects} == dict(
            zip(subjects, subjects, strict=True)
        )
    assert len(await rows_of(keys_database)) == 50


async def test_a_command_that_is_refused_makes_no_key(
    store: KeyStore, log: Log, keys_database: Database
) -> None:
    [refusal] = await run(Handler(log, PEOPLE, store), Note(id="nobody", mood="well", note=NOTE))
    assert isinstance(refusal, Refusal)
    assert await rows_of(keys_database) == []


async def test_an_erased_subjects_key_is_gone_and_none_is_made_again(
    open_store: OpenStore, log: Log, keys_database: Database
) -> None:
    store, other = await open_store(), await open_store()
    handler = Handler(log, PEOPLE, store)
    await accepted(handler, Meet(id="a", name=NAME))
    await accepted(handler, Meet(id="b", name=NAME))
    assert (await other.keys(["person/a"])).keys() == {"person/a"}
    await accepted(handler, Erase(id="a"))
    assert await store.keys(["person/a"], make=True) == {}
    late = await accepted(handler, Note(id="a", mood="well", note=NOTE))
    assert late.dropped == ("note",)
    assert [sealed is not None for sealed in await sealed_in(log)] == [True, True, False, False]
    first, second = await rows_of(keys_database)
    assert (first["subject"], first["wrapped"], first["master"], first["number"]) == (
        "person/a",
        None,
        None,
        None,
    )
    assert second["wrapped"] is not None
    # Not even the key store's own role brings a key back.
    connection = await asyncpg.connect(keys_database.app_url)
    try:
        with pytest.raises(asyncpg.PostgresError) as refused:
            await connection.execute(
                "UPDATE subject_keys SET wrapped = '\\x00', master = 'm', number = 1, erased = NULL"
                " WHERE subject = 'person/a'"
            )
        assert refused.value.sqlstate == "SC002"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM subject_keys")
    finally:
        await connection.close()


async def test_a_destroyed_key_stops_working_in_every_process_within_seconds(
    open_store: OpenStore, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_store, "KEPT", 0.5)
    monkeypatch.setattr(key_store, "LOOK_EVERY", 0.1)
    here, there = await open_store(), await open_store()
    handler = Handler(log, PEOPLE, here)
    await accepted(handler, Meet(id="a", name=NAME))
    assert await there.keys(["person/a"])
    follower = asyncio.create_task((await open_store()).run())
    try:
        await accepted(handler, Erase(id="a"))

        async def gone() -> bool:
            return not (await there.keys(["person/a"]) or await here.keys(["person/a"]))

        await eventually(gone, patience=0.5 + 0.1 + 1.0)
    finally:
        follower.cancel()


def test_the_bound_is_six_seconds() -> None:
    assert key_store.KEPT + key_store.LOOK_EVERY == 6.0


async def test_an_older_key_database_does_not_bring_a_key_back(
    open_store: OpenStore, log: Log, keys_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store()
    handler = Handler(log, PEOPLE, store)
    await accepted(handler, Meet(id="a", name=NAME))
    await accepted(handler, Meet(id="b", name=NAME))
    [sealed, other] = await sealed_in(log)
    assert sealed is not None
    assert other is not None
    owner = await asyncpg.connect(keys_database.owner_url)
    try:
        for table in ("subject_keys", "erasures_done"):
            await owner.execute(f"CREATE TABLE backup_{table} AS SELECT * FROM {table}")
        await accepted(handler, Erase(id="a"))
        for table in ("subject_keys", "erasures_done"):
            await owner.execute(f"DELETE FROM {table}")
            await owner.execute(f"INSERT INTO {table} SELECT * FROM backup_{table}")
        # Positive control: the backup does hold the key.
        row = (await rows_of(keys_database))[0]
        kid = f"person/a#{row['number']}"
        content = MasterKeys(MASTER).unwrap(row["master"], kid, row["wrapped"])
        assert DataKey("person/a", row["number"], content).open(sealed) == {"name": NAME}
    finally:
        await owner.close()

    restarted = await open_store()
    with monkeypatch.context() as patched:

        async def in_vain(_: KeyStore) -> None: ...

        patched.setattr(KeyStore, "carry_out", in_vain)
        for subject in ("person/a", "person/b"):
            with pytest.raises(ErasuresBehind):
                await restarted.keys([subject])
    assert await restarted.keys(["person/a"]) == {}
    assert (await restarted.keys(["person/b"]))["person/b"].open(other) == {"name": NAME}
    [erased, _] = await rows_of(keys_database)
    assert (erased["subject"], erased["wrapped"]) == ("person/a", None)


async def test_while_keys_cannot_be_had_what_needs_none_goes_on(
    open_store: OpenStore, log: Log, keys_database: Database
) -> None:
    store = await open_store(url="postgresql://nobody@127.0.0.1:1/none")
    handler = Handler(log, PEOPLE, store)
    outcomes = await run(handler, Meet(id="a", name=NAME), Meet(id="b"))
    assert [o.code if isinstance(o, Refusal) else "accepted" for o in outcomes] == [
        "keys-unavailable",
        "accepted",
    ]
    with pytest.raises(KeysUnavailable):
        await store.keys(["person/b"])


async def test_the_same_id_with_another_note_is_a_conflict(store: KeyStore, log: Log) -> None:
    handler, command_id = Handler(log, PEOPLE, store), uuid4()
    await accepted(handler, Meet(id="a"))
    await accepted(handler, Note(id="a", mood="well", note=NOTE), command_id)
    again = await accepted(handler, Note(id="a", mood="well", note=NOTE), command_id)
    assert again.repeated
    assert again.dropped == ()
    for other in (Note(id="a", mood="well", note="another"), Note(id="a", mood="well")):
        [conflict] = await run(handler, other, command_id=command_id)
        assert isinstance(conflict, Refusal)
        assert conflict.code == "command-id-reused"


async def test_a_repeat_is_told_again_what_was_dropped(store: KeyStore, log: Log) -> None:
    handler, command_id = Handler(log, PEOPLE, store), uuid4()
    first = await accepted(handler, Meet(id="a", consented=False, name=NAME), command_id)
    again = await accepted(Handler(log, PEOPLE, store), Meet(id="a", consented=False, name=NAME), command_id)
    assert (first.dropped, again.dropped, again.repeated) == (("name",), ("name",), True)


async def test_a_repeat_is_recognised_after_the_master_key_was_changed(
    open_store: OpenStore, log: Log, keys_database: Database
) -> None:
    new, command_id, said = os.urandom(32), uuid4(), Meet(id="a", name=NAME)
    await accepted(Handler(log, PEOPLE, await open_store(MASTER)), said, command_id)
    for masters, code_of_another in (((new, MASTER), "command-id-reused"), ((new,), None)):
        handler = Handler(log, PEOPLE, await open_store(*masters))
        if len(masters) == 1:
            assert await wrap_anew(keys_database.app_url, MasterKeys(new, MASTER)) == 1
        assert (await accepted(handler, said, command_id)).repeated
        [other] = await run(handler, Meet(id="a", name="Lê Thị Khác"), command_id=command_id)
        # Without the old key nobody can tell one name from another; the rest still counts.
        assert (other.code if isinstance(other, Refusal) else None) == code_of_another
        [changed] = await run(handler, Meet(id="b", name=NAME), command_id=command_id)
        assert isinstance(changed, Refusal)


async def test_keys_are_wrapped_anew_under_the_current_master_key(
    open_store: OpenStore, log: Log, keys_database: Database
) -> None:
    new = os.urandom(32)
    await accepted(Handler(log, PEOPLE, await open_store()), Meet(id="a", name=NAME))
    [sealed] = await sealed_in(log)
    assert sealed is not None
    with pytest.raises(KeysUnavailable):
        await (await open_store(new)).keys(["person/a"])
    both = MasterKeys(new, MASTER)
    assert [await wrap_anew(keys_database.app_url, both) for _ in range(2)] == [1, 0]
    keys = await (await open_store(new)).keys(["person/a"])
    assert keys["person/a"].open(sealed) == {"name": NAME}
