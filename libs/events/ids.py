"""Identifiers that everybody can work out alone."""

from uuid import NAMESPACE_URL, UUID, uuid5

ADMINISTRATIVE_UNITS = uuid5(NAMESPACE_URL, "https://socai.vn/administrative-unit")

_LEVEL_BY_DIGITS = {2: "province", 3: "district", 5: "commune"}


def national_unit_id(level: str, code: str, first_day: str) -> UUID:
    """The id of a unit with a national code: UUIDv5 of level, code and first day (YYYY-MM-DD), so that every
    province and the ministry agree on it without asking. Codes alone are reused.
    """
    return uuid5(ADMINISTRATIVE_UNITS, f"{level}/{code}/{first_day}")


def national_level(code: str) -> str | None:
    """The level that national codes like this one belong to: two digits a province, three a district, five a
    commune. None: no national code.
    """
    return _LEVEL_BY_DIGITS.get(len(code)) if code.isascii() and code.isdecimal() else None
