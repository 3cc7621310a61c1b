"""Figures over HTTP: routes only translate."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response, StreamingResponse

from libs.service.answers import Json
from libs.service.indicators import STATISTIC, Definition, Part
from libs.service.parameters import known_parameters
from libs.service.problems import language_of
from libs.service.read_after import ReadAfter
from libs.service.sheets import csv_answer, csv_pieces, workbook_answer
from services.metrics.audit import Audit, AuditQuestion
from services.metrics.comparing import Comparisons
from services.metrics.domain.counting import definition_hash
from services.metrics.evidence import Evidence
from services.metrics.exports import FigureTable
from services.metrics.kpis import Kpis
from services.metrics.question import Comparison, EvidenceQuestion, Question

NDJSON = "application/x-ndjson"


def reads(
    kpis: Kpis, comparisons: Comparisons, evidence: Evidence, audit: Audit, read_after: ReadAfter
) -> APIRouter:
    async def included(request: Request) -> None:
        await read_after.wait(request.scope)

    router = APIRouter(prefix="/v1")

    @router.get("/kpis", dependencies=[Depends(known_parameters), Depends(included)])
    async def get_kpis(request: Request, question: Annotated[Question, Query()]) -> Response:
        answer = await kpis.answer(question)
        return _unless_known(request, answer, tag_of=(answer["cut"], answer["items"]))

    @router.get("/exports/kpis.csv", dependencies=[Depends(known_parameters), Depends(included)])
    async def export_csv(request: Request, question: Annotated[Question, Query()]) -> Response:
        table = await figure_table(request, question)
        pieces = csv_pieces(table.header, table.rows())
        return csv_answer(pieces, *table.words, language=table.language)

    @router.get("/exports/kpis.xlsx", dependencies=[Depends(known_parameters), Depends(included)])
    async def export_workbook(request: Request, question: Annotated[Question, Query()]) -> Response:
        table = await figure_table(request, question)
        return await workbook_answer(table.sheets(), *table.words, language=table.language)

    async def figure_table(request: Request, question: Question) -> FigureTable:
        language = language_of(request.headers.get("accept-language"))
        return FigureTable(await kpis.reckoned(question), question, language)

    @router.get("/indicators", dependencies=[Depends(known_parameters), Depends(included)])
    async def list_indicators(request: Request) -> Response:
        language = language_of(request.headers.get("accept-language"))
        known = await kpis.definitions()
        listed = (one for code, one in known.items() if code == one.code and not code.startswith(STATISTIC))
        items = [_indicator(one, known, language) for one in listed]
        return _unless_known(request, {"items": items, "next": None}, tag_of=(items,))

    @router.get("/kpis/compare", dependencies=[Depends(known_parameters), Depends(included)])
    async def compare(comparison: Annotated[Comparison, Query()]) -> Response:
        return Json(await comparisons.answer(comparison))

    @router.get("/kpis/evidence", dependencies=[Depends(known_parameters), Depends(included)])
    async def get_evidence(question: Annotated[EvidenceQuestion, Query()]) -> Response:
        return StreamingResponse(await evidence.of(question, question.after), media_type=NDJSON)

    @router.get("/audit/{kind}/{id}", dependencies=[Depends(known_parameters), Depends(included)])
    async def get_trail(
        kind: str, name: Annotated[str, Path(alias="id")], question: Annotated[AuditQuestion, Query()]
    ) -> Response:
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
