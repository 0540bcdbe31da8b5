"""Products: looked for by words, options and price, with what is in stock."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.choices import Look, folded_words
from actions.failing import never_silent
from actions.offers import Next, go_on_with_second, offer
from actions.skus import SKU
from actions.turn import Turn, turn_of
from actions.words import in_language, label, languages
from commerce import catalog
from commerce.catalog import Hit
from commerce.models import Product
from commerce.names.sizes import Range
from messaging import formats
from messaging.kept import kept

SHOWN, MOST = 3, 50
SHORTEST = 3  # letters of a word that may name something
FITS_WELL, CLEARLY_BETTER = 0.4, 0.1  # scores of a search, from 0 to 1
LAST = "last_product"  # slot: the product told last
SEARCHED = "last_search"  # slot: what was looked for last, and what of it was shown
CURRENCIES = ("EUR", "USD", "MXN", "BRL", "NOK")  # that a price may be said in
FEW_WORDS = 4  # with which something that was shown may be named


@dataclass(frozen=True)
class Wanted:
    """What a message asks for; None: it does not say. handle: of a product that was chosen or just spoken of."""

    words: str | None = None
    handle: str | None = None
    category: str | None = None
    color: str | None = None
    size: str | None = None
    max_price_minor: int | None = None
    currency: str | None = None

    @property
    def names_something(self) -> bool:
        """Whether it can be looked for by itself: a word, a kind of thing or a product."""
        return bool(self.words or self.category or self.handle)

    @property
    def has_conditions(self) -> bool:
        return bool(self.color or self.size or self.max_price_minor)


class ActionSearchProduct(Action):
    """Answers "do you have ...?" with up to three products; a choice among them tells the details."""

    def name(self) -> str:
        return "action_search_product"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            search(turn)
            return turn.events


class ActionPlaceOrder(Action):
    """ "I want to buy a shirt" is a search; "how do I buy it?" is explained."""

    def name(self) -> str:
        return "action_place_order"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            if turn.entity("category") or turn.entity("product") or turn.entity(SKU):
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
    """Whether a message names a kind of thing, or goes on from what was just shown: its size, its colour, its name."""
    if turn.entity("category") or turn.entity(SKU):
        return True
    if not _has_shown(turn):
        return False
    return says_size_or_color(turn) or goes_on(turn) or _names_known(turn, _said(turn))


def _has_shown(turn: Turn) -> bool:
    return bool(turn.slots.get(LAST) or turn.slots.get(SEARCHED))


def says_size(turn: Turn) -> bool:
    """Whether a few words say a size of what was shown last: "42 takk"."""
    return len(turn.text.split()) <= FEW_WORDS and _has_shown(turn) and bool(_said(turn).size)


def says_size_or_color(turn: Turn) -> bool:
    said = _said(turn)
    return bool(said.color or said.size)


def goes_on(turn: Turn) -> bool:
    """Whether a message only makes sense after what was shown: "cheaper ones", "how much are they?", "and in Madrid?"."""
    if not _has_shown(turn) or _said(turn).names_something:
        return False
    asks = any(_says(turn, key) for key in ("price_words", "more_words", "cheaper_words"))
    return asks or bool(turn.entity("store") and _says(turn, "stock_words"))


def narrows(turn: Turn) -> bool:
    """Whether a message says more about what is wanted of those that are offered, or of the one told: "in red", "cheaper"."""
    said = _said(turn)
    if not turn.slots.get(SEARCHED) or said.names_something or turn.is_tap or turn.entity("ordinal"):
        return False
    return said.has_conditions or _says(turn, "cheaper_words") or _says(turn, "more_words")


def search(turn: Turn) -> None:
    """Tell one product, offer several to choose from, or say what there is instead."""
    chosen = (turn.carried.get("slots") or {}).get("handle") if not turn.is_fresh else None
    on_offer = turn.slots.get("offers")
    if chosen:
        _show(turn, Wanted(handle=chosen), *_found(turn, Wanted(handle=chosen)))
    else:
        _look_for(turn, _said(turn))
    turn.set("carried", None)
    go_on_with_second(turn, beside=turn.slots.get("offers") != on_offer)


def show_named_in(turn: Turn, text: str, response: str) -> bool:
    """Say the response and show what a text that is not the shopper's (an ad) names of what is sold. Whether it names any."""
    words = " ".join(word for word in _words_in(text) if not _is_filler(word))
    wanted = Wanted(words=words or None)
    hits = [hit for hit in _search(turn, wanted, SHOWN) if hit.score > FITS_WELL] if words else []
    if hits:
        turn.say(response)
        _show(turn, wanted, hits, None)
    return bool(hits)


def _look_for(turn: Turn, said: Wanted) -> None:
    if (sku := turn.entity(SKU)) is not None:
        _tell_sku(turn, sku, said)
        return
    before = _searched(turn) if not said.names_something else None
    if turn.entity("store") and turn.slots.get(LAST) and not said.names_something:
        _tell_store(turn, said)
    elif before is not None and _says(turn, "cheaper_words") and said.max_price_minor is None:
        _show(turn, before, *_cheaper(turn, before))
    elif before is not None and _says(turn, "more_words"):
        _show(turn, before, *_more(turn, before))
    else:
        wanted = _of_the_last(turn, said) or (_narrowed(before, said) if before is not None else said)
        _show(turn, wanted, *(_found(turn, wanted) if wanted.names_something or wanted.has_conditions else ([], "words")))


def _show(turn: Turn, wanted: Wanted, hits: Sequence[Hit], without: str | None) -> None:
    """without: what had to be left out of it to find anything; in its own words where there is nothing to show."""
    if not hits:
        turn.say({"words": "utter_what_product", "more": "utter_no_more_products"}.get(without or "", "utter_no_products"))
    elif len(hits) == 1:
        if without:
            turn.say(f"utter_products_without_{without}")
        _tell_details(turn, hits[0])
    else:
        response = f"utter_products_without_{without}_choose" if without else "utter_products"
        offer(turn, [_as_choice(turn, hit) for hit in hits], response)
    if hits:
        _remember(turn, wanted, hits)


def _tell_sku(turn: Turn, sku: str, said: Wanted) -> None:
    """The product that the shopper has named by its number, in that colour and size; never another one."""
    variant = catalog.find_by_sku(turn.session, sku)
    wanted = Wanted(handle=variant.product.handle, color=said.color, size=said.size) if variant is not None else None
    hits, without = _found(turn, wanted) if wanted is not None else ([], None)
    if wanted is None or not hits:
        turn.say("utter_no_such_sku", sku=sku)
    elif turn.entity("store"):
        turn.set(LAST, wanted.handle)
        _tell_store(turn, wanted)
    else:
        turn.set(SEARCHED, None)
        _show(turn, wanted, hits, without)


def _remember(turn: Turn, wanted: Wanted, hits: Sequence[Hit]) -> None:
    """What was looked for, and what was shown of it. One that is told of a list leaves the list as it was."""
    before, shown = turn.slots.get(SEARCHED) or {}, [hit.product.handle for hit in hits]
    if wanted.handle is not None:
        kind = {"category": hits[0].product.category.slug, "color": wanted.color}
        kept = before or {**kind, "lowest": hits[0].price_range[0], "shown": shown}
        turn.set(SEARCHED, {**kept, "told": True})
        return
    same = asdict(wanted) == {name: before.get(name) for name in asdict(wanted)}
    known = {**asdict(wanted), "shown": [*(before["shown"] if same else []), *shown], "told": len(hits) == 1}
    turn.set(SEARCHED, {**known, "lowest": min(hit.price_range[0] for hit in hits)})


def _searched(turn: Turn) -> Wanted | None:
    """What was looked for last."""
    before = turn.slots.get(SEARCHED)
    return Wanted(**{each.name: before.get(each.name) for each in fields(Wanted)}) if before else None


def _narrowed(before: Wanted, said: Wanted) -> Wanted:
    return replace(before, **{name: value for name, value in asdict(said).items() if value is not None})


def _cheaper(turn: Turn, before: Wanted) -> tuple[list[Hit], str | None]:
    """What costs less than anything shown: of the same words, else of the same kind; else what costs least."""
    lowest = int((turn.slots.get(SEARCHED) or {}).get("lowest", 0))
    every = [sorted(_search(turn, wider, MOST), key=lambda hit: hit.price_range) for wider in _wider(turn, before)]
    for hits in every:
        if below := [hit for hit in hits if hit.price_range[0] < lowest]:
            return below[:SHOWN], None
    return every[-1][:SHOWN], "cheaper"


def _more(turn: Turn, before: Wanted) -> tuple[list[Hit], str | None]:
    """What was not shown yet: of the same words, else of the same kind."""
    shown = (turn.slots.get(SEARCHED) or {}).get("shown") or []
    for wider in _wider(turn, before):
        if others := [hit for hit in _search(turn, wider, MOST) if hit.product.handle not in shown]:
            return others[:SHOWN], None
    return [], "more"


def _wider(turn: Turn, before: Wanted) -> list[Wanted]:
    """The same search, then the one for all things of its kind, at last in any color, size and price."""
    first = catalog.find_by_handle(turn.session, ((turn.slots.get(SEARCHED) or {}).get("shown") or [""])[0])
    kind = before.category or (first.category.slug if first is not None else None)
    if kind is None:
        return [before]
    of_kind = replace(before, words=None, category=kind)
    return [before, of_kind, replace(of_kind, color=None, size=None, max_price_minor=None)]


def _names_known(turn: Turn, said: Wanted) -> bool:
    """Whether a few words are the name of something sold: "the oxford one", after shirts were shown."""
    if not said.words or len(said.words.split()) > FEW_WORDS:
        return False
    best = _search(turn, replace(said, category=None), 1)
    return bool(best) and best[0].score > FITS_WELL


def _tell_store(turn: Turn, said: Wanted) -> None:
    """Whether the product told last is in the store that was named."""
    product, store = catalog.find_by_handle(turn.session, str(turn.slots[LAST])), str(turn.entity("store"))
    if product is None:
        turn.say("utter_no_products")
        return
    currency = currency_of(turn)
    there, name = [], ""
    for each in catalog.variants(turn.session, product.id, currency, color=said.color, size=said.size):
        for location, pieces in catalog.stock(turn.session, each.variant.id):
            if location.code == store:
                name = location.name
                there += [each.variant.options] if pieces else []
    response = "utter_product_in_store" if there else "utter_product_not_in_store"
    named = in_language(product.names, turn.language)
    turn.say(response, product=named, store=name or turn.label(f"store_{store}"), variants=_variants_in_words(turn, there))


def currency_of(turn: Turn) -> str:
    """The customer's; until we know who is asking, that of most who speak the language."""
    customer = turn.customer
    return str(customer.currency) if customer is not None else turn.label("currency")


def _said(turn: Turn) -> Wanted:
    """What the message itself asks for."""
    price = _most_expensive(turn)
    return Wanted(
        words=_telling_words(turn),
        category=turn.entity("category"),
        color=turn.entity("color"),
        size=turn.entity("size") or _size_of_what_is_shown(turn),
        max_price_minor=price,
        currency=_currency_said(turn) if price is not None else None,
    )


def _telling_words(turn: Turn) -> str | None:
    """The words by which something can be found: "do you have ... for less than 20 dollars" would only hide them."""
    text = turn.text
    for entity in turn.entities:
        start, end = int(entity.get("start", 0)), int(entity.get("end", 0))
        if entity["entity"] in ("size", "bare_size", "amount", "store"):
            text = f"{text[:start]}{' ' * (end - start)}{text[end:]}"
    kept = [
        word for word in _words_in(text) if not _is_filler(word) and (turn.entity("color") is None or not _is_color(turn, word))
    ]
    return " ".join(kept) or None


def _words_in(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,.;:!?¡¿()]+", text) if word]


def _is_filler(word: str) -> bool:
    folded = folded_words(word)
    return all(each.isdigit() or len(each) < SHORTEST or each in _fillers() for each in folded)


def _is_color(turn: Turn, word: str) -> bool:
    said = (turn.text[int(e.get("start", 0)) : int(e.get("end", 0))] for e in turn.entities if e["entity"] == "color")
    return any(word in each.split() for each in said)


@kept
def _fillers() -> frozenset[str]:
    return frozenset(folded_words(" ".join(label("search_fillers", language) for language in languages())))


def _says(turn: Turn, key: str) -> bool:
    """Whether the message has one of the label's phrases as whole words."""
    said = f" {' '.join(folded_words(turn.text))} "
    return any(f" {' '.join(folded_words(phrase))} " in said for phrase in turn.label(key).split("|"))


def _currency_said(turn: Turn) -> str | None:
    """The currency of a price that is named, where the catalogue has prices in it."""
    said = [code for code in CURRENCIES if _says(turn, f"currency_{code}") or ("€" in turn.text and code == "EUR")]
    return said[0] if said and catalog.is_sold_in(turn.session, said[0]) else None


def _size_of_what_is_shown(turn: Turn) -> str | None:
    """ "And in 38?", "M": what is a size of the products shown last, or might be one of a thing that is sold in such sizes."""
    sizes = _sizes_shown(turn)
    number = turn.entity("bare_size")
    if number is not None and sizes.may_be(number):
        return number
    return next((word for word in _words_in(turn.text) if word.isalpha() and word in sizes.values), None)


def _sizes_shown(turn: Turn) -> Range:
    """Of the product told last, else of those that are offered."""
    before, last = turn.slots.get(SEARCHED) or {}, turn.slots.get(LAST)
    handles = before.get("shown") or [] if before and not before.get("told", True) else [last] if last else []
    products = [product for handle in handles if (product := catalog.find_by_handle(turn.session, str(handle))) is not None]
    every = (str(variant.options["size"]) for product in products for variant in product.variants if "size" in variant.options)
    return Range(frozenset(every))


def _of_the_last(turn: Turn, said: Wanted) -> Wanted | None:
    """ "Do you have it in size 42?" and "how much is it?" are about the product just told."""
    last = turn.slots.get(LAST)
    is_open_list = not (turn.slots.get(SEARCHED) or {}).get("told", True)
    if last is None or is_open_list or said.category is not None or said.max_price_minor is not None:
        return None
    is_about_it = said.words is None or not _search(turn, replace(said, color=None, size=None), SHOWN)
    return replace(said, words=None, handle=last, color=said.color or _color_before(turn)) if is_about_it else None


def _color_before(turn: Turn) -> str | None:
    """The color in which the product told last was looked for, while no other is asked about: "white sneakers" - "in 38?"."""
    before, asks_for_others = turn.slots.get(SEARCHED) or {}, turn.entity("other") or _says(turn, "which_colors_words")
    color = before.get("color") if not asks_for_others and turn.slots.get(LAST) in (before.get("shown") or []) else None
    return str(color) if color else None


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

    A sentence around the words ("I need ... for a wedding") may hide them: then the product whose name is in it, or else the
    kind of thing is enough, unless the words do name things, only none of this size or colour.
    """
    found = _search(turn, wanted, limit)
    if wanted.category is None or wanted.handle is not None:
        return found or _recognised(turn, wanted)
    anywhere = _search(turn, replace(wanted, category=None), limit)
    if anywhere and anywhere[0].score > (found[0].score if found else FITS_WELL) + CLEARLY_BETTER:
        return anywhere
    if found or _search(turn, replace(wanted, color=None, size=None, max_price_minor=None), SHOWN):
        return found
    return _recognised(turn, wanted) or _search(turn, replace(wanted, words=None), limit)


def _recognised(turn: Turn, wanted: Wanted) -> list[Hit]:
    """The products whose names were found in the message: of several that fit about as well, each."""
    if wanted.words is None or wanted.handle is not None or wanted.max_price_minor is not None:
        return []
    said = [entity for entity in turn.entities if entity["entity"] == "product"]
    alike = [each["value"] for entity in said for each in entity.get("candidates") or [entity]]
    hits = (hit for handle in dict.fromkeys(alike) for hit in _variants_of(turn, replace(wanted, handle=handle)))
    return list(hits)[:SHOWN]


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
        currency=wanted.currency or currency_of(turn),
        max_price_minor=wanted.max_price_minor,
        limit=limit,
    )


def _variants_of(turn: Turn, wanted: Wanted) -> list[Hit]:
    product = catalog.find_by_handle(turn.session, str(wanted.handle))
    if product is None:
        return []
    currency = wanted.currency or currency_of(turn)
    found = catalog.variants(turn.session, product.id, currency, color=wanted.color, size=wanted.size)
    return [Hit(product, tuple(found), currency, 1.0)] if found else []


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
    handle = {"slots": {"handle": hit.product.handle}}
    return Next("action_search_product", title, handle, tuple(sorted(colors)), look=_look(turn, hit))


def _look(turn: Turn, hit: Hit) -> Look:
    """Picture, name, price, and what is left of it."""
    name = in_language(hit.product.names, turn.language)
    there = _variants_in_words(turn, [each.variant.options for each in hit.variants if each.stock > 0])
    details = f"{_price(turn, hit)}\n{there or turn.label('card_sold_out')}"
    return Look(name, details, _picture(hit.product), turn.label("card_choose").format(product=name))


def _picture(product: Product) -> str | None:
    return product.images[0] if product.images else None


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
        image=_picture(product),
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
