"""What each figure of the articles is called in the API: phrases of data/seed-facts.json as KPI queries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Question:
    """`GET /v1/kpis` for one indicator, asked once per digital service where it names several.

    `at_least`: the answer is a spread, of which the values from this one on count.
    """

    indicator: str
    digital_services: tuple[str, ...] = ()
    stage: str | None = None
    measure: str | None = None
    at_least: int | None = None

    def queries(self) -> list[list[tuple[str, str]]]:
        options = [("indicator", self.indicator)]
        if self.stage:
            options.append(("stage", self.stage))
        if self.measure:
            options.append(("measure", self.measure))
        if not self.digital_services:
            return [options]
        return [[*options, ("digital_service", code)] for code in self.digital_services]

    def figure(self, item: Mapping[str, Any]) -> float | None:
        """The number that an item of the answer says; None where something is missing."""
        if self.at_least is None:
            value: float | None = item["value"]
            # The value of a share is rounded; its parts are not.
            if value is not None and item.get("denominator"):
                return float(item["numerator"]) / float(item["denominator"])
            return value
        spread: Mapping[str, int] | None = item.get("spread")
        if spread is None:
            return None
        return sum(count for value, count in spread.items() if int(value) >= self.at_least)


def _has(code: str, measure: str) -> Question:
    return Question("adoption", (code,), stage="registered", measure=measure)


QUESTIONS = {
    "teams": Question("teams"),
    "members": Question("members"),
    "households guided": Question("households-guided"),
    "households guided / households": Question("households-guided-share"),
    # Only hamlets with a team have declared their households, so the declared share is the share among them.
    "households guided / households in hamlets with a team": Question("households-guided-share"),
    "households with an application installed / households": Question("households-with-app-share"),
    "households with an online public service account": _has("vn.online-public-services", "households"),
    "households with an e-commerce seller account": _has("vn.e-commerce-seller", "households"),
    "households with an e-payment account": _has("vn.e-payment", "households"),
    "people with an e-payment account": _has("vn.e-payment", "people"),
    "people with an e-commerce seller account": _has("vn.e-commerce-seller", "people"),
    "people with a vnCare health record": _has("vn.health-record", "people"),
    "medical bookings made (uses)": Question(
        "adoption", ("vn.medical-booking",), stage="used", measure="uses"
    ),
    "people who used / people who registered (online public services; e-payment)": Question(
        "usage-gap", ("vn.online-public-services", "vn.e-payment"), measure="people"
    ),
    "households visited at least 4 times": Question("households-by-visits", at_least=4),
    "households visited at least 5 times": Question("households-by-visits", at_least=5),
}
"""What is not in here, no indicator answers yet."""
