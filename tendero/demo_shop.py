"""Whether this installation is the demo, and filling it where it is empty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select

from commerce.demo import load_demo
from commerce.models import Product, ShopSetting
from database import transaction

MARK = "demo"  # commerce.demo leaves it in shop_setting


def is_empty(url: str) -> bool:
    with transaction(url) as session:
        return session.execute(select(Product.id).limit(1)).first() is None


def is_demo(url: str) -> bool:
    """Whether what is in there was made up: only then may channels that trust their caller be open."""
    with transaction(url) as session:
        return session.get(ShopSetting, MARK) is not None


def fill(url: str, now: datetime) -> Mapping[str, int]:
    """Load the demo shop; rows by table."""
    with transaction(url) as session:
        return load_demo(session, now.date(), now).counts
