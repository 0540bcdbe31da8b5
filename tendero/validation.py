"""Everything that designers write, checked: each problem is one line that names its file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from tendero.answer_variables import Saying, different, names_in, sayings, stray_braces, unfilled, variables
from tendero.children import Child
from tendero.designer_files import misshapen, overlooked
from tendero.environment import PROJECT
from tendero.said_by_actions import asked_by_forms, said_in
from tendero.training import places_of, read_report
from tendero.yaml_shapes import FILES_KEPT

BY_LANGUAGE = ("labels", "responses", "nlu", "faq")  # folders of data/ with one folder a language
FOR_RASA = ("nlu", "responses", "faq", "rules", "stories", "patterns", "domain.yml", "config.yml")
SAY_ANSWERS = ("actions", "bot", "desk", "messaging")  # folders of code
QUOTED = re.compile(r"['\"`]([A-Za-z_][\w.]*)['\"`]")
A_FILE = re.compile(r"(?:[\w-]+/)*[\w-]+\.ya?ml\b(?::\d+)?")
PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
SAID_OF_A_FILE = re.compile(r"^Issue found in '[^']+':\s*")

Check = Callable[[Path], Iterator[str]]


def languages(data: Path) -> list[str]:
    """Every language that some folder of data/ has."""
    folders = {folder.name for name in BY_LANGUAGE for folder in (data / name).glob("*") if folder.is_dir()}
    return sorted(folders | {file.stem for name in ("mail", "widget") for file in (data / name).glob("*.yml")})


def own_problems(project: Path = PROJECT) -> list[str]:
    """What is wrong in what Rasa does not look at, or would say less clearly.

    What a file says is looked at once all files of its kind can be read.
    """
    wrong = misshapen(project)
    found = [problem.of(file) for file, problems in wrong.items() for problem in problems]
    found += overlooked(project)
    kinds = {_kind(file, project) for file in wrong}
    for kind, check in _CHECKS:
        if kinds.isdisjoint(kind.split()):
            found += _checked(kind, check, project)
    return [problem.replace(f"{project}/", "") for problem in found]


def first_problems(project: Path = PROJECT) -> list[str]:
    """The same for somebody who has just saved a file: files that cannot be read are told at once, the rest after them."""
    found = [problem.of(file).replace(f"{project}/", "") for file, wrong in misshapen(project).items() for problem in wrong]
    return found or own_problems(project)


def can_rasa_read(project: Path = PROJECT) -> bool:
    """Whether the files that Rasa reads are such that it can say something sensible about them."""
    return {_kind(file, project) for file in misshapen(project)}.isdisjoint(FOR_RASA)


def _kind(file: Path, project: Path) -> str:
    """The folder below data/, or the name of a file at the root."""
    parts = file.relative_to(project).parts
    return parts[1] if parts[0] == "data" else parts[0]


def _checked(kind: str, check: Check, project: Path) -> list[str]:
    try:
        return list(check(project))
    except Exception as error:  # whatever a file has in it, the other files are checked too
        where = " and ".join(name if name.endswith(".yml") else f"data/{name}" for name in kind.split())
        return [f"{where}: cannot be checked: {type(error).__name__}: {' '.join(str(error).split())}"]


SAID_BY_RASA = ("utter_restart", "utter_back")  # by its own actions, for "/restart" and "/back"


class RasaValidation:
    """Rasa's validation in a process of its own, beside ours."""

    def __init__(self, home: Path, project: Path = PROJECT) -> None:
        self._project = project
        self._report = home / f"validation-{os.getpid()}.json"
        self._report.unlink(missing_ok=True)
        log = home / "logs" / "validation.log"
        self._child = Child("validation", "tendero.rasa_jobs.validate", [str(self._report)], log)

    @property
    def is_under_way(self) -> bool:
        return self._child.is_running

    def problems(self) -> list[str]:
        """Wait for it. Answers that a form asks or the code says are not unused."""
        self._child.wait()
        report = read_report(self._report, self._child)
        if "error" in report:
            return [f"domain.yml, config.yml or data/: Rasa says: {report['error']} (more in {self._child.log.path})"]
        said = said_in([self._project / name for name in SAY_ANSWERS], self._project)
        asked = asked_by_forms(_mapping(self._project / "domain.yml"))
        unused = [answer for answer in report["unused"] if not said.has(answer) and answer not in {*asked, *SAID_BY_RASA}]
        return [
            *(placed(" ".join(problem.split()), self._project) for problem in report["problems"]),
            *(
                f"{place_of_answer(answer, self._project)}: {answer} is said by no rule, story or action"
                for answer in sorted(unused)
            ),
        ]

    def stop(self) -> None:
        self._child.stop()
        self._report.unlink(missing_ok=True)


def every_problem(rasa: RasaValidation, project: Path = PROJECT) -> tuple[list[str], bool]:
    """(all that is wrong, whether Rasa could be asked too: it cannot read a file that is misshapen)."""
    problems, is_readable = own_problems(project), can_rasa_read(project)
    return problems + (rasa.problems() if is_readable else []), is_readable


def placed(problem: str, project: Path) -> str:
    """What Rasa says, with the place before it: the file that it names, else where the files have a name that it quotes."""
    said = SAID_OF_A_FILE.sub("", text := problem.replace(f"{project}/", ""))
    named = A_FILE.search(text)
    quoted = dict.fromkeys(name for name in QUOTED.findall(said) if not A_FILE.fullmatch(name))
    places = [place for name in quoted for place in places_of(name, project)]
    if named and ":" not in named[0]:
        places = [*(place for place in places if place.startswith(f"{named[0]}:")), named[0]]
    elif named:
        places = [named[0]]
    place = places[0] if places else "domain.yml, config.yml or data/"
    return said if said.startswith(place) else f"{place}: {said}"


def place_of_answer(answer: str, project: Path) -> str:
    return next((place for place in places_of(answer, project) if "/responses/" in place), "data/responses")


def _faq(project: Path) -> Iterator[str]:
    from commerce.faq import FaqError, load_faq, load_words

    for load in (load_faq, load_words):
        try:
            load(project / "data" / "faq")
        except FaqError as error:
            yield from error.problems


def _policies(project: Path) -> Iterator[str]:
    from commerce.policies import read_folder

    yield from (f"data/policies/{problem}" for problem in read_folder(project / "data" / "policies")[1])


def _calendars(project: Path) -> Iterator[str]:
    from messaging.calendar import CalendarError, load_calendars

    file = project / "data" / "policies" / "support.yml"
    try:
        if "support" not in load_calendars(file):
            yield f"{file}: the calendar support is missing"
    except CalendarError as error:
        yield f"{file.parent}/{error}"
    except FileNotFoundError:
        yield f"{file}: is missing"


def _desk(project: Path) -> Iterator[str]:
    """The desk's rules name only what there is, and what they name has a title."""
    from commerce.policies import read_folder
    from desk.rules import RulesError, load_rules, names_used

    data = project / "data"
    file = data / "policies" / "desk.yml"
    try:
        rules = load_rules(file)
    except RulesError as error:
        yield f"{file.parent}/{error}"
        return
    tiers = {str(rule.values["tier"]) for table in read_folder(file.parent)[0].tables["tiers"] for rule in table.rules}
    known = {
        "languages": set(languages(data)),
        "topics": set(map(str, _mapping(project / "domain.yml").get("intents") or [])),
        "tiers": tiers,
    }
    used = {name: {each for queue in rules.queues for each in queue.conditions.get(name, ())} for name in known}
    used["tiers"] |= set(rules.tier_priority)
    known["calendar"], used["calendar"] = _calendar_names(file.parent), {queue.calendar for queue in rules.queues}
    for name, names in used.items():
        yield from (f"{file}: {name}: there is no {each}" for each in sorted(names - known[name]) if known[name])
    titles = data / "labels" / languages(data)[0] / "desk.yml"  # that each title is in every language is seen to by _labels
    titled = _mapping(titles)
    yield from (
        f"{titles}: desk_{kind}_{each} is missing" for kind, each in names_used(rules) if f"desk_{kind}_{each}" not in titled
    )


def _calendar_names(policies: Path) -> set[str]:
    """Empty where they cannot be read: `_calendars` says why."""
    from messaging.calendar import CalendarError, load_calendars

    try:
        return set(load_calendars(policies / "support.yml"))
    except CalendarError:
        return set()


def _canned(project: Path) -> Iterator[str]:
    """Replies that agents pick: the same ones in each language, with variables that are filled in."""
    from desk.canned import Canned, CannedError, differences, load

    folder = project / "data" / "desk" / "canned"
    replies: dict[str, tuple[Canned, ...]] = {}
    for file in sorted(folder.glob("*.yml")):
        try:
            replies[file.stem] = load(file)
        except CannedError as error:
            yield f"{folder}/{error}"
    yield from differences(replies)
    if replies:
        yield from (f"{folder}/{each}.yml is missing" for each in languages(project / "data") if each not in replies)


def _asked_again(project: Path) -> Iterator[str]:
    """Each language has words for each fact that the report looks for."""
    from desk.asked_again import KNOWN_AS, AskedAgainError, load_words

    try:
        words = load_words(project / "data" / "desk" / "asked_again")
    except AskedAgainError as error:
        yield str(error)
        return
    for language in languages(project / "data"):
        file = project / "data" / "desk" / "asked_again" / f"{language}.yml"
        facts = words[language].facts if language in words else {}
        yield from (f"{file}: facts: {fact} is missing" for fact in KNOWN_AS if not facts.get(fact))


def _mail(project: Path) -> Iterator[str]:
    from messaging.mail_texts import MailTextError, load_mail_texts

    try:
        load_mail_texts(project / "data" / "mail")
    except MailTextError as error:
        yield from str(error).splitlines()


def _widget(project: Path) -> Iterator[str]:
    """The chat on the shop's page says the same in every language."""
    data = project / "data"
    texts = {language: _mapping(data / "widget" / f"{language}.yml") for language in languages(data)}
    everywhere = {key for of_language in texts.values() for key in of_language}
    for language, of_language in texts.items():
        file = data / "widget" / f"{language}.yml"
        for key in sorted(everywhere):
            said = of_language.get(key)
            needed = {name for other in texts.values() for name in PLACEHOLDER.findall(str(other.get(key)))}
            if not said:
                yield f"{file}: {key} is missing"
            elif lacking := needed - set(PLACEHOLDER.findall(str(said))):
                yield f"{file}: {key} does not use {_braced(lacking)}, as another language does"
    if len({len(of_language.get("ideas") or []) for of_language in texts.values()}) > 1:
        yield f"{data / 'widget'}: ideas: not as many in every language"


def _components(project: Path) -> Iterator[str]:
    """Our own components exist: Rasa would find out only in a training."""
    config = project / "config.yml"
    for each in [part for kind in ("importers", "pipeline", "policies") for part in _mapping(config).get(kind) or []]:
        module, _, name = str(each["name"]).rpartition(".")
        file = project / f"{module.replace('.', '/')}.py"
        code = file.read_text(encoding="utf-8") if file.is_file() else ""
        if module.startswith("bot.") and not re.search(rf"^class {name}\b", code, re.MULTILINE):
            place = next(iter(places_of(str(each["name"]), project)), config)
            yield f"{place}: there is no {each['name']}"


def _labels(project: Path) -> Iterator[str]:
    yield from _parity(project / "data", "labels", _mapping)


def _responses(project: Path) -> Iterator[str]:
    yield from _parity(project / "data", "responses", _answers_in)


def _examples(project: Path) -> Iterator[str]:
    """The same intents are taught in every language."""
    yield from _parity(
        project / "data",
        "nlu",
        lambda file: {each["intent"]: 1 for each in _mapping(file).get("nlu") or [] if "intent" in each},
    )


def _guides(project: Path) -> Iterator[str]:
    from commerce.demo import guide

    folder = project / "data" / "demo"
    for language in guide.languages(folder):
        try:
            guide.guide(language, folder)
        except guide.GuideError as error:
            yield str(error)


def _demo_page(project: Path) -> Iterator[str]:
    """The demo shop's page says the same in every language that it has."""
    texts = {file: _mapping(file) for file in sorted((project / "data" / "demo-page").glob("*.yml"))}
    everywhere = {key for of_language in texts.values() for key in of_language}
    for file, of_language in texts.items():
        yield from (f"{file}: {key} is missing" for key in sorted(everywhere) if not of_language.get(key))


def _word_lists(project: Path) -> Iterator[str]:
    from bot import shown_along
    from messaging import contacts, masking, opt_out_words
    from messaging.word_lists import WordListError, read_words
    from tendero.review import personal

    patterns = project / "data" / "patterns"
    lists = (
        ("secrets", masking.KINDS),
        ("spoken_contacts", frozenset(contacts.SPOKEN)),
        ("personal", personal.KINDS),
        ("opt_out", opt_out_words.KINDS),
        ("shown_along", shown_along.KINDS),
    )
    for name, kinds in lists:
        try:
            read_words(patterns / f"{name}.yml", name, kinds)
        except WordListError as error:
            yield str(error)


def _parity(data: Path, folder: str, read: Callable[[Path], Mapping[str, Any]]) -> Iterator[str]:
    """Every key in every language; a key that is in two files of a language is Rasa's to find."""
    keys: dict[str, dict[str, Path]] = {language: {} for language in languages(data)}
    for file in sorted((data / folder).glob("*/*.yml")):
        keys[file.parent.name].update({str(key): file for key in read(file)})
    everywhere = {key: file for of_language in keys.values() for key, file in of_language.items()}
    for key, file in sorted(everywhere.items()):
        missing = [language for language, known in keys.items() if key not in known]
        if missing:
            yield f"{file}: {key} is missing in {', '.join(missing)}"


def _code_and_answers(project: Path) -> Iterator[str]:
    """The code says only what there is an answer for."""
    said = said_in([project / name for name in SAY_ANSWERS], project)
    answers = {key for file in _answer_files(project) for key in _answers_in(file)}
    for name, place in sorted(said.names.items()):
        if name not in answers:
            yield f"{place}: {name} has no answer in data/responses"
    for beginning, place in sorted(said.beginnings.items()):
        if not any(answer.startswith(beginning) for answer in answers):
            yield f"{place}: no answer in data/responses begins with {beginning}"


def _variables(project: Path) -> Iterator[str]:
    """Each variable is filled in by whoever says the answer, and is in every language's."""
    by_language: dict[str, dict[str, Any]] = {}
    places: dict[tuple[str, str], str] = {}
    filling = _Filling.of(project)
    unknown: set[str] = set()
    for file in _answer_files(project):
        lines = _lines_of_keys(file)
        for answer, variations in _answers_in(file).items():
            by_language.setdefault(file.parent.name, {})[answer] = variations
            place = places[file.parent.name, answer] = f"{file}:{lines.get(answer, 1)}"
            yield from (f"{place}: {answer}: a brace that is no {{variable}}: {text}" for text in stray_braces(variations))
            for name, why in filling.lacking(answer, variables(variations)):
                unknown.add(name)
                yield f"{place}: {answer} uses {{{name}}}, which nobody fills in: {why}"
    for language, answer, lacking in different(by_language):
        if lacking := lacking - unknown:
            yield f"{places[language, answer]}: {answer} does not use {_braced(lacking)}, as another language does"


def unsendable_on_whatsapp(project: Path) -> Iterator[str]:
    """What a shopper is told can be sent by WhatsApp."""
    from tendero.whatsapp_answers import titles_in, unsendable, unshowable_label

    for file in _answer_files(project):
        lines = _lines_of_keys(file)
        for answer, variations in _answers_in(file).items():
            for problem in unsendable(variations, project / "web"):
                yield f"{file}:{lines.get(answer, 1)}: {answer}: {problem}"
    titles = titles_in([project / "actions"], project)
    for file in sorted((project / "data" / "labels").glob("*/*.yml")):
        lines = _lines_of_keys(file, "")
        for key, text in _mapping(file).items():
            yield from (f"{file}:{lines.get(key, 1)}: {key}: {problem}" for problem in unshowable_label(key, str(text), titles))


def _lines_of_keys(file: Path, beginning: str = "utter_") -> dict[str, int]:
    lines = enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
    return {line.split(":")[0].strip().strip('"'): number for number, line in lines if line.lstrip().startswith(beginning)}


@dataclass(frozen=True)
class _Filling:
    """What can fill in a variable. names: all that anything in the code and the policies is called."""

    slots: frozenset[str]
    names: frozenset[str]
    sayings: tuple[Saying, ...]
    said_by_rasa: frozenset[str]

    @classmethod
    def of(cls, project: Path) -> _Filling:
        domain = _mapping(project / "domain.yml")
        folders = [project / name for name in ("actions", "bot", "commerce", "desk", "messaging")]
        code = [file for folder in folders for file in folder.rglob("*.py")]
        return cls(
            slots=frozenset(domain.get("slots") or {}),
            names=frozenset(names_in([*code, *(project / "data" / "policies").glob("*.yml")])),
            sayings=tuple(sayings(folders[:2], project)),
            said_by_rasa=frozenset({*asked_by_forms(domain), *_said_by_rules(project)}),
        )

    def lacking(self, answer: str, used: set[str]) -> Iterator[tuple[str, str]]:
        """(variable, why) of each that stays empty when this answer is said."""
        for name in sorted(used - self.slots):
            if places := [saying for lacks, saying in unfilled(answer, {name}, self.slots, self.sayings) if lacks == name]:
                yield name, f"{places[0].place} gives {_braced(places[0].given or ()) or 'nothing'}"
            elif answer in self.said_by_rasa:
                yield name, "a rule or a form says it, and this is no slot"
            elif name not in self.names:
                yield name, "nothing in the code or the policies is called so"


def _said_by_rules(project: Path) -> Iterator[str]:
    for file in sorted(file for kind in ("rules", "stories") for file in (project / "data" / kind).glob("**/*.yml")):
        content = _mapping(file)
        for each in [*(content.get("rules") or []), *(content.get("stories") or [])]:
            yield from (str(step["action"]) for step in each["steps"] if isinstance(step, dict) and "action" in step)


def _braced(names: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))


def _answer_files(project: Path) -> list[Path]:
    return sorted((project / "data" / "responses").glob("*/*.yml"))


def _answers_in(file: Path) -> dict[str, Any]:
    return _mapping(file).get("responses") or {}


def _mapping(file: Path) -> dict[str, Any]:
    content = _yaml(file)
    return content if isinstance(content, dict) else {}


def _yaml(file: Path) -> Any:
    """To be looked at only: whoever asks next gets the same."""
    return _content(file.read_text(encoding="utf-8")) if file.is_file() else {}


@lru_cache(maxsize=FILES_KEPT)
def _content(text: str) -> Any:
    return yaml.load(text, yaml.CSafeLoader)


# By the files that each is about, as the folders below data/ or the files at the root are called.
_CHECKS: tuple[tuple[str, Check], ...] = (
    ("faq", _faq),
    ("policies", _policies),
    ("policies", _calendars),
    ("policies labels domain.yml", _desk),
    ("desk", _canned),
    ("desk", _asked_again),
    ("mail", _mail),
    ("widget", _widget),
    ("labels", _labels),
    ("responses", _responses),
    ("nlu", _examples),
    ("demo", _guides),
    ("demo-page", _demo_page),
    ("patterns", _word_lists),
    ("config.yml", _components),
    ("responses", _code_and_answers),
    ("responses rules stories policies domain.yml", _variables),
    ("responses labels", unsendable_on_whatsapp),
)
