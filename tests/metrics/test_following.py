"""How figures follow the topics, and what they say when something is missing."""

from collections.abc import Callable
from typing import Any

import pytest

from services.metrics.domain.indicators import load_definitions
from services.metrics.following import Following
from services.metrics.kpis import Kpis
from services.metrics.question import Question
from tests.metrics.events import REGISTRY, VISITS, Logs, an_id, household, team, unit, visit
from tests.metrics.figures import WORLD, Figures
from tests.metrics.ledgers import Ledgers

pytestmark = pytest.mark.asyncio(loop_scope="package")

Health = Callable[[str], str | None]


async def ask(ledgers: Ledgers, unit: str = "Cà Mau", health: Health = lambda _: None, **more: Any) -> Any:
    kpis = Kpis(lambda: ledgers.pool, load_definitions(), [REGISTRY, VISITS], health)
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
    found = {one["source"]: (one["consumer"], one["state"], one["position"]) for one in status["consumers"]}
    assert found == {
        source: ("ledger", "running", head) for source, head in figures.published.logs.heads.items()
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


async def test_a_gap_and_being_behind_show_unless_the_cut_is_named(ledgers: Ledgers) -> None:
    await ledgers.clear()
    await ledgers.follow(Logs(*WORLD))
    states = {REGISTRY: "behind", VISITS: "gap"}
    assert await warnings(ledgers, health=states.get) == ["behind", "gap"]
    assert await warnings(ledgers, health=states.get, as_of=f"{VISITS}:15") == ["behind"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"state": "running", "lag": 0, "gap": None}, None),
        ({"state": "waiting-for-lock", "lag": 0, "gap": None}, None),
        ({"state": "running", "lag": 5_000, "gap": None}, "behind"),
        ({"state": "broker-away", "lag": 0, "gap": None}, "behind"),
        ({"state": "gap", "lag": 3, "gap": {"after": 7}}, "gap"),
    ],
)
async def test_health_follows_the_consumers_status(
    settings: Any, status: dict[str, Any], expected: str | None
) -> None:
    class Stopped:
        def status(self) -> dict[str, Any]:
            return status

    following = Following(settings)
    following._consumers[VISITS] = Stopped()  # type: ignore[assignment]
    assert following.health(VISITS) == expected


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
