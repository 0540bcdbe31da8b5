"""What the shop sends: taken or refused, and what follows from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from tendero.settings import LOOPBACK
from tendero.simulator import media, statuses
from tendero.simulator.checks import Send, read
from tendero.simulator.checks.message import read_mark
from tendero.simulator.errors import GraphError
from tendero.simulator.shoppers import Entry, Shopper
from tendero.simulator.shown import show_sent
from tendero.simulator.templates import Template
from tendero.simulator.world import World

TYPING_SECONDS = 25.0


def accept(world: World, body: Mapping[str, Any]) -> dict[str, Any]:
    """Meta's answer to a send. Raises GraphError."""
    send = read(body)
    shopper = addressee(world, send)
    _check_addressee(world, send)
    world.number.take(world.clock.now())
    world.pair.take(shopper.key if shopper else str(send.to or send.recipient), world.clock.now())
    _check_files(world, send)
    template = world.templates.fitting(send.content) if send.type == "template" else None
    if template is not None and send.to is None and template.category == "AUTHENTICATION":
        raise GraphError(131062, "One-tap, zero-tap and copy code buttons need a phone number.")
    message_id = world.names.message(shopper.key if shopper else re.sub(r"\D", "", send.to or "") or "0")
    world.counts["accepted"] += 1
    if shopper is None:
        _lose(world, send, message_id)
    else:
        _take(world, send, shopper, template, message_id)
    world.touch()
    return _answer(send, shopper, message_id)


def mark(world: World, body: Mapping[str, Any]) -> dict[str, Any]:
    """The shop has read a message, and those before it; perhaps it is typing now. Raises GraphError."""
    message_id, is_typing = read_mark(body)
    shopper = world.shoppers.holder_of(message_id)
    entry = shopper.entry(message_id) if shopper else None
    if shopper is None or entry is None or entry.by != "shopper":
        raise GraphError(131009, "message_id is not that of a message to this phone number.")
    for each in shopper.entries[: shopper.entries.index(entry) + 1]:
        if each.by == "shopper" and "read" not in each.statuses:
            each.statuses.append("read")
    if is_typing:
        shopper.shop_types_until = world.clock.now() + TYPING_SECONDS
        world.later(TYPING_SECONDS, world.touch)
    world.counts["marked"] += 1
    world.touch()
    return {"success": True}


def addressee(world: World, send: Send) -> Shopper | None:
    return world.shoppers.by_phone(send.to) if send.to else world.shoppers.by_user_id(send.recipient or "")


def _check_addressee(world: World, send: Send) -> None:
    if re.sub(r"\D", "", send.to or "") == world.account.display_phone_number:
        raise GraphError(131021, "Recipient phone number cannot be the sender's.")


def _check_files(world: World, send: Send) -> None:
    for where, content in _sources(send.content, send.type):
        if "id" in content and world.media.find(str(content["id"])) is None:
            details = f"Param {where}['id'] is not a valid whatsapp business account media attachment ID"
            raise GraphError(100, details)


def _sources(content: Any, where: str) -> list[tuple[str, dict[str, Any]]]:
    """Every place of a file in a body: objects below the name of a kind of media."""
    found = []
    if isinstance(content, list):
        for index, each in enumerate(content):
            found += _sources(each, f"{where}[{index}]")
    elif isinstance(content, dict):
        if where.rpartition("['")[2].removesuffix("']") in media.ALLOWED and ("id" in content or "link" in content):
            return [(where, content)]
        for name, each in content.items():
            found += _sources(each, f"{where}['{name}']")
    return found


def _take(world: World, send: Send, shopper: Shopper, template: Template | None, message_id: str) -> None:
    entry = Entry(message_id, "shop", world.clock.stamp(), dict(send.body), show_sent(dict(send.body), template))
    entry.remarks = _remarks(send)
    shopper.shop_types_until = 0.0
    if send.to:
        shopper.shows_phone = True  # both have met: from now on webhooks tell it
    failure = _why_it_fails(world, shopper, template)
    if send.type == "reaction":
        _react(shopper, send.content)
    shopper.entries.append(entry)
    if failure:
        statuses.fail(world, shopper, entry, *failure)
    elif links := [content["link"] for _, content in _sources(send.content, send.type) if "link" in content]:
        world.spawn(_fetch_and_begin(world, shopper, entry, links))
    else:
        statuses.begin(world, shopper, entry)


def _why_it_fails(world: World, shopper: Shopper, template: Template | None) -> tuple[int, str] | None:
    """The code and details of the status that tells it."""
    if fault := world.faults.for_later(shopper.key):
        world.counts["faults"] += 1
        return fault.code, "Asked for by a fault."
    if shopper.blocks_shop:
        return 131026, "Message Undeliverable."
    if template is None and not shopper.may_get_anything(world.clock.now()):
        return (
            131047,
            "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
        )
    if template is not None and template.category == "MARKETING" and not shopper.takes_marketing:
        return 131050, "User has stopped receipt of marketing messages from this business."
    return None


async def _fetch_and_begin(world: World, shopper: Shopper, entry: Entry, links: list[str]) -> None:
    """Files by address are fetched from this machine only; of others nothing is known."""
    for link in links:
        if urlsplit(link).hostname not in LOOPBACK:
            entry.remarks.append(f"Not fetched, since it is not on this machine: {link}")
            continue
        why = await _why_not_fetched(world, link, entry)
        if why:
            statuses.fail(world, shopper, entry, 131053, why)
            return
    statuses.begin(world, shopper, entry)


async def _why_not_fetched(world: World, link: str, entry: Entry) -> str | None:
    try:
        answer = await world.delivery.client.get(link)
    except httpx.HTTPError as error:
        return f"Downloading media from weblink failed: {type(error).__name__}"
    if answer.status_code != 200:
        return f"Downloading media from weblink failed with http code {answer.status_code}"
    why = media.refusal(answer.content, answer.headers.get("content-type", ""), entry.shown.get("media", {}).get("kind"))
    if why is None and "media" in entry.shown:
        file = world.media.receive(answer.content, answer.headers["content-type"], "")
        entry.shown["media"]["url"] = f"/_simulator/files/{file.id}"
    return why


def _react(shopper: Shopper, content: dict[str, Any]) -> None:
    target = shopper.entry(content["message_id"])
    if target is None:
        return
    target.reactions.pop("shop", None)
    if content["emoji"]:
        target.reactions["shop"] = content["emoji"]


def _lose(world: World, send: Send, message_id: str) -> None:
    """To somebody who is not on WhatsApp: taken, and failed later."""
    who = {"recipient_id": re.sub(r"\D", "", send.to)} if send.to else {"recipient_user_id": str(send.recipient)}
    world.unreachable.append({"id": message_id, "at": world.clock.stamp(), "body": dict(send.body)})
    statuses.fail_to_stranger(world, message_id, who, send.opaque)


def _remarks(send: Send) -> list[str]:
    remarks = []
    if send.to and not send.to.strip().startswith("+"):
        remarks.append("`to` has no +: WhatsApp may put your own country code before it.")
    return remarks


def _answer(send: Send, shopper: Shopper | None, message_id: str) -> dict[str, Any]:
    if send.to:
        wa_id = shopper.wa_id if shopper else re.sub(r"\D", "", send.to)
        contact = {"input": send.to, "wa_id": wa_id}
    else:
        contact = {"input": str(send.recipient), "user_id": str(send.recipient)}
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": message_id}]}
