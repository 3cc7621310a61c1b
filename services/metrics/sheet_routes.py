"""Activity sheets over HTTP, and as a workbook to be printed and signed."""

from collections.abc import Iterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from libs.service.answers import Json
from libs.service.commands import CommandApi
from libs.service.labels import LANGUAGES, label
from libs.service.openapi import answered
from libs.service.pages import DEFAULT_LIMIT, Cursor, Limit, page, read_cursor
from libs.service.problems import language_of
from libs.service.read_after import ReadAfter
from libs.service.reads import Scoped, reading_router
from libs.service.routes import Routes
from libs.service.scope import Scopes
from libs.service.sheets import XLSX, Cell, Sheet, workbook_answer
from services.metrics import answers
from services.metrics.activity_sheets import DONE, ActivitySheets, Answer
from services.metrics.closing_routes import OfMonth, add_of_month
from services.metrics.closings import Closings
from services.metrics.decisions.activity_sheets import SignActivitySheet

OfUnit = Annotated[str, Query(description="A unit's id, or CODE@DAY")]
AsOf = Annotated[str | None, Query(description="As for GET /kpis")]

_COLUMNS = (
    ("Mã thành viên", "Member", 38),
    ("Mã tổ", "Team", 38),
    ("Từ ngày", "From", 12),
    ("Đến ngày", "To", 12),
    ("Số lượt thăm", "Visits", 12),
    ("Đã xác nhận", "Confirmed", 12),
    ("Đang khiếu nại", "Under dispute", 12),
    ("Số ngày làm việc", "Days", 12),
    ("Số ngày ra quân", "Campaign days", 12),
    ("Ký nhận", "Signature", 24),
)
_FIELDS = ("member_id", "team_id", "first", "last", *DONE)
_NAMES = {
    "sheet": ("Bảng theo dõi hoạt động", "Activity sheet"),
    "basis": ("Cơ sở của số liệu", "What it rests on"),
    "unit": ("Đơn vị", "Unit"),
    "month": ("Tháng", "Month"),
    "cut": ("Điểm chốt", "Cut"),
    "total": ("Tổng số lượt thăm của các tổ", "Visits of the teams"),
    "warning": ("Cảnh báo", "Warning"),
    "signed": ("Đã ký", "Signed"),
    "changed": ("Đã thay đổi sau khi ký", "Changed since it was signed"),
}


def writes(routes: Routes, commands: CommandApi, closings: Closings, read_after: ReadAfter) -> None:
    add_of_month(
        routes,
        "/v1/activity-sheets/{unit}/{month}/sign",
        SignActivitySheet,
        commands=commands,
        closings=closings,
        read_after=read_after,
    )


def reads(sheets: ActivitySheets, read_after: ReadAfter, scopes: Scopes) -> APIRouter:
    router = reading_router(read_after, scopes)

    @router.get("/activity-sheets", responses=answered(answers.ActivitySheet))
    async def get_activity_sheet(
        scope: Scoped,
        unit: OfUnit,
        month: OfMonth,
        member: UUID | None = None,
        as_of: AsOf = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response:
        """What each member of the unit's teams did in a month, by member and team."""
        after = read_cursor(cursor, UUID, UUID)
        about, rows = await sheets.answer(
            unit,
            month,
            scope=scope,
            member=member,
            as_of=as_of,
            after=None if after is None else (after[0], after[1]),
            limit=limit + 1,
        )
        found = page(rows, limit, key=lambda row: [row["member_id"], row["team_id"]], item=lambda row: row)
        return Json({**about, **found})

    @router.get(
        "/exports/activity-sheets.xlsx", responses=answered(media_type=XLSX, description="A workbook")
    )
    async def export_activity_sheet(
        request: Request, scope: Scoped, unit: OfUnit, month: OfMonth, as_of: AsOf = None
    ) -> Response:
        """An activity sheet as a workbook, to be printed and signed."""
        about, rows = await sheets.answer(unit, month, scope=scope, as_of=as_of)
        language = language_of(request.headers.get("accept-language"))
        title = _NAMES["sheet"][LANGUAGES.index(language)]
        words = (title, about["unit"]["full_name"], month)
        return await workbook_answer(_workbook(about, rows, language), *words, language=language)

    return router


def _workbook(about: Answer, rows: list[Answer], language: str) -> list[Sheet]:
    index = LANGUAGES.index(language)
    names = {name: texts[index] for name, texts in _NAMES.items()}
    titles = [(column[0], column[1])[index] for column in _COLUMNS]
    table = ([_cell(row[name]) for name in _FIELDS] for row in rows)
    widths = [column[2] for column in _COLUMNS]
    return [
        Sheet(names["sheet"], widths, table, titles),
        Sheet(names["basis"], (32, 60), _rests_on(about, names, language)),
    ]


def _cell(value: Any) -> Cell:
    return str(value) if isinstance(value, UUID) else value


def _rests_on(about: Answer, names: dict[str, str], language: str) -> Iterator[list[Cell]]:
    yield [names["unit"], about["unit"]["full_name"]]
    yield [names["month"], about["month"]]
    yield [names["total"], about["totals"]["visits"]]
    for source, position in about["cut"].items():
        yield [names["cut"], f"{source}:{position}"]
    for warning in about["warnings"]:
        yield [names["warning"], label("warnings", warning, language)]
    if signed := about["signed"]:
        yield [names["signed"], f"{signed['by']}, {signed['at']:%Y-%m-%dT%H:%M:%SZ}, {signed['digest']}"]
        if signed["changed_since"]:
            yield [names["changed"], signed["digest"]]
