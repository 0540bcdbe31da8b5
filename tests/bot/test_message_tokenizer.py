"""Tokens of messages, and none of examples."""

from __future__ import annotations

from rasa.nlu.constants import TOKENS_NAMES
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.message_tokenizer import MessageTokenizer

TOKENIZER = MessageTokenizer(MessageTokenizer.get_default_config())


def test_message_gets_tokens() -> None:
    (message,) = TOKENIZER.process([Message({TEXT: "hello there"})])
    assert [token.text for token in message.get(TOKENS_NAMES[TEXT])] == ["hello", "there"]


def test_examples_get_none() -> None:
    data = TOKENIZER.process_training_data(TrainingData([Message({TEXT: "hello there"})]))
    assert data.training_examples[0].get(TOKENS_NAMES[TEXT]) is None
