"""How many pieces of a line are with the shopper, and since when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timezone
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, joinedload

from commerce.models import Claim, Fulfilment, FulfilmentLine, Order, OrderLine, ReturnAuthorization, ReturnLine
from commerce.refunds import VOID

OPEN = ("authorized", "in_transit", "received")  # nobody has looked at the goods yet


@dataclass(frozen=True)
class Whereabouts:
    """Where the pieces of a line are, counted as by `pieces_arrived` and `pieces_back`. delivered_at: None while none arrived."""

    arrived: int
    back: int
    delivered_at: datetime | None
    was_exchanged: bool

    @property
    def left(self) -> int:
        """With the shopper, and free to go back."""
        return max(0, self.arrived - self.back)


def whereabouts(session: Session, order: Order) -> dict[int, Whereabouts]:
    """Of all lines of an order at once, by their id."""
    parts = _by_line(session, select(FulfilmentLine).join(OrderLine).where(OrderLine.order_id == order.id).options(_PARCELS))
    back = _by_line(session, select(ReturnLine).join(OrderLine).where(OrderLine.order_id == order.id).options(_AUTHORIZATION))
    refunded = set(session.execute(_REFUNDED, {"order_id": order.id}).scalars())
    return {line.id: _whereabouts(line, parts[line.id], back[line.id], bool({line.id, None} & refunded)) for line in order.lines}


def _whereabouts(line: OrderLine, parts: Sequence[FulfilmentLine], back: Sequence[ReturnLine], is_paid_back: bool) -> Whereabouts:
    valid = [each for each in back if each.authorization.status not in VOID]
    settling = (each.quantity for each in valid if each.authorization.kind == "exchange" or each.authorization.refund_to)
    arrivals = [(arrival, part.quantity) for part in parts if (arrival := _arrival(part.fulfilment)) is not None]
    return Whereabouts(
        arrived=min(sum(quantity for _, quantity in arrivals), line.quantity),
        back=line.quantity if is_paid_back else sum(settling),
        delivered_at=max((arrival for arrival, _ in arrivals), default=None),
        was_exchanged=any(each.authorization.kind == "exchange" for each in valid),
    )


def _by_line(session: Session, statement: Any) -> dict[int, list[Any]]:
    rows: dict[int, list[Any]] = defaultdict(list)
    for row in session.execute(statement).scalars():
        rows[row.order_line_id].append(row)
    return rows


_PARCELS = joinedload(FulfilmentLine.fulfilment).selectinload(Fulfilment.shipments)
_AUTHORIZATION = joinedload(ReturnLine.authorization)
_REFUNDED = select(Claim.order_line_id).where(Claim.order_id == bindparam("order_id"), Claim.resolution == "refund")


def pieces_back(session: Session, line: OrderLine) -> int:
    """Pieces that went back or are promised to go back; all of them once a claim has paid for the line.

    A piece that goes back because another one was sent in its stead is not counted: the shopper has as many as before.
    """
    if _is_paid_back_by_claim(session, line):
        return int(line.quantity)
    total = select(func.coalesce(func.sum(ReturnLine.quantity), 0)).join(ReturnLine.authorization)
    counted = total.where(ReturnLine.order_line_id == line.id, is_settling())
    return int(session.execute(counted).scalar_one())


def is_settling() -> Any:
    """The condition for a return that settles its goods, by money or by another variant."""
    gives = (ReturnAuthorization.kind == "exchange") | ReturnAuthorization.refund_to.is_not(None)
    return ReturnAuthorization.status.not_in(VOID) & gives


def _is_paid_back_by_claim(session: Session, line: OrderLine) -> bool:
    of_line = (Claim.order_line_id == line.id) | Claim.order_line_id.is_(None)
    claims = select(Claim.id).where(Claim.order_id == line.order_id, of_line, Claim.resolution == "refund")
    return session.execute(claims.limit(1)).first() is not None


def pieces_unpaid_back(session: Session, line: OrderLine) -> int:
    """Pieces that the shopper has paid for and not been promised money or another piece for, arrived or not."""
    return max(0, line.quantity - pieces_back(session, line))


def pieces_left(session: Session, line: OrderLine) -> int:
    """Pieces that are with the shopper and can still go back."""
    return max(0, pieces_arrived(session, line) - pieces_back(session, line))


def pieces_arrived(session: Session, line: OrderLine) -> int:
    """Pieces handed over. A replacement of a line is in a parcel of its own and makes them no more than were bought."""
    arrived = sum(part.quantity for part in _parts(session, line) if _arrival(part.fulfilment) is not None)
    return min(arrived, line.quantity)


def delivered_at(session: Session, line: OrderLine) -> datetime | None:
    """When the last pieces of the line arrived; None while none have."""
    arrivals = (_arrival(part.fulfilment) for part in _parts(session, line))
    return max((each for each in arrivals if each is not None), default=None)


def open_return(session: Session, order_id: int) -> ReturnAuthorization | None:
    """The order's return or exchange whose goods are on their way or not looked at yet."""
    statement = select(ReturnAuthorization).where(ReturnAuthorization.order_id == order_id, ReturnAuthorization.status.in_(OPEN))
    return session.execute(statement.order_by(ReturnAuthorization.id)).scalars().first()


def open_return_of(session: Session, line: OrderLine) -> ReturnAuthorization | None:
    """The return or exchange by which pieces of this line are on their way, or not looked at yet."""
    statement = select(ReturnAuthorization).join(ReturnLine, ReturnLine.authorization_id == ReturnAuthorization.id)
    of_line = statement.where(ReturnLine.order_line_id == line.id, ReturnAuthorization.status.in_(OPEN))
    return session.execute(of_line.order_by(ReturnAuthorization.id)).scalars().first()


def _parts(session: Session, line: OrderLine) -> Iterator[FulfilmentLine]:
    yield from session.execute(select(FulfilmentLine).where(FulfilmentLine.order_line_id == line.id)).scalars()


def _arrival(fulfilment: Fulfilment) -> datetime | None:
    arrivals = [each.delivered_at for each in fulfilment.shipments if each.delivered_at is not None]
    if arrivals:
        return max(arrivals)  # the carrier knows before the shop marks the fulfilment
    return _picked_up_at(fulfilment) if fulfilment.status == "delivered" else None


def _picked_up_at(fulfilment: Fulfilment) -> datetime:
    # A counter hands over without a parcel: the promised day stands in for the day, which nobody wrote down.
    order = fulfilment.order
    placed_at: datetime = order.placed_at
    if order.promised_on is None:
        return placed_at
    return max(placed_at, datetime.combine(order.promised_on, time.min, tzinfo=timezone.utc))
