"""Visits as a table that officers open: what `GET /visits` lists, all of it, without anything personal."""

from collections.abc import AsyncIterator
from datetime import date

import asyncpg

from libs.service.labels import label
from libs.service.sheets import BOM, Cell, csv_lines
from services.visits.lists import VisitFilter, list_visits
from services.visits.shown import Answer

_AT_ONCE = 1_000
_COLUMNS = (
    ("Mã lượt thăm", "Visit"),
    ("Ngày thực hiện", "Occurred on"),
    ("Mã hộ", "Household"),
    ("Mã tổ", "Team"),
    ("Mã thành viên", "Members"),
    ("Mã đợt ra quân", "Campaign"),
    ("Hình thức", "Mode"),
    ("Kết quả", "Outcome"),
    ("Lần thứ mấy", "Ordinal"),
    ("Tình trạng", "Status"),
    ("Dịch vụ số đã hướng dẫn", "Digital services guided"),
    ("Mức độ đạt được", "Stages reached"),
    ("Số lượt sử dụng", "Uses"),
    ("Khó khăn", "Obstacles"),
    ("Hẹn ngày", "Follow-up on"),
    ("Ghi lúc", "Recorded at"),
    ("Vị trí trong sổ", "Position in the log"),
)


async def visits_csv(pool: asyncpg.Pool, wanted: VisitFilter, language: str) -> AsyncIterator[bytes]:
    """Those recorded last first, page by page: no more than a page is ever in memory."""
    index = 0 if language == "vi" else 1
    yield BOM + csv_lines([[column[index] for column in _COLUMNS]])
    before: int | None = None
    while rows := await list_visits(pool, wanted, before=before, limit=_AT_ONCE):
        yield csv_lines(_row(position, visit, language) for position, visit in rows)
        before = rows[-1][0]
        if len(rows) < _AT_ONCE:
            break


def _row(position: int, visit: Answer, language: str) -> list[Cell]:
    guidance = visit.get("guidance", [])
    follow_up = visit.get("follow_up_on")
    return [
        visit["id"],
        date.fromisoformat(visit["occurred_on"]),
        visit["household_id"],
        visit["team_id"],
        " ".join(visit["member_ids"]),
        visit.get("campaign_id"),
        label("modes", visit["mode"], language),
        label("outcomes", visit["outcome"], language),
        visit["ordinal"],
        label("visit_statuses", visit["status"], language),
        " ".join(line["digital_service"] for line in guidance if line.get("demonstrated")),
        "; ".join(_reached(line, language) for line in guidance if line.get("reached")),
        sum(line.get("uses", 0) for line in guidance),
        "; ".join(
            f"{line['digital_service']}: {label('obstacles', line['obstacle'], language)}"
            for line in guidance
            if line.get("obstacle")
        ),
        date.fromisoformat(follow_up) if follow_up else None,
        visit["recorded_at"],
        position,
    ]


def _reached(line: Answer, language: str) -> str:
    stages = ", ".join(
        f"{label('stages', one['stage'], language)} {one['people']}" for one in line["reached"]
    )
    return f"{line['digital_service']}: {stages}"
