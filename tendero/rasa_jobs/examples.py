"""Examples that are joined as they are.

Rasa joins the examples of files, of importers around importers, of stories and of its own actions one after the other, copies all
of them each time, and works out for each whether it is there twice: of a project with 30,000 examples most of a training's time
and memory. Nobody changes what was joined, so nothing has to be copied; and what adds nothing, changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import reduce

from rasa.shared.nlu.constants import INTENT, RESPONSE, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.shared.nlu.training_data.util import check_duplicate_synonym


def join_without_copies() -> None:
    """From now on, in this process."""
    TrainingData.merge = _merge
    TrainingData.sanitize_examples = staticmethod(_each_once)


def _each_once(examples: Sequence[Message]) -> list[Message]:
    """As in Rasa, which works out the fingerprint of every one: only those with the same text can be the same."""
    for example in examples:
        for name in (INTENT, RESPONSE):
            if (value := example.get(name)) and value != value.strip():
                example.set(name, value.strip())
    times = Counter(example.get(TEXT) for example in examples)
    once: dict[Message | int, Message] = {}
    for example in examples:
        once.setdefault(example if times[example.get(TEXT)] > 1 else id(example), example)
    return list(once.values())


def _merge(self: TrainingData, *others: TrainingData | None) -> TrainingData:
    """As in Rasa, with the same examples in the same order."""
    parts = [each for each in (self, *others) if each is not None and not _is_empty(each)]
    if len(parts) < 2:
        return parts[0] if parts else self
    return TrainingData(
        [example for each in parts for example in each.training_examples],
        reduce(_synonyms, (each.entity_synonyms for each in parts)),
        [feature for each in parts for feature in each.regex_features],
        [table for each in parts for table in each.lookup_tables],
        reduce(lambda known, more: known | more, (each.responses for each in parts)),
    )


def _synonyms(known: dict[str, str], more: dict[str, str]) -> dict[str, str]:
    for text, synonym in more.items():
        check_duplicate_synonym(known, text, synonym, "merging training data")
    return known | more


def _is_empty(data: TrainingData) -> bool:
    return not (data.training_examples or data.entity_synonyms or data.regex_features or data.lookup_tables or data.responses)
