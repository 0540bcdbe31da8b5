"""The findings as one HTML page that needs no other file."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

from tests.nlu.baseline import ALL, Change
from tests.nlu.entities import Entity, Marked, kinds, told
from tests.nlu.errors import Error
from tests.nlu.findings import FLOORS, Findings, by_languages, is_held
from tests.nlu.pictures import calibration, confusion_matrix
from tests.nlu.understanding import Interval, Parsed, Told, percent, topics
from tests.nlu.wishes import Wished

STYLE = """
:root { color-scheme: light; --line: #d9dde3; --soft: #5d6673; --bad: #b3261e; --good: #1b7f4b }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 80rem; color: #1c2330 }
h1 { font-size: 1.6rem; margin: .5rem 0 } h2 { font-size: 1.2rem; margin: 2.2rem 0 .5rem }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem }
p { margin: .4rem 0; max-width: 50rem } .soft { color: var(--soft) } .bad { color: var(--bad) } .good { color: var(--good) }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin: .8rem 0 }
.wide { overflow-x: auto; margin: .4rem 0 }
.wide img { display: block; min-width: 56rem; max-width: 100% } .small img { max-width: 100% }
table { border-collapse: collapse; font-size: .93em }
th, td { padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line) }
th { font-weight: 600; white-space: nowrap } td.number { white-space: nowrap; font-variant-numeric: tabular-nums }
td.text { min-width: 14rem }
@media (max-width: 40rem) {
  .stacked tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line) } .stacked th { display: none }
  .stacked td { display: block; border: 0; padding: .1rem 0 } .stacked td:empty { display: none }
  .stacked td::before { content: attr(data-name) ": "; color: var(--soft) }
}
"""


def page(findings: Findings, errors: Sequence[Error]) -> str:
    sections = {
        "Measures": _measures(findings),
        "Changes": _changes(findings),
        "Confusions": _confusions(findings),
        "Topics": _topics(findings),
        "Entities": _entities(findings.entities),
        "Two requests": _wishes(findings.wishes),
        "Errors": _errors(errors),
        "Calibration": _calibration(findings),
    }
    links = "".join(f'<a href="#{name}">{name}</a>' for name in sections)
    body = "".join(f'<h2 id="{name}">{name}</h2>{content}' for name, content in sections.items())
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    title = "What was understood"
    start = f'<!doctype html><html lang="en"><head>{head}<title>{title}</title><style>{STYLE}</style></head>'
    return f"{start}<body><h1>{title}</h1>{_verdict(findings)}<nav>{links}</nav>{body}</body></html>"


def _verdict(findings: Findings) -> str:
    if not findings.failures:
        return '<p class="good">Every floor is held, no topic is worse than the baseline.</p>'
    return f'<ul class="bad">{"".join(f"<li>{escape(each)}</li>" for each in findings.failures)}</ul>'


def _measures(findings: Findings) -> str:
    said = f"{len(findings.parsed)} messages that training never saw, {len(findings.entities)} with marked entities, and"
    explained = f"{said} {len(findings.cross_validated)} training examples told by a model of the others (one part of four)."
    rows = (_measure(name, value, findings.before.measures.get(name)) for name, value in findings.measures.items())
    return f"<p>{explained}</p>{_table(('Measure', 'Now', 'Floor', 'Baseline', 'Change'), rows)}"


def _measure(name: str, value: float, before: float | None) -> list[str]:
    now = _number(percent(value), "" if is_held(name, value) else "bad")
    change = "" if before is None or abs(value - before) < 0.0005 else f"{value - before:+.1%}"
    return [_cell(name), now, _number(percent(FLOORS.get(name))), _number(percent(before)), _number(change)]


def _changes(findings: Findings) -> str:
    """Significantly worse topics first; then each topic in which a message is told otherwise than in the baseline."""
    if not findings.changes:
        return "<p>Every message is told as in the baseline.</p>"
    of_languages = [each for each in findings.changes if each.language != ALL]
    ordered = sorted(of_languages, key=lambda each: (each not in findings.worse, each.chance, each.language, each.intent))
    everywhere = [each for each in findings.worse if each.language == ALL]
    worse = "".join(
        f'<p class="bad">{escape(each.intent)} is significantly worse over all languages: {each}.</p>' for each in everywhere
    )
    rows = (_change(each, each in findings.worse) for each in ordered)
    return worse + _table(("Language", "Topic", "Chance", "Newly wrong", "Newly right"), rows, "stacked")


def _change(change: Change, is_worse: bool) -> list[str]:
    chance = _number(f"{change.chance:.2g}", "bad" if is_worse else "")
    wrong, right = (_text("<br>".join(map(_became, messages))) for messages in (change.newly_wrong, change.newly_right))
    return [_cell(change.language), _cell(change.intent), chance, wrong, right]


def _became(message: Parsed) -> str:
    taken = "" if message.is_right else f' <span class="soft">→ {escape(message.predicted)}</span>'
    return escape(message.text) + taken


def _confusions(findings: Findings) -> str:
    explained = "How many messages of which topic were taken for which."
    return f"<p>{explained}</p>{_picture(confusion_matrix(findings.parsed), 'Confusion matrix')}"


def _calibration(findings: Findings) -> str:
    explained = (
        "How many messages are right of those that are so sure; the white numbers count them. On the line is where all should be."
    )
    return f"<p>{explained}</p>{_picture(calibration(findings.parsed), 'Calibration', 'small')}"


def _topics(findings: Findings) -> str:
    trial = topics(findings.cross_validated)
    found = sorted(topics(findings.parsed).items(), key=lambda each: (each[1].f1, each[0]))
    rows = (
        [_cell(language), _cell(intent), *_told(each), _f1(trial.get((language, intent)))] for (language, intent), each in found
    )
    head = ("Language", "Topic", "F1", "Precision", "Recall", "Messages", "F1 cross-validated")
    return f"<p>The poorest first, each with its interval for 95%.</p>{_table(head, rows)}"


def _told(each: Told) -> list[str]:
    precision, recall = _between(each.precision, each.precision_between), _between(each.recall, each.recall_between)
    return [_f1(each), precision, recall, _number(str(each.there))]


def _f1(each: Told | None) -> str:
    return _number("") if each is None else _between(each.f1, each.f1_between)


def _between(value: float, between: Interval) -> str:
    return f'<td class="number">{value:.0%} <span class="soft">{between[0]:.0%}–{between[1]:.0%}</span></td>'


def _entities(messages: Sequence[Marked]) -> str:
    head = ("Entity", "F1", "Precision", "Recall", "Marked")
    parts = []
    for language, its in by_languages(messages).items():
        rows = [[_cell("all"), *_told(told(its))], *([_cell(kind), *_told(each)] for kind, each in kinds(its).items())]
        wrong = (
            [_text(escape(each.text)), _named(each.missed), _named(each.invented)] for each in its if each.missed or each.invented
        )
        parts += [
            f"<h3>{language}</h3>",
            _table(head, rows),
            "<p></p>",
            _table(("Message", "Missed", "Invented"), wrong, "stacked"),
        ]
    return "".join(parts)


def _named(entities: Sequence[Entity]) -> str:
    return _cell(", ".join(f"{kind}: {value}" for kind, value in entities))


def _wishes(messages: Sequence[Wished]) -> str:
    wrong = [each for each in messages if not each.is_right]
    explained = f"{len(messages)} messages that hold two requests or seem to; {len(wrong)} are told otherwise."
    rows = ([_cell(each.language), _text(escape(each.text)), *map(_wanted, (each.wanted, each.found))] for each in wrong)
    return f"<p>{explained}</p>{_table(('Language', 'Message', 'Holds', 'Told'), rows, 'stacked')}"


def _wanted(intents: Sequence[str]) -> str:
    return _cell(", ".join(intents) or "one")


def _errors(errors: Sequence[Error]) -> str:
    head = ("Language", "Message", "Is", "Taken for", "Sure", "Runner-up", "Nearest examples")
    return f"<p>{len(errors)} messages.</p>{_table(head, map(_error, errors), 'stacked')}"


def _error(error: Error) -> list[str]:
    told = error.message
    nearest = "<br>".join(f'{escape(each.text)} <span class="soft">{escape(each.intent)}</span>' for each in error.nearest)
    named = [_cell(told.language), _text(escape(told.text)), _cell(told.intent), _cell(told.predicted)]
    return [*named, _number(f"{told.confidence:.0%}"), _cell(told.runner_up), _text(nearest)]


def _table(head: Sequence[str], rows: Iterable[Iterable[str]], kind: str = "") -> str:
    """kind: "stacked" where a row is too long for a phone: there its cells stand one below the other, each with its name."""
    lines = "".join(f"<tr>{''.join(map(_with_name, head, row))}</tr>" for row in rows)
    return f'<div class="wide"><table class="{kind}"><tr>{"".join(f"<th>{name}</th>" for name in head)}</tr>{lines}</table></div>'


def _with_name(name: str, cell: str) -> str:
    return cell.replace("<td", f'<td data-name="{name}"', 1)


def _cell(text: str) -> str:
    return f"<td>{escape(text)}</td>"


def _number(text: str, kind: str = "") -> str:
    return f'<td class="number {kind}">{escape(text)}</td>'


def _text(content: str) -> str:
    return f'<td class="text">{content}</td>'


def _picture(content: bytes, name: str, kind: str = "wide") -> str:
    source = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    return f'<div class="{kind}"><img alt="{name}" src="{source}"></div>'
