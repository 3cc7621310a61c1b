"""What the gateway answers itself, for the description of the API."""

from datetime import datetime
from typing import Any, Literal

from pydantic import create_model

from libs.service.answer_models import Answer, Cut, Names, absent, example
from libs.service.labels import catalogues


class VocabularyEntry(Answer):
    """A code, and what it is called."""

    model_config = example(
        {"code": "used", "label": "Đã sử dụng", "labels": {"vi": "Đã sử dụng", "en": "Used"}}
    )

    code: str
    label: str
    """In the language of the answer."""
    labels: Names


_ENTRIES: dict[str, Any] = dict.fromkeys((*catalogues(), "problems"), (list[VocabularyEntry], ...))
Vocabularies = create_model(
    "Vocabularies",
    __base__=Answer,
    __doc__="The codes of every vocabulary, in the order in which people are shown them.",
    **_ENTRIES,
)


class LogStatus(Answer):
    """The log of a service."""

    source: str
    position: int | None
    """Of its last event; null where its database does not answer."""
    distrusted_because: str | None
    """Why nothing may be appended; null: all is well."""


class RelayStatus(Answer):
    """What sends the log's events to their topic."""

    source: str
    topic: str
    state: str
    active: bool
    position: int
    """The last one known to be on the topic."""
    lag: int
    """Events that are not there yet."""
    checkpoint: int
    """How many events the last signed checkpoint is over."""
    last_error: str | None


class KeysStatus(Answer):
    """The keys of personal data."""

    state: str
    erasures_done: int
    """The position up to which the log's erasures have been carried out."""
    last_error: str | None


class Gap(Answer):
    """Something is missing in a source."""

    after: int
    """The position behind which it is."""
    since: datetime


class ConsumerStatus(Answer):
    """What follows a source."""

    consumer: str
    source: str
    state: str
    position: int
    """The last one that it has applied."""
    lag: int
    """Events that are known to follow."""
    gap: Gap | None
    quarantined: int
    """Events that could not be applied, with those that wait behind them."""
    last_error: str | None


class Verification(Answer):
    """The last comparison of the ledger with the topics."""

    time: datetime
    cut: Cut | None
    well: bool | None
    """Null where nobody can tell, because events were in quarantine."""
    switched: bool
    """The ledger was replaced by the one that was rebuilt."""
    failed: str | None
    """Why it could not be made."""


class ServiceStatus(Answer):
    """How one service is. Of one that cannot be reached, only that."""

    service: Literal["registry", "visits", "metrics"]
    reachable: bool
    log: LogStatus = absent()
    relay: RelayStatus = absent()
    keys: KeysStatus = absent()
    consumers: list[ConsumerStatus] = absent()
    verified: Verification | None = absent()
    """Of metrics only; null before the first time."""


class SystemStatus(Answer):
    """How every service is."""

    model_config = example({"services": [{"service": "visits", "reachable": False}]})

    services: list[ServiceStatus]
