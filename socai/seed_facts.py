"""`socai seed-facts`: asks the running system for the figures of the articles."""

import asyncio
import math
import operator
import unicodedata
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
import typer

from socai.data import DATA
from socai.gateway_client import Gateway, Refused
from socai.operator_token import JsonOption, TokenOption, gateway_url, tokens
from socai.seed_questions import QUESTIONS, TargetQuestion

app = typer.Typer()

# Shares come as decimals of a division.
_RELATIONS: dict[str, Callable[[float, Any], bool]] = {
    "=": lambda answered, value: math.isclose(answered, value, abs_tol=1e-9),
    "<": operator.lt,
    ">": operator.gt,
    ">=": operator.ge,
    "between": lambda answered, value: value[0] <= answered <= value[1],
}


@dataclass(frozen=True, slots=True)
class Checked:
    """A fact beside what the system says; `ok` is None where nothing answers it, and `why` says so."""

    fact: str
    source: str
    expected: str
    answered: list[float | None]
    ok: bool | None
    why: str = ""
    warnings: tuple[str, ...] = ()


class NotAnswered(Exception):
    """There is no indicator, unit or route for it yet; the message says which."""


@app.command()
def seed_facts(
    source: Annotated[str | None, typer.Option(help="only the facts of this article")] = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Asks the gateway for every figure in the articles. Exit code 1 if one differs or is not answered."""
    facts = orjson.loads((DATA / "seed-facts.json").read_bytes())["facts"]
    sources = sorted({fact["source"] for fact in facts})
    if source is not None and source not in sources:
        raise typer.BadParameter(f"there are no facts of {source!r}; there are of {', '.join(sources)}")
    asked = [fact for fact in facts if source in (None, fact["source"])]
    try:
        checked = asyncio.run(_check(asked, token))
    except Refused as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(orjson.dumps([_plain(one) for one in checked]))
    else:
        typer.echo("\n".join(_table(checked)))
    if not all(one.ok for one in checked):
        raise typer.Exit(1)


async def _check(facts: Sequence[dict[str, Any]], token: str | None) -> list[Checked]:
    async with Gateway(gateway_url(), tokens(token, role="auditor"), patience=5.0) as gateway:
        return [await _check_one(gateway, fact) for fact in facts]


async def _check_one(gateway: Gateway, fact: dict[str, Any]) -> Checked:
    expected = expectation(fact)
    try:
        answered, warnings = await ask(gateway, fact)
    except NotAnswered as error:
        return Checked(fact["id"], fact["source"], expected, [], None, str(error))
    ok = agrees(fact, answered)
    return Checked(fact["id"], fact["source"], expected, answered, ok, warnings=warnings)


async def ask(gateway: Gateway, fact: dict[str, Any]) -> tuple[list[float | None], tuple[str, ...]]:
    """What the system says to the fact's question, and its warnings. Raises NotAnswered, Refused, Away."""
    question = QUESTIONS[fact["indicator"]]
    if isinstance(question, TargetQuestion):
        return await _ask_targets(gateway, question, fact), ()
    await _must_have_teams(gateway, fact)
    unit = await _unit(gateway, fact)
    period = [("to", fact["on"])]
    if question.month:
        period.append(("from", f"{fact['on'][:8]}01"))
    answered: list[float | None] = []
    warnings: dict[str, None] = {}
    for query in question.queries():
        answer = await _get(gateway, "/v1/kpis", [*query, ("unit", unit), *period])
        (item,) = answer["items"]
        answered += question.figures(item)
        warnings |= dict.fromkeys(item.get("warnings") or ())
    return answered, tuple(warnings)


async def _ask_targets(
    gateway: Gateway, question: TargetQuestion, fact: dict[str, Any]
) -> list[float | None]:
    """Of a target that cascaded, None for each hamlet that does not have it."""
    if not question.cascaded:
        found = await _targets(gateway, question, fact, [("unit", await _unit(gateway, fact))])
        return [target["value"] for target in found] or [None]
    having = {target["unit_id"]: target for target in await _targets(gateway, question, fact, [])}
    hamlets = [
        hamlet["id"]
        for commune in sorted({target["cascaded_from"] for target in having.values()})
        async for hamlet in _pages(
            gateway, "/v1/units", [("parent", commune), ("level", "hamlet"), ("on", _day(fact))]
        )
    ]
    return [having[hamlet]["value"] if hamlet in having else None for hamlet in hamlets] or [None]


async def _targets(
    gateway: Gateway, question: TargetQuestion, fact: dict[str, Any], where: list[tuple[str, str]]
) -> list[dict[str, Any]]:
    query = [("indicator", question.indicator), *where]
    return [
        target async for target in _pages(gateway, "/v1/targets", query) if question.fits(target, fact["due"])
    ]


async def _pages(gateway: Gateway, path: str, query: list[tuple[str, str]]) -> AsyncIterator[dict[str, Any]]:
    cursor: str | None = ""
    while cursor is not None:
        more = [("cursor", cursor)] if cursor else []
        answer = await _get(gateway, path, [*query, ("limit", "1000"), *more])
        for item in answer["items"]:
            yield item
        cursor = answer["next"]


def _day(fact: dict[str, Any]) -> str:
    """The day on which its unit is meant."""
    day: str = fact.get("unit_on") or fact.get("on") or fact["due"]
    return day


async def _get(gateway: Gateway, path: str, query: list[tuple[str, str]]) -> Any:
    """A route or a unit that is not there leaves this one fact open; a token that is refused ends it all."""
    try:
        return await gateway.get(path, query)
    except Refused as refused:
        if refused.status in (401, 403):
            raise
        raise NotAnswered(str(refused)) from None


async def _must_have_teams(gateway: Gateway, fact: dict[str, Any]) -> None:
    """Without a team in the province, nought is not a wrong figure: the article's scenario is not loaded."""
    place = f"{fact['unit']['province']}@{fact['on']}"
    if not (await _get(gateway, "/v1/teams", [("unit", place), ("limit", "1")]))["items"]:
        raise NotAnswered(f"there is no team in province {fact['unit']['province']}")


async def _unit(gateway: Gateway, fact: dict[str, Any]) -> str:
    """The unit by its code, or step by step by name where the article gives only that."""
    named, day = fact["unit"], _day(fact)
    unit = f"{named.get('district') or named['province']}@{day}"
    for level in ("commune", "hamlet", "area"):
        if level in named:
            unit = await _below(gateway, parent=unit, level=level, full_name=named[level], day=day)
    return unit


_KINDS = ("thị trấn", "phường", "xã", "ấp", "khóm", "khu dân cư điện tử")


async def _below(gateway: Gateway, *, parent: str, level: str, full_name: str, day: str) -> str:
    """The id of the one unit of that name; `full_name` starts with the kind, in lower case."""
    kind = next(k for k in _KINDS if full_name.startswith(f"{k} "))
    query = [("parent", parent), ("level", level), ("q", full_name[len(kind) + 1 :]), ("on", day)]
    same = [
        unit["id"]
        async for unit in _pages(gateway, "/v1/units", query)
        if _folded(unit["full_name"]) == _folded(full_name)
    ]
    if len(same) != 1:
        raise NotAnswered(f"there are {len(same)} units called {full_name} in {parent}")
    return str(same[0])


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def agrees(fact: dict[str, Any], answered: Sequence[float | None]) -> bool:
    """Whether every number of the answer satisfies the fact; where it names a pair, each its own number."""
    if fact["relation"] == "=" and isinstance(fact["value"], list):
        return list(answered) == fact["value"]
    return all(value is not None and holds(fact, value) for value in answered)


def holds(fact: dict[str, Any], answered: float) -> bool:
    """Whether a figure satisfies the fact's relation and bounds."""
    if "round" in fact:
        answered = round(answered, fact["round"])
    if not fact.get("above", float("-inf")) < answered < fact.get("below", float("inf")):
        return False
    return _RELATIONS[fact["relation"]](answered, fact["value"])


def expectation(fact: dict[str, Any]) -> str:
    value = fact["value"]
    pair = " of " if fact["relation"] == "=" else " to "
    number = pair.join(_number(part) for part in value) if isinstance(value, list) else _number(value)
    parts = [f"{fact['relation']} {number}"]
    parts += [
        f"{sign} {_number(fact[name])}" for name, sign in (("above", ">"), ("below", "<")) if name in fact
    ]
    if "round" in fact:
        parts.append(f"rounded to {fact['round']} places")
    return ", ".join(parts)


def _number(value: float | None) -> str:
    if value is None:
        return "missing"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


def _verdict(one: Checked) -> str:
    return "not answered" if one.ok is None else "ok" if one.ok else "DIFFERS"


def _table(checked: Sequence[Checked]) -> list[str]:
    rows = [("fact", "expected", "answered", "ok")]
    for one in checked:
        answered = "; ".join(_number(value) for value in one.answered) or "–"
        missing = f" ({', '.join(one.warnings)})" if None in one.answered and one.warnings else ""
        note = f": {one.why}" if one.why else missing
        rows.append((one.fact, one.expected, answered, _verdict(one) + note))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    ]
    counts = [f"{sum(1 for one in checked if _verdict(one) == 'ok')} of {len(checked)} ok"]
    for verdict, said in (("DIFFERS", "differ"), ("not answered", "not answered")):
        if count := sum(1 for one in checked if _verdict(one) == verdict):
            counts += [f"{count} {said}"]
    return [*lines, ", ".join(counts)]


def _plain(one: Checked) -> dict[str, Any]:
    return {
        "fact": one.fact,
        "source": one.source,
        "expected": one.expected,
        "answered": one.answered,
        "ok": one.ok,
        "why": one.why,
        "warnings": one.warnings,
    }
