"""The words of mail: `data/mail/<language>.yml`, each key with a subject, a body and {placeholders}."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

MAIL_TEXTS = Path(__file__).resolve().parents[1] / "data" / "mail"
PARTS = ("subject", "body")

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class MailTextError(Exception):
    """A text is missing or wrong; the message names file, key and fault, one to a line."""


@dataclass(frozen=True)
class MailText:
    subject: str
    body: str

    @property
    def placeholders(self) -> frozenset[str]:
        return frozenset(_PLACEHOLDER.findall(self.subject + self.body))


@dataclass(frozen=True)
class MailTexts:
    """Every text in every language; the same keys and placeholders in each."""

    by_language: Mapping[str, Mapping[str, MailText]]
    default_language: str

    def render(self, language: str, key: str, **values: object) -> MailText:
        """The text filled in. language: "es", or "es-MX" for which "es" is taken; an unknown one gets the default.

        Raises MailTextError for an unknown key or a placeholder without a value. Values are put in as they are: braces in
        them mean nothing.
        """
        text = self._texts(language).get(key)
        if text is None:
            raise MailTextError(f"There is no mail text '{key}'.")
        if missing := text.placeholders - values.keys():
            raise MailTextError(f"Mail text '{key}' needs a value for {_braced(missing)}.")
        subject, body = (_PLACEHOLDER.sub(lambda found: str(values[found[1]]), part) for part in (text.subject, text.body))
        return MailText(" ".join(subject.split()), body)

    def _texts(self, language: str) -> Mapping[str, MailText]:
        base = re.split("[-_]", language)[0]
        return self.by_language.get(language) or self.by_language.get(base) or self.by_language[self.default_language]


def load_mail_texts(folder: Path = MAIL_TEXTS, default_language: str = "en") -> MailTexts:
    """Read every `<language>.yml` of the folder. Raises MailTextError with all faults in one go."""
    files = sorted(folder.glob("*.yml"))
    faults: list[str] = []
    texts = {file.stem: dict(_texts_in(file, faults)) for file in files}
    faults += _differences(folder, texts)
    if default_language not in texts:
        faults.append(f"{folder}: there is no {default_language}.yml, the language for shoppers whose own is missing.")
    if faults:
        raise MailTextError("\n".join(faults))
    return MailTexts(texts, default_language)


def _texts_in(file: Path, faults: list[str]) -> Iterator[tuple[str, MailText]]:
    for key, parts in _content(file, faults).items():
        if fault := _fault(parts):
            faults.append(f"{file}: {key}: {fault}")
        else:
            yield key, MailText(parts["subject"].strip(), parts["body"].rstrip() + "\n")


def _content(file: Path, faults: list[str]) -> dict[str, Any]:
    try:
        content = YAML(typ="safe", pure=True).load(file)
    except (OSError, YAMLError) as error:
        faults.append(f"{file}: {error}")
        return {}
    mail = content.get("mail") if isinstance(content, dict) else None
    if not isinstance(mail, dict):
        faults.append(f"{file}: needs the key 'mail' with the texts below it.")
        return {}
    return mail


def _fault(parts: Any) -> str | None:
    if not isinstance(parts, dict) or set(parts) != set(PARTS):
        return "needs 'subject' and 'body', and nothing else."
    for part in PARTS:
        if not isinstance(parts[part], str) or not parts[part].strip():
            return f"'{part}' is empty or no text."
        if re.search(r"[{}]", _PLACEHOLDER.sub("", parts[part])):
            return f"'{part}' has a brace that is no {{placeholder}} of small letters."
    return "'subject' has more than one line." if "\n" in parts["subject"].strip() else None


def _differences(folder: Path, texts: Mapping[str, Mapping[str, MailText]]) -> Iterator[str]:
    every = {key for of_language in texts.values() for key in of_language}
    for key in sorted(every):
        used = {language: of_language[key].placeholders for language, of_language in texts.items() if key in of_language}
        named = frozenset().union(*used.values())
        for language in sorted(texts):
            if language not in used:
                yield f"{folder / language}.yml: {key}: is missing; another language has it."
            elif lacking := named - used[language]:
                yield f"{folder / language}.yml: {key}: does not use {_braced(lacking)}, as another language does."


def _braced(names: frozenset[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))
