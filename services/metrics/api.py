"""Figures over HTTP: routes only translate."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response, StreamingResponse

from libs.service.answers import Json
from libs.service.indicators import STATISTIC, Definition, Part
from libs.service.openapi import answered
from libs.service.problems import language_of
from libs.service.read_after import ReadAfter
from libs.service.reads import Scoped, reading_router
from libs.service.scope import Scope, Scopes
from libs.service.sheets import XLSX, csv_answer, csv_pieces, workbook_answer
from services.metrics import answers
from services.metrics.audit import AUDIT_KINDS, Audit, AuditQuestion
from services.metrics.comparing import Comparisons
from services.metrics.domain.counting import definition_hash
from services.metrics.evidence import Evidence
from services.metrics.exports import FigureTable
from services.metrics.kpis import Kpis, Reckoned
from services.metrics.question import Comparison, EvidenceQuestion, Question
from services.metrics.scope import Reached

NDJSON = "application/x-ndjson"
LINES = (
    "Lines of JSON: `figure`; then one for each event, with `source`, `position`, `leaf_hash`, `postings` "
    "and the `event` byte for byte; then one for each that was `declared`; at last `events`, `postings`, "
    "`sums` and `digest`. Where events cannot be read any more, `problem` in their place."
)


def reads(
    kpis: Kpis,
    comparisons: Comparisons,
    evidence: Evidence,
    audit: Audit,
    read_after: ReadAfter,
    scopes: Scopes,
    reached: Reached,
) -> APIRouter:
    router = reading_router(read_after, scopes)

    async def reckoned(question: Question, scope: Scope) -> Reckoned:
        """Which unit a question is about is known when it has been answered."""
        found = await kpis.reckoned(question)
        await scope.need_unit(found.root)
        return found

    @router.get("/kpis", responses=answered(answers.Figures, tagged=True))
    async def get_kpis(request: Request, scope: Scoped, question: Annotated[Question, Query()]) -> Response:
        """Figures: of any unit, day, and moment at which they were known."""
        answer = (await reckoned(question, scope)).shown()
        return _unless_known(request, answer, tag_of=(answer["cut"], answer["items"]))

    @router.get("/exports/kpis.csv", responses=answered(media_type="text/csv", description="A table"))
    async def export_kpis_csv(
        request: Request, scope: Scoped, question: Annotated[Question, Query()]
    ) -> Response:
        """Figures as a table: those of `GET /v1/kpis`."""
        table = await figure_table(request, scope, question)
        pieces = csv_pieces(table.header, table.rows())
        return csv_answer(pieces, *table.words, language=table.language)

    @router.get("/exports/kpis.xlsx", responses=answered(media_type=XLSX, description="A workbook"))
    async def export_kpis_workbook(
        request: Request, scope: Scoped, question: Annotated[Question, Query()]
    ) -> Response:
        """Figures as a workbook, with what they rest on in a second sheet."""
        table = await figure_table(request, scope, question)
        return await workbook_answer(table.sheets(), *table.words, language=table.language)

    async def figure_table(request: Request, scope: Scope, question: Question) -> FigureTable:
        language = language_of(request.headers.get("accept-language"))
        return FigureTable(await reckoned(question, scope), question, language)

    @router.get("/indicators", responses=answered(answers.IndicatorPage, tagged=True))
    async def list_indicators(request: Request) -> Response:
        """What can be asked for, and how it is defined."""
        language = language_of(request.headers.get("accept-language"))
        known = await kpis.definitions()
        listed = (one for code, one in known.items() if code == one.code and not code.startswith(STATISTIC))
        items = [_indicator(one, known, language) for one in listed]
        return _unless_known(request, {"items": items, "next": None}, tag_of=(items,))

    @router.get("/kpis/compare", responses=answered(answers.ComparedFigures))
    async def compare_kpis(scope: Scoped, comparison: Annotated[Comparison, Query()]) -> Response:
        """Two answers to one question, and what makes the difference, event by event."""
        return Json(await comparisons.answer(comparison, scope))

    @router.get("/kpis/evidence", responses=answered(media_type=NDJSON, description=LINES))
    async def get_kpi_evidence(scope: Scoped, question: Annotated[EvidenceQuestion, Query()]) -> Response:
        """Every posting behind a figure, with the event that made it."""
        return StreamingResponse(await evidence.of(question, question.after, scope), media_type=NDJSON)

    @router.get("/audit/{kind}/{id}", responses=answered(answers.Trail))
    async def get_audit_trail(
        scope: Scoped,
        kind: Annotated[str, Path(json_schema_extra={"enum": [*AUDIT_KINDS]})],
        name: Annotated[str, Path(alias="id", description="An id; of an actor, the sign-in")],
        question: Annotated[AuditQuestion, Query()],
    ) -> Response:
        """Who did what, when, why and on whose behalf, the latest first."""
        if not scope.covered.everywhere:
            await scope.need_any_unit(await reached.units_of(kind, name))
        return Json(await audit.trail(kind, name, question))

    return router


def _unless_known(request: Request, answer: dict[str, Any], *, tag_of: tuple[object, ...]) -> Response:
    """`tag_of` leaves out the moment of the answer: the same figures are the same answer."""
    tag = f'W/"{sha256(orjson.dumps(tag_of, default=str)).hexdigest()[:32]}"'
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"ETag": tag})
    return Json(answer, headers={"ETag": tag, "Cache-Control": "private, no-cache"})


def _part(part: Part) -> dict[str, str]:
    return {"indicator": part.indicator, **dict[str, str](part.fixed().items())}


def _indicator(definition: Definition, known: Mapping[str, Definition], language: str) -> dict[str, Any]:
    """How the indicator is defined; `numerator` and `denominator` for shares and ratios, `counts` for what is
    another one with dimensions fixed.
    """
    return {
        "code": definition.code,
        "version": definition.version,
        "definition": definition_hash(definition, known),
        "kind": definition.kind,
        "label": definition.names[language],
        "names": definition.names,
        "dimensions": list(definition.dimensions),
        **({"counts": _part(counts)} if (counts := definition.parameters.counts) else {}),
        **dict(zip(("numerator", "denominator"), map(_part, definition.parts), strict=False)),
    }
