"""Plays conversation tests (Rasa's test-story format) through a trained model and the real action server.

A story may carry `metadata`, which stock Rasa ignores:
  as: e-mail of a demo customer whom the channel vouches for (as WhatsApp does for a number on file)
  at: an ISO instant at which the action server's clock stands (opening hours), or hours from now ("-24h")
  says: {turn: [snippets]}: what the answers of that turn must contain; `!` before a snippet: must not contain
  meanwhile: {turn: [changes]}: what others do to the shop right before that turn (`changes.py`)
  channel: the channel on which it plays, where that is not `test`
  phone: the number that the channel has proven; `as` on such a channel is the same with the customer's number
  brings: {turn: details}: what the channel brings along with that message, as `Inbound.details` has it (files, location, ...)
In a user message `{code}` is the newest one-time code, `{code spaced}` the same as "123 456", `{tap:N}` what comes back from
WhatsApp of a tap on the N-th choice shown last, `{tap:N@T}` of those that were on the screen after turn T. The source of a FAQ
answer counts among its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

HERE = Path(__file__).parent
LISTEN = "action_listen"


@dataclass
class Turn:
    text: str
    intent: str | None
    actions: list[str] = field(default_factory=list)
    snippets: list[str] = field(default_factory=list)


@dataclass
class Story:
    name: str
    file: Path
    metadata: dict[str, Any]
    turns: list[Turn]

    @property
    def id(self) -> str:
        return f"{self.file.stem}: {self.name}"


@dataclass
class Played:
    """What happened in one turn. on_whatsapp: what the replies are there, as Meta gets them."""

    intent: str
    actions: list[str]
    replies: list[dict[str, Any]]
    on_whatsapp: list[dict[str, Any]] = field(default_factory=list)

    @property
    def words(self) -> str:
        titles = [button["title"] for reply in self.replies for button in reply.get("buttons") or []]
        sources = [str((reply.get("custom") or {}).get("source", "")) for reply in self.replies]
        return "\n".join([*(reply.get("text") or "" for reply in self.replies), *titles, *sources])


def stories() -> Iterator[Story]:
    """Every conversation test below this folder."""
    for file in sorted(HERE.glob("**/test_*.yml")):
        for story in YAML(typ="safe").load(file)["stories"]:
            yield Story(story["story"], file, story.get("metadata") or {}, list(_turns(story)))


def _turns(story: dict[str, Any]) -> Iterator[Turn]:
    says = (story.get("metadata") or {}).get("says") or {}
    turn: Turn | None = None
    number = 0
    for step in story["steps"]:
        if "user" in step:
            if turn is not None:
                yield turn
            number += 1
            turn = Turn(step["user"].strip(), step.get("intent"), snippets=list(says.get(number) or []))
        elif "action" in step and turn is not None:
            turn.actions.append(step["action"])
    if turn is not None:
        yield turn


def faults(turn: Turn, played: Played, is_answer: bool = False) -> list[str]:
    """In what the played turn differs from the expected one.

    is_answer: a form has asked. It takes the answer by what it says: as what it is understood ("paypal": inform, change_payment)
    is a fault only where something else went wrong with it.
    """
    found = []
    if turn.actions != played.actions:
        found.append(f"did {played.actions}, expected {turn.actions}")
    found += said_otherwise(turn, played.words)
    if re.search(r"\{[a-z_]+\}|\butter_|None", played.words):
        found.append("says something that is no word")
    if turn.intent is not None and turn.intent != played.intent and (found or not is_answer):
        found.insert(0, f"understood as {played.intent}, expected {turn.intent}")
    return found


def said_otherwise(turn: Turn, words: str) -> list[str]:
    """Which of the turn's snippets is not among these words, or is and should not be."""
    found = []
    for snippet in turn.snippets:
        if snippet.startswith("!"):
            found += [f"says {snippet[1:]!r}, and should not"] if snippet[1:].lower() in words.lower() else []
        elif snippet.lower() not in words.lower():
            found.append(f"does not say {snippet!r}")
    return found
