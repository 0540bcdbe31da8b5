"""Catalogue: what is sold, in which variants, at what price, and where it lies."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, CheckConstraint, Column, Float, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import relationship

from database import Base


class Category(Base):
    __tablename__ = "category"

    id = Column(Integer, primary_key=True)
    slug = Column(String(64), nullable=False, unique=True)  # "shirts": also the canonical value of the entity `category`
    names = Column(JSON, nullable=False)  # {"es": "Camisas", "en": "Shirts"}
    return_kind = Column(String(16), nullable=False, default="ordinary")  # ordinary | hygiene | final_sale
    products = relationship("Product", back_populates="category")


class Product(Base):
    __tablename__ = "product"

    id = Column(Integer, primary_key=True)
    handle = Column(String(96), nullable=False, unique=True)
    category_id = Column(ForeignKey("category.id"), nullable=False, index=True)
    brand = Column(String(64), nullable=True)
    names = Column(JSON, nullable=False)  # by language
    descriptions = Column(JSON, nullable=False, default=dict)  # by language
    attributes = Column(JSON, nullable=False, default=dict)  # {"material": {"es": "algodón", "en": "cotton"}}
    images = Column(JSON, nullable=False, default=list)  # URLs, the first is shown
    is_final_sale = Column(Boolean, nullable=False, default=False)
    category = relationship("Category", back_populates="products")
    variants = relationship("Variant", back_populates="product", order_by="Variant.id")


class Variant(Base):
    __tablename__ = "variant"

    id = Column(Integer, primary_key=True)
    product_id = Column(ForeignKey("product.id"), nullable=False, index=True)
    sku = Column(String(64), nullable=False, unique=True)
    options = Column(JSON, nullable=False, default=dict)  # {"size": "M", "color": "blue"}: canonical values
    is_active = Column(Boolean, nullable=False, default=True)
    product = relationship("Product", back_populates="variants")
    prices = relationship("Price", back_populates="variant")
    stock_levels = relationship("StockLevel", back_populates="variant")


class Price(Base):
    __tablename__ = "price"
    __table_args__ = (UniqueConstraint("variant_id", "currency"), CheckConstraint("amount_minor >= 0", name="positive"))

    id = Column(Integer, primary_key=True)
    variant_id = Column(ForeignKey("variant.id"), nullable=False, index=True)
    currency = Column(String(3), nullable=False)
    amount_minor = Column(Integer, nullable=False)
    variant = relationship("Variant", back_populates="prices")


class Location(Base):
    __tablename__ = "location"

    id = Column(Integer, primary_key=True)
    code = Column(String(32), nullable=False, unique=True)  # "cdmx": also the canonical value of the entity `store`
    kind = Column(String(16), nullable=False)  # warehouse | store
    name = Column(String(96), nullable=False)
    address = Column(String(200), nullable=False)
    city = Column(String(64), nullable=False)
    country = Column(String(2), nullable=False)
    latitude = Column(Float, nullable=True)  # degrees north; null: nobody is told how far it is
    longitude = Column(Float, nullable=True)  # degrees east


class StockLevel(Base):
    __tablename__ = "stock_level"
    __table_args__ = (UniqueConstraint("variant_id", "location_id"), CheckConstraint("quantity >= 0", name="positive"))

    id = Column(Integer, primary_key=True)
    variant_id = Column(ForeignKey("variant.id"), nullable=False, index=True)
    location_id = Column(ForeignKey("location.id"), nullable=False, index=True)
    quantity = Column(Integer, nullable=False)
    variant = relationship("Variant", back_populates="stock_levels")
    location = relationship("Location")
