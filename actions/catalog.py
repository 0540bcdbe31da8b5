"""Products: looked for by words, options and price, with what is in stock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import formats
from actions.offers import Next, offer, offer_queued
from actions.turn import Turn, turn_of
from actions.words import in_language
from commerce import catalog
from commerce.catalog import Hit

SHOWN = 3
SHOP_CURRENCY = "USD"


class ActionSearchProduct(Action):
    """Answers "do you have ...?" with up to three products; a choice among them tells the details."""

    def name(self) -> str:
        return "action_search_product"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            handle = (turn.carried.get("slots") or {}).get("handle") if not turn.is_fresh else None
            turn.set("carried", None)
            self._tell(turn, handle)
            return turn.events

    def _tell(self, turn: Turn, handle: str | None) -> None:
        hits = _found(turn, handle)
        if not hits:
            turn.say("utter_no_products")
        elif len(hits) == 1:
            _tell_details(turn, hits[0])
            offer_queued(turn)
        else:
            offer(turn, [_as_choice(turn, hit) for hit in hits], "utter_products", decline=False)


def currency_of(turn: Turn) -> str:
    customer = turn.customer
    return str(customer.currency) if customer is not None else BY_LANGUAGE.get(turn.language, SHOP_CURRENCY)


BY_LANGUAGE = {"es": "MXN", "en": "USD", "pt": "BRL", "nb": "NOK"}  # until we know who is asking


def _found(turn: Turn, handle: str | None) -> list[Hit]:
    if handle is not None:
        hits = catalog.search(turn.session, words=handle.replace("-", " "), language=turn.language, currency=currency_of(turn))
        return [hit for hit in hits if hit.product.handle == handle][:1]
    found = catalog.search(
        turn.session,
        words=turn.text,
        language=turn.language,
        category=turn.entity("category"),
        color=turn.entity("color"),
        size=turn.entity("size"),
        currency=currency_of(turn),
        max_price_minor=_most_expensive(turn),
        limit=SHOWN,
    )
    return found


def _most_expensive(turn: Turn) -> int | None:
    said = turn.entity("amount")
    digits = "".join(c for c in said or "" if c.isdigit())
    return int(digits) * 100 if digits else None


def _as_choice(turn: Turn, hit: Hit) -> Next:
    title = f"{in_language(hit.product.names, turn.language)} · {_price(turn, hit)}"
    return Next("action_search_product", title, {"slots": {"handle": hit.product.handle}})


def _price(turn: Turn, hit: Hit) -> str:
    low, high = hit.price_range
    lowest = turn.money(low, hit.currency)
    return lowest if low == high else f"{lowest} – {turn.money(high, hit.currency)}"


def _tell_details(turn: Turn, hit: Hit) -> None:
    in_stock = [each for each in hit.variants if each.stock > 0]
    product = hit.product
    turn.dispatcher.utter_message(
        response="utter_product" if in_stock else "utter_product_sold_out",
        image=product.images[0] if product.images else None,
        product=in_language(product.names, turn.language),
        description=in_language(product.descriptions, turn.language),
        price=_price(turn, hit),
        variants=_variants_in_words(turn, [each.variant.options for each in in_stock]),
    )


def _variants_in_words(turn: Turn, variants: Sequence[Mapping[str, str]]) -> str:
    """ "blue (S, M, L); white (M)": the sizes of each colour."""
    sizes: dict[str, list[str]] = {}
    for options in variants:
        others = {name: value for name, value in options.items() if name != "size"}
        sizes.setdefault(formats.options(others, turn.language), []).append(str(options.get("size", "")))
    told = (f"{name} ({', '.join(of)})" if name and any(of) else name or ", ".join(of) for name, of in sizes.items())
    return "; ".join(told)
