"""A day and a month as commands and queries write them: `2026-03-09`, `2026-03`, and nothing else."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 12, 31)
_FORM = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_MONTH_FORM = r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$"
_MALFORMED = "malformed-date", "a day is written YYYY-MM-DD, from 1900-01-01 to 2200-12-31"


class _Strict:
    """pydantic's own dates take numbers, too: "0" would be 1970-01-01. Commands come as JSON, in bulk, and
    are checked by pydantic's core alone; parameters of queries are Python's by then.
    """

    @staticmethod
    def __get_pydantic_core_schema__(_: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.str_schema(pattern=_FORM)
        found = core_schema.date_schema(strict=False, ge=FIRST_DAY, le=LAST_DAY)
        return core_schema.json_or_python_schema(
            json_schema=core_schema.custom_error_schema(
                core_schema.chain_schema([written, found]),
                custom_error_type=_MALFORMED[0],
                custom_error_message=_MALFORMED[1],
            ),
            python_schema=core_schema.no_info_plain_validator_function(day),
            serialization=core_schema.to_string_ser_schema(when_used="json"),
        )

    @staticmethod
    def __get_pydantic_json_schema__(_: CoreSchema, __: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "format": "date"}


def day(value: Any) -> date:
    """The day that a text names, or that it is already."""
    if isinstance(value, str) and len(value) == 10 and value[4] == "-" == value[7]:
        try:
            value = date.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError(*_MALFORMED) from None
    if not isinstance(value, date) or isinstance(value, datetime) or not FIRST_DAY <= value <= LAST_DAY:
        raise PydanticCustomError(*_MALFORMED)
    return value


Day = Annotated[date, _Strict]


class _StrictMonth:
    """A month stays the text that it is written as, in commands, events and answers."""

    @staticmethod
    def __get_pydantic_core_schema__(_: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.custom_error_schema(
            core_schema.str_schema(pattern=_MONTH_FORM, strict=True),
            custom_error_type="malformed-month",
            custom_error_message="a month is written YYYY-MM, from 1900-01 to 2199-12",
        )


Month = Annotated[str, _StrictMonth]


def first_day(month: str) -> date:
    """Of a Month; also how tables hold it."""
    return date(int(month[:4]), int(month[5:]), 1)


def last_day(month: str) -> date:
    """Of a Month."""
    first = first_day(month)
    return date(first.year + first.month // 12, first.month % 12 + 1, 1) - timedelta(days=1)
