"""Whether log, topics and figures fit what the clients of a load were promised."""

import asyncio
from collections.abc import Sequence

from socai.local.system import System
from tests.e2e.evidence import LOGS, figures, read_log, read_topic, source_of
from tests.e2e.loads import RunningLoad
from tests.e2e.reckoning import figure_findings, log_findings, recount, topic_findings
from tests.e2e.small_province import SmallProvince, read_after
from tests.services import Client


class Books:
    """Opened before a load, to know what was there already."""

    def __init__(self, system: System, known: dict[str, set[str]]) -> None:
        self._system = system
        self._known = known

    @classmethod
    async def opened(cls, system: System) -> "Books":
        logs = {service: await read_log(system, service) for service in LOGS}
        return cls(system, {service: {row.command_id for row in log} for service, log in logs.items()})

    async def must_balance(
        self, client: Client, province: SmallProvince, loads: Sequence[RunningLoad]
    ) -> dict[str, int]:
        """Fails with every finding; else answers how much was compared."""
        told = [load.told for load in loads if load.told]
        acknowledged = [receipt for load in loads for receipt in load.acknowledged()]
        sent = {command_id for each in told for command_id in each.sent}
        logs = {service: await read_log(self._system, service) for service in LOGS}
        # To metrics leads no way but the topics: when it has everything, so have they.
        after = read_after({source_of(service): len(log) for service, log in logs.items()})
        answered, _ = await figures(client, province.units[0].id, after)
        findings = [f"unexpected: {answer}" for each in told for answer in each.unexpected]
        findings += [
            f"{each} was sent and never acknowledged" for each in sent - {a[0] for a in acknowledged}
        ]
        for service, log in logs.items():
            records = await read_topic(self._system, service)
            known = self._known[service] | sent
            findings += await asyncio.to_thread(log_findings, source_of(service), log, acknowledged, known)
            findings += await asyncio.to_thread(topic_findings, log, records)
        findings += figure_findings(recount(logs["visits"]), answered)
        assert not findings, f"{len(findings)} findings: " + "; ".join(findings[:20])
        return {"acknowledged": len(acknowledged), **{name: len(log) for name, log in logs.items()}}
