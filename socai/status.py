"""`socai status`: logs, relays and consumers, as the services themselves tell."""

from __future__ import annotations

import http.client
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

SERVICES = ("registry", "visits", "metrics")
NO = 1

app = typer.Typer()


@app.command()
def run(as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False) -> None:
    """How far logs, relays and consumers are; gaps; quarantine. Exit code 1 if something needs a person."""
    told = ask_services({service: os.environ.get(f"{service.upper()}_URL", "") for service in SERVICES})
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
            return {"error": f"status {response.status}"}
        told: dict[str, Any] = json.loads(body)
        return told
    except (OSError, http.client.HTTPException, ValueError) as failure:
        return {"error": f"no answer: {failure}"}
    finally:
        connection.close()


def needs_a_person(told: dict[str, Any]) -> bool:
    return any(
        "error" in service or any(each.get("gap") or _count(each) for each in service.get("consumers") or [])
        for service in told.values()
    )


def lines(told: dict[str, Any]) -> list[str]:
    """The same for reading."""
    shown = []
    for name, service in told.items():
        if "error" in service:
            shown.append(f"{name:<10} {service['error']}")
        if log := service.get("log"):
            shown.append(f"{name:<10} log of {log.get('source')} at {log.get('position')}")
        if relay := service.get("relay"):
            active = "active" if relay.get("active") else "not active"
            shown.append(f"{name:<10} relay at {relay.get('position')}, {relay.get('lag')} behind, {active}")
        for each in service.get("consumers") or []:
            who, gap = f"{each.get('consumer')} of {each.get('source')}", each.get("gap")
            shown.append(
                f"{name:<10} consumer {who} at {each.get('position')}, {each.get('lag')} behind, "
                f"{f'GAP: {gap}' if gap else 'no gap'}, {_count(each)} in quarantine"
            )
    return shown


def _count(consumer: dict[str, Any]) -> int:
    quarantined = consumer.get("quarantined") or 0
    return len(quarantined) if isinstance(quarantined, list) else int(quarantined)
