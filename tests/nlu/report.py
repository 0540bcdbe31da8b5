"""The findings as files in var/reports: a page, JSON for programs, and a summary for a pull request."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.nlu.baseline import ALL, Change
from tests.nlu.entities import Marked, kinds, told
from tests.nlu.errors import Error, errors
from tests.nlu.findings import FLOORS, Findings, by_languages
from tests.nlu.page import page
from tests.nlu.understanding import ROOT, Told, Topic, percent, topics

REPORTS = ROOT / "var" / "reports"
MOST = 10  # lines of each list in the summary


def write_report(findings: Findings) -> None:
    REPORTS.mkdir(parents=True, exist_ok=True)
    wrong = list(errors(findings.parsed))
    (REPORTS / "nlu.json").write_text(json.dumps(as_json(findings, wrong), indent=1, ensure_ascii=False), encoding="utf-8")
    (REPORTS / "nlu.md").write_text(summary(findings), encoding="utf-8")
    (REPORTS / "nlu.html").write_text(page(findings, wrong), encoding="utf-8")


def as_json(findings: Findings, wrong: Sequence[Error]) -> dict[str, Any]:
    confusions = Counter((each.intent, each.predicted) for each in findings.parsed)
    return {
        "failures": findings.failures,
        "measures": findings.measures,
        "floors": FLOORS,
        "baseline": dict(findings.before.measures),
        "topics": _topics(topics(findings.parsed)),
        "cross-validated topics": _topics(topics(findings.cross_validated)),
        "confusions": [{"is": pair[0], "taken for": pair[1], "messages": count} for pair, count in sorted(confusions.items())],
        "entities": {language: _entities(its) for language, its in by_languages(findings.entities).items()},
        "two requests": [vars(each) for each in findings.wishes if not each.is_right],
        "errors": [_error(each) for each in wrong],
        "changes": [_change(each, each in findings.worse) for each in findings.changes],
    }


def _topics(found: dict[Topic, Told]) -> list[dict[str, Any]]:
    return [{"language": language, "intent": intent, **each.to_json()} for (language, intent), each in found.items()]


def _entities(messages: Sequence[Marked]) -> dict[str, Any]:
    wrong = [each for each in messages if each.missed or each.invented]
    return {
        **told(messages).to_json(),
        "kinds": {kind: each.to_json() for kind, each in kinds(messages).items()},
        "errors": [{"text": each.text, "missed": each.missed, "invented": each.invented} for each in wrong],
    }


def _error(error: Error) -> dict[str, Any]:
    return {**vars(error.message), "nearest": [{"intent": each.intent, "text": each.text} for each in error.nearest]}


def _change(change: Change, is_worse: bool) -> dict[str, Any]:
    return {
        "language": change.language,
        "intent": change.intent,
        "chance": change.chance,
        "significantly worse": is_worse,
        "newly wrong": [vars(each) for each in change.newly_wrong],
        "newly right": [vars(each) for each in change.newly_right],
    }


def summary(findings: Findings) -> str:
    """In Markdown, short enough for a comment."""
    verdict = [f"- :x: {each}" for each in findings.failures] or ["Every floor is held, no topic is worse than the baseline."]
    before = findings.before.measures
    rows = [
        f"| {name} | {percent(value)} | {percent(FLOORS.get(name))} | {percent(before.get(name))} |"
        for name, value in findings.measures.items()
    ]
    table = ["| Measure | now | floor | baseline |", "|---|---:|---:|---:|", *rows]
    taken = Counter((each.intent, each.predicted) for each in findings.parsed if not each.is_right).most_common(MOST)
    mistaken = [f"- `{intent}` taken for `{predicted}`: {count}" for (intent, predicted), count in taken]
    parts = (["### Understanding"], verdict, table, *_changed(findings), ["Most often mistaken:"], mistaken)
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _changed(findings: Findings) -> tuple[list[str], list[str]]:
    changed = [each for each in findings.changes if each.language != ALL]
    wrong, right = (sum(len(getattr(each, name)) for each in changed) for name in ("newly_wrong", "newly_right"))
    most = sorted(changed, key=lambda each: (-len(each.newly_wrong), each.chance))[:MOST]
    counted = f"Against the baseline {wrong} messages are newly wrong and {right} newly right."
    return [counted], [f"- `{each.intent}` ({each.language}): {each}" for each in most]
