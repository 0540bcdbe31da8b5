"""A basket that was filled in the channel's own catalogue: what of it can be had, at the shop's own prices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.catalog import currency_of
from actions.failing import never_silent
from actions.turn import Turn, turn_of
from commerce.carts import CartLine, price_cart
from messaging import formats

MOST_PIECES = 999
MOST_LINES = 30  # that anybody reads


class ActionPriceCart(Action):
    def name(self) -> str:
        return "action_price_cart"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            _tell(turn)
            return turn.events


def _tell(turn: Turn) -> None:
    currency = currency_of(turn)
    lines = price_cart(turn.session, _wanted(turn), currency)
    told = formats.bullets(_in_words(turn, line, currency) for line in lines[:MOST_LINES])
    if len(lines) > MOST_LINES:
        told += "\n" + turn.label("cart_more").format(count=turn.number(len(lines) - MOST_LINES))
    total = sum(line.total_minor for line in lines)
    if not lines:
        turn.say("utter_cart_empty")
    elif total == 0:
        turn.say("utter_cart_nothing_to_have", lines=told)
    else:
        turn.say("utter_cart", lines=told, total=turn.money(total, currency))


def _wanted(turn: Turn) -> Iterator[tuple[str, int]]:
    for item in turn.shown.get("cart") or ():
        sku, quantity = str(item.get("sku") or ""), item.get("quantity")
        if sku and isinstance(quantity, int) and quantity > 0:
            yield sku, min(quantity, MOST_PIECES)


def _in_words(turn: Turn, line: CartLine, currency: str) -> str:
    if line.variant is None:
        return turn.label("cart_line_unknown").format(sku=line.sku)
    title = formats.variant_title(line.variant.product.names, line.variant.options, turn.language)
    if line.can_be_had == 0:
        return turn.label("cart_line_sold_out").format(item=title)
    key = "cart_line" if line.can_be_had == line.quantity else "cart_line_fewer"
    amounts = {"each": turn.money(line.price_minor, currency), "amount": turn.money(line.total_minor, currency)}
    pieces = {"pieces": turn.number(line.can_be_had), "wanted": turn.number(line.quantity)}
    return turn.label(key).format(item=title, **pieces, **amounts)
