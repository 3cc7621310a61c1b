"""One cut has one digest whatever befell the ledger on the way: restarts, repeats, our mistakes, retries."""

from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.events import quarantine
from services.metrics.domain.counting import CannotCount
from tests.metrics.events import household, visit
from tests.metrics.histories import Fact, histories, registries
from tests.metrics.ledgers import Ledgers, ListFeed, records
from tests.metrics.logs import REGISTRY, VISITS, Logs
from tests.metrics.oracle import recount
from tests.metrics.test_ledger import PLACES

pytestmark = pytest.mark.asyncio(loop_scope="package")

MISTAKES = {
    "visits": "services.metrics.domain.visits._check",
    "members": "services.metrics.domain.subjects._said_of_member",
}


class Leg(NamedTuple):
    """One source comes so many events further, while what is `wrong` cannot be counted; before that the
    service is started again, or operators ask for a retry.
    """

    source: str
    further: int
    steps: list[int]
    wrong: frozenset[str]
    restart: bool
    retry: bool


legs = st.builds(
    Leg,
    st.sampled_from([REGISTRY, VISITS]),
    st.integers(3, 12),
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
    st.frozensets(st.sampled_from(["visits with guidance", "visits without", "members"]), max_size=2),
    st.booleans(),
    st.booleans(),
)


@given(histories(), registries(), st.lists(legs, min_size=2, max_size=12), st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_one_cut_has_one_digest_whatever_happens_on_the_way(
    ledgers: Ledgers, visited: list[Fact], registered: list[Fact], way: list[Leg], data: st.DataObject
) -> None:
    logs = Logs(*PLACES, *registered, *visited)
    cut = {source: data.draw(st.integers(0, head)) for source, head in logs.heads.items()}
    # Whatever waits is tried again when something more comes.
    logs.append(household("cuối", "ấp 1"), visit("v.cuối", "cuối", 6))
    logs.append(*PLACES[-1:])

    await ledgers.clear()
    await ledgers.follow(logs, cut)
    stopped_there = (await ledgers.rebuild(logs, verify_only=True)).digest_rebuilt
    await ledgers.follow(logs)
    assert await ledgers.digest(cut) == stopped_there, "as of a cut is what a rebuild finds that stops there"
    whole = await ledgers.digest(logs.heads)

    await ledgers.clear()
    at = {REGISTRY: 0, VISITS: 0}
    for leg in way:
        if leg.restart:
            ledgers.restart()
        if leg.retry:
            await quarantine.ask_for_retry(ledgers.owner)
        # The last event of each source is kept for the end.
        at[leg.source] = min(at[leg.source] + leg.further, logs.heads[leg.source] - 1)
        with pytest.MonkeyPatch.context() as mistake:
            _make(mistake, leg.wrong)
            feed = ListFeed(_repeated(records(logs.recorded(leg.source))), leg.steps)
            await ledgers.follow(logs, {leg.source: at[leg.source]}, feed=feed)
    ledgers.restart()
    await quarantine.ask_for_retry(ledgers.owner)
    await ledgers.follow(logs)
    assert not await quarantine.in_quarantine(ledgers.owner)
    assert await ledgers.digest(cut) == stopped_there
    assert await ledgers.digest(logs.heads) == whole
    assert await ledgers.lines(logs.heads) == recount(logs.raw)
    report = await ledgers.rebuild(logs)
    assert (report.equal, report.wrong_balances) == (True, 0)
    assert await ledgers.digest(cut) == stopped_there


def _repeated(found: list[Any]) -> list[Any]:
    return [*found[: len(found) // 2], *found]


def _make(mistake: pytest.MonkeyPatch, wrong: frozenset[str]) -> None:
    def check(guidance: Any) -> None:
        if ("visits with guidance" if guidance else "visits without") in wrong:
            raise CannotCount("a mistake")

    def fail(*_: Any) -> Any:
        raise CannotCount("a mistake")

    mistake.setattr(MISTAKES["visits"], check)
    if "members" in wrong:
        mistake.setattr(MISTAKES["members"], fail)
