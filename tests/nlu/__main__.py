"""Keeps what is understood now as the baseline of later changes: `make nlu-baseline`."""

from __future__ import annotations

from tests.nlu import baseline
from tests.nlu.findings import find
from tests.nlu.report import write_report


def main() -> None:
    """The report still says what has changed since the baseline before."""
    found = find(baseline.read() if baseline.FILE.exists() else baseline.Baseline())
    write_report(found)
    baseline.write(baseline.baseline_of(found.parsed, found.measures))


if __name__ == "__main__":
    main()
