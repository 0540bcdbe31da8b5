"""What becomes of a message that the shop has sent, and which webhooks tell of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tendero.simulator.delivery import Update
from tendero.simulator.errors import told_later
from tendero.simulator.shoppers import Entry, Shopper
from tendero.simulator.world import World

PRICED = ("sent", "delivered")


def begin(world: World, shopper: Shopper, entry: Entry) -> None:
    """sent, then delivered as soon as the phone is on, then perhaps read."""
    manner = world.status_manner
    if manner.is_shuffled and shopper.is_online:
        world.later(manner.read_after, lambda: _all_at_once(world, shopper, entry))
        return
    world.later(manner.sent_after, lambda: _reach(world, shopper, entry, "sent"))
    if entry.wire.get("type") == "reaction":  # Meta tells no more of them
        return
    world.later(manner.delivered_after, lambda: _arrive(world, shopper, entry))


def fail(world: World, shopper: Shopper, entry: Entry, code: int, details: str = "") -> None:
    entry.error = told_later(code, details)
    world.later(world.status_manner.sent_after, lambda: _reach(world, shopper, entry, "failed"))


def fail_to_stranger(world: World, message_id: str, recipient: dict[str, str], opaque: str | None) -> None:
    """Of whom nothing is known but what the message was addressed to."""
    item = _item(world, message_id, "failed", opaque) | recipient
    item["errors"] = [told_later(131026, "Message Undeliverable.")]
    world.later(world.status_manner.sent_after, lambda: world.delivery.put(Update(item, "strangers", kind="statuses")))


def see(world: World, shopper: Shopper) -> None:
    """The shopper looks at the chat: all that is there is read."""
    manner = world.status_manner
    if manner.read == "never" or not shopper.is_online:
        return
    for entry in unread(shopper):
        if "delivered" not in entry.statuses and not manner.skip_delivered:
            _reach(world, shopper, entry, "delivered")
        _reach(world, shopper, entry, "read")


def switch_on(world: World, shopper: Shopper, is_online: bool) -> None:
    """While a phone is off, nothing is delivered to it."""
    shopper.is_online = is_online
    if is_online:
        for entry in [each for each in unread(shopper) if "delivered" not in each.statuses]:
            _arrive(world, shopper, entry)
    world.touch()


def unread(shopper: Shopper) -> list[Entry]:
    """What the shop has sent and the shopper has not looked at."""
    mine = [entry for entry in shopper.entries if entry.by == "shop" and entry.wire.get("type") != "reaction"]
    return [entry for entry in mine if "sent" in entry.statuses and "read" not in entry.statuses]


def _arrive(world: World, shopper: Shopper, entry: Entry) -> None:
    manner = world.status_manner
    if not shopper.is_online or "read" in entry.statuses:
        return
    reads = manner.read == "at_once"
    if not (reads and manner.skip_delivered):
        _reach(world, shopper, entry, "delivered")
    if reads:
        world.later(max(0.0, manner.read_after - manner.delivered_after), lambda: _reach(world, shopper, entry, "read"))


def _all_at_once(world: World, shopper: Shopper, entry: Entry) -> None:
    """In another order than they came about."""
    names = ["sent"] if entry.wire.get("type") == "reaction" else ["sent", "delivered"]
    if len(names) > 1 and world.status_manner.read == "at_once":
        names.append("read")
    entry.statuses.extend(names)
    told = list(names)
    world.names.chance.shuffle(told)
    if len(told) > 1 and told == names:
        told.reverse()
    _tell(world, shopper, entry, told)


def _reach(world: World, shopper: Shopper, entry: Entry, status: str) -> None:
    if status in entry.statuses:
        return
    entry.statuses.append(status)
    _tell(world, shopper, entry, [status])


def _tell(world: World, shopper: Shopper, entry: Entry, statuses: Sequence[str]) -> None:
    manner = world.status_manner
    for status in statuses:
        if status in manner.lost:
            continue
        for _ in range(2 if manner.is_doubled else 1):
            update = _update(world, shopper, entry, status)
            if manner.late:
                world.later(manner.late, lambda update=update: world.delivery.put(update))  # type: ignore[misc]
            else:
                world.delivery.put(update)
    world.touch()


def _update(world: World, shopper: Shopper, entry: Entry, status: str) -> Update:
    item = _item(world, entry.id, status, entry.opaque)
    is_by_phone = bool(entry.wire.get("to"))
    if shopper.shows_phone or is_by_phone:
        item["recipient_id"] = shopper.wa_id
    if status == "failed":
        if not is_by_phone:
            item["recipient_user_id"] = shopper.user_id
        item["errors"] = [entry.error]
        return Update(item, shopper.key, kind="statuses")
    item["recipient_user_id"] = shopper.user_id
    if status in PRICED:
        item["pricing"] = _pricing(world, shopper, entry)
    return Update(item, shopper.key, shopper.contact, kind="statuses")


def _item(world: World, message_id: str, status: str, opaque: str | None) -> dict[str, Any]:
    item: dict[str, Any] = {"id": message_id, "status": status, "timestamp": str(world.clock.stamp())}
    if opaque is not None:
        item["biz_opaque_callback_data"] = opaque
    return item


def _pricing(world: World, shopper: Shopper, entry: Entry) -> dict[str, Any]:
    category = str(entry.shown.get("category", "service")).lower()
    is_free = category == "service" or (category == "utility" and shopper.may_get_anything(world.clock.now()))
    kind = "free_customer_service" if is_free else "regular"
    return {"billable": not is_free, "pricing_model": "PMP", "category": category, "type": kind}
