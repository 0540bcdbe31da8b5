"""The held-out messages, parsed by the whole trained pipeline, and the page that shows what became of them."""

from __future__ import annotations

import asyncio
import base64
import html
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rapidfuzz import fuzz, process

from bench.nlu.examples import held_out, training_examples
from bench.nlu.measures import SECRET, Prediction, quality

ROOT = Path(__file__).resolve().parents[2]
REPORTS = ROOT / "var" / "reports"
FALLBACK = "nlu_fallback"
STYLE = """body { font: 15px system-ui; margin: 2em; max-width: 90em } img { max-width: 100% }
td, th { padding: .2em .6em; text-align: left; vertical-align: top } tr:nth-child(even) { background: #f4f4f4 }"""


@dataclass(frozen=True)
class Parsed(Prediction):
    """A held-out message with what was understood of it. runner_up: the second likeliest intent."""

    text: str
    runner_up: str


def parse_all(model: Path) -> list[Parsed]:
    """Every held-out message of every language."""
    from rasa.core.agent import Agent

    agent = Agent.load(str(model))

    async def parse() -> list[Parsed]:
        return [_parsed(each, await agent.parse_message(each.text)) for each in held_out()]

    return asyncio.run(parse())


def _parsed(example: Any, found: dict[str, Any]) -> Parsed:
    named = [each for each in found["intent_ranking"] if each["name"] != FALLBACK] or [{"name": FALLBACK, "confidence": 0.0}]
    runner_up = named[1]["name"] if len(named) > 1 else ""
    return Parsed(example.language, example.intent, named[0]["name"], named[0]["confidence"], example.text, runner_up)


@dataclass(frozen=True)
class Topic:
    """How well an intent of one language is told. recall_from, recall_to: Wilson's interval for 95%."""

    language: str
    intent: str
    precision: float
    recall: float
    recall_from: float
    recall_to: float
    count: int

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def topics(parsed: Sequence[Parsed]) -> list[Topic]:
    there: Counter[tuple[str, str]] = Counter((each.language, each.intent) for each in parsed)
    named = Counter((each.language, each.predicted) for each in parsed)
    right = Counter((each.language, each.intent) for each in parsed if each.is_right)
    return [_topic(key, right[key], named[key], count) for key, count in sorted(there.items())]


def _topic(key: tuple[str, str], right: int, named: int, count: int) -> Topic:
    recall, z = right / count, 1.96
    middle = (recall + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * (recall * (1 - recall) / count + z * z / (4 * count * count)) ** 0.5
    return Topic(*key, right / named if named else 0.0, recall, max(middle - half, 0.0), min(middle + half, 1.0), count)


def write_report(parsed: Sequence[Parsed]) -> Path:
    """`nlu.html`, `nlu.json` and, for a pull request, `nlu.md` in var/reports."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    told = {"measures": quality(parsed), "topics": [{**vars(each), "f1": each.f1} for each in topics(parsed)]}
    before = _before()
    (REPORTS / "nlu.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    (REPORTS / "nlu.md").write_text(_summary(parsed, told["measures"], before), encoding="utf-8")
    page = REPORTS / "nlu.html"
    page.write_text(_page(parsed, told["measures"], before), encoding="utf-8")
    return page


def _summary(parsed: Sequence[Parsed], measures: dict[str, float], before: dict[str, float]) -> str:
    rows = [f"| {name} | {_percent(value)} | {_percent(before.get(name))} |" for name, value in measures.items()]
    taken = Counter((each.intent, each.predicted) for each in parsed if not each.is_right)
    worst = [f"- `{intent}` taken for `{predicted}`: {count}" for (intent, predicted), count in taken.most_common(10)]
    return "\n".join(["| Held-out | now | baseline |", "|---|---|---|", *rows, "", "Most often mistaken:", "", *worst, ""])


def _before() -> dict[str, float]:
    """The measures of the last committed state, if it is known."""
    file = ROOT / "tests" / "nlu" / "baseline.yml"
    return dict(yaml.safe_load(file.read_text(encoding="utf-8"))) if file.exists() else {}


def _page(parsed: Sequence[Parsed], measures: dict[str, float], before: dict[str, float]) -> str:
    parts = [
        "<h1>What was understood</h1>",
        f"<p>{len(parsed)} messages that training never saw (tests/nlu).</p>",
        _table(
            ("Measure", "Now", "Baseline"),
            ((name, _percent(value), _percent(before.get(name))) for name, value in measures.items()),
        ),
        "<h2>What is taken for what</h2>",
        f'<img alt="Confusion matrix" src="data:image/png;base64,{_picture(parsed)}">',
        "<h2>Topics</h2>",
        _table(
            ("Language", "Topic", "F1", "Precision", "Recall", "95%", "Messages"),
            map(_topic_row, sorted(topics(parsed), key=lambda each: each.f1)),
        ),
        "<h2>Errors, with the nearest sentences of the training</h2>",
        _table(("Language", "Message", "Is", "Taken for", "Sure", "Then", "Nearest"), _errors(parsed)),
    ]
    return f"<!doctype html><meta charset=utf-8><title>What was understood</title><style>{STYLE}</style>{''.join(parts)}"


def _topic_row(topic: Topic) -> tuple[str, ...]:
    between = f"{topic.recall_from:.0%}–{topic.recall_to:.0%}"
    return (
        topic.language,
        topic.intent,
        _percent(topic.f1),
        _percent(topic.precision),
        _percent(topic.recall),
        between,
        str(topic.count),
    )


def _errors(parsed: Sequence[Parsed]) -> Iterable[tuple[str, ...]]:
    trained = training_examples()
    texts = [_sorted_words(each.text) for each in trained]  # as token_sort_ratio would, for each error anew
    for each in sorted(parsed, key=lambda one: (one.language, one.intent, -one.confidence)):
        if not each.is_right and each.intent != SECRET:
            near = process.extract(_sorted_words(each.text), texts, scorer=fuzz.ratio, limit=2)
            nearest = "; ".join(f"{trained[row].intent}: {trained[row].text}" for _, _, row in near)
            yield each.language, each.text, each.intent, each.predicted, _percent(each.confidence), each.runner_up, nearest


def _sorted_words(text: str) -> str:
    return " ".join(sorted(text.split()))


def _picture(parsed: Sequence[Parsed]) -> str:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = sorted({each.intent for each in parsed} | {each.predicted for each in parsed})
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for each in parsed:
        counts[each.intent, each.predicted] += 1
    figure, axes = pyplot.subplots(figsize=(14, 13))
    rows = [[counts[row, column] for column in names] for row in names]
    axes.imshow([[value / (sum(row) or 1) for value in row] for row in rows], cmap="Blues")
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("taken for")
    axes.set_ylabel("is")
    content = io.BytesIO()
    figure.savefig(content, format="png", bbox_inches="tight", dpi=70)
    pyplot.close(figure)
    return base64.b64encode(content.getvalue()).decode()


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows]
    return f"<table><tr>{''.join(f'<th>{name}</th>' for name in head)}</tr>{''.join(lines)}</table>"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
