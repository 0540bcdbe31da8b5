"""Another variant, address or way to pay: before packing, by the owner, on a summary, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commerce import loyalty, orders, payments
from commerce.models import CustomerAddress, LedgerEntry, Order, Payment, Price, Refund, StockLevel
from commerce.order_changes import (
    ChangeAddress,
    ChangePayment,
    ChangeVariant,
    addresses,
    choices_for_variant_change,
    methods_to_change_to,
)
from commerce.policies import Policies, load_policies
from commerce.proposals import Done, Offer, Operation, Refusal, Stale, confirm, propose
from tests.commerce.shop import ADDRESS, NOW, POLICIES, Shop

CHAT = "web:ana"
PAY = "https://pay.example.com/"
NEW_ADDRESS = {"line1": "Calle Luna 7", "city": "Sevilla", "postcode": "41001"}
LATE = [  # order status, verdict: the same in the three tables
    ("preparing", "being_prepared", "needs_human"),
    ("partially_shipped", "already_shipped", "deny"),
    ("shipped", "already_shipped", "deny"),
    ("ready_for_pickup", "already_shipped", "deny"),
    ("delivered", "already_delivered", "deny"),
    ("cancelled", "already_cancelled", "deny"),
]


@pytest.fixture(scope="module")
def policies() -> Policies:
    return load_policies(POLICIES)


@pytest.fixture
def shop(session: Session) -> Shop:
    return Shop(session)


@pytest.fixture
def change_variant(policies: Policies) -> ChangeVariant:
    return ChangeVariant(policies, PAY)


@pytest.fixture
def change_address(policies: Policies) -> ChangeAddress:
    return ChangeAddress(policies)


@pytest.fixture
def change_payment(policies: Policies) -> ChangePayment:
    return ChangePayment(policies, PAY)


def ask(shop: Shop, operation: Operation, order: Order, customer_id: int | None = None, **parameters: Any) -> Any:
    who = order.customer_id if customer_id is None else customer_id
    return propose(shop.session, operation, who, CHAT, {"order_number": order.number, **parameters}, NOW)


def done(shop: Shop, operation: Operation, order: Order, **parameters: Any) -> dict[str, Any]:
    offer = ask(shop, operation, order, **parameters)
    assert isinstance(offer, Offer), offer
    outcome = confirm(shop.session, operation, offer.proposal_id, order.customer_id, CHAT, NOW)
    assert isinstance(outcome, Done), outcome
    shop.session.expire_all()
    return dict(outcome.result)


def to(shop: Shop, sku: str) -> dict[str, int]:
    return {"to_variant_id": shop.variant(sku).id}


def state(shop: Shop, order: Order) -> tuple[Any, ...]:
    """What no refused request may change."""
    shop.session.flush()
    shop.session.expire_all()
    lines = [(each.sku, each.quantity, each.unit_price_minor) for each in order.lines]
    paid = [(each.method, each.amount_minor, each.status) for each in order.payments]
    money = shop.session.execute(select(func.count()).select_from(Refund)).scalar_one()
    pieces = shop.session.execute(select(func.sum(StockLevel.quantity))).scalar_one()
    return order.version, order.status, dict(order.shipping_address), lines, paid, money, pieces


# Variants


def test_another_size_at_the_same_price_moves_stock_and_nothing_else(shop: Shop, change_variant: ChangeVariant) -> None:
    order = shop.order(shop.customer(), {"SHI-OXF-BLU-M": 2})
    result = done(shop, change_variant, order, **to(shop, "SHI-OXF-BLU-S"))
    line = order.lines[0]
    assert (line.sku, line.variant.sku, line.quantity, line.unit_price_minor) == (
        "SHI-OXF-BLU-S",
        "SHI-OXF-BLU-S",
        2,
        4000,
    )
    assert (shop.stock("SHI-OXF-BLU-M"), shop.stock("SHI-OXF-BLU-S")) == (7, 3)
    assert (result["difference_minor"], result["refunds"], result["payment_link"]) == (0, [], None)
    assert (order.total_minor, order.version, order.items_changed_at, len(order.payments)) == (8000, 2, NOW, 1)


def test_the_summary_shows_both_variants_and_the_difference(shop: Shop, change_variant: ChangeVariant) -> None:
    order = shop.order(shop.customer(), number="10234")
    before = state(shop, order)
    offer = ask(shop, change_variant, order, line_id=order.lines[0].id, **to(shop, "SHI-OXF-WHI-M"))
    names, line_id = {"es": "Camisa Oxford", "en": "Oxford Shirt"}, order.lines[0].id
    common = {"line_id": line_id, "names": names, "quantity": 1}
    blue = {"sku": "SHI-OXF-BLU-M", "options": {"size": "M", "color": "blue"}, "total_minor": 4000}
    white = {"sku": "SHI-OXF-WHI-M", "options": {"size": "M", "color": "white"}, "total_minor": 4500}
    assert offer.summary == {
        "order_number": "10234",
        "from": {**common, **blue},
        "to": {**common, **white},
        "difference_minor": 500,
        "total_minor": 4500,
        "currency": "EUR",
        "refunds": [],
    }
    assert state(shop, order) == before


def test_a_dearer_variant_is_paid_on_the_payment_page(shop: Shop, change_variant: ChangeVariant) -> None:
    order = shop.order(shop.customer(), {"SHI-OXF-BLU-M": 2}, number="10234")
    result = done(shop, change_variant, order, **to(shop, "SHI-OXF-WHI-M"))
    asked = order.payments[-1]
    assert (asked.method, asked.label, asked.amount_minor, asked.status) == ("card", "Visa ···· 4242", 1000, "pending")
    assert result["payment_link"].startswith("https://pay.example.com/10234/")
    assert (order.total_minor, orders.order_total(order)) == (9000, 9000)


def test_a_cheaper_variant_is_refunded_as_it_was_paid(shop: Shop, change_variant: ChangeVariant) -> None:
    order = shop.order(shop.customer())
    result = done(shop, change_variant, order, **to(shop, "SHI-OXF-RED-M"))
    refund = shop.session.execute(select(Refund)).scalar_one()
    assert (refund.amount_minor, refund.reason, refund.status) == (1000, "price_difference", "approved")
    told = result["refunds"][0]
    assert (told["method"], told["amount_minor"], told["due_by"]) == ("card", 1000, "2026-11-27")
    assert order.total_minor == orders.order_total(order) == 3000


def test_a_cheaper_variant_takes_back_its_share_of_the_points(shop: Shop, change_variant: ChangeVariant) -> None:
    order = shop.order(shop.customer())
    earned = LedgerEntry(customer_id=order.customer_id, kind="earn", points=40, order_id=order.id, reason="purchase")
    earned.occurred_at, earned.expires_at, earned.key = NOW, NOW + timedelta(days=300), "earn:1"
    shop.session.add(earned)
    done(shop, change_variant, order, **to(shop, "SHI-OXF-RED-M"))
    assert loyalty.balance(shop.session, order.customer_id, NOW) == 30


def test_an_order_not_paid_yet_only_costs_more_or_less(shop: Shop, change_variant: ChangeVariant) -> None:
    ana = shop.customer()
    dearer, cheaper = (shop.order(ana, status="placed", method="oxxo") for _ in range(2))
    done(shop, change_variant, dearer, **to(shop, "SHI-OXF-WHI-M"))
    result = done(shop, change_variant, cheaper, **to(shop, "SHI-OXF-RED-M"))
    paid = [[(each.amount_minor, each.status) for each in order.payments] for order in (dearer, cheaper)]
    assert paid == [[(4500, "pending")], [(3000, "pending")]]
    assert result["refunds"] == []
    assert shop.session.execute(select(Refund)).first() is None


def test_a_difference_counts_from_todays_prices_and_keeps_the_discount(shop: Shop, change_variant: ChangeVariant) -> None:
    order = shop.order(shop.customer())
    order.lines[0].unit_price_minor = 3600  # sold with 400 off
    order.total_minor = 3600
    for sku in ("SHI-OXF-BLU-M", "SHI-OXF-BLU-S"):  # and dearer by 700 since
        price = next(each for each in shop.variant(sku).prices if each.currency == "EUR")
        price.amount_minor = 4700
    result = done(shop, change_variant, order, **to(shop, "SHI-OXF-BLU-S"))
    assert (result["difference_minor"], order.lines[0].unit_price_minor, order.total_minor) == (0, 3600, 3600)


def test_another_quantity_is_charged_and_taken_from_stock(shop: Shop, change_variant: ChangeVariant) -> None:
    order = shop.order(shop.customer())
    result = done(shop, change_variant, order, **to(shop, "SHI-OXF-BLU-M"), quantity=3)
    assert (result["difference_minor"], order.lines[0].quantity, shop.stock("SHI-OXF-BLU-M")) == (8000, 3, 3)
    assert order.fulfilments[0].lines[0].quantity == 3


def test_more_pieces_may_use_the_last_ones_in_stock(shop: Shop, change_variant: ChangeVariant) -> None:
    order = shop.order(shop.customer())
    shop.set_stock("SHI-OXF-BLU-M", 2)
    done(shop, change_variant, order, **to(shop, "SHI-OXF-BLU-M"), quantity=3)
    assert shop.stock("SHI-OXF-BLU-M") == 0


def test_pieces_from_another_place_are_packed_there(shop: Shop, change_variant: ChangeVariant) -> None:
    order = shop.order(shop.customer())
    level = next(each for each in shop.variant("SHI-OXF-BLU-L").stock_levels if each.location_id == shop.store.id)
    level.quantity = 1
    shop.session.flush()
    done(shop, change_variant, order, **to(shop, "SHI-OXF-BLU-L"))
    packed = [(each.location.code, each.status, len(each.lines)) for each in order.fulfilments]
    assert packed == [("madrid-warehouse", "cancelled", 0), ("madrid", "pending", 1)]
    assert (shop.stock("SHI-OXF-BLU-L"), shop.stock("SHI-OXF-BLU-M")) == (0, 6)


def test_items_are_changed_once_an_order(shop: Shop, change_variant: ChangeVariant) -> None:
    order = shop.order(shop.customer())
    done(shop, change_variant, order, **to(shop, "SHI-OXF-BLU-S"))
    before = state(shop, order)
    refusal = ask(shop, change_variant, order, **to(shop, "SHI-OXF-BLU-M"))
    assert (refusal.rule, refusal.verdict, refusal.nearest) == ("changed_before", "deny", "cancel")
    assert state(shop, order) == before


def test_a_second_yes_changes_nothing_more(shop: Shop, change_variant: ChangeVariant) -> None:
    order = shop.order(shop.customer())
    offer = ask(shop, change_variant, order, **to(shop, "SHI-OXF-RED-M"))
    first, again = (confirm(shop.session, change_variant, offer.proposal_id, order.customer_id, CHAT, NOW) for _ in range(2))
    assert isinstance(first, Done)
    assert again == Done(first.proposal_id, first.kind, first.result, repeated=True)
    assert (order.version, order.total_minor, shop.stock("SHI-OXF-RED-M")) == (2, 3000, 4)


def test_another_product_is_refused(shop: Shop, change_variant: ChangeVariant) -> None:
    order = shop.order(shop.customer())
    refusal = ask(shop, change_variant, order, **to(shop, "SHO-CIT-WHI-40"))
    assert (refusal.rule, refusal.nearest) == ("other_product", "new_order")
    assert refusal.values["to"]["sku"] == "SHO-CIT-WHI-40"


def test_a_sold_out_variant_is_refused_with_other_variants_as_the_nearest(shop: Shop, change_variant: ChangeVariant) -> None:
    order = shop.order(shop.customer())
    before = state(shop, order)
    refusal = ask(shop, change_variant, order, **to(shop, "SHI-OXF-BLU-L"))
    assert (refusal.rule, refusal.nearest) == ("out_of_stock", "other_variant")
    assert {"fact": "in_stock", "to": True}.items() <= refusal.would_change[0].items()
    assert state(shop, order) == before


@pytest.mark.parametrize("gone", ["withdrawn", "not sold in this currency"])
def test_a_variant_that_is_not_sold_counts_as_out_of_stock(shop: Shop, change_variant: ChangeVariant, gone: str) -> None:
    order = shop.order(shop.customer())
    variant = shop.variant("SHI-OXF-BLU-S")
    if gone == "withdrawn":
        variant.is_active = False
    else:
        prices = select(Price).where(Price.variant_id == variant.id, Price.currency == "EUR")
        shop.session.delete(shop.session.execute(prices).scalar_one())
    shop.session.flush()
    assert ask(shop, change_variant, order, **to(shop, "SHI-OXF-BLU-S")).rule == "out_of_stock"


@pytest.mark.parametrize("method", ["gift_card", "store_credit", "oxxo"])
def test_a_method_that_cannot_bear_more_leads_to_another_payment(shop: Shop, change_variant: ChangeVariant, method: str) -> None:
    order = shop.order(shop.customer(), method=method)
    refusal = ask(shop, change_variant, order, **to(shop, "SHI-OXF-WHI-M"))
    assert (refusal.rule, refusal.nearest) == ("method_cannot_bear_difference", "change_payment")


def test_a_gift_card_can_take_money_back_at_once(shop: Shop, change_variant: ChangeVariant) -> None:
    order = shop.order(shop.customer(), method="gift_card")
    assert done(shop, change_variant, order, **to(shop, "SHI-OXF-RED-M"))["refunds"][0]["status"] == "settled"


def test_cash_cannot_take_money_back(shop: Shop, change_variant: ChangeVariant) -> None:
    order = shop.order(shop.customer(), method="oxxo")
    assert ask(shop, change_variant, order, **to(shop, "SHI-OXF-RED-M")).rule == "method_cannot_bear_difference"


def test_the_last_piece_sold_meanwhile_makes_the_summary_stale(shop: Shop, change_variant: ChangeVariant) -> None:
    order = shop.order(shop.customer())
    offer = ask(shop, change_variant, order, **to(shop, "SHI-OXF-BLU-S"))
    shop.set_stock("SHI-OXF-BLU-S", 0)
    before = state(shop, order)
    outcome = confirm(shop.session, change_variant, offer.proposal_id, order.customer_id, CHAT, NOW)
    assert isinstance(outcome, Stale)
    assert outcome.refusal is not None
    assert (outcome.reason, outcome.refusal.rule) == ("facts_changed", "out_of_stock")
    assert state(shop, order) == before


def test_another_price_meanwhile_shows_the_new_difference(shop: Shop, change_variant: ChangeVariant) -> None:
    order = shop.order(shop.customer())
    offer = ask(shop, change_variant, order, **to(shop, "SHI-OXF-WHI-M"))
    price = next(each for each in shop.variant("SHI-OXF-WHI-M").prices if each.currency == "EUR")
    price.amount_minor = 4900
    outcome = confirm(shop.session, change_variant, offer.proposal_id, order.customer_id, CHAT, NOW)
    assert isinstance(outcome, Stale)
    assert outcome.offer is not None
    assert (outcome.offer.summary["difference_minor"], order.version) == (900, 1)


def test_what_is_missing_is_asked_for(shop: Shop, change_variant: ChangeVariant) -> None:
    order = shop.order(shop.customer(), {"SHI-OXF-BLU-M": 1, "SHO-CIT-WHI-40": 1})
    line = ask(shop, change_variant, order)
    assert (line.rule, line.reason, len(line.values["items"])) == ("incomplete", "line_missing", 2)
    variant = ask(shop, change_variant, order, line_id=order.lines[1].id)
    assert (variant.reason, variant.values["item"]["sku"]) == ("variant_missing", "SHO-CIT-WHI-40")
    same = ask(shop, change_variant, order, line_id=order.lines[0].id, **to(shop, "SHI-OXF-BLU-M"))
    assert same.reason == "nothing_to_change"
    none = ask(shop, change_variant, order, line_id=order.lines[0].id, **to(shop, "SHI-OXF-BLU-S"), quantity=-1)
    assert none.reason == "variant_missing"


def test_a_line_of_another_order_is_not_reached(shop: Shop, change_variant: ChangeVariant) -> None:
    ana, eva = shop.customer("Ana"), shop.customer("Eva")
    hers, mine = shop.order(ana), shop.order(eva, {"SHI-OXF-BLU-M": 1, "SHO-CIT-WHI-40": 1})
    refusal = ask(shop, change_variant, mine, line_id=hers.lines[0].id, **to(shop, "SHI-OXF-BLU-S"))
    assert refusal.reason == "line_missing"
    assert [each["line_id"] for each in refusal.values["items"]] == [line.id for line in mine.lines]


def test_choices_are_the_other_variants_that_can_be_sent(shop: Shop) -> None:
    line = shop.order(shop.customer(), {"SHI-OXF-BLU-M": 2}).lines[0]
    choices = choices_for_variant_change(shop.session, line)
    told = [(each.variant.sku, each.stock, each.price_minor, each.difference_minor) for each in choices]
    assert told == [
        ("SHI-OXF-BLU-S", 5, 4000, 0),
        ("SHI-OXF-WHI-M", 5, 4500, 1000),
        ("SHI-OXF-RED-M", 5, 3000, -2000),
    ]
    white = choices_for_variant_change(shop.session, line, color="white")
    assert [each.variant.sku for each in white] == ["SHI-OXF-WHI-M"]
    shop.set_stock("SHI-OXF-WHI-M", 1)  # fewer than the line has
    assert choices_for_variant_change(shop.session, line, color="white") == []


# Addresses


def test_an_order_goes_to_the_new_address(shop: Shop, change_address: ChangeAddress) -> None:
    order = shop.order(shop.customer(), number="10234")
    offer = ask(shop, change_address, order, address=NEW_ADDRESS)
    expected = {**NEW_ADDRESS, "recipient": "Ana López", "line2": "", "region": "", "country": "ES"}
    assert offer.summary == {"order_number": "10234", "from": ADDRESS, "to": expected}
    assert order.shipping_address == ADDRESS
    result = done(shop, change_address, order, address=NEW_ADDRESS)
    assert result == {"order_number": "10234", "address": expected}
    assert (order.shipping_address, order.version) == (expected, 2)


def test_a_saved_address_can_be_named(shop: Shop, change_address: ChangeAddress) -> None:
    ana = shop.customer()
    office = CustomerAddress(customer_id=ana.id, label="office", recipient="Ana", country="ES", **NEW_ADDRESS)
    shop.session.add(office)
    shop.session.flush()
    assert [each.label for each in addresses(shop.session, ana.id)] == ["home", "office"]
    order = shop.order(ana)
    done(shop, change_address, order, address_id=office.id)
    assert (order.shipping_address["line1"], order.shipping_address["recipient"]) == ("Calle Luna 7", "Ana")


def test_a_strangers_saved_address_is_not_reached(shop: Shop, change_address: ChangeAddress) -> None:
    ana, eva = shop.customer("Ana"), shop.customer("Eva")
    refusal = ask(shop, change_address, shop.order(eva), address_id=ana.addresses[0].id)
    assert (refusal.rule, refusal.reason) == ("incomplete", "address_missing")
    assert set(refusal.values) == {"order_number", "missing"}


def test_another_country_goes_to_a_human(shop: Shop, change_address: ChangeAddress) -> None:
    order = shop.order(shop.customer())
    refusal = ask(shop, change_address, order, address={**NEW_ADDRESS, "country": "pt"})
    assert (refusal.rule, refusal.verdict) == ("other_country", "needs_human")
    assert order.shipping_address == ADDRESS


def test_what_an_address_lacks_is_asked_for(shop: Shop, change_address: ChangeAddress) -> None:
    order = shop.order(shop.customer())
    assert ask(shop, change_address, order).values["missing"] == ("line1", "city", "postcode")
    partly = ask(shop, change_address, order, address={"line1": "Calle Luna 7", "city": " ", "postcode": "41001"})
    assert (partly.rule, partly.values["missing"]) == ("incomplete", ("city",))


def test_the_same_address_again_is_said_so(shop: Shop, change_address: ChangeAddress) -> None:
    assert ask(shop, change_address, shop.order(shop.customer()), address=ADDRESS).rule == "same_address"


def test_an_order_to_pick_up_has_no_address_to_change(shop: Shop, change_address: ChangeAddress) -> None:
    shopper = shop.customer()
    for status in ("paid", "ready_for_pickup"):
        order = shop.order(shopper, status=status, delivery_method="pickup")
        assert ask(shop, change_address, order, address=NEW_ADDRESS).rule == "pickup_order"


# Payments


def test_a_paid_order_is_paid_back_and_waits_for_the_new_payment(shop: Shop, change_payment: ChangePayment) -> None:
    order = shop.order(shop.customer(), number="10234")
    offer = ask(shop, change_payment, order, method="paypal")
    refund = {"method": "card", "label": "Visa ···· 4242", "amount_minor": 4000, "destination": "original"}
    assert offer.summary == {
        "order_number": "10234",
        "from": [{"method": "card", "label": "Visa ···· 4242"}],
        "to": "paypal",
        "amount_minor": 4000,
        "currency": "EUR",
        "at_once": False,
        "refunds": [{**refund, "days_min": 5, "days_max": 7}],
    }
    result = done(shop, change_payment, order, method="paypal")
    assert result["payment_link"].startswith("https://pay.example.com/10234/")
    assert [(each.method, each.status) for each in order.payments] == [("card", "captured"), ("paypal", "pending")]
    assert (order.status, order.version) == ("placed", 2)
    assert shop.session.execute(select(Refund.reason)).scalar_one() == "payment_change"


def test_an_unpaid_order_only_waits_for_another_method(shop: Shop, change_payment: ChangePayment) -> None:
    order = shop.order(shop.customer(), status="placed", method="bank_transfer")
    assert done(shop, change_payment, order, method="card")["refunds"] == []
    assert [(each.method, each.status) for each in order.payments] == [("bank_transfer", "voided"), ("card", "pending")]


def test_a_failed_card_may_be_tried_again(shop: Shop, change_payment: ChangePayment) -> None:
    order = shop.order(shop.customer(), status="placed", payments=[("card", 4000, "failed")])
    result = done(shop, change_payment, order, method="card")
    assert (result["method"], result["payment_link"] is not None) == ("card", True)


def test_several_methods_are_refused(shop: Shop, change_payment: ChangePayment) -> None:
    order = shop.order(shop.customer())
    before = state(shop, order)
    refusal = ask(shop, change_payment, order, method=["paypal", "bank_transfer"])
    assert (refusal.rule, refusal.nearest) == ("several_methods", "single_method")
    assert state(shop, order) == before


def test_the_same_method_is_refused(shop: Shop, change_payment: ChangePayment) -> None:
    refusal = ask(shop, change_payment, shop.order(shop.customer()), method="card")
    assert (refusal.rule, refusal.nearest) == ("same_method", "other_method")


@pytest.mark.parametrize("method", ["gift_card", "store_credit"])
def test_a_balance_that_is_too_small_or_unknown_is_refused(shop: Shop, change_payment: ChangePayment, method: str) -> None:
    refusal = ask(shop, change_payment, shop.order(shop.customer()), method=method)
    assert (refusal.rule, refusal.nearest) == ("not_enough_balance", "other_method")


def credit(shop: Shop, order: Order, amount_minor: int) -> None:
    refund = Refund(order=order, reason="return", destination="store_credit", amount_minor=amount_minor)
    refund.currency, refund.status, refund.created_at = order.currency, "settled", NOW
    shop.session.add(refund)
    shop.session.flush()


def test_store_credit_that_covers_the_order_pays_it_at_once(shop: Shop, change_payment: ChangePayment) -> None:
    ana = shop.customer()
    credit(shop, shop.order(ana, status="delivered"), 5000)
    order = shop.order(ana, status="placed")
    result = done(shop, change_payment, order, method="store_credit")
    assert (result["payment_link"], order.status) == (None, "paid")
    assert (order.payments[-1].method, order.payments[-1].status) == ("store_credit", "captured")
    assert payments.balance_minor(shop.session, ana.id, "store_credit", "EUR") == 1000


def test_a_balance_is_its_owners_and_of_one_currency(shop: Shop) -> None:
    ana, eva = shop.customer("Ana"), shop.customer("Eva")
    credit(shop, shop.order(ana, status="delivered"), 5000)
    assert payments.balance_minor(shop.session, ana.id, "store_credit", "EUR") == 5000
    assert payments.balance_minor(shop.session, ana.id, "store_credit", "MXN") == 0
    assert payments.balance_minor(shop.session, ana.id, "gift_card", "EUR") == 0
    assert payments.balance_minor(shop.session, eva.id, "store_credit", "EUR") == 0


@pytest.mark.parametrize("method", [None, "cash", "pix", "4111111111111111"])
def test_without_a_method_that_the_shop_takes_the_choices_are_told(
    shop: Shop, change_payment: ChangePayment, policies: Policies, method: str | None
) -> None:
    order = shop.order(shop.customer())
    refusal = ask(shop, change_payment, order, method=method)
    allowed = ("paypal", "bank_transfer")  # paid in euros: OXXO takes pesos only, Pix reais
    assert (refusal.rule, refusal.reason, refusal.values["methods"]) == ("incomplete", "method_missing", allowed)
    assert methods_to_change_to(shop.session, order, order.customer_id, policies, NOW.date()) == allowed


@pytest.mark.parametrize(("currency", "method", "takes"), [("MXN", "oxxo", True), ("EUR", "oxxo", False), ("BRL", "pix", True)])
def test_method_of_one_country_is_offered_in_its_currency_only(currency: str, method: str, takes: bool) -> None:
    assert (method in payments.methods_for(currency)) is takes


def test_no_card_data_is_kept(shop: Shop, change_payment: ChangePayment) -> None:
    order = shop.order(shop.customer(), method="paypal")
    done(shop, change_payment, order, method="card")
    payment = shop.session.execute(select(Payment).where(Payment.method == "card")).scalar_one()
    assert payment.label == ""


def test_a_payment_that_came_in_meanwhile_shows_the_new_summary(shop: Shop, change_payment: ChangePayment) -> None:
    order = shop.order(shop.customer(), status="placed")
    offer = ask(shop, change_payment, order, method="paypal")
    order.payments[0].status, order.status = "captured", "paid"
    outcome = confirm(shop.session, change_payment, offer.proposal_id, order.customer_id, CHAT, NOW)
    assert isinstance(outcome, Stale)
    assert outcome.offer is not None
    assert outcome.offer.summary["refunds"][0]["amount_minor"] == 4000
    assert (order.version, len(order.payments)) == (1, 1)


# All three


REQUESTS: dict[str, dict[str, Any]] = {
    "change_variant": {"quantity": 2},
    "change_address": {"address": NEW_ADDRESS},
    "change_payment": {"method": "paypal"},
}


def request_for(shop: Shop, operation: Operation) -> dict[str, Any]:
    extra = to(shop, "SHI-OXF-BLU-S") if operation.kind == "change_variant" else {}
    return {**REQUESTS[operation.kind], **extra}


@pytest.fixture(params=list(REQUESTS))
def operation(request: pytest.FixtureRequest) -> Operation:
    found: Operation = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize(("status", "rule", "verdict"), LATE)
def test_after_packing_began_nothing_is_changed_and_nothing_more_is_asked(
    shop: Shop, operation: Operation, status: str, rule: str, verdict: str
) -> None:
    order = shop.order(shop.customer(), status=status)
    before = state(shop, order)
    for parameters in (request_for(shop, operation), {}):
        refusal = ask(shop, operation, order, **parameters)
        assert isinstance(refusal, Refusal)
        assert (refusal.rule, refusal.verdict) == (rule, verdict)
    assert state(shop, order) == before


def test_a_stranger_learns_nothing_and_changes_nothing(shop: Shop, operation: Operation) -> None:
    order, eva = shop.order(shop.customer("Ana"), number="10234"), shop.customer("Eva")
    before = state(shop, order)
    refusal = ask(shop, operation, order, eva.id, **request_for(shop, operation))
    assert (refusal.rule, refusal.values) == ("order_not_found", {"order_number": "10234"})
    unknown = propose(shop.session, operation, eva.id, CHAT, {"order_number": "99999", **request_for(shop, operation)}, NOW)
    assert isinstance(unknown, Refusal)
    assert (unknown.rule, unknown.reason, unknown.nearest) == (refusal.rule, refusal.reason, refusal.nearest)
    offer = ask(shop, operation, order, **request_for(shop, operation))
    assert confirm(shop.session, operation, offer.proposal_id, eva.id, CHAT, NOW) == Stale("unknown")
    assert state(shop, order) == before


def test_a_yes_after_packing_began_does_nothing(shop: Shop, operation: Operation) -> None:
    order = shop.order(shop.customer())
    offer = ask(shop, operation, order, **request_for(shop, operation))
    order.fulfilments[0].status = "preparing"
    before = state(shop, order)
    outcome = confirm(shop.session, operation, offer.proposal_id, order.customer_id, CHAT, NOW)
    assert isinstance(outcome, Stale)
    assert outcome.refusal is not None
    assert outcome.refusal.rule == "being_prepared"
    assert state(shop, order) == before


def test_of_two_open_summaries_the_second_is_stale_once_the_first_is_done(shop: Shop, operation: Operation) -> None:
    order = shop.order(shop.customer())
    first = ask(shop, operation, order, **request_for(shop, operation))
    parameters = {"order_number": order.number, **request_for(shop, operation)}
    second = propose(shop.session, operation, order.customer_id, "whatsapp:ana", parameters, NOW)
    assert isinstance(second, Offer)
    done_first = confirm(shop.session, operation, first.proposal_id, order.customer_id, CHAT, NOW)
    assert isinstance(done_first, Done)
    before = state(shop, order)
    outcome = confirm(shop.session, operation, second.proposal_id, order.customer_id, "whatsapp:ana", NOW)
    assert isinstance(outcome, Stale)
    assert state(shop, order) == before
