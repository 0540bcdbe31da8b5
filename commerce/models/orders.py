"""Orders: what was bought, how it was paid, and the way of each parcel."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, CheckConstraint, Column, Date, ForeignKey, Integer, String
from sqlalchemy.orm import relationship

from database import Base, UTCDateTime


class Order(Base):
    """Status: placed (not paid yet), paid, preparing (being packed: fulfilment has begun), partially_shipped, shipped,
    ready_for_pickup, delivered (all of it), cancelled."""

    __tablename__ = "orders"

    id = Column(Integer, primary_key=True)
    number = Column(String(32), nullable=False, unique=True)
    customer_id = Column(ForeignKey("customer.id"), nullable=True, index=True)  # null: a guest, known by `email` only
    email = Column(String(254), nullable=True, index=True)
    status = Column(String(20), nullable=False, index=True)
    currency = Column(String(3), nullable=False)
    placed_at = Column(UTCDateTime, nullable=False)
    promised_on = Column(Date, nullable=True)  # the day promised at checkout
    delivery_method = Column(String(16), nullable=False, default="ship")  # ship | pickup
    pickup_location_id = Column(ForeignKey("location.id"), nullable=True)
    shipping_address = Column(
        JSON, nullable=False, default=dict
    )  # a snapshot: recipient, line1, line2, city, region, postcode, country
    is_gift = Column(Boolean, nullable=False, default=False)
    shipping_minor = Column(Integer, nullable=False, default=0)
    discount_minor = Column(Integer, nullable=False, default=0)
    promotion_code = Column(String(32), nullable=True)
    total_minor = Column(Integer, nullable=False)  # lines + shipping - discount
    items_changed_at = Column(UTCDateTime, nullable=True)  # items may be changed once
    version = Column(Integer, nullable=False, default=1)  # rises with every change: a summary of an older version is stale
    customer = relationship("Customer", back_populates="orders")
    lines = relationship("OrderLine", back_populates="order", order_by="OrderLine.id")
    payments = relationship("Payment", back_populates="order", order_by="Payment.id")
    fulfilments = relationship("Fulfilment", back_populates="order", order_by="Fulfilment.id")
    cancellation = relationship("Cancellation", back_populates="order", uselist=False)
    pickup_location = relationship("Location")


class OrderLine(Base):
    __tablename__ = "order_line"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

    id = Column(Integer, primary_key=True)
    order_id = Column(ForeignKey("orders.id"), nullable=False, index=True)
    variant_id = Column(ForeignKey("variant.id"), nullable=False, index=True)
    sku = Column(String(64), nullable=False)  # as sold
    quantity = Column(Integer, nullable=False)
    unit_price_minor = Column(Integer, nullable=False)  # as sold, after line discounts
    is_final_sale = Column(Boolean, nullable=False, default=False)  # as sold
    order = relationship("Order", back_populates="lines")
    variant = relationship("Variant")


class Payment(Base):
    """Status: pending, authorized, captured, failed, voided (called off before it was collected), refunded,
    partially_refunded. Never card data: a label at most."""

    __tablename__ = "payment"

    id = Column(Integer, primary_key=True)
    order_id = Column(ForeignKey("orders.id"), nullable=False, index=True)
    method = Column(String(16), nullable=False)  # card | paypal | bank_transfer | gift_card | store_credit | oxxo | pix | cash
    label = Column(String(40), nullable=False, default="")  # "Visa ···· 4242"
    amount_minor = Column(Integer, nullable=False)
    status = Column(String(20), nullable=False)
    created_at = Column(UTCDateTime, nullable=False)
    order = relationship("Order", back_populates="payments")


class Fulfilment(Base):
    """A part of an order packed at one place. Status: pending, preparing, shipped, ready_for_pickup, delivered, cancelled."""

    __tablename__ = "fulfilment"

    id = Column(Integer, primary_key=True)
    order_id = Column(ForeignKey("orders.id"), nullable=False, index=True)
    location_id = Column(ForeignKey("location.id"), nullable=False)
    status = Column(String(20), nullable=False)
    order = relationship("Order", back_populates="fulfilments")
    location = relationship("Location")
    lines = relationship("FulfilmentLine", back_populates="fulfilment", order_by="FulfilmentLine.id")
    shipments = relationship("Shipment", back_populates="fulfilment", order_by="Shipment.id")


class FulfilmentLine(Base):
    __tablename__ = "fulfilment_line"

    id = Column(Integer, primary_key=True)
    fulfilment_id = Column(ForeignKey("fulfilment.id"), nullable=False, index=True)
    order_line_id = Column(ForeignKey("order_line.id"), nullable=False, index=True)
    quantity = Column(Integer, nullable=False)
    fulfilment = relationship("Fulfilment", back_populates="lines")
    order_line = relationship("OrderLine")


class Shipment(Base):
    """Status: label_created, in_transit, out_for_delivery, delivered, delivery_failed, lost, returned_to_sender."""

    __tablename__ = "shipment"

    id = Column(Integer, primary_key=True)
    fulfilment_id = Column(ForeignKey("fulfilment.id"), nullable=False, index=True)
    carrier = Column(String(32), nullable=False)
    tracking_number = Column(String(64), nullable=False, unique=True)
    tracking_url = Column(String(200), nullable=False, default="")
    status = Column(String(20), nullable=False)
    shipped_at = Column(UTCDateTime, nullable=True)
    promised_on = Column(Date, nullable=True)
    delivered_at = Column(UTCDateTime, nullable=True)
    fulfilment = relationship("Fulfilment", back_populates="shipments")
    events = relationship("ShipmentEvent", back_populates="shipment", order_by="ShipmentEvent.occurred_at")


class ShipmentEvent(Base):
    __tablename__ = "shipment_event"

    id = Column(Integer, primary_key=True)
    shipment_id = Column(ForeignKey("shipment.id"), nullable=False, index=True)
    occurred_at = Column(UTCDateTime, nullable=False)
    code = Column(
        String(24), nullable=False
    )  # picked_up | arrived_at_hub | customs | out_for_delivery | delivery_failed | delivered | lost
    place = Column(String(80), nullable=False, default="")
    shipment = relationship("Shipment", back_populates="events")


class Cancellation(Base):
    """An order called off before fulfilment. Money back is a Refund."""

    __tablename__ = "cancellation"

    id = Column(Integer, primary_key=True)
    order_id = Column(ForeignKey("orders.id"), nullable=False, unique=True)
    reason = Column(String(32), nullable=False)
    cancelled_at = Column(UTCDateTime, nullable=False)
    cancelled_by = Column(String(16), nullable=False, default="customer")  # customer | shop
    order = relationship("Order", back_populates="cancellation")
