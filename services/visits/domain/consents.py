"""On what basis personal fields of a household may be kept: its consent, or a law."""

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar, Literal, assert_never
from uuid import UUID

from msgspec.structs import replace

from libs.events.day import Day
from libs.events.decider import Command, Context, Rejected, States
from libs.events.event import Event
from services.visits.domain.erasure import erased
from services.visits.domain.households import (
    Household,
    RegisterHousehold,
    absorbed_streams,
    household_stream,
    known_household,
)
from services.visits.domain.text import Reference


class RecordConsent(Command):
    """Records that a household consents, or takes that back. The household, or the law, says yes (`given`) or
    the household takes its consent back, as of `on`.

    `reference` names the paper or the provision, never a person.
    """

    kind: ClassVar[str] = "consent-household"
    writes_all: ClassVar[bool] = True

    id: UUID
    given: bool
    on: Day
    basis: Literal["consent", "legal"] = "consent"
    reference: Reference | None = None

    def target(self) -> str:
        return household_stream(self.id)

    def follows(self, state: Any) -> tuple[str, ...]:
        return () if self.given else absorbed_streams(state)


class ConsentGiven(Event):
    kind: ClassVar[str] = "consent-given"

    household_id: UUID
    given_on: date
    basis: Literal["consent", "legal"]
    reference: str | None = None

    def stream(self) -> str:
        return household_stream(self.household_id)


class ConsentWithdrawn(Event):
    kind: ClassVar[str] = "consent-withdrawn"

    household_id: UUID
    withdrawn_on: date

    def stream(self) -> str:
        return household_stream(self.household_id)


ConsentEvent = ConsentGiven | ConsentWithdrawn


def evolve(state: Household, event: ConsentEvent) -> Household:
    match event:
        case ConsentGiven():
            return replace(state, basis=event.basis, reference=event.reference, given_on=event.given_on)
        case ConsentWithdrawn():
            return replace(state, basis=None, reference=None, given_on=None)
        case _:
            assert_never(event)


def decide(command: RecordConsent, states: States, context: Context) -> Sequence[Event]:
    """Absorbed and closed households have personal fields, too, so they may still say so. Whoever takes their
    consent back is erased with it, and the households that they absorbed.

    Raises Rejected: date-in-future, consent-not-given, withdrawn-before-given; NotYet: household-unknown.
    """
    household = known_household(states, command.id)
    if command.on > context.today:
        raise Rejected("date-in-future", "/on")
    if command.given:
        asked = (command.basis, command.reference, command.on)
        if asked == (household.basis, household.reference, household.given_on):
            return []
        return [
            ConsentGiven(
                household_id=command.id,
                given_on=command.on,
                basis=command.basis,
                reference=command.reference,
            )
        ]
    if household.basis != "consent" or household.given_on is None:
        raise Rejected("consent-not-given", "/given", basis=household.basis)
    if command.on < household.given_on:
        raise Rejected("withdrawn-before-given", "/on", given_on=household.given_on)
    return [
        ConsentWithdrawn(household_id=command.id, withdrawn_on=command.on),
        *erased(command.id, states, reason="consent withdrawn"),
    ]


def with_registration(command: RegisterHousehold, context: Context) -> list[Event]:
    """The consent that came with a household. Raises Rejected: date-in-future."""
    if command.consent is None:
        return []
    if command.consent.on > context.today:
        raise Rejected("date-in-future", "/consent/on")
    return [
        ConsentGiven(
            household_id=command.id,
            given_on=command.consent.on,
            basis=command.consent.basis,
            reference=command.consent.reference,
        )
    ]
