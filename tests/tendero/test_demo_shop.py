"""The demo goes into an empty shop only, and is known as what it is."""

from __future__ import annotations

from datetime import date, datetime, timezone

from commerce.models import Category, Product
from database import transaction
from tendero import demo_shop


def test_empty_shop_is_filled_and_known_as_the_demo(database_url: str, now: datetime) -> None:
    assert demo_shop.is_empty(database_url)
    assert demo_shop.fill(database_url, now)["customer"] >= 500
    assert not demo_shop.is_empty(database_url)
    assert demo_shop.demo_day(database_url) == date(2026, 11, 18)


def test_real_shop_is_no_demo(database_url: str) -> None:
    with transaction(database_url) as session:
        category = Category(slug="shirts", names={"en": "Shirts"})
        session.add(category)
        session.flush()
        session.add(Product(handle="oxford", names={"en": "Oxford"}, category_id=category.id))
    assert not demo_shop.is_empty(database_url)
    assert demo_shop.demo_day(database_url) is None


def test_at_night_the_demo_is_of_the_day_that_it_still_is_in_the_shop(database_url: str) -> None:
    past_midnight_in_utc = datetime(2026, 11, 18, 0, 20, tzinfo=timezone.utc)
    demo_shop.fill(database_url, past_midnight_in_utc)
    assert demo_shop.demo_day(database_url) == date(2026, 11, 17)
