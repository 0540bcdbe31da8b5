"""Says nothing while a person owns the conversation, and begins with a recap when it was given back."""

from __future__ import annotations

from typing import Any

from rasa.core.policies.policy import Policy, PolicyPrediction
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.generator import TrackerWithCachedStates
from rasa.shared.core.trackers import DialogueStateTracker

from bot.turn import current_turn
from database import transaction
from messaging import conversations

ABOVE_RULES = 7  # RulePolicy has 6
RECAP = "action_recap"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=False)
class OwnershipPolicy(Policy):
    """Reads the owner from the database at the beginning of each turn; rules decide whenever the owner is the bot."""

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
    ) -> OwnershipPolicy:
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
        action = self._action(tracker)
        if action is None:
            return self._prediction(self._default_predictions(domain))
        probabilities = self._default_predictions(domain)
        probabilities[domain.index_for_action(action)] = 1.0
        return self._prediction(probabilities, is_no_user_prediction=True)

    def _action(self, tracker: DialogueStateTracker) -> str | None:
        if tracker.latest_action_name != ACTION_LISTEN_NAME:
            return None
        turn = current_turn()
        if turn.owner is not None:  # the turn engine has looked
            is_recap, turn.recap_due = turn.recap_due, False
            return ACTION_LISTEN_NAME if turn.owner == "agent" else RECAP if is_recap else None
        with transaction() as session:
            if conversations.owner(session, tracker.sender_id) == "agent":
                return ACTION_LISTEN_NAME
            return RECAP if conversations.take_recap(session, tracker.sender_id) else None
