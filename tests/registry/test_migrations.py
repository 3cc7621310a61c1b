"""What was in the lists before a migration is still there afterwards."""

import asyncio
import shutil
from datetime import date
from pathlib import Path
from uuid import uuid4

import asyncpg

from libs.events.migrations import migrate
from libs.service.hierarchy import today
from services.registry.lists import find_member, find_team, list_teams
from services.registry.migrations import DIRECTORIES
from socai.local.embedded import Embedded

FIRST = ("001_teams.sql", "002_catalogues.sql")


async def test_teams_and_members_of_before_are_shown_as_they_were(stack: Embedded, tmp_path: Path) -> None:
    created = await asyncio.to_thread(stack.create_database, "lists_of_before")
    *others, own = DIRECTORIES
    before = tmp_path.joinpath(*own.parts[-3:])
    before.mkdir(parents=True)
    for name in FIRST:
        shutil.copy(own / name, before / name)
    await migrate(created.owner_url, "socai_app", [*others, before])
    team_id, member_id, place_id = uuid4(), uuid4(), uuid4()
    owner = await asyncpg.connect(created.owner_url)
    try:
        await owner.execute(
            "INSERT INTO teams VALUES ($1, 'Tổ', '12/QĐ', '2022-06-01', ARRAY[$2::uuid], $2, $3, 1, 2)",
            team_id,
            place_id,
            member_id,
        )
        await owner.execute(
            "INSERT INTO members VALUES ($1, $2, $3, 'leader', '{school}', '2022-06-02', 2, 1)",
            member_id,
            team_id,
            place_id,
        )
        await migrate(created.owner_url, "socai_app", DIRECTORIES)
        assert await owner.fetchval("SELECT last_day FROM members") == date(2022, 6, 2)
    finally:
        await owner.close()
    async with asyncpg.create_pool(created.app_url, min_size=1, max_size=1) as pool:
        team, member = await find_team(pool, team_id), await find_member(pool, member_id)
        assert team is not None
        assert member is not None
        assert (team["leader_id"], [one["id"] for one in team["members"]]) == (member_id, [member_id])
        assert (member["team_id"], member["place_id"], member["left_on"]) == (team_id, place_id, None)
        shown = await list_teams(pool, units=None, own=None, on=today(), after=None, limit=9)
        assert [(one["id"], one["leader_id"]) for _, one in shown] == [(team_id, member_id)]
        assert await list_teams(pool, units=None, own=None, on=date(2022, 5, 31), after=None, limit=9) == []
