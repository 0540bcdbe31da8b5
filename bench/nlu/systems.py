"""The classifiers that are compared. Each trains into a folder, and predicts from there in a process that trained nothing."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import yaml

from bench.nlu.examples import Example
from bench.stock import StockProject, stock_config, timed_training
from bot.language_slots import LANGUAGE
from bot.nlu.language_detector import MessageLanguageDetector, read_telling_words
from bot.nlu.linear_intent_classifier import LinearIntentClassifier
from tendero.environment import PROJECT, for_child

OURS = "bot.nlu.linear_intent_classifier.LinearIntentClassifier"
DIET_AND_ITS_FEATURES = (
    "WhitespaceTokenizer",
    "RegexFeaturizer",
    "LexicalSyntacticFeaturizer",
    "CountVectorsFeaturizer",
    "DIETClassifier",
)
Ranking = tuple[str, float]  # the likeliest intent and its probability
Costs = dict[str, Any]  # cpu_seconds, memory (MB)


class System(Protocol):
    def train(self, examples: Sequence[Example], folder: Path) -> Costs | None:
        """What it took, where it was done by another process."""

    def load(self, folder: Path) -> None: ...

    def likeliest(self, text: str) -> Ranking: ...


class Ours:
    """Our component as config.yml has it, with other settings if some are given, told the language by the component before it."""

    def __init__(self, **settings: Any) -> None:
        pipeline = yaml.safe_load((PROJECT / "config.yml").read_text(encoding="utf-8"))["pipeline"]
        configured = next(component for component in pipeline if component["name"] == OURS)
        self._config = {**LinearIntentClassifier.get_default_config(), **configured, **settings}

    def train(self, examples: Sequence[Example], folder: Path) -> None:
        from rasa.shared.nlu.constants import INTENT, TEXT
        from rasa.shared.nlu.training_data.message import Message
        from rasa.shared.nlu.training_data.training_data import TrainingData

        messages = [Message({TEXT: each.text, INTENT: each.intent, LANGUAGE: each.language}) for each in examples]
        self._component("create", folder).train(TrainingData(messages))

    def load(self, folder: Path) -> None:
        self._classifier = self._component("load", folder)
        telling = read_telling_words(PROJECT / "data" / "patterns" / "languages.yml")
        self._detector = MessageLanguageDetector(MessageLanguageDetector.get_default_config(), *_storage(folder), telling)

    def likeliest(self, text: str) -> Ranking:
        return self.likeliest_of_all([text])[0]

    def likeliest_of_all(self, texts: Sequence[str]) -> list[Ranking]:
        """What is said of each, in a fraction of the time that one after the other takes."""
        languages = [(self._detector.language(text) or (None, None))[1] for text in texts]
        found: dict[str, Ranking] = {}
        for language in dict.fromkeys(languages):
            its = [text for text, spoken in zip(texts, languages, strict=True) if spoken == language]
            for text, (best, *_) in zip(its, self._classifier.rankings(its, language), strict=True):
                found[text] = best["name"], best["confidence"]
        return [found[text] for text in texts]

    def _component(self, make: str, folder: Path) -> LinearIntentClassifier:
        from rasa.engine.graph import ExecutionContext, GraphSchema

        made: LinearIntentClassifier = getattr(LinearIntentClassifier, make)(
            self._config, *_storage(folder), ExecutionContext(GraphSchema({}))
        )
        return made


def _storage(folder: Path) -> tuple[Any, Any]:
    from rasa.engine.storage.local_model_storage import LocalModelStorage
    from rasa.engine.storage.resource import Resource

    return LocalModelStorage(folder), Resource("classifier")


class ScikitLearn:
    """The few lines that everybody would write: words by TF-IDF, a logistic regression, everything as it comes."""

    def train(self, examples: Sequence[Example], folder: Path) -> None:
        import joblib
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        model = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000))
        joblib.dump(model.fit([each.text for each in examples], [each.intent for each in examples]), folder / "model.joblib")

    def load(self, folder: Path) -> None:
        import joblib

        self._model = joblib.load(folder / "model.joblib")

    def likeliest(self, text: str) -> Ranking:
        probabilities = self._model.predict_proba([text])[0]
        return str(self._model.classes_[probabilities.argmax()]), float(probabilities.max())


class WholePipeline:
    """The project's whole model with all of its pipeline, trained as `tendero train` does."""

    def train(self, examples: Sequence[Example], folder: Path) -> Costs | None:
        job = ["-m", "tendero.rasa_jobs.train", str(folder / "model.tar.gz"), str(folder / "report.json")]
        return timed_training(job, PROJECT, for_child(), folder / "training.log")

    def load(self, folder: Path) -> None:
        from rasa.core.agent import Agent

        self._agent = Agent.load(str(folder / "model.tar.gz"))
        self._loop = asyncio.new_event_loop()

    def likeliest(self, text: str) -> Ranking:
        parsed = self._loop.run_until_complete(self._agent.parse_message(text))
        named = [each for each in parsed["intent_ranking"] if each["name"] != "nlu_fallback"]
        return named[0]["name"], named[0]["confidence"]


class DietAlone(WholePipeline):
    """DIET with the components that `rasa init` gives it, and nothing else: for so few examples that it ends in this hour."""

    def train(self, examples: Sequence[Example], folder: Path) -> Costs | None:
        from rasa.shared.nlu.constants import INTENT, TEXT
        from rasa.shared.nlu.training_data.message import Message
        from rasa.shared.nlu.training_data.training_data import TrainingData

        pipeline = [each for each in stock_config()["pipeline"] if each["name"] in DIET_AND_ITS_FEATURES]
        config = {"recipe": "default.v1", "language": "en", "assistant_id": "diet", "pipeline": pipeline}
        (folder / "config.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        messages = [Message({TEXT: each.text, INTENT: each.intent}) for each in examples]
        (folder / "nlu.yml").write_text(TrainingData(messages).nlu_as_yaml(), encoding="utf-8")
        job = "-m rasa train nlu --nlu nlu.yml --config config.yml --out . --fixed-model-name model".split()
        return timed_training(job, folder, for_child(PYTHONPATH=str(PROJECT)), folder / "training.log")


class StockDiet(WholePipeline):
    """What `rasa init` configures, on the same data: its training takes an hour or more, and is kept with that of `bench`."""

    def train(self, examples: Sequence[Example], folder: Path) -> Costs | None:
        project = StockProject(PROJECT / "var" / "bench")
        project.train()
        shutil.copy(project.model, folder / "model.tar.gz")
        return project.training


SYSTEMS: dict[str, Any] = {
    "ours": Ours,
    "ours, n-grams alone": lambda: Ours(encoder=None),
    "scikit-learn": ScikitLearn,
    "our whole pipeline": WholePipeline,
    "stock DIET": StockDiet,
    "DIET alone": DietAlone,
}
