"""What teams show people, and what stands in the way: the lines of the visits to one household."""

from collections.abc import Sequence
from functools import cache
from random import Random

from socai.scenarios.households import Residents
from socai.scenarios.story import CAMAU_G, E_PAYMENT, HEALTH_RECORD, PUBLIC_SERVICES, SELLER

Reached = tuple[tuple[str, int], ...]


@cache
def line(
    code: str,
    reached: Reached = (),
    uses: int = 0,
    obstacle: str = "",
    relative: bool = False,
    shown: bool = True,
) -> str:
    """One line of guidance as JSON. Cached: there are few different ones among hundreds of thousands."""
    parts = [f'"digital_service":"{code}","demonstrated":{"true" if shown else "false"}']
    if reached:
        stages = ",".join(f'{{"stage":"{stage}","people":{people}}}' for stage, people in reached)
        parts.append(f'"reached":[{stages}]')
    if uses:
        parts.append(f'"uses":{uses}')
    if obstacle:
        parts.append(f'"obstacle":"{obstacle}"')
    if relative:
        parts.append('"helped_by_relative":true')
    return "{" + ",".join(parts) + "}"


_REGISTERED: tuple[str, ...] = ("registered",)
# Whoever uses an account has been verified; every stage that is passed is entered.
_VERIFIED: tuple[str, ...] = ("registered", "verified")

# What is shown besides: service, share of the guided households, stages, share of those that use it.
_BESIDES: tuple[tuple[str, float, tuple[str, ...], float], ...] = (
    ("vn.vneid-2", 0.34, ("installed", "registered", "verified"), 0.3),
    ("vn.hamlet-zalo-group", 0.22, ("registered",), 0.0),
    ("vn.utility-bills", 0.14, ("registered",), 0.6),
    ("vn.social-insurance", 0.12, ("installed", "registered"), 0.3),
    ("vn.school-link", 0.08, ("installed", "registered"), 0.5),
    ("96.field-feedback", 0.04, (), 1.0),
)
# Why an application or an account did not come about, as the articles tell it.
_DEVICE = ("low-storage", "low-storage", "low-storage", "weak-phone", "weak-phone", "elderly",
           "no-smartphone", "no-signal", "no-need")  # fmt: skip
_PAYMENT = ("afraid-of-online-risk", "afraid-of-online-risk", "afraid-of-online-risk", "no-need", "elderly",
            "missing-papers")  # fmt: skip


def lines(rng: Random, one: Residents, i: int, meetings: int) -> list[list[str]]:
    """The lines of each meeting with household i, in order; every meeting has one at least.

    An account comes at one meeting and is used at that one or a later one, so that the stages of a household
    add up to what the plan gave it whatever the number of meetings.
    """
    random = rng.random
    of_meeting: list[list[str]] = [[] for _ in range(meetings)]
    relative = random() < 0.06

    def reach(code: str, stages: tuple[str, ...], people: int, uses: int) -> None:
        first = int(random() * meetings)
        later = first + int(random() * (meetings - first)) if uses and stages else first
        reached = tuple((stage, people) for stage in stages)
        if later > first:
            of_meeting[later].append(line(code, (("used", 1),), uses, "", relative))
            uses = 0
        elif uses:
            reached = (*reached, ("used", 1))
        of_meeting[first].append(line(code, reached, uses, "", relative))

    if people := one.people[CAMAU_G.code][i]:
        reach(CAMAU_G.code, ("installed", "registered"), people, int(i in one.using[CAMAU_G.code]))
    elif random() < 0.5:
        of_meeting[0].append(line(CAMAU_G.code, obstacle=_DEVICE[int(random() * len(_DEVICE))]))
    if people := one.people[PUBLIC_SERVICES.code][i]:
        users = i in one.using[PUBLIC_SERVICES.code]
        stages = _VERIFIED if users or random() < 0.4 else _REGISTERED
        reach(PUBLIC_SERVICES.code, stages, people, 1 + int(random() * 2) if users else 0)
    if people := one.people[E_PAYMENT.code][i]:
        users = i in one.using[E_PAYMENT.code]
        stages = _VERIFIED if users or random() < 0.5 else _REGISTERED
        reach(E_PAYMENT.code, stages, people, 1 + int(random() * 3) if users else 0)
    elif random() < 0.3:
        of_meeting[-1].append(line(E_PAYMENT.code, obstacle=_PAYMENT[int(random() * len(_PAYMENT))]))
    if people := one.people[SELLER.code][i]:
        reach(SELLER.code, _REGISTERED, people, int(i in one.using[SELLER.code]))
    if people := one.people[HEALTH_RECORD.code][i]:
        uses = int(i in one.using[HEALTH_RECORD.code])
        reach(HEALTH_RECORD.code, ("installed", "registered"), people, uses)
        if bookings := one.bookings[i]:
            reach("vn.medical-booking", (), 0, bookings)
    for code, share, stages, using in _BESIDES:
        if random() < share:
            reach(code, stages, 1 + int(random() < 0.3 and one.over_15[i] > 1), int(random() < using))
    for meeting in of_meeting:
        if not meeting:
            meeting.append(_persuasion(random(), random()))
    return of_meeting


def _persuasion(which: float, why: float) -> str:
    """A meeting after which nothing new was there: shown again, or what hindered it."""
    code, obstacles = (CAMAU_G.code, _DEVICE) if which < 0.6 else (E_PAYMENT.code, _PAYMENT)
    return line(code, obstacle=obstacles[int(why * len(obstacles))])


def hindrance(rng: Random) -> str:
    """A meeting at which nothing could be shown."""
    return line(CAMAU_G.code, obstacle=_DEVICE[int(rng.random() * len(_DEVICE))], shown=False)


def as_json(lines_: Sequence[str]) -> str:
    return "[" + ",".join(lines_) + "]"
