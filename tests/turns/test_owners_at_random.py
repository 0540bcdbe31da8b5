"""Shoppers, people, turns, sendings, time and crashes in any order: one owner, nobody talked over, nobody stuck, nothing lost.

The handler of turns is a stand-in that says what it is about; inbox, outbox, timers, handoffs and what the engine does in a
turn's transaction are the real ones.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from database import engine_for, transaction
from messaging import agent_messages, handoffs
from messaging.conversations import conversation_of
from messaging.handoffs.errors import HandoffError, NotYours
from messaging.models import Handoff, HandoffEvent, InboundMessage, OutboundMessage, Timer
from messaging.turns import outbox
from messaging.turns.engine import Outcome, TurnEngine
from messaging.turns.inbox import Claim, Inbound, Superseded
from messaging.turns.outbox import Channel, Held, Outgoing
from messaging.turns.queues.local import LocalQueue
from tests.messaging.test_handoffs import CALENDAR, OPENS, asked
from tests.turns.conftest import USED

CHANNEL = "chat"
SENDERS, AGENTS = ("s1", "s2"), ("eva", "leo")
LEASE = timedelta(minutes=2)
OWNER_IN = {"waiting": "queue", "callback": "bot", "assigned": "agent"}
STATE_AFTER = {
    "released": {"waiting"}, "lost": {"waiting"}, "called_back": {"waiting"}, "assigned": {"assigned"}, "snoozed": {"assigned"},
    "woken": {"assigned"}, "given_back": {"given_back"}, "resolved": {"resolved"}, "cancelled": {"cancelled"},
    "opened": {"waiting", "callback"},
}  # fmt: skip

sender_ids, agent_names = st.sampled_from(SENDERS), st.sampled_from(AGENTS)


class Phone(Channel):
    async def send(self, message: Outgoing) -> str | None:
        raise AssertionError("the machine sends by itself")


class Nobody:
    """The machine answers by itself."""


class World(RuleBasedStateMachine):
    url = ""

    def __init__(self) -> None:
        super().__init__()
        with engine_for(self.url).begin() as connection:
            for table in ("conversation", *USED):
                if engine_for(self.url).dialect.has_table(connection, table):
                    connection.execute(text(f"DELETE FROM {table}"))
        self.now = OPENS.replace(hour=12)
        self.names = itertools.count()
        self.turns: dict[str, tuple[Claim, Outcome]] = {}
        self.sendings: dict[str, Outgoing] = {}
        self.wrote: list[int] = []  # what shoppers wrote, by id
        self.said: set[int] = set()  # what people wrote, by turn
        self.awaits: dict[int, datetime | None] = {}  # by open handoff
        self.recap_of: dict[str, int] = {}  # what was given back and has had no recap
        self.clock = patch("messaging.turns.engine._now", lambda: self.now)
        self.clock.start()
        self.engine = self.process()

    def process(self) -> TurnEngine:
        return TurnEngine(Nobody(), LocalQueue(), self.url, pushes={CHANNEL: Phone()})  # type: ignore[arg-type]

    @contextmanager
    def step(self) -> Iterator[Session]:
        with transaction(self.url) as session:
            yield session

    # Shoppers

    @rule(sender=sender_ids)
    def shopper_writes(self, sender: str) -> None:
        inbound = Inbound(CHANNEL, f"m-{next(self.names)}", sender, "hello")
        with self.step() as session:
            [receipt] = self.engine._kept(session, lambda _session, keep: keep(inbound))
            handoff = handoffs.open_for(session, sender)
            if handoff is not None and self.awaits[handoff.id] is None:
                self.awaits[handoff.id] = self.now
            assert handoff is None or handoff.snoozed_until is None
        self.wrote.append(receipt.id)

    @rule(sender=sender_ids, hour=st.sampled_from([3, 12]))
    def shopper_asks_for_a_person(self, sender: str, hour: int) -> None:
        with self.step() as session:
            opened = asked(session, self.now.replace(hour=hour), sender, channel=CHANNEL, calendar=CALENDAR)
            if not opened.already_open:
                self.awaits[opened.handoff.id] = self.now.replace(hour=hour)
            if opened.handoff.status != "assigned":
                self.recap_of.pop(sender, None)

    @rule(sender=sender_ids)
    def shopper_leaves_the_queue(self, sender: str) -> None:
        self.move(sender, lambda session, id_: handoffs.cancel(session, id_, self.now))

    # Turns

    @rule(sender=sender_ids)
    def turn_begins(self, sender: str) -> None:
        """Also one that another process has at this moment."""
        with self.step() as session:
            claim = self.engine._claim(session, sender)
            if claim is not None:
                self.turns[sender] = claim, self.outcome(session, claim)

    def outcome(self, session: Session, claim: Claim) -> Outcome:
        kind = claim.details.get("timer")
        recap = claim.recap_due and claim.owner != "agent" and (claim.kind == "message" or kind == "recap")
        contents = []
        if recap:
            returned = handoffs.last_given_back(session, claim.sender_id)
            assert returned is not None
            contents.append({"text": f"recap of {returned.id}"})
        owners = frozenset(claim.details.get("owners") or ("bot", "queue"))
        if (claim.kind == "message" and claim.owner != "agent") or (kind == "notice" and claim.owner in owners):
            contents.append({"text": "an answer"})

        def persist(session: Session, _withheld: bool) -> None:
            if kind == "callback":
                handoffs.call_back(session, int(claim.details["handoff"]), self.now)

        return Outcome(contents, persist, owners=owners, recapped=recap)

    @precondition(lambda self: self.turns)
    @rule(data=st.data())
    def turn_ends(self, data: st.DataObject) -> None:
        sender = data.draw(st.sampled_from(sorted(self.turns)))
        claim, outcome = self.turns.pop(sender)
        try:
            with self.step() as session:
                state = self.engine._save(session, claim, outcome, False)
                talk = conversation_of(session, sender)
        except Superseded:
            return
        assert talk is not None
        under_a_person = talk.owner == "agent" and "agent" not in outcome.owners
        assert not (under_a_person and outcome.contents) or state == "withheld"
        if outcome.recapped and state == "done":
            self.recap_of.pop(sender, None)

    @rule()
    def timers_fire(self) -> None:
        with self.step() as session:
            self.engine._fire_timers(session)

    # Sending

    @rule(sender=sender_ids)
    def sending_begins(self, sender: str) -> None:
        if sender in self.sendings:
            return
        with self.step() as session:
            talk = conversation_of(session, sender)
            message = outbox.take(session, CHANNEL, sender, self.now)
            if isinstance(message, Outgoing):
                author = session.get(OutboundMessage, message.id).author
                assert talk is None or talk.owner != "agent" or author != "assistant", "the assistant talks over a person"
                self.sendings[sender] = message

    @precondition(lambda self: self.sendings)
    @rule(data=st.data(), ends=st.sampled_from(["sent", "sent", "pending", "held"]))
    def sending_ends(self, data: st.DataObject, ends: str) -> None:
        message = self.sendings.pop(data.draw(st.sampled_from(sorted(self.sendings))))
        with self.step() as session:
            if ends == "held":
                outbox.hold(session, message, Held("closed"))
            else:
                outbox.note(session, message, state=ends, next_try_at=self.now if ends == "pending" else None)

    # Processes and time

    @rule()
    def process_restarts(self) -> None:
        self.turns.clear()
        self.sendings.clear()
        self.engine = self.process()
        self.engine._sender.left(True)

    @rule(minutes=st.sampled_from([1, 3, 60]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def round_is_made(self) -> None:
        with self.step() as session:
            for handoff in [*handoffs.wake_due(session, self.now), *handoffs.lose_overdue(session, self.now)]:
                assert handoff.snoozed_until is None

    # People

    def move(self, sender: str, act: Callable[[Session, int], Handoff]) -> Handoff | None:
        """On each of the conversation's handoffs, whether that is legal or not; the one that has moved."""
        with self.step() as session:
            ids = list(session.execute(select(Handoff.id).where(Handoff.sender_id == sender)).scalars())
        for id_ in ids:
            try:
                with self.step() as session:
                    return act(session, id_)
            except HandoffError:
                pass
        return None

    @rule(sender=sender_ids, agent=agent_names, lease=st.sampled_from([None, LEASE]), over=st.booleans())
    def agent_takes(self, sender: str, agent: str, lease: timedelta | None, over: bool) -> None:
        taken = self.move(sender, lambda session, id_: handoffs.take(session, id_, agent, self.now, lease=lease, over=over))
        if taken is not None:
            assert (taken.assignee, taken.status) == (agent, "assigned")

    @rule(sender=sender_ids, agent=agent_names)
    def agent_releases(self, sender: str, agent: str) -> None:
        self.move(sender, lambda session, id_: handoffs.release(session, id_, agent, self.now))

    @rule(sender=sender_ids, agent=agent_names, to=st.sampled_from([*AGENTS, None]))
    def agent_transfers(self, sender: str, agent: str, to: str | None) -> None:
        aim = {"agent": to, "lease": LEASE} if to else {"queue": "returns"}
        self.move(sender, lambda session, id_: handoffs.transfer(session, id_, self.now, by=agent, **aim))  # type: ignore[arg-type]

    @rule(sender=sender_ids, agent=agent_names)
    def agent_snoozes(self, sender: str, agent: str) -> None:
        until = self.now + timedelta(minutes=30)
        self.move(sender, lambda session, id_: handoffs.snooze(session, id_, agent, until, self.now))

    @rule(sender=sender_ids)
    def agent_wakes(self, sender: str) -> None:
        self.move(sender, lambda session, id_: handoffs.wake(session, id_, self.now))

    @rule(agent=agent_names)
    def agent_is_there(self, agent: str) -> None:
        with self.step() as session:
            handoffs.renew(session, agent, self.now, LEASE)

    @rule(sender=sender_ids, agent=agent_names)
    def agent_writes(self, sender: str, agent: str) -> None:
        with self.step() as session:
            handoff = handoffs.open_for(session, sender)
        if handoff is None:
            return
        has_it = (handoff.status, handoff.assignee) == ("assigned", agent)
        try:
            with self.step() as session:
                said = agent_messages.say(session, handoff.id, agent, f"a-{next(self.names)}", {"text": "Hi"}, self.now)
        except NotYours:
            assert not has_it
            return
        assert has_it
        self.said.add(said.turn_id)
        self.awaits[handoff.id] = None

    @rule(sender=sender_ids, agent=st.sampled_from([*AGENTS, ""]))
    def agent_gives_back(self, sender: str, agent: str) -> None:
        given = self.move(sender, lambda session, id_: handoffs.give_back(session, id_, self.now, by=agent))
        if given is not None:
            self.recap_of[sender] = given.id

    @rule(sender=sender_ids, agent=st.sampled_from([*AGENTS, ""]))
    def agent_resolves(self, sender: str, agent: str) -> None:
        self.move(sender, lambda session, id_: handoffs.resolve(session, id_, self.now, by=agent))

    # What always holds

    @invariant()
    def conversation_and_handoff_agree_on_one_owner(self) -> None:
        with self.step() as session:
            for sender in SENDERS:
                theirs = select(Handoff).where(Handoff.sender_id == sender, Handoff.status.in_(handoffs.OPEN))
                still_open = session.execute(theirs).scalars().all()
                assert len(still_open) <= 1
                talk = conversation_of(session, sender)
                status = still_open[0].status if still_open else None
                assert (talk.owner if talk else "bot") == OWNER_IN.get(str(status), "bot")
                assert (talk.assignee if talk else None) == (still_open[0].assignee if still_open else None)

    @invariant()
    def each_handoff_is_as_its_events_tell(self) -> None:
        with self.step() as session:
            newest = {each.handoff_id: each for each in session.execute(select(HandoffEvent).order_by(HandoffEvent.id)).scalars()}
            for handoff in session.execute(select(Handoff)).scalars():
                told = STATE_AFTER.get(newest[handoff.id].kind)
                assert told is None or handoff.status in told

    @invariant()
    def shoppers_wait_since_their_first_unanswered_word(self) -> None:
        with self.step() as session:
            for handoff in session.execute(select(Handoff)).scalars():
                expected = self.awaits[handoff.id] if handoff.status in handoffs.OPEN else None
                assert handoff.awaiting_since == expected

    @invariant()
    def recap_is_due_exactly_for_what_was_given_back(self) -> None:
        with self.step() as session:
            for sender in SENDERS:
                talk = conversation_of(session, sender)
                assert bool(talk and talk.recap_due) is (sender in self.recap_of)

    @invariant()
    def nothing_is_lost(self) -> None:
        with self.step() as session:
            kept = set(session.execute(select(InboundMessage.id)).scalars())
            assert kept >= set(self.wrote)
            sent_on = session.execute(select(OutboundMessage.turn_id).where(OutboundMessage.author == "agent")).scalars()
            assert set(sent_on) == self.said

    # In the end

    def teardown(self) -> None:
        try:
            self.everything_goes_on()
            self.nobody_is_stuck()
        finally:
            self.clock.stop()

    def everything_goes_on(self) -> None:
        """As if the people had gone home, and one process went on with all that there is."""
        self.process_restarts()
        for _ in range(3):  # what goes on makes new timers and turns
            self.now += timedelta(hours=1)
            self.round_is_made()
            self.timers_fire()
            for sender in SENDERS:
                self.drain(sender)

    def drain(self, sender: str) -> None:
        for _ in range(200):
            with self.step() as session:
                claim = self.engine._claim(session, sender)
            if claim is None:
                break
            with self.step() as session:
                self.turns[sender] = claim, self.outcome(session, claim)
            claim, outcome = self.turns.pop(sender)
            with self.step() as session:
                done = self.engine._save(session, claim, outcome, False)
            if outcome.recapped and done == "done":
                self.recap_of.pop(sender, None)
        with self.step() as session:
            outbox.let_go(session, CHANNEL, sender, self.now)
        for _ in range(200):
            self.sending_begins(sender)
            if sender not in self.sendings:
                break
            with self.step() as session:
                outbox.note(session, self.sendings.pop(sender), state="sent", next_try_at=None)

    def nobody_is_stuck(self) -> None:
        with self.step() as session:
            assert not self.recap_of, "somebody was given back and never heard of it"
            for handoff in session.execute(select(Handoff).where(Handoff.status == "assigned")).scalars():
                assert handoff.lease_until is None, "whoever had it has gone home"
            open_turns = select(InboundMessage.id).where(InboundMessage.state.in_(("waiting", "taken")))
            assert session.execute(open_turns).scalars().all() == []
            states = session.execute(select(OutboundMessage.author, OutboundMessage.state)).all()
            assert {state for _, state in states} <= {"sent", "withheld"}
            assert {state for author, state in states if author != "assistant"} <= {
                "sent",
                "withheld" if self.has_notices(session) else "sent",
            }
            recaps = Counter(
                row.content["text"]
                for row in session.execute(select(OutboundMessage)).scalars()
                if "recap" in row.content["text"]
            )
            assert all(count == 1 for count in recaps.values())

    @staticmethod
    def has_notices(session: Session) -> bool:
        return session.execute(select(Timer.id).where(Timer.kind == "notice")).first() is not None


def test_whatever_happens_in_whatever_order(url: str) -> None:
    examples = 25 if url.startswith("sqlite") else 6
    few = settings(
        max_examples=examples, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=False
    )
    machine = type("WorldOn", (World,), {"url": url})
    run_state_machine_as_test(machine, settings=few)
