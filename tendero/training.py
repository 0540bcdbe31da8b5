"""Training when, and only when, there is something new to train on."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tendero import rewording
from tendero.children import Child
from tendero.environment import PROJECT
from tendero.fingerprints import fingerprint
from tendero.logs import useful_line
from tendero.terminal import Watch

KEPT_MODELS = 5  # so that going back to another state of the data needs no training
DRAFTS_KEPT = 86_400.0  # seconds: no training takes so long

_NAME = re.compile(r"'([a-z][a-z0-9_]+)'")


class TrainingFailed(Exception):
    """The project cannot be trained; the message says which file and why."""


@dataclass(frozen=True)
class Trained:
    """What a training made. examples: None where only answers were new. seconds: how long it took."""

    model: Path
    examples: int | None
    seconds: float

    def __str__(self) -> str:
        learnt = f"trained {self.examples:,} examples" if self.examples is not None else "took up new answers"
        return f"{learnt} in {max(self.seconds, 1):.0f} s"


def current_model(home: Path, project: Path = PROJECT) -> Path:
    """Where the model of the project's present state is, or will be: its fingerprint is its name."""
    return home / "models" / f"tendero-{fingerprint(project)}.tar.gz"


class Training:
    """A training under way in a process of its own. Where only answers are new, a model gets them that has learnt the rest."""

    def __init__(self, home: Path, project: Path = PROJECT, force: bool = False) -> None:
        """force: learn everything anew."""
        self._project = project
        self._model = current_model(home, project)
        self._learnt = rewording.learnt(project)
        base = None if force else rewording.base_of(self._model.parent, self._learnt)
        self.is_of_words_only = base is not None
        self._draft = self._model.parent / "new" / f"{os.getpid()}-{self._model.name}"  # others may train the same
        self._report = self._draft.with_suffix(".json")
        self._draft.parent.mkdir(parents=True, exist_ok=True)
        self._report.unlink(missing_ok=True)
        self._watch = Watch()
        job = "tendero.rasa_jobs.train" if base is None else "tendero.rasa_jobs.reword"
        arguments = [*([] if base is None else [str(base)]), str(self._draft), str(self._report)]
        self._child = Child("training", job, arguments, home / "logs" / "training.log")

    @property
    def is_under_way(self) -> bool:
        return self._child.is_running

    def finish(self) -> Trained:
        """Wait for it. Raises TrainingFailed."""
        self._child.wait()
        report = read_report(self._report, self._child)
        if "error" in report:
            raise TrainingFailed(f"{in_words(str(report['error']))}\nThe whole story: {self._child.log.path}")
        _check_answers(self._project)
        self._draft.replace(self._model)  # a model is there as a whole or not at all
        rewording.note_of(self._model).write_text(self._learnt or "")
        _forget_old(self._model.parent)
        return Trained(self._model, report.get("examples"), self._watch.seconds)

    def stop(self) -> None:
        self._child.stop()
        self._draft.unlink(missing_ok=True)
        self._report.unlink(missing_ok=True)


def _check_answers(project: Path) -> None:
    """An answer that a channel cannot show is told now, and not when a shopper waits for it. Raises TrainingFailed."""
    from tendero.validation import unsendable_on_whatsapp

    if problems := [problem.replace(f"{project}/", "") for problem in unsendable_on_whatsapp(project)]:
        raise TrainingFailed("\n".join(problems))


def read_report(file: Path, child: Child) -> dict[str, Any]:
    """What a job of Rasa reported; where it could not even do that, the useful line of its log as its error."""
    if not file.is_file():
        return {"error": useful_line(list(child.log.newest))}
    report: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return report


def in_words(error: str, project: Path = PROJECT) -> str:
    """Rasa's error without its lists, and with the places of the project where the names in it are."""
    text = error.split("Available actions are:")[0].replace(f"{project}/", "").strip()
    places = [place for name in dict.fromkeys(_NAME.findall(text)) for place in _places(name, project)]
    return "\n".join([text, *(f"  {place}" for place in places[:5])])


def _places(name: str, project: Path) -> list[str]:
    return [f"{place}: {line}" for place, line in _lines_with(name, project, ("data/rules", "data/stories"))]


def places_of(name: str, project: Path) -> list[str]:
    """file:line of every line in the project's data that has this name; rules before the domain, the domain before examples."""
    searched = ("data/rules", "data/stories", "domain.yml", "data/responses", "data/nlu", "data/faq", "config.yml")
    return [place for place, _ in _lines_with(name, project, searched)]


def _lines_with(name: str, project: Path, searched: Iterable[str]) -> Iterator[tuple[str, str]]:
    word = re.compile(rf"(?<![\w.]){re.escape(name)}\b")
    for where in searched:
        files = sorted((project / where).glob("**/*.yml")) if not where.endswith(".yml") else [project / where]
        for file in (file for file in files if file.is_file()):
            for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                if word.search(line) and not line.lstrip().startswith("#"):
                    yield f"{file.relative_to(project)}:{number}", line.strip()


def _forget_old(folder: Path) -> None:
    models = sorted(folder.glob("tendero-*.tar.gz"), key=lambda model: model.stat().st_mtime, reverse=True)
    for model in models[KEPT_MODELS:]:
        model.unlink(missing_ok=True)
        rewording.note_of(model).unlink(missing_ok=True)
    for draft in (folder / "new").glob("*"):  # of trainings that were killed
        if draft.stat().st_mtime < time.time() - DRAFTS_KEPT:
            draft.unlink(missing_ok=True)
