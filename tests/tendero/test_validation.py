"""Validation names file and fault, for every language that there is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tendero.environment import PROJECT
from tendero.validation import languages, own_problems


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's own data, sound or not, with the code that uses it."""
    for folder in ("data", "actions", "bot"):
        shutil.copytree(PROJECT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.fixture
def before(project: Path) -> set[str]:
    return set(own_problems(project))


def new(project: Path, before: set[str]) -> list[str]:
    return sorted(set(own_problems(project)) - before)


def test_languages_are_the_folders() -> None:
    assert {"en", "es"} <= set(languages(PROJECT / "data"))


def test_the_project_has_no_problems() -> None:
    assert own_problems() == []


def test_answer_in_one_language_only_is_a_problem(project: Path, before: set[str]) -> None:
    (project / "data/responses/es/weather.yml").write_text("responses:\n  utter_weather:\n  - text: Sol\n")
    assert new(project, before) == ["data/responses/es/weather.yml: utter_weather is missing in en"]


def test_label_in_one_language_only_is_a_problem(project: Path, before: set[str]) -> None:
    (project / "data/labels/en/weather.yml").write_text("weather_sun: Sun\n")
    assert new(project, before) == ["data/labels/en/weather.yml: weather_sun is missing in es"]


def test_examples_in_one_language_only_are_a_problem(project: Path, before: set[str]) -> None:
    (project / "data/nlu/en/weather.yml").write_text("nlu:\n- intent: ask_weather\n  examples: |\n    - rain?\n")
    assert new(project, before) == ["data/nlu/en/weather.yml: ask_weather is missing in es"]


def test_new_language_has_to_be_whole(project: Path, before: set[str]) -> None:
    (project / "data/responses/pt").mkdir()
    (project / "data/responses/pt/conversation.yml").write_text("responses: {}\n")
    assert any("is missing in pt" in problem for problem in new(project, before))


def test_unreadable_file_is_named(project: Path, before: set[str]) -> None:
    (project / "data/labels/en/broken.yml").write_text("a: [1\n")
    assert [problem.split(":")[0] for problem in new(project, before)] == ["data/labels/en/broken.yml"]


def test_answer_that_the_code_says_and_nobody_wrote_is_a_problem(project: Path, before: set[str]) -> None:
    (project / "actions/weather.py").write_text('turn.say("utter_weather")\n')
    assert new(project, before) == ["actions/weather.py:1: utter_weather has no answer in data/responses"]


def test_policy_with_a_gap_is_a_problem(project: Path, before: set[str]) -> None:
    (project / "data/policies/weather.yml").write_text("tables: nonsense\n")
    assert any("weather.yml" in problem for problem in new(project, before))


def test_missing_mail_text_is_a_problem(project: Path, before: set[str]) -> None:
    mail = project / "data/mail/en.yml"
    mail.write_text(mail.read_text() + "  weather: {subject: Sun, body: Shines}\n")
    assert any("data/mail/es.yml: weather: is missing" in problem for problem in new(project, before))
