"""Figures as tables that officers open: what `GET /kpis` answers, as CSV or as a workbook."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from libs.service.indicators import Definition, Part
from libs.service.labels import LANGUAGES, label
from libs.service.sheets import Cell, Share, Sheet
from services.metrics import cut as cuts
from services.metrics.domain.counting import definition_hash
from services.metrics.kpis import Reckoned
from services.metrics.question import Question
from services.metrics.reckoning import Item
from services.metrics.shown import item_shown

_COLUMNS: Mapping[str, tuple[str, str, int]] = {
    "indicator": ("Mã chỉ tiêu", "Indicator code", 26),
    "name": ("Chỉ tiêu", "Indicator", 40),
    "of": ("Mục tiêu của chỉ tiêu", "Target of", 26),
    "digital_service": ("Dịch vụ số", "Digital service", 26),
    "stage": ("Mức độ", "Stage", 14),
    "measure": ("Đơn vị tính", "Measure", 14),
    "obstacle": ("Khó khăn", "Obstacle", 24),
    "organisation": ("Tổ chức, đoàn thể", "Organisation", 24),
    "label": ("Nội dung", "Label", 24),
    "group": ("Nhóm", "Group", 8),
    "code": ("Mã đơn vị", "Unit code", 10),
    "level": ("Cấp", "Level", 18),
    "unit": ("Đơn vị", "Unit", 30),
    "from": ("Từ ngày", "From", 12),
    "to": ("Đến ngày", "To", 12),
    "value": ("Số liệu", "Figure", 12),
    "numerator": ("Tử số", "Numerator", 12),
    "denominator": ("Mẫu số", "Denominator", 12),
    "target": ("Mục tiêu", "Target", 12),
    "due": ("Hạn", "Due", 12),
    "warnings": ("Cảnh báo", "Warnings", 44),
    "cut": ("Điểm chốt", "Cut", 40),
    "definition": ("Mã định nghĩa", "Definition", 24),
}
"""What columns are called in Vietnamese and English, and how wide they are."""
_DIMENSIONS = ("digital_service", "stage", "measure", "obstacle", "organisation", "label")
_ONLY_IF_ANY = ("of", *_DIMENSIONS, "group", "cut")
_LABELLED = {
    "stage": "stages",
    "measure": "measures",
    "obstacle": "obstacles",
    "organisation": "organisations",
}
_FIGURES = ("Số liệu", "Figures")
_BASIS = ("Cơ sở của số liệu", "What they rest on")
_REST = ("còn lại", "rest")
_RESTS_ON: Mapping[str, tuple[str, str]] = {
    "boundaries": ("Địa giới ngày", "Boundaries of"),
    "as_of": ("Biết đến thời điểm", "As known at"),
    "basis": ("Loại số liệu", "Basis"),
    "current": ("hiện tại", "current"),
    "approved": ("đã duyệt", "approved"),
    "cut": ("Điểm chốt", "Cut"),
    "version": ("Phiên bản", "Version"),
    "kind": ("Cách tính", "Kind"),
    "hash": ("Mã định nghĩa", "Hash of the definition"),
}


class FigureTable:
    """An answer in one language. `rows` are made one after the other."""

    def __init__(self, found: Reckoned, question: Question, language: str) -> None:
        self._found = found
        self._question = question
        self.language = language
        self._index = LANGUAGES.index(language)
        names = {name for item in found.items for name in _only_if_any(item)}
        self._columns = [name for name in _COLUMNS if name in names or name not in _ONLY_IF_ANY]

    @property
    def words(self) -> Sequence[object]:
        """What the file is called."""
        root = self._found.reckoning.hierarchy.root
        return [_FIGURES[self._index], root.full_name, self._question.since, self._question.last]

    @property
    def header(self) -> list[str]:
        return [self._title(name) for name in self._columns]

    def rows(self) -> Iterator[list[Cell]]:
        """A spread has a row for each of its values."""
        for item in self._found.items:
            cells = self._cells(item)
            groups = item.figure.spread or {}
            for group, count in groups.items():
                cells |= {"group": int(group), "value": count}
                yield [cells.get(name) for name in self._columns]
            if not groups:
                yield [cells.get(name) for name in self._columns]

    def _title(self, column: str) -> str:
        return _COLUMNS[column][:2][self._index]

    def sheets(self) -> list[Sheet]:
        figures = Sheet(
            _FIGURES[self._index],
            [_COLUMNS[name][2] for name in self._columns],
            self.rows(),
            self.header,
        )
        return [figures, Sheet(_BASIS[self._index], (28, 44, 12, 20, 70, 34, 34), self._rests_on())]

    def _cells(self, item: Item) -> dict[str, Cell]:
        shown, figure, unit = item_shown(item), item.figure, item.part.unit
        definition = item.line.definition
        rest = f" ({_REST[self._index]})" if item.part.rest else ""
        cells: dict[str, Cell] = {
            "indicator": definition.code,
            "name": definition.names[self.language],
            "of": shown.get("of"),
            "digital_service": shown.get("digital_service"),
            "label": shown.get("label"),
            "code": unit.code,
            "level": label("unit_levels", unit.level, self.language),
            "unit": unit.full_name + rest,
            "from": shown["period"]["from"],
            "to": shown["period"]["to"],
            "value": _number(figure.value, definition),
            "numerator": figure.numerator,
            "denominator": figure.denominator,
            "target": figure.target and _number(float(figure.target.value), definition),
            "due": figure.target and figure.target.due,
            "warnings": "; ".join(label("warnings", code, self.language) for code in item.warnings) or None,
            "cut": cuts.text(item.cut) if item.cut is not None else None,
            "definition": item.definition,
        }
        for name, vocabulary in _LABELLED.items():
            if name in shown:
                cells[name] = label(vocabulary, shown[name], self.language)
        return cells

    def _rests_on(self) -> Iterator[list[Cell]]:
        said = {name: texts[self._index] for name, texts in _RESTS_ON.items()}
        about = self._found.about()
        yield [said["boundaries"], about["boundaries"]]
        if about["as_of"] is not None:
            yield [said["as_of"], about["as_of"]]
        yield [said["basis"], said[self._question.basis]]
        for source, position in about["cut"].items():
            yield [said["cut"], f"{source}:{position}"]
        yield []
        titles = [self._title(name) for name in ("indicator", "name")]
        parts = [self._title(name) for name in ("numerator", "denominator")]
        yield [*titles, said["version"], said["kind"], said["hash"], *parts]
        for hashed, one in self._definitions().items():
            kind = label("indicator_kinds", one.kind, self.language)
            name = one.names[self.language]
            above, below = one.numerator, one.denominator
            made_of = [_part(above), _part(below, *one.denominators.values())]
            yield [one.code, name, one.version, kind, hashed, *made_of]

    def _definitions(self) -> dict[str, Definition]:
        """Those of the figures, by the hashes that these cite, and of what they are made of. What was
        approved may cite a definition whose parts have been defined anew since.
        """
        known, found = self._found.reckoning.definitions, dict[str, Definition]()
        seen = set[tuple[str, str | None]]()
        for item in self._found.items:
            of = item.line.of.definition if item.line.of else None
            cited = item.definition, of.version_code if of else None
            if cited in seen:
                continue
            seen.add(cited)
            found.setdefault(item.definition, item.line.definition)
            for one in (of, *(known.get(part.indicator) for part in item.line.definition.parts)):
                if one is not None:
                    found.setdefault(definition_hash(one, known), one)
        return found


def _part(*parts: Part | None) -> str | None:
    """What stands above or below the line, and what may stand there instead."""
    said = [" ".join([one.indicator, *one.fixed().values()]) for one in parts if one is not None]
    return " / ".join(dict.fromkeys(said)) or None


def _only_if_any(item: Item) -> list[str]:
    shown: dict[str, Any] = item_shown(item)
    names = [name for name in _ONLY_IF_ANY if name in shown]
    return [*names, "group"] if item.figure.spread is not None else names


def _number(value: float | None, definition: Definition) -> Cell:
    """Shares are the ratios that cannot be above 1, as their codes say."""
    if value is None:
        return None
    if definition.kind in ("share", "progress") or definition.code.endswith("-share"):
        return Share(value)
    return int(value) if value == int(value) else float(value)
