"""What is sold: search by words and options, prices, stock, and the names that the assistant should recognise.

Prices are integer minor units of the named currency; a variant without a price in a currency is not sold in it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import Session, joinedload

from commerce.models import Category, Location, Price, Product, StockLevel, Variant
from commerce.product_index import Entry, Index, fold, load_index, tokens

BATCH = 50  # products whose variants are read at once, best first
OPTION_BONUS = 0.1  # for having the colour that was named among the words
SOLD_OUT = 0.9  # factor: what can be bought comes first
FEW_ROWS = 200  # of a long result, made into objects at once

Pace = Callable[[Iterable[Any]], Iterable[Any]]


@dataclass(frozen=True)
class PricedVariant:
    """A variant with its price in minor units and the pieces of it at all locations."""

    variant: Variant
    price_minor: int
    stock: int


@dataclass(frozen=True)
class Hit:
    """A product found, with those of its variants that match, and their prices and stock. Score: 0 to 1."""

    product: Product
    variants: tuple[PricedVariant, ...]
    currency: str
    score: float

    @property
    def price_range(self) -> tuple[int, int]:
        """Lowest and highest price in minor units."""
        prices = [each.price_minor for each in self.variants]
        return min(prices), max(prices)

    @property
    def stock(self) -> int:
        """Pieces of the matching variants at all locations."""
        return sum(each.stock for each in self.variants)


@dataclass(frozen=True)
class Vocabulary:
    """What a message may name. Keys are canonical values, languages are codes such as "es"."""

    products: Mapping[str, Mapping[str, str]]  # handle: {language: name}
    brand_of: Mapping[str, str]  # handle: brand, where it has one
    categories: Mapping[str, Mapping[str, str]]  # slug: {language: name}
    brands: tuple[str, ...]
    options: Mapping[str, tuple[str, ...]]  # "color": ("beige", "blue"), "size": ("L", "M")
    stores: Mapping[str, str]  # code: name
    cities: tuple[str, ...]  # those with a store
    skus: tuple[str, ...] = ()  # also of variants that are no longer sold
    sizes_of: Mapping[str, frozenset[str]] = field(default_factory=dict)  # handle: its sizes, where it has any
    category_of: Mapping[str, str] = field(default_factory=dict)  # handle: slug, where it has sizes


@dataclass(frozen=True)
class _Filter:
    options: Mapping[str, str]
    max_price_minor: int | None
    in_stock: bool

    def fits(self, each: PricedVariant) -> bool:
        affordable = self.max_price_minor is None or each.price_minor <= self.max_price_minor
        return affordable and (each.stock > 0 or not self.in_stock) and has_options(each.variant, self.options)


def search(
    session: Session,
    *,
    words: str | None,
    language: str,
    category: str | None = None,
    brand: str | None = None,
    color: str | None = None,
    size: str | None = None,
    max_price_minor: int | None = None,
    currency: str,
    in_stock: bool = False,
    limit: int = 5,
) -> list[Hit]:
    """Products with a variant that meets every condition, best first.

    words: in any language, misspelt or not; names in `language` count most; None or blank for no such condition.
    category: a slug. brand, color, size: as in the catalogue, in upper or lower case. currency: only what is sold in
    it.
    """
    index = load_index(session)
    wanted = {key: value for key, value in (("color", color), ("size", size)) if value}
    condition = _Filter(wanted, max_price_minor, in_stock)
    ranked = [hit for hit in _ranked(index, words, language) if _belongs(hit[0], category, brand)]
    named = frozenset(same for word in tokens(words or "") for same in index.expand(word))
    hits: list[Hit] = []
    for start in range(0, len(ranked), BATCH):
        hits += _hits(session, ranked[start : start + BATCH], condition, named, currency)
        if len(hits) >= limit:
            break
    return sorted(hits, key=lambda hit: -hit.score)[:limit]


def _ranked(index: Index, words: str | None, language: str) -> Sequence[tuple[Entry, float]]:
    if words and words.strip():
        return index.rank(words, language)
    return [(entry, 1.0) for entry in sorted(index.entries.values(), key=lambda entry: entry.handle)]


def _belongs(entry: Entry, category: str | None, brand: str | None) -> bool:
    return category in (None, entry.category) and (brand is None or fold(brand) == fold(entry.brand or ""))


def _hits(
    session: Session,
    ranked: Sequence[tuple[Entry, float]],
    condition: _Filter,
    named: frozenset[str],
    currency: str,
) -> Iterator[Hit]:
    by_product = _priced(session, [entry.product_id for entry, _ in ranked], currency)
    for entry, score in ranked:
        matching = [each for each in by_product.get(entry.product_id, []) if condition.fits(each)]
        as_named = [each for each in matching if _is_named(each.variant, named)]
        chosen = tuple(as_named or matching)
        if chosen:
            score = min(1.0, score + OPTION_BONUS * bool(as_named))
            score *= 1.0 if any(each.stock for each in chosen) else SOLD_OUT
            yield Hit(chosen[0].variant.product, chosen, currency, score)


def _is_named(variant: Variant, named: frozenset[str]) -> bool:
    return any(fold(value) in named for value in variant.options.values())


def _priced(session: Session, product_ids: Sequence[int], currency: str) -> dict[int, list[PricedVariant]]:
    pieces = select(func.coalesce(func.sum(StockLevel.quantity), 0)).where(StockLevel.variant_id == Variant.id).scalar_subquery()
    statement = (
        select(Variant, Price.amount_minor, pieces)
        .join(Price, (Price.variant_id == Variant.id) & (Price.currency == currency))
        .where(Variant.product_id.in_(product_ids), Variant.is_active)
        .options(joinedload(Variant.product))
        .order_by(Variant.id)
    )
    found: dict[int, list[PricedVariant]] = {}
    for variant, amount, stock_total in session.execute(statement):
        found.setdefault(variant.product_id, []).append(PricedVariant(variant, amount, int(stock_total)))
    return found


def is_sold_in(session: Session, currency: str) -> bool:
    """Whether anything has a price in this currency."""
    return session.execute(select(Price.id).where(Price.currency == currency).limit(1)).first() is not None


def variants(session: Session, product_id: int, currency: str, **options: str | None) -> list[PricedVariant]:
    """A product's active variants sold in this currency, in the shop's order.

    options: such as ``color="blue", size="M"``; None for any.
    """
    wanted = {key: value for key, value in options.items() if value}
    priced = _priced(session, [product_id], currency).get(product_id, [])
    return [each for each in priced if has_options(each.variant, wanted)]


def has_options(variant: Variant, wanted: Mapping[str, str]) -> bool:
    """Whether the variant has all of these option values, in upper or lower case."""
    return all(fold(str(variant.options.get(key, ""))) == fold(value) for key, value in wanted.items())


def stock(session: Session, variant_id: int) -> list[tuple[Location, int]]:
    """Pieces at each location that keeps this variant, zero included, in the order of the locations."""
    statement = (
        select(Location, StockLevel.quantity)
        .join(StockLevel, StockLevel.location_id == Location.id)
        .where(StockLevel.variant_id == variant_id)
        .order_by(Location.id)
    )
    return [(location, quantity) for location, quantity in session.execute(statement)]


def available(session: Session, variant_id: int) -> int:
    """Pieces at all locations."""
    statement = select(func.coalesce(func.sum(StockLevel.quantity), 0)).where(StockLevel.variant_id == variant_id)
    return int(session.execute(statement).scalar_one())


def price(session: Session, variant_id: int, currency: str) -> int | None:
    """Minor units; None where the variant is not sold in this currency."""
    statement = select(Price.amount_minor).where(Price.variant_id == variant_id, Price.currency == currency)
    amount: int | None = session.execute(statement).scalar_one_or_none()
    return amount


def find_by_sku(session: Session, sku: str) -> Variant | None:
    """In upper or lower case; also a variant that is no longer sold."""
    as_is = session.execute(select(Variant).where(Variant.sku == sku)).scalar_one_or_none()  # by its index
    statement = select(Variant).where(func.lower(Variant.sku) == sku.strip().lower())
    found: Variant | None = as_is or session.execute(statement).scalar_one_or_none()
    return found


def find_by_handle(session: Session, handle: str) -> Product | None:
    found: Product | None = session.execute(select(Product).where(Product.handle == handle)).scalar_one_or_none()
    return found


def vocabulary(session: Session, pace: Pace = iter) -> Vocabulary:
    """Every name in the catalogue, for recognising them in messages. pace: gives the rows on, and may let others work between."""
    statement = (
        select(Product.id, Product.handle, Product.names, Product.brand, Category.slug)
        .join(Category, Product.category_id == Category.id)
        .order_by(Product.handle)
    )
    products = list(pace(session.execute(statement).yield_per(FEW_ROWS)))
    categories: Any = session.execute(select(Category.slug, Category.names).order_by(Category.slug))
    stores = select(Location.code, Location.name, Location.city).where(Location.kind == "store").order_by(Location.code)
    located: Any = session.execute(stores).all()
    return Vocabulary(
        products={handle: names for _, handle, names, _, _ in products},
        brand_of={handle: brand for _, handle, _, brand, _ in products if brand},
        categories=dict(tuple(row) for row in categories),
        brands=tuple(sorted({brand for _, _, _, brand, _ in products if brand})),
        stores={code: name for code, name, _ in located},
        cities=tuple(sorted({city for _, _, city in located})),
        **_variants(session, {id: (handle, slug) for id, handle, _, _, slug in products}, pace),
    )


def _variants(session: Session, products: Mapping[int, tuple[str, str]], pace: Pace) -> dict[str, Any]:
    """Of all variants in one pass: SKUs, options, and what is sold in which sizes. products: id: (handle, slug)."""
    # As text, the few different options among very many variants are read once.
    statement = select(Variant.product_id, Variant.sku, cast(Variant.options, Text), Variant.is_active).order_by(Variant.sku)
    read: dict[str, dict[str, str]] = {}
    skus, sizes = [], defaultdict[str, set[str]](set)
    for product_id, sku, text, is_active in pace(session.execute(statement).yield_per(FEW_ROWS)):
        skus.append(sku)
        options = read.get(text)
        if is_active and options is None:
            options = read.setdefault(text, {key: str(value) for key, value in json.loads(text).items()})
        if is_active and options and "size" in options:
            sizes[products[product_id][0]].add(options["size"])
    alike: dict[frozenset[str], frozenset[str]] = {}
    sizes_of = {
        handle: alike.setdefault(same, same) for handle, same in ((handle, frozenset(of)) for handle, of in sizes.items())
    }
    category_of = {handle: slug for handle, slug in products.values() if handle in sizes_of}
    return {"skus": tuple(skus), "options": _option_values(read.values()), "sizes_of": sizes_of, "category_of": category_of}


def _option_values(every: Iterable[Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    values: dict[str, set[str]] = {}
    for options in every:
        for key, value in options.items():
            values.setdefault(key, set()).add(value)
    return {key: tuple(sorted(found)) for key, found in sorted(values.items())}
