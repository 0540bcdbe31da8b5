"""A training is due when, and only when, something changed that the model is made from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tendero import fingerprints
from tendero.fingerprints import fingerprint

FILES = (
    "config.yml",
    "domain.yml",
    "data/nlu/en/orders.yml",
    "data/rules/orders.yml",
    "data/responses/es/orders.yml",
    "data/faq/en/shipping.yml",
    "data/patterns/numbers.yml",
    "bot/importer.py",
    "bot/nlu/folding.py",
    "commerce/faq/learnt.py",
)
ELSEWHERE = (
    "README.md",
    "endpoints.yml",
    "credentials.yml",
    "actions/orders.py",
    "commerce/orders.py",
    "data/policies/returns.yml",
    "data/labels/en/shop.yml",
    "data/mail/en.yml",
    "data/widget/en.yml",
    "data/demo/en.yml",
    "data/demo-page/en.yml",
    "bot/nlu/notes.txt",
    "bot/nlu/__pycache__/folding.py",
    "data/nlu/en/.orders.yml.swp",
    "data/nlu/en/orders.yml~",
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in (*FILES, *ELSEWHERE):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return tmp_path


def test_unchanged_project_has_the_same_fingerprint(project: Path) -> None:
    before = fingerprint(project)
    for file in project.rglob("*.yml"):
        file.touch()
    assert fingerprint(project) == before


@pytest.mark.parametrize("name", FILES)
def test_change_of_what_is_trained_on_changes_it(project: Path, name: str) -> None:
    before = fingerprint(project)
    (project / name).write_text("something else")
    assert fingerprint(project) != before


@pytest.mark.parametrize("name", ELSEWHERE)
def test_change_of_anything_else_does_not(project: Path, name: str) -> None:
    before = fingerprint(project)
    (project / name).write_text("something else")
    assert fingerprint(project) == before


def test_new_language_changes_it(project: Path) -> None:
    before = fingerprint(project)
    (project / "data/nlu/pt").mkdir()
    (project / "data/nlu/pt/orders.yml").write_text("nlu: []")
    assert fingerprint(project) != before


def test_renamed_file_changes_it(project: Path) -> None:
    before = fingerprint(project)
    (project / "data/rules/orders.yml").rename(project / "data/rules/parcels.yml")
    assert fingerprint(project) != before


def test_change_taken_back_gives_the_old_fingerprint(project: Path) -> None:
    before = fingerprint(project)
    (project / "domain.yml").write_text("something else")
    (project / "domain.yml").write_text("domain.yml")
    assert fingerprint(project) == before


def test_other_rasa_changes_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint(project)
    monkeypatch.setattr(fingerprints, "_rasa_version", lambda: "3.7.0")
    assert fingerprint(project) != before


def test_project_is_the_same_anywhere(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "project"
    project.rename(elsewhere)
    before = fingerprint(elsewhere)
    elsewhere.rename(project)
    assert fingerprint(project) == before
