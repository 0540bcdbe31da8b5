"""SKUs in messages: exact but for how they are written, and never a number of something else."""

from __future__ import annotations

import pytest

from commerce.names.skus import UNKNOWN, Skus
from commerce.names.words import Words

WORDS = Words.of(
    {
        "sku": ["sku", "item"],
        "numbered": ["number", "is"],
        "voucher": ["coupon"],
        "parcel": ["order", "tracking"],
    }
)
SHOP = (
    "TEN-0042-M",
    "TEN-0042-L",
    "BOT123-NEGRO-38",
    "40012345",
    "SHIRT-38",
    "AB-12-3",
    "AB-1-23",
    "SHO-O1",
    "MX12345678",
    "TEN-77",
)
KNOWN = frozenset({"shirt", "do", "you", "have", "ten", "order", "negro"})


@pytest.fixture(scope="module")
def skus() -> Skus:
    return Skus(SHOP, KNOWN, WORDS)


def found(skus: Skus, text: str, *taken: tuple[int, int]) -> list[str]:
    return [each.value for each in skus.find(text, taken) if each.likeness != UNKNOWN]


def unknown(skus: Skus, text: str, *taken: tuple[int, int]) -> list[str]:
    return [each.value for each in skus.find(text, taken) if each.likeness == UNKNOWN]


@pytest.mark.parametrize(
    "text",
    ["TEN-0042-M", "ten-0042-m?", "ten 0042 m", "TEN0042M", "ten_0042_m", "(Ten 0042-M)", "sku: TEN 00 42 M", "TEN - 0042 - M"],
)
def test_however_it_is_written_it_is_that_one(skus: Skus, text: str) -> None:
    assert found(skus, f"do you have {text}") == ["TEN-0042-M"]


def test_one_sign_more_or_less_is_another_thing(skus: Skus) -> None:
    for text in ("TEN-0042-XL", "TEN-0042", "TEN-0043-M", "TEN-042-M", "XTEN-0042-M", "TEN-0042-M-2", "TEN-77-X"):
        assert found(skus, text) == []


def test_letter_that_looks_like_a_digit_is_read_as_what_the_label_says(skus: Skus) -> None:
    assert found(skus, "TEN-OO42-M") == ["TEN-0042-M"]
    assert found(skus, "SHO-01") == ["SHO-O1"]


def test_two_that_are_written_alike_are_told_apart_only_by_their_hyphens(skus: Skus) -> None:
    assert found(skus, "item AB-12-3") == ["AB-12-3"]
    assert found(skus, "item AB-1-23") == ["AB-1-23"]
    assert found(skus, "item ab123") == []


def test_several_are_found(skus: Skus) -> None:
    assert sorted(found(skus, "TEN-0042-M or ten 0042 l")) == ["TEN-0042-L", "TEN-0042-M"]


def test_digits_and_plain_words_are_one_only_where_they_are_called_so(skus: Skus) -> None:
    assert found(skus, "40012345") == found(skus, "a shirt 38") == []
    assert found(skus, "sku 40012345") == ["40012345"]
    assert found(skus, "item number is shirt-38") == ["SHIRT-38"]


def test_number_of_something_else_is_none(skus: Skus) -> None:
    assert found(skus, "coupon TEN-0042-M") == []
    assert found(skus, "ten-0042-m@example.com", (0, 22)) == []
    assert found(skus, "tracking MX12345678", (9, 19)) == []
    assert found(skus, "have you MX12345678", (9, 19)) == ["MX12345678"]  # looks like a parcel's, is the shop's


def test_number_within_a_sku_is_no_number_of_its_own(skus: Skus) -> None:
    assert found(skus, "ten 0042 m", (4, 8)) == ["TEN-0042-M"]


@pytest.mark.parametrize("text", ["TEN-0099-M", "QRS-1234-XL", "sku abc123", "item number ZZ-9876"])
def test_what_looks_like_one_is_told_though_the_shop_has_none_such(skus: Skus, text: str) -> None:
    assert len(unknown(skus, text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "covid-19",
        "coupon ABC-123-X",
        "tracking number AB-123-456",
        "BLACK-FRIDAY-20",
        "12-11-2026",
        "my pw is Sun_and_sea7",
        "SW1A 1AA",
        "t-shirt-2",
    ],
)
def test_what_looks_like_something_else_is_none(skus: Skus, text: str) -> None:
    assert found(skus, text) == unknown(skus, text) == []


def test_shop_without_skus_has_none() -> None:
    assert Skus((), KNOWN, WORDS).find("sku TEN-0042-M", ()) == []
