"""Which answers and labels WhatsApp could not show, found before a shopper waits for them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from bot.channels.whatsapp.bodies import CannotFit, body
from bot.channels.whatsapp.limits import LIST_BUTTON
from bot.channels.whatsapp.payloads import signed
from bot.channels.whatsapp.rendering import divide, is_in_a_row, is_showable
from bot.channels.whatsapp.texts import length
from messaging.replies import File
from tendero.answer_variables import VARIABLE
from tendero.said_by_actions import SOURCES_KEPT, Said

CHANNEL = "whatsapp"
FILLED_IN = "1"  # can be a text, a number and a name
OF_CHOICES = frozenset({"Option", "Next"})  # their second argument is the title
OTHER_WORDS = "_words"  # ends the keys of labels that hold other ways to say a choice
LIST_BUTTON_LABEL = "list_button"


def unsendable(variations: Any, web: Path) -> Iterator[str]:
    """What is wrong with the variations of an answer. web: the folder of the page's own files."""
    for variation in [variations] if isinstance(variations, str) else variations or []:
        content = {"text": variation} if isinstance(variation, str) else variation
        if content.get("channel") in (None, CHANNEL):
            yield from _unsendable(content, web)


def unshowable_label(key: str, text: str, titles: Said) -> Iterator[str]:
    """What is wrong with a label. titles: the labels that the code makes titles of choices of."""
    if key == LIST_BUTTON_LABEL and length(text) > LIST_BUTTON:
        yield f"WhatsApp has room for {LIST_BUTTON} characters: {text}"
    elif is_title(key, titles) and not is_in_a_row(VARIABLE.sub(FILLED_IN, text)):
        yield _too_long(text)


def is_title(key: str, titles: Said) -> bool:
    return key in titles.names or (key.startswith(tuple(titles.beginnings)) and not key.endswith(OTHER_WORDS))


def titles_in(folders: Iterable[Path], project: Path) -> Said:
    """The labels, and beginnings of labels, that the Python files of these folders make titles of choices of.

    Such a label is in the second argument of an Option or a Next, or in a function whose name ends in "title".
    """
    names: dict[str, str] = {}
    beginnings: dict[str, str] = {}
    for file in sorted(file for folder in folders for file in folder.rglob("*.py")):
        for label, is_whole, line in _titles_in(file.read_text(encoding="utf-8")):
            (names if is_whole else beginnings).setdefault(label, f"{file.relative_to(project)}:{line}")
    return Said(names, beginnings)


@lru_cache(maxsize=SOURCES_KEPT)
def _titles_in(source: str) -> tuple[tuple[str, bool, int], ...]:
    """(label, whether it is a whole one, line). Raises SyntaxError."""
    found = []
    for place in _places_of_titles(ast.parse(source)):
        for argument in (call.args[0] for call in ast.walk(place) if _is_label(call)):  # type: ignore[attr-defined]
            if isinstance(argument, ast.Constant):
                found.append((str(argument.value), True, argument.lineno))
            elif isinstance(argument, ast.JoinedStr) and isinstance(argument.values[0], ast.Constant):
                found.append((str(argument.values[0].value), False, argument.lineno))
    return tuple(found)


def _places_of_titles(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.endswith("title"):
            yield node
        elif isinstance(node, ast.Call) and len(node.args) > 1:
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            yield from [node.args[1]] if name in OF_CHOICES else []


def _is_label(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "label" and bool(node.args)


def _unsendable(content: Mapping[str, Any], web: Path) -> Iterator[str]:
    for button in content.get("buttons") or []:
        if not is_in_a_row(VARIABLE.sub(FILLED_IN, str(button["title"]))):
            yield _too_long(button["title"])
        if isinstance(url := button.get("url"), str):
            yield from _no_address(url)
    custom = content.get("custom")
    if isinstance(custom, Mapping) and isinstance(link := custom.get("link"), Mapping):
        yield from _no_address(str(link.get("url") or "https://"))
    if isinstance(image := content.get("image"), str):
        yield from _no_picture(image, web)
    try:
        for piece in divide(_filled_in(content)):
            body(piece, lambda payload: signed(payload, b""), lambda _file, _kind: {"id": "1"})
    except CannotFit as error:
        yield f"WhatsApp would refuse it: {error}"


def _too_long(title: str) -> str:
    return f"a title so long that WhatsApp does not show it where it is tapped (24 characters, and 72 below them): {title}"


def _no_address(url: str) -> Iterator[str]:
    if not VARIABLE.search(url) and not File(url).is_link:
        yield f"a link has to begin with https://: {url}"


def _no_picture(image: str, web: Path) -> Iterator[str]:
    if VARIABLE.search(image):
        return
    if not is_showable(image):
        yield f"WhatsApp shows JPEG and PNG pictures only: {image}"
    elif not File(image).is_link and not (web / image.removeprefix("/static/")).is_file():
        yield f"a picture needs an address that begins with https://, or has to be among the page's files (/static/...): {image}"


def _filled_in(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled_in(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled_in(each) for each in value]
    return VARIABLE.sub(FILLED_IN, value) if isinstance(value, str) else value
