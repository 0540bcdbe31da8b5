"""The figures that answers quote ("45 days for silver"), so that no text repeats a number by hand."""

from __future__ import annotations

from datetime import date

from commerce.policies.tables import Policies


def policy_facts(policies: Policies, on: date) -> dict[str, str]:
    """Figures in force on that day, by the name that an answer uses for them.

    Money is in major units after its currency's code (`MXN 999`), the same in every language. Raises PolicyError
    where a table or number is gone.
    """
    return {
        **_by_fact(policies, on, "return_eligibility", "return_days"),
        **{figure: str(policies.number(table, number, on, **facts)) for figure, (table, number, facts) in _FIGURES.items()},
        **_free_shipping(policies, on),
    }


_FIGURES: dict[str, tuple[str, str, dict[str, str]]] = {
    "refund_days_min": ("refund_destination", "refund_days_min", {}),
    "refund_days_max": ("refund_destination", "refund_days_max", {}),
    "gift_extra_days": ("return_eligibility", "gift_extra_days", {}),
    "defect_days": ("return_eligibility", "defect_days", {}),
    "points_expiry_months": ("expiry", "expiry_months", {"tier": "standard"}),
    "points_expiry_months_gold": ("expiry", "expiry_months", {"tier": "gold"}),
    "silver_threshold": ("tiers", "silver_threshold", {}),
    "gold_threshold": ("tiers", "gold_threshold", {}),
    "redeem_minimum": ("redemption", "redeem_minimum", {}),
    "redeem_step": ("redemption", "redeem_step", {}),
}


def _by_fact(policies: Policies, on: date, table: str, number: str) -> dict[str, str]:
    amounts = policies.table(table, on).numbers[number].amounts
    return {f"{number}_{key}": str(amount) for key, amount in amounts.items()}


def _free_shipping(policies: Policies, on: date) -> dict[str, str]:
    amounts = policies.table("shipping_fee", on).numbers["free_shipping_from"].amounts
    told = {currency: _major(amount) for currency, amount in amounts.items()}
    each = {f"free_shipping_from_{currency.lower()}": amount for currency, amount in told.items()}
    return {"free_shipping_from": ", ".join(f"{currency} {amount}" for currency, amount in told.items()), **each}


def _major(minor: int) -> str:
    """Every currency of the tables has a hundred minor units."""
    whole, cents = divmod(minor, 100)
    return f"{whole}.{cents:02}" if cents else str(whole)
