"""A failed training is told by file and reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tendero import rewording
from tendero.training import KEPT_MODELS, Trained, TrainingFailed, _check_answers, _forget_old, current_model, in_words


@pytest.fixture
def project(tmp_path: Path) -> Path:
    rules = tmp_path / "data" / "rules"
    rules.mkdir(parents=True)
    (rules / "account.yml").write_text(
        "rules:\n- rule: Edit\n  steps:\n  - intent: edit_account\n  - action: utter_edit_account\n"
    )
    return tmp_path


def test_unknown_answer_is_told_with_the_place_that_names_it(project: Path) -> None:
    error = "Cannot access action 'utter_edit_account', as it is not registered. Available actions are:\n - utter_a\n - utter_b"
    assert in_words(error, project).splitlines() == [
        "Cannot access action 'utter_edit_account', as it is not registered.",
        "  data/rules/account.yml:5: - action: utter_edit_account",
    ]


def test_paths_are_told_from_the_root_of_the_project(project: Path) -> None:
    assert in_words(f"Failed to read '{project}/data/nlu/en/orders.yml'.", project) == "Failed to read 'data/nlu/en/orders.yml'."


def test_answer_that_whatsapp_cannot_show_is_told_by_file_and_key_when_it_is_trained(project: Path) -> None:
    answers = project / "data" / "responses" / "en"
    answers.mkdir(parents=True)
    (answers / "shop.yml").write_text("responses:\n  utter_hello:\n  - text: Hello\n    image: shirt.gif\n")
    with pytest.raises(TrainingFailed, match=r"^data/responses/en/shop\.yml:2: utter_hello: "):
        _check_answers(project)
    (answers / "shop.yml").write_text("responses:\n  utter_hello:\n  - text: Hello\n")
    _check_answers(project)


def test_training_is_told_in_one_line() -> None:
    assert str(Trained(Path("m.tar.gz"), 3412, 14.2)) == "trained 3,412 examples in 14 s"


def test_new_answers_are_told_as_such() -> None:
    assert str(Trained(Path("m.tar.gz"), None, 5.6)) == "took up new answers in 6 s"


def test_model_is_named_by_what_it_was_trained_from(project: Path, tmp_path: Path) -> None:
    before = current_model(tmp_path, project)
    (project / "data" / "rules" / "account.yml").write_text("rules: []\n")
    assert current_model(tmp_path, project) != before


def test_only_the_newest_models_are_kept_with_their_notes_and_no_draft_of_yesterday(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    for number in range(KEPT_MODELS + 2):
        model = tmp_path / f"tendero-{number}.tar.gz"
        model.touch()
        rewording.note_of(model).touch()
        os.utime(model, (number, number))
    (tmp_path / "new" / "2-under-way.tar.gz").touch()
    (tmp_path / "new" / "1-killed.tar.gz").touch()
    os.utime(tmp_path / "new" / "1-killed.tar.gz", (1, 1))
    _forget_old(tmp_path)
    kept = [f"tendero-{number}" for number in range(2, KEPT_MODELS + 2)]
    assert sorted(model.name for model in tmp_path.glob("*.tar.gz")) == [f"{name}.tar.gz" for name in kept]
    assert sorted(note.name for note in tmp_path.glob("*.learnt")) == [f"{name}.learnt" for name in kept]
    assert [draft.name for draft in (tmp_path / "new").iterdir()] == ["2-under-way.tar.gz"]
