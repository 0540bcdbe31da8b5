"""Loyalty: an append-only ledger in lots, and the vouchers that points became."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, String
from sqlalchemy.orm import relationship

from database import Base, UTCDateTime


class LedgerEntry(Base):
    """Rows are added, never edited. `earn` opens a lot (lot_id is null); `redeem`, `expire` and `adjust` below zero take
    points from the lot they name; `adjust` above zero opens a lot of its own."""

    __tablename__ = "ledger_entry"
    __table_args__ = (CheckConstraint("points <> 0", name="points"),)

    id = Column(Integer, primary_key=True)
    customer_id = Column(ForeignKey("customer.id"), nullable=False, index=True)
    kind = Column(String(8), nullable=False)  # earn | redeem | expire | adjust
    points = Column(Integer, nullable=False)  # signed
    lot_id = Column(ForeignKey("ledger_entry.id"), nullable=True, index=True)
    order_id = Column(ForeignKey("orders.id"), nullable=True, index=True)
    reason = Column(String(40), nullable=False, default="")  # purchase | return | goodwill | redemption | expiry | welcome ...
    occurred_at = Column(UTCDateTime, nullable=False)
    expires_at = Column(UTCDateTime, nullable=True)  # of the lot
    key = Column(String(80), nullable=False, unique=True)  # what made this row: the same cause twice adds nothing
    lot = relationship("LedgerEntry", remote_side=[id])
    order = relationship("Order")


class Voucher(Base):
    """Status: active, used, expired, revoked."""

    __tablename__ = "voucher"

    id = Column(Integer, primary_key=True)
    code = Column(String(24), nullable=False, unique=True)
    customer_id = Column(ForeignKey("customer.id"), nullable=False, index=True)
    amount_minor = Column(Integer, nullable=False)
    currency = Column(String(3), nullable=False)
    status = Column(String(8), nullable=False)
    issued_at = Column(UTCDateTime, nullable=False)
    expires_at = Column(UTCDateTime, nullable=False)
    proposal_id = Column(String(36), nullable=True, unique=True)
