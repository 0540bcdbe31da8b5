"""The demo's loyalty history: played through in time for each customer, so that no lot ever gives more than it has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from commerce.demo.days import months_later
from commerce.demo.rates import WELCOME_POINTS, Rates
from commerce.demo.rows import Rows
from commerce.models import LedgerEntry, Voucher

CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTWXYZ"
YEAR = timedelta(days=365)


@dataclass
class Lot:
    row: dict[str, Any]
    left: int


@dataclass
class Account:
    """One customer's ledger. `fixed_tier`: a persona's level; others' follows from what they earned."""

    rows: Rows
    rates: Rates
    customer_id: int
    currency: str
    fixed_tier: str | None = None
    lots: list[Lot] = field(default_factory=list)
    _events: list[tuple[datetime, int, Callable[[datetime], None]]] = field(default_factory=list)

    def on(self, at: datetime, event: Callable[[datetime], None]) -> None:
        """Something to happen then; `play` makes it happen."""
        self._events.append((at, len(self._events), event))

    def play(self, until: datetime) -> None:
        """Everything in the order of time, with each lot's expiry on its day."""
        for at, _, event in sorted(self._events, key=lambda each: each[:2]):
            self._expire(at)
            event(at)
        self._expire(until)

    @property
    def balance(self) -> int:
        return sum(lot.left for lot in self.lots)

    def tier(self, at: datetime) -> str:
        recent = [lot.row for lot in self.lots if lot.row["kind"] == "earn" and lot.row["occurred_at"] > at - YEAR]
        return self.fixed_tier or self.rates.tier(sum(row["points"] for row in recent))

    def welcome(self, at: datetime) -> None:
        self.open(at, WELCOME_POINTS, "welcome", f"welcome:{self.customer_id}")

    def earn(self, at: datetime, order: dict[str, Any]) -> None:
        goods = order["total_minor"] - order["shipping_minor"]
        points = self.rates.points(goods, self.currency, self.tier(at))
        if points:
            self.open(at, points, "purchase", f"earn:{order['number']}", order["id"])

    def open(
        self,
        at: datetime,
        points: int,
        reason: str,
        key: str,
        order_id: int | None = None,
        kind: str = "earn",
        expires_at: datetime | None = None,
    ) -> None:
        """A new lot; without `expires_at` it lasts as long as the tier's do."""
        months = self.rates.expiry_months[self.tier(at)]
        values = {"points": points, "kind": kind, "expires_at": expires_at or months_later(at, months)}
        self.lots.append(Lot(self._row(at, reason, key, order_id, **values), points))

    def redeem(self, at: datetime, points: int, random: Random, status: str | None = None) -> None:
        """Points for a voucher, in steps; nothing below the minimum."""
        points = min(points, self.balance) // self.rates.redeem_step * self.rates.redeem_step
        if points < self.rates.redeem_minimum:
            return
        code = "-".join("".join(random.choices(CODE_ALPHABET, k=4)) for _ in range(4))
        self.take(at, points, "redeem", "redemption", f"redeem:{code}")
        ends = at + timedelta(days=self.rates.voucher_valid_days)
        self.rows.add(
            Voucher,
            code=code,
            customer_id=self.customer_id,
            amount_minor=points // self.rates.redeem_step * self.rates.value_per_step[self.currency],
            currency=self.currency,
            status=status or "active",
            issued_at=at,
            expires_at=ends,
        )

    def reverse(self, at: datetime, order: dict[str, Any], goods_minor: int, cause: str) -> None:
        """Points of goods that came back, from the order's own lot and then from the others; never below zero."""
        own = [lot for lot in self.lots if lot.row["order_id"] == order["id"] and lot.row["kind"] == "earn"]
        goods = order["total_minor"] - order["shipping_minor"]
        due = sum(lot.row["points"] for lot in own) * goods_minor // goods if goods else 0
        self.take(at, min(due, self.balance), "adjust", "return", cause, order["id"], own)

    def take(
        self,
        at: datetime,
        points: int,
        kind: str,
        reason: str,
        cause: str,
        order_id: int | None = None,
        first: Iterable[Lot] = (),
    ) -> None:
        """From the lots in `first`, then from those that expire first."""
        chosen = {id(lot) for lot in first}
        ordered = sorted(self.lots, key=lambda lot: (id(lot) not in chosen, lot.row["expires_at"], lot.row["id"]))
        parts = 0
        for lot in ordered:
            part = min(points, lot.left)
            if part > 0:
                parts += 1
                values = {"kind": kind, "points": -part, "lot_id": lot.row["id"]}
                self._row(at, reason, f"{cause}:{parts}", order_id, **values)
                lot.left -= part
                points -= part

    def _expire(self, until: datetime) -> None:
        for lot in self.lots:
            if lot.left and lot.row["expires_at"] <= until:
                values = {"kind": "expire", "points": -lot.left, "lot_id": lot.row["id"]}
                key = f"expire:{lot.row['id']}"
                self._row(lot.row["expires_at"], "expiry", key, lot.row["order_id"], **values)
                lot.left = 0

    def _row(self, at: datetime, reason: str, key: str, order_id: int | None, **values: Any) -> dict[str, Any]:
        mine = {"customer_id": self.customer_id, "occurred_at": at, "reason": reason, "key": key, "order_id": order_id}
        return self.rows.add(LedgerEntry, **mine, **values)
