"""Which scenarios there are, and what happens to those that are not."""

import orjson
from typer.testing import CliRunner

from socai.local.dev import app
from socai.scenario_commands import scenario
from socai.scenarios.catalogue import SCENARIOS


def test_scenarios_are_listed_with_what_they_are_about() -> None:
    said = CliRunner().invoke(scenario, ["list"])
    assert [line.split("  ")[0] for line in said.output.splitlines()] == list(SCENARIOS)
    listed = orjson.loads(CliRunner().invoke(scenario, ["list", "--json"]).output)
    assert {each["name"]: each["about"] for each in listed} == {
        name: one.about for name, one in SCENARIOS.items()
    }


def test_a_scenario_that_goes_further_begins_with_one_that_stops_earlier() -> None:
    whole = SCENARIOS["reform-2025"].chapters
    for name, one in SCENARIOS.items():
        assert set(one.chapters) <= set(whole), name
        assert one.chapters == tuple(chapter for chapter in whole if chapter in one.chapters), name


def test_a_scenario_that_is_not_there_is_wrong_use_before_anything_is_started() -> None:
    said = CliRunner().invoke(app, ["up", "--scenario", "ca-mau-2032"])
    assert said.exit_code == 2
    assert "reform-2025" in said.output
    assert CliRunner().invoke(scenario, ["load", "ca-mau-2032"]).exit_code == 2
