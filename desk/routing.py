"""Which queue a conversation belongs to, and to whom it goes next: round robin among those who are there and have room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from commerce import loyalty
from commerce.policies import Policies, load_policies
from desk.adapters.chosen import is_answered_elsewhere
from desk.models import Agent
from desk.rules import DeskRules, kept_rules
from messaging import handoffs
from messaging.handoffs import AlreadyTaken, IllegalMove
from messaging.kept import kept
from messaging.labels import data_folder
from messaging.models import Handoff, HandoffEvent
from messaging.writes import one_at_a_time

MOST_AT_ONCE = 20  # in a transaction: nobody who writes has to wait for long
LET_GO = ("released", "transferred", "lost")  # kinds of events after which somebody has it no more


def place_new(session: Session, now: datetime) -> int:
    """Give open conversations that have no queue, or one that is gone, their queue and priority: how many, some at a time."""
    rules = kept_rules()
    names = [queue.name for queue in rules.queues]
    unplaced = select(Handoff).where(Handoff.status.in_(handoffs.OPEN))
    unplaced = unplaced.where(Handoff.queue.is_(None) | Handoff.queue.notin_(names))
    found = session.execute(unplaced.order_by(Handoff.id).limit(MOST_AT_ONCE)).scalars().all()
    for handoff in found:
        queue, priority = rules.place(_facts(session, handoff, now))
        handoffs.place(session, handoff.id, queue.name, priority, now)
    return len(found)


def _facts(session: Session, handoff: Handoff, now: datetime) -> dict[str, str | None]:
    tier = loyalty.tier(session, handoff.customer_id, now, _policies())
    return {"languages": handoff.language, "topics": handoff.goal, "reasons": handoff.reason, "tiers": tier}


@kept
def _policies() -> Policies:
    return load_policies(data_folder() / "policies")


def route(session: Session, now: datetime) -> list[int]:
    """Place what is new, then hand out what waits, some at a time; the ids of those that somebody has got.

    Whoever takes a conversation by hand in this very moment has it, and nothing else changes.
    """
    one_at_a_time(session, "desk:route")  # else two processes could fill the same agent's last place
    place_new(session, now)
    rules = kept_rules()
    agents = there(session, rules, now)
    load = _load(session)
    given: list[int] = []
    if not any(_room(agent, load) for agent in agents):
        return given
    let_go = _let_go(session)
    works_in = {agent.id: rules.still_there(agent.queues) for agent in agents}
    for waiting in _waiting(session):
        if len(given) == MOST_AT_ONCE:
            break
        fitting = [agent for agent in agents if _fits(agent, works_in[agent.id], waiting, let_go) and _room(agent, load)]
        chosen = min(fitting, key=_turn, default=None)
        if chosen is not None and _give(session, waiting.id, chosen, rules, now):
            load[chosen.name] += 1
            given.append(waiting.id)
    return given


def there(session: Session, rules: DeskRules, now: datetime) -> list[Agent]:
    """Those to whom something may come by itself."""
    fresh = Agent.seen_at > now - rules.limits.absent
    available = select(Agent).where(Agent.is_active.is_(True), Agent.status == "available", fresh).order_by(Agent.id)
    return list(session.execute(available.execution_options(populate_existing=True)).scalars())


def _load(session: Session) -> Counter[str]:
    """How many conversations each has in hand; what is put aside does not count."""
    in_hand = select(Handoff.assignee).where(Handoff.status == "assigned", Handoff.snoozed_until.is_(None))
    return Counter(session.execute(in_hand).scalars())


def _room(agent: Agent, load: Mapping[str, int]) -> bool:
    return bool(load.get(agent.name, 0) < agent.capacity)


def _waiting(session: Session) -> Sequence[Row]:
    """Those who wait for people here, in turn."""
    wanted = (Handoff.id, Handoff.language, Handoff.queue, Handoff.channel, Handoff.external, Handoff.assignee)
    in_turn = (Handoff.priority.desc(), Handoff.created_at, Handoff.id)
    rows = session.execute(select(*wanted).where(Handoff.status == "waiting", Handoff.queue.is_not(None)).order_by(*in_turn))
    return [row for row in rows if not is_answered_elsewhere(row)]


def _let_go(session: Session) -> set[tuple[int, str]]:
    """(handoff, agent): who put a conversation back, passed it on or was silent in it gets it again only by taking it.

    Who was cut off gets it back: that was nobody's choice.
    """
    wanted = (HandoffEvent.handoff_id, HandoffEvent.kind, HandoffEvent.by, HandoffEvent.details)
    moved = select(*wanted).join(Handoff, Handoff.id == HandoffEvent.handoff_id)
    found = session.execute(moved.where(Handoff.status == "waiting", HandoffEvent.kind.in_(LET_GO))).all()
    by_choice = [event for event in found if event.kind != "lost" or event.details.get("why") == "silent"]
    had_it = [(event, "earlier" if event.kind == "transferred" else "agent") for event in by_choice]
    return {(event.handoff_id, name) for event, key in had_it for name in (event.by, event.details.get(key)) if name}


def _fits(agent: Agent, queues: Sequence[str], waiting: Row, let_go: set[tuple[int, str]]) -> bool:
    speaks = not agent.languages or waiting.language in agent.languages
    works_there = not queues or waiting.queue in queues
    return speaks and works_there and (waiting.id, agent.name) not in let_go


def _turn(agent: Agent) -> tuple[float, int]:
    """Who had none for the longest comes first."""
    last = agent.last_assigned_at
    return last.timestamp() if last is not None else 0.0, agent.id


def _give(session: Session, handoff_id: int, agent: Agent, rules: DeskRules, now: datetime) -> bool:
    with suppress(AlreadyTaken, IllegalMove):
        handoffs.take(session, handoff_id, agent.name, now, lease=rules.limits.absent, by="")
        agent.last_assigned_at = now
        session.execute(update(Agent).where(Agent.id == agent.id).values(last_assigned_at=now))
        return True
    return False


def ranks(session: Session) -> Iterator[tuple[int, int]]:
    """(handoff, place in its queue from 1) of everybody who waits."""
    places: Counter[str | None] = Counter()
    for waiting in _waiting(session):
        places[waiting.queue] += 1
        yield waiting.id, places[waiting.queue]
