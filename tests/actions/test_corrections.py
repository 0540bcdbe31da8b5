"""What a message takes back of itself."""

from __future__ import annotations

import re
from typing import Any

import pytest

from actions.corrections import without_taken_back


def numbers_in(text: str) -> list[dict[str, Any]]:
    found = re.finditer(r"\d{5}", text)
    return [{"entity": "order_number", "value": each[0], "start": each.start(), "end": each.end()} for each in found]


@pytest.mark.parametrize(
    "text",
    [
        "cancela el 10256, perdón 10258",
        "cancela el 10256, digo, el 10258",
        "el 10256 no, el 10258",
        "cancela 10256 no 10258",
        "cancel 10256, sorry 10258",
        "cancel order 10256, I mean order 10258",
        "cancel 10256... oops, it's 10258",
        "cancela el 10256, más bien el 10258",
        "10256, não, 10258",
        "cancela o 10256, desculpa, o 10258",
        "cancela o 10256, aliás, 10258",
        "kanseller 10256, nei, 10258",
        "kanseller 10256, beklager, jeg mente 10258",
    ],
)
def test_the_last_number_counts_after_a_correction(text: str) -> None:
    assert [entity["value"] for entity in without_taken_back(text, numbers_in(text))] == ["10258"]


@pytest.mark.parametrize(
    "text",
    [
        "cancela el 10256 y el 10258",
        "cancela el 10256, no el 10258",
        "cancel 10256 and 10258",
        "cancel 10256 but not 10258",
        "cancel 10256, 10258",
        "cancela o 10256 mas não o 10258",
        "cancela o 10256 e o 10258",
        "cancela o 10256, não o 10258",
        "kanseller 10256, men ikke 10258",
        "kanseller 10256 og 10258",
    ],
)
def test_two_numbers_are_two_without_one(text: str) -> None:
    assert [entity["value"] for entity in without_taken_back(text, numbers_in(text))] == ["10256", "10258"]


def test_a_size_is_corrected_and_another_kind_of_thing_stays() -> None:
    text = "la azul M, perdón, L"
    entities = [
        {"entity": "color", "value": "blue", "start": 3, "end": 7},
        {"entity": "size", "value": "M", "start": 8, "end": 9},
        {"entity": "size", "value": "L", "start": 19, "end": 20},
    ]
    assert [entity["value"] for entity in without_taken_back(text, entities)] == ["blue", "L"]
