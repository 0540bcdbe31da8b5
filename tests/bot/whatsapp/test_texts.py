"""Texts are divided where a reader would, lose nothing, and mean what they say."""

from __future__ import annotations

import time

import pytest
import regex
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.channels.whatsapp.texts import in_a_line, in_two, length, plain, shortened, split, trimmed, with_ending

# Families, flags, skin tones, letters with marks, Hangul, Devanagari, blanks and line breaks of several kinds.
SIGNS = "ab. !?\n\r\t\u00a0é\u0301\u0308👩\u200d👧🇲🇽👍🏽각한\u1100\u1161कि्ष\ufe0f\u0600"
texts = st.one_of(st.text(), st.text(alphabet=SIGNS, max_size=200))


def graphemes(text: str) -> list[str]:
    """Without blanks, which may go where a text is divided."""
    return [each.rstrip() for each in regex.findall(r"\X", text) if each.strip()]


@given(texts, st.integers(min_value=12, max_value=60))
def test_pieces_fit_and_together_are_the_text(text: str, most: int) -> None:
    pieces = split(text, most)
    assert all(0 < length(piece) <= most for piece in pieces)
    if all(length(each) <= most for each in graphemes(text)):
        assert [each for piece in pieces for each in graphemes(piece)] == graphemes(text)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def words(text: str) -> list[str]:
    """Divided where a line may break: not at a blank that holds together what stands beside it."""
    return [word for word in regex.split(r"(?:[^\S\u00A0\u202F]|[\x1c-\x1f])+", text) if word.strip()]


@given(texts)
def test_words_stay_whole_where_they_fit(text: str) -> None:
    assume(not regex.search(r"[\s\x1c-\x1f][\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=ZWJ}]", text))  # marks on a blank keep it
    if all(length(word) <= 20 for word in words(text)):
        assert [word for piece in split(text, 21) for word in piece.split()] == text.split()


def test_separator_among_the_control_characters_is_a_blank() -> None:
    assert split("0000000000000\x1f𐀀𐀀𐀀𐀀", 21) == ["0000000000000", "𐀀𐀀𐀀𐀀"]
    assert trimmed("0\x1f") == "0"


@given(texts, st.integers(min_value=12, max_value=40))
def test_ending_is_no_longer_than_it_may_be(text: str, most: int) -> None:
    *before, ending = with_ending(text, 2 * most, most)
    assert length(ending) <= most
    assert all(0 < length(piece) <= 2 * most for piece in before)
    assert "".join("".join([*before, ending]).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("One two.\n\nThree four five.", ["One two.", "Three four five."]),
        ("One two three\nfour five", ["One two three", "four five"]),
        ("It is here. It is yours.", ["It is here.", "It is yours."]),
        ("Is it? It's there now", ["Is it?", "It's there now"]),
        ("eleven-word twelve", ["eleven-word", "twelve"]),
        ("abcdefghijklmnopqrstuvwx", ["abcdefghijklmnop", "qrstuvwx"]),
        ("exactly sixteen!", ["exactly sixteen!"]),
        ("exactly sixteen! and more", ["exactly sixteen!", "and more"]),
        ("   ", []),
    ],
)
def test_it_is_divided_where_a_reader_would(text: str, pieces: list[str]) -> None:
    assert split(text, 16) == pieces


def test_a_family_is_not_torn_apart() -> None:
    family = "👩‍👩‍👧"
    assert split(family * 5, 20) == [family * 2, family * 2, family]


def test_a_blank_that_bears_a_mark_is_no_place_to_divide() -> None:
    assert split("one two \u0301three", 10) == ["one", "two \u0301three"]


def test_what_cannot_fit_as_one_letter_loses_no_sign() -> None:
    assert "".join(split("a" + "\u0301" * 100, 30)) == "a" + "\u0301" * 100


def test_an_emoji_counts_as_meta_may_count_it() -> None:
    assert (length("a"), length("é"), length("👍"), length("👍🏽")) == (1, 1, 2, 4)


@given(texts)
def test_shortened_is_a_beginning_of_whole_letters(text: str) -> None:
    title = in_a_line(text)
    short = shortened(title, 20)
    assert length(short) <= 20
    assert short == title or (short.endswith("…") and title.startswith(short[:-1]))


@given(texts)
def test_a_title_in_two_is_all_of_it(text: str) -> None:
    title = in_a_line(text)
    if halves := in_two(title, 24):
        assert all(halves)
        assert length(halves[0]) <= 24
        assert letters("".join(halves)) == letters(title)


def letters(text: str) -> str:
    """Without blanks, and the strokes and points between two halves."""
    return "".join(text.translate(dict.fromkeys(map(ord, "·–—|"))).split())


@pytest.mark.parametrize(
    ("title", "halves"),
    [
        ("Blue shirt with a collar · 49.90 €", ("Blue shirt with a collar", "49.90 €")),
        ("Camiseta azul marinho (M) · R$ 89,90", ("Camiseta azul marinho", "(M) · R$ 89,90")),
        ("Levo a um ponto postal R$\xa024,90", ("Levo a um ponto postal", "R$\xa024,90")),
        ("Pantalón chino (beige, M)", ("Pantalón chino", "(beige, M)")),
        ("Report a problem with a delivery", ("Report a problem with a", "delivery")),
        ("Kundenzufriedenheitsbefragung", None),
    ],
)
def test_a_title_is_divided_where_it_may_be_read_on(title: str, halves: tuple[str, str] | None) -> None:
    assert in_two(title, 24) == halves


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*NEW* shirt", "∗NEW∗ shirt"),
        ("_x_ ~y~ `z`", "ˍxˍ ∼y∼ ˋzˋ"),
        ("the *_both_* of it", "the ∗ˍbothˍ∗ of it"),
        ("*a shirt\nand trousers*", "∗a shirt\nand trousers∗"),
        ("```a\nb```", "ˋˋˋa\nbˋˋˋ"),
        ("> said before", "› said before"),
        ("size_m_blue and 3 * 4 * 5", "size_m_blue and 3 * 4 * 5"),
        ("5*4 *", "5*4 *"),
        ("only *one", "only *one"),
        ("_ana_@example.com, https://shop.example/_a_ *b*", "_ana_@example.com, https://shop.example/_a_ ∗b∗"),
    ],
)
def test_signs_of_a_name_format_nothing(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(texts)
def test_plain_text_is_as_long_and_as_plain_as_before(text: str) -> None:
    assert length(plain(text)) == length(text)
    assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize("text", ["*" * 4096, "*a " * 1365, "*_~`" * 1024, "_a*b~" * 819, "a@" * 2048, "x" * 4096])
def test_no_text_takes_long(text: str) -> None:
    began = time.perf_counter()
    plain(text)
    split(text, 1024)
    assert time.perf_counter() - began < 1


def test_edges_are_trimmed_without_taking_a_letters_mark_away() -> None:
    assert trimmed("\n a b \t") == "a b"
    assert trimmed(" \u0301a") == " \u0301a"
