"""A basket from elsewhere gets the shop's prices and stock, and nothing of its own."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.orm import Session

from commerce.carts import price_cart
from commerce.models import Variant


def test_line_has_the_shops_price_and_what_is_in_stock(demo: Session) -> None:
    (line,) = price_cart(demo, [("ACC-WAT-SIL", 2)], "EUR")
    assert (line.price_minor, line.can_be_had, line.total_minor) == (8995, 2, 17990)


def test_more_than_there_is_costs_what_there_is(demo: Session) -> None:
    (line,) = price_cart(demo, [("ACC-WAT-SIL", 500)], "EUR")
    assert line.can_be_had == line.in_stock < 500
    assert line.total_minor == line.in_stock * line.price_minor


def test_sku_that_is_named_twice_is_one_line(demo: Session) -> None:
    lines = price_cart(demo, [("ACC-WAT-SIL", 1), ("NO-SUCH", 1), ("ACC-WAT-SIL", 2)], "EUR")
    assert [(line.sku, line.quantity) for line in lines] == [("ACC-WAT-SIL", 3), ("NO-SUCH", 1)]


def test_unknown_withdrawn_and_not_sold_here_cost_nothing(demo: Session) -> None:
    demo.execute(update(Variant).where(Variant.sku == "ACC-EAR-SIL").values(is_active=False))
    lines = price_cart(demo, [("NO-SUCH", 1), ("ACC-EAR-SIL", 1)], "EUR") + price_cart(demo, [("ACC-WAT-SIL", 1)], "JPY")
    assert [(line.variant, line.total_minor) for line in lines] == [(None, 0)] * 3


def test_sold_out_is_known_and_cannot_be_had(demo: Session) -> None:
    (line,) = price_cart(demo, [("SHI-OXF-BLU-S", 1)], "EUR")
    assert line.variant is not None
    assert (line.can_be_had, line.total_minor) == (0, 0)
