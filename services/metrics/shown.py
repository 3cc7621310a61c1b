"""How figures look in an answer."""

from typing import Any

from services.metrics.reckoning import Item


def item_shown(item: Item) -> dict[str, Any]:
    line, unit, figure = item.line, item.part.unit, item.figure
    shown: dict[str, Any] = {
        "indicator": line.definition.code,
        "definition": item.definition,
        **({"of": line.of.definition.code} if line.of else {}),
        **dict[str, str](line.dimensions.items()),
        "unit": {"id": unit.id, "code": unit.code, "level": unit.level, "full_name": unit.full_name},
        "period": {"from": figure.since, "to": figure.until or item.period.last},
        "value": figure.value,
        "numerator": figure.numerator,
        "denominator": figure.denominator,
        "target": figure.target and {"value": float(figure.target.value), "due": figure.target.due},
        "warnings": list(item.warnings),
    }
    if item.cut is not None:
        shown["cut"] = dict(sorted(item.cut.items()))
    if item.part.rest:
        # What belongs to the unit itself, or to parts of another level: without it the parts do not add up.
        shown["rest"] = True
    if figure.spread is not None:
        values = [int(value) for value in figure.spread]
        shown |= {
            "spread": figure.spread,
            "least": min(values, default=None),
            "most": max(values, default=None),
        }
    return shown
