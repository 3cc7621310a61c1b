"""Figures as they change, told to whoever follows them; over HTTP, by the running service."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio

from libs.service.settings import Settings
from services.gateway.main import create as create_gateway
from services.metrics.main import create
from tests.metrics.events import an_id, household, visit
from tests.metrics.figures import Figures
from tests.metrics.logs import VISITS
from tests.metrics.streams import Listener, listening, path_of
from tests.metrics.test_commands import asked
from tests.metrics.units import unit
from tests.services import Client, eventually, serving

pytestmark = pytest.mark.asyncio(loop_scope="package")

UNIT, TO = "95@2025-06-30", "2026-06-30"
"""The province in which tests add something."""


@pytest_asyncio.fixture(loop_scope="package")
async def listeners() -> AsyncIterator[AsyncExitStack]:
    """For streams that outlast the server that they come from."""
    async with AsyncExitStack() as stack:
        yield stack


def follow(
    figures: Figures, *, client: Client | None = None, **more: Any
) -> AbstractAsyncContextManager[Listener]:
    """With what was added so far. Through another client: the same, elsewhere."""
    at = client or figures.client
    return listening(at.session, at.url, headers=figures.after, **{"unit": UNIT, "to": TO, **more})


async def add_visits(figures: Figures, *names: str) -> None:
    """Each of a household of its own."""
    for name in names:
        home = f"Bốn.{name}"
        await figures.add(household(home, "Bốn"), visit(name, home, 5))


async def open_streams(client: Client) -> float:
    async with client.session.get(client.url + "/metrics") as answer:
        text = await answer.text()
    return float(text.partition("\nsocai_http_streams_open ")[2].partition("\n")[0])


async def no_streams(client: Client) -> None:
    async def none() -> bool:
        return await open_streams(client) == 0

    await eventually(none)


async def test_the_first_event_is_what_kpis_answers(figures: Figures) -> None:
    indicators = ["visits", "households-guided-share", "teams"]
    async with follow(figures, indicator=indicators, by="unit") as stream:
        told = await stream.told()
        answer = (await figures.ask(unit=UNIT, to=TO, indicator=indicators, by="unit")).body
        assert told.kind == "figures"
        assert told.id == ",".join(f"{source}:{at}" for source, at in answer["cut"].items())
        assert told.data.pop("as_of") <= answer.pop("as_of")
        assert told.data == answer
        assert 500 <= stream.retries[0] <= 2500


async def test_the_id_of_an_event_is_a_cut_that_kpis_knows(figures: Figures) -> None:
    async with follow(figures, indicator="visits") as stream:
        told = await stream.told()
    answer = await figures.ask(unit=UNIT, to=TO, indicator="visits", as_of=told.id)
    assert answer.body["items"] == told.data["items"]


async def test_without_indicators_it_is_a_small_dashboard(figures: Figures) -> None:
    async with follow(figures) as stream:
        told = await stream.told()
    assert set(told.values) == {
        "visits",
        "visits-confirmed",
        "households-surveyed",
        "households-guided",
        "households-guided-share",
        "households-with-app",
    }


async def test_a_visit_is_told_with_just_what_it_changes(figures: Figures) -> None:
    async with follow(figures, indicator=["visits", "teams", "households-registered"]) as stream:
        first = await stream.told()
        await add_visits(figures, "s1")
        values: dict[str, Any] = {}
        while "visits" not in values:
            told = await stream.told()
            assert told.kind == "changes"
            assert told.data["cut"][VISITS] > first.data["cut"][VISITS]
            assert told.id != first.id
            values |= told.values
        assert values == {name: first.values[name] + 1 for name in ("visits", "households-registered")}


async def test_what_happens_elsewhere_is_not_told(figures: Figures) -> None:
    async with (
        follow(figures, indicator="visits", unit=an_id("Tân Hải")) as elsewhere,
        follow(figures, indicator="visits") as above,
    ):
        assert (await elsewhere.told()).kind == "figures"
        first = await above.told()
        await add_visits(figures, "e1")
        assert (await above.told()).values["visits"] == first.values["visits"] + 1
        await figures.add(visit("e2", "1.0", "2026-02-02"))
        told = await elsewhere.told()
        assert told.data["cut"] == (await figures.ask(indicator="visits")).body["cut"]


@pytest.mark.parametrize("to", [TO, None])
async def test_who_comes_back_is_told_exactly_what_was_missed(figures: Figures, to: str | None) -> None:
    indicators = ["visits", "households-guided", "teams", "households-registered"]
    async with follow(figures, indicator=indicators, to=to) as stream:
        before = await stream.told()
    await add_visits(figures, f"m1 {to}", f"m2 {to}")
    await figures.add(household(f"Bốn.m3 {to}", "Bốn"))
    async with follow(figures, indicator=indicators, to=to, last_id=before.id) as stream:
        told = await stream.told()
        now = (await figures.ask(unit=UNIT, to=to, indicator=indicators)).body
        assert told.kind == "changes"
        assert told.data["cut"] == now["cut"]
        changed = [
            after for old, after in zip(before.data["items"], now["items"], strict=True) if old != after
        ]
        assert told.data["items"] == changed
        assert told.values == {
            "visits": before.values["visits"] + 2,
            "households-registered": before.values["households-registered"] + 3,
        }
    async with follow(figures, indicator=indicators, to=to, last_id=told.id) as stream:
        again = await stream.told()
        assert (again.kind, again.id, again.data["items"]) == ("changes", told.id, [])


@pytest.mark.parametrize("last_id", ["", "yesterday", f"{VISITS}:999999", f"{VISITS}:7", "é"])
async def test_who_was_told_something_else_is_told_everything(figures: Figures, last_id: str) -> None:
    async with follow(figures, indicator="visits", last_id=last_id) as stream:
        told = await stream.told()
        assert (told.kind, len(told.data["items"])) == ("figures", 1)


async def test_an_id_says_nothing_to_whoever_asks_about_something_else(figures: Figures) -> None:
    async with follow(figures, indicator="visits") as stream:
        told = await stream.told()
    async with follow(figures, indicator=["visits", "campaigns-held"], last_id=told.id) as stream:
        other = await stream.told()
        assert (other.id, other.kind, len(other.data["items"])) == (told.id, "figures", 2)


async def test_an_answer_about_more_than_before_is_told_as_a_whole(figures: Figures) -> None:
    """A hamlet is founded, and so there is an item that was not there; who comes back is told the same."""
    query: dict[str, Any] = {"indicator": "visits", "by": "unit", "level": "hamlet"}
    async with follow(figures, **query) as stream:
        first = await stream.told()
        await figures.add(unit("Sáu", "hamlet", "Hòa Bình", valid_from="2025-06-30"))
        told = await stream.told()
        assert told.kind == "figures"
        assert len(told.data["items"]) == len(first.data["items"]) + 1
    async with follow(figures, **query, last_id=first.id) as stream:
        again = await stream.told()
        assert (again.kind, again.data["items"]) == ("figures", told.data["items"])


async def test_everybody_is_told_whatever_each_has_asked(figures: Figures) -> None:
    async with (
        follow(figures, indicator="visits") as one,
        follow(figures, indicator="visits") as two,
        follow(figures, indicator="households-registered") as other,
    ):
        streams = (one, two, other)
        firsts = [await stream.told() for stream in streams]
        await add_visits(figures, "two")
        for stream, first in zip(streams, firsts, strict=True):
            told = await stream.told()
            assert told.kind == "changes"
            [(name, value)] = told.values.items()
            assert value == first.values[name] + 1


async def test_a_burst_is_told_in_few_events(figures: Figures) -> None:
    async with follow(figures, indicator="visits") as stream:
        first = await stream.told()
        begun = time.monotonic()
        names = [f"u{number}" for number in range(60)]
        for name in names:
            await figures.add(household(f"Bốn.{name}", "Bốn"), visit(name, f"Bốn.{name}", 5))
        events, value = 0, first.values["visits"]
        while value < first.values["visits"] + len(names):
            value, events = (await stream.told()).values["visits"], events + 1
        assert events <= 4 * (time.monotonic() - begun) + 2


async def test_a_client_that_leaves_frees_everything(figures: Figures) -> None:
    await no_streams(figures.client)
    async with follow(figures) as one, follow(figures) as two:
        await one.told()
        await two.told()
        assert await open_streams(figures.client) == 2
    await no_streams(figures.client)


async def test_a_rebuild_does_not_break_a_stream(figures: Figures, settings: Settings) -> None:
    async with follow(figures, indicator="visits") as stream:
        first = await stream.told()
        for number in (1, 2):
            assert (await asked(settings, "rebuild"))["switched"]
            await add_visits(figures, f"r{number}")
            told = await stream.told()
            assert (told.kind, told.values["visits"]) == ("changes", first.values["visits"] + number)
        assert stream.comments == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"unit": None}, (422, "unit-not-given", "/query/unit")),
        ({"unit": "99@2025-06-30"}, (404, "not-found", None)),
        ({"indicator": "visitors"}, (422, "indicator-unknown", "/query/indicator")),
        ({"as_of": f"{VISITS}:7"}, (422, "parameter-unknown", "/query/as_of")),
        ({"basis": "approved"}, (422, "parameter-unknown", "/query/basis")),
        ({"by": "stage"}, (422, "by-not-possible", "/query/by")),
        ({"since": "2027-01-01"}, (422, "period-reversed", "/query/from")),
    ],
)
async def test_what_makes_no_sense_is_a_problem_and_no_stream(
    figures: Figures, query: dict[str, Any], expected: tuple[int, str, str | None]
) -> None:
    answer = await figures.client.get(path_of(**{"unit": UNIT, "to": TO, **query}))
    errors = answer.body.get("errors") or [{}]
    assert (answer.status, answer.body["code"], errors[0].get("pointer")) == expected
    await no_streams(figures.client)


async def test_there_is_room_for_so_many_streams(figures: Figures, settings: Settings) -> None:
    few = settings.model_copy(update={"socai_most_streams": 1})
    async with serving("metrics", create, few) as client:
        async with follow(figures, client=client) as stream:
            await stream.told()
            refused = await client.get(path_of(unit=UNIT))
            assert (refused.status, refused.body["code"]) == (503, "too-many-streams")
            assert refused.headers["Retry-After"] == "5"

        async def there_is_room() -> bool:
            async with client.session.get(client.url + path_of(unit=UNIT)) as answer:
                return answer.status == 200

        await eventually(there_is_room)


async def test_silence_is_broken_by_comments(figures: Figures, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.metrics.stream.HEARTBEAT_EVERY", 0.05)
    async with follow(figures, indicator="visits") as stream:
        await stream.told()
        await asyncio.sleep(0)
        async with asyncio.timeout(10):
            lines = [await stream.answer.content.readline() for _ in range(4)]
    assert lines == [b":\n", b"\n", b":\n", b"\n"]


async def test_a_service_that_stops_sends_its_clients_away_at_once(
    figures: Figures, settings: Settings, listeners: AsyncExitStack
) -> None:
    async with serving("metrics", create, settings) as client:
        outlasting = Client(client.url, figures.client.session)
        listener = await listeners.enter_async_context(follow(figures, client=outlasting))
        await listener.told()
        begun = time.monotonic()
    assert time.monotonic() - begun < 5
    assert await listener.next() is None
    assert listener.comments == ["the service is being stopped"]
    assert len(listener.retries) == 2


def gateway_settings(settings: Settings, figures: Figures) -> Settings:
    urls = {f"{service}_url": figures.client.url for service in ("registry", "visits", "metrics")}
    return settings.model_copy(update=urls)


async def test_the_gateway_passes_on_each_event_and_that_a_client_has_left(
    figures: Figures, settings: Settings
) -> None:
    await no_streams(figures.client)
    async with serving("gateway", create_gateway, gateway_settings(settings, figures)) as gateway:
        async with follow(figures, client=gateway, indicator="visits") as stream:
            first = await stream.told()
            assert stream.answer.headers["Cache-Control"] == "no-store"
            await add_visits(figures, "g1")
            told = await stream.told()
            assert told.values["visits"] == first.values["visits"] + 1
        async with follow(figures, client=gateway, indicator="visits", last_id=first.id) as stream:
            again = await stream.told()
            assert (again.kind, again.values) == ("changes", told.values)
        # In this process both count into one gauge.
        await no_streams(figures.client)


async def test_a_gateway_that_stops_sends_its_clients_away_at_once(
    figures: Figures, settings: Settings, listeners: AsyncExitStack
) -> None:
    async with serving("gateway", create_gateway, gateway_settings(settings, figures)) as gateway:
        outlasting = Client(gateway.url, figures.client.session)
        listener = await listeners.enter_async_context(follow(figures, client=outlasting))
        await listener.told()
        begun = time.monotonic()
    assert time.monotonic() - begun < 5
    assert await listener.next() is None
    assert listener.comments == ["the gateway is being stopped"]
    await no_streams(figures.client)
