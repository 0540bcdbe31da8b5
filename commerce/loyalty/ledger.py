"""The points ledger: rows are added, never edited, and the balance is always what the rows say.

Points live in lots. Every write first locks the customer's row, so that two writers never take the same points; every
row carries a key, so that the same cause twice adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, aliased

from commerce.models import Customer, LedgerEntry

BATCH = 500  # customers a query: databases limit the values in one statement


class NotEnoughPoints(Exception):
    """More points were asked for than the customer has now."""

    def __init__(self, asked: int, available: int) -> None:
        super().__init__(f"{asked} points asked for, {available} available")
        self.asked = asked
        self.available = available


@dataclass(frozen=True)
class Cause:
    """Why rows are added. kind: earn, redeem, expire or adjust; `key`: the same cause twice adds nothing."""

    kind: str
    reason: str
    key: str
    at: datetime
    order_id: int | None = None


@dataclass(frozen=True)
class Lot:
    """Points that came together and expire together. `left` is what nobody has taken yet, above 0."""

    entry: LedgerEntry
    left: int
    expires_at: datetime | None  # None: never


@dataclass(frozen=True)
class Reversal:
    """What a return took back: `due` = `taken` + `short`. `short` had been spent already and was written off."""

    due: int = 0
    taken: int = 0
    short: int = 0


def balance(session: Session, customer_id: int, now: datetime) -> int:
    """Points that the customer can spend at `now`; those past their date count for nothing, expired on paper or not."""
    return sum(lot.left for lot in lots(session, customer_id, now))


def lots(session: Session, customer_id: int, now: datetime) -> list[Lot]:
    """The lots with points left at `now`, the first to expire first."""
    return [lot for lot in _lots_of(session, [customer_id]) if _is_live(lot, now)]


def explain(session: Session, customer_id: int, limit: int = 10) -> list[LedgerEntry]:
    """The newest `limit` entries, newest first, for words: kind, points (signed), reason, order, occurred_at."""
    statement = select(LedgerEntry).where(LedgerEntry.customer_id == customer_id)
    newest = statement.order_by(LedgerEntry.occurred_at.desc(), LedgerEntry.id.desc()).limit(limit)
    return list(session.execute(newest).scalars())


def add_lot(session: Session, customer_id: int, points: int, cause: Cause, expires_at: datetime | None) -> LedgerEntry | None:
    """Open a lot of `points` (above 0). None: its key was there already, and nothing was added."""
    if points <= 0:
        raise ValueError(f"a lot holds points above 0, not {points}")
    lock(session, customer_id)
    if has_key(session, cause.key):
        return None
    entry = _row(customer_id, points, cause, expires_at=expires_at)
    session.add(entry)
    session.flush()
    return entry


def take(session: Session, customer_id: int, points: int, cause: Cause) -> int:
    """Take `points` (above 0) from the lots that expire first; the points taken, 0 when its key was there already.

    Raises NotEnoughPoints: nothing is taken then.
    """
    if points <= 0:
        raise ValueError(f"points taken are above 0, not {points}")
    lock(session, customer_id)
    if has_key(session, f"{cause.key}:1"):
        return 0
    available = lots(session, customer_id, cause.at)
    if points > sum(lot.left for lot in available):
        raise NotEnoughPoints(points, sum(lot.left for lot in available))
    return _take_from(session, available, points, cause)


def adjust(
    session: Session,
    customer_id: int,
    points: int,
    *,
    reason: str,
    key: str,
    now: datetime,
    expires_at: datetime | None = None,
    order_id: int | None = None,
) -> int:
    """Give (above 0, until `expires_at`) or take (below 0) points by hand; the points really added, signed.

    0: this key (up to 76 characters) was there already. Raises NotEnoughPoints when there are not that many to take.
    """
    cause = Cause("adjust", reason, key, now, order_id)
    if points < 0:
        return -take(session, customer_id, -points, cause)
    return points if add_lot(session, customer_id, points, cause, expires_at) else 0


def expire_due(session: Session, now: datetime) -> int:
    """Write the expiry of every lot that is past its date; the points that expired. Harmless when run again."""
    customers = sorted(set(session.execute(_owners_of_due_lots(now)).scalars()))
    return sum(_expire_for(session, customers[at : at + BATCH], now) for at in range(0, len(customers), BATCH))


def _expire_for(session: Session, customers: Sequence[int], now: datetime) -> int:
    session.execute(select(Customer.id).where(Customer.id.in_(customers)).order_by(Customer.id).with_for_update())
    due = [lot for lot in _lots_of(session, customers) if not _is_live(lot, now)]
    for lot in due:
        cause = Cause("expire", "expiry", f"expire:{lot.entry.id}", lot.expires_at or now, lot.entry.order_id)
        session.add(_row(lot.entry.customer_id, -lot.left, cause, lot_id=lot.entry.id))
    session.flush()
    return sum(lot.left for lot in due)


def reverse_for_return(
    session: Session,
    customer_id: int,
    order_id: int,
    share_numerator: int,
    share_denominator: int,
    key: str,
    now: datetime,
) -> Reversal:
    """Take back the points of the returned part of an order: from the order's own lot, then from the other lots.

    share_numerator / share_denominator: the part of the order's goods that came back, by value, at most 1; points are
    rounded down. Points that expired unspent are not taken a second time. The balance never goes below 0: the rest is
    written off and reported as `short`. The same `key` (up to 72 characters) again returns the first result.
    """
    if not 0 <= share_numerator <= share_denominator or share_denominator == 0:
        raise ValueError(f"{share_numerator}/{share_denominator} is no part of an order")
    lock(session, customer_id)
    done = _rows_of_reversal(session, customer_id, key)
    if done:
        return _reported(done)
    own = _earned_by(session, customer_id, order_id)
    share = sum(lot.entry.points for lot in own) * share_numerator // share_denominator
    due = min(share, _reversible(session, own, order_id, now))
    return _reverse(session, customer_id, due, own, Cause("adjust", "return", key, now, order_id))


def lock(session: Session, customer_id: int) -> None:
    """Hold the customer's row until the transaction ends: whoever else writes to this ledger waits."""
    session.execute(select(Customer.id).where(Customer.id == customer_id).with_for_update())


def has_key(session: Session, key: str) -> bool:
    return session.execute(select(LedgerEntry.id).where(LedgerEntry.key == key)).first() is not None


def _reverse(session: Session, customer_id: int, due: int, own: Sequence[Lot], cause: Cause) -> Reversal:
    first = {lot.entry.id for lot in own}
    available = lots(session, customer_id, cause.at)
    available.sort(key=lambda lot: lot.entry.id not in first)  # a stable sort: the others stay in order of expiry
    taken = min(due, sum(lot.left for lot in available))
    if due > taken:
        available.append(_written_off(session, customer_id, due - taken, cause))
    _take_from(session, available, due, cause)
    return Reversal(due, taken, due - taken)


def _written_off(session: Session, customer_id: int, points: int, cause: Cause) -> Lot:
    """A debt is forgiven on paper too: a lot of its own, taken at once, keeps the books and the balance whole."""
    gift = Cause("adjust", "written_off", f"{cause.key}:written_off", cause.at, cause.order_id)
    entry = _row(customer_id, points, gift)
    session.add(entry)
    session.flush()
    return Lot(entry, points, None)


def _rows_of_reversal(session: Session, customer_id: int, key: str) -> list[LedgerEntry]:
    mine = select(LedgerEntry).where(LedgerEntry.customer_id == customer_id)
    return list(session.execute(mine.where(LedgerEntry.key.startswith(f"{key}:", autoescape=True))).scalars())


def _reported(rows: Iterable[LedgerEntry]) -> Reversal:
    rows = list(rows)
    due = -sum(row.points for row in rows if row.points < 0)
    short = sum(row.points for row in rows if row.points > 0)
    return Reversal(due, due - short, short)


def _reversible(session: Session, own: Sequence[Lot], order_id: int, now: datetime) -> int:
    """Points of an order that the customer still has the good of: not yet taken back and not expired unspent."""
    ids = [lot.entry.id for lot in own]
    expired = select(func.coalesce(func.sum(LedgerEntry.points), 0)).where(
        LedgerEntry.kind == "expire", LedgerEntry.lot_id.in_(ids)
    )
    reversed_ = select(func.coalesce(func.sum(LedgerEntry.points), 0)).where(
        LedgerEntry.reason == "return", LedgerEntry.order_id == order_id
    )
    gone = session.execute(expired).scalar_one() + session.execute(reversed_).scalar_one()  # both below 0
    unwritten = sum(lot.left for lot in own if not _is_live(lot, now) and lot.left > 0)
    return max(0, sum(lot.entry.points for lot in own) + gone - unwritten)


def _earned_by(session: Session, customer_id: int, order_id: int) -> list[Lot]:
    statement = _with_left([customer_id]).where(LedgerEntry.order_id == order_id, LedgerEntry.kind == "earn")
    return [Lot(entry, left, entry.expires_at) for entry, left in session.execute(statement)]


def _lots_of(session: Session, customers: Sequence[int]) -> list[Lot]:
    """Lots with points left, expired or not."""
    rows = session.execute(_with_left(customers))
    return [Lot(entry, left, entry.expires_at) for entry, left in rows if left > 0]


def _with_left(customers: Sequence[int]) -> Any:
    taken = _taken_by_lot(customers)
    left = LedgerEntry.points + func.coalesce(taken.c.points, 0)
    statement = select(LedgerEntry, left).outerjoin(taken, taken.c.lot_id == LedgerEntry.id)
    mine = statement.where(LedgerEntry.customer_id.in_(customers), LedgerEntry.lot_id.is_(None))
    never_last = case((LedgerEntry.expires_at.is_(None), 1), else_=0)
    return mine.order_by(never_last, LedgerEntry.expires_at, LedgerEntry.id)


def _taken_by_lot(customers: Sequence[int] | None = None) -> Any:
    child = aliased(LedgerEntry)
    sums = select(child.lot_id, func.sum(child.points).label("points")).where(child.lot_id.is_not(None))
    if customers is not None:
        sums = sums.where(child.customer_id.in_(customers))
    return sums.group_by(child.lot_id).subquery()


def _owners_of_due_lots(now: datetime) -> Any:
    taken = _taken_by_lot()
    left = LedgerEntry.points + func.coalesce(taken.c.points, 0)
    statement = select(LedgerEntry.customer_id).outerjoin(taken, taken.c.lot_id == LedgerEntry.id)
    return statement.where(LedgerEntry.lot_id.is_(None), LedgerEntry.expires_at <= now, left > 0)


def _is_live(lot: Lot, now: datetime) -> bool:
    return lot.expires_at is None or lot.expires_at > now


def _take_from(session: Session, available: Iterable[Lot], points: int, cause: Cause) -> int:
    """Rows `key:1`, `key:2`, ... one a lot, in the given order; the points taken."""
    numbers = count(1)
    rest = points
    for lot in available:
        part = min(rest, lot.left)
        if part > 0:
            numbered = replace(cause, key=f"{cause.key}:{next(numbers)}")
            session.add(_row(lot.entry.customer_id, -part, numbered, lot_id=lot.entry.id))
            rest -= part
    session.flush()
    return points - rest


def _row(
    customer_id: int, points: int, cause: Cause, lot_id: int | None = None, expires_at: datetime | None = None
) -> LedgerEntry:
    return LedgerEntry(
        customer_id=customer_id,
        kind=cause.kind,
        points=points,
        lot_id=lot_id,
        order_id=cause.order_id,
        reason=cause.reason,
        occurred_at=cause.at,
        expires_at=expires_at,
        key=cause.key,
    )
