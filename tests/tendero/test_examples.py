"""Examples are read as the project's importer reads them, only faster."""

from __future__ import annotations

from pathlib import Path

from rasa.shared.nlu.constants import INTENT, TEXT

from bot.importer import TenderoImporter
from bot.language_slots import LANGUAGE
from tendero.examples import Example, examples_of
from tests.tendero.talks import small_project

ANNOTATED = """version: "3.1"
nlu:
- intent: inform
  examples: |
    - a [blue](color) shirt
    - it is [L]{"entity": "size"}
- lookup: colours
  examples: |
    - blue
"""


def test_examples_are_those_that_the_importer_gives_to_a_training(tmp_path: Path) -> None:
    project = small_project(tmp_path)
    (project / "data/nlu/en/annotated.yml").write_text(ANNOTATED)
    theirs = TenderoImporter(training_data_paths=str(project / "data")).get_nlu_data()
    ours = dict.fromkeys((each.text, each.intent, each.language) for each in examples_of(project))  # a training takes none twice
    assert list(ours) == [(each.get(TEXT), each.get(INTENT), each.get(LANGUAGE)) for each in theirs.intent_examples]


def test_example_is_named_by_its_place_and_language(tmp_path: Path) -> None:
    found = examples_of(small_project(tmp_path))
    assert Example("dónde está mi pedido", "track_order", "es") in found
    steps = next(each for each in found if each.text == "return steps")
    assert (steps.intent, steps.place, steps.language) == ("request_return", "ask_faq/how_to_return", "en")
