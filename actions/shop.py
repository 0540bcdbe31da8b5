"""The shop's policies, loaded on first use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from actions.words import data_folder
from commerce.policies import Decision, Policies, load_policies
from messaging.kept import kept

DECISIONS_FILE = "TENDERO_DECISIONS_FILE"  # a file that gets a line for each decision: which rules are ever reached


class RecordedPolicies(Policies):
    """The same policies, with a line in a file for each decision."""

    def decide(self, table: str, facts: Mapping[str, object], on: date) -> Decision:
        decision = super().decide(table, facts, on)
        with Path(os.environ[DECISIONS_FILE]).open("a", encoding="utf-8") as file:
            file.write(f"{table} {decision.rule} {decision.verdict}\n")
        return decision


@kept
def policies() -> Policies:
    loaded = load_policies(data_folder() / "policies")
    return RecordedPolicies(loaded.tables) if os.environ.get(DECISIONS_FILE) else loaded
