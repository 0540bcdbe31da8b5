"""Conversation tests on WhatsApp, over real HTTP, both servers and the simulated phone: each form once, by tapping what is shown.

That all stories fit WhatsApp is shown in tests/conversations (on_whatsapp.py); here it is the way there and back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from commerce.customers import by_contact
from database import transaction
from tests.contract.sources import read
from tests.conversations.runner import Story, said_otherwise, stories
from tests.conversations.stage import copy_database
from tests.e2e.whatsapp_shop import WhatsAppShop, open_shop, until
from tests.whatsapp_simulator import Person

LANGUAGES = ("es", "en", "pt", "nb")
COUNTRIES = {"es": "52555502", "en": "1202555", "pt": "551190000", "nb": "479200"}
SHORTEST, LONGEST = 2, 6  # turns
NOT_HERE = ("meanwhile", "at", "channel", "phone", "brings")  # what others do, other times of day, and more than words


def chosen() -> Iterator[Story]:
    """Each form once, the languages in turn; rather one in which something is tapped."""
    playable = [each for each in stories() if SHORTEST <= len(each.turns) <= LONGEST and not set(NOT_HERE) & set(each.metadata)]
    for number, form in enumerate(read("domain.yml")["forms"]):
        for language in (*LANGUAGES[number % 4 :], *LANGUAGES[: number % 4]):
            found = [each for each in playable if each.file.stem.endswith(language) and form in each.turns[0].actions]
            if found:
                yield max(found, key=taps)
                break


def taps(story: Story) -> int:
    return sum("{tap:" in turn.text for turn in story.turns)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WhatsAppShop]:
    with open_shop(tmp_path_factory.mktemp("stories")) as shop:
        copy_database(shop.home / "tendero.db", shop.home / "template.db")
        yield shop


@pytest.mark.parametrize("story", list(chosen()), ids=lambda story: story.id)
def test_story_is_played_on_the_phone(story: Story, shop: WhatsAppShop) -> None:
    until(lambda: shop.is_quiet, "nothing is left of the story before")
    copy_database(shop.home / "template.db", shop.home / "tendero.db")
    shop.simulator.reset()
    shop.forget_mail()
    person = shop.simulator.person(f"+{COUNTRIES[story.file.stem[-2:]]}{next(shop.phones) % 10000:04}")
    write_as(shop, person, story.metadata)
    screens: list[list[dict[str, Any]]] = []
    for number, turn in enumerate(story.turns, start=1):
        do(shop, person, turn.text, screens)
        until(lambda: person.entries[-1]["by"] == "shop" and shop.is_quiet, f"turn {number} is answered")
        new = [each for each in person.entries[person.seen :] if each["by"] == "shop"]
        person.seen = len(person.entries)
        screens.append(new)
        words = "\n".join(said(entry) for entry in new)
        assert said_otherwise(turn, words) == [], f"turn {number} «{turn.text}»: {words}"
    assert shop.simulator.refused == []
    assert set(shop.states(person)) <= {"sent", "delivered"}


def write_as(shop: WhatsAppShop, person: Person, metadata: dict[str, Any]) -> None:
    """A story's customer has this number on file: WhatsApp vouches for it."""
    if metadata.get("as"):
        with transaction(shop.database) as session:
            customer = by_contact(session, metadata["as"])
            assert customer is not None
            customer.phone = f"+{person.key}"


def do(shop: WhatsAppShop, person: Person, text: str, screens: list[list[dict[str, Any]]]) -> None:
    if tap := re.fullmatch(r"\{tap:(\d+)(?:@(\d+))?\}", text):
        since = screens[: int(tap[2])] if tap[2] else screens
        offered = next(found for screen in reversed(since) if (found := choices(screen)))
        entry, id_ = offered[int(tap[1]) - 1]
        person.send("tap", message_id=entry["id"], id_tapped=id_)
    else:
        person.say(text.replace("{code}", shop.newest_code()) if "{code}" in text else text)


def choices(screen: list[dict[str, Any]]) -> list[tuple[dict[str, Any], str]]:
    """(message, id) of all that can be tapped, in order."""
    found = []
    for entry in screen:
        rows = [row for section in entry["shown"].get("list", {}).get("sections", []) for row in section["rows"]]
        found += [(entry, each["id"]) for each in (*entry["shown"].get("buttons", []), *rows)]
    return found


def said(entry: dict[str, Any]) -> str:
    shown = entry["shown"]
    rows = [
        f"{row['title']} {row.get('description') or ''}"
        for part in shown.get("list", {}).get("sections", [])
        for row in part["rows"]
    ]
    return "\n".join([shown.get("text") or "", *(button["title"] for button in shown.get("buttons", [])), *rows])
