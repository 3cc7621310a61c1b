"""The scenarios by name: what each is about, and the chapters that follow the year of Cà Mau."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from socai.scenarios import khom_6, pilot, reform, thanh_liem, thoi_binh
from socai.scenarios.plan import NAME, Plan
from socai.scenarios.steps import Step

Chapter = Callable[[Plan], Iterator[Step]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Every scenario begins with the year of Cà Mau; `chapters` are sent after it, in order."""

    about: str
    chapters: tuple[Chapter, ...]


SCENARIOS = {
    NAME: Scenario(
        "a year of Cà Mau's teams, June 2022 to June 2023: 364 teams, 132,930 households, 152,000 visits",
        (pilot.steps,),
    ),
    "phuong-1-khom-6": Scenario(
        "that year, with the model area of khóm 6 in phường 1: 188 households, all asked and all guided",
        (pilot.steps, khom_6.steps),
    ),
    "thoi-binh": Scenario(
        "that year, with the town of Thới Bình: specialities, and two campaigns a month",
        (pilot.steps, thoi_binh.steps),
    ),
    "thanh-liem-2024": Scenario(
        "that year, and the district of Thanh Liêm in 2024: 117 teams, statistics and targets",
        (pilot.steps, thanh_liem.steps),
    ),
    "reform-2025": Scenario(
        "all of these, and then the reform of administrative units on 2025-07-01",
        (pilot.steps, khom_6.steps, thoi_binh.steps, thanh_liem.steps, reform.steps),
    ),
}
