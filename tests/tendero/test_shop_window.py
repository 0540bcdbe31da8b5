"""What the demo shop's page shows comes from its catalogue, in every language, and has a drawing for everything."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from commerce.models import Customer, Product, StockLevel, Variant
from database import transaction
from tendero import demo_shop, shop_window
from tendero.environment import PROJECT
from tendero.running import DEMO_KEY, OWN_KEY, _demo_sign_in
from tendero.saves import takes

LANGUAGES = ("en", "es", "nb", "pt")


@pytest.fixture
def demo(database_url: str, now: datetime) -> str:
    demo_shop.fill(database_url, now)
    return database_url


def window(home: Path, url: str, language: str = "en") -> Any:
    return json.loads((shop_window.write(home, url) / f"{language}.json").read_text())


def good(shown: Any, handle: str) -> Any:
    return next(each for each in shown["products"] if each["handle"] == handle)


def test_each_language_has_its_own_words_for_the_same_goods(tmp_path: Path, demo: str) -> None:
    names = {language: good(window(tmp_path, demo, language), "oxford-shirt") for language in LANGUAGES}
    assert [names[language]["name"] for language in LANGUAGES] == [
        "Oxford Shirt",
        "Camisa Oxford",
        "Oxfordskjorte",
        "Camisa Oxford",
    ]
    assert [names[language]["colours"][0]["word"] for language in LANGUAGES] == ["blue", "azul", "blå", "azul"]


def test_prices_are_the_catalogues_in_every_currency(tmp_path: Path, demo: str) -> None:
    shirt = good(window(tmp_path, demo), "oxford-shirt")
    assert shirt["colours"][0]["prices"] == {"EUR": 3995, "MXN": 79900, "USD": 4400, "BRL": 23990, "NOK": 45900}


def test_what_is_left_is_told_by_size_and_never_by_number(tmp_path: Path, demo: str) -> None:
    with transaction(demo) as session:
        for sku, pieces in (("SHI-OXF-BLU-S", 0), ("SHI-OXF-BLU-M", 5), ("SHI-OXF-BLU-L", 6)):
            variant = session.execute(select(Variant).where(Variant.sku == sku)).scalar_one()
            levels = session.execute(select(StockLevel).where(StockLevel.variant_id == variant.id)).scalars().all()
            for level in levels:
                level.quantity = 0
            levels[0].quantity = pieces
    left = good(window(tmp_path, demo), "oxford-shirt")["colours"][0]["left"]
    assert (left["S"], left["M"], left["L"]) == (0, 1, 2)


def test_everything_in_the_catalogue_has_a_drawing(tmp_path: Path, demo: str) -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (PROJECT / "web/demo/pictures.svg").read_text()))
    style = (PROJECT / "web/demo/demo.css").read_text()
    products = window(tmp_path, demo)["products"]
    assert {each["handle"] for each in products} == drawn
    colours = {colour["colour"] for each in products for colour in each["colours"]}
    assert [colour for colour in sorted(colours) if f'[data-colour="{colour}"]' not in style] == []


def test_everything_has_a_picture_that_the_chat_can_show(demo: str) -> None:
    with transaction(demo) as session:
        images = [image for (image,) in session.execute(select(Product.images[0].as_string()))]
    assert len(set(images)) == 52
    assert [image for image in images if not (PROJECT / "web" / image.removeprefix("/static/")).is_file()] == []


def test_whom_one_may_be_is_shown_without_number_or_address(tmp_path: Path, demo: str) -> None:
    shown = window(tmp_path, demo)["people"]
    assert shown[0] == {"key": "ana", "name": "Ana García", "country": "MX", "currency": "MXN", "language": "es"}
    assert len(shown) == 6
    numbers = json.loads((tmp_path / shop_window.FOLDER / shop_window.PEOPLE).read_text())
    with transaction(demo) as session:
        ana = session.execute(select(Customer.number).where(Customer.email == "ana@example.com")).scalar_one()
    assert numbers["ana"] == ana


def test_somebody_who_was_erased_is_nobody_to_be(tmp_path: Path, demo: str) -> None:
    with transaction(demo) as session:
        session.execute(select(Customer).where(Customer.email == "ana@example.com")).scalar_one().email = None
    assert "ana" not in [each["key"] for each in window(tmp_path, demo)["people"]]


def test_page_asks_for_no_word_that_there_is_not(tmp_path: Path, demo: str) -> None:
    words = window(tmp_path, demo)["words"]
    page = (PROJECT / "web/demo/index.html").read_text()
    scripts = "".join(file.read_text() for file in (PROJECT / "web/demo").glob("*.js"))
    asked = set(re.findall(r'data-(?:word|label|hint)="(\w+)"', page)) | set(re.findall(r'\bsay\("(\w+)"', scripts))
    assert asked <= words.keys()
    assert len(asked) > 30


# The sign-in's key


def test_demo_signs_with_a_key_that_is_new_at_each_start() -> None:
    one, other = _demo_sign_in({}), _demo_sign_in({})
    assert one[OWN_KEY] == one[DEMO_KEY]
    assert len(one[DEMO_KEY]) == 64
    assert one[DEMO_KEY] != other[DEMO_KEY]


def test_demo_never_signs_with_a_shops_own_secret() -> None:
    assert _demo_sign_in({OWN_KEY: "the shop's own secret"}) == {}


def test_page_is_written_at_a_start_and_so_are_its_new_words() -> None:
    assert takes("data/demo-page/en.yml") == "restart"
