"""Standing, points for orders, vouchers and disputes, by the shop's own tables in data/policies."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commerce.loyalty import (
    DisputePoints,
    Expiry,
    RedeemPoints,
    adjust,
    balance,
    earn_for_order,
    explain,
    reverse_for_return,
    standing,
    tier,
)
from commerce.loyalty.redemption import CODE_ALPHABET, new_code
from commerce.loyalty.standing import add_months
from commerce.models import Customer, LedgerEntry, Order, Refund, ReturnAuthorization, Voucher
from commerce.policies import Policies, load_policies
from commerce.proposals import Done, Offer, Refusal, Stale, confirm, propose
from database import transaction
from tests.commerce.shop import NOW, Shop

DAY = timedelta(days=1)
POLICIES = load_policies(Path(__file__).parents[2] / "data" / "policies")


@pytest.fixture
def policies() -> Policies:
    return POLICIES


@pytest.fixture
def shop(session: Session) -> Shop:
    return Shop(session)


@pytest.fixture
def ana(shop: Shop) -> Customer:
    return shop.customer("Ana")


def give(session: Session, customer: Customer, points: int, key: str = "gift", days: int = 60) -> None:
    adjust(session, customer.id, points, reason="welcome", key=key, now=NOW, expires_at=NOW + days * DAY)


def earned(session: Session, customer: Customer, points: int, at: datetime = NOW, order: Order | None = None) -> None:
    entry = {"kind": "earn", "reason": "purchase", "key": f"earn:{points}:{at}", "occurred_at": at}
    session.add(LedgerEntry(customer_id=customer.id, points=points, order_id=order.id if order else None, **entry))
    session.flush()


def open_return(session: Session, order: Order) -> None:
    values = {"kind": "return", "status": "authorized", "reason": "too_small", "method": "drop_off"}
    more = {"refund_to": "original", "policy_rule": "x", "authorized_at": NOW, "send_by": NOW.date()}
    session.add(ReturnAuthorization(rma_number="RMA-20001", order_id=order.id, **values, **more))
    session.flush()


# --- standing ---------------------------------------------------------------------------------------------------------


def test_a_shopper_without_an_account_is_a_guest(session: Session, policies: Policies) -> None:
    assert tier(session, None, NOW, policies) == "guest"


@pytest.mark.parametrize(("points", "level"), [(1, "standard"), (999, "standard"), (1000, "silver"), (3000, "gold")])
def test_the_points_of_twelve_months_make_the_tier(
    session: Session, ana: Customer, policies: Policies, points: int, level: str
) -> None:
    earned(session, ana, points)
    assert tier(session, ana.id, NOW, policies) == level


def test_points_earned_more_than_a_year_ago_do_not_count_for_the_tier(
    session: Session, ana: Customer, policies: Policies
) -> None:
    earned(session, ana, 5000, at=NOW - timedelta(days=366))
    earned(session, ana, 300)
    found = standing(session, ana.id, NOW, policies)
    assert (found.tier, found.earned_12_months, found.next_tier, found.missing) == ("standard", 300, "silver", 700)


def test_spending_points_does_not_lower_the_tier_but_a_return_does(
    session: Session, shop: Shop, ana: Customer, policies: Policies
) -> None:
    order = shop.order(ana, status="delivered")
    earned(session, ana, 1100, order=order)
    adjust(session, ana.id, -1000, reason="correction", key="a", now=NOW)
    assert tier(session, ana.id, NOW, policies) == "silver"
    reverse_for_return(session, ana.id, order.id, 1, 2, "return:1", NOW)
    assert standing(session, ana.id, NOW, policies).earned_12_months == 550


def test_at_the_top_nothing_is_missing(session: Session, ana: Customer, policies: Policies) -> None:
    earned(session, ana, 4000)
    found = standing(session, ana.id, NOW, policies)
    assert (found.tier, found.next_tier, found.missing) == ("gold", None, 0)


def test_the_next_expiry_has_all_points_of_its_day(session: Session, ana: Customer, policies: Policies) -> None:
    give(session, ana, 30, "a", days=9)
    give(session, ana, 20, "b", days=9)
    give(session, ana, 90, "c", days=50)
    found = standing(session, ana.id, NOW, policies)
    assert (found.balance, found.next_expiry) == (140, Expiry(50, (NOW + 9 * DAY).date()))


# --- points for orders ------------------------------------------------------------------------------------------------


def test_a_delivered_order_earns_for_its_goods_and_not_for_shipping(
    session: Session, shop: Shop, ana: Customer, policies: Policies
) -> None:
    order = shop.order(ana, {"SHI-OXF-BLU-M": 2}, status="delivered", shipping_minor=900, discount_minor=550)
    assert earn_for_order(session, order, NOW, policies) == 74  # 80.00 - 5.50 EUR, a point a euro, rounded down
    assert balance(session, ana.id, NOW) == 74


def test_a_higher_tier_earns_more_and_its_points_last_longer(
    session: Session, shop: Shop, ana: Customer, policies: Policies
) -> None:
    earned(session, ana, 3000)
    order = shop.order(ana, {"SHI-OXF-BLU-M": 1}, status="delivered")
    assert earn_for_order(session, order, NOW, policies) == 60
    assert explain(session, ana.id, 1)[0].expires_at == datetime(2028, 5, 18, 15, tzinfo=timezone.utc)


def test_an_order_earns_once(session: Session, shop: Shop, ana: Customer, policies: Policies) -> None:
    order = shop.order(ana, status="delivered")
    assert [earn_for_order(session, order, NOW, policies) for _ in range(2)] == [40, 0]
    assert balance(session, ana.id, NOW) == 40


@pytest.mark.parametrize("status", ["placed", "paid", "shipped", "cancelled"])
def test_an_order_that_has_not_arrived_earns_nothing(
    session: Session, shop: Shop, ana: Customer, policies: Policies, status: str
) -> None:
    assert earn_for_order(session, shop.order(ana, status=status), NOW, policies) == 0


def test_a_guests_order_earns_nothing(session: Session, shop: Shop, policies: Policies) -> None:
    order = shop.order(None, status="delivered", email="guest@example.com")
    assert earn_for_order(session, order, NOW, policies) == 0


def test_refunded_goods_earn_nothing(session: Session, shop: Shop, ana: Customer, policies: Policies) -> None:
    order = shop.order(ana, {"SHI-OXF-BLU-M": 2}, status="delivered")
    refund = {"reason": "return", "destination": "original", "currency": "EUR", "status": "settled", "created_at": NOW}
    session.add(Refund(order_id=order.id, amount_minor=4000, **refund))
    session.flush()
    assert earn_for_order(session, order, NOW, policies) == 40


@pytest.mark.parametrize(("start", "months", "end"), [((2026, 1, 31), 1, (2026, 2, 28)), ((2026, 11, 18), 14, (2028, 1, 18))])
def test_months_are_counted_by_the_calendar(start: tuple[int, int, int], months: int, end: tuple[int, int, int]) -> None:
    assert add_months(datetime(*start, tzinfo=timezone.utc), months) == datetime(*end, tzinfo=timezone.utc)


# --- redeeming --------------------------------------------------------------------------------------------------------


def ask_to_redeem(session: Session, customer: Customer, points: int, now: datetime = NOW) -> Offer | Refusal:
    return propose(session, RedeemPoints(POLICIES), customer.id, "chat", {"points": points}, now)


def say_yes(session: Session, customer: Customer, offer: Any, operation: Any = None) -> Done | Stale:
    return confirm(session, operation or RedeemPoints(POLICIES), offer.proposal_id, customer.id, "chat", NOW)


def test_the_summary_says_what_the_points_become(session: Session, ana: Customer) -> None:
    give(session, ana, 800)
    offer = ask_to_redeem(session, ana, 600)
    assert isinstance(offer, Offer)
    assert offer.summary == {
        "points": 600,
        "amount_minor": 3000,
        "currency": "EUR",
        "balance_after": 200,
        "voucher_valid_days": 180,
        "max_share_percent": 50,
    }
    assert balance(session, ana.id, NOW) == 800


def test_a_redemption_confirmed_twice_gives_one_voucher(session: Session, ana: Customer) -> None:
    give(session, ana, 800)
    offer = ask_to_redeem(session, ana, 600)
    first, second = say_yes(session, ana, offer), say_yes(session, ana, offer)
    assert isinstance(first, Done)
    assert isinstance(second, Done)
    assert (first.result, second.repeated) == (second.result, True)
    voucher = session.execute(select(Voucher)).scalar_one()
    assert (voucher.code, voucher.amount_minor, voucher.status) == (first.result["code"], 3000, "active")
    assert voucher.expires_at == NOW + 180 * DAY
    assert balance(session, ana.id, NOW) == first.result["balance"] == 200


@pytest.mark.parametrize(
    ("points", "rule", "verdict"),
    [
        (400, "below_minimum", "deny"),
        (-5, "below_minimum", "deny"),
        (900, "not_enough_points", "deny"),
        (550, "not_a_multiple", "deny"),
    ],
)
def test_points_that_cannot_be_redeemed_are_refused_by_the_tables_rule(
    session: Session, ana: Customer, points: int, rule: str, verdict: str
) -> None:
    give(session, ana, 800)
    refusal = ask_to_redeem(session, ana, points)
    assert isinstance(refusal, Refusal)
    assert (refusal.rule, refusal.verdict, refusal.values["balance"]) == (rule, verdict, 800)


def test_very_many_points_are_looked_at_by_a_person(session: Session, ana: Customer) -> None:
    give(session, ana, 90000)
    refusal = ask_to_redeem(session, ana, 80000)
    assert isinstance(refusal, Refusal)
    assert (refusal.rule, refusal.verdict) == ("above_maximum", "needs_human")


def test_yes_after_the_balance_changed_does_nothing_and_shows_a_new_summary(session: Session, ana: Customer) -> None:
    give(session, ana, 800)
    offer = ask_to_redeem(session, ana, 600)
    give(session, ana, 10, "more")
    stale = say_yes(session, ana, offer)
    assert isinstance(stale, Stale)
    assert (stale.reason, stale.offer and stale.offer.summary["balance_after"]) == ("facts_changed", 210)
    assert (balance(session, ana.id, NOW), session.execute(select(func.count(Voucher.id))).scalar_one()) == (810, 0)


def test_two_confirmations_at_once_do_not_overspend(database_url: str) -> None:
    with transaction(database_url) as session:
        ana = Shop(session).customer("Ana")
        give(session, ana, 800)
        offers = [propose(session, RedeemPoints(POLICIES), ana.id, chat, {"points": 600}, NOW) for chat in ("web", "whatsapp")]
        customer_id = ana.id
    outcomes: list[str] = []
    barrier = threading.Barrier(2)

    def say_yes_in(chat: str, offer: Any) -> None:
        barrier.wait()
        with transaction(database_url) as session:
            outcome = confirm(session, RedeemPoints(POLICIES), offer.proposal_id, customer_id, chat, NOW)
            outcomes.append(type(outcome).__name__)

    threads = [threading.Thread(target=say_yes_in, args=pair) for pair in zip(("web", "whatsapp"), offers, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with transaction(database_url) as session:
        vouchers = session.execute(select(func.count(Voucher.id))).scalar_one()
        left = balance(session, customer_id, NOW)
    assert (sorted(outcomes), vouchers, left) == (["Done", "Stale"], 1, 200)


def test_a_voucher_code_cannot_be_guessed() -> None:
    codes = {new_code() for _ in range(500)}
    assert len(codes) == 500
    assert all(len(code) <= 24 and set(code) <= {*CODE_ALPHABET, "-"} for code in codes)
    assert len(CODE_ALPHABET) ** 16 > 2**64


# --- disputes ---------------------------------------------------------------------------------------------------------


def dispute(session: Session, customer: Customer, **parameters: Any) -> Offer | Refusal:
    return propose(session, DisputePoints(POLICIES), customer.id, "chat", parameters, NOW)


def test_missing_points_of_an_order_are_credited_exactly(session: Session, shop: Shop, ana: Customer, policies: Policies) -> None:
    order = shop.order(ana, {"SHI-OXF-BLU-M": 3}, status="delivered")
    offer = dispute(session, ana, order_number=order.number, points_claimed=500)
    assert isinstance(offer, Offer)
    assert offer.summary == {
        "points": 120,
        "orders": [{"number": order.number, "points": 120}],
        "cause": "missing_points",
        "balance_after": 120,
    }
    done = [say_yes(session, ana, offer, DisputePoints(POLICIES)) for _ in range(2)]
    assert [isinstance(each, Done) for each in done] == [True, True]
    assert balance(session, ana.id, NOW) == 120
    assert earn_for_order(session, order, NOW, policies) == 0  # the shop's own late booking adds nothing


def test_points_that_were_credited_are_not_credited_again(
    session: Session, shop: Shop, ana: Customer, policies: Policies
) -> None:
    order = shop.order(ana, status="delivered")
    earn_for_order(session, order, NOW, policies)
    refusal = dispute(session, ana, order_number=order.number)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.values["points"]) == ("already_credited", 40)
    assert refusal.values["credited_on"] == NOW.date().isoformat()


def test_more_than_the_tiers_limit_is_for_a_person(session: Session, shop: Shop, ana: Customer) -> None:
    order = shop.order(ana, {"SHO-CIT-WHI-40": 3}, status="delivered")
    refusal = dispute(session, ana, order_number=order.number)
    assert isinstance(refusal, Refusal)
    assert (refusal.rule, refusal.verdict, refusal.values["points"]) == ("above_limit", "needs_human", 240)


def test_a_second_credit_too_soon_is_for_a_person(session: Session, shop: Shop, ana: Customer) -> None:
    first, second = (shop.order(ana, status="delivered") for _ in range(2))
    say_yes(session, ana, dispute(session, ana, order_number=first.number), DisputePoints(POLICIES))
    refusal = dispute(session, ana, order_number=second.number)
    assert isinstance(refusal, Refusal)
    assert (refusal.rule, refusal.verdict) == ("credited_recently", "needs_human")


def test_without_an_order_every_unbooked_order_is_found(session: Session, shop: Shop, ana: Customer, policies: Policies) -> None:
    booked, missed, other = (shop.order(ana, status="delivered") for _ in range(3))
    shop.order(ana, status="shipped")
    earn_for_order(session, booked, NOW, policies)
    offer = dispute(session, ana)
    assert isinstance(offer, Offer)
    assert sorted(each["number"] for each in offer.summary["orders"]) == [missed.number, other.number]
    say_yes(session, ana, offer, DisputePoints(POLICIES))
    assert balance(session, ana.id, NOW) == 120


def test_where_nothing_is_missing_nothing_is_credited(session: Session, ana: Customer) -> None:
    refusal = dispute(session, ana, points_claimed=100)
    assert isinstance(refusal, Refusal)
    assert (refusal.rule, refusal.verdict) == ("nothing_missing", "deny")


def test_a_promotion_is_credited_as_claimed_within_the_limit(session: Session, ana: Customer) -> None:
    offer = dispute(session, ana, points_claimed=200, cause="promotion_not_applied")
    assert isinstance(offer, Offer)
    say_yes(session, ana, offer, DisputePoints(POLICIES))
    say_yes(session, ana, offer, DisputePoints(POLICIES))
    assert balance(session, ana.id, NOW) == 200
    above = dispute(session, ana, points_claimed=201, cause="promotion_not_applied")
    assert isinstance(above, Refusal)
    assert above.verdict == "needs_human"


def test_a_promotion_without_an_amount_is_for_a_person(session: Session, ana: Customer) -> None:
    refusal = dispute(session, ana, cause="promotion_not_applied")
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.verdict) == ("amount_unknown", "needs_human")


def test_an_order_on_its_way_has_no_points_yet(session: Session, shop: Shop, ana: Customer) -> None:
    refusal = dispute(session, ana, order_number=shop.order(ana, status="shipped").number)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "not_delivered_yet"


def test_an_order_that_is_being_returned_is_for_a_person(session: Session, shop: Shop, ana: Customer) -> None:
    order = shop.order(ana, status="delivered")
    open_return(session, order)
    refusal = dispute(session, ana, order_number=order.number)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.verdict) == ("return_open", "needs_human")


def test_a_strangers_order_is_as_unknown_as_none_and_nothing_changes(session: Session, shop: Shop, ana: Customer) -> None:
    order = shop.order(shop.customer("Eva"), status="delivered")
    for number in (order.number, "99999"):
        refusal = dispute(session, ana, order_number=number)
        assert refusal == Refusal(rule="order_not_found", reason="order_not_found", values={"order_number": number})
    assert session.execute(select(func.count(LedgerEntry.id))).scalar_one() == 0
