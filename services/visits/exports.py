"""Visits as a table that officers open: what `GET /visits` lists, all of it, without anything personal."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import asyncpg

from libs.service.hierarchy import full_name, today
from libs.service.labels import LANGUAGES, label
from libs.service.sheets import BOM, Cell, csv_lines
from services.visits.lists import VisitFilter, list_visits
from services.visits.shown import Answer

_AT_ONCE = 1_000
_COLUMNS = (
    ("Mã lượt thăm", "Visit"),
    ("Ngày thực hiện", "Occurred on"),
    ("Mã đơn vị", "Unit code"),
    ("Cấp", "Level"),
    ("Đơn vị", "Unit"),
    ("Mã xã", "Commune code"),
    ("Xã, phường, thị trấn", "Commune"),
    ("Mã hộ", "Household"),
    ("Mã tổ", "Team"),
    ("Tổ công nghệ số cộng đồng", "Team's name"),
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


_VISITS = ("Lượt thăm", "Visits")


class _Place(NamedTuple):
    """Where a household is now, which is what lists go by."""

    code: str | None
    level: str
    name: str
    commune_code: str | None
    commune: str | None


class VisitTable:
    """The visits of a list in one language, those recorded last first, page by page: no more than a page is
    ever in memory. Each page is looked up when the one before has been sent. One that is recorded meanwhile
    is not among them, one that changes is as it is by then, and none comes twice.
    """

    def __init__(self, pool: asyncpg.Pool, wanted: VisitFilter, language: str) -> None:
        self._pool = pool
        self._wanted = wanted
        self._language = language
        self._index = LANGUAGES.index(language)
        self._places: dict[UUID, _Place] = {}
        self._teams: dict[str, str] = {}
        self._services: dict[str, str] = {}

    @property
    def words(self) -> Sequence[object]:
        """What the file is called."""
        wanted, unit = self._wanted, self._wanted.unit
        place = None if unit is None else full_name(unit.kind, unit.name)
        return [_VISITS[self._index], place, wanted.since, wanted.until or today()]

    async def pieces(self) -> AsyncIterator[bytes]:
        """The first page is read before there is an answer, so that a database that is away is a problem and
        no half of a file.
        """
        self._services = await self._named(_SERVICES, self._language)
        return self._from(await self._page(None))

    async def _from(self, page: list[tuple[int, Answer]]) -> AsyncIterator[bytes]:
        yield BOM + csv_lines([[column[self._index] for column in _COLUMNS]])
        while page:
            units = await self._units([position for position, _ in page])
            await self._learn_teams({visit["team_id"] for _, visit in page} - self._teams.keys())
            rows = (self._row(position, visit, units.get(position)) for position, visit in page)
            yield await asyncio.to_thread(csv_lines, rows)
            page = await self._page(page[-1][0]) if len(page) == _AT_ONCE else []

    async def _page(self, before: int | None) -> list[tuple[int, Answer]]:
        return await list_visits(self._pool, self._wanted, before=before, limit=_AT_ONCE)

    async def _units(self, positions: Sequence[int]) -> dict[int, _Place]:
        found = {row["position"]: row["unit_id"] for row in await self._pool.fetch(_UNITS, positions)}
        await self._learn_places(set(found.values()) - self._places.keys())
        return {at: self._places[unit] for at, unit in found.items() if unit in self._places}

    async def _learn_places(self, units: Collection[UUID]) -> None:
        for row in await self._pool.fetch(_PLACES, list(units), today()) if units else ():
            commune = row["commune_name"] and full_name(row["commune_kind"], row["commune_name"])
            name = full_name(row["kind"], row["name"])
            self._places[row["unit_id"]] = _Place(
                row["code"], row["level"], name, row["commune_code"], commune
            )

    async def _learn_teams(self, teams: Collection[str]) -> None:
        if teams:
            self._teams |= await self._named(_TEAMS, list(teams))

    async def _named(self, sql: str, argument: object) -> dict[str, str]:
        return {row["id"]: row["name"] for row in await self._pool.fetch(sql, argument) if row["name"]}

    def _row(self, position: int, visit: Answer, place: _Place | None) -> list[Cell]:
        language = self._language
        guidance = visit.get("guidance", [])
        follow_up = visit.get("follow_up_on")
        return [
            visit["id"],
            date.fromisoformat(visit["occurred_on"]),
            place and place.code,
            place and label("unit_levels", place.level, language),
            place and place.name,
            place and place.commune_code,
            place and place.commune,
            visit["household_id"],
            visit["team_id"],
            self._teams.get(visit["team_id"]),
            " ".join(visit["member_ids"]),
            visit.get("campaign_id"),
            label("modes", visit["mode"], language),
            label("outcomes", visit["outcome"], language),
            visit["ordinal"],
            label("visit_statuses", visit["status"], language),
            "; ".join(self._service(line) for line in guidance if line.get("demonstrated")),
            "; ".join(self._reached(line) for line in guidance if line.get("reached")),
            sum(line.get("uses", 0) for line in guidance),
            "; ".join(self._obstacles(guidance)),
            date.fromisoformat(follow_up) if follow_up else None,
            visit["recorded_at"],
            position,
        ]

    def _service(self, line: Answer) -> str:
        code: str = line["digital_service"]
        return self._services.get(code, code)

    def _reached(self, line: Answer) -> str:
        stages = (
            f"{label('stages', one['stage'], self._language)} {one['people']}" for one in line["reached"]
        )
        return f"{self._service(line)}: {', '.join(stages)}"

    def _obstacles(self, guidance: Sequence[Answer]) -> Iterator[str]:
        for line in guidance:
            if obstacle := line.get("obstacle"):
                yield f"{self._service(line)}: {label('obstacles', obstacle, self._language)}"


_UNITS = """
SELECT v.position, h.unit_id FROM visits v JOIN households h ON h.household_id = v.survivor_id
 WHERE v.position = ANY($1)
"""
_TEAMS = """
SELECT name AS id, content ->> 'name' AS name FROM registry_facts WHERE kind = 'team' AND name = ANY($1)
"""
_SERVICES = """
SELECT name AS id, content -> 'names' ->> $1 AS name FROM registry_facts WHERE kind = 'digital-service'
"""
# A unit as it is on that day; one that begins later, as it is then.
_SPAN = """
SELECT s.* FROM unit_spans s
 WHERE s.unit_id = %s AND s.known_until IS NULL
 ORDER BY s.valid_from <= $2 DESC, abs(s.valid_from - $2) LIMIT 1
"""
_PLACES = f"""
WITH RECURSIVE above AS (
    SELECT w.id AS of, u.unit_id, u.level, u.code, u.kind, u.name, u.parent_id
      FROM unnest($1::uuid[]) w (id) CROSS JOIN LATERAL ({_SPAN % "w.id"}) u
     UNION ALL
    SELECT a.of, u.unit_id, u.level, u.code, u.kind, u.name, u.parent_id
      FROM above a CROSS JOIN LATERAL ({_SPAN % "a.parent_id"}) u
     WHERE a.level NOT IN ('commune', 'district', 'province')
)
SELECT u.unit_id, u.level, u.code, u.kind, u.name,
       c.code AS commune_code, c.kind AS commune_kind, c.name AS commune_name
  FROM above u LEFT JOIN above c ON c.of = u.of AND c.level = 'commune'
 WHERE u.unit_id = u.of
"""
