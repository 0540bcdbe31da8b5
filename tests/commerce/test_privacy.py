"""The customer's data: all of it exported, and after erasing no trace of the person in any table."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commerce.loyalty import adjust, balance
from commerce.models import (
    Claim,
    Customer,
    Fulfilment,
    LedgerEntry,
    Order,
    Proposal,
    Refund,
    ReturnAuthorization,
    Voucher,
)
from commerce.privacy import (
    EraseCustomer,
    Traces,
    UnknownCustomer,
    erase_customer,
    export_customer,
    open_orders,
    traces_of,
)
from commerce.proposals import Assessment, Done, Offer, Refusal, confirm, propose
from database import Base
from tests.commerce.shop import ADDRESS, NOW, Shop

TRACES = ("Ana", "ana@example.com", "34600000001", "Calle Mayor 1", "28013", "Visa", "4242", "photo.jpg", "RMA-20001.pdf")


class MoveHouse:
    """An operation whose request, summary and result quote an address, as a change of address does."""

    kind = "move_house"

    def assess(self, session: Session, customer_id: int, parameters: Any, now: Any) -> Assessment:
        return Assessment({"to": parameters["to"]}, {})

    def perform(self, session: Session, customer_id: int, parameters: Any, assessment: Any, *_: Any) -> dict[str, Any]:
        return {"moved_to": parameters["to"]}


@pytest.fixture
def shop(session: Session) -> Shop:
    return Shop(session)


@pytest.fixture
def ana(session: Session, shop: Shop) -> Customer:
    """A customer with something of everything, all of it settled."""
    ana = shop.customer("Ana")
    orders = [shop.order(ana, status="delivered", number="10201"), shop.order(ana, status="cancelled", number="10202")]
    shop.order(None, status="delivered", number="10203", email="Ana@Example.com")
    adjust(session, ana.id, 300, reason="welcome", key="welcome:C-10001", now=NOW)
    session.add_all([claim(orders[0], ana), authorization(orders[0], ana), refund(orders[1]), voucher(ana)])
    offer = propose(session, MoveHouse(), ana.id, "whatsapp:34600000001", {"to": dict(ADDRESS)}, NOW)
    assert isinstance(offer, Offer)
    confirm(session, MoveHouse(), offer.proposal_id, ana.id, "whatsapp:34600000001", NOW)
    propose(session, MoveHouse(), ana.id, "web-1", {"to": dict(ADDRESS)}, NOW)
    return ana


def claim(order: Order, customer: Customer, status: str = "closed") -> Claim:
    values = {"claim_number": "CLM-30001", "problem": "damaged", "resolution": "refund", "policy_rule": "x"}
    told = {"note": "Ana here, it came torn", "evidence": ["evidence/photo.jpg"], "opened_at": NOW}
    return Claim(order_id=order.id, customer_id=customer.id, status=status, **values, **told)


def authorization(order: Order, customer: Customer, status: str = "completed") -> ReturnAuthorization:
    values = {"kind": "return", "reason": "too_small", "method": "drop_off", "refund_to": "original", "policy_rule": "x"}
    more = {"label_path": "labels/RMA-20001.pdf", "authorized_at": NOW, "send_by": NOW.date()}
    return ReturnAuthorization(
        rma_number="RMA-20001", order_id=order.id, customer_id=customer.id, status=status, **values, **more
    )


def refund(order: Order, status: str = "settled") -> Refund:
    values = {"reason": "cancellation", "destination": "original", "amount_minor": 4000, "currency": "EUR"}
    return Refund(order_id=order.id, status=status, created_at=NOW, **values)


def voucher(customer: Customer) -> Voucher:
    values = {"code": "AAAA-BBBB", "amount_minor": 500, "currency": "EUR", "status": "active"}
    return Voucher(customer_id=customer.id, issued_at=NOW, expires_at=NOW.replace(year=2027), **values)


def everything(session: Session) -> str:
    """Every value of every table."""
    session.flush()
    rows = {name: [tuple(row) for row in session.execute(select(table))] for name, table in Base.metadata.tables.items()}
    return json.dumps(rows, default=str, ensure_ascii=False)


def traces_in(text: str, traces: tuple[str, ...] = TRACES) -> list[str]:
    return [trace for trace in traces if trace.lower() in text.lower()]


def test_the_test_finds_the_person_before(session: Session, ana: Customer) -> None:
    assert traces_in(everything(session)) == list(TRACES)


def test_after_erasing_no_table_has_a_trace_of_the_person(session: Session, ana: Customer) -> None:
    assert isinstance(erase_customer(session, ana.id, NOW), Traces)
    assert traces_in(everything(session)) == []


def test_erasing_one_customer_leaves_the_others_as_they_are(session: Session, shop: Shop, ana: Customer) -> None:
    eva = shop.customer("Eva")
    shop.order(eva, status="paid", number="10301")
    shop.order(None, status="paid", number="10302", email="guest@example.com")
    before = json.dumps(export_customer(session, eva.id))
    erase_customer(session, ana.id, NOW)
    assert json.dumps(export_customer(session, eva.id)) == before
    assert "guest@example.com" in everything(session)


def test_points_and_orders_stay_under_the_number(session: Session, ana: Customer) -> None:
    erase_customer(session, ana.id, NOW)
    assert (ana.number, ana.name, ana.email, ana.erased_at) == ("C-10001", "", None, NOW)
    assert balance(session, ana.id, NOW) == 300
    assert session.execute(select(func.count(LedgerEntry.id))).scalar_one() == 1
    assert [order.total_minor for order in ana.orders] == [4000, 4000]


def test_what_is_to_be_cleared_elsewhere_is_told(session: Session, ana: Customer) -> None:
    traces = Traces(("ana@example.com", "+34600000001"), ("evidence/photo.jpg", "labels/RMA-20001.pdf"))
    assert traces_of(session, ana.id) == traces
    assert erase_customer(session, ana.id, NOW) == traces


@pytest.mark.parametrize("status", ["placed", "paid", "preparing", "partially_shipped", "shipped", "ready_for_pickup"])
def test_an_order_on_its_way_stops_the_erasing_and_nothing_changes(
    session: Session, shop: Shop, ana: Customer, status: str
) -> None:
    shop.order(ana, status=status, number="10290")
    before = everything(session)
    refusal = erase_customer(session, ana.id, NOW)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.values) == ("open_orders", {"order_numbers": ["10290"]})
    assert everything(session) == before


def test_goods_or_money_on_their_way_back_stop_the_erasing(session: Session, shop: Shop) -> None:
    eva = shop.customer("Eva")
    orders = [shop.order(eva, status="delivered", number=str(number)) for number in range(10301, 10306)]
    session.add_all(
        [
            authorization(orders[0], eva, "in_transit"),
            refund(orders[1], "approved"),
            claim(orders[2], eva, "with_agent"),
            Fulfilment(order_id=orders[3].id, location_id=shop.warehouse.id, status="pending"),
        ]
    )
    session.flush()
    assert open_orders(session, eva.id) == ["10301", "10302", "10303", "10304"]


def test_a_guests_order_under_the_same_email_counts_as_open(session: Session, shop: Shop, ana: Customer) -> None:
    shop.order(None, status="paid", number="10299", email="ana@example.com")
    assert open_orders(session, ana.id) == ["10299"]


def test_erasing_twice_is_harmless(session: Session, ana: Customer) -> None:
    erase_customer(session, ana.id, NOW)
    before = everything(session)
    assert erase_customer(session, ana.id, NOW.replace(year=2027)) == Traces((), ())
    assert everything(session) == before


def test_an_unknown_customer_is_an_error(session: Session) -> None:
    with pytest.raises(UnknownCustomer):
        erase_customer(session, 99, NOW)


# --- as an operation --------------------------------------------------------------------------------------------------


def test_the_summary_says_what_goes_and_a_second_yes_changes_nothing(session: Session, ana: Customer) -> None:
    offer = propose(session, EraseCustomer(), ana.id, "web-1", {}, NOW)
    assert isinstance(offer, Offer)
    assert offer.summary == {"orders": 3, "addresses": 1, "points": 300, "vouchers": 1}
    assert traces_in(everything(session)) == list(TRACES)
    done = [confirm(session, EraseCustomer(), offer.proposal_id, ana.id, "web-1", NOW) for _ in range(2)]
    assert [isinstance(each, Done) and each.repeated for each in done] == [False, True]
    assert isinstance(done[0], Done)
    assert done[0].result == {"number": "C-10001", "erased_on": "2026-11-18"}
    assert traces_in(everything(session)) == []


def test_a_conversation_named_after_the_phone_loses_its_name(session: Session, ana: Customer) -> None:
    offer = propose(session, EraseCustomer(), ana.id, "whatsapp:34600000001", {}, NOW)
    assert isinstance(offer, Offer)
    confirm(session, EraseCustomer(), offer.proposal_id, ana.id, "whatsapp:34600000001", NOW)
    assert set(session.execute(select(Proposal.conversation)).scalars()) == {"erased"}


def test_open_orders_refuse_the_operation(session: Session, shop: Shop, ana: Customer) -> None:
    shop.order(ana, status="paid", number="10290")
    refusal = propose(session, EraseCustomer(), ana.id, "web-1", {}, NOW)
    assert isinstance(refusal, Refusal)
    assert refusal.values == {"order_numbers": ["10290"]}


def test_an_order_placed_after_the_summary_stops_the_yes(session: Session, shop: Shop, ana: Customer) -> None:
    offer = propose(session, EraseCustomer(), ana.id, "web-1", {}, NOW)
    assert isinstance(offer, Offer)
    shop.order(ana, status="paid", number="10290")
    confirm(session, EraseCustomer(), offer.proposal_id, ana.id, "web-1", NOW)
    assert ana.erased_at is None


# --- export -----------------------------------------------------------------------------------------------------------


def test_the_export_has_every_order_of_the_customer_and_nobody_elses(session: Session, shop: Shop, ana: Customer) -> None:
    shop.order(shop.customer("Eva"), status="paid", number="10301")
    shop.order(None, status="paid", number="10302", email="guest@example.com")
    exported = export_customer(session, ana.id)
    assert sorted(order["number"] for order in exported["orders"]) == ["10201", "10202", "10203"]
    assert traces_in(json.dumps(exported), ("Eva", "guest@example.com", "10301", "10302")) == []


def test_the_export_is_json_and_has_all_that_is_kept(session: Session, ana: Customer) -> None:
    exported = json.loads(json.dumps(export_customer(session, ana.id), ensure_ascii=False))
    assert traces_in(json.dumps(exported, ensure_ascii=False)) == list(TRACES)
    assert exported["customer"]["created_at"].startswith("2025-10-14T15:00:00")
    assert [entry["points"] for entry in exported["points"]] == [300]
    order = next(each for each in exported["orders"] if each["number"] == "10201")
    counted = {name: len(rows) for name, rows in order.items() if isinstance(rows, list)}
    assert counted == {
        "lines": 1,
        "payments": 1,
        "fulfilments": 1,
        "fulfilment_lines": 1,
        "shipments": 1,
        "shipment_events": 2,
        "cancellations": 0,
        "returns": 1,
        "return_lines": 0,
        "refunds": 0,
        "claims": 1,
    }


def test_every_table_about_customers_is_exported(session: Session, ana: Customer) -> None:
    """A new table that points to a customer, an order or a request has to be thought of here."""
    from commerce import privacy

    watched = {"customer", "orders", "proposal"}
    pointing = {
        mapper.class_.__name__
        for mapper in Base.registry.mappers
        if mapper.class_.__module__.startswith("commerce.")
        and any(key.column.table.name in watched for key in mapper.local_table.foreign_keys)
    }
    assert sorted(name for name in pointing if not hasattr(privacy, name)) == []
