"""A shopper, people, turns, sendings, time and crashes in any order: one owner, nobody talked over, nobody stuck, nothing lost.

The handler of turns is a stand-in that says what it is about; inbox, outbox, timers, handoffs and what the engine does in a
turn's transaction are the real ones.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from database import engine_for, transaction
from messaging import agent_messages, handoffs
from messaging.conversations import conversation_of
from messaging.handoffs.errors import HandoffError, NotYours
from messaging.models import Handoff, HandoffEvent, InboundMessage, OutboundMessage
from messaging.turns import outbox
from messaging.turns.engine import NobodyAnswers, Outcome, TurnEngine
from messaging.turns.inbox import Claim, Inbound, Superseded
from messaging.turns.outbox import Channel, Held, Outgoing
from messaging.turns.queues.local import LocalQueue
from tests.messaging.test_handoffs import CALENDAR, OPENS, asked

CHANNEL, SHOPPER, AGENTS = "chat", "ana", ("eva", "leo")
LEASE = timedelta(minutes=2)
TABLES = ("conversation", "handoff", "handoff_event", "handoff_note", "inbound_message", "outbound_message", "timer")
OWNER_IN = {"waiting": "queue", "callback": "bot", "assigned": "agent"}
UNTAKEN = {"waiting", "callback"}  # asking again moves it between these
STATE_AFTER = {
    "opened": UNTAKEN, "released": UNTAKEN, "lost": UNTAKEN, "called_back": UNTAKEN, "assigned": {"assigned"},
    "snoozed": {"assigned"}, "woken": {"assigned"}, "given_back": {"given_back"}, "resolved": {"resolved"},
    "cancelled": {"cancelled"},
}  # fmt: skip
ENOUGH = 200

HOLDER = "whoever has it"
people = st.sampled_from([HOLDER, HOLDER, *AGENTS])
leases = st.sampled_from([None, LEASE])


class Phone(Channel):
    async def send(self, message: Outgoing) -> str | None:
        raise AssertionError("the machine sends by itself")


class Nobody:
    """The machine answers by itself."""


class World(RuleBasedStateMachine):
    """url: of a database with every table."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        with engine_for(self.url).begin() as connection:
            for table in TABLES:
                connection.execute(text(f"DELETE FROM {table}"))
        self.now = OPENS.replace(hour=12)
        self.names = itertools.count()
        self.turn: tuple[Claim, Outcome] | None = None  # under way
        self.sending: Outgoing | None = None  # under way
        self.wrote: set[int] = set()  # what the shopper wrote, by id
        self.said: set[int] = set()  # what people wrote, by turn
        self.awaits: dict[int, datetime | None] = {}  # by handoff
        self.holder: str | None = None
        self.recap_of: int | None = None  # what was given back and has had no recap
        self.clock = patch("messaging.turns.engine._now", lambda: self.now)
        self.clock.start()
        self.engine = self.process()

    def process(self) -> TurnEngine:
        return TurnEngine(Nobody(), LocalQueue(), self.url, pushes={CHANNEL: Phone()})  # type: ignore[arg-type]

    def move(self, act: Callable[[Session, int], Any]) -> Any:
        """What becomes of the newest handoff; None where that may not be."""
        try:
            with transaction(self.url) as session:
                newest = session.execute(select(Handoff.id).order_by(Handoff.id.desc())).scalars().first()
                return act(session, newest) if newest is not None else None
        except HandoffError:
            return None

    # The shopper

    @initialize(lease=leases, scene=st.sampled_from(["taken", "sending", "thinking"]))
    def somebody_is_needed(self, lease: timedelta | None, scene: str) -> None:
        """And has it, or the assistant is just saying something, or about to."""
        self.shopper_asks_for_a_person(12)
        if scene == "taken":
            self.agent_takes("eva", lease, False)
        elif scene == "sending":
            self.shopper_is_answered()
            self.sending_begins()
        else:
            self.shopper_writes()
            self.turn_begins()

    @rule()
    def shopper_writes(self) -> None:
        inbound = Inbound(CHANNEL, f"m-{next(self.names)}", SHOPPER, "hello")
        with transaction(self.url) as session:
            [[receipt]] = self.engine._kept(session, [lambda _session, keep: keep(inbound)])
            handoff = handoffs.open_for(session, SHOPPER)
        self.wrote.add(receipt.id)
        if handoff is not None:
            assert handoff.snoozed_until is None
            self.awaits[handoff.id] = self.awaits[handoff.id] or self.now

    @rule(hour=st.sampled_from([3, 12]))
    def shopper_asks_for_a_person(self, hour: int) -> None:
        at = self.now.replace(hour=hour)
        with transaction(self.url) as session:
            opened = asked(session, at, SHOPPER, channel=CHANNEL, calendar=CALENDAR)
        self.awaits.setdefault(opened.handoff.id, at)
        if opened.handoff.status != "assigned":
            self.recap_of = None  # the assistant goes on with this by itself

    @rule()
    def shopper_leaves_the_queue(self) -> None:
        self.move(lambda session, id_: handoffs.cancel(session, id_, self.now))

    # Turns

    @rule()
    def turn_begins(self) -> None:
        """Also one that another process has at this moment."""
        with transaction(self.url) as session:
            claim = self.engine._claim(session, SHOPPER)
            self.turn = (claim, self.outcome(session, claim)) if claim is not None else self.turn

    def outcome(self, session: Session, claim: Claim) -> Outcome:
        kind = claim.details.get("timer")
        owners = frozenset(claim.details.get("owners") or ("bot", "queue"))
        recapped = claim.recap_due and claim.owner != "agent" and (claim.kind == "message" or kind == "recap")
        contents = [{"text": f"recap of {handoffs.last_given_back(session, SHOPPER).id}"}] if recapped else []  # type: ignore[union-attr]
        if claim.owner in owners and (claim.kind == "message" or kind == "notice"):
            contents.append({"text": "an answer"})

        def persist(session: Session, _withheld: bool) -> None:
            if kind == "callback":
                handoffs.call_back(session, int(claim.details["handoff"]), self.now)

        return Outcome(contents, persist, owners=owners, recapped=recapped)

    @precondition(lambda self: self.turn is not None)
    @rule()
    def turn_ends(self) -> None:
        assert self.turn is not None
        (claim, outcome), self.turn = self.turn, None
        try:
            with transaction(self.url) as session:
                state = self.engine._save(session, claim, outcome, False)
                owner = handoffs.holder(session, SHOPPER)
        except (Superseded, NobodyAnswers):  # another one has it; or it is taken anew, since a person has left meanwhile
            return
        assert owner is not None or claim.owner != "agent" or claim.kind != "message"
        talks_over = owner is not None and outcome.contents and "agent" not in outcome.owners
        assert not talks_over or state == "withheld"
        if outcome.recapped and state == "done":
            self.recap_of = None

    @rule()
    def shopper_is_answered(self) -> None:
        self.shopper_writes()
        self.turn_begins()
        self.turn_ends()

    @rule()
    def timers_fire(self) -> None:
        with transaction(self.url) as session:
            self.engine._fire_timers(session)

    # Sending

    @precondition(lambda self: self.sending is None)
    @rule()
    def sending_begins(self) -> None:
        with transaction(self.url) as session:
            message = outbox.take(session, CHANNEL, SHOPPER, self.now)
            if isinstance(message, Outgoing):
                by_assistant = session.get(OutboundMessage, message.id).author == "assistant"
                assert not (by_assistant and handoffs.holder(session, SHOPPER)), "the assistant talks over a person"
                self.sending = message

    @precondition(lambda self: self.sending is not None)
    @rule(ends=st.sampled_from(["sent", "pending", "held"]))
    def sending_ends(self, ends: str) -> None:
        assert self.sending is not None
        message, self.sending = self.sending, None
        with transaction(self.url) as session:
            if ends == "held":
                outbox.hold(session, message, Held("closed"))
            else:
                outbox.note(session, message, state=ends, next_try_at=self.now if ends == "pending" else None)

    # Processes and time

    @rule()
    def process_restarts(self) -> None:
        self.turn = self.sending = None
        self.engine = self.process()
        self.engine._sender.left(True)

    @rule(minutes=st.sampled_from([1, 3, 60]), looks=st.booleans())
    def time_passes(self, minutes: int, looks: bool) -> None:
        self.now += timedelta(minutes=minutes)
        if looks:
            self.round_is_made()

    def round_is_made(self) -> None:
        with transaction(self.url) as session:
            handoffs.wake_due(session, self.now)
            handoffs.lose_overdue(session, self.now)

    # People

    def named(self, who: str) -> str:
        """HOLDER is whoever has it: a random name would seldom be right."""
        return self.holder or "eva" if who == HOLDER else who

    @rule(who=people, lease=leases, over=st.booleans())
    def agent_takes(self, who: str, lease: timedelta | None, over: bool) -> None:
        agent = self.named(who)
        taken = self.move(lambda session, id_: handoffs.take(session, id_, agent, self.now, lease=lease, over=over))
        assert taken is None or (taken.assignee, taken.status) == (agent, "assigned")

    @rule(who=people, what=st.sampled_from(["release", "transfer", "queue", "snooze", "wake", "renew", "resolve"]), lease=leases)
    def agent_does(self, who: str, what: str, lease: timedelta | None) -> None:
        agent, now = self.named(who), self.now
        other = next(each for each in AGENTS if each != agent)
        acts: dict[str, Callable[[Session, int], Any]] = {
            "release": lambda session, id_: handoffs.release(session, id_, agent, now),
            "transfer": lambda session, id_: handoffs.transfer(session, id_, now, by=agent, agent=other, lease=lease),
            "queue": lambda session, id_: handoffs.transfer(session, id_, now, by=agent, queue="returns"),
            "snooze": lambda session, id_: handoffs.snooze(session, id_, agent, now + timedelta(minutes=30), now),
            "wake": lambda session, id_: handoffs.wake(session, id_, now),
            "renew": lambda session, _id: handoffs.renew(session, [agent], now, LEASE),
            "resolve": lambda session, id_: handoffs.resolve(session, id_, now, by=agent),
        }
        self.move(acts[what])

    @rule(who=people)
    def agent_gives_back(self, who: str) -> None:
        given = self.move(lambda session, id_: handoffs.give_back(session, id_, self.now, by=self.named(who)))
        self.recap_of = given.id if given is not None else self.recap_of

    @rule(who=people)
    def agent_writes(self, who: str) -> None:
        agent = self.named(who)
        with transaction(self.url) as session:
            newest = session.execute(select(Handoff).order_by(Handoff.id.desc())).scalars().first()
        if newest is None:
            return
        has_it = (newest.status, newest.assignee) == ("assigned", agent)
        try:
            with transaction(self.url) as session:
                said = agent_messages.say(session, newest.id, agent, f"a-{next(self.names)}", {"text": "Hi"}, self.now)
        except NotYours:
            assert not has_it
            return
        assert has_it
        self.said.add(said.turn_id)
        self.awaits[newest.id] = None

    # What always holds

    @invariant()
    def everything_is_as_it_has_to_be(self) -> None:
        with transaction(self.url, is_optimistic=True) as session:
            known = list(session.execute(select(Handoff)).scalars())
            self.one_owner(session, [each for each in known if each.status in handoffs.OPEN])
            self.events_tell_how_it_stands(session, known)
            for handoff in known:
                awaits = self.awaits[handoff.id] if handoff.status in handoffs.OPEN else None
                assert handoff.awaiting_since == awaits, "since when the shopper waits"
            self.nothing_is_lost(session)

    def one_owner(self, session: Session, still_open: list[Handoff]) -> None:
        assert len(still_open) <= 1
        talk = conversation_of(session, SHOPPER)
        owner, assignee, recap_due = (talk.owner, talk.assignee, talk.recap_due) if talk else ("bot", None, False)
        assert owner == (OWNER_IN[still_open[0].status] if still_open else "bot")
        assert assignee == (still_open[0].assignee if still_open else None)
        self.holder = assignee
        assert recap_due is (self.recap_of is not None), "a recap is due for what was given back"

    @staticmethod
    def events_tell_how_it_stands(session: Session, known: list[Handoff]) -> None:
        events = session.execute(select(HandoffEvent).order_by(HandoffEvent.id)).scalars()
        newest = {each.handoff_id: each.kind for each in events if each.kind != "asked_again"}
        for handoff in known:
            assert handoff.status in STATE_AFTER.get(newest[handoff.id], {"waiting", "callback", "assigned"})

    def nothing_is_lost(self, session: Session) -> None:
        assert set(session.execute(select(InboundMessage.id)).scalars()) >= self.wrote
        by_people = select(OutboundMessage.turn_id).where(OutboundMessage.author == "agent")
        assert set(session.execute(by_people).scalars()) == self.said

    # In the end

    def teardown(self) -> None:
        """The people go home, and one process goes on with all that there is."""
        try:
            self.process_restarts()
            for _ in range(3):  # what goes on makes new timers and turns
                self.now += timedelta(hours=1)
                self.round_is_made()
                self.timers_fire()
                self.do_all_turns()
                self.send_all()
            self.nobody_is_stuck()
        finally:
            self.clock.stop()

    def do_all_turns(self) -> None:
        for _ in range(ENOUGH):
            self.turn_begins()
            if self.turn is None:
                return
            self.turn_ends()
        raise AssertionError("there is always another turn")

    def send_all(self) -> None:
        with transaction(self.url) as session:
            outbox.let_go(session, CHANNEL, SHOPPER, self.now)
        for _ in range(ENOUGH):
            self.sending_begins()
            if self.sending is None:
                return
            self.sending_ends("sent")
        raise AssertionError("there is always another reply")

    def nobody_is_stuck(self) -> None:
        assert self.recap_of is None, "the shopper was given back and never heard of it"
        with transaction(self.url) as session:
            with_people = session.execute(select(Handoff).where(Handoff.status == "assigned")).scalars()
            assert all(each.lease_until is None for each in with_people), "whoever has it has gone home"
            assert set(session.execute(select(InboundMessage.state)).scalars()) <= {"done"}
            replies = list(session.execute(select(OutboundMessage)).scalars())
        assert {each.state for each in replies} <= {"sent", "withheld"}
        assert {each.state for each in replies if each.author == "agent"} <= {"sent"}
        recaps = Counter(each.content["text"] for each in replies if each.content["text"].startswith("recap"))
        assert set(recaps.values()) <= {1}


def test_whatever_happens_in_whatever_order(url: str) -> None:
    examples = 40 if url.startswith("sqlite") else 10
    slow = settings(max_examples=examples, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(type("WorldOn", (World,), {"url": url}), settings=slow)
