"""Everything that the assistant can say can be sent, in every language, with values as long as they get."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.channels.whatsapp.limits import BUTTON_TITLE, ROW_TITLE
from bot.channels.whatsapp.payloads import payload_of
from bot.channels.whatsapp.rendering import is_in_a_row
from bot.channels.whatsapp.texts import length
from tendero.answer_variables import VARIABLE
from tendero.environment import PROJECT
from tendero.whatsapp_answers import is_title, titles_in
from tests.bot.whatsapp.sending import KEY, sent

LANGUAGES = ("en", "es", "nb", "pt")
LONG_NAME = "Camisa de algodón orgánico con cuello mao *edición limitada*, azul marino"
LONG_LIST = "\n".join(f"· {number} × {LONG_NAME}, talla XXL, $1,299.00" for number in range(1, 60))
LISTS = ("orders", "parcels", "payments", "movements", "expiries", "items", "others", "answer", "variants", "products")


def filled(text: str) -> str:
    return VARIABLE.sub(lambda name: LONG_LIST if name[1] in LISTS else LONG_NAME, text)


def answers(language: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted((PROJECT / "data/responses" / language).glob("*.yml")):
        for answer, variations in yaml.safe_load(file.read_text())["responses"].items():
            yield from ((answer, variation) for variation in variations)


def titles(language: str) -> dict[str, str]:
    """The labels of this language that are titles of choices, by key."""
    said = titles_in([PROJECT / "actions"], PROJECT)
    files = sorted((PROJECT / "data/labels" / language).glob("*.yml"))
    labels = {key: str(text) for file in files for key, text in yaml.safe_load(file.read_text()).items()}
    return {key: text for key, text in labels.items() if is_title(key, said)}


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def body_text(body: dict[str, Any]) -> str:
    """What is read in a message, besides its choices."""
    return str(body["text"]["body"] if "text" in body else body["interactive"]["body"]["text"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_can_be_sent_as_it_is_and_with_long_values(language: str) -> None:
    count = 0
    for _, variation in answers(language):
        for text in (variation["text"], filled(variation["text"])):
            bodies = sent({**variation, "text": text}, language)
            assert words(" ".join(map(body_text, bodies))) == words(text)
            count += 1
    assert count > 400


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_can_be_sent_with_every_choice(language: str) -> None:
    """Thirty choices and more below each answer, with titles as long as values may make them."""
    offered = [
        {"title": shown, "payload": f'/inform{{"choice": "{key}:{number}"}}'}
        for key, text in titles(language).items()
        for number, shown in enumerate((text, f"{filled(text)} · {LONG_NAME} (gratis)"))
    ]
    assert len(offered) > 100
    bodies = sent({"text": "?", "image": "https://shop.example/a.jpg", "buttons": offered}, language)
    actions = [each.get("interactive", {}).get("action", {}) for each in bodies]
    rows = [[row for section in each.get("sections", []) for row in section["rows"]] for each in actions]
    few = [[button["reply"] for button in each.get("buttons", [])] for each in actions]  # where three or fewer are left
    payloads = [payload_of(choice["id"], KEY) for listed in zip(rows, few, strict=True) for each in listed for choice in each]
    assert payloads == [each["payload"] for each in offered]


@pytest.mark.parametrize("language", LANGUAGES)
def test_titles_without_values_are_shown_where_they_are_tapped(language: str) -> None:
    found = titles(language)
    assert [key for key, text in found.items() if not is_in_a_row(text)] == []
    assert {"yes", "no"} <= {key for key, text in found.items() if length(text) <= BUTTON_TITLE}


# Shown in two lines, since the words are also pieces of sentences, or people type them.
IN_TWO_LINES = {
    "en": {"task_report_problem", "wish_refund"},
    "es": {"return_by_drop_off", "return_by_pick_up", "task_report_problem"},
    "nb": {"method_original", "return_by_drop_off", "task_request_exchange"},
    "pt": {"return_by_drop_off"},
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_few_titles_need_two_lines(language: str) -> None:
    long = {key for key, text in titles(language).items() if length(text) > ROW_TITLE and not VARIABLE.search(text)}
    assert long - {"task_with_order", "task_about"} == IN_TWO_LINES[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_faq_answer_and_question_can_be_sent(language: str) -> None:
    files: list[Path] = sorted((PROJECT / "data/faq" / language).glob("*.yml"))
    entries = [entry for file in files for entry in yaml.safe_load(file.read_text()).get("faq") or []]
    assert len(entries) > 50
    sent({"text": "?", "buttons": [{"title": entry["question"], "payload": f"/faq{entry['id']}"} for entry in entries]}, language)
    for entry in entries:
        assert sent({"text": filled(entry["answer"])}, language)
        assert is_in_a_row(entry["question"])
