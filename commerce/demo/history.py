"""The shop's made-up past: some two thousand orders in every state, and what came after them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from random import Random
from typing import Any

from commerce.demo.aftermath import CASH, Aftermath, paid
from commerce.demo.goods import Goods
from commerce.demo.orders import Plan, Written
from commerce.demo.people import Person, address_in, country_of, name_in
from commerce.demo.personas import RESERVED
from commerce.demo.states import STATES

FIRST_NUMBER = 10001
GUEST_SHARE, GIFT_SHARE, PROMOTION_SHARE, SPLIT_SHARE = 0.06, 0.05, 0.08, 0.03
LINES = (1, 1, 1, 2, 2, 3)
FAULT_SHARE = 0.1
LOYALTY = 2.5
TRIES = 12  # to find somebody who was a customer by then

# How many orders of each state, and how long ago their anchor may be. The rest of the orders were delivered.
SHARES: dict[str, tuple[int, tuple[int, int]]] = {
    "awaiting_payment": (40, (1, 3)),
    "payment_failed": (30, (1, 5)),
    "authorized": (20, (1, 2)),
    "paid": (80, (1, 2)),
    "preparing": (50, (1, 3)),
    "labelled": (25, (1, 2)),
    "partial": (40, (1, 4)),
    "in_transit": (90, (1, 3)),
    "out_for_delivery": (25, (0, 0)),
    "late": (35, (1, 9)),
    "lost": (12, (9, 25)),
    "delivery_failed": (12, (1, 3)),
    "returned_to_sender": (10, (3, 20)),
    "customs": (10, (1, 2)),
    "ready_for_pickup": (30, (1, 6)),
    "picked_up": (60, (5, 500)),
    "cancelled": (110, (2, 400)),
    "cancelled_unpaid": (30, (5, 400)),
}
OLDEST, CROWDING = 540, 1.6  # days; above 1 the newer days have more orders: the shop is growing
CANCEL_REASONS = ("no_longer_needed", "ordered_by_mistake", "found_cheaper", "arrives_too_late", "payment_problem")
RETURN_REASONS = ("too_small", "too_large", "changed_mind", "not_as_described")
# Status, and how long ago the order was delivered at least and at most.
RETURNS = (
    ("authorized", 8, 28),
    ("in_transit", 8, 28),
    ("received", 10, 28),
    ("inspected", 12, 28),
    *(("completed", 40, 400),) * 9,
    ("rejected", 40, 400),
    ("expired", 60, 400),
    ("cancelled", 20, 400),
)
RETURNS_TOTAL, EXCHANGES_TOTAL, CREDITS_TOTAL = 130, 40, 12
INSPECTED_REFUNDS = ("sent", "approved", "failed")
# Problem, resolution, status, rule.
CLAIMS = (
    ("damaged", "replacement", "replacing", "damaged"),
    ("damaged", "refund", "refunding", "damaged"),
    ("damaged", "agent", "with_agent", "above_limit"),
    ("wrong_item", "replacement", "closed", "wrong_item"),
    ("wrong_item", "refund", "closed", "wrong_item"),
    ("missing_item", "replacement", "open", "missing_item"),
    ("missing_item", "refund", "closed", "missing_item"),
    ("not_received", "carrier_search", "waiting_for_carrier", "delivered_not_received"),
)
CLAIMS_TOTAL = 56


@dataclass
class History:
    """Draws orders for these people; the same `random` draws the same."""

    random: Random
    people: Sequence[Person]
    goods: Goods
    skus: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.skus = sorted(self.goods.by_sku)

    def plans(self, total: int) -> list[Plan]:
        """Oldest first, so that numbers rise with time."""
        drawn = sorted(self._states(total), key=lambda each: -(each[1] + STATES[each[0]].placed))
        numbers = (number for number in range(FIRST_NUMBER, 99999) if number not in RESERVED)
        return [self._plan(str(number), state, days) for number, (state, days) in zip(numbers, drawn, strict=False)]

    def _states(self, total: int) -> Iterator[tuple[str, int]]:
        for state, (count, span) in SHARES.items():
            yield from ((state, self.random.randint(*span)) for _ in range(count))
        rest = total - sum(count for count, _ in SHARES.values())
        for _ in range(rest):
            yield "delivered", 1 + int(OLDEST * self.random.random() ** CROWDING)

    def _plan(self, number: str, state: str, days: int) -> Plan:
        person = self._buyer(days + STATES[state].placed)
        country = person.country if person else self.random.choice(("MX", "ES", "US"))
        email = person.email if person else f"guest{number}@example.org"
        address = person.address if person else address_in(country, name_in(country, self.random), self.random)
        is_pickup = STATES[state].is_pickup
        return Plan(
            number=number,
            state=state,
            days=days,
            items=self._items(2 if state == "partial" else self.random.choice(LINES)),
            person=person,
            email=email,
            country=country,
            address=address,
            methods=self._methods(country, state, is_pickup),
            is_gift=self.random.random() < GIFT_SHARE,
            has_promotion=self.random.random() < PROMOTION_SHARE,
        )

    def _buyer(self, placed: int) -> Person | None:
        if self.random.random() < GUEST_SHARE:
            return None
        # A few people buy a lot: they reach the higher tiers.
        drawn = (self.people[int(len(self.people) * self.random.random() ** LOYALTY)] for _ in range(TRIES))
        return next((person for person in drawn if person.joined > placed), None)

    def _items(self, lines: int) -> tuple[tuple[str, int], ...]:
        return tuple((sku, self.random.choice((1, 1, 1, 1, 2))) for sku in self.random.sample(self.skus, lines))

    def _methods(self, country: str, state: str, is_pickup: bool) -> tuple[str, ...]:
        if state == "awaiting_payment":
            return ({"MX": "oxxo", "BR": "pix"}.get(country, "bank_transfer"),)
        if state in ("payment_failed", "authorized", "cancelled_unpaid"):
            return ("card",)
        if is_pickup and self.random.random() < SPLIT_SHARE * 4:
            return ("cash",)
        if self.random.random() < SPLIT_SHARE:
            return ("gift_card", "card")
        return (self.random.choice(country_of(country)["methods"]),)


def continue_history(written: Sequence[Written], aftermath: Aftermath, random: Random) -> None:
    """Cancellations, returns, exchanges, claims and credits on those orders, each order at most once."""
    for each in written:
        if each.plan.state.startswith("cancelled"):
            aftermath.cancel(each, random.choice(CANCEL_REASONS), random.choice(("customer", "customer", "shop")))
    delivered = paid(each for each in written if each.plan.state == "delivered" and not each.plan.is_gift)
    random.shuffle(delivered)
    _returns(delivered, aftermath, random)
    _exchanges(delivered, aftermath, random)
    _claims(delivered, aftermath, random)
    destinations = cycle(("store_credit", "gift_card"))
    for _ in range(CREDITS_TOTAL):
        each = _pick(delivered, 10, 300)
        aftermath.apologise(each, each.row["total_minor"] // 10, each.plan.days - 1, next(destinations))
    for each in (each for each in written if each.plan.state == "lost"):
        aftermath.claim(each, "not_received", "carrier_search", "waiting_for_carrier", 2, "lost")


def _returns(delivered: list[Written], aftermath: Aftermath, random: Random) -> None:
    refunds = cycle(INSPECTED_REFUNDS)
    for status, newest, oldest in _deal(RETURNS, RETURNS_TOTAL):
        # Store credit is there at once: what is on its way goes back to where it came from.
        refund_status = next(refunds) if status == "inspected" else None
        refund_to = "original" if refund_status else random.choice(("original", "original", "store_credit"))
        each = _pick(delivered, newest, oldest, _may_go_back if refund_to == "original" else _may_come_back)
        is_fault = random.random() < FAULT_SHARE
        aftermath.give_back(
            each,
            status,
            each.plan.days - random.randint(2, 6),
            "defective" if is_fault else random.choice(RETURN_REASONS),
            method=random.choice(("drop_off", "drop_off", "pick_up", "store")),
            refund_to=refund_to,
            refund_status=refund_status,
            rule="our_fault" if is_fault else "in_window",
        )


def _exchanges(delivered: list[Written], aftermath: Aftermath, random: Random) -> None:
    for status, newest, oldest in _deal(RETURNS, EXCHANGES_TOTAL):
        each = _pick(delivered, newest, oldest, _may_come_back)
        aftermath.swap(each, status, each.plan.days - random.randint(2, 6), random.choice(("too_small", "too_large")))


def _claims(delivered: list[Written], aftermath: Aftermath, random: Random) -> None:
    for problem, resolution, status, rule in _deal(CLAIMS, CLAIMS_TOTAL):
        newest, oldest = (12, 300) if status == "closed" else (4, 25)
        each = _pick(delivered, newest, oldest, _may_go_back if resolution == "refund" else _anything)
        aftermath.claim(each, problem, resolution, status, each.plan.days - random.randint(1, 3), rule)


def _deal(deck: Sequence[tuple[Any, ...]], total: int) -> Iterator[tuple[Any, ...]]:
    """So many cards, from the top again when the deck is through."""
    cards = cycle(deck)
    return (next(cards) for _ in range(total))


def _anything(_: Written) -> bool:
    return True


def _may_come_back(written: Written) -> bool:
    return not written.lines[0]["is_final_sale"]


def _may_go_back(written: Written) -> bool:
    """The goods to the shop, and the money to where it came from: cash has no way back."""
    return _may_come_back(written) and written.plan.methods[-1] not in CASH


def _pick(orders: list[Written], newest: int, oldest: int, fits: Callable[[Written], bool] = _anything) -> Written:
    """Take one out that was delivered so many days ago. Raises LookupError: there is none left."""
    for place, each in enumerate(orders):
        if newest <= each.plan.days <= oldest and fits(each):
            return orders.pop(place)
    raise LookupError(f"no order was delivered {newest} to {oldest} days ago")
