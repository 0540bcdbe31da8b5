"""Which parts of the dialogue some conversation test has reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.contract.sources import ROOT, read, responses, rule_steps

BY_RULES_OF_RASA = {"nlu_fallback"}
AGENTS_ONLY = "agent_powers"  # a table that no shopper's message reaches; acts at the desk do: tests/desk/acts/test_powers.py


@dataclass
class Seen:
    """What the played stories did. decisions_file: where the action server notes each policy decision."""

    decisions_file: Path
    intents: set[str] = field(default_factory=set)
    actions: set[str] = field(default_factory=set)
    responses: set[str] = field(default_factory=set)
    steps: set[tuple[str, str]] = field(default_factory=set)  # (intent, action right after it)
    stories: int = 0

    def note(self, events: Iterable[dict[str, Any]]) -> None:
        intent = ""
        for event in events:
            if event["event"] == "user":
                intent = event["parse_data"]["intent"]["name"]
                self.intents.add(intent)
            elif event["event"] == "action":
                self.actions.add(event["name"])
                self.steps.add((intent, event["name"]))
            elif event["event"] == "bot":
                self.responses.add((event.get("metadata") or {}).get("utter_action") or "")

    def decisions(self) -> set[tuple[str, str]]:
        lines = self.decisions_file.read_text().splitlines() if self.decisions_file.exists() else []
        return {(line.split()[0], line.split()[1]) for line in lines}


@dataclass(frozen=True)
class Part:
    """One kind of thing, all of it and what was reached of it."""

    name: str
    every: frozenset[str]
    reached: frozenset[str]

    @property
    def missing(self) -> list[str]:
        return sorted(self.every - self.reached)

    def __str__(self) -> str:
        return f"{self.name}: {len(self.every & self.reached)} of {len(self.every)}"


def parts(seen: Seen) -> list[Part]:
    """Intents, actions, responses, rules and policy rules, each with what was reached."""
    domain = read("domain.yml")
    actions = {name if isinstance(name, str) else next(iter(name)) for name in domain["actions"]}
    rules = {f"{intent} -> {action}" for intent, action in _rules()}
    policy_rules, reached_rules = _policy_rules(), {f"{table}.{rule}" for table, rule in seen.decisions()}
    return [
        Part("intents", frozenset(domain["intents"]), frozenset(seen.intents)),
        # validate_... runs inside its form
        Part("actions", frozenset(a for a in actions if not a.startswith("validate_")), frozenset(seen.actions)),
        Part("forms", frozenset(domain["forms"]), frozenset(seen.actions)),
        Part("responses", frozenset(responses("en")), frozenset(seen.responses)),
        Part("rules", frozenset(rules), frozenset(f"{intent} -> {action}" for intent, action in seen.steps)),
        Part("policy rules", frozenset(policy_rules), frozenset(reached_rules)),
    ]


def report(seen: Seen) -> str:
    """The report as Markdown: what is reached, and each thing that is not."""
    lines = ["# Dialogue coverage", ""]
    for part in parts(seen):
        lines += [f"- {part}"]
        lines += [f"  - not reached: {name}" for name in part.missing]
    return "\n".join(lines) + "\n"


def _rules() -> Iterator[tuple[str, str]]:
    intent = None
    for step in rule_steps():
        if "intent" in step:
            intent = step["intent"]
        elif "action" in step and intent is not None:
            yield intent, step["action"]
            intent = None


def _policy_rules() -> Iterable[str]:
    from commerce.policies import load_policies

    loaded = load_policies(ROOT / "data" / "policies")
    return [f"{table}.{rule.id}" for table, rule in loaded.rules() if table != AGENTS_ONLY]
