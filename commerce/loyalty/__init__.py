"""Loyalty: points in lots, the standing that they give, vouchers for points, and disputes about missing points."""

from commerce.loyalty.adjustments import AdjustPoints, TakeBackAdjustment
from commerce.loyalty.disputes import DisputePoints
from commerce.loyalty.ledger import (
    Lot,
    NotEnoughPoints,
    Reversal,
    adjust,
    balance,
    expire_due,
    explain,
    lots,
    reverse_for_return,
)
from commerce.loyalty.redemption import RedeemPoints
from commerce.loyalty.standing import Expiry, Standing, earn_for_order, points_of, standing, tier, tiers

__all__ = [
    "AdjustPoints",
    "DisputePoints",
    "Expiry",
    "Lot",
    "NotEnoughPoints",
    "RedeemPoints",
    "Reversal",
    "Standing",
    "TakeBackAdjustment",
    "adjust",
    "balance",
    "earn_for_order",
    "expire_due",
    "explain",
    "lots",
    "points_of",
    "reverse_for_return",
    "standing",
    "tier",
    "tiers",
]
