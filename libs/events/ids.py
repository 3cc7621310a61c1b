"""Identifiers that everybody can work out alone."""

from uuid import NAMESPACE_URL, UUID, uuid5

ADMINISTRATIVE_UNITS = uuid5(NAMESPACE_URL, "https://socai.vn/administrative-unit")


def national_unit_id(level: str, code: str, first_day: str) -> UUID:
    """The id of a unit with a national code: UUIDv5 of level, code and first day (YYYY-MM-DD), so that every
    province and the ministry agree on it without asking. Codes alone are reused.
    """
    return uuid5(ADMINISTRATIVE_UNITS, f"{level}/{code}/{first_day}")
