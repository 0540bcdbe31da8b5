"""What is found out once for all tests of this folder that want it."""

from __future__ import annotations

import pytest

from tests.nlu import baseline
from tests.nlu.findings import Findings, find
from tests.nlu.report import write_report


@pytest.fixture(scope="session")
def findings() -> Findings:
    """Also written to var/reports: nlu.html, nlu.json, nlu.md."""
    found = find(baseline.read())
    write_report(found)
    return found
