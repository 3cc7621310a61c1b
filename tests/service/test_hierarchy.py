"""How units are named, written and searched for."""

from datetime import date
from uuid import UUID, uuid4

import pytest

from libs.service.hierarchy import fold, full_name, parse_reference
from libs.service.problems import Problem


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hoà Bình", "Hòa Bình"),
        ("Đất Mũi", "Ðất Mũi"),
        ("Đất Mũi", "dat mui"),
        ("CÀ MAU", "Cà Mau"),
        ("Cà Mau", "Cà Mau"),
        ("Thới Bình", "thoi binh"),
    ],
    ids=["two places of a tone mark", "a look-alike", "plain letters", "case", "Unicode form", "no marks"],
)
def test_names_are_the_same_however_they_are_typed(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_different_names_stay_different() -> None:
    assert fold("Tân Hải") != fold("Tân Hưng")


def test_a_full_name_begins_with_the_kind() -> None:
    assert full_name("phường", "1") == "Phường 1"
    assert full_name("đặc khu", "Côn Đảo") == "Đặc khu Côn Đảo"


def test_a_unit_is_named_by_id_or_by_code_and_day() -> None:
    id_ = uuid4()
    assert parse_reference(str(id_), pointer="/query/unit") == UUID(str(id_))
    assert parse_reference("32002@2025-06-30", pointer="/query/unit") == ("32002", date(2025, 6, 30))


@pytest.mark.parametrize(
    "reference", ["", "32002", "32002@", "32002@2025-13-01", "32002@2025-6-1", "@2025-06-30"]
)
def test_a_code_alone_names_nothing(reference: str) -> None:
    with pytest.raises(Problem) as refused:
        parse_reference(reference, pointer="/query/unit")
    assert refused.value.errors[0]["pointer"] == "/query/unit"
