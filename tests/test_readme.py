"""What the README has one type."""

import re
import subprocess
import time
from pathlib import Path
from uuid import RFC_4122, UUID

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_the_id_of_the_first_visit_is_a_uuid_of_version_7_of_now() -> None:
    [line] = re.findall(r"^VISIT=.+$", README, re.MULTILINE)
    made = subprocess.run(["bash", "-c", f"{line}; echo $VISIT"], capture_output=True, text=True, check=True)
    visit = UUID(made.stdout.strip())
    assert (visit.version, visit.variant) == (7, RFC_4122)
    assert abs(time.time() - (visit.int >> 80) / 1000) < 60
