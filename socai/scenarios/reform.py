"""The reform of 2025-07-01: of 63 provinces and 10,035 communes 34 and 3,321 are made, in one command."""

from collections.abc import Iterator
from datetime import date

from socai.data import DATA
from socai.reorganisations import Before, command, read_files
from socai.scenarios import steps as sent
from socai.scenarios.plan import Plan
from socai.scenarios.steps import Step
from socai.units import successions_file, units_file

DAY = date(2025, 7, 1)
INSTRUMENT = "Nghị quyết 202/2025/QH15 và các nghị quyết về sắp xếp đơn vị hành chính cấp xã năm 2025"


def steps(plan: Plan) -> Iterator[Step]:
    directory = DATA / "administrative-units"
    eve = [
        Before(unit.id, unit.level, unit.code, unit.kind, unit.name, unit.parent_id) for unit in plan.units
    ]
    files = read_files(units_file(directory, DAY), successions_file(directory, DAY))
    body = command(files, eve, DAY, INSTRUMENT)
    yield Step("the reform of 2025", [sent.command(body["id"], "decree-reorganisation", body)])
