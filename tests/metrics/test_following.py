"""How figures follow the topics, and what they say when something is missing."""

import asyncio
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from libs.service.settings import Settings
from services.metrics.decisions.statements import IssueStatement
from services.metrics.kpis import Kpis
from services.metrics.main import create
from services.metrics.question import Question
from services.metrics.reading import UNSEEN
from services.metrics.statement_facts import StatementFacts
from socai.local.embedded import Embedded
from tests.metrics.events import an_id, household, team, visit
from tests.metrics.figures import WORLD, Figures, settings_on
from tests.metrics.ledgers import Ledgers
from tests.metrics.logs import REGISTRY, VISITS, Logs
from tests.metrics.topics import Published
from tests.metrics.units import unit
from tests.services import eventually, serving

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def ask(ledgers: Ledgers, unit: str = "Cà Mau", **more: Any) -> Any:
    kpis = Kpis(lambda: ledgers.pool, [REGISTRY, VISITS])
    question = {"indicator": ["visits"], "unit": an_id(unit), "to": "2025-06-30", **more}
    return await kpis.answer(Question.model_validate(question))


async def warnings(ledgers: Ledgers, unit: str = "Cà Mau", **more: Any) -> list[str]:
    answer = await ask(ledgers, unit, **more)
    found: list[str] = answer["items"][0]["warnings"]
    return found


async def test_what_was_written_is_included_when_one_asks_for_it(figures: Figures) -> None:
    for number in range(1, 6):
        await figures.add(household(f"Bốn.{number}", "Bốn"), visit(f"b{number}", f"Bốn.{number}", 5))
        visits = await figures.value("visits", unit="95@2025-06-30", since="2023-01-05", to="2023-01-05")
        assert visits == number


async def test_what_has_not_come_in_two_seconds_is_a_timeout(figures: Figures) -> None:
    answer = await figures.client.get("/v1/kpis", headers={"Read-After": f"{VISITS}:999999"})
    assert (answer.status, answer.body["code"]) == (504, "read-after-timeout")


async def test_the_status_tells_how_far_each_source_is(figures: Figures) -> None:
    await figures.ask(indicator="visits")
    status = (await figures.client.get("/status")).body
    found = {(one["source"], one["consumer"]): (one["state"], one["position"]) for one in status["consumers"]}
    own = status["log"]["source"]
    assert found == {
        (own, "metrics-lists"): ("running", status["log"]["position"]),
        **{
            (source, consumer): ("running", head)
            for source, head in figures.published.logs.heads.items()
            for consumer in ("ledger", "activity")
        },
    }


async def test_figures_of_a_place_with_events_in_quarantine_are_incomplete(ledgers: Ledgers) -> None:
    """The household of ấp Ba is registered twice; what came before that is complete."""
    await ledgers.clear()
    logs = Logs(*WORLD, household("Ba.0", "Ba"))
    await ledgers.follow(logs)
    for place, incomplete in (("Ba", True), ("Phú Mỹ", True), ("Cà Mau", True), ("Tân Hải", False)):
        assert ("incomplete" in await warnings(ledgers, place)) == incomplete
    answer = await ask(ledgers, by=["unit"])
    assert [("incomplete" in i["warnings"], i["unit"]["code"]) for i in answer["items"]] == [
        (False, "32001"),
        (True, "32002"),
    ]
    assert "incomplete" not in await warnings(ledgers, as_of=f"{VISITS}:15")


async def test_all_figures_are_incomplete_when_nobody_knows_where_an_event_belongs(ledgers: Ledgers) -> None:
    await ledgers.clear()
    await ledgers.follow(Logs(*WORLD, visit("v", "unheard of", 9)))
    assert await warnings(ledgers, "Tân Hải") == ["incomplete"]


async def test_a_source_of_which_nothing_was_ever_read_is_missing(ledgers: Ledgers) -> None:
    await ledgers.clear()
    await ledgers.follow(Logs(*WORLD), {REGISTRY: 22})
    assert await warnings(ledgers) == ["source-missing"]


async def knows(ledgers: Ledgers, source: str, what: str) -> None:
    """What the active consumer knows of the source is changed."""
    await ledgers.owner.execute(f"UPDATE consumer_checkpoints SET {what} WHERE source = $1", source)


async def test_a_gap_and_being_behind_show_unless_the_cut_is_named(ledgers: Ledgers) -> None:
    await ledgers.clear()
    await ledgers.follow(Logs(*WORLD))
    await knows(ledgers, REGISTRY, "head = position + 5000")
    await knows(ledgers, VISITS, "gap_after = position")
    assert await warnings(ledgers) == ["behind", "gap"]
    assert await warnings(ledgers, as_of=f"{VISITS}:15") == ["behind"]


async def test_a_statement_is_the_same_whether_its_cut_was_the_newest_or_not(ledgers: Ledgers) -> None:
    await ledgers.clear()
    await ledgers.follow(Logs(*WORLD))
    await knows(ledgers, VISITS, "head = position + 5000")
    asked = {"id": uuid4(), "indicator": "visits", "unit": an_id("Cà Mau"), "to": date(2023, 6, 30)}
    facts = StatementFacts(lambda: ledgers.pool, [REGISTRY, VISITS])
    now = IssueStatement.model_validate(asked)
    as_of = now.model_copy(update={"as_of": f"{REGISTRY}:{len(WORLD) - 15},{VISITS}:15"})
    contents = [(await facts.prepare([command])).popitem()[1] for command in (now, as_of)]
    assert contents[0] == contents[1]
    assert contents[0].missing == ()


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ("head = position + 999", []),
        ("head = position + 1000", ["behind"]),
        ("looked = now()", []),
        (f"looked = now() - interval '{UNSEEN + 1} seconds'", ["behind"]),
        (f"looked = now() - interval '{UNSEEN - 2} seconds'", []),
        ("looked = NULL", ["behind"]),
        ("gap_after = position, head = position + 1000", ["gap"]),
        ("gap_after = position - 1", []),
    ],
)
async def test_figures_are_marked_by_what_the_active_consumer_knows(
    ledgers: Ledgers, known: str, expected: list[str]
) -> None:
    await ledgers.clear()
    await ledgers.follow(Logs(*WORLD))
    await knows(ledgers, VISITS, known)
    assert await warnings(ledgers) == expected


async def test_a_process_that_stands_by_says_what_is_missing(figures: Figures, settings: Settings) -> None:
    async with serving("metrics", create, settings) as client:
        standby = Figures(client, figures.published, figures.after)

        async def both_say(*expected: str) -> bool:
            items = [await each.item("visits", to="2025-06-30") for each in (figures, standby)]
            return all(tuple(item["warnings"]) == expected for item in items)

        async def stands_by() -> bool:
            consumers = (await client.get("/status")).body["consumers"]
            return {one["state"] for one in consumers} == {"waiting-for-lock"}

        await eventually(stands_by)
        await eventually(both_say)
        figures.logs.append(household("Bốn.9", "Bốn"), visit("b9", "Bốn.9", 5))
        await figures.published.publish_only_the_last(VISITS)
        await eventually(lambda: both_say("gap"))
        await figures.published.publish()
        await eventually(both_say)


async def test_within_seconds_of_the_brokers_end_figures_may_lack_what_was_accepted(
    own_stack: Embedded, session_directory: Path
) -> None:
    settings = await settings_on(own_stack, session_directory / "own-keys")
    published = Published(own_stack.bootstrap, Logs(*WORLD))
    after = await published.publish()
    async with serving("metrics", create, settings) as client:
        figures = Figures(client, published, after)

        async def says(*expected: str) -> bool:
            return tuple((await figures.item("visits", to="2025-06-30"))["warnings"]) == expected

        await eventually(says)
        await asyncio.to_thread(own_stack.kafka.kill)
        await eventually(lambda: says("behind"), patience=3 * UNSEEN)
        for _ in range(100):
            assert await says("behind")
        await asyncio.to_thread(own_stack.kafka.start)
        await eventually(says)


async def test_a_posting_of_a_place_that_the_registry_has_not_brought_yet_counts_when_it_has(
    ledgers: Ledgers,
) -> None:
    await ledgers.clear()
    logs = Logs(*WORLD, household("x", "Năm"), visit("x", "x", 5))
    await ledgers.follow(logs)
    assert (await ask(ledgers))["items"][0]["value"] == 7
    logs.append(unit("Năm", "hamlet", "Phú Mỹ"), team("tổ Năm", "Năm"))
    await ledgers.follow(logs)
    assert (await ask(ledgers))["items"][0]["value"] == 8
