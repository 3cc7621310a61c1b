"""Figures as tables: what `GET /kpis` answers, for people who open it in a spreadsheet."""

import csv
import io
from datetime import datetime
from typing import Any

import openpyxl
import pytest

from tests.metrics.events import target
from tests.metrics.figures import VNEID, Figures
from tests.metrics.units import unit
from tests.services import Answer

pytestmark = pytest.mark.asyncio(loop_scope="package")

YEAR = "unit=96@2025-06-30&from=2023-01-01&to=2023-06-30"


async def get(figures: Figures, path: str, language: str = "vi") -> tuple[Answer, bytes]:
    headers = {**figures.after, "Accept-Language": language}
    async with figures.client.session.get(f"{figures.client.url}{path}", headers=headers) as answer:
        body = await answer.read()
        return Answer(answer.status, None, answer.headers), body


async def table(figures: Figures, query: str, language: str = "vi") -> list[dict[str, str]]:
    answer, body = await get(figures, f"/v1/exports/kpis.csv?{query}", language)
    assert answer.status == 200, body
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert body.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


async def book(figures: Figures, query: str, language: str = "vi") -> openpyxl.Workbook:
    answer, body = await get(figures, f"/v1/exports/kpis.xlsx?{query}", language)
    assert answer.status == 200, body
    title, exact = ("so-lieu", "S%E1%BB%91%20li%E1%BB%87u") if language == "vi" else ("figures", "Figures")
    assert answer.headers["Content-Disposition"] == (
        f'attachment; filename="{title}-tinh-ca-mau-2023-01-01-2023-06-30.xlsx"; '
        f"filename*=UTF-8''{exact}%20T%E1%BB%89nh%20C%C3%A0%20Mau%202023-01-01%202023-06-30.xlsx"
    )
    assert (answer.headers["Content-Language"], answer.headers["Vary"]) == (language, "Accept-Language")
    return openpyxl.load_workbook(io.BytesIO(body))


async def test_the_table_says_what_kpis_answers(figures: Figures) -> None:
    query = f"{YEAR}&indicator=visits&by=month"
    rows = await table(figures, query)
    items = await figures.items("visits", since="2023-01-01", by="month")
    assert [(row["Từ ngày"], row["Đến ngày"], int(row["Số liệu"])) for row in rows] == [
        (item["period"]["from"], item["period"]["to"], item["value"]) for item in items
    ]
    assert {(row["Mã chỉ tiêu"], row["Mã đơn vị"], row["Đơn vị"], row["Cấp"]) for row in rows} == {
        ("visits", "96", "Tỉnh Cà Mau", "Tỉnh, thành phố")
    }
    assert {row["Cảnh báo"] for row in rows} == {"Dùng địa giới sớm nhất đã biết"}
    assert "Dịch vụ số" not in rows[0]
    [first, *_] = await table(figures, query, "en")
    assert (first["Indicator code"], first["Warnings"]) == ("visits", "By the first hierarchy that is known")


async def test_dimensions_are_columns_in_words(figures: Figures) -> None:
    query = f"{YEAR}&indicator=adoption&digital_service={VNEID}&stage=registered&measure=people"
    [row] = await table(figures, query)
    assert (row["Dịch vụ số"], row["Mức độ"], row["Đơn vị tính"]) == (VNEID, "Đã đăng ký", "Người")
    assert float(row["Số liệu"]) == await figures.value(
        "adoption", digital_service=VNEID, stage="registered", measure="people", since="2023-01-01"
    )


async def test_a_spread_has_a_row_for_each_value(figures: Figures) -> None:
    rows = await table(figures, f"{YEAR}&indicator=households-by-visits")
    spread = (await figures.item("households-by-visits"))["spread"]
    assert {row["Nhóm"]: int(row["Số liệu"]) for row in rows} == spread


async def test_what_is_missing_is_an_empty_cell_with_its_warning(figures: Figures) -> None:
    [row] = await table(figures, "unit=95@2025-06-30&to=2023-06-30&indicator=households-guided-share")
    assert (row["Số liệu"], row["Mẫu số"]) == ("", "")
    assert "Chưa có số liệu nền" in row["Cảnh báo"]


async def test_a_workbook_has_the_figures_and_what_they_rest_on(figures: Figures) -> None:
    query = f"{YEAR}&indicator=households-guided-share&indicator=visits"
    found = await book(figures, query)
    page = found["Số liệu"]
    header = [cell.value for cell in page[1]]
    share, visits = (dict(zip(header, page[n], strict=True)) for n in (2, 3))
    item = await figures.item("households-guided-share")
    assert share["Số liệu"].value == item["value"]
    assert share["Số liệu"].number_format == "0.0%"
    assert (share["Tử số"].value, share["Mẫu số"].value) == (item["numerator"], item["denominator"])
    assert visits["Số liệu"].data_type == "n"
    assert visits["Từ ngày"].value == datetime(2023, 1, 1)
    assert share["Từ ngày"].value is None

    rests_on: list[list[Any]] = [[cell.value for cell in row] for row in found["Cơ sở của số liệu"]]
    told = {(row[0], row[1]) for row in rests_on}
    answer = (await figures.ask(indicator=["households-guided-share", "visits"])).body
    assert ("Địa giới ngày", datetime.fromisoformat(answer["boundaries"])) in told
    for source, position in answer["cut"].items():
        assert ("Điểm chốt", f"{source}:{position}") in told
    [defined] = [row for row in rests_on if row[4] == item["definition"]]
    assert defined[5:7] == ["households-guided", "households"]
    hashes = {row[0]: row[4] for row in rests_on if str(row[4]).startswith("sha256:")}
    assert hashes["households-guided-share"] == item["definition"]
    assert {"visits", "households-guided", "households"} <= hashes.keys()
    english = await book(figures, query, "en")
    assert english.sheetnames == ["Figures", "What they rest on"]


async def test_progress_rests_on_every_indicator_that_there_is_a_target_for(figures: Figures) -> None:
    await figures.add(
        target("Hòa Bình", "teams", "9", due="2023-12-31"),
        target("Hòa Bình", "visits", "9", due="2023-12-31"),
    )
    _, body = await get(
        figures, "/v1/exports/kpis.xlsx?unit=31801@2025-06-30&to=2023-06-30&indicator=target-progress"
    )
    page = openpyxl.load_workbook(io.BytesIO(body)).worksheets[1]
    defined = [row[0].value for row in page if str(row[4].value).startswith("sha256:")]
    assert sorted(map(str, defined)) == ["target-progress", "teams", "visits"]


async def test_a_hostile_name_is_text(figures: Figures) -> None:
    await figures.add(
        unit("=1+1", "hamlet", "Hòa Bình", kind="@ấp"),
        unit("xuất", "hamlet", "Hòa Bình", kind="=ấp"),
        target("xuất", "visits", "5", due="2023-12-31"),
    )
    query = "unit=95@2025-06-30&to=2025-06-30&indicator=visits&by=unit&level=hamlet"
    rows = await table(figures, query)
    names = {row["Đơn vị"] for row in rows}
    assert {"'@ấp =1+1", "'=ấp xuất"} <= names
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    _, body = await get(figures, f"/v1/exports/kpis.xlsx?{query}")
    page = openpyxl.load_workbook(io.BytesIO(body)).worksheets[0]
    cells = [cell for row in page for cell in row if cell.value in ("@ấp =1+1", "=ấp xuất")]
    assert [cell.data_type for cell in cells] == ["s", "s"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("unit=96@2025-06-30&indicator=nothing", 422, "indicator-unknown"),
        ("unit=98@2025-06-30&indicator=visits", 404, "not-found"),
        ("unit=96@2025-06-30&indicator=visits&limit=3", 422, "parameter-unknown"),
    ],
)
async def test_a_refusal_is_a_problem_and_no_file(
    figures: Figures, kind: str, query: str, status: int, code: str
) -> None:
    answer = await figures.client.get(f"/v1/exports/kpis.{kind}?{query}", headers=figures.after)
    assert (answer.status, answer.body["code"]) == (status, code)
