"""Visits as a table: what `GET /visits` lists, all of it."""

import csv
import io
from uuid import uuid4

import pytest

from libs.service.settings import Settings
from tests.services import Client
from tests.visits.place import Place

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def table(visits: Client, query: str, after: dict[str, str]) -> list[dict[str, str]]:
    async with visits.session.get(f"{visits.url}/v1/exports/visits.csv?{query}", headers=after) as answer:
        body = await answer.read()
        assert answer.status == 200, body
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="luot-tham-')
    assert body.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


async def record(visits: Client, place: Place, **said: object) -> tuple[str, dict[str, str]]:
    visit = place.visit(**said)
    answer = await visits.post("/v1/visits", visit, headers=place.after)
    assert answer.status == 201, answer.body
    receipt = answer.body["receipt"]
    return visit["id"], {"Read-After": f"{receipt['source']}:{receipt['position']}"}


async def test_a_row_says_what_the_visit_says_and_nothing_personal(
    visits: Client, place: Place, settings: Settings
) -> None:
    note = "=chị Tư ở gần cầu"
    shown = {"digital_service": "vn.vneid-2", "demonstrated": True}
    first = {**shown, "reached": [{"stage": "registered", "people": 2}], "obstacle": "elderly"}
    visit, after = await record(visits, place, occurred_on="2023-04-02", guidance=[first], note=note)
    rows = await table(visits, f"unit={place.hamlet}&from=2023-04-02&to=2023-04-02", after)
    [row] = [row for row in rows if row["Mã lượt thăm"] == visit]
    assert row["Ngày thực hiện"] == "2023-04-02"
    assert row["Mã hộ"] == place.household
    assert row["Mã thành viên"].split() == [place.leader, place.member]
    place_of = ("Mã đơn vị", "Cấp", "Đơn vị", "Mã xã", "Xã, phường, thị trấn")
    assert tuple(row[name] for name in place_of) == (
        "",
        "Ấp, khóm, thôn, tổ dân phố",
        "Khu vực 1",
        "31117",
        "Phường 1",
    )
    assert (row["Mã tổ"], row["Tổ công nghệ số cộng đồng"]) == (place.team, "Tổ")
    assert (row["Hình thức"], row["Kết quả"], row["Tình trạng"]) == ("Tại nhà", "Đã gặp", "Đã ghi")
    assert row["Dịch vụ số đã hướng dẫn"] == "vn.vneid-2"
    assert row["Mức độ đạt được"] == "vn.vneid-2: Đã đăng ký 2"
    assert row["Khó khăn"] == "vn.vneid-2: Cao tuổi"
    assert note[1:] not in str(rows)


async def test_all_of_the_list_is_in_the_table_in_its_order(
    visits: Client, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it takes several pages, the last one full or not."""
    for day in range(1, 5):
        _, after = await record(visits, place, occurred_on=f"2023-03-0{day}", guidance=[])
    listed = await visits.get("/v1/visits", {"unit": place.hamlet, "limit": 1000}, headers=after)
    ids = [item["id"] for item in listed.body["items"]]
    assert len(ids) >= 4
    for at_once in (1, 2, len(ids), len(ids) + 1):
        monkeypatch.setattr("services.visits.exports._AT_ONCE", at_once)
        rows = await table(visits, f"unit={place.hamlet}", after)
        assert [row["Mã lượt thăm"] for row in rows] == ids
    assert await table(visits, f"unit={place.hamlet}&to=2020-01-01", after) == []


async def test_a_parameter_that_does_not_exist_is_refused(visits: Client, place: Place) -> None:
    for query in ("limit=3", "from=2023-05-02&to=2023-05-01", "status=x"):
        answer = await visits.get(f"/v1/exports/visits.csv?{query}")
        assert answer.status == 422, query


async def test_services_and_units_have_their_names_and_none_is_a_formula(
    visits: Client, registry: Client, place: Place
) -> None:
    listed = {
        "id": "92.hostile",
        "names": {"vi": "=Dịch vụ của tỉnh", "en": "-Service of the province"},
        "pillar": "society",
        "audience": ["person"],
        "stages": ["used"],
    }
    answer = await registry.post("/v1/digital-services", listed, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status == 201, answer.body
    receipt = answer.body["receipt"]
    known = {"Read-After": f"{place.after['Read-After']},{receipt['source']}:{receipt['position']}"}
    line = {
        "digital_service": "92.hostile",
        "demonstrated": True,
        "reached": [{"stage": "used", "people": 1}],
    }
    visit = place.visit(occurred_on="2023-04-03", guidance=[line])
    recorded = await visits.post("/v1/visits", visit, headers=known)
    assert recorded.status == 201, recorded.body
    after = {"Read-After": f"{recorded.body['receipt']['source']}:{recorded.body['receipt']['position']}"}
    [row] = await table(visits, "from=2023-04-03&to=2023-04-03", after)
    assert row["Dịch vụ số đã hướng dẫn"] == "'=Dịch vụ của tỉnh"
    assert row["Mức độ đạt được"] == "'=Dịch vụ của tỉnh: Đã sử dụng 1"
