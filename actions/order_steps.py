"""Which order and which item of it: the steps that most forms begin with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rapidfuzz import fuzz

from actions.addresses import postcode_in
from actions.choices import Option, folded_words, tapped
from actions.task_form import ChoiceStep, End, Reply
from actions.tasks import ABOUT_ONE_ORDER, FORMS, TASKS
from actions.turn import Turn
from commerce import orders
from commerce.models import Order, OrderLine
from messaging import formats
from messaging.shop import time_zone

MOST_ORDERS = 5
KNOWN_ORDERS = 50
SAME_WORD = 84  # rapidfuzz ratio, 0 to 100
SHORTEST_WORD = 4  # characters of a name's word that says something
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FEW_WORDS = 4
TRACKING_NUMBER = re.compile(r"[A-Za-z]{2,4}\d{8,16}[A-Za-z]{0,2}")
OF_THINGS = frozenset(TASKS[task] for task in ("cancel_order", "track_order"))  # done to whole orders, named by what is in them
# What can be asked for several orders at once; an address has numbers of its own.
ONE_BY_ONE = ABOUT_ONE_ORDER - {TASKS["change_address"]}
DAYS_AGO = {"today": 0, "yesterday": 1, "day_before_yesterday": 2}


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
        if asked and (chosen := self._picked(turn)) is not None:
            self._keep_other_things(turn, chosen.value)
            remember_item_words(turn, asked)  # "the shirt from 10201" says which item too
            self._keep_others(turn, chosen.value)
            return chosen
        spoke_of_items = remember_item_words(turn, asked)
        number = next(iter(_said_numbers(turn)), None)
        if number and not self._is_part_of_an_address(turn, number):
            self._keep_others(turn, number)
            named = self._named(turn, number)
            self._keep_other_things(turn, named.value)
            self._say_which_instead(turn, named.value)
            return named
        if asked and not spoke_of_items and self._lines_named(turn):
            turn.set("item_words", words_about_items(turn, asked))  # "the one with the lamp": a name is said, no kind of thing
            spoke_of_items = True
        # "The dress" where two orders have one: the question comes again with these two.
        return Reply(None) if asked and spoke_of_items and self._named_orders(turn) else None

    def recognizes(self, turn: Turn) -> bool:
        return bool(self._lines_named(turn))

    def _say_which_instead(self, turn: Turn, named: str | None) -> None:
        """Whoever asks for the same of another order hears what became of the first."""
        before = turn.slots.get(self.slot)
        is_request = turn.intent == FORMS.get(str(turn.slots.get("current_task"))) and not turn.begins_form
        if is_request and None not in (before, named) and named != before:
            turn.say("utter_other_order_instead", order_number=named, before=before)

    def sets_aside(self, turn: Turn) -> bool:
        """ "My order 10273 never came either", while another one is being settled."""
        number, present = turn.entity("order_number"), turn.slots.get(self.slot)
        if present is None or number in (None, present) or turn.intent != FORMS.get(str(turn.slots.get("current_task"))):
            return False
        is_beside = says_phrase(words_of_message(turn), turn.label("also_words").split("|"))
        return is_beside and self._keep_others(turn, present)

    def _keep_others(self, turn: Turn, first: str | None) -> bool:
        """Several orders are taken one after the other: the next one is offered once this is done. Whether one was kept."""
        form = str(turn.slots.get("current_task"))
        numbers = dict.fromkeys(_said_numbers(turn))
        others = [number for number in numbers if number != first and self._may_be_own(turn, number)]
        if first is None or not others or form not in ONE_BY_ONE:
            return False
        if turn.intent == "correct_choice" or turn.slots.get("queued_request"):
            return False
        rest = [entity for entity in turn.entities if (entity["entity"], str(entity["value"])) != ("order_number", first)]
        turn.set("queued_request", {"intent": FORMS[form], "text": turn.text, "entities": rest})
        turn.say("utter_one_order_at_a_time", order_number=first, others=formats.listed(others, turn.locale))
        return True

    def _keep_other_things(self, turn: Turn, first: str | None) -> None:
        """ "Cancel the dress and the sneakers": what is in another order than the first is offered once that is done."""
        form, kinds = str(turn.slots.get("current_task")), (turn.slots.get("item_words") or {}).get("kinds") or []
        customer = turn.identity.customer_id
        if first is None or form not in OF_THINGS or len(kinds) < 2 or customer is None or turn.slots.get("queued_request"):
            return
        known = self._known(turn)
        kept = {line.variant.product.category.slug for order in known if order.number == first for line in order.lines}
        owned = {line.variant.product.category.slug for order in known for line in order.lines}
        others = [each for each in kinds if each["category"] in owned - kept]
        if not others or len(others) == len(kinds):
            return
        said = formats.listed((each["said"] for each in others), turn.locale)
        entities = [{"entity": "category", "value": each["category"]} for each in others]
        turn.set("queued_request", {"intent": FORMS[form], "text": said, "entities": entities, "about": said})
        turn.say("utter_one_order_at_a_time", order_number=first, others=said)

    def _may_be_own(self, turn: Turn, number: str) -> bool:
        customer = turn.identity.customer_id
        return customer is None or orders.find(turn.session, number, customer) is not None

    def _lines_named(self, turn: Turn) -> list[OrderLine]:
        return named_lines(turn, [line for order in self._known(turn) for line in order.lines])

    def _picked(self, turn: Turn) -> Reply | None:
        """The list has the newest order first: "the last one" is that one, not the one at its end."""
        if (number := tapped(self.slot, turn.entities)) is not None:
            return self._named(turn, number)  # an older list's button too: it names an order
        shown = turn.offered(self.slot)
        if shown and turn.entity("ordinal") == "last" and turn.entity("order_number") is None:
            return Reply(shown[0].value)
        return super().read(turn, asked=True)

    def settle(self, turn: Turn) -> Any | End | None:
        if (wanted := turn.slots.get("wanted_order")) is not None:
            turn.set("wanted_order", None)
            found = self._named(turn, wanted).value
            self._keep_other_things(turn, found)
            return found
        if self._is_misnamed(turn):
            return None  # whoever names an order that is not theirs is asked, though only one comes into question
        candidates = self._candidates(turn)
        if not candidates:
            return End(response="utter_no_orders")
        if len(candidates) > 1:
            return None
        self._keep_other_things(turn, candidates[0].number)
        return candidates[0].number

    def options(self, turn: Turn) -> list[Option]:
        candidates = self._candidates(turn)
        if len(candidates) == 1:  # asked all the same, after "no, another one": it is not this one
            candidates = self._in_question(turn, self._known(turn))
        return [order_option(turn, order) for order in candidates[:MOST_ORDERS]]

    def _is_misnamed(self, turn: Turn) -> bool:
        number = next(iter(_said_numbers(turn)), None)
        if number is None or turn.slots.get("requested_slot") not in (None, self.slot):
            return False
        return _own(turn, number, turn.customer_id) is None

    def _named(self, turn: Turn, number: str) -> Reply:
        """The order of this number, if it is this shopper's. Before we know who asks, the number waits."""
        if turn.identity.customer_id is None:
            turn.set("wanted_order", number)
            return Reply(None)
        order = _own(turn, number, turn.customer_id)
        if order is None and TRACKING_NUMBER.fullmatch(number):
            turn.say("utter_tracking_not_found", tracking_number=number.upper())
        elif order is None:
            turn.say("utter_order_not_found", order_number=number)
        if order is None:
            return Reply(None)
        return Reply(order.number)

    def _candidates(self, turn: Turn) -> list[Order]:
        """The orders that the words of this task fit; all that come into question where the words name none."""
        known = self._known(turn)
        words = turn.slots.get("item_words") or {}
        named = self._named_orders(turn)
        if words.get("last"):
            return (named or known)[:1]
        if named:
            return self._in_question(turn, named)
        last = turn.slots.get("last_order")
        if last and not words.get("other"):
            return [order for order in known if order.number == last] or self._in_question(turn, known)
        return self._in_question(turn, known)

    def _known(self, turn: Turn) -> list[Order]:
        return orders.recent(turn.session, turn.customer_id, limit=KNOWN_ORDERS)

    def _in_question(self, turn: Turn, some: list[Order]) -> list[Order]:
        """Of these, the ones with which it can be done; where there is none, what is not called off: the reason is told."""
        fitting = [order for order in some if not self.statuses or order.status in self.statuses]
        return fitting or [order for order in some if order.status != "cancelled"] or some

    def _named_orders(self, turn: Turn) -> list[Order]:
        """The orders that the words name by a product or by the day; empty where they name none."""
        if turn.identity.customer_id is None:
            return []
        words, known = turn.slots.get("item_words") or {}, self._known(turn)
        placed = [order for order in known if words.get("when") and _was_placed(order, words["when"], turn.today)]
        fitting = {line.order_id for line in fitting_lines(words, [line for order in placed or known for line in order.lines])}
        return [order for order in placed or known if order.id in fitting] or placed

    def _is_part_of_an_address(self, turn: Turn, number: str) -> bool:
        """Five digits in an address are a postcode, unless little else is said and they are an order's."""
        if turn.slots.get("requested_slot") != "new_address":
            return False
        is_own = orders.find(turn.session, number, turn.customer_id) is not None
        return not is_own or len(turn.text.split()) > FEW_WORDS


def _said_numbers(turn: Turn) -> list[str]:
    """The orders' numbers in the message, without a postcode; where there is none, those of parcels."""
    customer = turn.identity.customer_id
    postcode = postcode_in(turn.text, turn.locale, turn.label("address_lead_ins"))
    is_own = postcode is not None and customer is not None and orders.find(turn.session, postcode, customer) is not None
    if says_phrase(words_of_message(turn), turn.label("postcode_words").split("|")):
        return []
    numbers = [number for number in turn.all_of("order_number") if is_own or number != postcode]
    return numbers or turn.all_of("tracking_number")


def _own(turn: Turn, number: str, customer_id: int) -> Order | None:
    return orders.find(turn.session, number, customer_id) or orders.find_by_tracking(turn.session, number, customer_id)


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


def remember_item_words(turn: Turn, asked: bool = False) -> bool:
    """Keep what the message says of a product ("the blue shirt, M") or of the day for the steps that choose order and item.

    Whether it said anything.
    """
    found = words_about_items(turn, asked)
    says_something = any(value for name, value in found.items() if name != "text")
    if turn.begins_form or says_something:
        turn.set("item_words", found)
    return says_something


def words_about_items(turn: Turn, asked: bool) -> dict[str, Any]:
    return {
        "text": " ".join(folded_words(turn.text)),
        "categories": turn.all_of("category"),
        "kinds": _kinds_said(turn),
        "colors": turn.all_of("color"),
        "sizes": turn.all_of("size"),
        "skus": turn.all_of("sku"),
        "last": turn.entity("ordinal") == "last" and not asked,
        "when": turn.entity("placed_on"),
        "other": turn.entity("other") is not None,
    }


def _kinds_said(turn: Turn) -> list[dict[str, str]]:
    """The kinds of things that a fresh message names, each in its own words."""
    message = turn.text if turn.is_fresh or turn.begins_form else ""
    found = [entity for entity in turn.entities if entity["entity"] == "category"]
    said = {str(e["value"]): message[int(e.get("start", 0)) : int(e.get("end", 0))] for e in reversed(found)}
    return [{"category": kind, "said": words} for kind, words in reversed(list(said.items())) if words]


def _was_placed(order: Order, when: str, today: date) -> bool:
    """Whether that was "yesterday" or on the last "monday", where the shop is."""
    day = order.placed_at.astimezone(ZoneInfo(time_zone())).date()
    ago = DAYS_AGO[when] if when in DAYS_AGO else (today.weekday() - WEEKDAYS.index(when) - 1) % 7 + 1
    return bool(day == today - timedelta(days=ago))


def named_lines(turn: Turn, lines: Sequence[OrderLine]) -> list[OrderLine]:
    """The lines that this message names: "the wallet"; with several kinds named ("the shirt and the trousers"), all of them."""
    kinds = turn.all_of("category")
    if len(set(kinds)) > 1:
        return [line for line in lines if line.variant.product.category.slug in kinds]
    return fitting_lines(words_of_message(turn), lines)


def words_of_message(turn: Turn) -> dict[str, Any]:
    """What this message says of products."""
    kinds, colors, sizes, skus = (turn.all_of(entity) for entity in ("category", "color", "size", "sku"))
    return {"text": " ".join(folded_words(turn.text)), "categories": kinds, "colors": colors, "sizes": sizes, "skus": skus}


def each_named(words: dict[str, Any], lines: Sequence[OrderLine]) -> list[OrderLine]:
    """Every line that the words name: "the loafers and the wallet". None at all where a word stands for several lines."""
    found: list[OrderLine] = []
    said: set[str] = set()
    while left := [line for line in lines if line not in found and _signs(words, line) - said]:
        best = fitting_lines(words, left)
        if len(best) > 1 and any(_signs(words, best[0]) == _signs(words, other) for other in best[1:]):
            return []
        found += best[:1]
        said |= _signs(words, best[0])
    return found


def _signs(words: dict[str, Any], line: OrderLine) -> set[str]:
    """The words said, and the kind of thing, by which this line is named."""
    product = line.variant.product
    name = {word for name in product.names.values() for word in _telling_words(name)}
    kind = product.category.slug
    said = {each for each in str(words.get("text", "")).split() if any(_says([each], word) for word in name)}
    return said | ({kind} if kind in words.get("categories", []) else set())


def fitting_lines(words: dict[str, Any], lines: Sequence[OrderLine]) -> list[OrderLine]:
    """The lines that the words fit best; none where they fit no line at all."""
    scores = [(_score(words, line), line) for line in lines] if words else []
    best = max((score for score, _ in scores), default=0)
    return [line for score, line in scores if score == best] if best >= 2 else []


SAID_BY_SKU = 10  # more than whatever else may be said of an item


def _score(words: dict[str, Any], line: OrderLine) -> int:
    """2 for each sign of the product, 1 for each of the variant: colour and size alone name no product. A SKU says all of it."""
    if line.variant.sku in words.get("skus", []):
        return SAID_BY_SKU
    product, options = line.variant.product, line.variant.options
    kind = {" ".join(folded_words(name)) for name in product.category.names.values()}  # "my shoes" are any, not those called so
    said = [word for word in str(words.get("text", "")).split() if word not in kind]
    named = any(_says(said, word) for name in product.names.values() for word in _telling_words(name))
    by_category = product.category.slug in words.get("categories", [])
    by_variant = (options.get("color") in words.get("colors", [])) + (options.get("size") in words.get("sizes", []))
    return 2 * (named + by_category) + (by_variant if named or by_category else 0)


def _telling_words(name: str) -> list[str]:
    return [word for word in folded_words(name) if len(word) >= SHORTEST_WORD]


def _says(said: Sequence[str], word: str) -> bool:
    return any(fuzz.ratio(each, word) >= SAME_WORD for each in said if len(each) >= SHORTEST_WORD)


def says_phrase(words: dict[str, Any], phrases: Sequence[str]) -> bool:
    """Whether the remembered message holds one of these phrases as whole words."""
    said = f" {words.get('text', '')} "
    return any(f" {' '.join(folded_words(phrase))} " in said for phrase in phrases)


def order_option(turn: Turn, order: Order) -> Option:
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
