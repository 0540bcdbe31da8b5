"""One owner at a time, on both databases: of those who act at once one gets it, and nobody talks over a person."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select, text, update

from database import transaction
from messaging import agent_messages, handoffs
from messaging.agent_messages import Said, is_window_open
from messaging.conversations import owner, set_owner
from messaging.handoffs import AlreadyTaken, IllegalMove
from messaging.handoffs.errors import HandoffError, NotYours
from messaging.handoffs.moving import lock_conversation
from messaging.models import ChannelContact, Conversation, Handoff, HandoffEvent, InboundMessage, OutboundMessage
from messaging.notices import say_soon
from messaging.turns import outbox
from messaging.turns.engine import Limits, Outcome, TurnEngine, TurnHandler
from messaging.turns.inbox import Claim, Inbound
from messaging.turns.outbox import Channel, Outgoing, Withheld
from messaging.turns.queues import Queue
from messaging.turns.queues.local import LocalQueue
from messaging.turns.queues.postgres import PostgresQueue
from tests.conftest import NOW
from tests.messaging.test_handoffs import asked
from tests.turns.waiting import GENEROUS, it_is_so

LEASE = timedelta(minutes=2)
SELDOM = Limits(first_pause=0.01, longest_pause=0.05, patience=GENEROUS, timers_every=3600)


@pytest.fixture
def id_(url: str) -> int:
    """Of a handoff that waits."""
    with transaction(url) as session:
        return int(asked(session, NOW, "ana", channel="chat").handoff.id)


def take(url: str, id_: int, agent: str = "eva", now: datetime = NOW, **more: Any) -> str:
    with transaction(url) as session:
        return str(handoffs.take(session, id_, agent, now, **more).assignee)


def events(url: str) -> list[str]:
    with transaction(url) as session:
        return list(session.execute(select(HandoffEvent.kind).order_by(HandoffEvent.id)).scalars())


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """What each came to: its result, or its error."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return work()
        except HandoffError as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


# Of those who act at once


def test_of_many_who_take_at_once_one_gets_it(url: str, id_: int) -> None:
    agents = [f"agent-{number}" for number in range(8)]
    results = at_once(*(lambda agent=agent: take(url, id_, agent) for agent in agents))
    [winner] = [each for each in results if isinstance(each, str)]
    assert [each.by for each in results if isinstance(each, AlreadyTaken)] == [winner] * 7
    assert events(url) == ["opened", "assigned"]
    with transaction(url) as session:
        assert handoffs.holder(session, "ana") == winner


def test_what_is_overdue_is_lost_once_whoever_looks(url: str, id_: int) -> None:
    take(url, id_, lease=LEASE)

    def look() -> int:
        with transaction(url) as session:
            return len(handoffs.lose_overdue(session, NOW + LEASE))

    assert sum(at_once(*[look] * 6)) == 1
    assert events(url) == ["opened", "assigned", "lost"]


def test_of_an_end_and_a_loss_at_once_one_happens(url: str, id_: int) -> None:
    take(url, id_, lease=LEASE)

    def lose() -> int:
        with transaction(url) as session:
            return len(handoffs.lose_overdue(session, NOW + LEASE))

    def end() -> str:
        with transaction(url) as session:
            return str(handoffs.give_back(session, id_, NOW + LEASE, by="eva").status)

    lost, ended = at_once(lose, end)
    assert (lost, ended) == (0, "given_back") or (lost == 1 and isinstance(ended, IllegalMove))
    with transaction(url) as session:
        assert (handoffs.by_id(session, id_).status, owner(session, "ana")) in (("given_back", "bot"), ("waiting", "queue"))


def test_shopper_who_writes_while_it_moves_holds_nobody_up(url: str, id_: int) -> None:
    def write() -> None:
        with transaction(url) as session:
            handoffs.note_shoppers_wrote(session, ["ana"], NOW)

    def renew() -> None:
        with transaction(url) as session:
            handoffs.renew(session, ["eva"], NOW, LEASE)

    def lose() -> None:
        with transaction(url) as session:
            handoffs.lose_overdue(session, NOW)

    take(url, id_, lease=LEASE)
    assert at_once(*[write, renew, lose] * 4) == [None] * 12
    with transaction(url) as session:
        assert handoffs.by_id(session, id_).assignee == "eva"


# The outbox


def reply(url: str, turn: int, *states: str, author: str = "assistant") -> None:
    about = {"channel": "chat", "sender_id": "ana", "trace_id": "t", "now": NOW, "author": author}
    with transaction(url) as session:
        for number, state in enumerate(states):
            outbox.put(session, turn_id=turn + number, contents=[{"text": state}], state=state, **about)


def next_reply(url: str, now: datetime = NOW) -> Outgoing | float | None:
    with transaction(url) as session:
        return outbox.take(session, "chat", "ana", now)


def states(url: str) -> list[str]:
    with transaction(url) as session:
        return list(session.execute(select(OutboundMessage.state).order_by(OutboundMessage.id)).scalars())


def note(url: str, message: Outgoing, **values: Any) -> bool:
    with transaction(url) as session:
        return outbox.note(session, message, **values)


def sending(url: str) -> Outgoing:
    message = next_reply(url)
    assert isinstance(message, Outgoing)
    return message


def test_reply_that_failed_in_the_very_sending_is_not_tried_again_under_a_person(url: str, id_: int) -> None:
    reply(url, 1, "pending")
    message = sending(url)
    take(url, id_)
    assert states(url) == ["sending"]  # it may still arrive
    note(url, message, state="pending", next_try_at=NOW)
    assert next_reply(url) is None
    assert states(url) == ["withheld"]


def test_reply_that_a_dead_process_was_sending_is_not_sent_by_another_under_a_person(url: str, id_: int) -> None:
    reply(url, 1, "pending")
    message = sending(url)
    take(url, id_)
    assert isinstance(next_reply(url), float)
    assert next_reply(url, NOW + timedelta(hours=1)) is None
    assert states(url) == ["withheld"]
    assert note(url, message, state="sent", provider_id="p1")  # it was slow only, and has sent it
    assert states(url) == ["sent"]


@pytest.mark.parametrize(
    "end", [handoffs.give_back, handoffs.resolve, lambda session, id_, now: handoffs.release(session, id_, "eva", now)]
)
def test_reply_that_is_being_sent_all_the_time_that_a_person_has_it_is_withheld_if_the_channel_asks(
    url: str, id_: int, end: Callable[..., Any]
) -> None:
    reply(url, 1, "pending")
    message = sending(url)
    take(url, id_)
    with transaction(url) as session:
        end(session, id_, NOW)
    with transaction(url) as session, pytest.raises(Withheld):
        outbox.assert_not_taken_over(session, message)
    assert next_reply(url, NOW + timedelta(hours=1)) is None


@pytest.mark.parametrize(("status", "ends_as"), [("delivered", "delivered"), ("failed", "withheld")])
def test_withheld_reply_of_which_the_provider_tells_had_gone_out(url: str, id_: int, status: str, ends_as: str) -> None:
    reply(url, 1, "pending")
    message = sending(url)
    take(url, id_)
    assert next_reply(url, NOW + timedelta(hours=1)) is None
    with transaction(url) as session:
        outbox.note_status(session, "chat", "p1", status, NOW, opaque=message.opaque, again=outbox.Again())
    assert states(url) == [ends_as]


def test_held_reply_stays_withheld_when_the_shopper_writes_to_the_bot_again(url: str, id_: int) -> None:
    reply(url, 1, "held")
    take(url, id_)
    with transaction(url) as session:
        handoffs.give_back(session, id_, NOW)
        assert not outbox.let_go(session, "chat", "ana", NOW)
    assert states(url) == ["withheld"]


def test_what_a_person_and_the_desk_say_is_sent(url: str, id_: int) -> None:
    take(url, id_)
    reply(url, 1, "pending", author="agent")
    reply(url, 2, "pending", author="desk")
    for _ in range(2):
        note(url, sending(url), state="sent")
    assert states(url) == ["sent", "sent"]


def test_conversation_of_another_app_on_the_number_is_not_talked_into(url: str) -> None:
    with transaction(url) as session:
        asked(session, NOW, "ana", channel="chat")
        set_owner(session, "ana", "agent", "another-app")
    reply(url, 1, "pending")
    assert next_reply(url) is None


def test_sender_waits_for_a_taking_that_is_under_way(url: str, id_: int) -> None:
    """Else it could look, see the bot's conversation, and send after the person has been told that it is theirs."""
    reply(url, 1, "pending")
    with transaction(url) as session:
        session.execute(update(Conversation).values(owner="agent", assignee="eva"))  # the first half of a taking
        with ThreadPoolExecutor(1) as pool:
            found = pool.submit(next_reply, url)
            with pytest.raises(TimeoutError):
                found.result(timeout=0.3)
            session.commit()
            assert found.result(timeout=GENEROUS) is None
    assert states(url) == ["withheld"]


# What a person writes


def say(url: str, id_: int, name: str, text: str = "Hi", agent: str = "eva", now: datetime = NOW, **more: Any) -> Said:
    with transaction(url) as session:
        return agent_messages.say(session, id_, agent, name, {"text": text}, now, **more)


def test_what_a_person_writes_is_kept_once_and_put_behind_what_waits(url: str, id_: int) -> None:
    take(url, id_)
    later = NOW + timedelta(minutes=1)
    first = say(url, id_, "m-1", "card 4111 1111 1111 1111", now=later)
    assert (first.is_new, first.key) == (True, "chat:ana")
    again = say(url, id_, "m-1", "something else", now=later)
    assert (again.turn_id, again.entries, again.is_new) == (first.turn_id, first.entries, False)
    say(url, id_, "m-2", now=later)
    with transaction(url) as session:
        rows = session.execute(select(InboundMessage).order_by(InboundMessage.id)).scalars().all()
        assert [(row.kind, row.state, row.text, row.turn_id == row.id) for row in rows] == [
            ("agent", "done", "card [card]", True),
            ("agent", "done", "Hi", True),
        ]
        assert rows[0].provider_id == f"agent:{id_}:m-1"
        assert rows[0].details == {"agent": "eva", "handoff": id_}
        handoff = handoffs.by_id(session, id_)
        assert (handoff.awaiting_since, handoff.first_reply_at) == (None, later)
    sent = sending(url)
    assert sent.content == {"text": "card [card]", "by": {"kind": "agent", "name": "eva"}, "language": "es"}
    assert first.entries == (f"o{first.turn_id}-0",)


def test_long_message_is_divided_as_the_channel_needs_it(url: str, id_: int) -> None:
    take(url, id_)
    said = say(url, id_, "m-1", "one two", divide=lambda whole: [{**whole, "text": word} for word in whole["text"].split()])
    assert said.entries == (f"o{said.turn_id}-0", f"o{said.turn_id}-1")
    assert say(url, id_, "m-1").entries == said.entries


def test_files_are_named_in_both(url: str, id_: int) -> None:
    take(url, id_)
    content = {"text": "Here", "attachment": {"type": "document", "payload": {"src": "received/ab", "name": "guide.pdf"}}}
    with transaction(url) as session:
        agent_messages.say(session, id_, "eva", "m-1", content, NOW)
        assert session.execute(select(InboundMessage.details)).scalar_one()["attachment"] == content["attachment"]
        assert session.execute(select(OutboundMessage.content)).scalar_one()["attachment"] == content["attachment"]


def test_only_who_has_it_writes(url: str, id_: int) -> None:
    with pytest.raises(NotYours, match="is with nobody"):
        say(url, id_, "m-1")
    take(url, id_)
    with pytest.raises(NotYours, match="is with eva"):
        say(url, id_, "m-1", agent="leo")
    said = say(url, id_, "m-1")
    with transaction(url) as session:
        handoffs.give_back(session, id_, NOW)
        second = asked(session, NOW, "ana", channel="chat").handoff.id
    with pytest.raises(NotYours):
        say(url, id_, "m-2")
    assert say(url, id_, "m-1").turn_id == said.turn_id  # the page has not heard that it was taken
    take(url, second)
    with pytest.raises(NotYours):
        say(url, id_, "m-3")  # hers, but by a handoff that has ended
    with pytest.raises(ValueError, match="1 to 64"):
        say(url, second, "x" * 65)


def test_of_a_word_and_the_loss_of_it_at_once_the_word_is_first_or_not_said(url: str, id_: int) -> None:
    take(url, id_, lease=LEASE)

    def lose() -> int:
        with transaction(url) as session:
            return len(handoffs.lose_overdue(session, NOW + LEASE))

    results = at_once(lambda: say(url, id_, "m-1"), lose, lambda: say(url, id_, "m-1"))
    said = [each for each in (results[0], results[2]) if isinstance(each, Said)]
    assert len(states(url)) == (1 if said else 0)
    assert len({each.turn_id for each in said}) <= 1
    assert results[1] == 1 or said  # a word that was under way is not in the way of the loss for good
    lose()
    with transaction(url) as session:
        assert handoffs.by_id(session, id_).status == "waiting"


@pytest.mark.parametrize(("channel", "hours", "is_open"), [("chat", 99, True), ("whatsapp", 23, True), ("whatsapp", 24, False)])
def test_window_of_the_channel_is_known(url: str, channel: str, hours: int, is_open: bool) -> None:
    with transaction(url) as session:
        session.add(ChannelContact(sender_id="ana", channel=channel, created_at=NOW, last_inbound_at=NOW))
        session.flush()
        assert is_window_open(session, channel, "ana", NOW + timedelta(hours=hours)) is is_open
        assert is_window_open(session, channel, "nobody", NOW) is (channel != "whatsapp")


# With the engine


class Phone(Channel):
    def __init__(self) -> None:
        self.shown: list[tuple[str, Any]] = []

    async def send(self, message: Outgoing) -> str | None:
        self.shown.append((message.content["text"], message.content.get("by")))
        return None


class Desk:
    """As the handler of turns: says what a notice has, and answers nothing under a person."""

    async def run(self, claim: Claim) -> Outcome:
        if claim.kind == "timer":
            owners = frozenset(claim.details["owners"])
            return Outcome([{"text": claim.details["response"]}] if claim.owner in owners else [], owners=owners)
        return Outcome([] if claim.owner == "agent" else [{"text": f"you said {claim.text}"}])

    async def apologise(self, claim: Claim) -> Outcome:
        return Outcome([])


Start = Callable[..., Awaitable[TurnEngine]]


@pytest.fixture
def phone() -> Phone:
    return Phone()


@asynccontextmanager
async def at_work(handler: TurnHandler, url: str, phone: Phone) -> AsyncIterator[TurnEngine]:
    queue: Queue = PostgresQueue(url, lease=3.0) if url.startswith("postgresql") else LocalQueue()
    engine = TurnEngine(handler, queue, url, pushes={"chat": phone}, limits=SELDOM)
    await engine.start()
    yield engine
    await engine.stop(1.0)


@pytest.fixture
async def engine(url: str, phone: Phone) -> AsyncIterator[TurnEngine]:
    async with at_work(Desk(), url, phone) as engine:
        yield engine


def seen(url: str, sender: str = "ana") -> Handoff:
    with transaction(url) as session:
        found = handoffs.open_for(session, sender)
        assert found is not None
        return found


async def test_shopper_and_person_talk_and_the_clock_is_right(url: str, id_: int, engine: TurnEngine, phone: Phone) -> None:
    take(url, id_, now=datetime.now(timezone.utc))
    await engine.say_for_agent(id_, "eva", "m-1", {"text": "Hello"}, lambda session, said: besides.append(said))
    await it_is_so(lambda: phone.shown == [("Hello", {"kind": "agent", "name": "eva"})])
    assert seen(url).awaiting_since is None
    before = datetime.now(timezone.utc)
    await engine.receive(Inbound("chat", "s-1", "ana", "hi Eva"))
    assert seen(url).awaiting_since >= before
    await engine.say_for_agent(id_, "eva", "m-1", {"text": "Hello"}, lambda session, said: besides.append(said))
    assert len(besides) == 1
    assert seen(url).awaiting_since is not None  # it was said before
    with transaction(url) as session:
        assert session.execute(select(OutboundMessage.content)).scalars().all()[0]["text"] == "Hello"


besides: list[Said] = []


@pytest.fixture(autouse=True)
def _nothing_besides() -> None:
    besides.clear()


async def test_engine_lets_nobody_else_speak_and_names_channels_that_only_answer(url: str, id_: int, engine: TurnEngine) -> None:
    with pytest.raises(NotYours):
        await engine.say_for_agent(id_, "eva", "m-1", {"text": "Hello"})
    with transaction(url) as session:
        other = asked(session, NOW, "bob", channel="rest").handoff.id
    take(url, other)
    with pytest.raises(ValueError, match="the channel rest: it only answers"):
        await engine.say_for_agent(other, "eva", "m-1", {"text": "Hello"})
    assert states(url) == []


async def test_notice_is_said_at_once_in_the_hands_for_which_it_is(url: str, id_: int, engine: TurnEngine, phone: Phone) -> None:
    about: dict[str, Any] = {"sender_id": "ana", "channel": "chat", "values": {}, "now": datetime.now(timezone.utc)}
    with transaction(url) as session:
        say_soon(session, key="1", response="only under a person", owners={"agent"}, **about)
        say_soon(session, key="2", response="wait", owners={"queue"}, **about)
    engine.stir_timers()
    await it_is_so(lambda: [text for text, _ in phone.shown] == ["wait"])
    take(url, id_, now=datetime.now(timezone.utc))
    engine.stir_timers()  # for the notice that eva has joined
    await it_is_so(lambda: [text for text, _ in phone.shown] == ["wait", "utter_agent_joined"])


async def test_notice_for_those_who_wait_is_withheld_where_a_person_came_first(url: str, id_: int, engine: TurnEngine) -> None:
    said = Outcome([{"text": "place 2"}])
    claim = Claim(9001, "t", "ana", "chat", "timer", "", {}, "p", (), "t", 1, None, NOW, "queue", False)
    take(url, id_)
    with transaction(url) as session:
        assert engine._save(session, claim, said, False) == "withheld"
        assert (
            engine._save(session, replace(claim, turn_id=9002), Outcome([{"text": "eva"}], owners=frozenset({"agent"})), False)
            == "done"
        )
    assert "withheld" in states(url)


@pytest.mark.parametrize(
    "end", [handoffs.give_back, handoffs.resolve, lambda session, id_, now: handoffs.release(session, id_, "eva", now)]
)
async def test_message_whose_turn_kept_silent_for_a_person_who_was_leaving_is_answered(
    url: str, id_: int, engine: TurnEngine, phone: Phone, monkeypatch: pytest.MonkeyPatch, end: Callable[..., Any]
) -> None:
    """Else neither would answer: the person has gone, and the turn has begun while they were there."""
    owners: list[str] = []
    answered = Desk.run

    async def run(self: Desk, claim: Claim) -> Outcome:
        if claim.kind == "message":
            owners.append(claim.owner)
        if claim.owner == "agent" and claim.kind == "message":
            with transaction(url) as session:
                end(session, id_, NOW)
        return Outcome([]) if claim.kind == "timer" else await answered(self, claim)

    monkeypatch.setattr(Desk, "run", run)
    take(url, id_)
    await engine.receive(Inbound("chat", "s-1", "ana", "help"))
    await it_is_so(lambda: ("you said help", None) in phone.shown)
    assert owners[0] == "agent"
    assert len(owners) == 2
    assert [text for text, _ in phone.shown] == ["you said help"]


def test_asking_for_a_person_waits_for_nobody_who_waits_for_it(url: str, id_: int) -> None:
    """A turn that failed asks for one with the conversation locked already: whoever else asks must not hold something before
    that, else each waits for the other until the database ends one of them."""
    is_locked = threading.Event()

    def ask_in_a_turn() -> None:
        with transaction(url) as session:
            lock_conversation(session, "ana")
            is_locked.set()
            time.sleep(0.5 if url.startswith("postgresql") else 0.0)  # the other one has begun by then
            asked(session, NOW, "ana", channel="chat")

    def ask() -> None:
        is_locked.wait(GENEROUS)
        with transaction(url) as session:
            asked(session, NOW, "ana", channel="chat")

    assert at_once(ask_in_a_turn, ask) == [None, None]
    assert events(url) == ["opened", "asked_again", "asked_again"]


async def test_message_that_could_not_be_kept_since_others_held_the_rows_crosswise_is_kept_all_the_same(
    shared_url: str, new_queue: Queue
) -> None:
    """Two shoppers in one transaction, and somebody who locks theirs the other way round: the database ends one of both."""
    engine = TurnEngine(Desk(), new_queue, shared_url, limits=SELDOM)
    with transaction(shared_url) as session:
        ids = [int(asked(session, NOW, name, channel="chat").handoff.id) for name in ("ana", "bob")]
    has_first = threading.Event()

    def crosswise() -> None:
        with transaction(shared_url) as session:
            session.execute(text("SET LOCAL deadlock_timeout = '1h'"))  # the other one is ended
            session.execute(select(Handoff.id).where(Handoff.id == ids[1]).with_for_update())
            has_first.set()
            time.sleep(0.5)
            session.execute(select(Handoff.id).where(Handoff.id == ids[0]).with_for_update())

    def both(session: Any, keep: Any) -> None:
        for name in ("ana", "bob"):
            keep(Inbound("chat", f"m-{name}", name, "hi"))

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(crosswise)
        has_first.wait(GENEROUS)
        receipts = await engine.take_in("chat", both)
        other.result(GENEROUS)
    assert [receipt.is_new for receipt in receipts] == [True, True]
    with transaction(shared_url) as session:
        assert len(session.execute(select(InboundMessage.id)).all()) == 2


def keeps_both(session: Any, keep: Any) -> None:
    for name in ("ana", "zed"):
        keep(Inbound("chat", f"m-{name}", name, "hi"))


def in_transaction(url: str, work: Callable[[Any], Any]) -> None:
    with transaction(url) as session:
        work(session)


@pytest.mark.parametrize(
    "work",
    [
        lambda url: in_transaction(url, lambda session: handoffs.renew(session, ["eva", "leo"], NOW, LEASE)),
        lambda url: in_transaction(url, lambda session: handoffs.lose_overdue(session, NOW + LEASE)),
        lambda url: asyncio.run(TurnEngine(Desk(), LocalQueue(), url, limits=SELDOM).take_in("chat", keeps_both)),
    ],
    ids=["renewed", "lost", "written"],
)
def test_whoever_locks_several_handoffs_locks_the_older_first(shared_url: str, work: Callable[[str], None]) -> None:
    """Names and messages have another order; whoever has the older one, and wants the next, gets it."""
    with transaction(shared_url) as session:
        older, newer = (int(asked(session, NOW, name, channel="chat").handoff.id) for name in ("zed", "ana"))
    for id_, agent in ((older, "leo"), (newer, "eva")):
        take(shared_url, id_, agent, lease=LEASE)
    with ThreadPoolExecutor(1) as pool:
        with transaction(shared_url) as session:
            session.execute(select(Handoff.id).where(Handoff.id == older).with_for_update())
            other = pool.submit(work, shared_url)
            while not session.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one():
                assert not other.done()
                time.sleep(0.02)
            session.execute(select(Handoff.id).where(Handoff.id == newer).with_for_update(nowait=True))
        other.result(GENEROUS)


@pytest.fixture
def new_queue(shared_url: str) -> Queue:
    return PostgresQueue(shared_url, lease=3.0)
