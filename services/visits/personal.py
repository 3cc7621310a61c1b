"""What is personal about households and visits, opened for the answers that show it."""

import unicodedata
from typing import Any
from uuid import UUID

import orjson
from starlette.requests import Request

from libs.events.envelope import decode
from libs.events.log import Log
from libs.events.sealing import merged
from libs.service import hierarchy
from libs.service.opening import Opening, Sealed, may_see
from libs.service.problems import Problem
from services.visits.domain.households import household_stream
from services.visits.domain.visits import visit_stream
from services.visits.shown import Answer, fold_household

NARROW = frozenset({"commune", "hamlet", "area"})
"""Levels within which names may be listed and searched."""
SHORTEST_NUMBER = 4
"""Digits of a telephone number that are worth looking for."""


class Personal:
    """Opens sealed fields of this service's log."""

    def __init__(self, log: Log, opening: Opening) -> None:
        self._log = log
        self._opening = opening

    async def household(self, request: Request, household: Answer) -> Answer:
        """The household with what is personal about it, for those who may see that."""
        id_, stream = UUID(household["id"]), f"household/{household['id']}"
        said = Sealed.of(await self._log.read_sealed([stream]))
        opened = await self._opening.open(
            request, {stream: said.values}, purpose="household", household_id=id_
        )
        return {**household, **opened.get(stream, {})}

    async def visit(self, request: Request, visit: Answer) -> Answer:
        """The visit with its note, which is sealed under the key of its household."""
        household = f"household/{visit['household_id']}"
        rows = await self._log.read_sealed([household, f"visit/{visit['id']}"])
        said = Sealed.by_stream(rows)
        if household in said and said[household].erased:
            return visit
        values = said[f"visit/{visit['id']}"].values if f"visit/{visit['id']}" in said else []
        opened = await self._opening.open(
            request, {household: values}, purpose="visit", household_id=UUID(visit["household_id"])
        )
        return {**visit, **opened.get(household, {})}

    async def listed(
        self, request: Request, households: list[tuple[Any, Answer]], unit: hierarchy.Unit | None
    ) -> list[tuple[Any, Answer]]:
        """A page of a list with names, where it stays within a commune."""
        if unit is None or unit.level not in NARROW or not may_see(request):
            return households
        sealed = await self._sealed([answer["id"] for _, answer in households])
        opened = await self._opening.open(request, sealed, purpose="list", unit_id=unit.unit_id)
        return [(key, {**answer, **opened.get(_stream(answer), {})}) for key, answer in households]

    async def bundled(self, request: Request, bundle: Answer) -> Answer:
        """A page of a bundle with names. A household that was erased comes again, without and marked so: what
        the device has of it in clear has to go.
        """
        if not may_see(request):
            return bundle
        rows = await self._log.read_sealed([_stream(each) for each in bundle["items"]])
        said = Sealed.by_stream(rows)
        sealed = {stream: each.values for stream, each in said.items()}
        opened = await self._opening.open(request, sealed, purpose="bundle")
        items = []
        for item in bundle["items"]:
            stream = _stream(item)
            marks = said[stream].marks() if stream in said else {}
            items.append({**item, **opened.get(stream, {}), **marks})
        return {**bundle, "items": items}

    async def search(
        self,
        request: Request,
        households: list[Answer],
        unit: hierarchy.Unit,
        q: str,
        *,
        after: UUID | None,
        limit: int,
    ) -> list[Answer]:
        """Those of these households whose head's name or telephone number fits, by given name; from the one
        after `after` on. Names are opened in memory, and what is shown is on record. Raises Problem
        cursor-malformed.
        """
        opened = await self._opening.unseal(await self._sealed([each["id"] for each in households]))
        found = []
        for household in households:
            said = merged([value for value in opened.get(_stream(household), ()) if value])
            if fits(q, name=said.get("head_name"), phone=said.get("phone")):
                found.append({**household, **said})
        found.sort(key=lambda each: (*by_given_name(each.get("head_name") or ""), str(each["id"])))
        if after is not None:
            place = next((n for n, each in enumerate(found, 1) if each["id"] == after), None)
            if place is None:
                raise Problem("cursor-malformed", "it stands on a household that is not found any more")
            found = found[place:]
        await self._opening.record(
            request, purpose="search", subjects=min(limit, len(found)), unit_id=unit.unit_id
        )
        return found

    async def disclosure(self, request: Request, household_id: UUID) -> Answer:
        """Everything personal that is held of a household and of those that it absorbed: each value with
        when and by whom it was said, and on what basis. Raises Problem: not-found, personal-data-closed.
        """
        if not may_see(request):
            raise Problem("personal-data-closed")
        rows = await self._log.pool.fetch(
            "SELECT household_id FROM households WHERE survivor_id = $1 OR household_id = $1", household_id
        )
        households = sorted({household_id, *(row["household_id"] for row in rows)}, key=str)
        visits = await self._log.pool.fetch(
            "SELECT visit_id FROM visits WHERE household_id = ANY($1) ORDER BY position", households
        )
        streams = [household_stream(each) for each in households]
        streams += [visit_stream(row["visit_id"]) for row in visits]
        events: dict[str, list[bytes]] = {}
        for stream, _, payload in await self._log.read_streams(streams):
            events.setdefault(stream, []).append(payload)
        if household_stream(household_id) not in events:
            raise Problem("not-found")
        told = fold_household(events[household_stream(household_id)])
        items = await self._held(events)
        await self._opening.record(
            request,
            purpose="disclosure",
            subjects=len({item["household_id"] for item in items}),
            household_id=household_id,
        )
        answer = {"household_id": household_id, "consent": told["consent"], "items": items}
        return {**answer, "erased": told["erased"]} if "erased" in told else answer

    async def _held(self, events: dict[str, list[bytes]]) -> list[Answer]:
        """Every sealed value that can be opened, in the order in which they were said."""
        recorded = sorted(
            (decode(payload) for payloads in events.values() for payload in payloads),
            key=lambda event: event.position,
        )
        basis: dict[str, Answer | None] = {}
        erased: set[str] = {e.subject for e in recorded if e.type.endswith(".personal-data-erased.v1")}
        found: list[tuple[str, str, Answer]] = []
        for event in recorded:
            content = orjson.loads(bytes(event.data))
            subject = f"household/{content['household_id']}" if "household_id" in content else event.subject
            if event.type.endswith(".consent-given.v1"):
                basis[subject] = {name: value for name, value in content.items() if name != "household_id"}
                for earlier, _, item in found:
                    # A consent that came with the registration stands one event after it.
                    if earlier == subject and item["basis"] is None:
                        item["basis"] = basis[subject]
            if "sealed" not in content or subject in erased:
                continue
            item = {
                "household_id": subject.partition("/")[2],
                "said_in": event.type.split(".")[3],
                "at": event.time,
                "by": event.actor,
                "position": event.position,
                "basis": basis.get(subject),
            }
            if event.subject.startswith("visit/"):
                item["visit_id"] = event.subject.partition("/")[2]
            found.append((subject, content["sealed"], item))
        sealed: dict[str, list[str]] = {}
        for subject, value, _ in found:
            sealed.setdefault(subject, []).append(value)
        opened = {subject: iter(values) for subject, values in (await self._opening.unseal(sealed)).items()}
        items = []
        for subject, _, item in found:
            fields = next(opened[subject]) if subject in opened else None
            items.append({**item, "fields": fields})
        return items

    async def _sealed(self, ids: list[UUID]) -> dict[str, list[str]]:
        rows = await self._log.read_sealed([household_stream(each) for each in ids])
        return {stream: said.values for stream, said in Sealed.by_stream(rows).items()}


def fits(q: str, *, name: str | None, phone: str | None) -> bool:
    """Whether the words of `q` are found in a name, one after the other, the last one perhaps not written to
    its end; or its digits in a telephone number. `hoa` finds Hoà and Hòa, not Khoa.
    """
    words = folded(q)
    if name and words and f" {words}" in f" {folded(name)}":
        return True
    wanted = digits(q)
    return bool(phone) and len(wanted) >= SHORTEST_NUMBER and wanted in digits(phone or "")


def folded(text: str) -> str:
    """In words with one blank between; ð is how Ð looks in small letters."""
    return " ".join(hierarchy.fold(text.replace("ð", "d")).split())


def digits(text: str) -> str:
    """Of a telephone number, as it is dialled in Vietnam; nothing where there are letters, too."""
    if any(letter.isalpha() for letter in text):
        return ""
    found = "".join(letter for letter in text if letter.isdigit())
    return "0" + found[2:] if text.strip().startswith("+84") else found


def by_given_name(name: str) -> tuple[str, str, str]:
    """Vietnamese names are sorted by their last word, then by the rest; what differs in marks only keeps an
    order, too.
    """
    words = folded(name).split()
    return (words[-1] if words else "", " ".join(words[:-1]), unicodedata.normalize("NFC", name))


def _stream(answer: Answer) -> str:
    return f"household/{answer['id']}"
