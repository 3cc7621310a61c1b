"""Reading sets of administrative units."""

from datetime import date
from pathlib import Path

import pytest

from socai.data import DATA
from socai.units import UnitsError, by_level, read_units

FILES = DATA / "administrative-units"
DAY = date(2025, 6, 30)
HEADER = "code,level,kind,name,parent_code\n"


def test_a_commune_belonged_to_a_district_until_2025_and_to_the_province_since() -> None:
    before = {(u.level, u.code): u for u in read_units(FILES / "units-2025-06-30.csv", DAY)}
    after = {(u.level, u.code): u for u in read_units(FILES / "units-2025-07-01.csv", date(2025, 7, 1))}
    assert before["commune", "32002"].parent_id == before["district", "964"].id
    assert after["commune", "32002"].parent_id == after["province", "96"].id
    assert before["commune", "32002"].id != after["commune", "32002"].id, "codes are reused, ids are not"


def test_parents_come_before_their_children() -> None:
    known: set[str] = set()
    for _, members in by_level(read_units(FILES / "units-2025-06-30.csv", DAY)):
        assert all(unit.parent_id is None or unit.parent_id in known for unit in members)
        known |= {unit.id for unit in members}
    assert len(known) == 10_794


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("01,province,tỉnh,A,\n001,district,huyện,B,02\n", r"3: there is no province 02"),
        ("01,province,tỉnh,A,\n01,province,tỉnh,B,\n", r"3: the province 01 stands there twice"),
        ("01,region,vùng,A,\n", r"2: 'region' is no level"),
        ("01,province,tỉnh,A,\n001,district,huyện,B,\n", r"3: a district needs a parent"),
        ("01,province,tỉnh,A,02\n", r"2: a province has no parent"),
        ("01,province,tỉnh,A,\n\n02,district,huyện,B,01\n", r"4: '02' is no code of a district"),
        ("01,province,tỉnh\n", r"2: the province 01 has no name"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_with_its_line(
    tmp_path: Path, rows: str, message: str
) -> None:
    path = tmp_path / "units-2025-06-30.csv"
    path.write_text(HEADER + rows, encoding="utf-8")
    with pytest.raises(UnitsError, match=message):
        read_units(path, DAY)


def test_a_file_of_another_encoding_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "units-2025-06-30.csv"
    path.write_bytes(HEADER.encode() + "01,province,tỉnh,Hà Nội,\n".encode("cp1258", "replace"))
    with pytest.raises(UnitsError, match=r"units-2025-06-30.csv is not UTF-8"):
        read_units(path, DAY)


def test_all_faults_of_a_file_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "units-2025-06-30.csv"
    path.write_text(HEADER + "01,province,tỉnh,A,\n1,province,tỉnh,B,\n02,region,vùng,C,\n", encoding="utf-8")
    with pytest.raises(UnitsError) as refused:
        read_units(path, DAY)
    assert [line.partition(" ")[0] for line in str(refused.value).splitlines()] == [
        "units-2025-06-30.csv:3:",
        "units-2025-06-30.csv:4:",
    ]
    path.write_text(HEADER + "1,province,tỉnh,A,\n" * 30, encoding="utf-8")
    with pytest.raises(UnitsError) as refused:
        read_units(path, DAY)
    listed = str(refused.value).splitlines()
    assert (len(listed), listed[-1]) == (21, "and 10 more faults")


def test_a_file_without_its_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "units-2025-06-30.csv"
    path.write_text("code,name\n", encoding="utf-8")
    with pytest.raises(UnitsError, match="kind, level, parent_code"):
        read_units(path, DAY)
