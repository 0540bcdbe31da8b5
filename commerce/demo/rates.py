"""The figures of the shop's policies that the demo's history is made with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from commerce.policies import Policies

WELCOME_POINTS = 50
RETURN_SEND_DAYS = 14
TIERS = ("standard", "silver", "gold")


@dataclass(frozen=True)
class Rates:
    """Money in minor units by currency; `percent` and `expiry_months` by tier."""

    minor_per_point: Mapping[str, int]
    percent: Mapping[str, int]
    expiry_months: Mapping[str, int]
    silver_from: int
    gold_from: int
    redeem_minimum: int
    redeem_step: int
    value_per_step: Mapping[str, int]
    voucher_valid_days: int
    free_shipping_from: Mapping[str, int]
    shipping_fee: Mapping[str, int]
    refund_days: tuple[int, int]

    def points(self, goods_minor: int, currency: str, tier: str) -> int:
        """What a purchase earns."""
        return goods_minor * self.percent[tier] // (self.minor_per_point[currency] * 100)

    def tier(self, points_12_months: int) -> str:
        if points_12_months >= self.gold_from:
            return "gold"
        return "silver" if points_12_months >= self.silver_from else "standard"


def read_rates(policies: Policies, today: date, currencies: list[str]) -> Rates:
    """Raises PolicyError where a table or number is gone."""

    def number(table: str, name: str) -> int:
        return policies.number(table, name, today)

    def each(table: str, name: str, by: str, keys: tuple[str, ...] | list[str]) -> dict[str, int]:
        return {key: policies.number(table, name, today, **{by: key}) for key in keys}

    return Rates(
        minor_per_point=each("earning", "minor_per_point", "currency", currencies),
        percent=each("earning", "percent", "tier", TIERS),
        expiry_months=each("expiry", "expiry_months", "tier", TIERS),
        silver_from=number("tiers", "silver_threshold"),
        gold_from=number("tiers", "gold_threshold"),
        redeem_minimum=number("redemption", "redeem_minimum"),
        redeem_step=number("redemption", "redeem_step"),
        value_per_step=each("redemption", "value_per_step", "currency", currencies),
        voucher_valid_days=number("redemption", "voucher_valid_days"),
        free_shipping_from=each("shipping_fee", "free_shipping_from", "currency", currencies),
        shipping_fee=each("shipping_fee", "home_fee", "currency", currencies),
        refund_days=(number("refund_destination", "refund_days_min"), number("refund_destination", "refund_days_max")),
    )
