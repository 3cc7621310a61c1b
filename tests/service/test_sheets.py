"""Tables as people open them: no formulas, numbers as numbers, and not held in memory."""

import csv
import io
import tracemalloc
from collections.abc import Iterator
from datetime import date

import openpyxl
import pytest

from libs.service import sheets
from libs.service.sheets import (
    NotWritten,
    Row,
    Share,
    Sheet,
    attachment,
    csv_pieces,
    harmless,
    write_workbook,
)

HOSTILE = [
    '=HYPERLINK("x")',
    "+84 912 345 678",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1+1",
    "＝1+1",
    "\tấp",
    # In quotes for one separator; for a program that takes another one it is three cells.
    "Ấp 1,=1+1,",
    "Ấp 1;=1+1",
    'Ấp "=1+1"',
]


def written(*sheets: Sheet) -> openpyxl.Workbook:
    file = io.BytesIO()
    write_workbook(file, sheets)
    return openpyxl.load_workbook(file)


def test_csv_is_read_back_as_it_was_written() -> None:
    rows: list[Row] = [['Ấp Một, xã "Hai"', 3, 0.5312, date(2023, 6, 30), None], ["x\ny", -4, 1.5, None, ""]]
    text = b"".join(csv_pieces(["a", "b", "c", "d", "e"], rows))
    assert text.startswith(b"\xef\xbb\xbfa,b,c,d,e\r\n")
    assert list(csv.reader(io.StringIO(text.decode("utf-8-sig"), newline=""))) == [
        ["a", "b", "c", "d", "e"],
        ['Ấp Một, xã "Hai"', "3", "0.5312", "2023-06-30", ""],
        ["x\ny", "-4", "1.5", "", ""],
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_starts_a_formula(text: str) -> None:
    line = b"".join(csv_pieces(["a"], [[text]])).decode("utf-8-sig")
    for separator in (",", ";", "\t", "|"):
        for row in csv.reader(io.StringIO(line, newline=""), delimiter=separator):
            for cell in row:
                assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝")), (separator, cell)
                assert not cell.startswith(("\t", "\r", "\n"))
    book = written(Sheet("a", [10], [[text]]))
    found = book["a"]["A1"]
    assert found.data_type in ("s", "inlineStr")
    assert found.value.replace("_x000D_", "").strip() == text.strip()
    assert found.hyperlink is None
    assert found.quotePrefix


@pytest.mark.parametrize(
    "text", ["Ấp 1-2", "Tân Hải – Phú Mỹ", "a+b", "ban@xa.example", "Khóm 1; Khóm 2", "2023-05-14", "'", ""]
)
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


def test_what_a_workbook_does_not_hold_is_not_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotWritten):
        written(Sheet("a", [10], [["x" * 40_000]]))
    monkeypatch.setattr(sheets, "_MOST_ROWS", 3)
    written(Sheet("a", [10], [["a"], ["b"]], ["a"]))
    with pytest.raises(NotWritten):
        written(Sheet("a", [10], [["a"], ["b"], ["c"]], ["a"]))


def test_a_workbook_has_numbers_as_numbers_and_days_as_days() -> None:
    rows: list[Row] = [["x", 70612, Share(0.5312), 2.5, date(2023, 6, 30), None]]
    book = written(Sheet("Số liệu", [10] * 6, rows, ["a", "b", "c", "d", "e", "f"]))
    page = book["Số liệu"]
    assert [cell.value for cell in page[1]] == ["a", "b", "c", "d", "e", "f"]
    text, count, share, other, day = page[2][:5]
    assert (text.value, count.value, share.value, other.value) == ("x", 70612, 0.5312, 2.5)
    assert (count.number_format, share.number_format) == ("#,##0", "0.0%")
    assert day.is_date
    assert day.value.date() == date(2023, 6, 30)
    assert page.max_column == 5 or page[2][5].value is None
    assert page.freeze_panes == "A2"


def many(rows: int) -> Iterator[Row]:
    return ([f"ấp {n}", n, n / 7, date(2023, 6, 30)] for n in range(rows))


def test_a_long_table_takes_no_more_memory_than_a_short_one() -> None:
    def peak(rows: int) -> int:
        tracemalloc.start()
        for piece in csv_pieces(["a", "b", "c", "d"], many(rows)):
            assert len(piece) < 1 << 17
        with io.BytesIO() as file:
            write_workbook(file, [Sheet("a", [10] * 4, many(rows))])
            size = len(file.getvalue())
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found - 2 * size

    short, long = peak(500), peak(20_000)
    assert long < short + (1 << 20)


@pytest.mark.parametrize(
    ("name", "in_ascii", "exact"),
    [
        ("Tỉnh Đắk Lắk 2023", "tinh-dak-lak-2023", "T%E1%BB%89nh%20%C4%90%E1%BA%AFk%20L%E1%BA%AFk%202023"),
        ('a"b\r\nSet-Cookie: x/../\\c\u202e', "a-b-set-cookie-x-c", "a-b-Set-Cookie-%20x-..-c-"),
        ("…", "so-cai", "%E2%80%A6"),
        ("..", "so-cai", "so-cai"),
    ],
)
def test_a_file_has_a_name_that_every_client_can_save(name: str, in_ascii: str, exact: str) -> None:
    assert attachment(name, "csv") == f"attachment; filename=\"{in_ascii}.csv\"; filename*=UTF-8''{exact}.csv"
