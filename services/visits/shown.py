"""What is shown of a household and of a visit: each folded from its events, in order."""

from collections.abc import Sequence
from typing import Any

import orjson

from libs.events.envelope import Recorded, decode

Answer = dict[str, Any]

DETAILS = ("size", "adults", "people_15_and_over", "smartphones", "connection", "business_kind")


def fold(stream: str, payloads: Sequence[bytes]) -> Answer:
    """The resource that a stream is about."""
    return fold_visit(payloads) if stream.startswith("visit/") else fold_household(payloads)


def fold_visit(payloads: Sequence[bytes]) -> Answer:
    """A visit: what was recorded, by whom, and what became of it since."""
    recorded, *later = (decode(payload) for payload in payloads)
    content = _content(recorded)
    visit = {
        "id": content.pop("visit_id"),
        **content,
        "status": "recorded",
        "recorded_at": recorded.time,
        "recorded_by": recorded.actor,
        "version": recorded.streamversion,
    }
    for event in later:
        _say(visit, event)
        visit["version"] = event.streamversion
    return visit


def _content(event: Recorded) -> Answer:
    """What an event says, but for what is sealed: that is opened apart, for those who may see it."""
    content: Answer = orjson.loads(bytes(event.data))
    content.pop("sealed", None)
    return content


def _say(visit: Answer, event: Recorded) -> None:
    content = _content(event)
    match _kind(event):
        case "visit-corrected":
            del content["visit_id"]
            reason = content.pop("reason")
            content.pop("corrected_by", None)
            for name in ("campaign_id", "follow_up_on", "guidance"):
                visit.pop(name, None)
            visit |= content
            visit["corrected"] = {"at": event.time, "by": event.actor, "reason": reason}
        case "visit-voided":
            visit |= {"status": "voided", "void_reason": content["reason"]}
        case "visit-confirmed":
            visit["confirmed"] = {"at": event.time, "by": event.actor, "member_id": content["member_id"]}
            visit["status"] = "confirmed"
        case "visit-disputed":
            visit["dispute"] = {"at": event.time, "by": event.actor, "reason": content["reason"]}
            visit["status"] = "disputed"
        case "dispute-settled":
            settled = {"at": event.time, "by": event.actor, "stands": content["stands"]}
            if "reason" in content:
                settled["reason"] = content["reason"]
            visit["dispute"]["settled"] = settled
            stands = "confirmed" if "confirmed" in visit else "recorded"
            visit["status"] = stands if content["stands"] else "voided"
        case _:
            pass


def fold_household(payloads: Sequence[bytes]) -> Answer:
    """A household: its place and details as of now, where it was before, what it was asked and said."""
    registered, *later = (decode(payload) for payload in payloads)
    content = _content(registered)
    household = {
        "id": content.pop("household_id"),
        **content,
        "places": [{"unit_id": content["unit_id"], "from": content["since"]}],
        "surveys": [],
        "consent": None,
        "version": registered.streamversion,
    }
    for event in later:
        _tell(household, event)
        household["version"] = event.streamversion
    return household


def _tell(household: Answer, event: Recorded) -> None:
    content = _content(event)
    content.pop("household_id", None)
    match _kind(event):
        case "household-details-changed":
            for name in DETAILS:
                household.pop(name, None)
            household |= content
        case "household-moved":
            _place(household, content, content["moved_on"])
        case "household-assigned":
            _place(household, content, content["assigned_from"])
        case "household-closed":
            household |= {"closed_on": content["closed_on"], "close_reason": content["reason"]}
        case "household-merged":
            household.setdefault("absorbed", []).append(content["absorbed_id"])
        case "household-absorbed":
            household |= {"absorbed_into": content["into_id"], "merged_on": content["merged_on"]}
        case "needs-surveyed":
            household["surveys"].append({"id": content.pop("survey_id"), **content})
        case "consent-given":
            household["consent"] = content
        case "consent-withdrawn":
            household["consent"] = None
        case "personal-data-erased":
            household["erased"] = {"at": event.time, "reason": content["reason"]}
        case _:
            pass


def _place(household: Answer, content: Answer, first_day: str) -> None:
    household["unit_id"] = content["unit_id"]
    household["number"] = content.get("number", household["number"])
    household["places"].append({"unit_id": content["unit_id"], "from": first_day})


def _kind(event: Recorded) -> str:
    """`visit-voided` of `vn.socai.visits.visit-voided.v1`."""
    return event.type.split(".")[3]
