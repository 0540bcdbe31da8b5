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


class _Unique(list[Message]):
    """Examples of which it is known that none is there twice."""


def _each_once(examples: Sequence[Message]) -> list[Message]:
    """As in Rasa, which works out the fingerprint of every one: only those with the same text can be the same."""
    if isinstance(examples, _Unique):
        return _Unique(examples)
    for example in examples:
        for name in (INTENT, RESPONSE):
            if (value := example.data.get(name)) and value != value.strip():
                example.set(name, value.strip())
    texts = [example.data.get(TEXT) for example in examples]
    times = Counter(texts)
    once: dict[Message | int, Message] = {}
    for example, text in zip(examples, texts, strict=True):
        once.setdefault(example if times[text] > 1 else id(example), example)
    return _Unique(once.values())


def _merge(self: TrainingData, *others: TrainingData | None) -> TrainingData:
    """As in Rasa, with the same examples in the same order."""
    parts = [each for each in (self, *others) if each is not None and not _is_empty(each)]
    if len(parts) < 2:
        return parts[0] if parts else self
    return TrainingData(
        _joined([each.training_examples for each in parts if each.training_examples]),
        reduce(_synonyms, (each.entity_synonyms for each in parts)),
        [feature for each in parts for feature in each.regex_features],
        [table for each in parts for table in each.lookup_tables],
        reduce(lambda known, more: known | more, (each.responses for each in parts)),
    )


def _joined(lists: Sequence[list[Message]]) -> list[Message]:
    """One alone as it is: it need not be looked through again."""
    return lists[0] if len(lists) == 1 else [example for each in lists for example in each]


def _synonyms(known: dict[str, str], more: dict[str, str]) -> dict[str, str]:
    for text, synonym in more.items():
        check_duplicate_synonym(known, text, synonym, "merging training data")
    return known | more


def _is_empty(data: TrainingData) -> bool:
    return not (data.training_examples or data.entity_synonyms or data.regex_features or data.lookup_tables or data.responses)
