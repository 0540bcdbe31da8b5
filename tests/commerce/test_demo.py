"""The demo shop: the same every time, consistent in itself, and with the people whom conversation tests count on."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commerce import catalog, loyalty, orders, refunds
from commerce.demo import ShopNotEmpty, load_demo
from commerce.demo.guide import GuideError, guide, languages
from commerce.demo.load import POLICIES, demo_rows
from commerce.demo.personas import PERSONAS, RESERVED, scripted_orders
from commerce.demo.rows import Rows
from commerce.models import (
    Cancellation,
    Category,
    Claim,
    Customer,
    CustomerAddress,
    Fulfilment,
    LedgerEntry,
    Order,
    Payment,
    Product,
    Refund,
    ReturnAuthorization,
    Shipment,
    ShipmentEvent,
    Variant,
    Voucher,
)
from commerce.policies import Policies, load_policies
from database import transaction
from tests.commerce.demo_shop import NOW, TODAY


@lru_cache(maxsize=1)
def policies() -> Policies:
    return load_policies(POLICIES)


@lru_cache(maxsize=2)
def rows_on(today: date) -> Rows:
    return demo_rows(today, policies())


def all_of(session: Session, column: Any) -> list[Any]:
    return list(session.execute(select(column)).scalars())


def order(session: Session, number: str | int) -> Order:
    return session.execute(select(Order).where(Order.number == str(number))).scalar_one()


def customer(session: Session, name: str) -> Customer:
    return session.execute(select(Customer).where(Customer.email == f"{name}@example.com")).scalar_one()


# The same every time


def test_two_loads_of_a_day_are_equal() -> None:
    assert demo_rows(TODAY, policies()).by_table == rows_on(TODAY).by_table


def test_next_day_has_the_same_orders_a_day_later() -> None:
    today, tomorrow = rows_on(TODAY).by_table, rows_on(TODAY + timedelta(days=1)).by_table
    for before, after in zip(today["orders"], tomorrow["orders"], strict=True):
        assert before["number"] == after["number"]
        assert before["total_minor"] == after["total_minor"]
        assert after["placed_at"] - before["placed_at"] == timedelta(days=1)


@pytest.mark.parametrize("today", [date(2028, 2, 29), date(2026, 1, 1), date(2026, 12, 31), date(2027, 3, 1)])
def test_every_day_of_the_calendar_will_do(today: date) -> None:
    assert len(demo_rows(today, policies()).by_table["orders"]) == 2000


def test_second_load_does_nothing(demo_url: str) -> None:
    with transaction(demo_url) as session:
        before = session.execute(select(func.count(Order.id))).scalar_one()
        report = load_demo(session, TODAY + timedelta(days=3), NOW)
        assert report.was_loaded
        assert report.counts["orders"] == 2000
        assert session.execute(select(func.count(Order.id))).scalar_one() == before


def test_real_shop_is_left_alone(session: Session) -> None:
    session.add(Product(handle="x", names={"en": "X"}, category=Category(slug="c", names={})))
    session.flush()
    with pytest.raises(ShopNotEmpty):
        load_demo(session, TODAY, NOW)


def test_nothing_happened_in_the_future(demo: Session) -> None:
    midnight = NOW.replace(hour=0)
    past = (
        Order.placed_at,
        Shipment.shipped_at,
        Shipment.delivered_at,
        ShipmentEvent.occurred_at,
        LedgerEntry.occurred_at,
        Refund.created_at,
        Refund.settled_at,
        ReturnAuthorization.authorized_at,
        Claim.opened_at,
        Cancellation.cancelled_at,
        Customer.created_at,
        Voucher.issued_at,
    )
    for column in past:
        assert demo.execute(select(func.max(column))).scalar_one() <= midnight, column


# Counts and states


def test_counts_are_those_of_the_plan(demo: Session) -> None:
    counts = {model: demo.execute(select(func.count(model.id))).scalar_one() for model in (Category, Variant, Customer, Order)}
    assert counts == {Category: 8, Variant: 300, Customer: 500, Order: 2000}
    assert set(all_of(demo, Customer.country)) == {"MX", "ES", "US", "BR", "NO"}
    assert len(all_of(demo, CustomerAddress.id)) == 500


STATES = {
    Order.status: "placed paid preparing partially_shipped shipped ready_for_pickup delivered cancelled",
    Payment.status: "pending authorized captured failed refunded partially_refunded",
    Payment.method: "card paypal bank_transfer gift_card store_credit oxxo pix cash",
    Fulfilment.status: "pending preparing shipped ready_for_pickup delivered cancelled",
    Shipment.status: "label_created in_transit out_for_delivery delivered delivery_failed lost returned_to_sender",
    ShipmentEvent.code: "picked_up arrived_at_hub customs out_for_delivery delivery_failed delivered lost",
    ReturnAuthorization.status: "authorized in_transit received inspected completed rejected expired cancelled",
    ReturnAuthorization.kind: "return exchange",
    Refund.status: "waiting_for_goods approved sent settled failed",
    Refund.reason: "cancellation return claim goodwill",
    Refund.destination: "original store_credit gift_card",
    Claim.status: "open replacing refunding waiting_for_carrier with_agent closed",
    Claim.problem: "wrong_item damaged missing_item not_received",
    Claim.resolution: "replacement refund carrier_search agent",
    Cancellation.cancelled_by: "customer shop",
    LedgerEntry.kind: "earn redeem expire adjust",
    Voucher.status: "active used expired revoked",
}


@pytest.mark.parametrize("column", STATES, ids=str)
def test_every_state_occurs(demo: Session, column: Any) -> None:
    assert set(all_of(demo, column)) == set(STATES[column].split())


def test_products_are_named_in_every_language_and_drawn(demo: Session) -> None:
    pictures = Path(__file__).parents[2] / "web" / "products"
    for product in all_of(demo, Product):
        assert {"es", "en", "pt", "nb"} <= product.names.keys() & product.descriptions.keys()
        assert (pictures / Path(product.images[0]).name).is_file(), product.images


def test_every_variant_is_sold_in_every_currency(demo: Session) -> None:
    for variant in all_of(demo, Variant):
        assert {price.currency for price in variant.prices} == {"MXN", "EUR", "USD", "BRL", "NOK"}
        assert len(variant.stock_levels) == 4


def test_contacts_are_fictional_and_well_formed(demo: Session) -> None:
    for person in all_of(demo, Customer):
        assert person.email.split("@")[1] in ("example.com", "example.org")
        assert person.email == person.email.lower()
        assert person.email.isascii()
        assert phonenumbers.is_possible_number(phonenumbers.parse(person.phone)), person.phone


# Consistency


def test_total_is_lines_and_shipping_less_discount(demo: Session) -> None:
    for each in all_of(demo, Order):
        assert each.total_minor == orders.order_total(each), each.number


def test_payments_add_up_to_the_total(demo: Session) -> None:
    for each in all_of(demo, Order):
        assert sum(payment.amount_minor for payment in each.payments) == each.total_minor, each.number


def test_every_piece_is_in_one_fulfilment(demo: Session) -> None:
    for each in all_of(demo, Order):
        packed = Counter({part.order_line_id: part.quantity for fulfilment in each.fulfilments for part in fulfilment.lines})
        assert packed == Counter({line.id: line.quantity for line in each.lines}), each.number


def test_refunds_never_exceed_what_was_paid(demo: Session) -> None:
    back: Counter[int] = Counter()
    for refund in all_of(demo, Refund):
        back[refund.order_id] += refund.amount_minor * (refund.status != "failed")
    for order_id, amount in back.items():
        assert amount <= refunds.paid_minor(demo.get(Order, order_id)), order_id


def test_refund_to_the_original_method_names_its_payment_and_cash_gets_none(demo: Session) -> None:
    originals = [refund for refund in all_of(demo, Refund) if refund.destination == "original"]
    assert all(refund.payment is not None for refund in originals)
    assert not {"cash", "oxxo"} & {refund.payment.method for refund in originals}


def test_parcels_events_are_in_the_order_of_time(demo: Session) -> None:
    for shipment in all_of(demo, Shipment):
        codes = [event.code for event in shipment.events]
        assert (shipment.delivered_at is not None) == (shipment.status == "delivered")
        assert ("delivered" in codes) == (shipment.status == "delivered")
        if shipment.events:
            assert codes[0] == "picked_up"
            assert shipment.fulfilment.order.placed_at < shipment.events[0].occurred_at


def test_customers_joined_before_they_ordered(demo: Session) -> None:
    for each in all_of(demo, Order):
        assert each.customer is None or each.customer.created_at <= each.placed_at


def test_returns_and_claims_are_of_delivered_or_lost_orders(demo: Session) -> None:
    for back in all_of(demo, ReturnAuthorization):
        delivered = orders.progress(back.order, TODAY).delivered_at
        assert delivered is not None
        assert delivered < back.authorized_at, back.rma_number
    assert {claim.order.status for claim in all_of(demo, Claim)} == {"delivered", "shipped"}


def test_cancelled_orders_have_a_cancellation_and_a_known_reason(demo: Session) -> None:
    facts = {fact.name: fact for fact in policies().table("cancellation", TODAY).facts}
    for each in all_of(demo, Order):
        assert (each.cancellation is not None) == (each.status == "cancelled")
    assert set(all_of(demo, Cancellation.reason)) <= set(facts["cancellation_reason"].values)


def test_rules_that_the_past_names_are_in_the_policies(demo: Session) -> None:
    known = {rule.id for _, rule in policies().rules()}
    assert set(all_of(demo, ReturnAuthorization.policy_rule)) | set(all_of(demo, Claim.policy_rule)) <= known


# Points


def test_no_lot_was_ever_below_zero(demo: Session) -> None:
    entries = demo.execute(select(LedgerEntry).order_by(LedgerEntry.occurred_at, LedgerEntry.id)).scalars().all()
    left: dict[int, int] = {entry.id: 0 for entry in entries if entry.lot_id is None}
    for entry in entries:
        left[entry.lot_id or entry.id] += entry.points
        assert left[entry.lot_id or entry.id] >= 0, entry.key
        if entry.kind == "expire":
            assert left[entry.lot_id] == 0, entry.key


def test_lot_and_what_was_taken_from_it_are_one_customers(demo: Session) -> None:
    for entry in all_of(demo, LedgerEntry):
        assert (entry.lot_id is None) == (entry.points > 0)
        assert entry.lot is None or entry.lot.customer_id == entry.customer_id


def test_no_expiry_is_left_to_write(demo: Session) -> None:
    assert loyalty.expire_due(demo, NOW.replace(hour=0)) == 0


def test_orders_earned_what_the_policy_gives(demo: Session) -> None:
    percents = {policies().number("earning", "percent", TODAY, tier=tier) for tier in ("standard", "silver", "gold")}
    earned = [entry for entry in all_of(demo, LedgerEntry) if entry.kind == "earn" and entry.order_id]
    assert len(earned) > 1000
    for entry in earned:
        goods = entry.order.total_minor - entry.order.shipping_minor
        price = policies().number("earning", "minor_per_point", TODAY, currency=entry.order.currency)
        assert entry.points in {goods * percent // (price * 100) for percent in percents}, entry.key
        assert entry.order.status == "delivered"


def test_only_the_scripted_orders_miss_their_points(demo: Session) -> None:
    earned = {entry.order_id for entry in all_of(demo, LedgerEntry) if entry.kind == "earn"}
    delivered = select(Order).where(Order.status == "delivered", Order.customer_id.is_not(None))
    missing = [each.number for each in demo.execute(delivered).scalars() if each.id not in earned]
    assert sorted(missing) == ["10210", "10240"]


def test_every_tier_occurs_among_the_made_up(demo: Session) -> None:
    people = [each for each in all_of(demo, Customer) if each.id > len(PERSONAS)]
    tiers = Counter(loyalty.tier(demo, each.id, NOW, policies()) for each in people)
    assert {"standard", "silver"} <= set(tiers)
    assert len(tiers) >= 2


# The personas


@pytest.mark.parametrize(
    ("name", "tier", "balance"),
    [
        ("ana", "silver", 2400),
        ("emma", "gold", 4000),
        ("carlos", "standard", 150),
        ("liam", "standard", 250),
        ("joao", "standard", 320),
        ("ingrid", "gold", 3500),
    ],
)
def test_persona_has_the_scripted_level_and_points(demo: Session, name: str, tier: str, balance: int) -> None:
    standing = loyalty.standing(demo, customer(demo, name).id, NOW, policies())
    assert (standing.tier, standing.balance) == (tier, balance)


@pytest.mark.parametrize("name", ["ana", "emma"])
def test_three_hundred_points_expire_in_ten_days(demo: Session, name: str) -> None:
    expiry = loyalty.standing(demo, customer(demo, name).id, NOW, policies()).next_expiry
    assert expiry is not None
    assert (expiry.points, expiry.date) == (300, TODAY + timedelta(days=10))


def test_goodwill_was_given_to_liam_lately(demo: Session) -> None:
    given = [entry for entry in loyalty.explain(demo, customer(demo, "liam").id, 50) if entry.reason == "goodwill"]
    assert [(entry.points, (TODAY - entry.occurred_at.date()).days) for entry in given] == [(100, 4)]


@pytest.mark.parametrize("number", [order.number for order in scripted_orders()])
def test_scripted_number_is_reserved_and_its_owners(demo: Session, number: int) -> None:
    owners = {each.number: persona.email for persona in PERSONAS for each in persona.orders}
    assert number in RESERVED
    found = order(demo, number)
    assert (found.customer.email if found.customer else None) == owners.get(number)


def test_no_other_order_has_a_reserved_number(demo: Session) -> None:
    reserved = {int(number) for number in all_of(demo, Order.number)} & set(RESERVED)
    assert reserved == {each.number for each in scripted_orders()}


@pytest.mark.parametrize(
    ("numbers", "kind", "days_late"),
    [
        ((10201, 10231), "delivered", 0),
        ((10202, 10232), "shipped", 0),
        ((10203, 10233), "paid", 0),
        ((10204, 10234), "preparing", 0),
        ((10205, 10235), "delivered", 0),
        ((10206, 10236), "delivered", 0),
        ((10207, 10237), "delivered", 0),
        ((10208, 10238), "cancelled", 0),
        ((10209, 10239), "delivered", 0),
        ((10210, 10240), "delivered", 0),
        ((10251, 10271), "late", 4),
        ((10252, 10272), "partially_shipped", 0),
        ((10253, 10273), "late", 15),
        ((10254, 10274), "delivered", 0),
        ((10255, 10275), "ready_for_pickup", 0),
        ((10256, 10276), "paid", 0),
        ((10257, 10277), "delivered", 0),
        ((10258, 10278), "awaiting_payment", 0),
        ((10259, 10279), "payment_failed", 0),
        ((10291, 10311), "delivered", 0),
        ((10292, 10312), "shipped", 0),
        ((10293, 10313), "paid", 0),
        ((10331, 10332), "delivered", 0),
    ],
)
def test_scripted_order_is_in_its_state(demo: Session, numbers: tuple[int, int], kind: str, days_late: int) -> None:
    for number in numbers:
        progress = orders.progress(order(demo, number), TODAY)
        assert (progress.kind, progress.days_late) == (kind, days_late), number


@pytest.mark.parametrize(
    ("number", "days"),
    [(10201, 5), (10205, 70), (10206, 3), (10209, 20), (10210, 12), (10254, 3), (10257, 2), (10331, 10), (10332, 40)],
)
def test_scripted_order_was_delivered_so_many_days_ago(demo: Session, number: int, days: int) -> None:
    delivered = orders.progress(order(demo, number), TODAY).delivered_at
    assert delivered is not None
    assert delivered.date() == TODAY - timedelta(days=days)


@pytest.mark.parametrize(("number", "currency"), [(10201, "MXN"), (10231, "USD")])
def test_shirt_has_a_larger_size_at_its_price_and_no_smaller_one(demo: Session, number: int, currency: str) -> None:
    shirt, trousers = order(demo, number).lines
    assert (shirt.sku, trousers.sku) == ("SHI-OXF-BLU-M", "TRO-CHI-BEI-M")
    larger, smaller = (catalog.find_by_sku(demo, f"SHI-OXF-BLU-{size}") for size in ("L", "S"))
    assert larger is not None
    assert smaller is not None
    assert catalog.price(demo, larger.id, currency) == shirt.unit_price_minor
    assert catalog.available(demo, larger.id) > 0
    assert catalog.available(demo, smaller.id) == 0


@pytest.mark.parametrize("number", [10203, 10233])
def test_dress_has_other_sizes_and_a_dearer_colour(demo: Session, number: int) -> None:
    [dress] = order(demo, number).lines
    others = catalog.variants(demo, dress.variant.product_id, order(demo, number).currency)
    by_sku = {each.variant.sku: each for each in others}
    assert by_sku["DRE-SUM-GRE-S"].stock > 0
    assert by_sku["DRE-SUM-GRE-L"].stock > 0
    assert by_sku["DRE-SUM-WHI-M"].stock > 0
    assert by_sku["DRE-SUM-WHI-M"].price_minor > dress.unit_price_minor


@pytest.mark.parametrize("number", [10206, 10236])
def test_order_has_something_of_every_return_kind(demo: Session, number: int) -> None:
    kinds = [(line.variant.product.category.return_kind, line.is_final_sale) for line in order(demo, number).lines]
    assert kinds == [("hygiene", False), ("ordinary", True), ("ordinary", False)]


@pytest.mark.parametrize("number", [10207, 10237])
def test_sweater_is_back_and_its_refund_is_sent(demo: Session, number: int) -> None:
    [refund] = refunds.refunds_of(demo, order(demo, number).id)
    assert (refund.status, refund.destination, refund.payment.method) == ("sent", "original", "card")
    assert refund.authorization.status == "inspected"
    assert refund.due_from > TODAY


@pytest.mark.parametrize("number", [10208, 10238])
def test_cancelled_order_has_its_money_back(demo: Session, number: int) -> None:
    found = order(demo, number)
    [refund] = refunds.refunds_of(demo, found.id)
    assert (refund.status, refund.amount_minor, found.payments[0].status) == ("settled", found.total_minor, "refunded")
    assert found.cancellation.cancelled_at.date() == TODAY - timedelta(days=7)


def test_partial_order_has_one_parcel_and_one_piece_waiting(demo: Session) -> None:
    for number in (10252, 10272):
        progress = orders.progress(order(demo, number), TODAY)
        assert [parcel.status for parcel in progress.parcels] == ["delivered"]
        assert [item.sku for item in progress.waiting] == ["TRO-CHI-NAV-L"]


def test_lost_parcel_was_last_seen_over_fifteen_days_ago(demo: Session) -> None:
    for number in (10253, 10273):
        [parcel] = orders.progress(order(demo, number), TODAY).parcels
        assert parcel.status == "in_transit"
        assert parcel.event_at is not None
        assert (TODAY - parcel.event_at.date()).days > 15


def test_pick_up_waits_in_madrid(demo: Session) -> None:
    for number in (10255, 10275):
        pickup = orders.progress(order(demo, number), TODAY).pickup
        assert pickup is not None
        assert pickup.code == "madrid"


@pytest.mark.parametrize(("name", "numbers"), [("ana", ["10202", "10210"]), ("emma", ["10232", "10240"])])
def test_the_shoes_are_in_two_orders(demo: Session, name: str, numbers: list[str]) -> None:
    lines = orders.matching(demo, customer(demo, name).id, category="shoes")
    assert [line.order.number for line in lines] == numbers


def test_missing_points_may_be_credited_without_a_person(demo: Session) -> None:
    for name, number in (("ana", "10210"), ("emma", "10240")):
        points = loyalty.points_of(demo, order(demo, number), NOW, policies())
        tier = loyalty.tier(demo, customer(demo, name).id, NOW, policies())
        assert 0 < points <= policies().number("goodwill_credit", "goodwill_limit", TODAY, tier=tier)


def test_gift_orders_are_marked(demo: Session) -> None:
    assert [order(demo, number).is_gift for number in (10209, 10239, 10201)] == [True, True, False]


# The guide


def test_guide_has_a_dozen_things_to_try_in_every_language() -> None:
    assert {"es", "en", "pt", "nb"} == set(languages())
    for language in languages():
        assert len(guide(language).tries) >= 12


def test_guide_names_only_orders_of_the_one_who_asks() -> None:
    for language in languages():
        for each in guide(language).tries:
            numbers = {order.number for order in each.persona.orders} if each.persona else set()
            said = {int(word) for word in each.say.replace("?", " ").replace(",", " ").split() if word.isdigit()}
            assert {number for number in said if number in RESERVED} <= numbers, each.say


def test_guide_that_names_a_stranger_is_refused(tmp_path: Path) -> None:
    text = "heading: h\nbefore: b\npeople: {bob: x}\ntry: [{as: bob, say: hi, shows: x}]\n"
    (tmp_path / "xx.yml").write_text(text, encoding="utf-8")
    with pytest.raises(GuideError, match="bob"):
        guide("xx", tmp_path)
