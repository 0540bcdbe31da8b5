"""What the demo shop's page shows, written below TENDERO_HOME as one JSON file a language.

The page is served by the Rasa server, which knows conversations and not the shop: nothing in `bot/` may import `commerce`. So
the launcher, which may look at both, writes at every start what the page needs, and the server only hands files out. They are
as old as the start; the assistant, which looks into the database, has the last word on prices and stock.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from commerce.demo.personas import PERSONAS
from commerce.models import Category, Customer, Product, Variant
from database import transaction
from messaging.labels import label
from tendero.environment import PROJECT

FOLDER = "shop-window"  # below TENDERO_HOME; bot.channels.demo_shop reads it
PEOPLE = "people.json"  # customer numbers of whom the demo's sign-in may name; not served
WORDS = PROJECT / "data" / "demo-page"
SHOWN_OF_PEOPLE = ("name", "country", "currency", "language")
FEW = 5  # pieces: "only a few left"


def write(home: Path, url: str, words: Path = WORDS) -> Path:
    """The folder with a file for each language that the page has words in, and one of the people that it can be used as."""
    folder = home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with transaction(url) as session:
        people = _people(session)
        products, categories = _products(session), session.execute(select(Category).order_by(Category.id)).scalars().all()
        said = {file.stem: YAML(typ="safe").load(file) for file in sorted(words.glob("*.yml"))}
        for language, texts in said.items():
            _save(folder / f"{language}.json", _window(language, texts, said, categories, products, people))
        _save(folder / PEOPLE, {key: person["number"] for key, person in people.items()})
    return folder


def _window(
    language: str,
    texts: Mapping[str, Any],
    said: Mapping[str, Any],
    categories: Sequence[Category],
    products: Sequence[Product],
    people: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    return {
        "language": language,
        "words": texts,
        "languages": {code: each["language"] for code, each in said.items()},
        "categories": [{"slug": each.slug, "name": each.names[language]} for each in categories],
        "products": [_product(each, language) for each in products],
        "people": [{"key": key, **{name: person[name] for name in SHOWN_OF_PEOPLE}} for key, person in people.items()],
    }


def _product(product: Product, language: str) -> dict[str, Any]:
    return {
        "handle": product.handle,
        "category": product.category.slug,
        "name": product.names[language],
        "about": product.descriptions[language],
        "brand": product.brand,
        "final_sale": product.is_final_sale,
        **{name: words[language] for name, words in product.attributes.items()},
        "image": product.images[0],
        "colours": list(_colours(product, language)),
    }


def _colours(product: Product, language: str) -> Iterator[dict[str, Any]]:
    """Each with its prices in minor units, and by size how much is left: 0 none, 1 a few pieces, 2 more."""
    of_colour: dict[str, list[Variant]] = defaultdict(list)
    for variant in product.variants:
        if variant.is_active:
            of_colour[variant.options["color"]].append(variant)
    for colour, variants in of_colour.items():
        yield {
            "colour": colour,
            "word": label(f"color_{colour}", language),
            "prices": {price.currency: price.amount_minor for price in variants[0].prices},
            "left": {variant.options.get("size", ""): _left(variant) for variant in variants},
        }


def _left(variant: Variant) -> int:
    pieces = sum(level.quantity for level in variant.stock_levels)
    return 0 if pieces == 0 else 1 if pieces <= FEW else 2


def _people(session: Session) -> dict[str, dict[str, str]]:
    """Those of the demo's people who are still customers: one may have been erased."""
    numbers = dict(session.execute(select(Customer.email, Customer.number)).all())
    return {
        persona.key: {**{name: getattr(persona, name) for name in SHOWN_OF_PEOPLE}, "number": numbers[persona.email]}
        for persona in PERSONAS
        if persona.email in numbers
    }


def _products(session: Session) -> Sequence[Product]:
    variants = selectinload(Product.variants)
    wanted = [selectinload(Product.category), variants.selectinload(Variant.prices), variants.selectinload(Variant.stock_levels)]
    found: Sequence[Product] = session.execute(select(Product).options(*wanted).order_by(Product.id)).scalars().all()
    return found


def _save(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
