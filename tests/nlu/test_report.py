"""What the report tells, of made-up findings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.nlu.measures import Prediction
from tests.nlu import report
from tests.nlu.baseline import baseline_of
from tests.nlu.entities import Marked
from tests.nlu.errors import errors
from tests.nlu.findings import FLOORS, Findings
from tests.nlu.page import page
from tests.nlu.understanding import Parsed, Told, wilson

RIGHT = Parsed("en", "track_order", "track_order", 0.9, "where is <my> order", "list_orders")
LOST = [Parsed("en", "track_order", "refund_status", 0.8, f"still nothing here, day {day}", "complaint") for day in range(8)]
FOUND = Parsed("en", "refund_status", "refund_status", 0.7, "money back yet?", "track_order")
ENTITY = Marked("en", "the blue one", frozenset({("color", "blue")}), frozenset({("color", "navy")}))


@pytest.fixture
def findings() -> Findings:
    """Since the baseline eight messages were lost and one was found."""
    was = [RIGHT, *(Parsed("en", "track_order", "track_order", 0.8, each.text) for each in LOST)]
    before = baseline_of([*was, Parsed("en", "refund_status", "other", 0.7, FOUND.text)], {"accuracy": 0.9})
    return Findings([RIGHT, *LOST, FOUND], [ENTITY], [Prediction("en", "greet", "greet", 1.0)], before)


def test_summary_tells_what_fails_and_what_has_changed(findings: Findings) -> None:
    said = report.summary(findings)
    assert f":x: accuracy en is 20.00%, its floor {FLOORS['accuracy en']:.2%}" in said
    assert ":x: track_order (en) is significantly worse: 8 newly wrong, 0 newly right" in said
    assert "Against the baseline 8 messages are newly wrong and 1 newly right." in said
    assert "| accuracy | 20.0% |  | 90.0% |" in said


def test_files_hold_every_error_with_its_runner_up_and_nearest_examples(
    findings: Findings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "REPORTS", tmp_path)
    report.write_report(findings)
    told = json.loads((tmp_path / "nlu.json").read_text(encoding="utf-8"))
    assert [each["text"] for each in told["errors"]] == [each.text for each in LOST]
    first = told["errors"][0]
    assert (first["predicted"], first["runner_up"], len(first["nearest"])) == ("refund_status", "complaint", 2)
    html = (tmp_path / "nlu.html").read_text(encoding="utf-8")
    for said in (
        LOST[0].text,
        "complaint",
        FOUND.text,
        first["nearest"][0]["text"],
        'alt="Confusion matrix" src="data:image/png',
        "color: navy",
    ):
        assert said in html


def test_page_shows_text_and_not_markup(findings: Findings) -> None:
    lost = [Parsed("en", "track_order", "greet", 0.9, RIGHT.text)]

    said = page(Findings(lost, [], findings.cross_validated, findings.before), list(errors(lost)))
    assert "where is &lt;my&gt; order" in said
    assert "<my>" not in said


def test_intervals_are_wilsons() -> None:
    assert wilson(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    told = Told(right=9, named=10, there=10)
    assert told.f1_between[0] < told.f1 < told.f1_between[1]
