"""Guidance: the lines of a visit, each about one digital service."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from libs.events.decider import NotYet, Rejected
from services.visits.domain.known import Known
from services.visits.domain.teams import check_once
from services.visits.domain.text import ServiceCode

Obstacle = Literal[
    "no-smartphone",
    "low-storage",
    "weak-phone",
    "no-signal",
    "afraid-of-online-risk",
    "elderly",
    "no-need",
    "missing-papers",
    "other",
]
STAGES = frozenset({"installed", "registered", "verified", "used"})
Code = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class Reached(BaseModel):
    """So many people newly at this stage in this visit."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    stage: Code
    people: Annotated[int, Field(ge=1, le=1000)]


class Guidance(BaseModel):
    """One digital service: shown or not, what came of it, or what stood in the way."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    digital_service: ServiceCode
    demonstrated: bool = False
    reached: Annotated[tuple[Reached, ...], Field(max_length=4)] = ()
    uses: Annotated[int, Field(ge=0, le=1000)] = 0
    obstacle: Obstacle | None = None
    helped_by_relative: bool = False


class GuidanceGiven(BaseModel):
    """Guidance with the stages of its service as they were known when it was recorded, so that counting
    needs no other source.
    """

    model_config = ConfigDict(frozen=True)

    digital_service: str
    stages: tuple[str, ...]
    demonstrated: bool = False
    reached: tuple[Reached, ...] = ()
    uses: int = 0
    obstacle: str | None = None
    helped_by_relative: bool = False


def check_alone(lines: Sequence[Guidance]) -> None:
    """What is wrong whatever the services are. Raises Rejected: listed-twice, stage-unknown."""
    check_once([line.digital_service for line in lines], "/guidance/{}/digital_service")
    for index, line in enumerate(lines):
        pointer = f"/guidance/{index}/reached/{{}}/stage"
        for number, reached in enumerate(line.reached):
            if reached.stage not in STAGES:
                raise Rejected("stage-unknown", pointer.format(number), stage=reached.stage)
        check_once([reached.stage for reached in line.reached], pointer)


def given(lines: Sequence[Guidance], registry: Known, *, day: date) -> tuple[GuidanceGiven, ...]:
    """Raises Rejected: stage-unknown, digital-service-retired; NotYet: digital-service-unknown."""
    return tuple(
        _given(line, registry, day=day, pointer=f"/guidance/{index}") for index, line in enumerate(lines)
    )


def _given(line: Guidance, registry: Known, *, day: date, pointer: str) -> GuidanceGiven:
    code = line.digital_service
    service = registry.services.get(code)
    if service is None:
        raise NotYet("digital-service-unknown", f"{pointer}/digital_service", digital_service=code)
    if service.retired_on is not None and day > service.retired_on:
        raise Rejected("digital-service-retired", f"{pointer}/digital_service", retired_on=service.retired_on)
    for number, reached in enumerate(line.reached):
        if reached.stage not in service.stages:
            raise Rejected("stage-unknown", f"{pointer}/reached/{number}/stage", stage=reached.stage)
    if line.uses and "used" not in service.stages:
        raise Rejected("stage-unknown", f"{pointer}/uses", stage="used")
    return GuidanceGiven(
        digital_service=code,
        stages=service.stages,
        demonstrated=line.demonstrated,
        reached=line.reached,
        uses=line.uses,
        obstacle=line.obstacle,
        helped_by_relative=line.helped_by_relative,
    )
