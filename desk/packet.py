"""What the assistant hands over: the goal, what it collected and from where, what it tried, and the policy's verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from commerce import orders
from commerce.models import CustomerAddress, OrderLine, Variant
from desk.in_words import Json, goods, has_title, listed, number, title
from messaging import file_references, formats, tasks_at_hand
from messaging.models import Handoff

Address = Callable[[str], str]  # where a browser gets a file, by its reference

FILES, AD = "files", "ad"  # among what was collected, and shown apart
# Slots whose values have titles, by the kind of title.
TITLED = {
    "cancel_reason": "cancel_reason",
    "return_reason": "reason",
    "package": "package_is",
    "return_method": "method",
    "refund_to": "refund_to",
    "problem": "problem",
    "resolution": "resolution",
}


def no_address(reference: str) -> str:
    """Files are named without being shown."""
    return ""


def shown(session: Session, handoff: Handoff, language: str = "en", address: Address = no_address) -> Json:
    """The part `packet` of docs/desk-protocol.md. language: of the agent. address: as above."""
    suspended = tasks_at_hand.of(session, handoff.sender_id)
    return {
        "goal": _task(handoff.goal, language),
        "reason": {"name": handoff.reason, "title": title("handoff", handoff.reason, language)},
        "collected": list(_collected(session, handoff, language)),
        "tried": [_task(each, language) for each in handoff.tried],
        "verdict": verdict_in_words(handoff.verdict, language) if handoff.verdict else None,
        "suspended": _task(tasks_at_hand.FORMS.get(suspended.form), language) if suspended is not None else None,
        "files": list(_files(session, handoff, address)),
        "ad": handoff.collected.get(AD),
    }


def _task(intent: str | None, language: str) -> Json | None:
    return {"name": intent, "title": title("task", intent, language)} if intent else None


# What was collected


def _collected(session: Session, handoff: Handoff, language: str) -> Iterable[Json]:
    for name, value in handoff.collected.items():
        if name in (FILES, AD) or value in (None, "", [], {}):
            continue
        source = handoff.sources.get(name) or {}
        told = {"from": source.get("from"), "text": source.get("text") or "", "at": source.get("at")}
        yield {
            "name": name,
            "title": title("slot", name, language),
            "value": _value(session, handoff, name, value, language),
            **told,
        }


def _value(session: Session, handoff: Handoff, name: str, value: Any, language: str) -> str:
    """In words. What only has a number in our books is looked up among the things of the customer whom the matter is of."""
    if name in TITLED:
        return title(TITLED[name], str(value), language)
    if name == "new_payment_method":
        return listed((title("method", each, language) for each in str(value).split(",")), language)
    in_books = _IN_BOOKS.get(name)
    if in_books is not None:
        return in_books(session, handoff, value, language) or "?"
    return number(value, language) if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _line(session: Session, handoff: Handoff, value: Any, language: str) -> str:
    return _pieces(session, handoff, [{"line_id": int(value), "quantity": 1}], language)


def _pieces(session: Session, handoff: Handoff, value: Any, language: str) -> str:
    found = [(_own_line(session, handoff, each["line_id"]), each["quantity"]) for each in value]
    return listed(
        (goods({**orders.item_values(line), "quantity": n}, language) for line, n in found if line is not None), language
    )


def _own_line(session: Session, handoff: Handoff, line_id: int) -> OrderLine | None:
    line = session.get(OrderLine, line_id)
    is_own = line is not None and handoff.customer_id is not None and line.order.customer_id == handoff.customer_id
    return line if is_own else None


def _variant(session: Session, handoff: Handoff, value: Any, language: str) -> str:
    variant = session.get(Variant, int(value))
    return formats.options(variant.options, language) if variant is not None else ""


def _address(session: Session, handoff: Handoff, value: Any, language: str) -> str:
    if value.get("address"):
        return _address_in_words(value["address"])
    saved = session.get(CustomerAddress, value.get("address_id"))
    if saved is None or handoff.customer_id is None or saved.customer_id != handoff.customer_id:
        return ""
    return _address_in_words({name: getattr(saved, name) for name in ("line1", "line2", "postcode", "city", "region")})


def _address_in_words(address: Mapping[str, Any]) -> str:
    return ", ".join(str(address[part]) for part in ("line1", "line2", "postcode", "city", "region") if address.get(part))


def _points(session: Session, handoff: Handoff, value: Any, language: str) -> str:
    return number(int(value), language) if str(value).lstrip("-").isdigit() else str(value)


_IN_BOOKS: Mapping[str, Callable[[Session, Handoff, Any, str], str]] = {
    "line_id": _line,
    "return_items": _pieces,
    "new_variant": _variant,
    "new_address": _address,
    "points": _points,
}


def _files(session: Session, handoff: Handoff, address: Address) -> Iterable[Json]:
    """Those that are there; one that is on its way or could not be had has no address."""
    listed_files = handoff.collected.get(FILES) or []
    known = file_references.referred(session, (str(each.get("file")) for each in listed_files))
    for each in listed_files:
        file = known.get(str(each.get("file")))
        if file is not None:  # else it was erased
            where = address(file_references.reference(file)) if file.state == "stored" else ""
            yield {"kind": file.kind, "name": file.file_name or "", "address": where}


# The verdict


def verdict_in_words(verdict: Mapping[str, Any], language: str) -> Json:
    """The decision that the assistant told: by which rule, what that means, and which single change would turn it."""
    rule, reason = str(verdict.get("rule") or ""), str(verdict.get("reason") or verdict.get("rule") or "")
    named = reason if has_title("refused", reason) else rule
    changes = [_change(each, language) for each in verdict.get("would_change") or ()]
    return {
        "verdict": verdict.get("verdict"),
        "rule": rule,
        "title": title("refused", named, language),
        "change": "; ".join(dict.fromkeys(changes)),
    }


def _change(change: Mapping[str, Any], language: str) -> str:
    """ "level: Gold", "days since delivery: 30"."""
    fact, to = str(change.get("fact")), change.get("to")
    return f"{title('fact', fact, language)}: {_fact_value(fact, to, language)}"


def _fact_value(fact: str, to: Any, language: str) -> str:
    if isinstance(to, bool):
        return title("fact_is", "true" if to else "false", language)
    if isinstance(to, int):
        return number(to, language)
    kind = {"tier": "tier", "package": "package_is", "return_method": "method", "requested_to": "refund_to"}.get(fact, fact)
    return title(kind, str(to), language)
