"""Whether this installation is the demo, and filling it where it is empty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timezone
from zoneinfo import ZoneInfo

from sqlalchemy import select

from commerce.demo import load_demo
from commerce.models import Product, ShopSetting
from database import transaction
from messaging.shop import time_zone

MARK = "demo"  # commerce.demo leaves it in shop_setting


def is_empty(url: str) -> bool:
    with transaction(url) as session:
        return session.execute(select(Product.id).limit(1)).first() is None


def demo_day(url: str) -> date | None:
    """The day from which the demo's dates count; None for a real shop, where no channel may trust its caller."""
    with transaction(url) as session:
        mark = session.get(ShopSetting, MARK)
        return None if mark is None else date.fromisoformat(mark.value["today"])


def fill(url: str, now: datetime) -> Mapping[str, int]:
    """Load the demo shop; rows by table. Its today is the shop's, else "the one from yesterday" would be another one at night;
    and never later than that of UTC, since nothing of today may be ahead of now."""
    today = min(now.astimezone(ZoneInfo(time_zone())).date(), now.astimezone(timezone.utc).date())
    with transaction(url) as session:
        return load_demo(session, today, now).counts
