"""Taking back that something may be returned: `withdraw_return`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from commerce.models import ReturnAuthorization
from commerce.proposals import Assessment, Refusal, Values
from commerce.returns.eligibility import Pieces
from commerce.returns.issuing import shown
from commerce.returns.warehouse import withdraw


class WithdrawReturn:
    """Parameters: rma_number. Only while nothing is on its way: refuses with return_not_found and goods_under_way.

    kind: another name for the ledger, where it takes an earlier effect back.
    """

    def __init__(self, kind: str = "withdraw_return") -> None:
        self.kind = kind

    def assess(self, session: Session, customer_id: int, parameters: Values, now: datetime) -> Assessment | Refusal:
        found = _own(session, customer_id, parameters["rma_number"])
        if found is None:
            return Refusal("return_not_found", "return_not_found", values={"rma_number": parameters["rma_number"]})
        told = {"rma_number": found.rma_number, "order_number": found.order.number}
        if found.status != "authorized":
            return Refusal("goods_under_way", "goods_under_way", values={**told, "status": found.status})
        lost = sum(each.amount_minor for each in found.refunds if each.status == "waiting_for_goods")
        items = [shown(Pieces(each.order_line, each.quantity)) for each in found.lines]
        summary = {**told, "items": items, "refund_minor": lost, "currency": found.order.currency}
        return Assessment(summary, {"status": found.status})

    def perform(
        self,
        session: Session,
        customer_id: int,
        parameters: Values,
        assessment: Assessment,
        proposal_id: str,
        now: datetime,
    ) -> Values:
        found = _own(session, customer_id, parameters["rma_number"])
        assert found is not None  # it was assessed in this transaction, under the same lock
        withdraw(session, found)
        kept = ("rma_number", "order_number", "refund_minor", "currency")
        return {name: assessment.summary[name] for name in kept}


def _own(session: Session, customer_id: int, rma_number: str) -> ReturnAuthorization | None:
    """This customer's return, its row locked until the transaction ends; None for unknown and for anybody else's alike."""
    named = select(ReturnAuthorization).where(
        ReturnAuthorization.rma_number == rma_number, ReturnAuthorization.customer_id == customer_id
    )
    locked = named.with_for_update(of=ReturnAuthorization).execution_options(populate_existing=True)
    return session.execute(locked).scalar_one_or_none()
