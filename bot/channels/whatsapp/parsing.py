"""A webhook's JSON as a list of updates: every entry, change, message, status and error of it.

Real webhooks break every published schema. What is missing or of another type is taken as not told; an item that makes no sense
becomes an `Unreadable` and stops none of the others. Nothing in here raises.
"""

from __future__ import annotations

import hashlib
import json
import math
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from bot.channels.whatsapp.updates import (
    Call,
    Choice,
    Echo,
    Edit,
    Fault,
    File,
    Handover,
    Message,
    Moved,
    Note,
    Notice,
    Preference,
    Revoke,
    Sender,
    Status,
    Unreadable,
    Update,
)
from messaging.channel_contacts import LONGEST_USER_ID, phone_of

Json = Mapping[str, Any]

FILES = ("image", "document", "audio", "voice", "video", "sticker")
REFERRAL = ("source_url", "source_id", "source_type", "headline", "body", "media_type", "ctwa_clid")
LONGEST_ID = 128  # of a file, as the database keeps it
MOST_ITEMS = 200  # of a cart, of shared contacts
MOST_QUANTITY = 100_000
LARGEST_UNKNOWN = 4000  # characters of JSON that are kept of a message of an unknown type
DEEPEST = 12

Parsed = Iterator[Update]


def parse(body: Any) -> list[Update]:
    """All that is in it, in its order."""
    updates: list[Update] = []
    for entry in _list(_object(body).get("entry")):
        for change in _list(_object(entry).get("changes")):
            updates += _of_change(_object(change))
    return updates


def _of_change(change: Json) -> list[Update]:
    field, value = _text(change.get("field")), _object(change.get("value"))
    number = _id(_object(value.get("metadata")).get("phone_number_id"))
    if field == "messages":
        return _of_messages(value, number)
    if field == "standby":
        within = _object(value.get("standby")) or value
        return _of_messages({"contacts": value.get("contacts"), **within}, number, is_standby=True)
    if field == "smb_message_echoes":
        return _each(value.get("message_echoes"), "echo", number, _echo)
    if field == "user_preferences":
        return _each(value.get("user_preferences"), "preference", number, lambda each, number: _preference(each, number, value))
    if field == "calls":
        return _each(value.get("calls"), "call", number, _call) + _faults(value, number)
    if field == "messaging_handovers":
        return _each([value], "handover", number, _handover)
    return _each([value], "notice", number, lambda each, number: _notice(field, each, number))


def _of_messages(value: Json, number: str, is_standby: bool = False) -> list[Update]:
    people = [_object(each) for each in _list(value.get("contacts"))]

    def message(each: Json, number: str) -> Parsed:
        return _message(each, number, people, is_standby)

    updates = _each(value.get("messages"), "message", number, message)
    updates += _each(value.get("message_echoes"), "echo", number, _echo)
    updates += _each(value.get("statuses"), "status", number, _status)
    return updates + _faults(value, number)


def _faults(value: Json, number: str) -> list[Update]:
    return _each(value.get("errors"), "error", number, _fault)


def _each(items: Any, what: str, number: str, parse_item: Callable[[Json, str], Parsed]) -> list[Update]:
    updates: list[Update] = []
    for item in _list(items):
        try:
            updates += list(parse_item(_object(item), number))
        except Exception as error:  # whatever it is, it must not stop the others
            why = str(error) if isinstance(error, NotUnderstood) else type(error).__name__
            updates.append(Unreadable(number, what, _id(_object(item).get("id")), why))
    return updates


class NotUnderstood(Exception):
    """An item lacks what it is useless without; the message says what, and nothing that was in it."""


# Messages


def _message(item: Json, number: str, people: list[Json], is_standby: bool) -> Parsed:
    kind = _text(item.get("type"))
    if kind == "system":
        yield from _system(item, number)
        return
    sender = _sender(item, people)
    if not sender.is_named:
        raise NotUnderstood("nobody is named as its sender")
    message_id, at = _message_id(item), _at(item.get("timestamp"))
    if kind == "reaction":
        reaction = _object(item.get("reaction"))
        yield Note(number, message_id, at, sender, kind, _text(reaction.get("emoji")), _id(reaction.get("message_id")))
    elif kind == "revoke":
        yield Revoke(number, message_id, at, sender, _id(_object(item.get("revoke")).get("original_message_id")))
    elif kind == "edit":
        edit = _object(item.get("edit"))
        now = {**_object(edit.get("message")), "id": message_id, "timestamp": item.get("timestamp")}
        yield Edit(number, _id(edit.get("original_message_id")), _shopper_message(now, number, sender, is_standby))
    elif kind == "request_welcome" or _is_about_calls(item):
        yield Note(number, message_id, at, sender, kind)
    else:
        yield _shopper_message(item, number, sender, is_standby)


def _shopper_message(item: Json, number: str, sender: Sender, is_standby: bool) -> Message:
    kind = _text(item.get("type")) or "unknown"
    content = _object(item.get(kind))
    text, choice, details = _content(kind, content, item)
    return Message(
        phone_number_id=number,
        id=_message_id(item),
        at=_at(item.get("timestamp")),
        sender=sender,
        type=kind,
        text=text,
        choice=choice,
        files=_files(kind, content),
        details={**details, **_around(item)},
        is_standby=is_standby,
        group_id=_id(item.get("group_id")),
    )


def _content(kind: str, content: Json, item: Json) -> tuple[str, Choice | None, dict[str, Any]]:
    """The words, what was tapped, and the rest."""
    if kind == "text":
        return _text(content.get("body")), None, {}
    if kind in FILES:
        return _text(content.get("caption")), None, {}
    if kind == "button":
        title = _text(content.get("text"))
        return title, Choice(_text(content.get("payload")), title), {}
    if kind == "interactive":
        return _interactive(content)
    if kind == "location":
        return "", None, {"location": _location(content)}
    if kind == "contacts":
        return "", None, {"contacts": [_contact(_object(each)) for each in _list(item.get(kind))[:MOST_ITEMS]]}
    if kind == "order":
        note = _text(content.get("text"))
        return "", None, {"cart": _cart(content), **({"note": note} if note else {})}
    return "", None, _unknown(item)


def _interactive(content: Json) -> tuple[str, Choice | None, dict[str, Any]]:
    kind = _text(content.get("type"))
    reply = _object(content.get(kind))
    if kind == "nfm_reply":
        return "", None, {"form": _form(reply)}
    title = _text(reply.get("title"))
    return (title, Choice(_text(reply.get("id")), title), {}) if title else ("", None, _unknown(content))


def _is_about_calls(item: Json) -> bool:
    return _object(item.get("interactive")).get("type") == "call_permission_reply"


def _form(reply: Json) -> dict[str, Any]:
    """What was filled in; nothing where it cannot be read."""
    try:
        filled = json.loads(_text(reply.get("response_json")) or "{}")
    except (ValueError, RecursionError):
        return {}
    return dict(_plain(filled)) if isinstance(filled, dict) else {}


def _files(kind: str, content: Json) -> tuple[File, ...]:
    file_id = _id(content.get("id"))
    if kind not in FILES or not file_id or len(file_id) > LONGEST_ID:
        return ()
    as_what = "voice" if kind == "audio" and content.get("voice") is True else kind
    names = (_text(content.get("mime_type")), _text(content.get("filename")))
    return (File(file_id, as_what, *names, _sha256(_text(content.get("sha256")))),)


def _location(content: Json) -> dict[str, Any]:
    place: dict[str, Any] = {name: _degrees(content.get(name)) for name in ("latitude", "longitude")}
    if None in place.values():
        raise NotUnderstood("a location without coordinates")
    return {**place, **{name: text for name in ("name", "address") if (text := _text(content.get(name)))}}


def _contact(content: Json) -> dict[str, Any]:
    name = _text(_object(content.get("name")).get("formatted_name"))
    phones = [_text(_object(each).get("phone")) for each in _list(content.get("phones"))[:MOST_ITEMS]]
    return {"name": name, "phones": [phone for phone in phones if phone], "origin": _text(content.get("origin"))}


def _cart(content: Json) -> list[dict[str, Any]]:
    """What and how many; the prices are those of the shop, whatever the phone says."""
    items = [_object(each) for each in _list(content.get("product_items"))[:MOST_ITEMS]]
    pairs = [(_id(each.get("product_retailer_id")), _integer(each.get("quantity"))) for each in items]
    return [{"sku": sku, "quantity": many} for sku, many in pairs if sku and many and 0 < many <= MOST_QUANTITY]


def _around(item: Json) -> dict[str, Any]:
    """What any message can have along with its content."""
    context, ad = _object(item.get("context")), _object(item.get("referral"))
    product = _object(context.get("referred_product"))
    found = {
        "reply_to": _id(context.get("id")),
        "forwarded": context.get("forwarded") is True or context.get("frequently_forwarded") is True,
        "referral": {name: text for name in REFERRAL if (text := _text(ad.get(name)))},
        "product": _id(product.get("product_retailer_id")),
        "error": _error_code(item),
    }
    return {name: value for name, value in found.items() if value}


def _unknown(item: Json) -> dict[str, Any]:
    """A message that we have no name for is kept as it came, but for who sent it."""
    left_out = ("from", "from_user_id", "from_parent_user_id", "id", "timestamp", "context", "referral")
    kept = _plain({name: value for name, value in item.items() if name not in left_out})
    return {"unknown": kept} if len(json.dumps(kept)) <= LARGEST_UNKNOWN else {}


# Persons


def _sender(item: Json, people: list[Json]) -> Sender:
    """By the number or user id of the message; by the only person whom the webhook names, where it has neither."""
    named, user_id = _id(item.get("from")), _usable_id(item.get("from_user_id"))
    phone = named if phone_of(named) else ""
    person = next((each for each in people if _is_same(each, phone, user_id)), None)
    if person is None and not (phone or user_id) and len(people) == 1:
        person = people[0]
    person = person or {}
    profile = _object(person.get("profile"))
    user_id, phone = user_id or _usable_id(person.get("user_id")), phone or _id(person.get("wa_id"))
    return Sender(
        user_id=user_id or ("" if phone_of(phone) else _usable_id(named)),  # some name that is no number
        phone=phone if phone_of(phone) else "",
        name=_text(profile.get("name")).strip(),
        username=_text(profile.get("username")).strip(),
    )


def _is_same(person: Json, phone: str, user_id: str) -> bool:
    theirs, number = _id(person.get("user_id")), _id(person.get("wa_id"))
    if user_id and theirs:
        return user_id == theirs
    return bool(phone and number) and (phone == number or phone_of(phone) == phone_of(number))


def _system(item: Json, number: str) -> Parsed:
    system = _object(item.get("system"))
    kind = _text(system.get("type"))
    if kind not in ("user_changed_number", "user_changed_user_id"):
        yield Notice(number, "system", kind)
        return
    user_id, new_id = _id(item.get("from_user_id")), _id(system.get("user_id"))
    new_phone = _id(system.get("new_wa_id")) or _id(system.get("wa_id"))
    old = Sender(_id(system.get("previous_user_id")) or ("" if user_id == new_id else user_id), _id(item.get("from")))
    new = Sender(new_id, "" if new_phone == old.phone else new_phone)
    if not old.is_named or not new.is_named:
        raise NotUnderstood(f"{kind} without who it was and who it is")
    yield Moved(number, _message_id(item), old, new)


def _preference(item: Json, number: str, value: Json) -> Parsed:
    wish = {"stop": False, "resume": True, "signup": True}.get(_text(item.get("value")))
    if wish is None or _text(item.get("category")) not in ("marketing_messages", ""):
        raise NotUnderstood("a preference that we do not know")
    named = {"from": item.get("wa_id"), "from_user_id": item.get("user_id")}
    person = _sender(named, [_object(each) for each in _list(value.get("contacts"))])
    if not person.is_named:
        raise NotUnderstood("nobody is named")
    yield Preference(number, person, _at(item.get("timestamp")), wish)


def _handover(value: Json, number: str) -> Parsed:
    sender, kind = _object(value.get("sender")), _text(value.get("type"))
    person = Sender(_id(sender.get("user_id")), _id(sender.get("phone_number")) or _id(sender.get("wa_id")))
    if not person.is_named or not kind:
        raise NotUnderstood("a handover without whom or what")
    to_whom = _text(_object(value.get(kind)).get("new_owner_app_role"))
    is_ours = kind == "control_passed" and to_whom != "meta_business_agent"
    yield Handover(number or _id(_object(value.get("recipient")).get("phone_number_id")), person, is_ours)


def _call(item: Json, number: str) -> Parsed:
    person = Sender(_id(item.get("from_user_id")), _id(item.get("from")))
    if person.is_named and _text(item.get("direction")) == "USER_INITIATED":
        yield Call(number, person, _at(item.get("timestamp")))


# The rest


def _status(item: Json, number: str) -> Parsed:
    message_id, status = _id(item.get("id")), _text(item.get("status")).lower()
    if not message_id or not status:
        raise NotUnderstood("a status without a message or a name")
    errors = [_object(each) for each in _list(item.get("errors"))]
    error = errors[0] if errors else {}
    why = _text(_object(error.get("error_data")).get("details")) or _text(error.get("message")) or _text(error.get("title"))
    yield Status(
        number,
        message_id,
        status,
        Sender(_id(item.get("recipient_user_id")), _id(item.get("recipient_id"))),
        _at(item.get("timestamp")),
        _text(item.get("biz_opaque_callback_data")) or None,
        _integer(error.get("code")),
        why or None,
    )


def _echo(item: Json, number: str) -> Parsed:
    recipient = Sender(_id(item.get("to_user_id")), _id(item.get("to")))
    if not recipient.is_named:
        raise NotUnderstood("nobody is named as its recipient")
    kind = _text(item.get("type"))
    text = _content(kind, _object(item.get(kind)), item)[0]
    yield Echo(number, _message_id(item), _at(item.get("timestamp")), recipient, kind, text)


def _fault(item: Json, number: str) -> Parsed:
    yield Fault(number, _integer(item.get("code")), _text(item.get("title")) or _text(item.get("message")))


def _notice(field: str, value: Json, number: str) -> Parsed:
    yield Notice(number, field, _text(value.get("event")) or _text(value.get("type")))


# Values


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    """Without what no database takes: half of a surrogate pair, and the sign zero."""
    if not isinstance(value, str):
        return ""
    return value.replace("\0", "") if value.isascii() else value.replace("\0", "").encode("utf-8", "replace").decode()


def _id(value: Any) -> str:
    """Names come as text, and now and then as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value).strip()


def _usable_id(value: Any) -> str:
    found = _id(value)
    return found if len(found) <= LONGEST_USER_ID else ""


def _message_id(item: Json) -> str:
    """The message's name; one that has none is named by its content, so that it is known when it comes again."""
    return _id(item.get("id")) or hashlib.sha256(json.dumps(item, sort_keys=True, default=str).encode()).hexdigest()


def _integer(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and abs(value) < 10**15 else None


def _at(value: Any) -> datetime | None:
    seconds = _integer(value)
    is_likely = seconds is not None and 946_684_800 <= seconds < 4_102_444_800  # 2000 to 2100
    return datetime.fromtimestamp(seconds, timezone.utc) if is_likely and seconds is not None else None


def _degrees(value: Any) -> float | None:
    try:
        degrees = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError, OverflowError):
        return None
    return degrees if math.isfinite(degrees) and abs(degrees) <= 180 else None


def _sha256(written: str) -> str | None:
    """Hexadecimal digits, whichever way it is written: Meta writes base64 here and hexadecimal digits there."""
    if len(written) == 64:
        try:
            return bytes.fromhex(written).hex()
        except ValueError:
            return None
    try:
        found = b64decode(written, validate=True)
    except (NotBase64, ValueError):
        return None
    return found.hex() if len(found) == 32 else None


def _error_code(item: Json) -> int | None:
    errors = _list(item.get("errors"))
    return _integer(_object(errors[0]).get("code")) if errors else None


def _plain(value: Any, depth: int = 0) -> Any:
    """Fit for JSON in any database."""
    if isinstance(value, dict):
        return {_text(name): _plain(each, depth + 1) for name, each in value.items()} if depth < DEEPEST else None
    if isinstance(value, list):
        return [_plain(each, depth + 1) for each in value] if depth < DEEPEST else None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return _text(value) if isinstance(value, str) else value
