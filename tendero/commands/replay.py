"""`tendero replay`."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bot.replay import ReplayedTurn


@click.command()
@click.argument("conversation")
@click.option("--model", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Without it: the one in use.")
@click.option("--json", "as_json", is_flag=True, help="Every turn as JSON, also those that stay the same.")
def replay(conversation: str, model: Path | None, as_json: bool) -> None:
    """Run a stored conversation again on a model, and show each turn that would differ.

    Nothing is done: messages are parsed, actions are predicted and not called, and what they did is taken from the stored
    conversation. A turn is compared up to its first difference. CONVERSATION is its sender id.
    """
    from tendero.models import chosen_model

    turns = _replayed(conversation, chosen_model(model))
    if turns is None:
        click.echo(f"There is no conversation {conversation}.", err=True)
        sys.exit(1)
    if as_json:
        click.echo(json.dumps([_row(turn) for turn in turns], ensure_ascii=False, indent=2))
    else:
        _tell(turns)


def _replayed(conversation: str, model: Path) -> list[ReplayedTurn] | None:
    from tendero.models import make_ready_for

    make_ready_for(model)

    from bot.replay import Replayer
    from bot.tracker_store import ConversationTrackerStore

    return asyncio.run(Replayer(model, ConversationTrackerStore()).replay(conversation))


def _row(turn: ReplayedTurn) -> dict[str, Any]:
    return {
        "turn": turn.number,
        "at": datetime.fromtimestamp(turn.at, timezone.utc).isoformat(),
        "text": turn.text,
        "differs": turn.differs,
        "intent": {"then": turn.intent, "now": turn.predicted_intent},
        "actions": {"then": turn.actions, "now": turn.predicted},
    }


def _tell(turns: list[ReplayedTurn]) -> None:
    different = [turn for turn in turns if turn.differs]
    for turn in different:
        click.echo(f"{turn.number:4}  {turn.text}")
        if turn.intent != turn.predicted_intent:
            click.echo(f"      intent   {turn.intent} -> {turn.predicted_intent}")
        if turn.actions != turn.predicted:
            click.echo(f"      actions  {', '.join(turn.actions)}\n            -> {', '.join(turn.predicted)}")
    click.echo(f"{len(different)} of {len(turns)} turns would differ." if turns else "No turn can be compared.")
