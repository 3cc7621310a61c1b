"""From the registry's events to the tables that its lists are read from."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import msgspec
import orjson
from pydantic import ValidationError

from libs.events.envelope import Recorded
from libs.events.quarantine import Poisoned
from libs.service.unit_copy import UnitCopy
from libs.service.unit_events import UNIT_EVENTS
from libs.service.unit_tree import Contradiction
from services.registry import changes
from services.registry.domain import DOMAIN, EVENTS
from services.registry.domain.baselines import BaselineDeclared
from services.registry.domain.campaigns import CampaignPlanned
from services.registry.domain.digital_services import DigitalServiceListed
from services.registry.domain.members import MemberJoined
from services.registry.domain.statistics import StatisticReported
from services.registry.domain.targets import TargetSet
from services.registry.domain.teams import TeamFormed

Row = tuple[object, ...]

_COLUMNS = {
    table: tuple(columns.split())
    for table, columns in {
        "teams": "team_id name decision_number formed_on unit_ids place_id position version",
        "team_spans": "team_id name unit_ids place_id valid_from",
        "members": "member_id team_id place_id role organisations joined_on last_day position version",
        "campaigns": "campaign_id unit_id team_ids name day partners status position version",
        "baselines": "baseline_id unit_id name as_of value source position version",
        "statistics": "statistic_id unit_id indicator measure value first_day last_day source position"
        " version",
        "targets": "target_id unit_id indicator digital_service stage measure value due cascaded_from"
        " position version",
        "digital_services": "code content position version",
    }.items()
}


@dataclass(slots=True)
class Rows:
    """What a batch of events does to the tables: rows that are new, then changes of rows. Units are kept
    apart.
    """

    added: dict[str, list[Row]] = field(default_factory=lambda: {table: [] for table in _COLUMNS})
    changed: list[changes.Change] = field(default_factory=list)

    def add(self, recorded: Recorded) -> None:
        """Raises ValidationError: the event is not what its type says."""
        event = DOMAIN.event(recorded)
        at = (recorded.position, recorded.streamversion)
        again = recorded.streamversion > 1 and isinstance(event, MemberJoined | DigitalServiceListed)
        add = ADDS.get(type(event))
        if add and not again:
            add(self, event, at)
        elif change := changes.of(event, at):
            self.changed.append(change)

    async def save(self, connection: asyncpg.Connection) -> None:
        for table, rows in self.added.items():
            if rows:
                await connection.copy_records_to_table(table, records=rows, columns=_COLUMNS[table])
        for statement, values in self.changed:
            await connection.execute(statement, *values)


def _team(rows: Rows, event: TeamFormed, at: tuple[int, int]) -> None:
    place = (event.unit_ids, event.place_id)
    rows.added["teams"].append(
        (event.team_id, event.name, event.decision_number, event.formed_on, *place, *at)
    )
    rows.added["team_spans"].append((event.team_id, event.name, *place, event.formed_on))


def _member(rows: Rows, event: MemberJoined, at: tuple[int, int]) -> None:
    rows.added["members"].append(
        (
            event.member_id,
            event.team_id,
            event.place_id,
            event.role,
            event.organisations,
            event.joined_on,
            event.joined_on,
            *at,
        )
    )


def _campaign(rows: Rows, event: CampaignPlanned, at: tuple[int, int]) -> None:
    rows.added["campaigns"].append(
        (
            event.campaign_id,
            event.unit_id,
            event.team_ids,
            event.name,
            event.day,
            event.partners,
            "planned",
            *at,
        )
    )


def _baseline(rows: Rows, event: BaselineDeclared, at: tuple[int, int]) -> None:
    rows.added["baselines"].append(
        (event.baseline_id, event.unit_id, event.name, event.as_of, event.value, event.source, *at)
    )


def _statistic(rows: Rows, event: StatisticReported, at: tuple[int, int]) -> None:
    rows.added["statistics"].append(
        (
            event.statistic_id,
            event.unit_id,
            event.indicator,
            event.measure,
            event.value,
            event.first,
            event.last,
            event.source,
            *at,
        )
    )


def _target(rows: Rows, event: TargetSet, at: tuple[int, int]) -> None:
    rows.added["targets"].append(
        (
            event.target_id,
            event.unit_id,
            event.indicator,
            event.digital_service,
            event.stage,
            event.measure,
            event.value,
            event.due,
            event.cascaded_from,
            *at,
        )
    )


def _service(rows: Rows, event: DigitalServiceListed, at: tuple[int, int]) -> None:
    content = orjson.dumps(event.model_dump(exclude={"code"})).decode()
    rows.added["digital_services"].append((event.code, content, *at))


ADDS: dict[type[Any], Callable[[Rows, Any, tuple[int, int]], None]] = {
    TeamFormed: _team,
    MemberJoined: _member,
    CampaignPlanned: _campaign,
    BaselineDeclared: _baseline,
    StatisticReported: _statistic,
    TargetSet: _target,
    DigitalServiceListed: _service,
}


class RegistryLists:
    """The projection; its consumer follows the registry's own log."""

    name = "registry-lists"
    types: Collection[str] = frozenset(EVENTS)

    def __init__(self) -> None:
        self._units = UnitCopy()

    def subject(self, event: Recorded) -> str:
        return event.subject

    async def apply(self, connection: asyncpg.Connection, events: Sequence[Recorded]) -> Sequence[Poisoned]:
        rows = Rows()
        poisoned: dict[str, Poisoned] = {}
        of_units = any(event.type in UNIT_EVENTS for event in events)
        if of_units:
            await self._units.begin(connection)
        for event in events:
            if event.subject in poisoned:
                continue
            try:
                if event.type in UNIT_EVENTS:
                    await self._units.add(event.position, event.type, bytes(event.data))
                else:
                    rows.add(event)
            except (ValidationError, msgspec.DecodeError, Contradiction) as error:
                poisoned[event.subject] = Poisoned(event, error)
        await rows.save(connection)
        if of_units:
            await self._units.save(connection)
        return list(poisoned.values())

    def rolled_back(self) -> None:
        self._units.forget()
