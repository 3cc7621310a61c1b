"""The keys of logs: the private one that signs a service's own, the public ones of those it follows."""

from pathlib import Path

from libs.events.checkpoint import Signer, Verifier, origin_of, read_seed
from libs.service.settings import Settings, SettingsError


def signer(settings: Settings, source: str) -> Signer:
    """Signs the checkpoints of the service's own log. Raises SettingsError."""
    try:
        return Signer(origin_of(source), read_seed(Path(settings.need("socai_signing_key_file"))))
    except (OSError, ValueError) as error:
        raise SettingsError("SOCAI_SIGNING_KEY_FILE", str(error)) from None


def verifier(settings: Settings, source: str) -> Verifier:
    """Knows the key that signs the checkpoints of a log that the service follows. Raises SettingsError."""
    path = Path(settings.need("socai_log_keys"))
    try:
        keys = [Verifier.parse(line) for line in path.read_text().splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise SettingsError("SOCAI_LOG_KEYS", str(error)) from None
    for key in keys:
        if key.name == origin_of(source):
            return key
    raise SettingsError("SOCAI_LOG_KEYS", f"has no key of {origin_of(source)}")
