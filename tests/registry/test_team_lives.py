"""Whatever is asked of teams, members, sign-ins and campaigns, in whatever order: what must hold holds."""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from libs.events.decider import Command, Context, Refusal
from libs.events.event import Event
from services.registry.domain import DOMAIN, members
from services.registry.domain.campaigns import CampaignHeld, CancelCampaign, HoldCampaign, PlanCampaign
from services.registry.domain.known import Known
from services.registry.domain.members import AddMember, ChangeRole, LeaveTeam
from services.registry.domain.sign_ins import LinkedSignIn, LinkMember
from services.registry.domain.team_changes import DissolveTeam, MoveTeam, RenameTeam
from services.registry.domain.teams import FormTeam, Team
from services.registry.domain.training import AssignSpecialities, CompleteTraining
from tests.registry.lives import Lives
from tests.registry.province import COMMUNE, FAR_HAMLET, HAMLET, NEXT_HAMLET, UNITS
from tests.registry.test_members import SERVICES
from tests.specification import NOW, Specification

TODAY = date(2026, 11, 22)
TEAMS, MEMBERS, CAMPAIGNS = (
    tuple(UUID(int=number * 16 + kind) for number in range(3)) for kind in range(1, 4)
)
CODES = tuple(service.code for service in SERVICES)

days = st.integers(-14, 2).map(lambda number: TODAY + timedelta(days=number))
teams, people, campaigns = (st.sampled_from(ids) for ids in (TEAMS, MEMBERS, CAMPAIGNS))
roles = st.sampled_from(["leader", "deputy", "member"])
places = st.lists(
    st.sampled_from([unit.unit_id for unit in (HAMLET, NEXT_HAMLET, FAR_HAMLET, COMMUNE)]),
    min_size=1,
    max_size=2,
).map(tuple)

team_commands = st.one_of(
    st.builds(
        FormTeam,
        id=teams,
        name=st.just("Tổ"),
        decision_number=st.just("12/QĐ-UBND"),
        formed_on=days,
        unit_ids=places,
    ),
    st.builds(RenameTeam, id=teams, name=st.sampled_from(["Tổ", "Tổ 1", "Tổ 2"]), renamed_on=days),
    st.builds(MoveTeam, id=teams, unit_ids=places, moved_on=days),
)
dissolutions = st.builds(DissolveTeam, id=teams, dissolved_on=days, reason=st.just("merged"))
joining = st.builds(AddMember, id=people, team_id=teams, role=roles, joined_on=days)
changing = st.one_of(
    st.builds(ChangeRole, id=people, role=roles, changed_on=days),
    st.builds(LeaveTeam, id=people, left_on=days),
)
learning = st.one_of(
    st.builds(
        AssignSpecialities,
        id=people,
        digital_services=st.sampled_from([CODES[:2], CODES[1:], CODES]),
        assigned_on=days,
    ),
    st.builds(CompleteTraining, id=people, course=st.just("Kỹ năng số"), completed_on=days),
)
linking = st.builds(LinkMember, id=people, subject=st.sampled_from(["sub-1", "sub-2", None]))
campaigning = st.one_of(
    st.builds(
        PlanCampaign,
        id=campaigns,
        unit_id=st.just(COMMUNE.unit_id),
        team_ids=st.lists(teams, min_size=1, max_size=2).map(tuple),
        name=st.just("Ra quân"),
        day=days,
    ),
    st.builds(HoldCampaign, id=campaigns, held_on=st.none() | days),
    st.builds(CancelCampaign, id=campaigns, reason=st.just("rain")),
)


class TeamsAndMembers(RuleBasedStateMachine):
    """The domain with a log in memory: as the handler does, a command sees the streams that it names."""

    seen: Counter[str] = Counter()
    """Events by kind and refusals by code, over all runs: what never came up was not tried."""

    def __init__(self) -> None:
        super().__init__()
        given = (*UNITS, *SERVICES)
        self.states: dict[str, Any] = Specification(DOMAIN, *given).states
        self.events: list[Event] = []
        self.asked: list[Command] = []

    @initialize(ids=st.sets(teams, min_size=1), day=days)
    def begin(self, ids: set[UUID], day: date) -> None:
        """Most of what is worth trying needs a team, and people in it."""
        unit_ids = (HAMLET.unit_id,)
        for team_id in sorted(ids):
            self.ask(FormTeam(id=team_id, name="Tổ", decision_number="1", formed_on=day, unit_ids=unit_ids))
            self.ask(AddMember(id=MEMBERS[0], team_id=team_id, role="leader", joined_on=day))
            self.ask(AddMember(id=MEMBERS[1], team_id=team_id, role="member", joined_on=day))

    @rule(command=team_commands)
    def change_a_team(self, command: Command) -> None:
        self.ask(command)

    @rule(command=dissolutions)
    def dissolve(self, command: Command) -> None:
        self.ask(command)

    @rule(command=joining)
    def join(self, command: Command) -> None:
        self.ask(command)

    @rule(command=changing)
    def change(self, command: Command) -> None:
        self.ask(command)

    @rule(command=learning)
    def learn(self, command: Command) -> None:
        self.ask(command)

    @rule(command=linking)
    def link(self, command: Command) -> None:
        self.ask(command)

    @rule(command=campaigning)
    def campaign(self, command: Command) -> None:
        self.ask(command)

    @rule(team_id=teams, campaign_id=campaigns, day=days)
    def dissolve_before_a_campaign(self, team_id: UUID, campaign_id: UUID, day: date) -> None:
        """Of one team alone: by chance that hardly ever meets."""
        self.ask(
            PlanCampaign(
                id=campaign_id,
                unit_id=COMMUNE.unit_id,
                team_ids=(team_id,),
                name="Ra quân",
                day=TODAY + timedelta(days=1),
            )
        )
        self.ask(DissolveTeam(id=team_id, dissolved_on=day, reason="merged"))

    @rule(number=st.integers(0, 1000))
    def ask_again(self, number: int) -> None:
        """Under an id of its own, so that nothing recognises it as said before."""
        if self.asked:
            self.ask(self.asked[number % len(self.asked)])

    def ask(self, command: Command) -> None:
        self.asked.append(command)
        followed = command.follows(self.states.get(command.target()))
        streams = (command.target(), *command.relies_on(), *followed)
        lives = Lives(self.events)
        known = Known(last_days=lives.last_days(), last_campaigns=lives.last_campaigns())
        context = Context.at(NOW, known)
        try:
            happened = DOMAIN.decide(command, {name: self.states.get(name) for name in streams}, context)
        except Refusal as refusal:
            self.seen[refusal.code] += 1
            return
        for event in happened:
            name = event.stream()
            assert name in streams, "nothing is written that the decision did not see"
            self.states[name] = DOMAIN.evolve(self.states.get(name), event)
            self.seen[event.kind] += 1
            if isinstance(event, CampaignHeld):
                self.check_held(event, [self.states[name] for name in followed])
        self.events += happened

    def check_held(self, held: CampaignHeld, by: list[Team]) -> None:
        assert held.held_on <= TODAY
        assert any(team.formed_on <= held.held_on <= (team.dissolved_on or TODAY) for team in by)

    @invariant()
    def what_must_hold_holds(self) -> None:
        lives = Lives(self.events)
        lives.check()
        for subject, member_id in lives.member_of.items():
            assert self.states[f"sign-in/{subject}"] == LinkedSignIn(member_id)
        settled = Counter(
            event.stream() for event in self.events if event.kind in ("campaign-held", "campaign-cancelled")
        )
        assert all(times == 1 for times in settled.values()), "what became of a campaign is settled once"


RUN = settings(max_examples=60, stateful_step_count=40, deadline=None)
LONG = settings(RUN, max_examples=500, stateful_step_count=60)
TRIED = """
team-formed team-renamed team-moved team-dissolved leader-appointed leader-released member-joined member-left
member-role-changed member-linked sign-in-linked sign-in-released specialities-assigned training-completed
campaign-planned campaign-held campaign-cancelled

already-exists date-in-future listed-twice team-place-invalid team-across-communes team-unknown team-dissolved
before-last-change dissolved-before-members dissolved-before-campaign joined-before-team member-unknown
member-in-team membership-overlaps member-left before-joining team-has-leader sign-in-taken campaign-unknown
campaign-before-team campaign-held campaign-cancelled
"""


def test_teams_and_members_keep_what_must_hold(long: bool) -> None:
    TeamsAndMembers.seen.clear()
    run_state_machine_as_test(TeamsAndMembers, settings=LONG if long else RUN)
    if long:
        assert TeamsAndMembers.seen.keys() >= set(TRIED.split()), "every event and every refusal came up"


def _anybody_leads(*_: Any, **__: Any) -> list[Event]:
    return []


def _even_if_dissolved(states: Any, team_id: UUID, *, pointer: str | None) -> Team:
    team = states[f"team/{team_id}"]
    assert isinstance(team, Team)
    return team


@pytest.mark.parametrize(
    ("rule_taken_away", "instead"),
    [("_appointed", _anybody_leads), ("check_day", _anybody_leads), ("working_team", _even_if_dissolved)],
)
def test_the_machine_notices_a_rule_that_is_gone(
    monkeypatch: pytest.MonkeyPatch, rule_taken_away: str, instead: Callable[..., Any]
) -> None:
    """The positive control."""
    monkeypatch.setattr(members, rule_taken_away, instead)
    shrink_less = settings(
        RUN, max_examples=300, phases=(Phase.generate,), suppress_health_check=list(HealthCheck)
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(TeamsAndMembers, settings=shrink_less)
