"""What a SKU says: whoever writes "SHI-OXF-BLU-M" has said which product, in which colour and size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from commerce import catalog

SKU = "sku"
OPTIONS = ("color", "size")  # that are entities


def with_skus_told(session: Session, entities: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The entities, and after each SKU that the shop knows what it stands for, in the same place."""
    told: list[dict[str, Any]] = []
    for entity in entities:
        told.append(dict(entity))
        if entity["entity"] == SKU:
            place = {key: entity[key] for key in ("start", "end") if key in entity}
            told += [{"entity": kind, "value": value, **place} for kind, value in _said_by(session, str(entity["value"])).items()]
    return told


def _said_by(session: Session, sku: str) -> dict[str, str]:
    variant = catalog.find_by_sku(session, sku)
    if variant is None:
        return {}
    options = {name: str(variant.options[name]) for name in OPTIONS if variant.options.get(name)}
    return {"product": variant.product.handle, "category": variant.product.category.slug, **options}
