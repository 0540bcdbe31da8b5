"""What is trained with: the examples of `data/nlu` and the questions of `data/faq`, as the project's importer gives them."""

from __future__ import annotations

from functools import cache

from rasa.shared.importers.importer import TrainingDataImporter
from rasa.shared.nlu.constants import INTENT, TEXT

from bot.language_slots import LANGUAGE
from tendero.environment import PROJECT


@cache
def trained_with() -> tuple[tuple[str, str, str], ...]:
    """(text, intent, language) of each; read once, which takes some seconds."""
    config, domain, data = (str(PROJECT / name) for name in ("config.yml", "domain.yml", "data"))
    examples = TrainingDataImporter.load_from_config(config, domain, [data]).get_nlu_data().intent_examples
    return tuple((each.get(TEXT), each.get(INTENT), each.get(LANGUAGE)) for each in examples if each.get(TEXT))
