"""A log that was stored once: whoever changes what is counted must say so."""

from pathlib import Path

import pytest

from libs.events.envelope import decode
from libs.service.indicators import load_definitions
from services.metrics.domain import counting
from services.metrics.domain.counting import definition_hash
from tests.metrics.ledgers import Ledgers, ListFeed, records
from tests.metrics.logs import Logs

pytestmark = pytest.mark.asyncio(loop_scope="package")

STORED = [decode(line) for line in (Path(__file__).parent / "stored_log.jsonl").read_bytes().splitlines()]


async def test_a_stored_log_has_the_digest_that_it_always_had(ledgers: Ledgers) -> None:
    """When this fails and the change is meant: raise COUNTING_VERSION, then put the new digest here."""
    await ledgers.clear()
    for source in Logs().heads:
        events = [event for event in STORED if event.source == source]
        await ledgers.follow(Logs(), {source: len(events)}, feed=ListFeed(records(events)))
    cut = {source: sum(event.source == source for event in STORED) for source in Logs().heads}
    assert (counting.COUNTING_VERSION, await ledgers.digest(cut)) == (
        2,
        "sha256:45a792206ca25392318df261ae973c9b4bc28483761e28daaf038740e3378e27",
    )


async def test_a_definition_has_another_hash_when_it_or_the_counting_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = load_definitions()
    hashes = {code: definition_hash(one, before) for code, one in before.items()}
    monkeypatch.setattr(counting, "COUNTING_VERSION", 99)
    assert all(definition_hash(one, before) != hashes[code] for code, one in before.items())
