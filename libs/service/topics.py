"""What the API is about, in the order in which people read its description."""

from typing import NamedTuple


class Topic(NamedTuple):
    """`paths`: what the paths under it begin with, `/v1/` left out; the longest beginning counts."""

    name: str
    description: str
    paths: tuple[str, ...]


TOPICS = (
    Topic("Me", "Who is signed in, and what they may do.", ("me",)),
    Topic("Units", "Administrative units through time, and their reorganisations.", ("units", "reorgan")),
    Topic("Teams", "Community digital technology teams and their members.", ("teams", "members")),
    Topic("Campaigns", "Days on which teams reach many households.", ("campaigns",)),
    Topic("Households", "Households, their surveys, consent and personal data.", ("households",)),
    Topic("Visits", "What teams did with households.", ("visits", "exports/visits")),
    Topic("Devices", "What a device needs offline, and what it brings back.", ("sync", "teams/{id}/bundle")),
    Topic("Figures", "KPIs, what makes them, and tables of them.", ("kpis", "exports/kpis", "statements")),
    Topic("Closings", "Months that are submitted and approved.", ("closings",)),
    Topic("Activity sheets", "What members did in a month.", ("activity-sheets", "exports/activity")),
    Topic(
        "Reference figures", "Denominators, outside figures, aims.", ("baselines", "statistics", "targets")
    ),
    Topic("Catalogues", "Digital services, indicators, vocabularies.", ("digital", "indicators", "vocab")),
    Topic("Bulk", "Up to a thousand commands at once.", ("registry/bulk",)),
    Topic("Audit", "Who did what, when and why.", ("audit",)),
    Topic("Operation", "How the services are.", ("status",)),
)


def topic_of(template: str) -> str | None:
    """The name of the topic that a path belongs to."""
    path = template.removeprefix("/v1/")
    found = [(len(each), topic.name) for topic in TOPICS for each in topic.paths if path.startswith(each)]
    return max(found)[1] if found else None
