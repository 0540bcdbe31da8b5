"""Facts about the shop itself, and marks such as "the demo was loaded"."""

from __future__ import annotations

from sqlalchemy import JSON, Column, String

from database import Base


class ShopSetting(Base):
    __tablename__ = "shop_setting"

    name = Column(String(64), primary_key=True)
    value = Column(JSON, nullable=False)
