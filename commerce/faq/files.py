"""The FAQ as designers write it: `<language>/<topic>.yml` with entries, `<language>/words.yml` with synonyms."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from commerce.faq.folding import fold

# The names that answers may use. Whoever renders gives a value for each, in the shopper's language.
FACT_NAMES = frozenset(
    {
        "shop",
        "return_days_guest",
        "return_days_standard",
        "return_days_silver",
        "return_days_gold",
        "refund_days_min",
        "refund_days_max",
        "free_shipping_from",
        "points_expiry_months",
        "silver_threshold",
        "gold_threshold",
        "store_hours_cdmx",
        "store_hours_madrid",
        "support_hours",
    }
)
QUESTION_LIMIT = 60  # characters: it becomes the label of a choice
ANSWER_LIMIT = 350  # characters as written: what a phone shows without scrolling
WORDS_FILE = "words.yml"

_ID = re.compile(r"[a-z0-9_]+")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_TEXT_KEYS = ("id", "question", "answer", "next", "intent")
_LIST_KEYS = ("asked_as", "not_asked_as")
_REQUIRED = ("id", "question", "asked_as", "answer")


class FaqError(ValueError):
    """Problems in the FAQ. `problems` has one line for each, naming file, entry and reason."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class FaqEntry:
    """One question in one language. `source` names its place: `data/faq/es/shipping.yml#shipping_cost`."""

    id: str
    language: str
    question: str
    asked_as: tuple[str, ...]
    answer: str
    next: str
    source: str
    not_asked_as: tuple[str, ...] = ()  # requests that look like this question, but that are carried out elsewhere
    intent: str = ""  # the request that its questions are taken for, where the assistant does better than answer


@dataclass(frozen=True)
class FaqWords:
    """How a language's words are read when a question is looked up."""

    synonyms: tuple[tuple[str, ...], ...] = ()  # words or phrases of one meaning; the first stands for all
    filler: tuple[str, ...] = ()  # says nothing about the question: "hello", "please"
    not_questions: tuple[str, ...] = ()  # never a question for the FAQ: "the second one", "tell me a joke"


def load_faq(folder: Path, known_facts: Collection[str] = FACT_NAMES) -> list[FaqEntry]:
    """Every entry below `folder`, by language, file and place. Answers may use the placeholders in `known_facts`.

    Raises FaqError with all problems: unreadable YAML, missing or unknown keys, limits, duplicates, missing twins.
    """
    problems: list[str] = []
    entries = _all_entries(folder, problems)
    problems += _problems_of(entries, known_facts)
    problems += _problems_between(entries, _languages(folder))
    if not entries:
        problems.append(f"{_label(folder)}: no FAQ entries found")
    if problems:
        raise FaqError(problems)
    return entries


def load_words(folder: Path) -> dict[str, FaqWords]:
    """The `words.yml` of each language that has one. Raises FaqError with all problems."""
    problems: list[str] = []
    words = {path.parent.name: _words_of(path, problems) for path in sorted(folder.glob(f"*/{WORDS_FILE}"))}
    if problems:
        raise FaqError(problems)
    return words


def readable(folder: Path) -> tuple[list[FaqEntry], dict[str, FaqWords]]:
    """Entries and words that can be used, whatever is wrong with others: `load_faq` and `load_words` tell that."""
    words: dict[str, FaqWords] = {}
    for path in sorted(folder.glob(f"*/{WORDS_FILE}")):
        problems: list[str] = []
        read = _words_of(path, problems)
        if not problems:
            words[path.parent.name] = read
    return _all_entries(folder, []), words


def render(entry: FaqEntry, facts: Mapping[str, str]) -> str:
    """The answer, and its next step as a second paragraph, with placeholders filled from `facts`.

    Raises FaqError: a placeholder has no fact.
    """
    missing = sorted(set(_placeholders(entry)) - set(facts))
    if missing:
        raise FaqError([f"{entry.source}: no value for {{{name}}}" for name in missing])
    text = "\n\n".join(part for part in (entry.answer, entry.next) if part)
    return _PLACEHOLDER.sub(lambda found: facts[found[1]], text)


# Reading


def _languages(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _label(path: Path, parts: int = 2) -> str:
    """The end of a path, so that a source reads the same on every machine."""
    return Path(*path.parts[-parts:]).as_posix()


def _read(path: Path, problems: list[str]) -> dict[str, Any]:
    """The mapping in a file of the language that its folder says; else empty, with a problem noted."""
    file = _label(path, 4)
    try:
        content = _content(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        problems.append(f"{file}: not readable as YAML: {' '.join(str(error).split())}")
        return {}
    if not isinstance(content, dict):
        problems.append(f"{file}: should begin with `language:`")
        return {}
    if content.get("language") != path.parent.name:
        problems.append(f"{file}: `language: {content.get('language')}` in the folder `{path.parent.name}`")
    return content


@lru_cache(maxsize=128)  # whoever validates after each save finds the other files as they were
def _content(text: str) -> Any:
    return YAML(typ="safe").load(text)


def _all_entries(folder: Path, problems: list[str]) -> list[FaqEntry]:
    files = [path for path in sorted(folder.glob("*/*.yml")) if path.name != WORDS_FILE]
    return [entry for path in files for entry in _entries_of(path, problems)]


def _entries_of(path: Path, problems: list[str]) -> Iterator[FaqEntry]:
    content = _read(path, problems)
    rows = content.get("faq")
    if content and not isinstance(rows, list):
        problems.append(f"{_label(path, 4)}: should have a list under `faq:`")
    for place, row in enumerate(rows if isinstance(rows, list) else [], start=1):
        wrong = list(_shape_problems(row))
        name = row["id"] if isinstance(row, dict) and isinstance(row.get("id"), str) else f"entry {place}"
        problems += [f"{_label(path, 4)}#{name}: {reason}" for reason in wrong]
        if not wrong:
            yield _entry(row, path)


def _shape_problems(row: object) -> Iterator[str]:
    """Why a row cannot become an entry."""
    if not isinstance(row, dict):
        yield "should be a mapping with `id:`, `question:`, `asked_as:` and `answer:`"
        return
    yield from (f"unknown key `{key}`" for key in row if key not in (*_TEXT_KEYS, *_LIST_KEYS))
    yield from (f"`{key}` is missing or empty" for key in _REQUIRED if not row.get(key))
    for key in _TEXT_KEYS:
        if row.get(key) and not (isinstance(row[key], str) and row[key].strip()):
            yield f"`{key}` should be a text: put it in quotes"
    for key in _LIST_KEYS:
        if row.get(key) and not _is_list_of_texts(row[key]):
            yield f"`{key}` should be a list of texts: put numbers, yes and no in quotes"


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) and text.strip() for text in value)


def _entry(row: Mapping[str, Any], path: Path) -> FaqEntry:
    return FaqEntry(
        id=row["id"],
        language=path.parent.name,
        question=row["question"].strip(),
        asked_as=tuple(row["asked_as"]),
        answer=row["answer"].strip(),
        next=(row.get("next") or "").strip(),
        source=f"{_label(path, 4)}#{row['id']}",
        not_asked_as=tuple(row.get("not_asked_as") or ()),
        intent=(row.get("intent") or "").strip(),
    )


def _words_of(path: Path, problems: list[str]) -> FaqWords:
    content = _read(path, problems)
    lists = {key: content.get(key) or [] for key in ("filler", "not_questions")}
    groups = content.get("synonyms") or []
    file = _label(path, 4)
    problems += [f"{file}: `{key}` should be a list of texts" for key in lists if not _is_list_of_texts(lists[key])]
    if not (isinstance(groups, list) and all(_is_list_of_texts(group) for group in groups)):
        problems.append(f"{file}: `synonyms` should be a list of lists of texts")
        return FaqWords()
    problems += [f"{file}: {reason}" for reason in _repeated_synonyms(groups)]
    return FaqWords(tuple(map(tuple, groups)), tuple(lists["filler"]), tuple(lists["not_questions"]))


def _repeated_synonyms(groups: Iterable[Sequence[str]]) -> Iterator[str]:
    """A word in two groups would have two meanings, and only one would count."""
    meaning: dict[str, str] = {}
    for group in groups:
        for word in group:
            if meaning.setdefault(fold(word), group[0]) != group[0]:
                yield f"`{word}` stands under both `{meaning[fold(word)]}` and `{group[0]}`"


# Checking


def _placeholders(entry: FaqEntry) -> list[str]:
    return _PLACEHOLDER.findall(f"{entry.answer} {entry.next}")


def _problems_of(entries: Iterable[FaqEntry], known_facts: Collection[str]) -> Iterator[str]:
    """What is wrong with one entry, whatever the others say."""
    for entry in entries:
        if not _ID.fullmatch(entry.id):
            yield f"{entry.source}: `id` may have only a-z, 0-9 and _"
        if len(entry.question) > QUESTION_LIMIT:
            yield f"{entry.source}: `question` has {len(entry.question)} characters, at most {QUESTION_LIMIT} fit"
        if len(entry.answer) > ANSWER_LIMIT:
            yield f"{entry.source}: `answer` has {len(entry.answer)} characters, at most {ANSWER_LIMIT} fit"
        unknown = sorted(set(_placeholders(entry)) - set(known_facts))
        yield from (f"{entry.source}: unknown placeholder {{{name}}}" for name in unknown)
        if re.search(r"[{}]", _PLACEHOLDER.sub("", f"{entry.answer} {entry.next} ")):
            yield f"{entry.source}: a {{ or }} without its pair"


def _problems_between(entries: Sequence[FaqEntry], languages: Iterable[str]) -> Iterator[str]:
    """What is wrong with entries side by side: repeated ids, missing twins, one phrase for two answers."""
    yield from _repeated_ids(entries)
    yield from _missing_twins(entries, languages)
    yield from _shared_phrases(entries)


def _repeated_ids(entries: Iterable[FaqEntry]) -> Iterator[str]:
    first: dict[tuple[str, str], FaqEntry] = {}
    for entry in entries:
        earlier = first.setdefault((entry.language, entry.id), entry)
        if earlier is not entry:
            yield f"{entry.source}: the id is already in {earlier.source}"


def _missing_twins(entries: Iterable[FaqEntry], languages: Iterable[str]) -> Iterator[str]:
    by_id: dict[str, dict[str, FaqEntry]] = defaultdict(dict)
    for entry in entries:
        by_id[entry.id].setdefault(entry.language, entry)
    for twins in by_id.values():
        source = next(iter(twins.values())).source
        yield from (f"{source}: no entry in the language `{each}`" for each in languages if each not in twins)
        if len({twin.intent for twin in twins.values()}) > 1:
            yield f"{source}: `intent` is not the same in every language"


def _shared_phrases(entries: Sequence[FaqEntry]) -> Iterator[str]:
    """The same phrase in two places could never be answered with one."""
    owner: dict[tuple[str, str], FaqEntry] = {}
    for entry in entries:
        for phrase in (entry.question, *entry.asked_as):
            other = owner.setdefault((entry.language, fold(phrase)), entry)
            if other is not entry and other.id != entry.id:
                yield f"{entry.source}: `{phrase}` is also in {other.source}"
    for entry in entries:
        for phrase in entry.not_asked_as:
            if (entry.language, fold(phrase)) in owner:
                yield f"{entry.source}: `{phrase}` of `not_asked_as` is asked in {owner[entry.language, fold(phrase)].source}"
