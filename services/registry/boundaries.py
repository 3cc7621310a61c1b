"""Outlines of communes, where there are any: those of Cà Mau and Ninh Bình since 2025-07-01."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from libs.service.hierarchy import Unit
from libs.service.problems import Problem

FIRST_DAY = date(2025, 7, 1)
"""The outlines are those of the set in force from this day on."""

_DIRECTORY = Path(__file__).parents[2] / "data" / "administrative-units"


def feature(unit: Unit) -> dict[str, Any]:
    """A GeoJSON feature (RFC 7946) with the unit's id. Raises Problem boundary-unknown."""
    outline = None
    if unit.level == "commune" and unit.status == "active" and unit.on >= FIRST_DAY:
        outline = _outlines().get(unit.code or "")
    if outline is None:
        raise Problem("boundary-unknown", f"{unit.unit_id} on {unit.on}")
    names = {"code": unit.code, "kind": unit.kind, "name": unit.name}
    return {"type": "Feature", "id": str(unit.unit_id), "properties": names, "geometry": outline}


@cache
def _outlines() -> dict[str, Any]:
    """Geometries by commune code."""
    return {
        feature["properties"]["code"]: feature["geometry"]
        for path in sorted(_DIRECTORY.glob("boundaries-*.geojson"))
        for feature in orjson.loads(path.read_bytes())["features"]
    }
