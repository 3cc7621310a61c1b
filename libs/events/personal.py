"""What happens to personal data in every service that keeps some: it is read, and it is erased."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import StringConstraints

from libs.events.decider import Command
from libs.events.event import Event

Purpose = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=40)]


class PersonalDataErased(Event):
    """The key of `subject` is destroyed, whatever was sealed under it; nothing of it is kept any more. Stands
    in the subject's own stream.
    """

    kind: ClassVar[str] = "personal-data-erased"

    subject: str
    reason: str

    def stream(self) -> str:
        return self.subject


class SealedDataRead(Event):
    """Somebody (the event's actor) was shown sealed fields of so many subjects, in one answer."""

    kind: ClassVar[str] = "sealed-data-read"

    reading_id: UUID
    purpose: str
    subjects: int
    unit_id: UUID | None = None
    household_id: UUID | None = None

    def stream(self) -> str:
        return reading_stream(self.reading_id)


class RecordReading(Command):
    """Said by a service itself before an answer with opened fields leaves; no client may send it."""

    kind: ClassVar[str] = "record-reading"
    creates: ClassVar[bool] = True

    id: UUID
    purpose: Purpose
    subjects: int
    unit_id: UUID | None = None
    household_id: UUID | None = None

    def target(self) -> str:
        return reading_stream(self.id)


def reading_stream(reading_id: UUID) -> str:
    return f"reading/{reading_id}"


def read(command: RecordReading) -> list[Event]:
    return [
        SealedDataRead(
            reading_id=command.id,
            purpose=command.purpose,
            subjects=command.subjects,
            unit_id=command.unit_id,
            household_id=command.household_id,
        )
    ]
