"""Ends the turn after an action that another action has called, which no rule can do: it knows neither of the two."""

from __future__ import annotations

from typing import Any

from rasa.core.policies.policy import Policy, PolicyPrediction
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, Event, FollowupAction
from rasa.shared.core.generator import TrackerWithCachedStates
from rasa.shared.core.trackers import DialogueStateTracker

ABOVE_RULES = 7  # RulePolicy has 6


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=False)
class FollowupPolicy(Policy):
    """After a `FollowupAction` that is no form: the open form goes on, else the shopper is listened to."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"priority": ABOVE_RULES}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> FollowupPolicy:
        return cls(config, model_storage, resource, execution_context)

    load = create

    def train(self, training_trackers: list[TrackerWithCachedStates], domain: Domain, **kwargs: Any) -> Resource:
        return self._resource  # there is nothing to learn

    def predict_action_probabilities(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        rule_only_data: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> PolicyPrediction:
        probabilities = self._default_predictions(domain)
        called = called_action(list(tracker.events))
        if called is None or called in domain.form_names:
            return self._prediction(probabilities)
        probabilities[domain.index_for_action(tracker.active_loop_name or ACTION_LISTEN_NAME)] = 1.0
        return self._prediction(probabilities, is_no_user_prediction=True)


def called_action(events: list[Event]) -> str | None:
    """The action that was executed last, if another action has called it."""
    latest: str | None = None
    for event in reversed(events):
        if isinstance(event, ActionExecuted):
            if latest is not None or event.action_name == ACTION_LISTEN_NAME:
                return None
            latest = event.action_name
        elif isinstance(event, FollowupAction) and latest is not None:
            return latest if event.action_name == latest else None
    return None
