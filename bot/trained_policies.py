"""Rasa's policies as the server runs them: the same predictions, without work whose result is thrown away.

Rasa copies the states of each prediction for a debug message, makes them once more to look for rules about words where no rule
has words, compares each with every rule, and makes them for stories where there are none: most of what a prediction costs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from rasa.core.policies import memoization, rule_policy
from rasa.core.policies.policy import Policy, PolicyPrediction
from rasa.engine.graph import GraphSchema
from rasa.shared.core.constants import ACTION_LISTEN_NAME, PREVIOUS_ACTION, USER
from rasa.shared.core.domain import Domain, State
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import ACTION_NAME, INTENT

from bot.tracker import MOST_TURNS

KINDS = (rule_policy.RULES, rule_policy.RULES_FOR_LOOP_UNHAPPY_PATH)

Names = tuple[str | None, str | None]  # the action before a state, the intent in it


class RulePolicy(rule_policy.RulePolicy):
    """Looks at the rules that end as the conversation does, and at words only where a rule has some."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._by_end: dict[int, dict[Names, list[str]]] = {}

    @staticmethod
    def format_tracker_states(states: list[State]) -> str:
        return ""  # for the debug message only

    def _find_action_from_rules(
        self, tracker: DialogueStateTracker, domain: Domain, use_text_for_last_user_input: bool
    ) -> tuple[str | None, str | None, bool]:
        if use_text_for_last_user_input and not self._may_match_words():
            return None, None, False
        found: tuple[str | None, str | None, bool] = super()._find_action_from_rules(
            tracker, domain, use_text_for_last_user_input
        )
        return found

    def _get_possible_keys(self, lookup: dict[str, str], states: list[State]) -> set[str]:
        """The rules that fit the newest states, as far back as each goes."""
        newest_first = states[::-1]
        by_end = self._ends_of(lookup)
        before, intent = _names(newest_first[0]) if newest_first else (None, None)
        alike = {end for end in by_end if end[0] is None or (end[0] == before and end[1] in (None, intent))}
        return {key for end in alike for key in by_end[end] if self._fits(key, newest_first)}

    @property
    def longest_rule(self) -> int:
        """In turns of the shopper."""
        rules = (self._rule_key_to_state(key) for kind in KINDS for key in self.lookup.get(kind) or {})
        return max((sum(_names(state)[0] == ACTION_LISTEN_NAME for state in states) for states in rules), default=0)

    def _fits(self, key: str, newest_first: list[State]) -> bool:
        seen = newest_first[: len(self._rule_key_to_state(key))]
        return all(self._is_rule_applicable(key, index, state) for index, state in enumerate(seen))

    def _ends_of(self, lookup: dict[str, str]) -> dict[Names, list[str]]:
        if id(lookup) not in self._by_end:
            ends: dict[Names, list[str]] = defaultdict(list)
            for key in lookup:
                ends[_names(self._rule_key_to_state(key)[-1])].append(key)
            self._by_end[id(lookup)] = dict(ends)
        return self._by_end[id(lookup)]

    def _may_match_words(self) -> bool:
        """Whether a rule could fit a message whatever its intent."""
        ends = (end for kind in KINDS for end in self._ends_of(self.lookup.get(kind) or {}))
        return any(intent is None and before in (None, ACTION_LISTEN_NAME) for before, intent in ends)


class MemoizationPolicy(memoization.MemoizationPolicy):
    """Remembers nothing where there was no story to learn."""

    def predict_action_probabilities(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        rule_only_data: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> PolicyPrediction:
        if not self.lookup:
            return self._prediction(self._default_predictions(domain))
        return super().predict_action_probabilities(tracker, domain, rule_only_data, **kwargs)


AT_WORK = {rule_policy.RulePolicy: RulePolicy, memoization.MemoizationPolicy: MemoizationPolicy}


def schema_with_policies(schema: GraphSchema) -> GraphSchema:
    """The same graph with these policies in the place of Rasa's; what was trained is theirs."""
    return GraphSchema({name: replace(node, uses=AT_WORK.get(node.uses, node.uses)) for name, node in schema.nodes.items()})


def turns_seen(policies: Iterable[Policy]) -> int:
    """How many of the newest turns these policies look at, at most."""
    return max((_turns_seen(policy) for policy in policies), default=1)


def _turns_seen(policy: Policy) -> int:
    if isinstance(policy, RulePolicy):
        return 1 + policy.longest_rule
    if isinstance(policy, MemoizationPolicy) and not policy.lookup:
        return 1
    if type(policy).__module__.startswith("bot.policies."):
        return 2
    return getattr(policy.featurizer, "max_history", None) or MOST_TURNS


def _names(state: State) -> Names:
    before, said = state.get(PREVIOUS_ACTION) or {}, state.get(USER) or {}
    return before.get(ACTION_NAME), said.get(INTENT)
