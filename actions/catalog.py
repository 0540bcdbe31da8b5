"""Products: looked for by words, options and price, with what is in stock."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import formats
from actions.offers import Next, offer, offer_queued
from actions.turn import Turn, turn_of
from actions.words import in_language
from commerce import catalog
from commerce.catalog import Hit

SHOWN, MOST = 3, 50
FITS_WELL, CLEARLY_BETTER = 0.4, 0.1  # scores of a search, from 0 to 1
LAST = "last_product"  # slot: the product told last


@dataclass(frozen=True)
class Wanted:
    """What a message asks for; None: it does not say. handle: of a product that was chosen or just spoken of."""

    words: str | None = None
    handle: str | None = None
    category: str | None = None
    color: str | None = None
    size: str | None = None
    max_price_minor: int | None = None


class ActionSearchProduct(Action):
    """Answers "do you have ...?" with up to three products; a choice among them tells the details."""

    def name(self) -> str:
        return "action_search_product"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            search(turn)
            return turn.events


class ActionPlaceOrder(Action):
    """ "I want to buy a shirt" is a search; "how do I buy it?" is explained."""

    def name(self) -> str:
        return "action_place_order"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            if turn.entity("category") is not None:
                search(turn)
            else:
                self._explain(turn)
            return turn.events

    def _explain(self, turn: Turn) -> None:
        turn.set("carried", None)
        product = catalog.find_by_handle(turn.session, turn.slots.get(LAST) or "")
        if product is not None:
            turn.say("utter_how_to_buy_product", product=in_language(product.names, turn.language))
        else:
            turn.say("utter_how_to_buy")


def names_product(turn: Turn) -> bool:
    """Whether a message names a kind of thing, or a size or colour of the product just told."""
    variant = turn.entity("size") or turn.entity("color")
    return bool(turn.entity("category") or (turn.slots.get(LAST) and variant))


def search(turn: Turn) -> None:
    """Tell one product, offer several to choose from, or say what there is instead."""
    chosen = (turn.carried.get("slots") or {}).get("handle") if not turn.is_fresh else None
    wanted = Wanted(handle=chosen) if chosen else _wanted(turn)
    turn.set("carried", None)
    hits, without = _found(turn, wanted)
    if not hits:
        turn.say("utter_no_products")
    elif len(hits) == 1:
        if without:
            turn.say(f"utter_products_without_{without}")
        _tell_details(turn, hits[0])
        offer_queued(turn)
    else:
        response = f"utter_products_without_{without}_choose" if without else "utter_products"
        offer(turn, [_as_choice(turn, hit) for hit in hits], response)


def currency_of(turn: Turn) -> str:
    """The customer's; until we know who is asking, that of most who speak the language."""
    customer = turn.customer
    return str(customer.currency) if customer is not None else turn.label("currency")


def _wanted(turn: Turn) -> Wanted:
    said = Wanted(
        words=turn.text,
        category=turn.entity("category"),
        color=turn.entity("color"),
        size=turn.entity("size"),
        max_price_minor=_most_expensive(turn),
    )
    return _of_the_last(turn, said) or said


def _of_the_last(turn: Turn, said: Wanted) -> Wanted | None:
    """ "Do you have it in size 42?" and "how much is it?" are about the product just told."""
    last = turn.slots.get(LAST)
    if last is None or said.category is not None or said.max_price_minor is not None:
        return None
    about_variant = said.color is not None or said.size is not None
    return replace(said, words=None, handle=last) if about_variant or not _search(turn, said, SHOWN) else None


def _found(turn: Turn, wanted: Wanted) -> tuple[list[Hit], str | None]:
    """What fits; else what fits without the price, the size or the colour, and which of them was left out."""
    if hits := _fitting(turn, wanted):
        return hits, None
    if dearer := _fitting(turn, replace(wanted, max_price_minor=None), limit=MOST):
        return sorted(dearer, key=lambda hit: hit.price_range)[:SHOWN], "price"
    for name, less in (("size", replace(wanted, size=None)), ("color", replace(wanted, size=None, color=None))):
        if less != wanted and (hits := _fitting(turn, less)):
            return hits, name
    return [], None


def _fitting(turn: Turn, wanted: Wanted, limit: int = SHOWN) -> list[Hit]:
    """By words among the kind of thing that was named, or beyond it where the words fit better there ("wallet").

    A sentence around the words ("I need ... for a wedding") may hide them: then the kind of thing is enough.
    """
    found = _search(turn, wanted, limit)
    if wanted.category is None or wanted.handle is not None:
        return found
    anywhere = _search(turn, replace(wanted, category=None), limit)
    if anywhere and anywhere[0].score > (found[0].score if found else FITS_WELL) + CLEARLY_BETTER:
        return anywhere
    return found or _search(turn, replace(wanted, words=None), limit)


def _search(turn: Turn, wanted: Wanted, limit: int) -> list[Hit]:
    if wanted.handle is not None:
        return _variants_of(turn, wanted)
    return catalog.search(
        turn.session,
        words=wanted.words,
        language=turn.language,
        category=wanted.category,
        color=wanted.color,
        size=wanted.size,
        currency=currency_of(turn),
        max_price_minor=wanted.max_price_minor,
        limit=limit,
    )


def _variants_of(turn: Turn, wanted: Wanted) -> list[Hit]:
    product = catalog.find_by_handle(turn.session, str(wanted.handle))
    if product is None:
        return []
    found = catalog.variants(turn.session, product.id, currency_of(turn), color=wanted.color, size=wanted.size)
    return [Hit(product, tuple(found), currency_of(turn), 1.0)] if found else []


def _most_expensive(turn: Turn) -> int | None:
    """In minor units: "1,500" is fifteen hundred, "49.95" is 49 and 95 hundredths."""
    said = turn.entity("amount")
    if not said or not any(c.isdigit() for c in said):
        return None
    whole, _, cents = re.sub(r"[.,](?=\d{3}\b)", "", said).replace(",", ".").partition(".")
    return int(whole) * 100 + int((cents + "00")[:2])


def _as_choice(turn: Turn, hit: Hit) -> Next:
    title = f"{in_language(hit.product.names, turn.language)} · {_price(turn, hit)}"
    colors = {str(each.variant.options["color"]) for each in hit.variants if "color" in each.variant.options}
    return Next("action_search_product", title, {"slots": {"handle": hit.product.handle}}, tuple(sorted(colors)))


def _price(turn: Turn, hit: Hit) -> str:
    low, high = hit.price_range
    lowest = turn.money(low, hit.currency)
    return lowest if low == high else f"{lowest} – {turn.money(high, hit.currency)}"


def _tell_details(turn: Turn, hit: Hit) -> None:
    product = hit.product
    turn.set(LAST, product.handle)
    in_stock = [each for each in hit.variants if each.stock > 0]
    others = [each for each in catalog.variants(turn.session, product.id, hit.currency) if each.stock > 0]
    response = "utter_product" if in_stock else "utter_product_other_variants" if others else "utter_product_sold_out"
    turn.dispatcher.utter_message(
        response=response,
        image=product.images[0] if product.images else None,
        product=in_language(product.names, turn.language),
        description=in_language(product.descriptions, turn.language),
        price=_price(turn, hit),
        variants=_variants_in_words(turn, [each.variant.options for each in in_stock or others]),
    )


def _variants_in_words(turn: Turn, variants: Sequence[Mapping[str, str]]) -> str:
    """ "blue (S, M, L); white (M)": the sizes of each colour."""
    sizes: dict[str, list[str]] = {}
    for options in variants:
        others = {name: value for name, value in options.items() if name != "size"}
        sizes.setdefault(formats.options(others, turn.language), []).append(str(options.get("size", "")))
    told = (f"{name} ({', '.join(of)})" if name and any(of) else name or ", ".join(of) for name, of in sizes.items())
    return "; ".join(told)
