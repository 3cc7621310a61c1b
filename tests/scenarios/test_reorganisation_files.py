"""From two files to the command of a reorganisation."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from libs.events.ids import national_unit_id
from socai.data import DATA
from socai.reorganisations import Before, command, read_files
from socai.units import UnitsError, read_units

FILES = DATA / "administrative-units"
EVE, DAY, LATER = date(2025, 6, 30), date(2025, 7, 1), date(2027, 1, 1)
UNITS = "code,level,kind,name,parent_code\n"
SUCCESSIONS = "old_code,old_level,new_code,extent\n"


def before(level: str, code: str, name: str, parent: Before | None = None, kind: str = "xã") -> Before:
    parent_id = parent.id if parent else None
    return Before(str(national_unit_id(level, code, str(DAY))), level, code, kind, name, parent_id)


PROVINCE = before("province", "96", "Cà Mau", kind="tỉnh")
OTHER = before("province", "91", "An Giang", kind="tỉnh")
ONE = before("commune", "32044", "Một", PROVINCE)
TWO = before("commune", "32047", "Hai", PROVINCE)
FAR = before("commune", "30001", "Ba", OTHER)
SET = [PROVINCE, OTHER, ONE, TWO, FAR]


def made(directory: Path, units: str, successions: str, eve: Sequence[Before] = SET) -> dict[str, Any]:
    (directory / "units.csv").write_text(UNITS + units, encoding="utf-8")
    (directory / "successions.csv").write_text(SUCCESSIONS + successions, encoding="utf-8")
    files = read_files(directory / "units.csv", directory / "successions.csv")
    return command(files, eve, LATER, "Nghị quyết 9")


def test_the_reform_of_2025_is_made_of_the_official_files() -> None:
    eve = [
        Before(u.id, u.level, u.code, u.kind, u.name, u.parent_id)
        for u in read_units(FILES / "units-2025-06-30.csv", EVE)
    ]
    files = read_files(FILES / "units-2025-07-01.csv", FILES / "successions-2025-07-01.csv")
    body = command(files, eve, DAY, "Nghị quyết 202/2025/QH15")
    ids = {unit.id: unit for unit in eve}
    ended = Counter(ids[unit_id].level for unit_id in body["ends"])
    dissolved = Counter(ids[unit_id].level for unit_id in body["dissolves"])
    assert Counter(unit["level"] for unit in body["founds"]) == {"province": 23, "commune": 3_189}
    assert ended == {"province": 52, "district": 5, "commune": 9_903}
    assert dissolved == {"district": 691}, "all but the five islands, which became communes"
    assert len(body["changes"]) == 132, "communes that alone went whole into their own code"
    assert len(body["successions"]) == 10_602 - 132 + 52
    parts = Counter(one["from_id"] for one in body["successions"] if one["extent"] == "part")
    assert len(parts) == 471
    assert body == command(files, eve, DAY, "Nghị quyết 202/2025/QH15")


def test_communes_that_change_kind_and_name_stay_what_they_are(tmp_path: Path) -> None:
    body = made(tmp_path, "32044,commune,phường,Mới,96\n32047,commune,phường,Hai,96\n", "")
    assert body["changes"] == [
        {"unit_id": ONE.id, "kind": "phường", "name": "Mới"},
        {"unit_id": TWO.id, "kind": "phường"},
    ]
    assert not body["founds"] + body["ends"] + body["dissolves"] + body["successions"]


def test_a_unit_that_is_named_as_it_was_does_not_change(tmp_path: Path) -> None:
    body = made(tmp_path, "32044,commune,xã,Một,96\n", "32044,commune,32044,whole\n")
    assert not body["changes"] + body["founds"] + body["ends"]


def test_two_communes_become_a_new_one(tmp_path: Path) -> None:
    body = made(
        tmp_path, "32044,commune,xã,Một Hai,96\n", "32044,commune,32044,whole\n32047,commune,32044,whole\n"
    )
    new = str(national_unit_id("commune", "32044", str(LATER)))
    assert [(unit["id"], unit["parent_id"]) for unit in body["founds"]] == [(new, PROVINCE.id)]
    assert body["ends"] == [ONE.id, TWO.id]
    assert {one["to_id"] for one in body["successions"]} == {new}


def test_a_commune_goes_into_one_that_the_file_does_not_mention(tmp_path: Path) -> None:
    body = made(tmp_path, "", "32047,commune,32044,whole\n")
    assert body["successions"] == [{"from_id": TWO.id, "to_id": ONE.id, "extent": "whole"}]
    assert (body["ends"], body["founds"], body["changes"]) == ([TWO.id], [], [])


def test_a_commune_moves_to_another_province_that_stays(tmp_path: Path) -> None:
    body = made(tmp_path, "32047,commune,xã,Hai,91\n", "")
    assert body["changes"] == [{"unit_id": TWO.id, "parent_id": OTHER.id}]
    assert not body["ends"]


def test_a_commune_is_dissolved_on_purpose(tmp_path: Path) -> None:
    assert made(tmp_path, "", "32047,commune,,dissolved\n")["dissolves"] == [TWO.id]


def test_a_province_is_renamed(tmp_path: Path) -> None:
    body = made(tmp_path, "96,province,thành phố,Cà Mau,\n", "")
    assert body["changes"] == [{"unit_id": PROVINCE.id, "kind": "thành phố"}]


def test_a_province_whose_communes_all_went_elsewhere_went_there_too(tmp_path: Path) -> None:
    units = (
        "96,province,tỉnh,Cà Mau,\n30001,commune,xã,Ba,96\n32044,commune,xã,Một,96\n32047,commune,xã,Hai,96\n"
    )
    same = "".join(f"{code},commune,{code},whole\n" for code in ("30001", "32044", "32047"))
    body = made(tmp_path, units, same)
    new = str(national_unit_id("province", "96", str(LATER)))
    assert [unit["id"] for unit in body["founds"]] == [new]
    assert body["ends"] == [PROVINCE.id, OTHER.id]
    assert {one["to_id"] for one in body["successions"]} == {new}
    assert {change["parent_id"] for change in body["changes"]} == {new}


@pytest.mark.parametrize(
    ("units", "successions", "message"),
    [
        ("", "32099,commune,32044,whole\n", "there was no commune 32099"),
        ("", "32044,commune,32099,whole\n", "there is no commune 32099"),
        ("", "32044,commune,32047,half\n", "2: '32047', 'half'"),
        ("32044,district,huyện,A,96\n", "", "2: '32044' is no code of a district"),
        ("32044,commune,xã,A,96\n32044,commune,xã,B,96\n", "", "3: the commune 32044 stands there twice"),
        ("32044,commune,xã,A,97\n", "", "there is no province 97"),
    ],
)
def test_files_that_contradict_themselves_are_refused(
    tmp_path: Path, units: str, successions: str, message: str
) -> None:
    with pytest.raises(UnitsError, match=message):
        made(tmp_path, units, successions)


@pytest.mark.parametrize(
    ("units", "successions", "faults"),
    [
        (
            "3204,commune,xã,A,96\n32044,commune,xã,,96\n",
            "32044,commune,32047,half\n",
            ["units.csv:2", "units.csv:3", "successions.csv:2"],
        ),
        (
            "32044,commune,xã,A,97\n",
            "32047,commune,32099,whole\n32050,commune,,dissolved\n",
            ["units.csv:2", "successions.csv:2", "successions.csv:3"],
        ),
    ],
)
def test_all_faults_are_listed_with_their_files_and_lines(
    tmp_path: Path, units: str, successions: str, faults: list[str]
) -> None:
    with pytest.raises(UnitsError) as refused:
        made(tmp_path, units, successions)
    assert [line.partition(": ")[0] for line in str(refused.value).splitlines()] == faults
