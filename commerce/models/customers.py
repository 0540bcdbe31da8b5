"""Customers and where they live. Who is writing on which channel is messaging's business."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String
from sqlalchemy.orm import relationship

from database import Base, UTCDateTime


class Customer(Base):
    __tablename__ = "customer"

    id = Column(Integer, primary_key=True)
    number = Column(String(32), nullable=False, unique=True)  # "C-10001"
    name = Column(String(120), nullable=False)
    email = Column(String(254), nullable=True, unique=True)  # lower case; null once erased
    phone = Column(String(24), nullable=True, unique=True)  # E.164 with +; null once erased
    language = Column(String(5), nullable=False)
    country = Column(String(2), nullable=False)
    currency = Column(String(3), nullable=False)
    created_at = Column(UTCDateTime, nullable=False)
    accepts_marketing = Column(Boolean, nullable=False, default=False)
    erased_at = Column(UTCDateTime, nullable=True)  # personal data gone, ledger rows kept under the number
    addresses = relationship("CustomerAddress", back_populates="customer", order_by="CustomerAddress.id")
    orders = relationship("Order", back_populates="customer", order_by="Order.placed_at.desc()")


class CustomerAddress(Base):
    __tablename__ = "customer_address"

    id = Column(Integer, primary_key=True)
    customer_id = Column(ForeignKey("customer.id"), nullable=False, index=True)
    label = Column(String(32), nullable=False, default="home")
    recipient = Column(String(120), nullable=False)
    line1 = Column(String(200), nullable=False)
    line2 = Column(String(200), nullable=False, default="")
    city = Column(String(80), nullable=False)
    region = Column(String(80), nullable=False, default="")
    postcode = Column(String(16), nullable=False)
    country = Column(String(2), nullable=False)
    is_default = Column(Boolean, nullable=False, default=False)
    customer = relationship("Customer", back_populates="addresses")
