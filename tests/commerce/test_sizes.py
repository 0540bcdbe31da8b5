"""Sizes without "size", in shops whose sizes are not the demo's: halves, small numbers, letters of their own."""

from __future__ import annotations

import pytest

from commerce.catalog import Vocabulary
from commerce.names.sizes import Place, Range, Sizes
from commerce.names.words import Words
from tests.commerce.catalogue_words import learnt_words

SHOES = frozenset({"8", "9", "9.5", "27", "27.5", "28", "40", "41,5"})
SHIRTS = frozenset({"P", "M", "G"})
BELTS = frozenset({"M"})


def shop(words: Words, shirts: frozenset[str] = SHIRTS) -> Sizes:
    sizes_of = {"sneakers": SHOES, "shirt": shirts, "belt": BELTS}
    category_of = {"sneakers": "shoes", "shirt": "shirts", "belt": "accessories"}
    return Sizes(Vocabulary({}, {}, {}, (), {}, {}, (), sizes_of=sizes_of, category_of=category_of), words)


@pytest.fixture(scope="module")
def sizes() -> Sizes:
    return shop(learnt_words())


def found(sizes: Sizes, text: str, *things: tuple[str, str, str]) -> set[tuple[str, str]]:
    """things: kind, value, word of what is known to be in the text."""
    said: list[Place] = [(kind, value, text.index(word), text.index(word) + len(word)) for kind, value, word in things]
    return {(each.kind, each.value) for each in sizes.find(text, (), said)}


BOOTS, CAMISA = ("category", "shoes", "boots"), ("category", "shirts", "camisa")


@pytest.mark.parametrize("half", ["27.5", "27,5", "27½", "27 y media", "27 e meio", "27 and a half", "27 og en halv"])
def test_half_size_is_told_as_the_shop_writes_it(sizes: Sizes, half: str) -> None:
    assert found(sizes, f"boots {half}", BOOTS) == {("size", "27.5")}


def test_half_size_with_a_comma_in_the_shop(sizes: Sizes) -> None:
    assert found(sizes, "boots 41.5", BOOTS) == {("size", "41,5")}


def test_half_of_a_size_is_never_taken_for_the_whole(sizes: Sizes) -> None:
    assert sizes.is_cut_short("talla 38,5", ("size", "38", 6, 8))
    assert sizes.is_cut_short("talla 38 y media", ("size", "38", 6, 8))
    assert not sizes.is_cut_short("talla 38", ("size", "38", 6, 8))


def test_small_number_is_how_many_unless_it_is_said_to_be_in(sizes: Sizes) -> None:
    assert found(sizes, "boots 8", BOOTS) == set()
    assert found(sizes, "boots in 8", BOOTS) == {("size", "8")}
    assert found(sizes, "8") == found(sizes, "boots x 8", BOOTS) == set()


def test_day_of_the_month_is_none(sizes: Sizes) -> None:
    assert found(sizes, "boots el 28", BOOTS) == found(sizes, "el 28") == set()
    assert found(sizes, "boots en 28", BOOTS) == {("size", "28")}
    assert found(sizes, "el 40") == {("bare_size", "40")}


def test_letters_that_are_the_shops_own_are_no_other_sizes(sizes: Sizes) -> None:
    assert found(sizes, "camisa P", CAMISA) == {("size", "P")}
    assert found(sizes, "G") == {("size", "G")}


def test_letters_of_portuguese_stand_for_the_shops(sizes: Sizes) -> None:
    latin = shop(learnt_words(), frozenset({"S", "M", "L", "XL"}))
    assert found(latin, "camisa P", CAMISA) == {("size", "S")}
    assert found(latin, "P, M ou G?") == {("size", "S"), ("size", "M"), ("size", "L")}


def test_thing_that_is_not_sold_in_such_sizes_has_none(sizes: Sizes) -> None:
    assert found(sizes, "lamp M", ("category", "home", "lamp")) == set()
    assert found(sizes, "camisa 40", CAMISA) == set()
    assert found(sizes, "boots M", BOOTS) == set()
    wallet = [("category", "accessories", "wallet"), ("product", "wallet", "wallet")]
    assert found(sizes, "wallet M", *wallet) == set()  # though belts come in M


def test_other_countries_sizes_are_not_ours(sizes: Sizes) -> None:
    assert found(sizes, "boots in us 9", BOOTS) == found(sizes, "uk 8") == set()


def test_range_is_what_somebody_may_ask_for() -> None:
    boots = Range(frozenset({"39", "44"}))
    assert [boots.may_be(value) for value in ("46", "42.5", "60", "20", "M")] == [True, True, False, False, False]
    assert [Range(frozenset({"S"})).may_be(value) for value in ("XXL", "42")] == [True, False]


def test_shop_without_sizes_finds_none() -> None:
    empty = Sizes(Vocabulary({}, {}, {}, (), {}, {}, ()), learnt_words())
    assert found(empty, "M, 42, boots 42", BOOTS) == set()
