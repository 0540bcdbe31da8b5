"""The demo's catalogue: from catalog.yml to rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from ruamel.yaml import YAML

from commerce.demo.rows import Rows
from commerce.models import Category, Location, Price, Product, StockLevel, Variant

SOLD_OUT_SHARE = 0.06
MOST = {"warehouse": 40, "store": 6}  # pieces


@dataclass(frozen=True)
class Good:
    """A variant as orders need it. `prices`: minor units by currency; `siblings`: SKUs of the product's other sizes."""

    variant_id: int
    sku: str
    prices: Mapping[str, int]
    is_final_sale: bool
    siblings: tuple[str, ...]


@dataclass(frozen=True)
class Goods:
    by_sku: Mapping[str, Good]
    locations: Mapping[str, int]  # id by code


@lru_cache(maxsize=4)
def read_yaml(name: str) -> Any:
    """A data file of this package."""
    return YAML(typ="safe").load(Path(__file__).with_name(name))


def add_goods(rows: Rows, random: Random) -> Goods:
    data = read_yaml("catalog.yml")
    locations = {each["code"]: rows.add(Location, **each) for each in data["locations"]}
    categories = {slug: _category(rows, slug, spec) for slug, spec in data["categories"].items()}
    goods: dict[str, Good] = {}
    for spec in data["products"]:
        product = _product(rows, data, spec, categories[spec["category"]])
        goods.update({good.sku: good for good in _variants(rows, data, spec, product)})
    for good in goods.values():
        _keep(rows, good, locations.values(), data["stock"].get(good.sku), random)
    return Goods(goods, {code: row["id"] for code, row in locations.items()})


def _category(rows: Rows, slug: str, spec: Mapping[str, Any]) -> int:
    row = rows.add(Category, slug=slug, names=spec["names"], return_kind=spec.get("kind", "ordinary"))
    return int(row["id"])


def _product(rows: Rows, data: Mapping[str, Any], spec: Mapping[str, Any], category_id: int) -> int:
    row = rows.add(
        Product,
        handle=spec["handle"],
        category_id=category_id,
        brand=spec["brand"],
        names=spec["names"],
        descriptions=spec["about"],
        attributes={"material": data["materials"][spec["material"]], "care": data["care"][spec["care"]]},
        images=[f"/static/products/{spec['handle']}.png"],
        is_final_sale=spec.get("final_sale", False),
    )
    return int(row["id"])


def _variants(rows: Rows, data: Mapping[str, Any], spec: Mapping[str, Any], product_id: int) -> Iterator[Good]:
    prefix = f"{data['categories'][spec['category']]['code']}-{spec['code']}"
    sizes: list[str | None] = spec.get("sizes") or [None]
    for color in spec["colors"]:
        skus = {size: "-".join(filter(None, (prefix, color[:3].upper(), size))) for size in sizes}
        euros = spec["eur"] + spec.get("extra", {}).get(color, 0)
        prices = {currency: _price(euros, **rule) for currency, rule in data["currencies"].items()}
        for size, sku in skus.items():
            options = {"color": color, **({"size": size} if size else {})}
            variant = rows.add(Variant, product_id=product_id, sku=sku, options=options)
            for currency, amount in prices.items():
                rows.add(Price, variant_id=variant["id"], currency=currency, amount_minor=amount)
            siblings = tuple(each for each in skus.values() if each != sku)
            yield Good(variant["id"], sku, prices, spec.get("final_sale", False), siblings)


def _price(euros: float, factor: float, step: int, less: int) -> int:
    return round(round(euros * 100) * factor / step) * step - less


def _keep(rows: Rows, good: Good, locations: Any, fixed: list[int] | None, random: Random) -> None:
    is_sold_out = random.random() < SOLD_OUT_SHARE
    for location in locations:
        drawn = random.choice((0, random.randint(1, MOST[location["kind"]]), random.randint(1, MOST[location["kind"]])))
        pieces = 0 if is_sold_out else drawn
        if fixed:
            pieces = fixed[location["kind"] == "store"]
        rows.add(StockLevel, variant_id=good.variant_id, location_id=location["id"], quantity=pieces)
