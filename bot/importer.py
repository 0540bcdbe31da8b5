"""Reads what designers write by language (answers, FAQ) into the shapes that Rasa knows.

`data/responses/<lang>/*.yml` become response variations conditioned on the slot `language`, with the shop's first language as
the one for everybody else. The questions in `data/faq/<lang>/*.yml` become examples of the intent `ask_faq`, or of
the one that an entry names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rasa.shared.core.domain import Domain
from rasa.shared.exceptions import RasaException
from rasa.shared.importers import utils
from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.loading import load_data
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.shared.utils.io import read_yaml_file

from bot.language_slots import LANGUAGE, LANGUAGE_SLOTS

Variation = dict[str, Any]

FAQ_INTENT = "ask_faq"
DURING_TASK = "during_task"
NOT_FOR_RASA = ("responses", "faq", "patterns", "policies", "labels", "mail", "demo", "widget")


class ResponseError(RasaException):
    """A file below data/responses that cannot be used; the text names file and key."""


class TenderoImporter(RasaFileImporter):
    """Rasa's own file importer, and the folders that are laid out by language."""

    def __init__(
        self,
        config_file: str | None = None,
        domain_path: str | None = None,
        training_data_paths: list[str] | str | None = None,
        default_language: str = "en",
        sent_by_channels: Iterable[str] = (),  # intents without examples: not ours to look at, `tendero validate` does
    ) -> None:
        super().__init__(config_file, domain_path, training_data_paths)
        self._default_language = default_language
        self._nlu_data: TrainingData | None = None
        self._folders = list(_data_folders(training_data_paths))
        self._nlu_files: list[str] = self._for_rasa(self._nlu_files)
        self._story_files: list[str] = self._for_rasa(self._story_files)

    def _for_rasa(self, files: Iterable[str]) -> list[str]:
        return [file for file in files if not _is_ours(Path(file), self._folders)]

    def get_domain(self) -> Domain:
        """The domain file and every answer below data/responses."""
        domain = super().get_domain()
        for folder in self._folders:
            domain = domain.merge(Domain.from_dict({"responses": self._responses(folder / "responses")}))
        return domain

    def get_nlu_data(self, language: str | None = "en") -> TrainingData:
        """The examples below data/nlu and the questions of the FAQ; read once, since a training asks three times."""
        if self._nlu_data is None:
            self._nlu_data = self._read_nlu_data(language)
        return self._nlu_data

    def _read_nlu_data(self, language: str | None) -> TrainingData:
        examples = TrainingData().merge(*(_examples(Path(file), language) for file in self._nlu_files))
        questions = [
            Message({TEXT: question, INTENT: intent, LANGUAGE: spoken})
            for folder in self._folders
            for spoken, question, intent in faq_questions(folder / "faq")
        ]
        return examples.merge(TrainingData(questions))

    def get_conversation_tests(self) -> Any:
        return utils.story_graph_from_paths(self._conversation_test_files, self.get_domain())

    def _responses(self, folder: Path) -> dict[str, list[dict[str, Any]]]:
        conditioned: dict[str, list[dict[str, Any]]] = {}
        for language, key, variations in read_responses(folder):
            conditioned.setdefault(key, []).extend(_conditioned(variations, language, self._default_language))
        return conditioned


def _examples(file: Path, language: str | None) -> TrainingData:
    """Those of the file; each knows in which language's folder it stands, if it is laid out so."""
    examples: TrainingData = load_data(str(file), language)
    if file.parent.parent.name == "nlu":
        for example in examples.training_examples:
            example.set(LANGUAGE, file.parent.name)
    return examples


def _conditioned(variations: list[Variation], language: str, default_language: str) -> Iterator[Variation]:
    """Each variation for whoever speaks this language; and, where it is the default one, for everybody else.

    Where a variation is meant `during_task`, while a form waits for an answer, the others are for the time between tasks.
    """
    differs = any(DURING_TASK in variation for variation in variations)
    for variation in variations:
        said = {name: value for name, value in variation.items() if name != DURING_TASK}
        when = {"in_task": bool(variation.get(DURING_TASK))} if differs else {}
        for speaks in _speaking(language, default_language):
            yield {**said, "condition": _slots({**speaks, **when})}
        if language == default_language and DURING_TASK not in variation:
            yield said


def _speaking(language: str, default_language: str) -> Iterator[dict[str, str | None]]:
    """The states of the slots in which the shopper is answered in this language: the surest that is known counts."""
    for index, slot in enumerate(LANGUAGE_SLOTS):
        yield {**dict.fromkeys(LANGUAGE_SLOTS[:index]), slot: language}
    if language == default_language:
        yield dict.fromkeys(LANGUAGE_SLOTS)


def _slots(values: Mapping[str, str | bool | None]) -> list[dict[str, Any]]:
    return [{"type": "slot", "name": name, "value": value} for name, value in values.items()]


def read_responses(folder: Path) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """(language, key, variations) of every answer; `ResponseError` for a key that one language has twice."""
    seen: dict[tuple[str, str], Path] = {}
    for file in sorted(folder.glob("*/*.yml")):
        for key, variations in (read_yaml_file(file).get("responses") or {}).items():
            if (file.parent.name, key) in seen:
                raise ResponseError(f"{file}: {key} is already written in {seen[file.parent.name, key]}")
            seen[file.parent.name, key] = file
            yield file.parent.name, key, [{"text": variations}] if isinstance(variations, str) else variations


def faq_questions(folder: Path) -> Iterator[tuple[str, str, str]]:
    """(language, question, intent) of what shoppers type for each entry of the FAQ, its title among it."""
    for file in sorted(folder.glob("*/*.yml")):
        for entry in read_yaml_file(file).get("faq") or []:
            intent = entry.get("intent") or FAQ_INTENT
            yield from ((file.parent.name, question, intent) for question in (entry["question"], *(entry.get("asked_as") or [])))


def _data_folders(paths: list[str] | str | None) -> Iterable[Path]:
    given = [paths] if isinstance(paths, str) else paths or []
    return (Path(path) for path in given if Path(path).is_dir())


def _is_ours(file: Path, folders: Iterable[Path]) -> bool:
    return any(file.resolve().is_relative_to((folder / name).resolve()) for folder in folders for name in NOT_FOR_RASA)
