"""Everything that designers write, checked: each problem is one line that names its file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tendero.children import Child
from tendero.environment import PROJECT
from tendero.said_by_actions import asked_by_forms, said_in
from tendero.training import read_report

BY_LANGUAGE = ("labels", "responses", "nlu", "faq")  # folders of data/ with one folder a language


def languages(data: Path) -> list[str]:
    """Every language that some folder of data/ has."""
    folders = {folder.name for name in BY_LANGUAGE for folder in (data / name).glob("*") if folder.is_dir()}
    return sorted(folders | {file.stem for file in (data / "mail").glob("*.yml")})


def own_problems(project: Path = PROJECT) -> list[str]:
    """What is wrong in what Rasa does not look at, or would say less clearly."""
    data = project / "data"
    checks: tuple[Callable[[Path], Iterator[str]], ...] = (_faq, _policies, _mail, _labels, _responses, _examples)
    found = [problem for check in checks for problem in check(data)]
    return [*(problem.replace(f"{project}/", "") for problem in found), *_code_and_answers(project)]


class RasaValidation:
    """Rasa's validation in a process of its own, beside ours."""

    def __init__(self, home: Path, project: Path = PROJECT) -> None:
        self._project = project
        self._report = home / "validation.json"
        self._report.unlink(missing_ok=True)
        log = home / "logs" / "validation.log"
        self._child = Child("validation", "tendero.rasa_jobs.validate", [str(self._report)], log)

    def problems(self) -> list[str]:
        """Wait for it. Answers that a form asks or the code says are not unused."""
        self._child.wait()
        report = read_report(self._report, self._child)
        if "error" in report:
            return [f"Rasa: {report['error']} (more in {self._child.log.path})"]
        said = said_in([self._project / "actions", self._project / "bot"], self._project)
        asked = asked_by_forms(_yaml(self._project / "domain.yml"))
        unused = [answer for answer in report["unused"] if not said.has(answer) and answer not in asked]
        return [
            *(" ".join(problem.split()) for problem in report["problems"]),
            *(f"data/responses: {answer} is said by no rule, story or action" for answer in sorted(unused)),
        ]

    def stop(self) -> None:
        self._child.stop()
        self._report.unlink(missing_ok=True)


def _faq(data: Path) -> Iterator[str]:
    from commerce.faq import FaqError, load_faq, load_words

    for load in (load_faq, load_words):
        try:
            load(data / "faq")
        except FaqError as error:
            yield from error.problems


def _policies(data: Path) -> Iterator[str]:
    from commerce.policies import read_folder

    yield from (f"data/policies/{problem}" for problem in read_folder(data / "policies")[1])


def _mail(data: Path) -> Iterator[str]:
    from messaging.mail_texts import MailTextError, load_mail_texts

    try:
        load_mail_texts(data / "mail")
    except MailTextError as error:
        yield from str(error).splitlines()


def _labels(data: Path) -> Iterator[str]:
    yield from _parity(data, "labels", _mapping)


def _responses(data: Path) -> Iterator[str]:
    yield from _parity(data, "responses", lambda file: _mapping(file).get("responses") or {})


def _examples(data: Path) -> Iterator[str]:
    """The same intents are taught in every language."""
    yield from _parity(
        data, "nlu", lambda file: {each["intent"]: 1 for each in _mapping(file).get("nlu") or [] if "intent" in each}
    )


def _parity(data: Path, folder: str, read: Callable[[Path], Mapping[str, Any]]) -> Iterator[str]:
    """Every key in every language; a key that is in one file of a language twice is Rasa's to find."""
    keys: dict[str, dict[str, Path]] = {language: {} for language in languages(data)}
    for file in sorted((data / folder).glob("*/*.yml")):
        try:
            keys[file.parent.name].update({str(key): file for key in read(file)})
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            yield f"{file}: cannot be read: {' '.join(str(error).split())}"
    everywhere = {key: file for of_language in keys.values() for key, file in of_language.items()}
    for key, file in sorted(everywhere.items()):
        missing = [language for language, known in keys.items() if key not in known]
        if missing:
            yield f"{file}: {key} is missing in {', '.join(missing)}"


def _code_and_answers(project: Path) -> Iterator[str]:
    """The code says only what there is an answer for."""
    said = said_in([project / "actions", project / "bot"], project)
    files = sorted((project / "data" / "responses").glob("*/*.yml"))
    answers = {key for file in files for key in _mapping(file).get("responses") or {}}
    for name, place in sorted(said.names.items()):
        if name not in answers:
            yield f"{place}: {name} has no answer in data/responses"
    for beginning, place in sorted(said.beginnings.items()):
        if not any(answer.startswith(beginning) for answer in answers):
            yield f"{place}: no answer in data/responses begins with {beginning}"


def _mapping(file: Path) -> dict[str, Any]:
    content = _yaml(file)
    return content if isinstance(content, dict) else {}


def _yaml(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
