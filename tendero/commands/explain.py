"""`tendero explain`."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.explain import Explanation

NEAREST = 5  # examples
ALIKE = 40  # of 100: what is less alike decides nothing

Near = list[tuple[float, str, str]]  # how alike (0 to 1), the intent, the example


@click.command()
@click.argument("text")
@click.option("--model", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Without it: the one in use.")
@click.option("--json", "as_json", is_flag=True)
def explain(text: str, model: Path | None, as_json: bool) -> None:
    """What is understood of TEXT, from which examples, and what would be done at the beginning of a conversation."""
    from tendero.models import chosen_model

    found = _explained(text, chosen_model(model))
    near = nearest(text)
    if as_json:
        rows = [{"likeness": round(likeness, 2), "intent": intent, "example": example} for likeness, intent, example in near]
        click.echo(json.dumps({**asdict(found), "nearest": rows}, ensure_ascii=False, indent=2))
    else:
        _tell(found, near)


def _explained(text: str, model: Path) -> Explanation:
    from tendero.models import make_ready_for

    make_ready_for(model)

    from bot.explain import Explainer

    return asyncio.run(Explainer(model).explain(text))


def nearest(text: str) -> Near:
    """The examples of `data/nlu` and the questions of `data/faq` that are most like the text, each intent's best ones."""
    from rapidfuzz import fuzz, process

    from tendero.examples import trained_with

    examples = trained_with()
    texts = [example.lower() for example, _ in examples]
    found = process.extract(text.lower(), texts, scorer=fuzz.token_sort_ratio, limit=NEAREST, score_cutoff=ALIKE)
    return [(likeness / 100, examples[row][1], examples[row][0]) for _, likeness, row in found]


def _tell(found: Explanation, near: Near) -> None:
    click.echo(f"language  {' '.join(found.language) if found.language else 'no sign of one'}")
    for number, (intent, likely) in enumerate(found.ranking):
        click.echo(f"{'intent' if number == 0 else '':10}{likely:6.1%}  {intent}")
    if found.requests:
        click.echo(f"requests  {', then '.join(found.requests)}")
    for entity in found.entities:
        click.echo(f'entity    {entity.name} = {entity.value}  ("{entity.text}", {entity.source})')
    click.echo(f"then      {found.action}  ({found.policy})")
    for number, (likeness, intent, example) in enumerate(near):
        click.echo(f"{'near' if number == 0 else '':10}{likeness:6.0%}  {intent}: {example}")
    click.echo(f"\n{advice(found, near)}")


def advice(found: Explanation, near: Near) -> str:
    """The smallest edit that would mend a wrong answer."""
    intent = found.ranking[0][0] if found.ranking else ""
    strayed = next((f'"{example}" ({its})' for likeness, its, example in near if its != intent and likeness > 0.6), None)
    if strayed is None:
        return "If this is wrong, add the sentence, and two that say it otherwise, to the right intent in data/nlu, and train."
    return f"If this is wrong, look at {strayed}: it pulls the other way. Else add the sentence to the right intent, and train."
