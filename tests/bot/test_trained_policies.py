"""The policies that the server runs predict what Rasa's own predict, whatever a conversation was."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rasa.core.policies import memoization, rule_policy
from rasa.core.policies.policy import Policy
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.storage import ModelMetadata, ModelStorage
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    DefinePrevUserUtteredFeaturization,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)

from bot.tracker import ConversationTracker
from bot.trained_policies import MemoizationPolicy, RulePolicy, schema_with_policies, turns_seen
from tendero.rasa_jobs.yaml_lists import keep_resolvers
from tests.conversations.stage import trained_model

CONVERSATIONS = 150
TURNS = 6


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelStorage, ModelMetadata]:
    keep_resolvers()
    folder: Path = tmp_path_factory.mktemp("model")
    return LocalModelStorage.from_model_archive(folder, trained_model())


def _loaded(model: tuple[ModelStorage, ModelMetadata], kind: type[Policy], schema: GraphSchema) -> Policy:
    storage, metadata = model
    node = next(each for each in schema.nodes.values() if each.uses.__name__ == kind.__name__)
    context = ExecutionContext(metadata.predict_schema, metadata.model_id)
    loaded: Policy = node.uses.load({**node.uses.get_default_config(), **node.config}, storage, node.resource, context)
    return loaded


@pytest.fixture(scope="module")
def both(model: tuple[ModelStorage, ModelMetadata]) -> tuple[Policy, RulePolicy]:
    """Rasa's and ours."""
    schema = model[1].predict_schema
    ours = _loaded(model, rule_policy.RulePolicy, schema_with_policies(schema))
    assert isinstance(ours, RulePolicy)
    return _loaded(model, rule_policy.RulePolicy, schema), ours


def _said(intent: str) -> UserUttered:
    return UserUttered("words", {"name": intent, "confidence": 1.0}, [])


def _conversation(dice: random.Random, domain: Domain) -> Iterator[Event]:
    """Turns as they may be, and as no rule has them: what the two make of it must be the same."""
    yield from (ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted("action_listen"))
    slots = [slot for slot in domain.slots if slot.has_features()]
    for _ in range(dice.randint(1, TURNS)):
        yield _said(dice.choice(domain.intents))
        yield DefinePrevUserUtteredFeaturization(dice.random() < 0.2)
        for _ in range(dice.randint(0, 2)):
            name = dice.choice([*domain.form_names, *domain.action_names_or_texts])
            yield ActionExecuted(name)
            if name in domain.form_names:
                yield ActiveLoop(dice.choice([name, None]))
            if slots and dice.random() < 0.3:
                yield SlotSet(dice.choice(slots).name, dice.choice([True, "en", None]))
        if dice.random() < 0.2:
            yield ActionExecutionRejected(dice.choice(domain.form_names))
        if dice.random() < 0.8:
            yield ActionExecuted("action_listen")


def _of_rules(policy: rule_policy.RulePolicy, domain: Domain) -> Iterator[list[Event]]:
    """Each message that a rule is about, before and after the form that it may begin."""
    for intent in domain.intents:
        begun = [ActionExecuted("action_listen"), _said(intent), DefinePrevUserUtteredFeaturization(False)]
        yield begun
        for form in domain.form_names:
            yield [*begun, ActionExecuted(form), ActiveLoop(form), ActionExecuted("action_listen"), _said(intent)]
            yield [*begun, ActionExecuted(form), ActiveLoop(form), ActiveLoop(None)]


def _predicted(policy: Policy, tracker: ConversationTracker, domain: Domain) -> tuple[Any, ...]:
    said = policy.predict_action_probabilities(tracker, domain)
    events = [event.as_dict()["event"] for event in said.events]
    return said.probabilities, said.policy_name, events, said.is_no_user_prediction, said.hide_rule_turn


def test_rules_say_what_rasas_say(both: tuple[Policy, RulePolicy], model: tuple[ModelStorage, ModelMetadata]) -> None:
    domain, dice = model[1].domain, random.Random(4)
    talks = [list(_conversation(dice, domain)) for _ in range(CONVERSATIONS)]
    talks += list(_of_rules(both[1], domain))[::7]
    told = set()
    for number, events in enumerate(talks):
        tracker = ConversationTracker.from_events(f"talk-{number}", events, domain.slots)
        theirs, ours = (_predicted(policy, tracker, domain) for policy in both)
        assert ours == theirs, [str(event) for event in events]
        told.add(theirs[0].index(max(theirs[0])))
    assert len(told) > 20  # the talks lead to many actions: the comparison says something


def test_rules_need_no_more_turns_than_they_say(
    both: tuple[Policy, RulePolicy], model: tuple[ModelStorage, ModelMetadata]
) -> None:
    domain, dice = model[1].domain, random.Random(5)
    turns = turns_seen([both[1]])
    assert turns < TURNS
    for number in range(CONVERSATIONS):
        tracker = ConversationTracker.from_events(f"talk-{number}", list(_conversation(dice, domain)), domain.slots)
        assert _predicted(both[1], tracker.window(turns), domain) == _predicted(both[1], tracker, domain)


def test_without_stories_none_is_looked_for(model: tuple[ModelStorage, ModelMetadata]) -> None:
    schema = schema_with_policies(model[1].predict_schema)
    policy = _loaded(model, memoization.MemoizationPolicy, schema)
    assert isinstance(policy, MemoizationPolicy)
    tracker = ConversationTracker.from_events("talk", [ActionExecuted("action_listen"), _said("greet")], model[1].domain.slots)
    assert max(policy.predict_action_probabilities(tracker, model[1].domain).probabilities) == 0
    assert turns_seen([policy]) == 1
    policy.lookup = {"a story": "utter_greet"}
    assert turns_seen([policy]) == 5  # config.yml's max_history
