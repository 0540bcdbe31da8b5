"""How many pieces of a line are with the shopper, and since when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timezone
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.engine import Row
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
    found = _found(session, order.id)
    return {line.id: _whereabouts(line, found) for line in order.lines}


def _of_line(session: Session, line: OrderLine) -> Whereabouts:
    return _whereabouts(line, _found(session, line.order_id))


@dataclass(frozen=True)
class _Found:
    """What became of an order's lines. parts, returns: by line. refunded: lines that a claim has paid for; None: all."""

    parts: Mapping[int, Sequence[FulfilmentLine]]
    returns: Mapping[int, Sequence[Row]]
    refunded: frozenset[int | None]


def _found(session: Session, order_id: int) -> _Found:
    asked = {"order_id": order_id}
    parts, returns = session.execute(_PARTS, asked).scalars(), session.execute(_RETURNS, asked)
    return _Found(_by_line(parts), _by_line(returns), frozenset(session.execute(_REFUNDED, asked).scalars()))


def _by_line(rows: Iterable[Any]) -> Mapping[int, list[Any]]:
    lines: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        lines[row.order_line_id].append(row)
    return lines


def _whereabouts(line: OrderLine, found: _Found) -> Whereabouts:
    parts, returns = found.parts.get(line.id, ()), found.returns.get(line.id, ())
    arrivals = [(arrival, part.quantity) for part in parts if (arrival := _arrival(part.fulfilment)) is not None]
    is_paid_back = bool({line.id, None} & found.refunded)
    return Whereabouts(
        arrived=min(sum(quantity for _, quantity in arrivals), line.quantity),
        back=line.quantity if is_paid_back else sum(each.quantity for each in returns if each.is_settling),
        delivered_at=max((arrival for arrival, _ in arrivals), default=None),
        was_exchanged=any(each.kind == "exchange" for each in returns),
    )


def is_settling() -> Any:
    """The condition for a return that settles its goods, by money or by another variant."""
    gives = (ReturnAuthorization.kind == "exchange") | ReturnAuthorization.refund_to.is_not(None)
    return ReturnAuthorization.status.not_in(VOID) & gives


_OF_ORDER = OrderLine.order_id == bindparam("order_id")
_PARCELS = joinedload(FulfilmentLine.fulfilment).selectinload(Fulfilment.shipments)
_PARTS = select(FulfilmentLine).join(FulfilmentLine.order_line).where(_OF_ORDER).options(_PARCELS)
_RETURNS = (
    select(ReturnLine.order_line_id, ReturnLine.quantity, ReturnAuthorization.kind, is_settling().label("is_settling"))
    .join(ReturnLine.authorization)
    .join(ReturnLine.order_line)
    .where(_OF_ORDER, ReturnAuthorization.status.not_in(VOID))
)
_REFUNDED = select(Claim.order_line_id).where(Claim.order_id == bindparam("order_id"), Claim.resolution == "refund")


def pieces_back(session: Session, line: OrderLine) -> int:
    """Pieces that went back or are promised to go back; all of them once a claim has paid for the line.

    A piece that goes back because another one was sent in its stead is not counted: the shopper has as many as before.
    """
    return _of_line(session, line).back


def pieces_unpaid_back(session: Session, line: OrderLine) -> int:
    """Pieces that the shopper has paid for and not been promised money or another piece for, arrived or not."""
    return max(0, line.quantity - pieces_back(session, line))


def pieces_left(session: Session, line: OrderLine) -> int:
    """Pieces that are with the shopper and can still go back."""
    return _of_line(session, line).left


def pieces_arrived(session: Session, line: OrderLine) -> int:
    """Pieces handed over. A replacement of a line is in a parcel of its own and makes them no more than were bought."""
    return _of_line(session, line).arrived


def delivered_at(session: Session, line: OrderLine) -> datetime | None:
    """When the last pieces of the line arrived; None while none have."""
    return _of_line(session, line).delivered_at


def open_return(session: Session, order_id: int) -> ReturnAuthorization | None:
    """The order's return or exchange whose goods are on their way or not looked at yet."""
    statement = select(ReturnAuthorization).where(ReturnAuthorization.order_id == order_id, ReturnAuthorization.status.in_(OPEN))
    return session.execute(statement.order_by(ReturnAuthorization.id)).scalars().first()


def open_return_of(session: Session, line: OrderLine) -> ReturnAuthorization | None:
    """The return or exchange by which pieces of this line are on their way, or not looked at yet."""
    statement = select(ReturnAuthorization).join(ReturnLine, ReturnLine.authorization_id == ReturnAuthorization.id)
    of_line = statement.where(ReturnLine.order_line_id == line.id, ReturnAuthorization.status.in_(OPEN))
    return session.execute(of_line.order_by(ReturnAuthorization.id)).scalars().first()


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
