"""A small province whose figures can be worked out by hand, and how tests ask for them."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from libs.events.migrations import migrate
from libs.service.settings import Settings
from services.metrics.migrations import DIRECTORIES
from socai.local.embedded import Embedded
from socai.local.keys import make_keys
from tests.metrics.events import (
    an_id,
    baseline,
    household,
    line,
    member,
    service,
    team,
    visit,
    void,
)
from tests.metrics.logs import Logs
from tests.metrics.topics import OWN_TOPIC, TOPICS, Published
from tests.metrics.units import unit
from tests.services import Answer, Client

VNEID, BOOKING, PUBLIC = "vn.vneid-2", "vn.medical-booking", "vn.online-public-services"
FIRST = "2025-06-30"

WORLD = [
    *[service(code) for code in (VNEID, BOOKING, PUBLIC)],
    unit("Cà Mau", "province", None, code="96", valid_from=FIRST),
    # Another province, for tests that add something.
    unit("Bạc Liêu", "province", None, code="95", valid_from=FIRST),
    unit("Hòa Bình", "commune", "Bạc Liêu", code="31801", valid_from=FIRST),
    # A code that looks like a province's: whoever asks for 96 does not mean this hamlet.
    unit("Bốn", "hamlet", "Hòa Bình", code="96", valid_from=FIRST),
    unit("Tân Hải", "commune", "Cà Mau", code="32001", valid_from=FIRST),
    unit("Phú Mỹ", "commune", "Cà Mau", code="32002", valid_from=FIRST),
    unit("1", "hamlet", "Tân Hải", valid_from=FIRST, kind="khóm"),
    unit("Hai", "hamlet", "Tân Hải", valid_from=FIRST),
    unit("Ba", "hamlet", "Phú Mỹ", valid_from=FIRST),
    team("tổ 1", "1", "2022-08-01"),
    team("tổ xã", "Phú Mỹ", "2022-09-01"),
    member("Lan", "tổ 1", "1", "2022-08-01"),
    member("Minh", "tổ 1", "1", "2023-02-10"),
    member("Hoa", "tổ xã", "Phú Mỹ", "2022-09-01"),
    baseline("1", 10, as_of="2022-01-01"),
    baseline("1", 16, as_of="2023-04-01"),
    baseline("Hai", 20, as_of="2022-01-01"),
    baseline("Phú Mỹ", 30, as_of="2022-01-01"),
    baseline("1", 44, as_of="2022-01-01", name="population"),
    *[household(f"1.{n}", "1", "2020-05-05") for n in range(4)],
    household("Hai.0", "Hai", "2020-05-05"),
    household("Ba.0", "Ba", "2020-05-05"),
    visit("v1", "1.0", "2023-01-10", line(VNEID, registered=2, verified=1)),
    visit("v2", "1.1", "2023-01-31", line(BOOKING, used=1, uses=3)),
    visit("v3", "1.0", "2023-02-01", line(VNEID, used=1), line(PUBLIC, obstacle="elderly")),
    visit("v4", "1.2", "2023-02-20", outcome="nobody-home"),
    visit("v5", "Hai.0", "2023-03-15", line(VNEID, registered=1), line(BOOKING, obstacle="elderly")),
    visit("v6", "Ba.0", "2023-06-30", line(PUBLIC, registered=4, used=1), line(VNEID, obstacle="no-signal")),
    # Entered late, and void: both are a later cut's.
    visit("v7", "1.1", "2023-01-05", line(BOOKING, used=2)),
    visit("v8", "1.3", "2023-01-06", line(VNEID, installed=1)),
    void("v8", "1.3"),
]
"""Of visits: six households at positions 1–6, visits v1–v6 at 7–12, v7 13, v8 14, its void 15."""


async def settings_on(stack: Embedded, keys_directory: Path) -> Settings:
    """A migrated database, and topics."""
    database = await asyncio.to_thread(stack.create_database, "metrics")
    await migrate(database.owner_url, "socai_app", DIRECTORIES)
    for topic in (*TOPICS.values(), OWN_TOPIC):
        await asyncio.to_thread(stack.create_topic, topic)
    made = make_keys(keys_directory, "93")
    keys = {name.lower(): value for name, value in made.items()}
    return Settings.model_validate(
        {
            "socai_province": "93",
            "kafka_bootstrap": stack.bootstrap,
            "metrics_database_url": database.app_url,
            "metrics_owner_database_url": database.owner_url,
            **keys,
        }
    )


@dataclass
class Figures:
    """The service, and the topics that feed it. `after` includes everything published so far."""

    client: Client
    published: Published
    after: dict[str, str]

    @property
    def logs(self) -> Logs:
        return self.published.logs

    async def add(self, *facts: tuple[str, dict[str, Any]]) -> None:
        self.logs.append(*facts)
        self.after = await self.published.publish()

    async def up_to_date(self) -> bool:
        return "behind" not in (await self.item("visits"))["warnings"]

    async def ask(
        self,
        *,
        unit: str | None = "96@2025-06-30",
        to: str | None = "2023-06-30",
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> Answer:
        """`by="month"`, `digital_service=[…]`; `from` is `since`."""
        if "since" in query:
            query["from"] = query.pop("since")
        asked = {"unit": unit, "to": to, **query}
        text = urlencode({name: value for name, value in asked.items() if value is not None}, doseq=True)
        return await self.client.get(f"/v1/kpis?{text}", headers=self.after | (headers or {}))

    async def items(self, indicator: str | list[str], **query: Any) -> list[dict[str, Any]]:
        answer = await self.ask(indicator=indicator, **query)
        assert answer.status == 200, answer.body
        items: list[dict[str, Any]] = answer.body["items"]
        return items

    async def item(self, indicator: str, **query: Any) -> dict[str, Any]:
        (item,) = await self.items(indicator, **query)
        return item

    async def value(self, indicator: str, **query: Any) -> float | None:
        value: float | None = (await self.item(indicator, **query))["value"]
        return value

    async def refusal(self, **query: Any) -> tuple[int, str, str | None]:
        """Status, code, and the pointer of the first error."""
        answer = await self.ask(**query)
        errors = answer.body.get("errors") or [{}]
        return answer.status, answer.body["code"], errors[0].get("pointer")


HAMLET, OTHER = an_id("1"), an_id("Hai")
