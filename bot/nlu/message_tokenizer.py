"""Rasa's tokens of messages, which `rasa test nlu` asks for. Examples get none, since nothing learns from them."""

from __future__ import annotations

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.tokenizers.whitespace_tokenizer import WhitespaceTokenizer
from rasa.shared.nlu.training_data.training_data import TrainingData


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class MessageTokenizer(WhitespaceTokenizer):
    """With a component that does learn from tokens (CRFEntityExtractor, DIETClassifier), use `WhitespaceTokenizer` instead."""

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data
