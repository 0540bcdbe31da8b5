"""Answers are not learnt: which changes need a training, and that new answers in a model come to what a training would make."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tendero.environment import PROJECT
from tendero.rewording import base_of, learnt, model_of, note_of
from tests.conversations.stage import trained_model

ANSWERS, FAQ, EXAMPLES = "data/responses/en/orders.yml", "data/faq/en/shipping.yml", "data/nlu/en/orders.yml"
CONTENT = {
    ANSWERS: "responses:\n  utter_a:\n  - text: A\n  utter_b: B\n",
    FAQ: "language: en\nfaq:\n- id: a\n  question: Q\n  asked_as: [q]\n  answer: A\n",
    EXAMPLES: "nlu:\n- intent: a\n  examples: |\n    - a\n",
    "domain.yml": "intents: [a]\n",
    "data/policies/returns.yml": "days: 30\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for path, content in CONTENT.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    return tmp_path


@pytest.mark.parametrize(
    ("path", "old", "new", "is_learnt"),
    [
        (ANSWERS, "text: A", "text: other words", False),
        (ANSWERS, "utter_b: B", "utter_b:\n  - text: B\n  - text: another", False),
        (ANSWERS, "utter_b", "utter_c", True),
        (FAQ, "answer: A", "answer: other words", False),
        (FAQ, "question: Q", "question: another", True),
        (FAQ, "[q]", "[q, r]", True),
        (FAQ, "id: a", "id: a\n  intent: b", True),
        (EXAMPLES, "- a\n", "- b\n", True),
        ("domain.yml", "[a]", "[a, b]", True),
        ("data/policies/returns.yml", "30", "31", False),
    ],
)
def test_only_what_is_learnt_needs_a_training(project: Path, path: str, old: str, new: str, is_learnt: bool) -> None:
    before = learnt(project)
    file = project / path
    file.write_text(file.read_text().replace(old, new, 1))
    assert (learnt(project) != before) == is_learnt
    assert file.read_text() != CONTENT[path]


def test_files_that_cannot_be_read_have_learnt_nothing(project: Path) -> None:
    (project / ANSWERS).write_text("responses: [")
    assert learnt(project) is None


def test_the_newest_model_that_has_learnt_the_same_is_taken(tmp_path: Path) -> None:
    for number, what in enumerate(("same", "same", "other", "same")):
        model = tmp_path / f"tendero-{number}.tar.gz"
        note_of(model).write_text(what)
        if number < 3:  # the last one's model is gone
            model.touch()
            os.utime(model, (number, number))
    assert base_of(tmp_path, "same") == tmp_path / "tendero-1.tar.gz"
    assert (base_of(tmp_path, "unknown"), base_of(tmp_path, None)) == (None, None)
    assert model_of(note_of(tmp_path / "tendero-1.tar.gz")) == tmp_path / "tendero-1.tar.gz"


def content(model: Path) -> dict[str, bytes]:
    with tarfile.open(model) as archive:
        return {each.name: archive.extractfile(each).read() for each in archive if each.isfile()}  # type: ignore[union-attr]


def test_a_model_with_its_own_answers_put_in_is_the_same_model(tmp_path: Path) -> None:
    base, output, report = trained_model(), tmp_path / "new.tar.gz", tmp_path / "report.json"
    command = [sys.executable, "-W", "ignore", "-m", "tendero.rasa_jobs.reword", str(base), str(output), str(report)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, timeout=120)
    assert report.read_text() == "{}"
    before, after = content(base), content(output)
    metadata, others = (
        [json.loads(each[name]) for each in (before, after) for name in each if name.endswith("metadata.json")],
        [{name: data for name, data in each.items() if not name.endswith("metadata.json")} for each in (before, after)],
    )
    assert others[0] == others[1]
    assert metadata[0].pop("model_id") != metadata[1].pop("model_id")
    assert metadata[0] == metadata[1]
