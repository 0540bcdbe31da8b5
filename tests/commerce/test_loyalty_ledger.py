"""The points ledger: whatever happens, the balance is what the lots hold, and no lot is overdrawn."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commerce.loyalty import (
    NotEnoughPoints,
    Reversal,
    adjust,
    balance,
    expire_due,
    explain,
    lots,
    reverse_for_return,
)
from commerce.loyalty.ledger import Cause, add_lot, take
from commerce.models import Customer, LedgerEntry
from database import Base, engine_for, transaction
from tests.commerce.shop import NOW, Shop

DAY = timedelta(days=1)


def earn(
    session: Session, customer: int, points: int, key: str = "earn:1", days: int | None = 30, order: int | None = None
) -> None:
    expires_at = None if days is None else NOW + days * DAY
    add_lot(session, customer, points, Cause("earn", "purchase", key, NOW, order), expires_at)


def redeem(session: Session, customer: int, points: int, key: str = "redeem:1", at: datetime = NOW) -> int:
    return take(session, customer, points, Cause("redeem", "redemption", key, at))


@pytest.fixture
def ana(session: Session) -> int:
    return int(Shop(session).customer("Ana").id)


@pytest.fixture
def bought(session: Session) -> tuple[int, int]:
    """A customer and an order of theirs."""
    shop = Shop(session)
    ana = shop.customer("Ana")
    return int(ana.id), int(shop.order(ana, status="delivered").id)


def test_points_past_their_date_count_for_nothing_before_the_expiry_is_written(session: Session, ana: int) -> None:
    earn(session, ana, 100, days=30)
    assert balance(session, ana, NOW + 30 * DAY - timedelta(seconds=1)) == 100
    assert balance(session, ana, NOW + 30 * DAY) == 0


def test_expiry_is_written_once_and_dated_with_the_lot(session: Session, ana: int) -> None:
    earn(session, ana, 100, days=30)
    redeem(session, ana, 40)
    assert expire_due(session, NOW + 40 * DAY) == 60
    assert expire_due(session, NOW + 41 * DAY) == 0
    newest = explain(session, ana, 1)[0]
    assert (newest.kind, newest.points, newest.occurred_at) == ("expire", -60, NOW + 30 * DAY)


def test_points_that_expire_first_are_spent_first(session: Session, ana: int) -> None:
    earn(session, ana, 50, key="earn:never", days=None)
    earn(session, ana, 50, key="earn:late", days=60)
    earn(session, ana, 50, key="earn:soon", days=10)
    redeem(session, ana, 70)
    assert [(lot.entry.key, lot.left) for lot in lots(session, ana, NOW)] == [("earn:late", 30), ("earn:never", 50)]


def test_more_than_the_balance_is_not_redeemed_at_all(session: Session, ana: int) -> None:
    earn(session, ana, 50)
    with pytest.raises(NotEnoughPoints):
        redeem(session, ana, 51)
    assert balance(session, ana, NOW) == 50


def test_the_same_key_adds_nothing(session: Session, ana: int) -> None:
    earn(session, ana, 100)
    earn(session, ana, 100)
    assert [redeem(session, ana, 30), redeem(session, ana, 30)] == [30, 0]
    added = [adjust(session, ana, change, reason="goodwill", key=f"a:{change}", now=NOW) for change in (5, 5, -7, -7)]
    assert added == [5, 0, -7, 0]
    assert balance(session, ana, NOW) == 68


def test_an_adjustment_below_the_balance_takes_nothing(session: Session, ana: int) -> None:
    earn(session, ana, 10)
    with pytest.raises(NotEnoughPoints):
        adjust(session, ana, -11, reason="correction", key="a", now=NOW)
    assert balance(session, ana, NOW) == 10


def test_a_return_takes_its_share_from_the_lot_of_its_order(session: Session, bought: tuple[int, int]) -> None:
    customer, order = bought
    earn(session, customer, 50, key="earn:other", days=1)
    earn(session, customer, 100, key="earn:this", order=order)
    assert reverse_for_return(session, customer, order, 1, 3, "return:1", NOW) == Reversal(33, 33, 0)
    assert [(lot.entry.key, lot.left) for lot in lots(session, customer, NOW)] == [("earn:other", 50), ("earn:this", 67)]


def test_points_of_a_return_that_were_spent_come_from_other_lots_and_the_rest_is_reported(
    session: Session, bought: tuple[int, int]
) -> None:
    customer, order = bought
    earn(session, customer, 100, key="earn:this", order=order, days=5)
    redeem(session, customer, 90)
    earn(session, customer, 30, key="earn:other")
    assert reverse_for_return(session, customer, order, 1, 1, "return:1", NOW) == Reversal(100, 40, 60)
    assert balance(session, customer, NOW) == 0


def test_a_repeated_return_reports_the_first_result_and_takes_nothing(session: Session, bought: tuple[int, int]) -> None:
    customer, order = bought
    earn(session, customer, 100, key="earn:this", order=order)
    redeem(session, customer, 100)
    first = reverse_for_return(session, customer, order, 1, 2, "return:1", NOW)
    earn(session, customer, 80, key="earn:later")
    assert reverse_for_return(session, customer, order, 1, 2, "return:1", NOW) == first == Reversal(50, 0, 50)
    assert balance(session, customer, NOW) == 80


def test_points_that_expired_unspent_are_not_taken_again_by_a_return(session: Session, bought: tuple[int, int]) -> None:
    customer, order = bought
    earn(session, customer, 100, key="earn:this", order=order, days=5)
    redeem(session, customer, 30)
    earn(session, customer, 200, key="earn:other", days=90)
    late = NOW + 10 * DAY
    assert reverse_for_return(session, customer, order, 1, 1, "return:1", late) == Reversal(30, 30, 0)
    expire_due(session, late)
    assert balance(session, customer, late) == 170


def test_returns_never_take_more_than_the_order_gave(session: Session, bought: tuple[int, int]) -> None:
    customer, order = bought
    earn(session, customer, 10, key="earn:this", order=order)
    earn(session, customer, 90, key="earn:other")
    for number in range(3):
        reverse_for_return(session, customer, order, 2, 3, f"return:{number}", NOW)
    assert balance(session, customer, NOW) == 90


def test_a_share_above_the_whole_is_refused(session: Session, bought: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="3/2"):
        reverse_for_return(session, *bought, 3, 2, "return:1", NOW)


def test_an_order_without_points_gives_none_back(session: Session, bought: tuple[int, int]) -> None:
    earn(session, bought[0], 10)
    assert reverse_for_return(session, *bought, 1, 1, "return:1", NOW) == Reversal()


def test_another_customers_points_are_out_of_reach(session: Session) -> None:
    shop = Shop(session)
    ana, eva = shop.customer("Ana"), shop.customer("Eva")
    order = shop.order(eva, status="delivered")
    earn(session, ana.id, 10, key="a")
    earn(session, eva.id, 20, key="b", order=order.id)
    assert reverse_for_return(session, ana.id, order.id, 1, 1, "return:1", NOW) == Reversal()
    assert [balance(session, each.id, NOW) for each in (ana, eva)] == [10, 20]


def test_two_redemptions_at_once_do_not_overspend(database_url: str) -> None:
    with transaction(database_url) as session:
        ana = int(Shop(session).customer("Ana").id)
        earn(session, ana, 100)
    outcomes: list[str] = []
    barrier = threading.Barrier(2)

    def spend(key: str) -> None:
        barrier.wait()
        try:
            with transaction(database_url) as session:
                redeem(session, ana, 60, key=key)
            outcomes.append("done")
        except NotEnoughPoints:
            outcomes.append("refused")

    threads = [threading.Thread(target=spend, args=(key,)) for key in ("redeem:a", "redeem:b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with transaction(database_url) as session:
        assert (Counter(outcomes), balance(session, ana, NOW)) == (Counter(done=1, refused=1), 40)


# --- properties -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, int, list[int]]:
    """An engine with a customer and two orders; every example works in a transaction of its own, undone at its end."""
    folder: Path = tmp_path_factory.mktemp("ledger")
    url = f"sqlite:///{folder / 'ledger.db'}"
    Base.metadata.create_all(engine_for(url))
    with transaction(url) as session:
        shop = Shop(session)
        ana = shop.customer("Ana")
        orders = [int(shop.order(ana, status="delivered").id) for _ in range(2)]
    return engine_for(url), int(ana.id), orders


keys = st.integers(0, 4)
points = st.integers(1, 120)
steps = st.one_of(
    st.tuples(st.just("earn"), keys, points, st.sampled_from([None, 1, 5, 20]), st.sampled_from([0, 1])),
    st.tuples(st.just("redeem"), keys, points),
    st.tuples(st.just("adjust"), keys, st.integers(-80, 80).filter(bool)),
    st.tuples(st.just("reverse"), keys, st.integers(0, 4), st.sampled_from([0, 1])),
    st.tuples(st.just("expire")),
    st.tuples(st.just("wait"), st.integers(1, 9)),
)


class Ledger:
    """Runs steps and knows, by plain arithmetic, what each may have done at most."""

    def __init__(self, session: Session, customer: int, orders: list[int]) -> None:
        self.session, self.customer, self.orders, self.now = session, customer, orders, NOW

    def run(self, step: tuple[Any, ...]) -> None:
        getattr(self, step[0])(*step[1:])

    def earn(self, key: int, points: int, days: int | None, order: int) -> None:
        # One lot an order, as in the shop: the key names the order or nothing.
        cause = Cause("earn", "purchase", f"earn:{key}", self.now, self.orders[order] if key == order else None)
        expires_at = None if days is None else self.now + days * DAY
        self.changes_by_the_points_or_nothing(lambda: add_lot(self.session, self.customer, points, cause, expires_at), points)

    def redeem(self, key: int, points: int) -> None:
        before = self.balance()
        try:
            taken = redeem(self.session, self.customer, points, f"redeem:{key}", self.now)
        except NotEnoughPoints:
            assert (before < points, self.balance()) == (True, before)
        else:
            assert taken in (0, points)
            assert taken <= before
            assert self.balance() == before - taken

    def adjust(self, key: int, points: int) -> None:
        before = self.balance()
        try:
            added = adjust(self.session, self.customer, points, reason="goodwill", key=f"adjust:{key}:{points > 0}", now=self.now)
        except NotEnoughPoints:
            added = 0
        assert self.balance() == before + added

    def reverse(self, key: int, quarters: int, order: int) -> None:
        before = self.balance()
        repeated = self.session.execute(
            select(LedgerEntry.id).where(LedgerEntry.key.startswith(f"return:{order}:{key}:"))
        ).first()
        done = reverse_for_return(self.session, self.customer, self.orders[order], quarters, 4, f"return:{order}:{key}", self.now)
        assert done.due == done.taken + done.short
        assert self.balance() == before - (0 if repeated else done.taken)

    def expire(self) -> None:
        before = self.balance()
        expire_due(self.session, self.now)
        assert self.balance() == before
        assert expire_due(self.session, self.now) == 0

    def wait(self, days: int) -> None:
        self.now += days * DAY

    def balance(self) -> int:
        return balance(self.session, self.customer, self.now)

    def changes_by_the_points_or_nothing(self, write: Any, points: int) -> None:
        before = self.balance()
        added = write() is not None
        assert self.balance() == before + points * added

    def check(self) -> None:
        """The invariants, from the bare rows: not one line of the ledger's own code."""
        rows = list(self.session.execute(select(LedgerEntry)).scalars())
        left: Counter[int] = Counter()
        for row in rows:
            left[row.lot_id or row.id] += row.points
        assert min(left.values(), default=0) >= 0
        live = [row.id for row in rows if row.lot_id is None and (row.expires_at is None or row.expires_at > self.now)]
        assert self.balance() == sum(left[number] for number in live) >= 0
        given: Counter[int] = Counter()
        for row in rows:
            if row.order_id and (row.kind == "earn" or row.reason == "return"):
                given[row.order_id] += row.points
        assert min(given.values(), default=0) >= 0  # returns take at most what the order gave


@settings(max_examples=80, deadline=None)
@given(st.lists(steps, max_size=14))
def test_whatever_happens_the_balance_is_the_sum_of_the_lots_and_no_lot_is_overdrawn(
    ground: tuple[Any, int, list[int]], sequence: list[tuple[Any, ...]]
) -> None:
    engine, customer, orders = ground
    with engine.connect() as connection:
        undone = connection.begin()
        ledger = Ledger(Session(bind=connection, future=True), customer, orders)
        for step in sequence:
            ledger.run(step)
            ledger.check()
        undone.rollback()


def test_the_properties_start_from_an_empty_ledger(ground: tuple[Any, int, list[int]]) -> None:
    with ground[0].connect() as connection:
        counted = [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in (LedgerEntry, Customer)]
    assert counted == [0, 1]
