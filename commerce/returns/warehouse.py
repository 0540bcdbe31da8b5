"""What happens after the label: goods arrive, are looked at, or never come.

Stock: pieces that come back are counted in by the shop's own stock-keeping, which knows their state; here only pieces
that were reserved for an exchange and are not needed go back on the shelf.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from commerce.models import Effect, Payment, Refund, ReturnAuthorization, ReturnLine
from commerce.policies import Policies
from commerce.refunds import approve_refund
from commerce.reservations import give_back
from commerce.returns.amounts import pieces_minor
from commerce.returns.points import reverse_points
from commerce.returns.quantities import is_settling

WAITING = ("authorized", "in_transit")


class UnknownReturn(Exception):
    """No return of that number."""


def receive_goods(session: Session, rma_number: str, now: datetime, policies: Policies) -> ReturnAuthorization:
    """The goods are back. Unless the rule that allowed the return asks for an inspection, its money is approved and
    its points are taken back, in the goods' part. A second call changes nothing. Raises UnknownReturn."""
    authorization = _locked(session, rma_number)
    if authorization.status in WAITING:
        authorization.status = "received"
        session.flush()
        if not _needs_inspection(authorization, policies):
            _approve(session, authorization, policies, now)
    return authorization


def inspect_goods(session: Session, rma_number: str, accepted: bool, now: datetime, policies: Policies) -> ReturnAuthorization:
    """Somebody has looked at received goods. Accepted: as after receiving without inspection. Else the return is
    rejected, its refunds fail and the goods go back to the shopper. Does nothing unless received. Raises UnknownReturn."""
    authorization = _locked(session, rma_number)
    if authorization.status == "received" and accepted:
        _approve(session, authorization, policies, now)
    elif authorization.status == "received":
        _void(session, authorization, "rejected")
    return authorization


def expire_overdue(session: Session, today: date) -> list[str]:
    """Close the returns whose goods were to be sent before `today` and have not been: their RMA numbers."""
    statement = select(ReturnAuthorization).where(ReturnAuthorization.status == "authorized", ReturnAuthorization.send_by < today)
    overdue = list(session.execute(statement.order_by(ReturnAuthorization.id).with_for_update()).scalars())
    for authorization in overdue:
        _void(session, authorization, "expired")
    return [each.rma_number for each in overdue]


def withdraw(session: Session, authorization: ReturnAuthorization) -> None:
    """Nothing is to come back after all: its refunds fail. Raises ValueError where the goods are under way, or back."""
    if authorization.status != "authorized":
        raise ValueError(f"{authorization.rma_number} is {authorization.status}")
    _void(session, authorization, "cancelled")


def _locked(session: Session, rma_number: str) -> ReturnAuthorization:
    statement = select(ReturnAuthorization).where(ReturnAuthorization.rma_number == rma_number).with_for_update()
    found = session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()
    if found is None:
        raise UnknownReturn(f"no return {rma_number}")
    return found


def _needs_inspection(authorization: ReturnAuthorization, policies: Policies) -> bool:
    # The table knows: the rule that allowed the return says so, in the version of that day.
    table = "return_eligibility" if authorization.kind == "return" else "exchange_eligibility"
    rules = policies.table(table, authorization.authorized_at.date()).rules
    return any(bool(rule.values.get("inspection")) for rule in rules if rule.id == authorization.policy_rule)


def _approve(session: Session, authorization: ReturnAuthorization, policies: Policies, now: datetime) -> None:
    reverse_points(session, authorization.order, _goods_back_minor(session, authorization), authorization.rma_number, now)
    waiting = _refunds(session, authorization, "waiting_for_goods")
    authorization.status = "inspected" if waiting else "completed"
    session.flush()
    for refund in waiting:
        approve_refund(session, refund, policies, now)


def _refunds(session: Session, authorization: ReturnAuthorization, status: str) -> list[Refund]:
    statement = select(Refund).where(Refund.authorization_id == authorization.id, Refund.status == status)
    return list(session.execute(statement.order_by(Refund.id)).scalars())


def _goods_back_minor(session: Session, authorization: ReturnAuthorization) -> int:
    """What the goods that stay with the shop were worth: for an exchange, only what its new goods are cheaper by; nothing
    where a claim sent other goods in their stead."""
    if authorization.refund_to is None:
        return 0
    if authorization.kind == "exchange":
        refunds = _refunds(session, authorization, "waiting_for_goods")
        return sum(each.amount_minor for each in refunds)
    return sum(pieces_minor(each.order_line, _back_before(session, each), each.quantity) for each in authorization.lines)


def _back_before(session: Session, part: ReturnLine) -> int:
    earlier = (
        select(ReturnLine)
        .join(ReturnLine.authorization)
        .where(
            ReturnLine.order_line_id == part.order_line_id,
            ReturnLine.authorization_id < part.authorization_id,
            is_settling(),
        )
    )
    return sum(each.quantity for each in session.execute(earlier).scalars())


def _void(session: Session, authorization: ReturnAuthorization, status: str) -> None:
    authorization.status = status
    for refund in _refunds(session, authorization, "waiting_for_goods"):
        refund.status = "failed"
    if authorization.kind == "exchange":
        _release(session, authorization)
    session.flush()


def _release(session: Session, authorization: ReturnAuthorization) -> None:
    """Put the reserved pieces back where the effect of the exchange says that they came from."""
    of_that_moment = select(Effect).where(Effect.kind == "authorize_exchange", Effect.done_at == authorization.authorized_at)
    for effect in session.execute(of_that_moment).scalars():
        if effect.result["rma_number"] == authorization.rma_number:
            quantity = sum(each.quantity for each in authorization.lines)
            give_back(session, authorization.exchange_variant_id, effect.result["location_id"], quantity)
            _withdraw_payment(session, effect.result["payment_id"])


def _withdraw_payment(session: Session, payment_id: int | None) -> None:
    payment = session.get(Payment, payment_id) if payment_id is not None else None
    if payment is not None and payment.status == "pending":
        payment.status = "voided"
