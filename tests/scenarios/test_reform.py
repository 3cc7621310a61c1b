"""The reform of 2025-07-01 on the whole system: two official sets, one command, figures under either map."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from socai.data import DATA
from socai.local.system import System

FILES = DATA / "administrative-units"
ROOT = DATA.parent


class Office:
    """An officer of the province, with the command line and the API."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.token = system.token(role="province-officer")
        self.source = f"/vn/{system.env['SOCAI_PROVINCE']}/registry"
        self.cut: dict[str, int] = {}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "socai", *arguments, "--json"],
            cwd=ROOT,
            env={**os.environ, **self.system.env},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def socai(self, *arguments: str) -> Any:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def import_units(self, directory: Path, day: str, instrument: str) -> Any:
        return self.socai(*importing(directory, day, instrument))

    def get(self, path: str, **query: object) -> Any:
        headers = {"Read-After": ",".join(f"{source}:{at}" for source, at in self.cut.items())}
        return self._ask("GET", f"{path}?{urlencode(query)}", None, headers if self.cut else {})

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._ask("POST", path, json.dumps(body).encode(), {})
        receipt = answer["receipt"]
        self.cut[receipt["source"]] = receipt["position"]
        return answer

    def count(self, day: str, level: str) -> int:
        found = 0
        cursor: dict[str, str] = {}
        while True:
            page = self.get("/v1/units", on=day, level=level, limit=1000, **cursor)
            found += len(page["items"])
            if page["next"] is None:
                return found
            cursor = {"cursor": page["next"]}

    def teams(self, **query: object) -> list[dict[str, Any]]:
        asked = {"indicator": "teams", "to": "2025-07-01", **query}
        items: list[dict[str, Any]] = self.get("/v1/kpis", **asked)["items"]
        for item in items:
            # There are no households and visits yet, and the figures say so.
            item["warnings"] = [warning for warning in item["warnings"] if warning != "source-missing"]
        return items

    def by_code(self, **query: object) -> dict[str, tuple[int, list[str]]]:
        """What is not 0, and its warnings; `rest` is what belongs to none of the parts."""
        return {
            "rest" if item.get("rest") else item["unit"]["code"]: (item["value"], item["warnings"])
            for item in self.teams(**query)
            if item["value"]
        }

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Any:
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}
        request = urllib.request.Request(self.system.gateway_url + path, body, sent, method=method)
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return json.loads(answer.read())
            except urllib.error.HTTPError as error:
                problem = error.read().decode()
                # What one service accepted reaches the others a moment later.
                if error.code not in (409, 503, 504) or time.monotonic() > deadline:
                    raise AssertionError(problem) from error
                time.sleep(0.2)


def importing(directory: Path, day: str, instrument: str) -> list[str]:
    return ["units", "import", str(directory), "--effective", day, "--instrument", instrument]


def hamlet(name: str, parent_id: str) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "level": "hamlet",
        "kind": "khóm",
        "name": name,
        "parent_id": parent_id,
        "valid_from": "2025-06-30",
        "instrument": "a list",
    }


@pytest.fixture
def office(own_system: System) -> Office:
    return Office(own_system)


def test_the_reform_of_2025(office: Office, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / "units-2025-06-30.csv").symlink_to(FILES / "units-2025-06-30.csv")
    assert office.import_units(old, "2025-06-30", "GSO")["established"] == 10_794
    assert office.import_units(old, "2025-06-30", "GSO")["repeated"] == 10_794
    (old / "units-2025-07-01.csv").symlink_to(FILES / "units-2025-07-01.csv")
    refused = office.run(*importing(old, "2025-07-01", "Nghị quyết 202/2025/QH15"))
    assert refused.returncode == 1
    assert "units-2025-07-01.csv:2: the province 01 was there on the day before" in refused.stderr
    assert "Without successions-2025-07-01.csv these are new units" in refused.stderr

    ward_1 = office.get("/v1/units/32005@2025-06-30")
    split = office.get("/v1/units/32017@2025-06-30")
    khom_6 = hamlet("6", ward_1["id"])
    divided = hamlet("1", split["id"])
    for unit in (khom_6, divided):
        office.post("/v1/units", unit)
    for place in (khom_6, divided):
        office.post(
            "/v1/teams",
            {
                "id": str(uuid4()),
                "name": f"Tổ công nghệ số cộng đồng khóm {place['name']}",
                "decision_number": "1/QĐ",
                "formed_on": "2023-01-01",
                "unit_ids": [place["id"]],
            },
        )

    said = office.import_units(FILES, "2025-07-01", "Nghị quyết 202/2025/QH15")
    assert (said["founded"], said["changed"], said["ended"]) == (3_212, 132, 10_651)
    assert said["seconds"] < 30
    assert office.import_units(FILES, "2025-07-01", "Nghị quyết 202/2025/QH15")["repeated"]
    office.cut[office.source] = said["position"]

    counts = {
        day: [office.count(day, level) for level in ("province", "district", "commune")]
        for day in ("2025-06-30", "2025-07-01")
    }
    assert counts == {"2025-06-30": [63, 696, 10_035], "2025-07-01": [34, 0, 3_321]}

    before, after = (office.get(f"/v1/units/32002@{day}") for day in counts)
    assert (before["full_name"], after["full_name"]) == ("Phường 2", "Phường An Xuyên")
    followed = office.get(f"/v1/units/{khom_6['id']}", on="2025-07-01")
    assert (followed["status"], followed["parent_id"]) == ("active", after["id"])
    made_of = office.get("/v1/units/32002@2025-07-01/history")["made_of"]
    assert {one["unit"]["code"] for one in made_of} >= {"32002", "32005"}
    island = office.get("/v1/units/26732@2025-07-01/history")["made_of"]
    assert [(one["unit"]["level"], one["unit"]["code"]) for one in island] == [("district", "755")]

    [unassigned] = office.get("/v1/units", unassigned="true", on="2025-07-01")["items"]
    successors = office.get("/v1/units/32017@2025-06-30/history")["became"]
    assert unassigned["id"] == divided["id"]
    assert set(unassigned["candidates"]) == {one["unit"]["id"] for one in successors}
    assert [one["unit"]["code"] for one in successors] == ["32025", "32041"]

    old_map = office.teams(unit="96@2025-06-30", boundaries="2025-06-30")
    assert [(item["value"], item["warnings"]) for item in old_map] == [(2, [])]
    new_map = office.teams(unit="96@2025-07-01", boundaries="2025-07-01")
    assert [(item["value"], item["warnings"]) for item in new_map] == [(2, ["unassigned-hamlets"])]
    cut = f"{office.source}:{office.cut[office.source]}"
    by_commune = {"unit": "96@2025-07-01", "boundaries": "2025-07-01", "by": "unit", "level": "commune"}
    assert office.by_code(**by_commune) == {"32002": (1, []), "rest": (1, ["unassigned-hamlets"])}

    target = successors[0]["unit"]["id"]
    office.post(f"/v1/units/{divided['id']}/assign", {"parent_id": target, "valid_from": "2025-07-01"})
    assert office.get("/v1/units", unassigned="true")["items"] == []
    assert office.by_code(**by_commune) == {"32002": (1, []), "32025": (1, [])}
    assert office.by_code(**by_commune, as_of=cut) == {
        "32002": (1, []),
        "rest": (1, ["unassigned-hamlets"]),
    }, "what was known then stays as it was"

    small = tmp_path / "small"
    small.mkdir()
    (small / "units-2027-01-01.csv").write_text(
        "code,level,kind,name,parent_code\n32025,commune,phường,Tân Thành Mới,96\n"
        "31843,commune,phường,Hồng Dân,96\n",
        encoding="utf-8",
    )
    (small / "successions-2027-01-01.csv").write_text("old_code,old_level,new_code,extent\n")
    said = office.import_units(small, "2027-01-01", "Nghị quyết 9")
    assert (said["founded"], said["ended"]) == (0, 0)
    office.cut[office.source] = said["position"]
    names = [office.get(f"/v1/units/32025@{day}")["name"] for day in ("2026-12-31", "2027-01-01")]
    assert names[1] == "Tân Thành Mới" != names[0]
    assert office.count("2027-01-01", "commune") == 3_321

    told = office.socai("rebuild", "--verify-only")
    assert told["equal"], told
