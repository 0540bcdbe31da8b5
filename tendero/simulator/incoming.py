"""What shoppers send: every kind that a webhook can bring."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tendero.simulator.delivery import Update
from tendero.simulator.errors import told_later
from tendero.simulator.shoppers import Entry, Shopper
from tendero.simulator.shown import show_written
from tendero.simulator.world import World

_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_WEBP = "UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA"
# kind: (type, content in base64) of a file where none is given.
SAMPLES: Mapping[str, tuple[str, str]] = {
    "image": ("image/png", _PNG),
    "sticker": ("image/webp", _WEBP),
    "document": ("application/pdf", base64.b64encode(b"%PDF-1.4\n%%EOF\n").decode()),
    "audio": ("audio/ogg; codecs=opus", base64.b64encode(b"OggS" + bytes(60)).decode()),
    "video": ("video/mp4", base64.b64encode(bytes(4) + b"ftypmp42" + bytes(60)).decode()),
}
_KEEP_CLOSED = ("system",)  # no words of the shopper's: they open no window
Wanted = Mapping[str, Any]


class CannotSend(ValueError):
    """What a shopper was told to do makes no sense; `str()` says why."""


def write(world: World, shopper: Shopper, wanted: Wanted) -> Entry:
    """wanted: `type` and what belongs to it (see the functions below), and for every type perhaps `id` (to send one again), `at`
    (seconds since 1970), `reply_to` (a message's id), `forwarded` (once or often), `referral`, `phone_number_id` (another one).

    Raises CannotSend.
    """
    kind = str(wanted.get("type", "text"))
    if kind not in _MAKERS:
        raise CannotSend(f"type must be one of {', '.join(_MAKERS)}")
    try:
        content = _MAKERS[kind](world, shopper, wanted)
    except (KeyError, TypeError) as error:
        raise CannotSend(f"{kind} lacks {error}, or has it in another form") from error
    return send(world, shopper, {**content, **_around(world, wanted, content)}, wanted)


def send(world: World, shopper: Shopper, content: dict[str, Any], wanted: Wanted) -> Entry:
    """content: a message of a webhook without whom it is from, its id and its time."""
    at = int(wanted.get("at") or world.clock.stamp())
    message_id = str(wanted.get("id") or world.names.message(shopper.key))
    who = {**({"from": shopper.wa_id} if shopper.shows_phone else {}), "from_user_id": shopper.user_id}
    message = {**who, "id": message_id, "timestamp": str(at), **content}
    shown = {"label": message["type"]} if wanted.get("type") == "raw" else show_written(message)
    entry = Entry(message_id, "shopper", at, message, shown, ["waiting"])
    shopper.entries.append(entry)
    world.counts["received"] += 1
    world.number.count(world.clock.now())
    if message["type"] not in _KEEP_CLOSED:
        shopper.wrote_at = world.clock.now()
    contact = None if message["type"] == "system" else shopper.contact
    number = wanted.get("phone_number_id")
    taken = partial(entry.statuses.append, "delivered")
    world.delivery.put(Update(message, shopper.key, contact, phone_number_id=number, on_answer=taken))
    world.touch()
    return entry


def prefer(world: World, shopper: Shopper, value: str) -> None:
    """value: `stop` or `resume`, of marketing. Raises CannotSend."""
    if value not in ("stop", "resume"):
        raise CannotSend("value must be stop or resume")
    shopper.takes_marketing = value == "resume"
    item: dict[str, Any] = {
        "detail": f"User requested to {value} marketing messages",
        "category": "marketing_messages",
        "value": value,
        "timestamp": world.clock.stamp(),
        "user_id": shopper.user_id,
    }
    if shopper.shows_phone:
        item["wa_id"] = shopper.wa_id
    world.delivery.put(Update(item, shopper.key, shopper.contact, kind="user_preferences", field="user_preferences"))
    world.touch()


def move(world: World, shopper: Shopper, phone: str | None) -> Entry:
    """To another number, or (None) only to another user id; the webhook still comes from the old one. Raises CannotSend."""
    before = {"from": shopper.wa_id, "from_user_id": shopper.user_id}
    try:
        world.shoppers.move(shopper, phone)
    except ValueError as error:
        raise CannotSend(str(error)) from error
    kind = "user_changed_number" if phone else "user_changed_user_id"
    old, new = (before["from"], shopper.wa_id) if phone else (before["from_user_id"], shopper.user_id)
    system: dict[str, Any] = {"body": f"User {shopper.name} changed from {old} to {new}", "type": kind}
    system |= {"wa_id": shopper.wa_id, "user_id": shopper.user_id, "previous_user_id": before["from_user_id"]}
    return send(world, shopper, {"type": "system", "system": system, **before}, {})


def _around(world: World, wanted: Wanted, content: dict[str, Any]) -> dict[str, Any]:
    """What may stand beside any content."""
    context = dict(content.get("context") or {})
    if reply_to := wanted.get("reply_to"):
        context |= {"from": world.account.display_phone_number, "id": str(reply_to)}
    if forwarded := wanted.get("forwarded"):
        context["frequently_forwarded" if forwarded == "often" else "forwarded"] = True
    if product := wanted.get("referred_product"):
        context |= {"from": world.account.display_phone_number, "referred_product": product}
    more = {"referral": wanted["referral"]} if wanted.get("referral") else {}
    return {**more, **({"context": context} if context else {})}


def _text(_world: World, _shopper: Shopper, wanted: Wanted) -> dict[str, Any]:
    """text."""
    return {"type": "text", "text": {"body": str(wanted["text"])}}


def _tap(world: World, shopper: Shopper, wanted: Wanted) -> dict[str, Any]:
    """message_id, and the id or the title of one of its buttons or rows."""
    entry = _target(shopper, wanted)
    context = {"from": world.account.display_phone_number, "id": entry.id}
    for button in entry.shown.get("buttons", []):
        if wanted.get("id_tapped", wanted.get("title")) in (button.get("id"), button["title"]):
            if button["kind"] == "quick_reply":
                return {"type": "button", "button": {"payload": button["id"], "text": button["title"]}, "context": context}
            return _reply("button_reply", {"id": button["id"], "title": button["title"]}, context)
    for section in entry.shown.get("list", {}).get("sections", []):
        for row in section["rows"]:
            if wanted.get("id_tapped", wanted.get("title")) in (row["id"], row["title"]):
                return _reply("list_reply", dict(row), context)
    raise CannotSend("That message has no such button or row.")


def _reply(kind: str, reply: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, kind: reply}, "context": context}


def _button_reply(_world: World, _shopper: Shopper, wanted: Wanted) -> dict[str, Any]:
    """reply: {id, title}, whether or not there was such a button."""
    return {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": dict(wanted["reply"])}}


def _list_reply(_world: World, _shopper: Shopper, wanted: Wanted) -> dict[str, Any]:
    """reply: {id, title, description}, whether or not there was such a row."""
    return {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": dict(wanted["reply"])}}


def _template_button(_world: World, _shopper: Shopper, wanted: Wanted) -> dict[str, Any]:
    """button: {payload, text}."""
    return {"type": "button", "button": dict(wanted["button"])}


def _flow_reply(world: World, shopper: Shopper, wanted: Wanted) -> dict[str, Any]:
    """message_id of the flow, response: an object, or a text that is sent as it is."""
    entry = _target(shopper, wanted)
    response = wanted.get("response", {})
    text = response if isinstance(response, str) else json.dumps(response)
    reply = {"name": "flow", "body": "Sent", "response_json": text}
    return _reply("nfm_reply", reply, {"from": world.account.display_phone_number, "id": entry.id})


def _media(kind: str) -> Callable[[World, Shopper, Wanted], dict[str, Any]]:
    """file: {content in base64, type, name}; caption; voice. Without a file, a small one."""

    def make(world: World, _shopper: Shopper, wanted: Wanted) -> dict[str, Any]:
        given = wanted.get("file") or {}
        type_, sample = SAMPLES[kind]
        try:
            content = base64.b64decode(given.get("content", sample), validate=True)
        except (binascii.Error, ValueError) as error:
            raise CannotSend("content must be base64") from error
        file = world.media.receive(content, str(given.get("type") or type_), str(given.get("name") or ""))
        value = file.as_message()
        if kind in ("image", "video", "document") and wanted.get("caption"):
            value["caption"] = str(wanted["caption"])
        if kind == "document":
            value["filename"] = file.name or "document.pdf"
        if kind == "audio":
            value["voice"] = bool(wanted.get("voice", True))
        if kind == "sticker":
            value["animated"] = False
        return {"type": kind, kind: value}

    return make


def _location(_world: World, _shopper: Shopper, wanted: Wanted) -> dict[str, Any]:
    """latitude, longitude; name, address, url where they are known."""
    place = {"latitude": float(wanted["latitude"]), "longitude": float(wanted["longitude"])}
    return {
        "type": "location",
        "location": {**place, **{name: wanted[name] for name in ("name", "address", "url") if wanted.get(name)}},
    }


def _contacts(_world: World, shopper: Shopper, wanted: Wanted) -> dict[str, Any]:
    """contacts: as Meta's; without them the shopper's own, as an answer to a request for it."""
    if wanted.get("contacts"):
        return {"type": "contacts", "contacts": list(wanted["contacts"])}
    shopper.shows_phone = True
    name = {"formatted_name": shopper.name, "first_name": shopper.name.split()[0]}
    phones = [{"phone": shopper.phone, "wa_id": shopper.wa_id, "type": "CELL"}]
    return {"type": "contacts", "contacts": [{"name": name, "phones": phones, "origin": "contact_request"}]}


def _order(_world: World, _shopper: Shopper, wanted: Wanted) -> dict[str, Any]:
    """items: [{product_retailer_id, quantity, item_price, currency}]; text: a note; catalog_id."""
    items = [dict(each) for each in wanted["items"]]
    order = {
        "catalog_id": str(wanted.get("catalog_id", "194836987003835")),
        "text": str(wanted.get("text", "")),
        "product_items": items,
    }
    return {"type": "order", "order": order}


def _reaction(_world: World, shopper: Shopper, wanted: Wanted) -> dict[str, Any]:
    """message_id, emoji; without an emoji it is taken away."""
    entry = _target(shopper, wanted)
    entry.reactions.pop("shopper", None)
    value = {"message_id": entry.id}
    if emoji := wanted.get("emoji"):
        entry.reactions["shopper"] = value["emoji"] = str(emoji)
    return {"type": "reaction", "reaction": value}


def _edit(_world: World, shopper: Shopper, wanted: Wanted) -> dict[str, Any]:
    """message_id of a text of their own, text."""
    entry = _target(shopper, wanted, "shopper")
    entry.shown = {"text": str(wanted["text"]), "label": "edited"}
    message = {"context": {"id": "M0"}, "type": "text", "text": {"body": str(wanted["text"])}}
    return {"type": "edit", "edit": {"original_message_id": entry.id, "message": message}}


def _revoke(_world: World, shopper: Shopper, wanted: Wanted) -> dict[str, Any]:
    """message_id of their own."""
    entry = _target(shopper, wanted, "shopper")
    entry.is_revoked = True
    return {"type": "revoke", "revoke": {"original_message_id": entry.id}}


def _unsupported(_world: World, _shopper: Shopper, wanted: Wanted) -> dict[str, Any]:
    """kind: what WhatsApp has and its API does not, such as poll_update."""
    error = told_later(131051, "Message type is currently not supported.")
    error.pop("href")
    return {"type": "unsupported", "errors": [error], "unsupported": {"type": str(wanted.get("kind", "poll_update"))}}


def _raw(_world: World, _shopper: Shopper, wanted: Wanted) -> dict[str, Any]:
    """message: with a `type`, sent as it is."""
    return {"type": "unknown", **dict(wanted["message"])}


def _target(shopper: Shopper, wanted: Wanted, by: str | None = None) -> Entry:
    entry = shopper.entry(str(wanted["message_id"]))
    if entry is None or by not in (None, entry.by):
        raise CannotSend("There is no such message in this chat.")
    return entry


_MAKERS: Mapping[str, Callable[[World, Shopper, Wanted], dict[str, Any]]] = {
    "text": _text,
    "tap": _tap,
    "button_reply": _button_reply,
    "list_reply": _list_reply,
    "button": _template_button,
    "flow_reply": _flow_reply,
    **{kind: _media(kind) for kind in SAMPLES},
    "location": _location,
    "contacts": _contacts,
    "order": _order,
    "reaction": _reaction,
    "edit": _edit,
    "revoke": _revoke,
    "unsupported": _unsupported,
    "raw": _raw,
}
