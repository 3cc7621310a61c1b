"""How answers are described: models of what services answer. They are read by the description of the API and
by tests only; no answer is made or checked with them when the system runs.
"""

from datetime import date, datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, RootModel, WithJsonSchema

from libs.service.indicators import Level
from libs.service.labels import catalogues
from libs.service.problem_table import PROBLEMS

T = TypeVar("T")

Cut = dict[str, int]
"""By source, the position up to which its log is included."""

PROVINCE = "5f0c5b0e-7a51-5c1e-9a1c-4d2a7f0e9601"
COMMUNE = "5f0c5b0e-7a51-5c1e-9a1c-4d2a7f0e9602"
HAMLET = "5f0c5b0e-7a51-5c1e-9a1c-4d2a7f0e9603"
TEAM = "01890a5d-ac96-774b-bcce-b302099a8057"
MEMBER = "01890a5d-ac96-774b-bcce-b302099a8058"
HOUSEHOLD = "01890a5d-ac96-774b-bcce-b302099a8059"
VISIT = "01890a5d-ac96-774b-bcce-b302099a805a"
COMMAND = "01890a5d-ac96-774b-bcce-b302099a805b"
"""Ids of the examples: one invented team and what it has to do with."""
TIME = "2023-05-14T03:20:11.482913Z"


class Answer(BaseModel):
    """Closed: what a model does not name is not answered."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


def one_of(vocabulary: str) -> WithJsonSchema:
    """Of a text that is a code of `GET /v1/vocabularies`: `Annotated[str, one_of("stages")]`."""
    return WithJsonSchema({"type": "string", "enum": [entry["code"] for entry in catalogues()[vocabulary]]})


def example(value: dict[str, Any]) -> ConfigDict:
    """For `model_config`."""
    return ConfigDict(json_schema_extra={"examples": [value]})


def absent() -> Any:
    """The default of a field that is left out where there is nothing to say."""
    return Field(default_factory=lambda: None)


class Page(Answer, Generic[T]):
    items: list[T]
    next: str | None
    """Give it as `cursor` to get the next page; null on the last one."""


class Names(Answer):
    """What something is called in Vietnamese and English."""

    model_config = example({"vi": "Đã sử dụng", "en": "Used"})

    vi: str
    en: str


class UnitName(Answer):
    """An administrative unit, as it is called on the day that the answer is about."""

    model_config = example({"id": PROVINCE, "code": "96", "level": "province", "full_name": "Tỉnh Cà Mau"})

    id: UUID
    code: str | None
    """The official code; hamlets and areas may have none."""
    level: Level
    full_name: str
    """Kind and name, in Vietnamese."""


class CatalogueEvent(Answer):
    """Something that happened: what was said, when, and by whom."""

    model_config = example(
        {
            "event": "digital-service-listed",
            "version": 1,
            "time": TIME,
            "by": "officer",
            "position": 42,
            "data": {"code": "vn.vneid-2"},
        }
    )

    event: str
    """The kind of the event."""
    version: int
    """Of the thing, after this event."""
    time: datetime
    """When the log took it."""
    by: str
    """The sign-in that sent it."""
    position: int
    """In its source's log."""
    data: dict[str, Any]
    """What the event says, as it is in the log; sealed fields are not among it."""


class Receipt(Answer):
    """Where a write stands in the log."""

    model_config = example(
        {"source": "/vn/96/visits", "position": 291034, "leaf_hash": "9f" * 32, "command_id": COMMAND}
    )

    source: str
    """The log that it is in."""
    position: int
    """The place of the write's last event, for Read-After. Of a write that changed nothing, which has no
    event: where the log ended when that was answered; a repeat of it may say a later place."""
    leaf_hash: str | None = Field(pattern="^[0-9a-f]{64}$")
    """Of that event, in hex; null for a write that changed nothing."""
    command_id: UUID


class Difference(Answer):
    """A field that is not as it was; null where the resource says nothing about it."""

    model_config = example({"pointer": "/size", "before": 4, "now": 5})

    pointer: str
    """A JSON pointer into the resource."""
    before: Any
    """In the version that was expected."""
    now: Any


class Current(Answer):
    """Who changed the resource last, when, and what differs from the version that was read."""

    model_config = example(
        {
            "version": 3,
            "by": "officer",
            "at": TIME,
            "differences": [{"pointer": "/size", "before": 4, "now": 5}],
        }
    )

    version: int
    """0: it does not exist."""
    by: str = absent()
    """The sign-in."""
    at: datetime = absent()
    differences: list[Difference] = absent()
    """Left out where the version that was expected has never been."""


class ProblemCode(RootModel[str]):
    """What programs decide by; `GET /v1/vocabularies` has the labels."""

    model_config = ConfigDict(json_schema_extra={"enum": list[Any](sorted(PROBLEMS))})


class ProblemError(Answer):
    """One place of the request that is wrong."""

    model_config = example(
        {"pointer": "/occurred_on", "code": "visit-in-future", "detail": "Ngày thăm ở tương lai"}
    )

    pointer: str
    """A JSON pointer (RFC 6901) into the body, or `/query/NAME`, `/path/NAME`."""
    code: ProblemCode
    detail: str
    """In the language of the answer, where it is not the value itself."""


class Problem(Answer):
    """Why a request was not answered (RFC 9457)."""

    model_config = example(
        {
            "type": "urn:socai:problem:visit-in-future",
            "title": "Ngày thăm ở tương lai",
            "status": 422,
            "code": "visit-in-future",
            "errors": [
                {"pointer": "/occurred_on", "code": "visit-in-future", "detail": "Ngày thăm ở tương lai"}
            ],
        }
    )

    type: str = Field(pattern="^urn:socai:problem:")
    title: str
    """What the code means, in the language of Accept-Language."""
    status: int
    """Of HTTP, also in the results of a batch."""
    code: ProblemCode
    detail: str = absent()
    """About this case."""
    errors: list[ProblemError] = absent()
    current: Current = absent()
    """Of a version conflict."""


class CommandAccepted(Answer):
    """What a write came to."""

    model_config = example(
        {
            "id": VISIT,
            "version": 1,
            "receipt": {
                "source": "/vn/96/visits",
                "position": 291034,
                "leaf_hash": "9f" * 32,
                "command_id": COMMAND,
            },
        }
    )

    id: str
    """Of the resource; a code where it has one. Of a closing or an activity sheet: its unit and month."""
    version: int
    """Of the resource, after it."""
    receipt: Receipt
    repeated: Literal[True] = absent()
    """The command had been accepted before; nothing changed."""
    dropped: list[str] = absent()
    """Personal fields that were not kept: nobody has consented, or the data were erased."""


class CommandResult(Answer):
    """What one command of a batch came to."""

    model_config = example(
        {
            "id": COMMAND,
            "status": "accepted",
            "version": 1,
            "receipt": {
                "source": "/vn/96/visits",
                "position": 291034,
                "leaf_hash": "9f" * 32,
                "command_id": COMMAND,
            },
        }
    )

    id: str | None
    """The command's own, as it was sent; null where it named none."""
    status: Literal["accepted", "repeated", "retry", "conflict", "rejected"]
    """`retry`: keep it and send it again, since something it refers to may still arrive, or somebody else was
    writing. `conflict`: somebody else changed what it is about. `rejected`: never acceptable as it is."""
    version: int = absent()
    """Of the resource, where the command was accepted."""
    receipt: Receipt = absent()
    dropped: list[str] = absent()
    """Personal fields that were not kept: nobody has consented, or the data were erased."""
    problem: Problem = absent()
    """Where it was not accepted."""
    current: Current = absent()
    """Of a conflict about a version."""


class CommandResults(Answer):
    """One result for each command, in order."""

    results: list[CommandResult]


class Period(Answer):
    """Days of Vietnam, both included."""

    model_config = example({"from": None, "to": "2023-06-30"})

    since: date | None = Field(alias="from")
    """Null: from the beginning on."""
    until: date = Field(alias="to")
