from pathlib import Path

import pytest

from tests.service.issuer import Issuer


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer(tmp_path)
