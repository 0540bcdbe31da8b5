"""Goods back (ReturnAuthorization), money back (Refund) and things that went wrong (Claim)."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, Column, Date, ForeignKey, Integer, String
from sqlalchemy.orm import relationship

from database import Base, UTCDateTime


class ReturnAuthorization(Base):
    """Kind: return (money back) or exchange (another variant of the same product).
    Status: authorized (label sent), in_transit, received, inspected, completed, rejected, expired, cancelled."""

    __tablename__ = "return_authorization"

    id = Column(Integer, primary_key=True)
    rma_number = Column(String(32), nullable=False, unique=True)
    order_id = Column(ForeignKey("orders.id"), nullable=False, index=True)
    customer_id = Column(ForeignKey("customer.id"), nullable=True, index=True)
    kind = Column(String(12), nullable=False)
    status = Column(String(16), nullable=False)
    reason = Column(String(32), nullable=False)
    method = Column(String(12), nullable=False)  # drop_off | pick_up
    refund_to = Column(String(16), nullable=True)  # original | store_credit; null for an exchange of equal price
    shipping_paid_by = Column(String(12), nullable=False, default="shop")  # shop | shopper
    exchange_variant_id = Column(ForeignKey("variant.id"), nullable=True)
    difference_minor = Column(Integer, nullable=False, default=0)  # exchange: above 0 the shopper pays
    policy_rule = Column(String(64), nullable=False)  # the rule that allowed it
    label_path = Column(String(200), nullable=True)  # the label's PDF, below TENDERO_HOME
    authorized_at = Column(UTCDateTime, nullable=False)
    send_by = Column(Date, nullable=False)
    order = relationship("Order")
    lines = relationship("ReturnLine", back_populates="authorization", order_by="ReturnLine.id")
    refunds = relationship("Refund", back_populates="authorization", order_by="Refund.id")
    exchange_variant = relationship("Variant")


class ReturnLine(Base):
    __tablename__ = "return_line"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

    id = Column(Integer, primary_key=True)
    authorization_id = Column(ForeignKey("return_authorization.id"), nullable=False, index=True)
    order_line_id = Column(ForeignKey("order_line.id"), nullable=False, index=True)
    quantity = Column(Integer, nullable=False)
    authorization = relationship("ReturnAuthorization", back_populates="lines")
    order_line = relationship("OrderLine")


class Refund(Base):
    """Money back. Status: waiting_for_goods, approved, sent (to the bank), settled, failed."""

    __tablename__ = "refund"

    id = Column(Integer, primary_key=True)
    order_id = Column(ForeignKey("orders.id"), nullable=False, index=True)
    authorization_id = Column(ForeignKey("return_authorization.id"), nullable=True, index=True)
    payment_id = Column(ForeignKey("payment.id"), nullable=True)
    reason = Column(String(20), nullable=False)  # cancellation | return | price_difference | payment_change | claim | goodwill
    destination = Column(String(16), nullable=False)  # original | store_credit | gift_card
    amount_minor = Column(Integer, nullable=False)
    currency = Column(String(3), nullable=False)
    status = Column(String(20), nullable=False)
    created_at = Column(UTCDateTime, nullable=False)
    due_from = Column(Date, nullable=True)
    due_by = Column(Date, nullable=True)
    settled_at = Column(UTCDateTime, nullable=True)
    order = relationship("Order")
    authorization = relationship("ReturnAuthorization", back_populates="refunds")
    payment = relationship("Payment")


class Claim(Base):
    """Something went wrong. Status: open, replacing, refunding, waiting_for_carrier, with_agent, closed."""

    __tablename__ = "claim"

    id = Column(Integer, primary_key=True)
    claim_number = Column(String(32), nullable=False, unique=True)
    order_id = Column(ForeignKey("orders.id"), nullable=False, index=True)
    order_line_id = Column(ForeignKey("order_line.id"), nullable=True)
    customer_id = Column(ForeignKey("customer.id"), nullable=True, index=True)
    problem = Column(String(20), nullable=False)  # wrong_item | damaged | missing_item | not_received
    resolution = Column(String(20), nullable=False)  # replacement | refund | carrier_search | agent
    status = Column(String(20), nullable=False)
    note = Column(String(500), nullable=False, default="")
    evidence = Column(JSON, nullable=False, default=list)  # paths of pictures
    policy_rule = Column(String(64), nullable=False)
    opened_at = Column(UTCDateTime, nullable=False)
    order = relationship("Order")
    order_line = relationship("OrderLine")
