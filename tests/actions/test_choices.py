"""Which of the things that were shown a reply picks."""

from __future__ import annotations

from typing import Any

import pytest

from actions.choices import Look, Option, button, card, folded_words, picked, tapped

SHIRTS = [
    Option("11", "Camisa Oxford (azul, M)", ("shirts", "blue", "M")),
    Option("12", "Camisa Oxford (blanca, M)", ("shirts", "white", "M")),
    Option("13", "Pantalón chino (beige, M)", ("trousers", "beige", "M")),
]
REASONS = [Option("too_small", "Too small"), Option("too_large", "Too big"), Option("other", "Something else")]


def entity(name: str, value: str) -> dict[str, Any]:
    return {"entity": name, "value": value}


@pytest.mark.parametrize(
    ("text", "entities", "value"),
    [
        ("la segunda", [entity("ordinal", "2")], "12"),
        ("2", [], "12"),
        ("2)", [], "12"),
        ("el último", [entity("ordinal", "last")], "13"),
    ],
)
def test_place_in_the_list_picks(text: str, entities: list[dict[str, Any]], value: str) -> None:
    assert picked(text, entities, SHIRTS) == value


@pytest.mark.parametrize("text", ["0", "4", "10203", "-1"])
def test_number_beyond_the_list_picks_nothing(text: str) -> None:
    assert picked(text, [], SHIRTS) is None


def test_title_with_a_typo_picks() -> None:
    assert picked("to smal", [], REASONS) == "too_small"
    assert picked("¡Pantalon chino (beige, M)!", [], SHIRTS) == "13"


def test_reply_that_contains_the_title_picks() -> None:
    assert picked("it is too small for me", [], REASONS) == "too_small"


def test_title_that_fits_two_about_as_well_picks_neither() -> None:
    assert picked("camisa oxford", [], SHIRTS) is None


def test_entity_that_only_one_option_has_picks() -> None:
    assert picked("la blanca", [entity("color", "white")], SHIRTS) == "12"


def test_entity_that_two_options_have_picks_neither() -> None:
    assert picked("la camisa", [entity("category", "shirts")], SHIRTS) is None


def test_two_entities_pick_the_option_that_both_fit() -> None:
    assert picked("la camisa blanca", [entity("category", "shirts"), entity("color", "white")], SHIRTS) == "12"


def test_nothing_is_picked_where_nothing_was_shown() -> None:
    assert picked("la primera", [entity("ordinal", "1")], []) is None


def test_something_else_entirely_picks_nothing() -> None:
    assert picked("¿a qué hora abren?", [], SHIRTS) is None


def test_tap_counts_only_for_the_slot_whose_button_it_was() -> None:
    payload = button("return_reason", REASONS[0])["payload"]
    assert payload == '/inform{"choice": "return_reason:too_small"}'
    entities = [entity("choice", "return_reason:too_small")]
    assert tapped("return_reason", entities) == "too_small"
    assert tapped("cancel_reason", entities) is None


def test_option_survives_being_stored() -> None:
    assert Option.from_stored(SHIRTS[0].stored()) == SHIRTS[0]


def test_words_are_compared_without_capitals_accents_and_signs() -> None:
    assert folded_words("¡Más o MENOS, gracias!") == ["mas", "o", "menos", "gracias"]
    assert folded_words("Størrelse på være") == ["storrelse", "pa", "vaere"]


def place(text: str, said: str, value: str) -> dict[str, Any]:
    start = text.index(said)
    return {**entity("ordinal", value), "start": start, "end": start + len(said)}


@pytest.mark.parametrize("text", ["no mejor primero los puntos", "primero dime cuánto cuesta", "no, first the points please"])
def test_first_before_another_matter_picks_nothing(text: str) -> None:
    said = "primero" if "primero" in text else "first"
    assert picked(text, [place(text, said, "1")], SHIRTS) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no, mejor la segunda", "la segunda"),
        ("I think the second one, please", "the second one"),
        ("segundo por favor", "segundo"),
    ],
)
def test_place_among_words_of_courtesy_picks(text: str, said: str) -> None:
    assert picked(text, [place(text, said, "2")], SHIRTS) == "12"


@pytest.mark.parametrize("text", ["las dos", "los dos por favor", "both of them", "both"])
def test_both_are_the_one_option_of_two_pieces(text: str) -> None:
    options = [Option("1", "2 × Camisa Oxford (azul, M)"), Option("2", "Pantalón chino (beige, M)")]
    assert picked(text, [], options) == "1"
    assert picked(text, [], [*options, Option("3", "2 × Calcetines")]) is None


def test_card_is_a_button_with_a_picture_that_says_more() -> None:
    bag = Option("1.ab", "Leather Bag · $132.00")
    shown = card("offer", bag, Look("Leather Bag", "$132.00\nbrown; black", "/static/products/bag.png", "Show me: Leather Bag"))
    [tap] = shown["buttons"]
    assert tap == {**button("offer", bag), "title": "Show me: Leather Bag"}
    assert (shown["title"], shown["image_url"]) == ("Leather Bag", "/static/products/bag.png")
