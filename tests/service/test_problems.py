"""Every refusal has a code of the table, and is told as RFC 9457 says."""

import ast
import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import asyncpg
import pytest
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from libs.events.decider import Conflict, NotYet, Rejected
from libs.events.log import LogUnavailable, LogUnverified
from libs.service.problems import PROBLEMS, Problem, from_refusal, from_validation, language_of, problem_of

ROOT = Path(__file__).parents[2]
RAISERS = {"Problem", "Rejected", "NotYet", "Conflict", "Refusal", "Fault", "PydanticCustomError"}


def codes_in(tree: ast.AST) -> Iterator[str]:
    """The codes that a module refuses with, as far as they stand there as text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            called = node.func
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            if name in RAISERS:
                yield from _texts(node.args[0])


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def used() -> dict[str, Path]:
    modules = [path for top in ("libs", "services") for path in (ROOT / top).rglob("*.py")]
    return {code: path for path in modules for code in codes_in(ast.parse(path.read_text()))}


def test_every_code_that_is_used_is_in_the_table() -> None:
    found = used()
    assert len(found) > 50
    assert {code: str(path.relative_to(ROOT)) for code, path in found.items() if code not in PROBLEMS} == {}


def test_the_check_above_can_see_a_code() -> None:
    tree = ast.parse('raise Rejected("no-such-code", "/id")\nraise decider.NotYet("a" if x else "b")')
    assert list(codes_in(tree)) == ["no-such-code", "a", "b"]


def test_titles_are_there_in_both_languages_and_statuses_are_errors() -> None:
    for code, kind in PROBLEMS.items():
        assert code == code.lower() and " " not in code
        assert kind.title_vi and kind.title_en
        assert 400 <= kind.status < 600


def test_vietnamese_comes_first() -> None:
    problem = Problem("visit-in-future")
    assert problem.body("vi") == {
        "type": "urn:socai:problem:visit-in-future",
        "title": "Ngày thăm ở tương lai",
        "status": 422,
        "code": "visit-in-future",
    }
    assert problem.body("en")["title"] == "The visit is dated into the future"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "vi"),
        ("", "vi"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("vi,en;q=0.9", "vi"),
        ("en;q=0.5, vi-VN;q=0.8", "vi"),
        ("fr, en;q=0.1", "en"),
        ("en;q=nonsense", "vi"),
        ("*", "vi"),
    ],
)
def test_the_language_is_the_one_preferred(header: str | None, language: str) -> None:
    assert language_of(header) == language


def test_a_refusal_keeps_its_code_its_place_and_its_values() -> None:
    problem = from_refusal(Rejected("visit-in-future", "/occurred_on", today=date(2023, 5, 14)))
    assert problem.status == 422
    assert problem.errors == [
        {"pointer": "/occurred_on", "code": "visit-in-future", "detail": "today: 2023-05-14"}
    ]


def test_what_may_still_arrive_is_worth_another_try() -> None:
    problem = from_refusal(NotYet("household-unknown", "/household_id"))
    assert (problem.status, problem.headers["Retry-After"]) == (409, "1")


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (Conflict("version-conflict", version=3), "version-conflict", 412),
        (Conflict("command-id-reused"), "command-id-reused", 409),
        (LogUnavailable("away"), "database-unavailable", 503),
        (LogUnverified("restored"), "log-unverified", 503),
        (ConnectionRefusedError(), "database-unavailable", 503),
        (TimeoutError(), "database-unavailable", 503),
        (asyncpg.InterfaceError("connection is closed"), "database-unavailable", 503),
        (asyncpg.AdminShutdownError("terminating connection"), "database-unavailable", 503),
        (asyncpg.CannotConnectNowError("starting up"), "database-unavailable", 503),
    ],
)
def test_an_exception_has_its_problem(error: Exception, code: str, status: int) -> None:
    problem = problem_of(error)
    assert problem is not None
    assert (problem.code, problem.status) == (code, status)
    assert (status == 503) == ("Retry-After" in problem.headers)


@pytest.mark.parametrize("error", [ZeroDivisionError(), asyncpg.UndefinedTableError("no such table")])
def test_a_defect_is_nobody_elses_problem(error: Exception) -> None:
    assert problem_of(error) is None


Word = Annotated[str, StringConstraints(pattern="^[a-z-]+$")]


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    stage: str
    people: Annotated[int, Field(ge=1, le=1000)]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    id: UUID
    day: date
    lines: Annotated[tuple[Line, ...], Field(min_length=1)]
    mode: Literal["a", "b"] = "a"
    answers: dict[Word, Word | Annotated[int, Field(ge=0)] | bool] = {}


GOOD = {
    "id": "018f3c1e-7a3b-7c21-9f0e-0a1b2c3d4e5f",
    "day": "2023-05-14",
    "lines": [{"stage": "used", "people": 1}],
}


def problem_with(**changed: object) -> Problem:
    values = {name: value for name, value in {**GOOD, **changed}.items() if value != ...}
    body = json.dumps(values).encode()
    with pytest.raises(ValidationError) as failure:
        Form.model_validate_json(body)
    return from_validation(failure.value, body)


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"id": "no"}, "malformed-id", "/id"),
        ({"id": ...}, "field-missing", "/id"),
        ({"day": "14/05/2023"}, "malformed-date", "/day"),
        ({"day": "2023-02-30"}, "malformed-date", "/day"),
        ({"unit_id": "x"}, "field-unknown", "/unit_id"),
        ({"lines": []}, "list-too-short", "/lines"),
        ({"lines": 3}, "type-wrong", "/lines"),
        ({"lines": [{"stage": "used", "people": -1}]}, "number-too-small", "/lines/0/people"),
        ({"lines": [{"stage": "used", "people": 5000}]}, "number-too-large", "/lines/0/people"),
        ({"lines": [{"stage": "used", "people": "1"}]}, "type-wrong", "/lines/0/people"),
        ({"lines": [{"stage": "used", "people": 1.5}]}, "type-wrong", "/lines/0/people"),
        ({"lines": [{"stage": "used"}]}, "field-missing", "/lines/0/people"),
        ({"answers": {"a": "A b"}}, "text-malformed", "/answers/a"),
        ({"answers": {"a": -1}}, "number-too-small", "/answers/a"),
        ({"answers": {"a": [1]}}, "type-wrong", "/answers/a"),
        ({"answers": {"bool": None}}, "type-wrong", "/answers/bool"),
        ({"answers": {"A b": "a"}}, "text-malformed", "/answers/A b"),
        ({"answers": {"[key]": 1}}, "text-malformed", "/answers/[key]"),
    ],
)
def test_bad_input_is_pointed_at(changed: dict[str, object], code: str, pointer: str) -> None:
    problem = problem_with(**changed)
    assert (problem.code, problem.status) == (code, 422)
    assert [(error["pointer"], error["code"]) for error in problem.errors] == [(pointer, code)]


@pytest.mark.parametrize(
    ("changed", "vi", "en"),
    [
        ({"id": ...}, "Trường này là bắt buộc", "This field is required"),
        ({"id": "no"}, "Phải là UUID", "It must be a UUID"),
        ({"lines": []}, "Cần ít nhất 1 mục", "The number of items must be at least 1"),
        ({"lines": [{"stage": 1, "people": 1}]}, "Phải là văn bản", "It must be a text"),
        ({"lines": [{"stage": "a", "people": 0}]}, "Phải từ 1 trở lên", "It must be at least 1"),
        ({"lines": [{"stage": "a", "people": "1"}]}, "Phải là số nguyên", "It must be a whole number"),
        ({"mode": "x"}, "Phải là một trong các giá trị: 'a' hoặc 'b'", "It must be one of: 'a' or 'b'"),
        ({"answers": {"a": [1]}}, "Sai kiểu dữ liệu", "A value has the wrong type"),
        ({"answers": {"a": -1}}, "Phải từ 0 trở lên", "It must be at least 0"),
    ],
)
def test_what_is_wrong_with_a_field_is_said_in_both_languages(
    changed: dict[str, object], vi: str, en: str
) -> None:
    problem = problem_with(**changed)
    assert problem.body("vi")["errors"][0]["detail"] == vi
    assert problem.body("en")["errors"][0]["detail"] == en


def test_an_error_that_says_nothing_more_has_its_title() -> None:
    problem = from_refusal(Rejected("already-exists", "/id"))
    assert problem.body("vi")["errors"][0]["detail"] == "Đã có với nội dung khác"


def test_several_findings_of_different_kinds_are_invalid_input() -> None:
    problem = problem_with(id="no", day="no")
    assert problem.code == "invalid-input"
    assert {error["code"] for error in problem.errors} == {"malformed-id", "malformed-date"}


def test_the_input_is_not_repeated() -> None:
    body = problem_with(lines=[{"stage": "used", "people": 1, "bà Tư": "0912345678"}]).body("en")
    assert "0912345678" not in json.dumps(body)


def test_what_is_no_json_says_so() -> None:
    with pytest.raises(ValidationError) as failure:
        Form.model_validate_json(b'{"id": ')
    problem = from_validation(failure.value, b'{"id": ')
    assert (problem.code, problem.status) == ("not-json", 400)


def test_a_pointer_escapes_what_pointers_must() -> None:
    finding: Sequence[object] = [{"loc": ("a/b", "c~d", 0), "type": "missing", "msg": ""}]
    assert from_validation(finding).errors[0]["pointer"] == "/a~1b/c~0d/0"
