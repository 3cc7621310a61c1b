"""`GET /v1/kpis/stream`: figures as they change, as server-sent events."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from libs.events.day import Day
from libs.service.auth import principal_of
from libs.service.event_stream import MEDIA_TYPE, EventStream
from libs.service.read_after import ReadAfter
from libs.service.reads import Scoped, reading_router
from libs.service.scope import Scopes
from services.metrics.kpis import Kpis
from services.metrics.question import Asked, Question
from services.metrics.stream import Streams

DASHBOARD = (
    "visits",
    "visits-confirmed",
    "households-surveyed",
    "households-guided",
    "households-guided-share",
    "households-with-app",
)
"""What is told where no indicator is asked for."""
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events. First `figures`, with the answer of `GET /v1/kpis`; then "
        "`changes`, the same with only the items that are not as they were, or `figures` again where all of "
        "them are to be replaced. The id is the cut; with it as `Last-Event-ID` the first event is what has "
        "changed since, or `figures` where that cannot be said. A comment comes every 15 s, and before an "
        "end that is meant.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}

_LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The id of the last event that one has.",
    "schema": {"type": "string"},
}


class StreamQuestion(Asked):
    """A question about now: it names no cut, and nobody has approved what is changing."""

    boundaries: Annotated[Day | None, Field(description="The day whose hierarchy counts; else `to`")] = None

    def question(self) -> Question:
        given = self.model_dump(by_alias=True, exclude_unset=True)
        return Question.model_validate({**given, "indicator": self.indicator or list(DASHBOARD)})


def stream(streams: Streams, kpis: Kpis, read_after: ReadAfter, scopes: Scopes) -> APIRouter:
    router = reading_router(read_after, scopes)

    @router.get(
        "/kpis/stream",
        status_code=200,
        response_class=EventStream,
        responses=_RESPONSES,
        openapi_extra={"parameters": [_LAST_EVENT_ID]},
    )
    async def stream_kpis(
        request: Request,
        scope: Scoped,
        asked: Annotated[StreamQuestion, Query()],
    ) -> Response:
        """Figures as they change."""
        if not scope.covered.everywhere:
            await scope.need_unit((await kpis.reckoned(asked.question())).root)
        last_id = request.headers.get("last-event-id")
        until = principal_of(request.scope).expires_at
        return EventStream(await streams.open(asked.question(), last_id=last_id, until=until))

    return router
