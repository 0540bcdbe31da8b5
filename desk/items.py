"""Open handoffs as the desk's list shows them: all of them, or some, in a few queries however many there are."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, defer

from bot.channels.webchat.shown import iso
from commerce import loyalty
from commerce.models import Customer
from desk import sla
from desk.models import ReadMark
from desk.permissions import Me, sees_at_present
from desk.rules import DeskRules, calendar_of, kept_rules
from desk.shop_policies import kept_policies
from desk.sla import Sla
from desk.words_said import first_words_of_reply, words_of
from messaging import handoffs
from messaging.channel_contacts import PREFIXES, WINDOW
from messaging.models import ChannelContact, Handoff, HandoffEvent, InboundMessage, OutboundMessage

Json = dict[str, Any]

MOST_UNREAD = 99
AT_ONCE = 500  # of what stands in one IN (...)
LONGEST_TEXT = 160  # characters of the newest message
STATES = {"waiting": "queued"}  # where the page has another word for it
NOT_COPIED = (Handoff.transcript, Handoff.collected, Handoff.tried, Handoff.verdict, Handoff.sources)


class Facts(NamedTuple):
    status: str
    queue: str | None
    language: str
    assignee: str | None


@dataclass(frozen=True)
class Item:
    """handoff: detached, without what lists do not show. shown: all but `unread`, which differs between agents. said: the ids of
    the shopper's messages since they asked for a person. came_to: who has it, or had it once. changes_at: when it looks
    different though nothing happens."""

    handoff: Handoff
    shown: Json
    said: tuple[int, ...]
    came_to: frozenset[str]
    changes_at: datetime | None = None

    @cached_property
    def id(self) -> int:
        return int(self.handoff.id)

    @cached_property
    def sender_id(self) -> str:
        return str(self.handoff.sender_id)

    @cached_property
    def is_open(self) -> bool:
        return self.facts.status in handoffs.OPEN

    @cached_property
    def facts(self) -> Facts:
        """By which it is decided who may see it: that is asked for each agent."""
        return Facts(*(getattr(self.handoff, name) for name in Facts._fields))

    @cached_property
    def text(self) -> str:
        """`shown` as JSON, but for its end: it is sent to many."""
        return json.dumps(self.shown, ensure_ascii=False, separators=(",", ":"))[:-1]

    def text_for(self, read_up_to: int) -> str:
        """`for_agent` as JSON."""
        return f'{self.text},"unread":{self.unread(read_up_to)}}}'

    def is_as(self, other: Item | None) -> bool:
        """Whether nobody would see a difference."""
        if other is None:
            return False
        return (self.shown, self.said, self.came_to) == (other.shown, other.said, other.came_to)

    def is_old(self, now: datetime) -> bool:
        """Whether an instant has passed since it was read at which it looks different."""
        return self.changes_at is not None and self.changes_at <= now

    def may_be_seen_by(self, me: Me) -> bool:
        return me.name in self.came_to or sees_at_present(me, self.facts)

    def unread(self, read_up_to: int) -> int:
        """How many messages came in after this one."""
        return min(sum(id_ > read_up_to for id_ in self.said), MOST_UNREAD)

    def for_agent(self, read_up_to: int) -> Json:
        return {**self.shown, "unread": self.unread(read_up_to)}


def open_items(session: Session, now: datetime) -> list[Item]:
    """Every handoff that is open."""
    return _items(session, _rows(session, Handoff.status.in_(handoffs.OPEN)), now)


def items_of(session: Session, handoff_ids: Collection[int], now: datetime) -> list[Item]:
    """These, open or not; in the order of their ids."""
    rows = [row for some in _portions(sorted(set(handoff_ids))) for row in _rows(session, Handoff.id.in_(some))]
    return _items(session, rows, now)


def read_marks(session: Session, agent_id: int, sender_ids: Collection[str]) -> dict[str, int]:
    """How far this agent has read, by conversation."""
    marks = select(ReadMark.sender_id, ReadMark.read_up_to).where(ReadMark.agent_id == agent_id)
    return dict(_by(session, marks, ReadMark.sender_id, sender_ids))


def open_read_marks(session: Session, agent_id: int) -> dict[str, int]:
    """The same for every conversation that is open."""
    marks = select(ReadMark.sender_id, ReadMark.read_up_to).join(Handoff, Handoff.sender_id == ReadMark.sender_id)
    return dict(session.execute(marks.where(ReadMark.agent_id == agent_id, Handoff.status.in_(handoffs.OPEN))).all())


def _rows(session: Session, *which: Any) -> list[Handoff]:
    slim = select(Handoff).where(*which).order_by(Handoff.id).options(*(defer(column) for column in NOT_COPIED))
    rows = list(session.execute(slim.execution_options(populate_existing=True)).scalars())
    for row in rows:
        session.expunge(row)
    return rows


def _items(session: Session, rows: Sequence[Handoff], now: datetime) -> list[Item]:
    if not rows:
        return []
    around = _Around(session, rows, now)
    return [around.item(row) for row in rows]


class _Around:
    """What belongs to these handoffs, read for all of them at once."""

    def __init__(self, session: Session, rows: Sequence[Handoff], now: datetime) -> None:
        self._now = now
        self._rules: DeskRules = kept_rules()
        senders = {row.sender_id for row in rows}
        self._customers = _customers(session, {row.customer_id for row in rows if row.customer_id is not None}, now)
        contacts = select(ChannelContact.sender_id, ChannelContact.name, ChannelContact.last_inbound_at)
        self._contacts = {each.sender_id: each for each in _by(session, contacts, ChannelContact.sender_id, senders)}
        self._inbound = _newest(session, InboundMessage, InboundMessage.received_at, rows, InboundMessage.kind == "message")
        self._outbound = _newest(session, OutboundMessage, OutboundMessage.created_at, rows, OutboundMessage.state != "withheld")
        self._said = _said(session, rows)
        self._came_to = _came_to(session, rows)

    def item(self, row: Handoff) -> Item:
        contact = self._contacts.get(row.sender_id)
        promised = sla.of(row, self._rules, calendar_of(self._rules.queue(row.queue)))
        closes_at = contact.last_inbound_at + WINDOW if contact is not None and contact.last_inbound_at is not None else None
        instants = (closes_at, promised.due_at if promised is not None else None, row.snoozed_until)
        changes_at = min((at for at in instants if at is not None and at > self._now), default=None)
        shown = self._shown(row, contact, promised, closes_at)
        return Item(row, shown, tuple(self._said[row.id]), frozenset(self._came_to[row.id]), changes_at)

    def _shown(self, row: Handoff, contact: Any, promised: Sla | None, closes_at: datetime | None) -> Json:
        customer = self._customers.get(row.customer_id)
        return {
            "id": row.id,
            "state": state_of(row, self._now),
            "queue": self._rules.queue(row.queue).name,
            "channel": row.channel,
            "language": row.language,
            "reason": row.reason,
            "topic": row.topic or row.goal,
            "customer": customer,
            "shown_name": (customer or {}).get("name") or (contact.name if contact else "") or "",
            "assignee": row.assignee if row.status == "assigned" else None,
            "created_at": iso(row.created_at),
            **{name: _iso(getattr(row, name)) for name in ("callback_at", "snoozed_until", "awaiting_since")},
            "last": self._last(row.id),
            "typing": False,
            "sla": promised.shown(self._now) if promised is not None else None,
            "window": window(row.channel, closes_at, self._now),
        }

    def _last(self, handoff_id: int) -> Json | None:
        said, replied = self._inbound.get(handoff_id), self._outbound.get(handoff_id)
        if said is None and replied is None:
            return None
        if replied is None or (said is not None and said.received_at > replied.created_at):
            assert said is not None
            return {"by": "shopper", "text": words_of(said)[:LONGEST_TEXT], "at": iso(said.received_at)}
        return {
            "by": "agent" if replied.author == "agent" else "assistant",
            "text": first_words_of_reply(replied.content)[:LONGEST_TEXT],
            "at": iso(replied.created_at),
        }


def state_of(row: Handoff, now: datetime) -> str:
    is_snoozed = row.status == "assigned" and row.snoozed_until is not None and row.snoozed_until > now
    return "snoozed" if is_snoozed else STATES.get(row.status, row.status)


def window(channel: str, closes_at: datetime | None, now: datetime) -> Json | None:
    """Until when the shop may write freely; None where the channel has no such limit."""
    if channel not in PREFIXES:
        return None
    return {"closes_at": _iso(closes_at), "is_open": closes_at is not None and closes_at > now}


def _customers(session: Session, ids: Collection[int], now: datetime) -> dict[int, Json]:
    named = select(Customer.id, Customer.name, Customer.number)
    rows = _by(session, named, Customer.id, ids)
    tiers = {id_: tier for some in _portions(sorted(ids)) for id_, tier in _tiers(session, some, now).items()}
    return {row.id: {"name": row.name, "number": row.number, "tier": tiers[row.id]} for row in rows}


_tier_of: dict[int, tuple[str, datetime]] = {}
TIER_HOLDS = timedelta(minutes=10)


def _tiers(session: Session, ids: Collection[int], now: datetime) -> dict[int, str]:
    """A tier changes seldom, and a list is shown often."""
    unknown = [id_ for id_ in ids if id_ not in _tier_of or not timedelta(0) <= now - _tier_of[id_][1] < TIER_HOLDS]
    if unknown:
        _tier_of.update({id_: (tier, now) for id_, tier in loyalty.tiers(session, unknown, now, kept_policies()).items()})
    return {id_: _tier_of[id_][0] for id_ in ids}


def _newest(session: Session, table: Any, at: Any, rows: Sequence[Handoff], which: Any) -> dict[int, Any]:
    """The newest row of each of these handoffs' conversations; where it is closed, of the time before: what comes later may be by
    somebody else."""
    of_open = select(table.sender_id, func.max(table.id)).where(which).group_by(table.sender_id)
    open_ = {row.sender_id: row.id for row in rows if row.closed_at is None}
    newest = {open_[sender_id]: id_ for sender_id, id_ in _by(session, of_open, table.sender_id, open_)}
    of_closed = select(Handoff.id, func.max(table.id)).join(table, table.sender_id == Handoff.sender_id)
    of_closed = of_closed.where(which, at <= Handoff.closed_at).group_by(Handoff.id)
    newest |= dict(_by(session, of_closed, Handoff.id, [row.id for row in rows if row.closed_at is not None]))
    found = {row.id: row for row in _by(session, select(table), table.id, set(newest.values()), scalars=True)}
    return {handoff_id: found[id_] for handoff_id, id_ in newest.items() if id_ in found}


_UNTIL_CLOSED = or_(Handoff.closed_at.is_(None), InboundMessage.received_at <= Handoff.closed_at)


def _said(session: Session, rows: Sequence[Handoff]) -> dict[int, list[int]]:
    since = and_(InboundMessage.sender_id == Handoff.sender_id, InboundMessage.received_at >= Handoff.created_at, _UNTIL_CLOSED)
    told = select(Handoff.id, InboundMessage.id).join(InboundMessage, since).where(InboundMessage.kind == "message")
    found: dict[int, list[int]] = defaultdict(list)
    for handoff_id, message_id in _by(session, told.order_by(InboundMessage.id), Handoff.id, [row.id for row in rows]):
        found[handoff_id].append(message_id)
    return found


def _came_to(session: Session, rows: Sequence[Handoff]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        if row.assignee:
            found[row.id].add(row.assignee)
    events = select(HandoffEvent.handoff_id, HandoffEvent.by, HandoffEvent.details)
    came = events.where(HandoffEvent.kind.in_(("assigned", "transferred")))
    for event in _by(session, came, HandoffEvent.handoff_id, [row.id for row in rows]):
        whom = (event.details or {}).get("agent") or event.by
        if whom:
            found[event.handoff_id].add(whom)
    return found


def _by(session: Session, query: Any, column: Any, values: Collection[Any], scalars: bool = False) -> list[Any]:
    """The query's rows where the column has one of these values, a portion of them at a time."""
    found: list[Any] = []
    for some in _portions(sorted(values)):
        result = session.execute(query.where(column.in_(some)))
        found.extend(result.scalars() if scalars else result)
    return found


def _portions(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[start : start + AT_ONCE] for start in range(0, len(values), AT_ONCE))


def _iso(at: datetime | None) -> str | None:
    return iso(at) if at is not None else None
