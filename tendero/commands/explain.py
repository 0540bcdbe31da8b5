"""`tendero explain`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bot.explain import Effect, Explainer, Explanation

NEAREST = 5  # examples
ASKED = 200  # examples, of what one more would change
ALIKE = 40  # of 100: what is less alike decides nothing
ANSWERS = "action_answer_faq"
LOOK_INTO_FAQ = (ANSWERS, "action_misunderstood")  # the second answers where exactly one entry fits

Near = list[tuple[float, str, str]]  # how alike (0 to 1), the intent, the example


@click.command()
@click.argument("text")
@click.option("--should", metavar="INTENT", help="What it should have been: says what the text as an example would change.")
@click.option("--model", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Without it: the one in use.")
@click.option("--json", "as_json", is_flag=True)
def explain(text: str, should: str | None, model: Path | None, as_json: bool) -> None:
    """What is understood of TEXT, by which words and examples, and what would be done at the beginning of a conversation."""
    from tendero.models import chosen_model, make_ready_for

    chosen = chosen_model(model)
    make_ready_for(chosen)

    from bot.explain import Explainer

    explainer = Explainer(chosen)
    found, near = asyncio.run(explainer.explain(text)), nearest(text)
    faq = _faq(found)
    effect = _effect(explainer, text, should) if should else None
    if as_json:
        rows = [{"likeness": round(likeness, 2), "intent": intent, "example": example} for likeness, intent, example in near]
        told = {**asdict(found), "faq": faq, "nearest": rows, "effect": asdict(effect) if effect else None}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        _tell(found, near, faq)
        click.echo(f"\n{_in_words(effect, str(should)) if effect else advice(found, near)}")


def _effect(explainer: Explainer, text: str, should: str) -> Effect:
    others = [example for _, _, example in nearest(text, ASKED, least=0)]
    try:
        return explainer.effect(text, should, others)
    except ValueError as error:
        raise click.BadParameter(f"{error}: domain.yml has them all.", param_hint="--should") from error


def _in_words(effect: Effect, should: str) -> str:
    about = f"As an example of {should} it would be told as that with about {effect.probability:.0%}."
    if not effect.changed:
        return f"{about} Of the {ASKED} examples that are most like it, none would be understood otherwise."
    rows = (f"  {was} -> {will_be}: {text}" for text, was, will_be in effect.changed)
    return "\n".join([f"{about} Of the {ASKED} examples that are most like it, these would be understood otherwise:", *rows])


def nearest(text: str, most: int = NEAREST, least: int = ALIKE, among: Sequence[tuple[str, str]] | None = None) -> Near:
    """The examples that are most like the text. among: (text, intent); without them, all of `data/nlu` and `data/faq`."""
    from rapidfuzz import fuzz, process

    from tendero.examples import trained_with

    examples = [(example, intent) for example, intent, _ in trained_with()] if among is None else among
    texts = [example.lower() for example, _ in examples]
    found = process.extract(text.lower(), texts, scorer=fuzz.token_sort_ratio, limit=most, score_cutoff=least)
    return [(likeness / 100, examples[row][1], examples[row][0]) for _, likeness, row in found]


def _faq(found: Explanation) -> list[dict[str, Any]]:
    """The entries that fit best, the best first, and what would become of each; none where nobody looks into the FAQ."""
    if found.action not in LOOK_INTO_FAQ:
        return []
    from actions.faq import find
    from messaging.shop import default_language

    text, language = found.text, found.language[0] if found.language else default_language()
    if found.faq:
        text, language = found.faq[0]["text"], found.faq[0]["language"]
    fitting = find(text, language, found.faq)
    told = [entry.id for entry in (fitting.told if found.action == ANSWERS else fitting.answers)]
    become = "answered" if len(told) == 1 else "offered" if found.action == ANSWERS else "left"
    return [
        {"score": round(match.score, 2), "source": match.entry.source, "is": become if match.entry.id in told else "left"}
        for match in fitting.matches
    ]


def _tell(found: Explanation, near: Near, faq: Sequence[Mapping[str, Any]]) -> None:
    click.echo(f"language  {' '.join(found.language) if found.language else 'no sign of one'}")
    for number, (intent, likely) in enumerate(found.ranking):
        click.echo(f"{'intent' if number == 0 else '':10}{likely:6.1%}  {intent}")
    if found.features:
        click.echo(f"by        {', '.join(f'{gram.strip()} {weight:+.2f}' for gram, weight in found.features)}")
    if found.requests:
        click.echo(f"requests  {', then '.join(found.requests)}")
    for entity in found.entities:
        click.echo(f'entity    {entity.name} = {entity.value}  ("{entity.text}", {entity.source})')
    click.echo(f"then      {found.action}  ({found.policy})")
    for number, entry in enumerate(faq):
        click.echo(f"{'' if number else 'faq':10}{entry['score']:6.2f}  {entry['source']}  ({entry['is']})")
    for number, (likeness, intent, example) in enumerate(near):
        click.echo(f"{'near' if number == 0 else '':10}{likeness:6.0%}  {intent}: {example}")


def advice(found: Explanation, near: Near) -> str:
    """The smallest edit that would mend a wrong answer."""
    intent = found.ranking[0][0] if found.ranking else ""
    strayed = next((f'"{example}" ({its})' for likeness, its, example in near if its != intent and likeness > 0.6), None)
    if strayed is None:
        return "If this is wrong, add the sentence, and two that say it otherwise, to the right intent in data/nlu, and train."
    return f"If this is wrong, look at {strayed}: it pulls the other way. Else add the sentence to the right intent, and train."
