"""What is said of bad input, by pydantic's words for it, in Vietnamese and English."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Text(NamedTuple):
    """A sentence in both languages."""

    vi: str
    en: str


_TEXTS = {
    "missing": Text("Trường này là bắt buộc", "This field is required"),
    "extra_forbidden": Text("Không có trường này", "There is no such field"),
    "string_too_short": Text(
        "Cần ít nhất {min_length} ký tự", "The number of characters must be at least {min_length}"
    ),
    "string_too_long": Text(
        "Nhiều nhất {max_length} ký tự", "The number of characters must be at most {max_length}"
    ),
    "too_short": Text("Cần ít nhất {min_length} mục", "The number of items must be at least {min_length}"),
    "too_long": Text("Nhiều nhất {max_length} mục", "The number of items must be at most {max_length}"),
    "greater_than": Text("Phải lớn hơn {gt}", "It must be greater than {gt}"),
    "greater_than_equal": Text("Phải từ {ge} trở lên", "It must be at least {ge}"),
    "less_than": Text("Phải nhỏ hơn {lt}", "It must be less than {lt}"),
    "less_than_equal": Text("Phải từ {le} trở xuống", "It must be at most {le}"),
    "decimal_max_digits": Text(
        "Nhiều nhất {max_digits} chữ số", "The number of digits must be at most {max_digits}"
    ),
    "decimal_max_places": Text(
        "Nhiều nhất {decimal_places} chữ số thập phân",
        "The number of decimal places must be at most {decimal_places}",
    ),
    "decimal_whole_digits": Text("Số quá lớn", "The number is too large"),
    "int_parsing_size": Text("Số quá lớn", "The number is too large"),
    "string_pattern_mismatch": Text("Không đúng dạng yêu cầu", "It does not have the required form"),
    "literal_error": Text("Phải là một trong các giá trị: {expected}", "It must be one of: {expected}"),
    "enum": Text("Phải là một trong các giá trị: {expected}", "It must be one of: {expected}"),
    "malformed-date": Text(
        "Ngày được viết YYYY-MM-DD, từ 1900-01-01 đến 2200-12-31",
        "A day is written YYYY-MM-DD, from 1900-01-01 to 2200-12-31",
    ),
    "malformed-month": Text(
        "Tháng được viết YYYY-MM, từ 1900-01 đến 2199-12",
        "A month is written YYYY-MM, from 1900-01 to 2199-12",
    ),
}
_BY_PREFIX = {
    "string_type": Text("Phải là văn bản", "It must be a text"),
    "int_": Text("Phải là số nguyên", "It must be a whole number"),
    "float_": Text("Phải là số", "It must be a number"),
    "decimal_": Text("Phải là số", "It must be a number"),
    "bool_": Text("Phải là true hoặc false", "It must be true or false"),
    "list_type": Text("Phải là danh sách", "It must be a list"),
    "tuple_type": Text("Phải là danh sách", "It must be a list"),
    "dict_type": Text("Phải là đối tượng JSON", "It must be a JSON object"),
    "model_": Text("Phải là đối tượng JSON", "It must be a JSON object"),
    "uuid_": Text("Phải là UUID", "It must be a UUID"),
    "date_": _TEXTS["malformed-date"],
}


def text_of(found: str, context: Mapping[str, Any]) -> Text | None:
    """What is said of a finding of pydantic's with its context; None where its code's title says enough."""
    text = _TEXTS.get(found)
    if text is None:
        return next((text for prefix, text in _BY_PREFIX.items() if found.startswith(prefix)), None)
    values = {name: str(value) for name, value in context.items()}
    local = {name: value.replace(" or ", " hoặc ") for name, value in values.items()}
    return Text(text.vi.format_map(local), text.en.format_map(values))
