"""`socai status`: logs, relays and consumers, as the services themselves tell."""

from __future__ import annotations

import http.client
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from socai.nothing_runs import with_hint

SERVICES = ("registry", "visits", "metrics")
NO, NOT_THERE = 1, 3
_PASSING = {"starting", "running", "waiting-for-lock", "tail-lost"}
"""States that are well, or end without anybody's help. What waits for Kafka or for a database goes on by
itself, but only when somebody has brought that back."""

app = typer.Typer()


@app.command()
def run(as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False) -> None:
    """How far logs, relays and consumers are; gaps; quarantine. Exit code 1 if something needs a person:
    Kafka or a database is away, something stands still or is missing, a service does not answer.
    """
    urls = {service: os.environ.get(f"{service.upper()}_URL", "") for service in SERVICES}
    if not any(urls.values()):
        typer.echo(with_hint("REGISTRY_URL, VISITS_URL and METRICS_URL are not set"), err=True)
        raise typer.Exit(NOT_THERE)
    told = ask_services(urls)
    typer.echo(json.dumps(told, indent=1) if as_json else "\n".join(lines(told)))
    raise typer.Exit(NO if needs_a_person(told) else 0)


def ask_services(urls: dict[str, str]) -> dict[str, Any]:
    """Service -> what its `GET /status` answers, or `{"error": …}`."""
    with ThreadPoolExecutor(len(urls)) as pool:
        return dict(zip(urls, pool.map(_ask, urls.values()), strict=True))


def _ask(url: str) -> dict[str, Any]:
    if not url:
        return {"error": "its address is not set"}
    address = urlsplit(url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.netloc, timeout=5)
    try:
        connection.request("GET", f"{address.path.rstrip('/')}/status")
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            return {"error": f"answered GET /status with {response.status}"}
        told: dict[str, Any] = json.loads(body)
        return told
    except (OSError, http.client.HTTPException, ValueError) as failure:
        return {"error": f"no answer: {failure}"}
    finally:
        connection.close()


def needs_a_person(told: dict[str, Any]) -> bool:
    """Whether anything is wrong that does not heal by itself, or not before somebody has brought back what it
    waits for.
    """
    return any(
        "error" in service
        or (service.get("log") or {}).get("distrusted_because")
        or _differs(service.get("verified"))
        or _stands_still(service.get("keys") or {"state": "running"})
        or any(
            _stands_still(each) or each.get("gap") or each.get("quarantined") for each in _workers(service)
        )
        for service in told.values()
    )


def lines(told: dict[str, Any]) -> list[str]:
    """The same for reading."""
    shown = []
    for name, service in told.items():
        if "error" in service:
            shown.append(f"{name:<10} {service['error']}")
        if log := service.get("log"):
            distrusted = (
                f"; NOT TRUSTED: {log['distrusted_because']}" if log.get("distrusted_because") else ""
            )
            position = log.get("position")
            where = "does not answer: its database is away" if position is None else f"at {position}"
            shown.append(f"{name:<10} log of {log.get('source')} {where}{distrusted}")
        if verified := service.get("verified"):
            shown.append(f"{name:<10} ledger compared {verified['time']}: {_result(verified)}")
        if keys := service.get("keys"):
            state = _state(keys)
            shown.append(f"{name:<10} keys, erasures carried out up to {keys.get('erasures_done')}, {state}")
        for each in _workers(service):
            consumer = each.get("consumer")
            what = f"consumer {consumer} of {each.get('source')}" if consumer else "relay"
            shown.append(f"{name:<10} {what} at {each.get('position')}, {_manner(each)}")
    return shown


def _differs(verified: dict[str, Any] | None) -> bool:
    """The live ledger was not what the topics say, and still is not."""
    return verified is not None and verified["well"] is False and not verified["switched"]


def _result(verified: dict[str, Any]) -> str:
    if verified["failed"]:
        return f"NOT POSSIBLE: {verified['failed']}"
    if verified["well"]:
        return "equal"
    if verified["well"] is None:
        return "not known, events are in quarantine"
    return "it differed, and was replaced" if verified["switched"] else "it DIFFERS"


def _workers(service: dict[str, Any]) -> list[dict[str, Any]]:
    """The relay and the consumers of a service."""
    relay = service.get("relay")
    return ([relay] if relay else []) + (service.get("consumers") or [])


def _stands_still(worker: dict[str, Any]) -> bool:
    return worker.get("state") not in _PASSING


def _manner(worker: dict[str, Any]) -> str:
    parts = [f"{worker.get('lag')} behind"]
    if gap := worker.get("gap"):
        parts.append(f"GAP behind {gap.get('after')} since {gap.get('since')}")
    if quarantined := worker.get("quarantined"):
        parts.append(f"{quarantined} in QUARANTINE")
    return ", ".join([*parts, _state(worker)])


def _state(worker: dict[str, Any]) -> str:
    state = str(worker.get("state"))
    shown = state.upper() if _stands_still(worker) else state
    return f"{shown}: {worker['last_error']}" if worker.get("last_error") else shown
