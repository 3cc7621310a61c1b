"""Invented members of a team: how many lead, and which organisations they are of."""

from collections.abc import Sequence
from datetime import date
from random import Random

from socai.scenarios.chance import pick, uuid7
from socai.scenarios.steps import command

ORGANISATIONS = ("youth-union", "youth-union", "womens-union", "farmers-union", "veterans",
                 "police-project-06", "post-telecom", "school", "other")  # fmt: skip
"""Of members who lead nothing, by how often they are met."""


def add_members(rng: Random, team_id: str, *, count: int, joined_on: date, head: str) -> list[bytes]:
    """The leader first, into whose team the others come. `head`: the leader's organisation."""
    commands = []
    for number in range(count):
        role = ("leader", "deputy")[number] if number < 2 else "member"
        organisations: Sequence[str] = (
            ((head,), ("party-cell",))[number] if number < 2 else (pick(rng, ORGANISATIONS),)
        )
        id_ = uuid7(rng, joined_on.toordinal())
        body = {
            "id": id_,
            "team_id": team_id,
            "role": role,
            "organisations": organisations,
            "joined_on": joined_on.isoformat(),
        }
        commands.append(command(id_, "add-member", body))
    return commands
