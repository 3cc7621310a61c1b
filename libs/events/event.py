"""What every event of a service's domain is."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field


class Event(BaseModel):
    """A fact in the past. Its fields are the `data` of the published CloudEvent, so they only ever gain
    optional ones; anything else is a new `version` with an upcaster.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    kind: ClassVar[str]
    """The last part of the event type without its version, such as `visit-recorded`."""
    version: ClassVar[int] = 1

    def stream(self) -> str:
        """The stream the event belongs to, such as `visit/018f…`: the CloudEvents `subject`."""
        raise NotImplementedError


class SealedEvent(Event):
    """An event with personal fields. Decisions put them into `personal`, in clear; the handler puts `sealed`
    in their place before anything is written or hashed. `personal` is never serialised and never shown.
    """

    sealed: str | None = None
    """A JWE over the personal fields that were said with this event; fields said before stay as they were."""
    personal: Mapping[str, str | None] | None = Field(default=None, exclude=True, repr=False)

    def sealed_for(self) -> str:
        """The subject under whose key the fields are sealed: a household's or a member's stream."""
        raise NotImplementedError


def type_of(service: str, event: Event | type[Event]) -> str:
    """The CloudEvents type: `vn.socai.visits.visit-recorded.v1`."""
    return f"vn.socai.{service}.{event.kind}.v{event.version}"


def types_of(service: str, *events: type[Event]) -> dict[str, type[Event]]:
    """Every event class by its CloudEvents type, for `Domain.events`."""
    return {type_of(service, event): event for event in events}
