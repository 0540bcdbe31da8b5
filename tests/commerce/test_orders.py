"""Orders as their owner sees them, and as nobody else does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from commerce import orders
from tests.commerce.shop import NOW, Shop

TODAY = NOW.date()


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("10234", "10234"),
        ("10234 ", "10234"),
        ("#10-234", "10234"),
        ("nº 10 234", "10234"),
        ("n°10234.", "10234"),
        ("No. 10234", "10234"),
        ("1 0 2 3 4", "10234"),
        ("W10234", "W10234"),
        ("w-10234", "W10234"),
        ("2 camisas del pedido 10234", "10234"),
        ("10234, la azul", "10234"),
        ("10.234", "10234"),
        ("pedido 10.234.", "10234"),
    ],
)
def test_a_number_is_read_however_it_is_written(written: str, number: str) -> None:
    assert orders.normalize_number(written) == number


@pytest.mark.parametrize(
    "written", ["", "my last order", "2", "RMA-20017", "rma 20017", "1,234.50", "R$ 10.234", "10.234,50", "PQ10234ES"]
)
def test_what_is_no_order_number_gives_none(written: str) -> None:
    assert orders.normalize_number(written) is None


def test_two_numbers_in_a_row_are_not_joined() -> None:
    assert orders.normalize_number("10234 10235") == "10234"


def test_an_owner_finds_an_order_however_its_number_is_written(session: Session) -> None:
    shop = Shop(session)
    ana = shop.customer("Ana")
    order = shop.order(ana, number="10234")
    assert orders.find(session, "#10-234", ana.id) is order
    assert orders.find(session, "el pedido 10234", ana.id) is order


def test_digits_alone_find_a_lettered_number_only_when_one_order_has_them(session: Session) -> None:
    shop = Shop(session)
    ana = shop.customer("Ana")
    first = shop.order(ana, number="W10234")
    assert orders.find(session, "10234", ana.id) is first
    shop.order(ana, number="X10234")
    assert orders.find(session, "10234", ana.id) is None
    assert orders.find(session, "w10234", ana.id) is first


def test_a_strangers_order_is_as_unknown_as_one_that_does_not_exist(session: Session) -> None:
    shop = Shop(session)
    ana, eva = shop.customer("Ana"), shop.customer("Eva")
    shop.order(ana, number="10234")
    shop.order(None, number="10235", email="guest@example.com")
    assert orders.find(session, "10234", eva.id) is None
    assert orders.find(session, "10235", eva.id) is None
    assert orders.find(session, "99999", eva.id) is None
    assert orders.recent(session, eva.id) == []
    assert orders.matching(session, eva.id, handles=["oxford-shirt"]) == []


def test_a_parcels_number_finds_the_order_of_its_owner_alone(session: Session) -> None:
    shop = Shop(session)
    ana, emma = shop.customer("Ana"), shop.customer("Emma")
    order = shop.order(ana, number="10234", status="shipped")
    assert orders.find_by_tracking(session, "pq10234es", ana.id) is order
    assert orders.find_by_tracking(session, "PQ10234ES", emma.id) is None
    assert orders.find_by_tracking(session, "ZZ000000000ZZ", ana.id) is None


def test_recent_orders_come_newest_first_and_no_more_than_asked(session: Session) -> None:
    shop = Shop(session)
    ana = shop.customer("Ana")
    old, new, middle = (shop.order(ana, placed_days_ago=days) for days in (30, 1, 9))
    assert orders.recent(session, ana.id) == [new, middle, old]
    assert orders.recent(session, ana.id, limit=2) == [new, middle]


def test_lines_are_found_by_product_category_colour_and_size(session: Session) -> None:
    shop = Shop(session)
    ana = shop.customer("Ana")
    old = shop.order(ana, {"SHI-OXF-BLU-M": 1, "SHO-CIT-WHI-40": 1}, placed_days_ago=9)
    new = shop.order(ana, {"SHI-OXF-WHI-M": 1}, placed_days_ago=1)
    blue, shoe, white = *old.lines, *new.lines
    assert orders.matching(session, ana.id) == [white, blue, shoe]
    assert orders.matching(session, ana.id, handles=["oxford-shirt"]) == [white, blue]
    assert orders.matching(session, ana.id, category="shoes") == [shoe]
    assert orders.matching(session, ana.id, color="white") == [white, shoe]
    assert orders.matching(session, ana.id, color="blue", size="M") == [blue]
    assert orders.matching(session, ana.id, color="blue", size="S") == []
    assert orders.matching(session, ana.id, category="shirts", limit=1) == [white]


def test_a_title_is_in_the_shoppers_language_or_the_nearest(session: Session) -> None:
    shop = Shop(session)
    line = shop.order(shop.customer()).lines[0]
    assert orders.title(line, "en").name == "Oxford Shirt"
    assert orders.title(line, "es-MX").name == "Camisa Oxford"
    assert orders.title(line, "nb").name == "Camisa Oxford"
    assert orders.title(line, "es").options == {"size": "M", "color": "blue"}
    assert orders.name_in({}, "es") == ""


def test_totals_are_lines_and_shipping_without_the_discount(session: Session) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer(), {"SHI-OXF-BLU-M": 2}, shipping_minor=500, discount_minor=1000)
    assert orders.line_total(order.lines[0]) == 8000
    assert orders.order_total(order) == order.total_minor == 7500


@pytest.mark.parametrize("status", ["paid", "preparing", "shipped", "ready_for_pickup", "delivered", "cancelled"])
def test_progress_in_ordinary_states_is_the_orders_status(session: Session, status: str) -> None:
    shop = Shop(session)
    found = orders.progress(shop.order(shop.customer(), status=status), TODAY)
    assert (found.kind, found.status, found.days_late) == (status, status, 0)


def test_an_unpaid_order_awaits_payment_until_it_failed(session: Session) -> None:
    shop = Shop(session)
    ana = shop.customer()
    waiting = shop.order(ana, status="placed", promised_in_days=-3)
    failed = shop.order(ana, status="placed", payments=[("card", 4000, "failed")])
    again = shop.order(ana, status="placed", payments=[("card", 4000, "failed"), ("paypal", 4000, "pending")])
    kinds = [orders.progress(each, TODAY).kind for each in (waiting, failed, again)]
    assert kinds == ["awaiting_payment", "payment_failed", "awaiting_payment"]


@pytest.mark.parametrize("status", ["paid", "preparing", "shipped"])
def test_an_order_is_late_from_the_day_after_its_promise(session: Session, status: str) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer(), status=status, promised_in_days=-2)
    found = orders.progress(order, TODAY)
    assert (found.kind, found.days_late, found.promised_on) == ("late", 2, TODAY - timedelta(days=2))
    assert orders.progress(order, TODAY - timedelta(days=2)).kind == status


@pytest.mark.parametrize("shipment", ["lost", "delivery_failed", "returned_to_sender"])
def test_trouble_with_a_parcel_comes_before_lateness(session: Session, shipment: str) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer(), status="shipped", shipment_status=shipment, promised_in_days=-2)
    assert orders.progress(order, TODAY).kind == shipment


def test_a_late_parcel_that_comes_today_is_out_for_delivery(session: Session) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer(), status="shipped", shipment_status="out_for_delivery", promised_in_days=-2)
    found = orders.progress(order, TODAY)
    assert (found.kind, found.days_late) == ("out_for_delivery", 2)


def test_all_parcels_delivered_is_delivered_before_the_shop_says_so(session: Session) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer(), status="shipped", shipment_status="delivered", promised_in_days=-9)
    found = orders.progress(order, TODAY)
    assert (found.kind, found.days_late, found.delivered_at) == ("delivered", 0, NOW - timedelta(days=3))


def test_a_parcel_carries_carrier_promise_last_event_and_items(session: Session) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer(), {"SHI-OXF-BLU-M": 2}, status="shipped", number="10234")
    parcel = orders.progress(order, TODAY).parcels[0]
    assert (parcel.carrier, parcel.tracking_number, parcel.status) == ("Correos", "PQ10234ES", "in_transit")
    assert parcel.url == "https://tracking.example.com/PQ10234ES"
    assert (parcel.event_code, parcel.event_place) == ("arrived_at_hub", "Getafe")
    assert parcel.event_at == NOW - timedelta(hours=2)
    assert parcel.promised_on == TODAY + timedelta(days=5)
    assert [(each.sku, each.quantity) for each in parcel.items] == [("SHI-OXF-BLU-M", 2)]
    assert orders.title(parcel.items[0], "en").name == "Oxford Shirt"


def test_a_partial_shipment_tells_what_is_under_way_and_what_waits(session: Session) -> None:
    shop = Shop(session)
    items = {"SHI-OXF-BLU-M": 1, "SHO-CIT-WHI-40": 1}
    found = orders.progress(shop.order(shop.customer(), items, status="partially_shipped"), TODAY)
    assert found.kind == "partially_shipped"
    assert [each.sku for parcel in found.parcels for each in parcel.items] == ["SHI-OXF-BLU-M"]
    assert [each.sku for each in found.waiting] == ["SHO-CIT-WHI-40"]


def test_an_order_to_pick_up_names_the_store(session: Session) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer(), status="ready_for_pickup", delivery_method="pickup")
    found = orders.progress(order, TODAY)
    assert (found.kind, found.pickup.code if found.pickup else None) == ("ready_for_pickup", "madrid")
    assert found.parcels == ()
