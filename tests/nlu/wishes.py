"""Messages that hold two requests, and such as seem to (`<lang>/two_requests.yml`), beside the requests that were found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

from tests.nlu.understanding import ROOT


@dataclass(frozen=True)
class Wished:
    """wanted: the intents of its two requests in their order; empty where it has one. found: those that were told."""

    language: str
    text: str
    wanted: tuple[str, ...]
    found: tuple[str, ...] = ()

    @property
    def is_right(self) -> bool:
        return self.wanted == self.found


def wishes() -> list[Wished]:
    """Of every language."""
    found = []
    for file in sorted((ROOT / "tests" / "nlu").glob("*/two_requests.yml")):
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        found += [Wished(file.parent.name, each["text"], tuple(each["requests"])) for each in content["two"]]
        found += [Wished(file.parent.name, each["text"], ()) for each in content["one"]]
    return found


def with_requests(message: Wished, found: dict[str, Any]) -> Wished:
    return replace(message, found=tuple(each["intent"] for each in found.get("requests") or ()))


def told(messages: Sequence[Wished]) -> dict[str, float]:
    """Each measure by its name, from 0 to 1."""
    two, one = ([each for each in messages if bool(each.wanted) is has_two] for has_two in (True, False))
    return {
        "two requests told": sum(each.is_right for each in two) / len(two),
        "one request taken for two": sum(not each.is_right for each in one) / len(one),
    }
