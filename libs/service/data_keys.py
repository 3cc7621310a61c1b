"""The keys of a service's sealed fields, as its settings say where they are."""

from pathlib import Path

import libs.events
from libs.events.key_store import KeyStore
from libs.events.log import Log
from libs.events.master_keys import MasterKeys
from libs.service.settings import Settings, SettingsError

MIGRATIONS = [Path(libs.events.__file__).parent / "sql" / "keys"]


def key_store(settings: Settings, service: str, log: Log) -> KeyStore:
    """Raises SettingsError."""
    return KeyStore(settings.keys_database_url(service), master_keys(settings), log, log.source)


def master_keys(settings: Settings) -> MasterKeys:
    """Raises SettingsError, which does not repeat them."""
    try:
        return MasterKeys.parse(settings.need("socai_master_key"))
    except ValueError as error:
        raise SettingsError("SOCAI_MASTER_KEY", str(error)) from None
