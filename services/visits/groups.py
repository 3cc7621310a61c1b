"""A form for a group or a campaign: one body, and a visit of each household that was there."""

from typing import Annotated, Any
from uuid import UUID, uuid5

from pydantic import Field

from libs.events.day import Day
from libs.events.decider import Command
from libs.service.commands import Form
from libs.service.problems import Problem
from services.visits.domain import RecordVisit
from services.visits.domain.guidance import Guidance
from services.visits.domain.text import Note
from services.visits.domain.visits import Mode, Outcome

Id = Annotated[str, Field(max_length=64)]


class GroupVisits(Form):
    """Records a visit of each household that was there. What was the same for all; `visit_ids` in the order
    of `household_ids`, where the client makes them. Without them a visit's id is UUIDv5(`id`, household), so
    that sending the form again changes nothing.

    `/sync` takes no forms, because each of its commands has one answer and one receipt. A device without
    signal keeps the visits that the form stands for, as `record-visit` under these ids; whichever of both
    comes second is a repeat.
    """

    id: UUID
    # Texts: an id that is none spoils its own visit, not those of the others.
    household_ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=500)]
    visit_ids: Annotated[tuple[UUID, ...], Field(max_length=500)] | None = None
    team_id: UUID
    member_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=50)]
    occurred_on: Day
    mode: Mode = "group"
    outcome: Outcome
    campaign_id: UUID | None = None
    follow_up_on: Day | None = None
    guidance: Annotated[tuple[Guidance, ...], Field(max_length=50)] = ()
    note: Annotated[Note | None, Field(repr=False)] = None

    def commands(self) -> list[tuple[UUID | None, Command | Problem]]:
        """Raises Problem: group-ids-differ."""
        if self.visit_ids is not None and len(self.visit_ids) != len(self.household_ids):
            error = {"pointer": "/visit_ids", "code": "group-ids-differ"}
            raise Problem("group-ids-differ", errors=[error])
        return [self._command(index) for index in range(len(self.household_ids))]

    def about(self, index: int) -> dict[str, Any]:
        return {"household_id": self.household_ids[index]}

    def _command(self, index: int) -> tuple[UUID | None, Command | Problem]:
        household, place = self.household_ids[index], f"/household_ids/{index}"
        try:
            household_id = UUID(household)
        except ValueError:
            error = {"pointer": place, "code": "malformed-id"}
            return None, Problem("malformed-id", errors=[error])
        visit_id = self.visit_ids[index] if self.visit_ids else uuid5(self.id, str(household_id))
        shared = {
            name: getattr(self, name)
            for name in RecordVisit.model_fields
            if name not in ("id", "household_id")
        }
        return visit_id, RecordVisit(id=visit_id, household_id=household_id, **shared)
