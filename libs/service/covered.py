"""What somebody's role, token and team cover, as decisions compare it with what a command is about."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID


class Covered(NamedTuple):
    """`units` are those that an officer or auditor answers for, with all below. `teams` are those that one is
    a member of, and `team_units` where these work, with all below. `unlinked`: somebody who reaches their
    team only, and of whom nobody has heard yet which member they are.
    """

    everywhere: bool = False
    units: frozenset[UUID] = frozenset()
    teams: frozenset[UUID] = frozenset()
    team_units: frozenset[UUID] = frozenset()
    unlinked: bool = False

    @property
    def own_only(self) -> bool:
        """A member of a team, who answers for no unit."""
        return not self.everywhere and not self.units

    def unit(self, unit_id: UUID) -> bool:
        """Something that is in a unit: also for a team that works there."""
        return self.claims(unit_id) or unit_id in self.team_units

    def claims(self, unit_id: UUID) -> bool:
        """Something that is a unit's own, whichever teams work there."""
        return self.everywhere or unit_id in self.units

    def team(self, team_id: UUID, unit_ids: Iterable[UUID]) -> bool:
        """A team of one's own, or one that works in a unit that one answers for."""
        return self.everywhere or team_id in self.teams or not self.units.isdisjoint(unit_ids)


EVERYWHERE = Covered(everywhere=True)
