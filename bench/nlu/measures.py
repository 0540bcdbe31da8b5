"""How well intents were predicted, and how far the probabilities can be believed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

OUT_OF_SCOPE = "out_of_scope"
SECRET = "share_secret"  # told by the pipeline's masker before any classifier, so that no classifier is judged by it
UNSURE = 0.3  # as the threshold of FallbackClassifier in config.yml
BINS = 10


@dataclass(frozen=True)
class Prediction:
    """language, intent: what is true. predicted, confidence: the likeliest intent."""

    language: str
    intent: str
    predicted: str
    confidence: float

    @property
    def is_right(self) -> bool:
        return self.predicted == self.intent

    @property
    def is_rejected(self) -> bool:
        """Whether the shopper is told that it was not understood, or is no matter of ours."""
        return self.predicted == OUT_OF_SCOPE or self.confidence < UNSURE


def quality(predictions: Sequence[Prediction]) -> dict[str, float]:
    """Each measure by its name, from 0 to 1; all but the last without the messages that hold a secret."""
    secrets = [each for each in predictions if each.intent == SECRET]
    predictions = [each for each in predictions if each.intent != SECRET]
    outside = [each for each in predictions if each.intent == OUT_OF_SCOPE]
    inside = [each for each in predictions if each.intent != OUT_OF_SCOPE]
    return {
        **{f"accuracy {language}": accuracy(its) for language, its in sorted(_by_language(predictions).items())},
        "accuracy": accuracy(predictions),
        "macro F1": macro_f1(predictions),
        "out-of-scope recall": _share(each.is_rejected for each in outside),
        "out-of-scope named": _share(each.is_right for each in outside),
        "false rejections": _share(each.is_rejected for each in inside),
        "calibration error": calibration_error(predictions),
        "secrets told": accuracy(secrets),
    }


def accuracy(predictions: Iterable[Prediction]) -> float:
    return _share(each.is_right for each in predictions)


def macro_f1(predictions: Sequence[Prediction]) -> float:
    """The mean F1 of the intents that occur."""
    scores = []
    for intent in {each.intent for each in predictions}:
        right = sum(each.is_right for each in predictions if each.intent == intent)
        named = sum(each.predicted == intent for each in predictions)
        there = sum(each.intent == intent for each in predictions)
        scores.append(2 * right / (named + there))
    return sum(scores) / len(scores)


def calibration_error(predictions: Sequence[Prediction]) -> float:
    """How far confidence is from accuracy, in the mean over all predictions, ten bins of confidence (ECE)."""
    bins = defaultdict(list)
    for each in predictions:
        bins[min(int(each.confidence * BINS), BINS - 1)].append(each)
    apart = (abs(sum(each.confidence for each in its) - sum(each.is_right for each in its)) for its in bins.values())
    return sum(apart) / len(predictions)


def _by_language(predictions: Iterable[Prediction]) -> dict[str, list[Prediction]]:
    found = defaultdict(list)
    for each in predictions:
        found[each.language].append(each)
    return found


def _share(truths: Iterable[bool]) -> float:
    all_of_them = list(truths)
    return sum(all_of_them) / len(all_of_them) if all_of_them else 0.0
