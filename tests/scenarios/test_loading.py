"""Loading a small plan into a running system, and asking it. The tests build on each other, in this order."""

import asyncio
import os
import subprocess
import sys
from itertools import chain
from typing import Any

import orjson
import pytest

from socai.bulk import Bulk, Stopped
from socai.data import DATA
from socai.gateway_client import Gateway
from socai.local.places import ROOT
from socai.local.ports import free_port
from socai.local.system import System
from socai.scenarios.catalogue import SCENARIOS
from socai.scenarios.loader import load
from socai.scenarios.plan import Plan
from socai.scenarios.steps import SYNC
from socai.scenarios.story import INSTRUMENT
from socai.seed_facts import ask
from tests.scenarios.figures import COUNTED, answer
from tests.scenarios.recount import Recount, recount

FACTS = orjson.loads((DATA / "seed-facts.json").read_bytes())["facts"]
SCALE = 0.02
END = "2023-06-30"
UNITS = (
    {"province": "96"},
    {"province": "96", "district": "972"},
    {"province": "96", "district": "967", "commune": "thị trấn Thới Bình"},
    {"province": "96", "district": "972", "commune": "xã Tân Hải", "hamlet": "ấp Công Nghiệp"},
)


SETS = {
    "2025-06-30": {"province": 63, "district": 696, "commune": 10_035},
    "2025-07-01": {"province": 34, "district": 0, "commune": 3_321},
}
"""Units by level as the two official sets have them."""


@pytest.fixture(scope="module")
def count() -> Recount:
    return recount(Plan(DATA, scale=SCALE).commands())


@pytest.fixture(scope="module")
def everything() -> Recount:
    plan = Plan(DATA, scale=SCALE)
    chapters = (step for chapter in SCENARIOS["reform-2025"].chapters for step in chapter(plan))
    return recount(chain(plan.commands(), chain.from_iterable(step.commands for step in chapters)))


def _socai(system: System, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "socai", *arguments],
        cwd=ROOT,
        env={**os.environ, **system.env, **more},
        capture_output=True,
        text=True,
        timeout=600,
    )


def _gateway(system: System) -> Gateway:
    return Gateway(system.gateway_url, lambda: system.token(subject="local:socai"), patience=30.0)


class _StopsAfter:
    """Progress that breaks a load off, as Ctrl-C would."""

    def __init__(self, commands: int) -> None:
        self._left = commands

    def stage(self, name: str) -> None:
        pass

    def answered(self, commands: int) -> None:
        self._left -= commands
        if self._left < 0:
            raise InterruptedError

    def hamlets_done(self, count: int) -> None:
        pass


async def test_a_load_that_was_broken_off_is_continued(empty_system: System) -> None:
    plan = Plan(DATA, scale=SCALE)
    async with _gateway(empty_system) as gateway:
        with pytest.raises(InterruptedError):
            await load(plan, gateway, _StopsAfter(15_000))
    said = await asyncio.to_thread(
        _socai, empty_system, "scenario", "load", "ca-mau-2023", "--scale", str(SCALE), "--json"
    )
    assert said.returncode == 0, said.stderr
    report = orjson.loads(said.stdout)
    assert report["accepted"] + report["repeated"] == report["commands"]
    assert report["repeated"] >= 15_000
    assert report["accepted"] > 0
    assert report["caught_up_seconds"] is not None
    assert "do not hold" in said.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: " ".join(list(unit.values())[-1:]))
async def test_every_figure_is_what_a_recount_of_the_commands_gives(
    empty_system: System, count: Recount, unit: dict[str, str]
) -> None:
    here = count.find(unit)
    async with _gateway(empty_system) as gateway:
        for phrase in COUNTED:
            fact: dict[str, Any] = {"unit": unit, "indicator": phrase, "on": END}
            answered, _ = await ask(gateway, fact)
            expected = COUNTED[phrase](count, here, END)
            assert answered == pytest.approx(expected, abs=1e-9), phrase


def test_seed_facts_says_honestly_what_differs_and_what_nothing_answers(empty_system: System) -> None:
    said = _socai(empty_system, "seed-facts", "--json")
    assert said.returncode == 1
    facts = {fact["fact"]: fact for fact in orjson.loads(said.stdout)}
    assert facts["camau-teams"]["ok"] is True
    assert facts["camau-guided"]["ok"] is False
    assert facts["thanhliem-paid"]["ok"] is None
    assert facts["thanhliem-paid"]["why"]
    assert facts["thanhliem-members"]["why"] == "there is no team in province 35"
    table = _socai(empty_system, "seed-facts", "--source", "000_a9d07e0ddb6742ae.txt")
    assert table.returncode == 1
    assert table.stdout.count("\n") == sum(f["source"].startswith("000_") for f in facts.values()) + 2
    assert "DIFFERS" in table.stdout


def test_another_seed_is_not_loaded_into_the_same_system(empty_system: System) -> None:
    said = _socai(empty_system, "scenario", "load", "ca-mau-2023", "--seed", "2", "--scale", str(SCALE))
    assert said.returncode == 1
    assert "is not empty" in said.stderr


def test_the_same_set_of_units_is_imported_as_a_repeat(empty_system: System) -> None:
    directory = DATA / "administrative-units"
    said = _socai(
        empty_system,
        "units",
        "import",
        str(directory),
        "--effective",
        "2025-06-30",
        "--instrument",
        INSTRUMENT,
    )
    assert said.returncode == 0, said.stderr
    assert said.stdout == "0 units established, 10,794 were there already\n"


async def test_a_scenario_that_goes_further_continues_the_one_that_is_there(empty_system: System) -> None:
    said = await asyncio.to_thread(
        _socai, empty_system, "scenario", "load", "reform-2025", "--scale", str(SCALE), "--json"
    )
    assert said.returncode == 0, said.stderr
    report = orjson.loads(said.stdout)
    chapters = [
        step for chapter in SCENARIOS["reform-2025"].chapters for step in chapter(Plan(DATA, scale=SCALE))
    ]
    assert report["accepted"] == sum(len(step.commands) for step in chapters[1:])
    assert report["accepted"] + report["repeated"] == report["commands"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: " ".join(list(unit.values())[-1:]))
async def test_the_reform_moves_no_figure_of_before(
    empty_system: System, everything: Recount, unit: dict[str, str]
) -> None:
    """Campaigns meet households again, and that is all they do to the year's figures."""
    here = everything.find(unit)
    async with _gateway(empty_system) as gateway:
        for phrase in COUNTED:
            fact: dict[str, Any] = {"unit": unit, "indicator": phrase, "on": END}
            answered, _ = await ask(gateway, fact)
            assert answered == pytest.approx(COUNTED[phrase](everything, here, END), abs=1e-9), phrase


async def test_every_fact_of_all_articles_is_what_a_recount_of_all_chapters_gives(
    empty_system: System, everything: Recount
) -> None:
    async with _gateway(empty_system) as gateway:
        for fact in FACTS:
            answered, _ = await ask(gateway, fact)
            assert answered == pytest.approx(answer(everything, fact), abs=1e-9), fact["id"]


async def test_the_sets_of_both_days_are_counted_and_khom_6_follows_its_ward(empty_system: System) -> None:
    async with _gateway(empty_system) as gateway:
        for day, counts in SETS.items():
            for level, count in counts.items():
                assert await _count(gateway, level, day) == count, (day, level)
        ward = await gateway.get("/v1/units/32005@2025-06-30")
        old = await gateway.get("/v1/units/32002@2025-06-30")
        new = await gateway.get("/v1/units/32002@2025-07-01")
        assert (old["full_name"], new["full_name"]) == ("Phường 2", "Phường An Xuyên")
        query = [("level", "hamlet"), ("q", "6")]
        for parent, day in ((ward["id"], "2025-06-30"), (new["id"], "2025-07-01")):
            found = await gateway.get("/v1/units", [*query, ("parent", parent), ("on", day)])
            assert "Khóm 6" in {unit["full_name"] for unit in found["items"]}


async def _count(gateway: Gateway, level: str, day: str) -> int:
    query = [("level", level), ("on", day), ("limit", "1000")]
    count, cursor = 0, ""
    while cursor is not None:
        page = await gateway.get("/v1/units", [*query, *([("cursor", cursor)] if cursor else [])])
        count, cursor = count + len(page["items"]), page["next"]
    return count


async def test_a_new_province_has_what_those_had_that_it_is_made_of(empty_system: System) -> None:
    """Figures on the new map are those of the old one, province by province, hamlets that nobody has assigned
    included; and the difference between the maps is explained to the last household.
    """
    old_map, new_map = "2025-06-30", "2025-07-01"
    async with _gateway(empty_system) as gateway:

        async def figures(unit: str, boundaries: str, to: str = END) -> dict[str, tuple[int, list[str]]]:
            query = [("unit", unit), ("to", to), ("boundaries", boundaries)]
            query += [("indicator", code) for code in ("households-guided", "visits", "teams")]
            items = (await gateway.get("/v1/kpis", query))["items"]
            return {item["indicator"]: (item["value"], item["warnings"]) for item in items}

        counted = 0
        query = [("level", "province"), ("on", new_map), ("limit", "1000")]
        for province in (await gateway.get("/v1/units", query))["items"]:
            history = await gateway.get(f"/v1/units/{province['id']}/history")
            made_of = {one["unit"]["id"] for one in history["made_of"] if one["unit"]["level"] == "province"}
            new = await figures(province["id"], new_map, to=old_map)
            olds = [await figures(unit, old_map, to=old_map) for unit in made_of or {province["id"]}]
            for code, (value, _) in new.items():
                assert value == sum(old[code][0] for old in olds), (province["full_name"], code)
            counted += bool(new["teams"][0])
        assert counted == 2, "Cà Mau, and Ninh Bình with Thanh Liêm"

        query = [("unit", f"96@{old_map}"), ("to", END), ("indicator", "households-guided")]
        query += [("boundaries", old_map), ("boundaries", new_map)]
        [item] = (await gateway.get("/v1/kpis/compare", query))["items"]
        assert item["before"]["value"] == (await figures(f"96@{old_map}", old_map))["households-guided"][0]
        assert item["after"]["value"] == (await figures(f"96@{new_map}", new_map))["households-guided"][0]
        assert "unit-succeeded" in item["after"]["warnings"]
        assert item["difference"]["value"] == sum(part["amount"] for part in item["explained"])

        # Commune by commune: what is under a new one, and what under none of them yet.
        query = [("unit", f"96@{new_map}"), ("to", END), ("indicator", "households-guided")]
        query += [("boundaries", new_map), ("by", "unit"), ("level", "commune")]
        items = (await gateway.get("/v1/kpis", query))["items"]
        whole, _ = (await figures(f"96@{new_map}", new_map))["households-guided"]
        assert sum(item["value"] for item in items) == whole
        assert any("unassigned-hamlets" in item["warnings"] for item in items)


def test_a_rebuild_over_the_reform_gives_the_live_digest(empty_system: System) -> None:
    said = _socai(empty_system, "rebuild", "--verify-only", "--json")
    assert said.returncode == 0, said.stderr
    report = orjson.loads(said.stdout)
    assert report["equal"] is True
    assert report["digest_live"] == report["digest_rebuilt"]


async def test_a_command_that_is_refused_stops_the_load_and_says_why(empty_system: System) -> None:
    command = next(Plan(DATA, scale=SCALE).visits()).visits[0].replace(b'"2022-', b'"2012-')
    said = orjson.loads(command)
    said["id"] = said["body"]["id"] = "01840000-0000-7000-8000-000000000001"
    async with _gateway(empty_system) as gateway:
        bulk = Bulk(gateway, patience=5.0, on_answer=lambda _: None)
        with pytest.raises(Stopped, match="visit-before-team"):
            await bulk.send(SYNC, [orjson.dumps(said)])


async def test_what_is_not_known_yet_is_sent_again_until_it_is(empty_system: System) -> None:
    """A visit arrives before its household: it is sent again, and accepted once the household is there."""
    plan = Plan(DATA, scale=SCALE)
    first = next(plan.visits())
    household = orjson.loads(first.households[0])
    household["id"] = household["body"]["id"] = "01840000-0000-7000-8000-000000000002"
    household["body"]["number"] = 9_999
    visit = orjson.loads(first.visits[0])
    visit["id"] = visit["body"]["id"] = "01840000-0000-7000-8000-000000000003"
    visit["body"]["household_id"] = household["id"]
    async with _gateway(empty_system) as gateway:
        answered = asyncio.Event()
        bulk = Bulk(gateway, patience=20.0, on_answer=lambda _: answered.set())
        early = asyncio.create_task(bulk.send(SYNC, [orjson.dumps(visit)]))
        await asyncio.wait_for(answered.wait(), 10)
        await bulk.send(SYNC, [orjson.dumps(household)])
        await early
    assert (bulk.accepted, bulk.retried > 0) == (2, True)


def test_a_system_that_is_away_is_exit_code_3(empty_system: System) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    said = _socai(empty_system, "seed-facts", GATEWAY_URL=nowhere)
    assert said.returncode == 3
    assert nowhere in said.stderr


@pytest.mark.long
def test_everything_together_satisfies_all_articles(own_system: System) -> None:
    loaded = _socai(own_system, "scenario", "load", "reform-2025", "--json")
    assert loaded.returncode == 0, loaded.stderr
    facts = _socai(own_system, "seed-facts", "--json")
    assert facts.returncode == 0, facts.stdout
    assert all(fact["ok"] for fact in orjson.loads(facts.stdout))
