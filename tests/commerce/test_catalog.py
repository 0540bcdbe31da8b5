"""Search, prices and stock, on the demo's catalogue."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from commerce import catalog
from commerce.models import Category, Price, Product, StockLevel, Variant


def handles(session: Session, words: str | None, language: str = "es", **conditions: object) -> list[str]:
    hits = catalog.search(session, words=words, language=language, currency="MXN", **conditions)  # type: ignore[arg-type]
    return [hit.product.handle for hit in hits]


def variant_id(session: Session, sku: str) -> int:
    found = catalog.find_by_sku(session, sku)
    assert found is not None
    return int(found.id)


@pytest.mark.parametrize(
    ("words", "language", "handle"),
    [
        ("camisa oxford", "es", "oxford-shirt"),
        ("Oxford shirts", "en", "oxford-shirt"),
        ("camiza oxfor", "es", "oxford-shirt"),
        ("red runing shoes", "en", "running-shoes"),
        ("vestidos de verano", "es", "summer-dress"),
        ("CINTURON DE PIEL", "es", "leather-belt"),
        ("lampara", "es", "table-lamp"),
    ],
)
def test_best_hit_stands_typos_plurals_and_missing_accents(demo: Session, words: str, language: str, handle: str) -> None:
    assert handles(demo, words, language)[0] == handle


@pytest.mark.parametrize(
    ("words", "handle"),
    [("jersey", "wool-sweater"), ("gafas de sol", "sunglasses"), ("cartera", "leather-wallet"), ("manta", "wool-blanket")],
)
def test_word_of_another_country_finds_the_same_product(demo: Session, words: str, handle: str) -> None:
    assert handles(demo, words)[0] == handle


def test_word_of_another_language_is_found_too(demo: Session) -> None:
    assert handles(demo, "backpack", "es") == ["backpack"]


@pytest.mark.parametrize(
    ("language", "named_so"), [("es", {"travel-bag"}), ("pt", {"travel-bag", "leather-bag", "crossbody-bag"})]
)
def test_name_in_the_shoppers_language_counts_in_full(demo: Session, language: str, named_so: set[str]) -> None:
    hits = catalog.search(demo, words="bolsa", language=language, currency="MXN")
    assert {hit.product.handle for hit in hits if hit.score == 1.0} == named_so
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_currency_is_one_that_something_is_sold_in(demo: Session) -> None:
    assert catalog.is_sold_in(demo, "EUR")
    assert not catalog.is_sold_in(demo, "JPY")


def test_nothing_is_found_for_what_is_not_sold(demo: Session) -> None:
    assert handles(demo, "iphone 15 pro") == []


def test_word_that_fits_nothing_does_not_hide_the_one_that_does(demo: Session) -> None:
    assert handles(demo, "quisiera una mochila")[0] == "backpack"


def test_category_word_finds_its_products(demo: Session) -> None:
    found = catalog.search(demo, words="zapatos", language="es", currency="MXN", limit=20)
    assert {hit.product.category.slug for hit in found} == {"shoes"}
    assert len(found) == 6


def test_colour_among_the_words_narrows_the_variants(demo: Session) -> None:
    best = catalog.search(demo, words="camisa oxford azul", language="es", currency="MXN")[0]
    assert {each.variant.options["color"] for each in best.variants} == {"blue"}


def test_options_narrow_the_variants_in_any_case(demo: Session) -> None:
    best = catalog.search(demo, words="oxford", language="en", color="Blue", size="m", currency="USD")[0]
    assert [each.variant.sku for each in best.variants] == ["SHI-OXF-BLU-M"]
    assert best.price_range == (4400, 4400)


def test_product_without_the_wanted_option_is_left_out(demo: Session) -> None:
    assert handles(demo, "oxford", color="green") == []


def test_brand_is_exact_but_for_case(demo: Session) -> None:
    found = catalog.search(demo, words=None, language="es", brand="casa clara", currency="MXN", limit=50)
    assert {hit.product.brand for hit in found} == {"Casa Clara"}
    assert len(found) == 10


def test_price_limit_includes_its_own_amount(demo: Session) -> None:
    assert "summer-dress" in handles(demo, None, category="dresses", max_price_minor=109900)
    assert "summer-dress" not in handles(demo, None, category="dresses", max_price_minor=109899)


def test_price_range_covers_the_matching_variants(demo: Session) -> None:
    best = catalog.search(demo, words="vestido de verano", language="es", currency="MXN")[0]
    assert best.price_range == (109900, 119900)


def test_sold_out_variant_is_left_out_when_it_must_be_in_stock(demo: Session) -> None:
    blue = catalog.search(demo, words="oxford", language="es", color="blue", currency="MXN", in_stock=True)[0]
    assert "SHI-OXF-BLU-S" not in [each.variant.sku for each in blue.variants]
    assert handles(demo, "oxford", color="blue", size="S", in_stock=True) == []


def test_sold_out_product_ranks_after_those_that_can_be_bought(demo: Session) -> None:
    before = handles(demo, "bolso")
    sold_out = demo.execute(select(Product).where(Product.handle == before[0])).scalar_one()
    ids = [variant.id for variant in sold_out.variants]
    demo.execute(update(StockLevel).where(StockLevel.variant_id.in_(ids)).values(quantity=0))
    assert handles(demo, "bolso")[0] != before[0]


def test_variant_without_a_price_in_the_currency_is_not_sold_in_it(demo: Session) -> None:
    assert catalog.search(demo, words="mochila", language="es", currency="JPY") == []
    assert catalog.price(demo, variant_id(demo, "BAG-BPK-GRE"), "JPY") is None


def test_inactive_variant_is_not_found(demo: Session) -> None:
    demo.execute(update(Variant).where(Variant.sku == "HOM-BOA-BRO").values(is_active=False))
    assert handles(demo, "tabla de cortar") == []


def test_shirt_with_a_letter_is_a_word_of_its_own(demo: Session) -> None:
    assert handles(demo, "t-shirt", "en")[0] == "basic-t-shirt"


def test_blank_words_list_the_category(demo: Session) -> None:
    assert handles(demo, "  ", category="bags") == ["backpack", "crossbody-bag", "leather-bag", "travel-bag"]


def test_limit_is_kept(demo: Session) -> None:
    assert len(handles(demo, None, limit=3)) == 3


def test_changed_name_is_found_at_once(demo: Session) -> None:
    assert handles(demo, "paraguas") == []
    demo.execute(update(Product).where(Product.handle == "palm-basket").values(names={"es": "Paraguas"}))
    assert handles(demo, "paraguas") == ["palm-basket"]


def test_empty_shop_finds_nothing(session: Session) -> None:
    assert handles(session, "camisa") == []
    assert handles(session, None) == []


def test_product_without_synonyms_and_attributes_is_found(session: Session) -> None:
    category = Category(slug="toys", names={"en": "Toys"})
    variant = Variant(sku="TOY-1", prices=[Price(currency="EUR", amount_minor=500)])
    session.add(Product(handle="robot", category=category, names={"en": "Tin Robot"}, variants=[variant]))
    session.flush()
    hit = catalog.search(session, words="robots", language="en", currency="EUR")[0]
    assert (hit.product.handle, hit.stock) == ("robot", 0)


def test_variants_come_with_price_and_stock(demo: Session) -> None:
    product = catalog.find_by_handle(demo, "oxford-shirt")
    assert product is not None
    blue = catalog.variants(demo, product.id, "EUR", color="blue", size=None)
    by_size = {each.variant.options["size"]: each for each in blue}
    assert list(by_size) == ["XS", "S", "M", "L", "XL", "XXL"]
    assert (by_size["M"].price_minor, by_size["M"].stock, by_size["S"].stock) == (3995, 30, 0)


def test_stock_names_every_location_and_adds_up_to_available(demo: Session) -> None:
    oxford = variant_id(demo, "SHI-OXF-BLU-M")
    by_place = [(location.code, pieces) for location, pieces in catalog.stock(demo, oxford)]
    assert by_place == [("cdmx", 3), ("madrid", 3), ("mx-warehouse", 12), ("es-warehouse", 12)]
    assert catalog.available(demo, oxford) == 30


def test_unknown_variant_has_no_stock(demo: Session) -> None:
    assert catalog.available(demo, 999999) == 0
    assert catalog.stock(demo, 999999) == []


def test_sku_is_found_in_lower_case_and_spaces(demo: Session) -> None:
    found = catalog.find_by_sku(demo, " shi-oxf-blu-m ")
    assert found is not None
    assert found.sku == "SHI-OXF-BLU-M"
    assert catalog.find_by_sku(demo, "SHI-OXF") is None


def test_vocabulary_has_every_name_brand_category_and_option(demo: Session) -> None:
    words = catalog.vocabulary(demo)
    assert words.products["oxford-shirt"]["en"] == "Oxford Shirt"
    assert len(words.products) == 52
    assert words.categories["shoes"]["es"] == "Zapatos"
    assert "Casa Clara" in words.brands
    assert {"blue", "white", "black"} <= set(words.options["color"])
    assert {"XS", "XXL", "42"} <= set(words.options["size"])
