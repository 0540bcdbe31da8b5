"""The turn engine in this process: each message one turn, in order, never silent, never twice."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from database import transaction
from messaging.conversations import set_owner
from messaging.models import InboundMessage, OutboundMessage
from messaging.turns import inbox, timers, trace
from messaging.turns.engine import Limits, Outcome, TurnEngine, is_away
from messaging.turns.inbox import Claim, Inbound, Overloaded
from messaging.turns.outbox import Outgoing
from messaging.turns.queues import Queue, WorkLeft
from messaging.turns.queues.local import LocalQueue
from messaging.turns.queues.postgres import PostgresQueue
from messaging.turns.watch import Watch
from tests.conftest import NOW
from tests.turns.waiting import GENEROUS, it_is_so

QUICK = Limits(first_pause=0.01, longest_pause=0.05, patience=GENEROUS)


@dataclass
class Echo:
    """Answers with the message; `before` and `persist` are called in each turn, for what goes wrong in it."""

    before: Callable[[Claim], Awaitable[None]] | None = None
    persist: Callable[[Session, bool], None] = lambda _session, _withheld: None
    turns: list[Claim] = field(default_factory=list)
    apologies: list[Claim] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)
    at_work: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    most_at_work: int = 0

    async def run(self, claim: Claim) -> Outcome:
        self.turns.append(claim)
        self.at_work[claim.sender_id] += 1
        self.most_at_work = max(self.most_at_work, self.at_work[claim.sender_id])
        try:
            if self.before is not None:
                await self.before(claim)
        finally:
            self.at_work[claim.sender_id] -= 1
        return Outcome([{"text": f"you said {claim.text}"}], self.persist, lambda: self.saved.append(claim.text))

    async def apologise(self, claim: Claim) -> Outcome:
        self.apologies.append(claim)
        return Outcome([{"text": "sorry"}])


class Phone:
    """A channel that pushes."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    async def send(self, message: Outgoing) -> str | None:
        self.shown.append(message.content["text"])
        return None


Start = Callable[..., Awaitable[TurnEngine]]


@pytest.fixture
async def start(url: str) -> AsyncIterator[Start]:
    """Starts engines on the database, and stops them."""
    engines = []

    async def start(handler: Echo, limits: Limits = QUICK, **more: Any) -> TurnEngine:
        queue: Queue = PostgresQueue(url, lease=3.0) if url.startswith("postgresql") else LocalQueue()
        engine = TurnEngine(handler, queue, url, limits=limits, **more)
        await engine.start()
        engines.append(engine)
        return engine

    yield start
    for engine in engines:
        await engine.stop(1.0)


@pytest.fixture
def sqlite_only(url: str) -> None:
    """For rules that do not depend on the database."""
    if not url.startswith("sqlite"):
        pytest.skip("one database is enough")


def message(text: str = "hi", sender: str = "ana", provider_id: str | None = None) -> Inbound:
    return Inbound("web", provider_id or f"{sender}-{text}", sender, text)


async def ask(engine: TurnEngine, inbound: Inbound) -> list[str]:
    """The words of the answer."""
    answer = await engine.answer(await engine.receive(inbound))
    return [reply["text"] for reply in answer.replies]


def states(url: str) -> list[str]:
    with transaction(url) as session:
        return list(session.execute(select(InboundMessage.state).order_by(InboundMessage.id)).scalars())


def replies(url: str) -> list[tuple[str, str]]:
    with transaction(url) as session:
        rows = session.execute(select(OutboundMessage.content, OutboundMessage.state).order_by(OutboundMessage.id))
        return [(row.content["text"], row.state) for row in rows]


# One turn for each message


async def test_request_waits_for_its_answer(url: str, start: Start) -> None:
    echo = Echo()
    assert await ask(await start(echo), message("where is it")) == ["you said where is it"]
    assert states(url) == ["done"]
    await it_is_so(lambda: echo.saved == ["where is it"])


async def test_messages_of_a_conversation_have_their_turns_in_order_and_one_at_a_time(url: str, start: Start) -> None:
    async def takes_its_time(_claim: Claim) -> None:
        await asyncio.sleep(0.01)

    echo = Echo(takes_its_time)
    engine = await start(echo)
    receipts = [await engine.receive(message(str(number))) for number in range(8)]
    answers = await asyncio.gather(*(engine.answer(receipt) for receipt in receipts))
    assert [answer.replies[0]["text"] for answer in answers] == [f"you said {number}" for number in range(8)]
    assert [claim.text for claim in echo.turns] == [str(number) for number in range(8)]
    assert echo.most_at_work == 1


async def test_slow_conversation_holds_up_no_other(url: str, start: Start) -> None:
    go_on = asyncio.Event()

    async def hangs(claim: Claim) -> None:
        if claim.sender_id == "slow":
            await go_on.wait()

    engine = await start(Echo(hangs))
    slow = await engine.receive(message("hello?", "slow"))
    for number in range(5):
        assert await ask(engine, message("hi", f"shopper-{number}")) == ["you said hi"]
    go_on.set()
    assert (await engine.answer(slow)).replies == [{"text": "you said hello?"}]


async def test_request_is_answered_also_while_earlier_turns_of_others_end(url: str, start: Start) -> None:
    """Turns that end elsewhere are told by number only: a waiter for a later one must wait on."""
    gates = {text: asyncio.Event() for text in ("first", "second")}

    async def waits(claim: Claim) -> None:
        await gates[claim.text].wait()

    engine = await start(Echo(waits))
    earlier = await engine.receive(message("first", "eva"))
    later = asyncio.ensure_future(ask(engine, message("second")))
    await it_is_so(lambda: engine.under_way == 2)
    gates["first"].set()
    await engine.answer(earlier)
    await asyncio.sleep(0.1)  # the notification is on its way
    gates["second"].set()
    assert await later == ["you said second"]


async def test_message_that_comes_twice_has_one_turn_and_the_same_replies(url: str, start: Start) -> None:
    echo = Echo()
    engine = await start(echo)
    both = await asyncio.gather(*(ask(engine, message("hi", provider_id="m1")) for _ in range(5)))
    later = await ask(engine, message("hi", provider_id="m1"))
    assert [*both, later] == [["you said hi"]] * 6
    assert len(echo.turns) == 1
    assert len(replies(url)) == 1


async def test_pushed_replies_are_sent_without_being_asked_for(url: str, start: Start) -> None:
    phone = Phone()
    engine = await start(Echo(), pushes={"web": phone})
    for said in ("one", "two"):
        await engine.receive(message(said))
    await it_is_so(lambda: len(phone.shown) == 2)
    assert phone.shown == ["you said one", "you said two"]
    await it_is_so(lambda: {state for _, state in replies(url)} == {"sent"})


async def test_too_much_is_refused_and_told(url: str, start: Start) -> None:
    go_on, refused = asyncio.Event(), []

    class Watching(Watch):
        def refused(self, channel: str) -> None:
            refused.append(channel)

    async def hangs(_claim: Claim) -> None:
        await go_on.wait()

    engine = await start(Echo(hangs), replace(QUICK, most_waiting=2), watch=Watching())
    kept = [await engine.receive(message(str(number))) for number in range(2)]
    with pytest.raises(Overloaded):
        await engine.receive(message("one too many"))
    go_on.set()
    for receipt in kept:
        assert (await engine.answer(receipt)).replies
    assert refused == ["web"]
    assert await ask(engine, message("one too many")) == ["you said one too many"]  # sent again later


async def test_messages_that_are_kept_together_keep_the_traces_of_their_webhooks(own_url: str) -> None:
    engine = TurnEngine(Echo(), LocalQueue(), own_url)
    names = [str(number) * 32 for number in range(1, 6)]

    async def webhook(name: str) -> None:
        trace.follow(name)
        await engine.take_in("web", lambda _session, keep: keep(message(name)))

    await asyncio.gather(*(asyncio.create_task(webhook(name)) for name in names))
    with transaction(own_url) as session:
        traces = session.execute(select(InboundMessage.text, InboundMessage.trace_id)).all()
    assert sorted(tuple(row) for row in traces) == [(name, name) for name in names]


async def test_request_that_takes_too_long_is_told_so_and_its_turn_goes_on(url: str, start: Start, sqlite_only: None) -> None:
    go_on = asyncio.Event()

    async def hangs(_claim: Claim) -> None:
        await go_on.wait()

    engine = await start(Echo(hangs), replace(QUICK, patience=0.05))
    receipt = await engine.receive(message())
    with pytest.raises(asyncio.TimeoutError):
        await engine.answer(receipt)
    go_on.set()
    await it_is_so(lambda: states(url) == ["done"])
    assert (await engine.answer(receipt)).replies == [{"text": "you said hi"}]


async def test_who_is_not_told_of_the_end_of_a_turn_looks(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.turns.engine.LOOK_AGAIN", 0.05)
    engine = await start(Echo())
    monkeypatch.setattr(engine, "_tell_waiters", lambda *_arguments: None)
    assert await ask(engine, message()) == ["you said hi"]


# Turns that fail


async def test_turn_that_fails_is_tried_again(url: str, start: Start) -> None:
    async def fails_twice(claim: Claim) -> None:
        if claim.tries < 3:
            raise ValueError("not yet")

    echo = Echo(fails_twice)
    assert await ask(await start(echo), message()) == ["you said hi"]
    assert [claim.tries for claim in echo.turns] == [1, 2, 3]
    assert (states(url), echo.apologies) == (["done"], [])


async def test_turn_that_fails_for_good_is_apologised_for_and_kept_with_its_error(url: str, start: Start) -> None:
    async def fails(claim: Claim) -> None:
        if claim.text == "hi":
            raise ValueError("always")

    echo = Echo(fails)
    engine = await start(echo)
    assert await ask(engine, message()) == ["sorry"]
    assert (len(echo.turns), len(echo.apologies)) == (QUICK.most_tries, 1)
    with transaction(url) as session:
        row = session.execute(select(InboundMessage)).scalar_one()
        assert (row.state, row.error) == ("failed", "ValueError: always")
    assert await ask(engine, message("and now")) == ["you said and now"]  # the next message works


async def test_turn_that_cannot_be_saved_is_tried_again(url: str, start: Start) -> None:
    failures = [ValueError("a bug in saving"), IntegrityError("INSERT", {}, Exception("twice"))]

    def fails_twice(_session: Session, _withheld: bool) -> None:
        if failures:
            raise failures.pop(0)

    echo = Echo(persist=fails_twice)
    assert await ask(await start(echo), message()) == ["you said hi"]
    assert (states(url), replies(url), len(echo.turns)) == (["done"], [("you said hi", "sent")], 3)


async def test_turn_that_can_never_be_saved_is_apologised_for(url: str, start: Start) -> None:
    def fails(_session: Session, _withheld: bool) -> None:
        raise ValueError("a bug in saving")

    assert await ask(await start(Echo(persist=fails)), message()) == ["sorry"]
    assert states(url) == ["failed"]


async def test_turn_whose_apology_fails_too_is_not_tried_for_ever(url: str, start: Start, sqlite_only: None) -> None:
    class Speechless(Echo):
        async def run(self, claim: Claim) -> Outcome:
            raise ValueError("no")

        async def apologise(self, claim: Claim) -> Outcome:
            raise ValueError("nor this")

    engine = await start(Speechless())
    answer = await engine.answer(await engine.receive(message()))
    assert (answer.state, answer.replies, states(url)) == ("failed", [], ["failed"])


async def test_message_that_kills_its_process_again_and_again_is_apologised_for(url: str, start: Start) -> None:
    with transaction(url) as session:
        inbox.receive(session, message("poison"), NOW)
    for _ in range(QUICK.most_tries):  # three processes began it, and died
        with transaction(url) as session:
            inbox.claim(session, "ana", NOW)
    echo = Echo()
    engine = await start(echo)
    await engine.receive(message("next"))
    await it_is_so(lambda: states(url) == ["failed", "done"])
    assert [claim.text for claim in echo.apologies] == ["poison"]


# Who may answer


async def test_reply_is_withheld_when_an_agent_took_the_conversation_during_the_turn(url: str, start: Start) -> None:
    withheld = []

    async def agent_takes_it(claim: Claim) -> None:
        with transaction(url) as session:
            set_owner(session, claim.sender_id, "agent", "Lucía")

    phone = Phone()
    echo = Echo(agent_takes_it, lambda _session, is_withheld: withheld.append(is_withheld))
    engine = await start(echo, pushes={"web": phone})
    answer = await engine.answer(await engine.receive(message()))
    assert (answer.replies, withheld) == ([], [True])
    assert replies(url) == [("you said hi", "withheld")]
    assert phone.shown == []


# The database


def away(_claim: Claim | None = None) -> OperationalError:
    return OperationalError("SELECT 1", {}, _OperationalError("server closed the connection unexpectedly"))


class _OperationalError(Exception):
    pass


_OperationalError.__name__ = "OperationalError"


async def test_turn_waits_while_the_database_is_away(url: str, start: Start) -> None:
    failures = 5  # more than the tries of a turn that fails

    async def database_is_away(_claim: Claim) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise away()

    echo = Echo(database_is_away)
    assert await ask(await start(echo), message()) == ["you said hi"]
    assert ({claim.tries for claim in echo.turns}, echo.apologies) == ({1}, [])


async def test_saving_waits_while_the_database_is_away(url: str, start: Start) -> None:
    failures = [away() for _ in range(5)]

    def database_is_away(_session: Session, _withheld: bool) -> None:
        if failures:
            raise failures.pop()

    echo = Echo(persist=database_is_away)
    assert await ask(await start(echo), message()) == ["you said hi"]
    assert len(echo.turns) == 1


async def test_apology_waits_while_the_database_is_away(url: str, start: Start, sqlite_only: None) -> None:
    failures = [away() for _ in range(3)]

    class Sorry(Echo):
        async def run(self, claim: Claim) -> Outcome:
            raise ValueError("always")

        async def apologise(self, claim: Claim) -> Outcome:
            if failures:
                raise failures.pop()
            return await super().apologise(claim)

    assert await ask(await start(Sorry()), message()) == ["sorry"]


async def test_lost_confirmation_of_a_saved_turn_is_no_second_turn(
    url: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit arrived, its answer did not: the turn looks unsaved to the one who saved it."""
    confirmations_lost = 0
    save = TurnEngine._save

    def lose_confirmation(engine: TurnEngine, session: Session, claim: Claim, *others: Any) -> str:
        nonlocal confirmations_lost
        state = save(engine, session, claim, *others)
        if not confirmations_lost:
            confirmations_lost += 1
            session.commit()
            raise away()
        return state

    monkeypatch.setattr(TurnEngine, "_save", lose_confirmation)
    echo = Echo()
    assert await ask(await start(echo), message()) == ["you said hi"]
    await it_is_so(lambda: echo.saved == ["hi"])
    assert (confirmations_lost, len(echo.turns), len(replies(url))) == (1, 1, 1)


@pytest.mark.parametrize(
    "address",
    ["postgresql://shop@127.0.0.1:9/shop", "postgresql://shop@no-such-host.invalid/shop", "sqlite:////no/such/folder/shop.db"],
)
def test_database_that_cannot_be_reached_is_away(address: str) -> None:
    with pytest.raises(DBAPIError) as failure, transaction(address) as session:
        session.execute(select(1))
    assert is_away(failure.value)


def test_statement_that_is_wrong_is_not_taken_for_an_absence(url: str) -> None:
    with pytest.raises(DBAPIError) as failure, transaction(url) as session:
        session.execute(text("SELECT no_such_column FROM inbound_message"))
    assert not is_away(failure.value)


# Stopping


async def test_stop_finishes_what_is_under_way_and_leaves_the_rest_to_the_next(url: str, start: Start) -> None:
    began = asyncio.Event()
    go_on = asyncio.Event()

    async def takes_its_time(claim: Claim) -> None:
        if claim.text == "one":
            began.set()
            await go_on.wait()

    old = Echo(takes_its_time)
    engine = await start(old)
    for said in ("one", "two", "three"):
        await engine.receive(message(said))
    await asyncio.wait_for(began.wait(), GENEROUS)
    stopping = asyncio.ensure_future(engine.stop(GENEROUS))
    await asyncio.sleep(0)
    go_on.set()
    await stopping
    assert states(url) == ["done", "waiting", "waiting"]

    new = Echo()
    await start(new)
    await it_is_so(lambda: states(url) == ["done"] * 3)
    assert ([claim.text for claim in old.turns], [claim.text for claim in new.turns]) == (["one"], ["two", "three"])


async def test_new_process_takes_up_what_a_dead_one_had_begun(own_url: str) -> None:
    with transaction(own_url) as session:
        inbox.receive(session, message("begun"), NOW)
        inbox.receive(session, message("waiting"), NOW)
    with transaction(own_url) as session:
        inbox.claim(session, "ana", NOW)
    echo, phone = Echo(), Phone()
    engine = TurnEngine(echo, LocalQueue(), own_url, pushes={"web": phone}, limits=QUICK)
    await engine.start()
    await it_is_so(lambda: len(phone.shown) == 2)
    await engine.stop(GENEROUS)
    assert phone.shown == ["you said begun", "you said waiting"]
    assert [claim.tries for claim in echo.turns] == [2, 1]


async def test_turn_that_another_process_has_taken_over_saves_nothing_and_takes_nothing_back(
    own_url: str,
) -> None:
    """The other one is at it: to claim it from there would only go to and fro."""
    taken: list[Claim] = []

    async def other_takes_over(claim: Claim) -> None:
        with transaction(own_url) as session:
            other = inbox.claim(session, claim.sender_id, NOW)
            assert other is not None
            taken.append(other)

    echo = Echo(other_takes_over)
    engine = TurnEngine(echo, LocalQueue(), own_url, limits=QUICK)
    await engine.receive(message())
    with pytest.raises(WorkLeft):
        await engine.work("ana")
    assert (states(own_url), replies(own_url), echo.saved, len(echo.turns)) == (["taken"], [], [], 1)
    with transaction(own_url) as session:
        assert inbox.finish(session, taken[0], NOW) == "bot"


# Timers


async def test_timer_that_was_due_while_no_process_ran_has_its_turn(url: str, start: Start) -> None:
    past = datetime.now(timezone.utc) - timedelta(hours=1)
    with transaction(url) as session:
        timers.set_timer(session, key="callback:ana", sender_id="ana", channel="web", kind="callback", due_at=past)
    echo = Echo()
    await start(echo)
    await it_is_so(lambda: states(url) == ["done"])
    assert [(claim.kind, claim.details["timer"]) for claim in echo.turns] == [("timer", "callback")]


async def test_timer_fires_in_the_engine_when_its_time_comes(url: str, start: Start) -> None:
    soon = datetime.now(timezone.utc) + timedelta(seconds=0.5)
    with transaction(url) as session:
        timers.set_timer(session, key="callback:ana", sender_id="ana", channel="web", kind="callback", due_at=soon)
    await start(Echo())
    await it_is_so(lambda: states(url) == ["done"])
    assert datetime.now(timezone.utc) >= soon
