"""Which order and which item of it: the steps that most forms begin with."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from rapidfuzz import fuzz

from actions import formats
from actions.choices import Option
from actions.task_form import ChoiceStep, End, Reply
from actions.turn import Turn
from commerce import orders
from commerce.models import Order, OrderLine

MOST_ORDERS = 5
KNOWN_ORDERS = 50
SAME_WORD = 84  # rapidfuzz ratio, 0 to 100
SHORTEST_WORD = 4  # characters of a name's word that says something


class OrderStep(ChoiceStep):
    """Which order: by number, by what is in it, "my last order", the one just spoken of, or by choosing.

    statuses: the orders that come into question; empty for all. They narrow what is offered, never what may be named: whoever
    names an order that cannot be cancelled gets the reason.
    """

    slot = "order_number"
    question = "utter_choose_order"

    def __init__(self, statuses: Sequence[str] = ()) -> None:
        self.statuses = frozenset(statuses)

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        if asked and (chosen := super().read(turn, asked)) is not None:
            return chosen
        remember_item_words(turn, asked)
        number = turn.entity("order_number")
        return self._named(turn, number) if number else None

    def settle(self, turn: Turn) -> Any | End | None:
        if (wanted := turn.slots.get("wanted_order")) is not None:
            turn.set("wanted_order", None)
            if (value := self._named(turn, wanted).value) is not None:
                return value
        candidates = self._candidates(turn)
        if not candidates:
            return End(response="utter_no_orders")
        return candidates[0].number if len(candidates) == 1 else None

    def options(self, turn: Turn) -> list[Option]:
        return [_order_option(turn, order) for order in self._candidates(turn)[:MOST_ORDERS]]

    def _named(self, turn: Turn, number: str) -> Reply:
        """The order of this number, if it is this shopper's. Before we know who asks, the number waits."""
        if turn.identity.customer_id is None:
            turn.set("wanted_order", number)
            return Reply(None)
        order = orders.find(turn.session, number, turn.customer_id)
        if order is None:
            turn.say("utter_order_not_found", order_number=number)
            return Reply(None)
        return Reply(order.number)

    def _candidates(self, turn: Turn) -> list[Order]:
        """The orders that the words of this task fit; all that come into question where the words name none."""
        known = orders.recent(turn.session, turn.customer_id, limit=KNOWN_ORDERS)
        open_ones = [order for order in known if not self.statuses or order.status in self.statuses] or known
        words = turn.slots.get("item_words") or {}
        if words.get("last"):
            return open_ones[:1]
        named = {line.order_id for line in fitting_lines(words, [line for order in known for line in order.lines])}
        if named:
            return [order for order in open_ones if order.id in named] or [order for order in known if order.id in named]
        last = turn.slots.get("last_order")
        if last and not words.get("other"):
            return [order for order in known if order.number == last] or open_ones
        return open_ones


class LineStep(ChoiceStep):
    """Which item of the order."""

    slot = "line_id"
    question = "utter_choose_item"

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        chosen = super().read(turn, asked)
        if chosen is not None or not asked:
            return chosen
        named = named_lines(turn, list(own_order(turn).lines))
        return Reply(str(named[0].id)) if len(named) == 1 else None

    def options(self, turn: Turn) -> list[Option]:
        return [Option(str(line.id), line_title(turn, line), tuple(words_of(line))) for line in self.lines(turn)]

    def lines(self, turn: Turn) -> list[OrderLine]:
        lines = list(own_order(turn).lines)
        return fitting_lines(turn.slots.get("item_words") or {}, lines) or lines


def own_order(turn: Turn) -> Order:
    """The order that this task is about. Raises LookupError: it is not (any more) this shopper's."""
    order = orders.find(turn.session, str(turn.slots.get("order_number")), turn.customer_id)
    if order is None:
        raise LookupError("the order of this task is not the shopper's")
    return order


def own_line(turn: Turn) -> OrderLine:
    """The item that this task is about. Raises LookupError likewise."""
    wanted = int(turn.slots["line_id"])
    line = next((line for line in own_order(turn).lines if line.id == wanted), None)
    if line is None:
        raise LookupError("the item of this task is not in the order")
    return line


def remember_item_words(turn: Turn, asked: bool = False) -> None:
    """Keep what the message says of a product ("the blue shirt, M") for the steps that choose order and item."""
    found = {
        "text": _folded(turn.text),
        "categories": turn.all_of("category"),
        "colors": turn.all_of("color"),
        "sizes": turn.all_of("size"),
        "last": turn.entity("ordinal") == "last" and not asked,
        "other": turn.entity("other") is not None,
    }
    says_something = found["categories"] or found["colors"] or found["sizes"] or found["last"] or found["other"]
    if turn.begins_form or says_something:
        turn.set("item_words", found)


def named_lines(turn: Turn, lines: Sequence[OrderLine]) -> list[OrderLine]:
    """The lines that this message names: "the wallet"; with several kinds named ("the shirt and the trousers"), all of them."""
    kinds = turn.all_of("category")
    if len(set(kinds)) > 1:
        return [line for line in lines if line.variant.product.category.slug in kinds]
    words = {"text": _folded(turn.text), "categories": kinds, "colors": turn.all_of("color"), "sizes": turn.all_of("size")}
    return fitting_lines(words, lines)


def fitting_lines(words: dict[str, Any], lines: Sequence[OrderLine]) -> list[OrderLine]:
    """The lines that the words fit best; none where they fit no line at all."""
    scores = [(_score(words, line), line) for line in lines] if words else []
    best = max((score for score, _ in scores), default=0)
    return [line for score, line in scores if score == best] if best >= 2 else []


def _score(words: dict[str, Any], line: OrderLine) -> int:
    """2 for each sign of the product, 1 for each of the variant: colour and size alone name no product."""
    product, options = line.variant.product, line.variant.options
    said = str(words.get("text", "")).split()
    named = any(_says(said, word) for name in product.names.values() for word in _telling_words(name))
    by_category = product.category.slug in words.get("categories", [])
    by_variant = (options.get("color") in words.get("colors", [])) + (options.get("size") in words.get("sizes", []))
    return 2 * (named + by_category) + (by_variant if named or by_category else 0)


def _telling_words(name: str) -> list[str]:
    return [word for word in _folded(name).split() if len(word) >= SHORTEST_WORD]


def _says(said: Sequence[str], word: str) -> bool:
    return any(fuzz.ratio(each, word) >= SAME_WORD for each in said if len(each) >= SHORTEST_WORD)


def says_phrase(words: dict[str, Any], phrases: Sequence[str]) -> bool:
    """Whether the remembered message holds one of these phrases as whole words."""
    said = f" {words.get('text', '')} "
    return any(f" {' '.join(_folded(phrase).split())} " in said for phrase in phrases)


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c))


def _order_option(turn: Turn, order: Order) -> Option:
    more = f" +{len(order.lines) - 1}" if len(order.lines) > 1 else ""
    title = f"{order.number} · {turn.day(order.placed_at.date())} · {line_title(turn, order.lines[0])}{more}"
    also = sorted({word for line in order.lines for word in words_of(line)})
    return Option(order.number, title, tuple(also))


def line_title(turn: Turn, line: OrderLine, quantity: int | None = None) -> str:
    title = formats.variant_title(line.variant.product.names, line.variant.options, turn.language)
    pieces = line.quantity if quantity is None else quantity
    return title if pieces == 1 else f"{pieces} × {title}"


def words_of(line: OrderLine) -> list[str]:
    """What an item may be called in a reply."""
    product = line.variant.product
    return [product.category.slug, *product.names.values(), *(str(value) for value in line.variant.options.values())]
