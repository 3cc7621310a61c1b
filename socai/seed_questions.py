"""What each figure of the articles is called in the API: phrases of data/seed-facts.json as KPI queries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Question:
    """`GET /v1/kpis` for one indicator, asked once per digital service where it names several.

    `at_least`: the answer is a spread, of which the values from this one on count; `range_of`: of which the
    least and the most are the answer. `parts`: numerator and denominator are. `month`: it is about the month
    of the day.
    """

    indicator: str
    digital_services: tuple[str, ...] = ()
    stage: str | None = None
    measure: str | None = None
    at_least: int | None = None
    range_of: bool = False
    parts: bool = False
    month: bool = False

    def queries(self) -> list[list[tuple[str, str]]]:
        options = [("indicator", self.indicator)]
        if self.stage:
            options.append(("stage", self.stage))
        if self.measure:
            options.append(("measure", self.measure))
        if not self.digital_services:
            return [options]
        return [[*options, ("digital_service", code)] for code in self.digital_services]

    def figures(self, item: Mapping[str, Any]) -> list[float | None]:
        """The numbers that an item of the answer says; None where something is missing."""
        if self.parts:
            return [item["numerator"], item["denominator"]]
        if self.range_of:
            return [item.get("least"), item.get("most")]
        return [self._figure(item)]

    def _figure(self, item: Mapping[str, Any]) -> float | None:
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


@dataclass(frozen=True, slots=True)
class TargetQuestion:
    """`GET /v1/targets` for one indicator. `cascaded`: for the hamlets of each commune that it was set for in
    the province, of which every one must have it.
    """

    indicator: str
    digital_service: str | None = None
    cascaded: bool = False

    def fits(self, target: Mapping[str, Any], due: str) -> bool:
        return (
            target["indicator"] == self.indicator
            and target["digital_service"] == self.digital_service
            and target["due"] == due
            and target["withdrawn"] is None
            and (target["cascaded_from"] is not None) == self.cascaded
        )


def _has(code: str, measure: str) -> Question:
    return Question("adoption", (code,), stage="registered", measure=measure)


QUESTIONS: dict[str, Question | TargetQuestion] = {
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
    "households of the model area (one street of the hamlet)": Question("households-registered"),
    "households with a needs survey / households": Question("households-surveyed-share"),
    "campaigns held in a month": Question("campaigns-held", month=True),
    "households reached by campaigns in a month": Question("households-reached-by-campaign", month=True),
    "applications each member specialises in": Question("members-by-specialities", range_of=True),
    "members of the commune team and the hamlet teams": Question("members"),
    "hamlets with a team": Question("hamlets-covered"),
    "hamlets with a team / hamlets": Question("hamlets-covered-share", parts=True),
    "communes with a team / communes": Question("communes-covered-share", parts=True),
    **{
        f"{phrase} (observed share)": Question(f"statistic.{code}-share")
        for phrase, code in (
            ("people with a digital identity", "digital-identity"),
            ("people with IT skills", "it-skills"),
            ("people of 15 and over with a bank payment account", "bank-account"),
            ("small and medium businesses in the support programme", "sme-support"),
            ("digital addresses notified", "digital-address"),
            ("population with 3G/4G coverage", "mobile-coverage"),
            ("online dossiers / dossiers", "online-dossiers"),
            ("dossiers paid online", "online-payment"),
            ("administrative procedures handled at the electronic one-stop shop", "one-stop-shop"),
            ("documents handled online", "online-documents"),
        )
    },
    "online dossiers / dossiers": Question("statistic.online-dossiers-share"),
    "online dossiers received in the year": Question("statistic.online-dossiers"),
    "digital addresses notified (observed)": Question("statistic.digital-addresses"),
    "people with a personal digital signature (observed)": Question("statistic.personal-signatures"),
    "target: households guided / households": TargetQuestion("households-guided-share"),
    "target: households guided / households, for each hamlet of the pilot communes (cascading)":
        TargetQuestion("households-guided-share", cascaded=True),
    "target: people of 15 and over who use e-payment / people of 15 and over":
        TargetQuestion("adoption-share", "vn.e-payment"),
    "target: businesses with e-invoices / businesses": TargetQuestion("adoption-share", "vn.e-invoice"),
    "target: people using online public services who are electronically identified / people using online"
    " public services": TargetQuestion("statistic.authenticated-users-share"),
    "target: working-age people trained / working-age people":
        TargetQuestion("statistic.working-age-trained-share"),
    "target: adults with a smartphone / adults": TargetQuestion("statistic.adults-with-smartphone-share"),
    "target: households with fibre broadband / households":
        TargetQuestion("statistic.households-with-fibre-share"),
}  # fmt: skip
"""By phrase: what answers it."""
