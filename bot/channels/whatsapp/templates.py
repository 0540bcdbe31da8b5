"""Which approved template says an answer 24 hours after the shopper's last message: data/templates/whatsapp.yml.

TemplateError    the file cannot be used; the message names the file and the place
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from messaging.kept import kept

ANY_OTHER = "anything_else"
KEYS = ("name", "language", "body", "text")


class TemplateError(Exception):
    """data/templates/whatsapp.yml cannot be used."""


@dataclass(frozen=True)
class Template:
    """As it is approved at Meta. language: Meta's code, such as es_MX. body: the names of the values in its text, in order;
    text: what it says, with {{1}} for the first of them: for whoever creates it, and for the transcript."""

    name: str
    language: str
    body: Sequence[str] = ()
    text: str = ""

    def filled(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The part of a message's body that sends it. Raises KeyError for a value that is not known."""
        parameters = [{"type": "text", "text": _one_line(values[name])} for name in self.body]
        components = [{"type": "body", "parameters": parameters}] if parameters else []
        template = {"name": self.name, "language": {"code": self.language}}
        return {"type": "template", "template": {**template, **({"components": components} if components else {})}}


@dataclass(frozen=True)
class Templates:
    """by_key: response -> language -> template. any_other: language -> the one that says that there is something to read."""

    by_key: Mapping[str, Mapping[str, Template]] = field(default_factory=dict)
    any_other: Mapping[str, Template] = field(default_factory=dict)

    def of(self, key: str, language: str) -> Template | None:
        """What says this answer in this language; ANY_OTHER is the key of the one that asks to write."""
        return self.invitation(language) if key == ANY_OTHER else self.by_key.get(key, {}).get(language)

    def content_of(self, key: str, language: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """A message in the template's words, for whoever sends one by its key: as a text while the window is open, else as the
        template. values: by the names in its body. Raises TemplateError where there is no such one, or a value is missing."""
        template = self.of(key, language)
        if template is None or not template.text:
            raise TemplateError(f"no template with a text says {key} in {language}")
        if missing := [name for name in template.body if name not in values]:
            raise TemplateError(f"the template {template.name} needs {', '.join(missing)}")
        words = {str(number): _one_line(values[name]) for number, name in enumerate(template.body, 1)}
        text = re.sub(r"\{\{(\d+)\}\}", lambda place: words.get(place[1], place[0]), template.text)
        return {**{name: values[name] for name in template.body}, "text": text, "utter_action": key}

    def invitation(self, language: str) -> Template | None:
        """What asks to write, in this language or the first that there is."""
        return self.any_other.get(language) or next(iter(self.any_other.values()), None)

    @property
    def all(self) -> list[Template]:
        known = [template for languages in self.by_key.values() for template in languages.values()]
        return list(dict.fromkeys([*known, *self.any_other.values()]))


def file_of_templates() -> Path:
    return Path(os.environ.get("TENDERO_DATA", "data")) / "templates" / "whatsapp.yml"


@kept
def templates(file: Path) -> Templates:
    """Those of the file; none where there is no file. Raises TemplateError."""
    if not file.is_file():
        return Templates()
    try:
        content = YAML(typ="safe", pure=True).load(file)
    except YAMLError as error:
        raise TemplateError(f"{file}: {error}") from error
    if not isinstance(content, dict) or set(content) - {"templates", ANY_OTHER}:
        raise TemplateError(f"{file}: needs 'templates' and '{ANY_OTHER}', and nothing else")
    by_key = {key: _by_language(file, key, entry) for key, entry in (content.get("templates") or {}).items()}
    return Templates(by_key, _by_language(file, ANY_OTHER, content.get(ANY_OTHER) or {}))


def _by_language(file: Path, key: str, entry: Any) -> dict[str, Template]:
    if not isinstance(entry, dict):
        raise TemplateError(f"{file}: {key} needs a template for each language")
    return {str(language): _template(file, f"{key}, {language}", values) for language, values in entry.items()}


def _template(file: Path, place: str, values: Any) -> Template:
    if not isinstance(values, dict) or not {"name", "language"} <= set(values) <= set(KEYS):
        raise TemplateError(f"{file}: {place} needs name and language, and may have body and text")
    body = values.get("body") or []
    if not isinstance(body, list) or not all(isinstance(name, str) for name in body):
        raise TemplateError(f"{file}: {place}: body is a list of the names of values")
    text = str(values.get("text") or "")
    if text and any(f"{{{{{number}}}}}" not in text for number in range(1, len(body) + 1)):
        raise TemplateError(f"{file}: {place}: text needs {{{{1}}}} to {{{{{len(body)}}}}}, one for each name in body")
    return Template(str(values["name"]), str(values["language"]), tuple(body), text)


def _one_line(value: Any) -> str:
    """Meta refuses new lines, tabs and more than four spaces in a row in a parameter."""
    return " ".join(str(value).split())
