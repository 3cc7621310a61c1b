"""A reason and a telephone number are the same in every service."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

import services.registry.domain.text as registry
import services.visits.domain.text as visits


def accepted(kind: Any, text: str) -> bool:
    try:
        TypeAdapter(kind).validate_python(text)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("service", [registry, visits])
@pytest.mark.parametrize("text", ["nhầm hộ", "  ghi nhầm.  ", "2", "Ấ", "hai dòng\nlý do"])
def test_a_reason_says_something(service: Any, text: str) -> None:
    assert accepted(service.Reason, text)


@pytest.mark.parametrize("service", [registry, visits])
@pytest.mark.parametrize("text", ["", "  ", "\t\n", "…", "- - -", "a\x00b", "x" * 501])
def test_a_reason_has_a_letter_or_a_digit(service: Any, text: str) -> None:
    assert not accepted(service.Reason, text)


@pytest.mark.parametrize("service", [registry, visits])
@pytest.mark.parametrize(
    "text", ["0900123461", " 0900 123 461 ", "+84 (900) 123.461", "(0290) 3-831-234", "19001234", "1" * 15]
)
def test_a_telephone_number_is_written_in_many_ways(service: Any, text: str) -> None:
    assert accepted(service.Phone, text)


@pytest.mark.parametrize("service", [registry, visits])
@pytest.mark.parametrize(
    "text",
    ["", "2023-05-14", "0900123", "1" * 16, "gọi 0900123461", "0900+123461", "0900 123\n461", "٠٩٠٠١٢٣٤٦١"],
)
def test_what_is_no_telephone_number(service: Any, text: str) -> None:
    assert not accepted(service.Phone, text)
