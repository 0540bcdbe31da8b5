"""`tendero run --watch` on a project of its own: a designer saves, and the shop that runs speaks otherwise."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tendero.rewording import learnt, note_of
from tests.conversations.stage import ROOT, trained_model
from tests.e2e.conftest import RunningShop, start, stop

PARTS = ("actions", "bot", "commerce", "database", "desk", "messaging", "tendero", "data", "web")
SETTINGS = ("config.yml", "domain.yml", "endpoints.yml", "credentials.yml")
ANSWERS, LABELS = "data/responses/en/conversation.yml", "data/labels/en/shop.yml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    for name in PARTS:
        shutil.copytree(ROOT / name, project / name)
    for name in SETTINGS:
        shutil.copy(ROOT / name, project / name)
    return project


@pytest.fixture
def watched(project: Path, tmp_path: Path) -> Iterator[RunningShop]:
    home = tmp_path / "home"
    (home / "models").mkdir(parents=True)
    model = Path(shutil.copy(trained_model(), home / "models"))
    note_of(model).write_text(str(learnt(project)))
    shop = start(home, "--watch", project=project)
    yield shop
    stop(shop)


def wait_for(shop: RunningShop, said: str, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while said not in (so_far := (shop.home / "run.log").read_text()):
        assert time.monotonic() < until, so_far
        time.sleep(0.1)


def test_what_is_saved_is_said_and_what_is_broken_is_not(project: Path, watched: RunningShop) -> None:
    wait_for(watched, "Watching data/")
    before = (project / ANSWERS).read_text()
    (project / ANSWERS).write_text(before.replace("  utter_welcome:\n", "  utter_welcome\n", 1))
    wait_for(watched, f"{ANSWERS}:9: is not YAML")
    assert "I'm the assistant of Mercado Aurora" in watched.words("a", "hello")
    (project / ANSWERS).write_text(before.replace("I'm the assistant of Mercado Aurora", "I speak for Mercado Aurora"))
    wait_for(watched, "took up new answers")
    wait_for(watched, "the assistant uses it now")
    assert "I speak for Mercado Aurora" in watched.words("b", "hello")
    labels = (project / LABELS).read_text()
    (project / LABELS).write_text(f"{labels}\n# nothing else\n")
    wait_for(watched, f"{LABELS}: needs no training, the assistant uses it now")
    assert stop(watched) == 0
    assert "Traceback" not in (watched.home / "run.log").read_text()
    assert [file.name for file in (watched.home / "running").iterdir() if file.suffix == ".server"] == []
