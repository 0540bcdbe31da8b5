"""What a shopper writes as a person ends the conversation, or puts it aside, is not left without an answer."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select

from database import transaction
from messaging import handoffs
from messaging.conversations import owner
from messaging.handoffs import Unread
from messaging.models import HandoffEvent, InboundMessage, Timer
from messaging.turns import inbox
from messaging.turns.engine import TURNS, Outcome, TurnEngine
from messaging.turns.inbox import Claim, Inbound
from tests.conftest import NOW
from tests.messaging.test_handoffs import asked
from tests.turns.test_owners import Phone, at_work
from tests.turns.waiting import GENEROUS, it_is_so

Move = Callable[..., Any]
WAITS = 0.4  # seconds in which a transaction that has to wait would have gone on
NO_ID = 10**9


def snooze(session: Any, id_: int, now: datetime, by: str, seen: list[int] | None = None) -> Any:
    return handoffs.snooze(session, id_, by, now + timedelta(hours=1), now, seen)


MOVES = {"resolve": handoffs.resolve, "give back": handoffs.give_back, "snooze": snooze}
moves = pytest.mark.parametrize("move", MOVES.values(), ids=MOVES.keys())


@pytest.fixture
def id_(url: str) -> int:
    """Of a handoff that eva has."""
    with transaction(url) as session:
        handoff_id = int(asked(session, NOW, "ana", channel="chat").handoff.id)
        handoffs.take(session, handoff_id, "eva", NOW)
        return handoff_id


def keep(session: Any, text: str = "wait!", at: datetime = NOW) -> int:
    """As the engine keeps what comes in; nobody answers it."""
    receipt = inbox.receive(session, Inbound("chat", f"m-{text}", "ana", text), at)
    handoffs.note_shoppers_wrote(session, ["ana"], at)
    return receipt.id


def writes(url: str, text: str = "wait!", at: datetime = NOW) -> int:
    with transaction(url) as session:
        return keep(session, text, at)


def moved(url: str, id_: int, move: Move, seen: list[int] | None, now: datetime = NOW) -> str:
    """What became of it, as its status; "unread" where the shopper has written meanwhile."""
    try:
        with transaction(url) as session:
            return str(move(session, id_, now, by="eva", seen=seen).status)
    except Unread:
        return "unread"


def standing(url: str, id_: int) -> tuple[Any, ...]:
    """All that a move changes, or has the shopper told."""
    with transaction(url) as session:
        row = handoffs.by_id(session, id_)
        handoff = (row.status, row.assignee, row.snoozed_until, row.awaiting_since, row.closed_at, row.note)
        events = list(session.execute(select(HandoffEvent.kind).order_by(HandoffEvent.id)).scalars())
        timers = sorted(session.execute(select(Timer.key).where(Timer.state == "waiting")).scalars())
        return handoff, owner(session, "ana"), events, timers


# What counts as seen


@moves
def test_move_of_whoever_has_not_seen_the_last_word_is_refused_and_changes_nothing(url: str, id_: int, move: Move) -> None:
    seen = writes(url, "hello")
    writes(url)
    before = standing(url, id_)
    assert moved(url, id_, move, [seen]) == "unread"
    assert moved(url, id_, move, []) == "unread"
    assert moved(url, id_, move, [NO_ID]) == "unread"  # a number that is none of hers
    assert standing(url, id_) == before


@moves
def test_move_of_whoever_has_seen_it_is_made(url: str, id_: int, move: Move) -> None:
    seen = [writes(url, "hello"), writes(url)]
    assert moved(url, id_, move, seen) != "unread"


@moves
def test_move_of_whoever_does_not_say_what_they_have_seen_is_made(url: str, id_: int, move: Move) -> None:
    writes(url)
    assert moved(url, id_, move, None) != "unread"


def test_refusal_names_the_newest_message(url: str, id_: int) -> None:
    writes(url, "hello")
    newest = writes(url)
    with transaction(url) as session, pytest.raises(Unread) as refused:
        handoffs.resolve(session, id_, NOW, seen=[])
    assert refused.value.newest == newest


def test_what_others_wrote_and_what_needs_no_answer_is_not_asked_for(url: str, id_: int) -> None:
    seen = writes(url, "hello")
    with transaction(url) as session:
        inbox.receive(session, Inbound("chat", "m-bob", "bob", "hi"), NOW)
        inbox.note(session, Inbound("chat", "m-thumb", "ana", "👍", kind="note"), NOW)
        inbox.receive(session, Inbound("chat", "timer-1", "ana", "", kind="timer"), NOW)
    assert moved(url, id_, handoffs.resolve, [seen]) == "resolved"


def test_what_was_written_before_a_person_was_asked_for_need_not_be_shown(url: str, id_: int) -> None:
    writes(url, "hello", NOW - timedelta(seconds=5))
    assert moved(url, id_, handoffs.resolve, []) == "resolved"


def test_older_message_that_was_committed_after_a_newer_one_counts(url: str, id_: int) -> None:
    """Two servers keep two messages of one shopper: the page has the second one only."""
    writes(url, "first")
    seen = writes(url, "second")
    assert moved(url, id_, handoffs.resolve, [seen], NOW + timedelta(seconds=50)) == "unread"
    assert moved(url, id_, handoffs.resolve, [seen], NOW + timedelta(minutes=2)) == "resolved"  # the page shows the newest only


# In the same moment


@pytest.fixture
def phone() -> Phone:
    return Phone()


class Assistant:
    """Answers what is its to answer, and is silent else."""

    async def run(self, claim: Claim) -> Outcome:
        is_its = claim.kind == "message" and claim.owner != "agent"
        return Outcome([{"text": f"you said {claim.text}"}] if is_its else [])

    async def apologise(self, claim: Claim) -> Outcome:
        return Outcome([])


@pytest.fixture
async def engine(url: str, phone: Phone) -> AsyncIterator[TurnEngine]:
    async with at_work(Assistant(), url, phone) as engine:
        yield engine


@moves
@pytest.mark.parametrize("is_noted", [False, True], ids=["kept", "noted"])
async def test_message_whose_transaction_is_open_while_a_person_leaves_is_answered_or_keeps_them(
    url: str, id_: int, engine: TurnEngine, phone: Phone, move: Move, is_noted: bool
) -> None:
    """kept: it has nothing yet for which the move would wait. noted: it has the handoff's row."""
    seen = [writes(url, "hello")]
    goes_on = url.startswith("postgresql") and not is_noted
    with ThreadPoolExecutor(1) as pool:
        with transaction(url) as session:
            inbox.receive(session, Inbound("chat", "m-late", "ana", "late"), NOW)
            engine._queue.put(session, TURNS, "ana")
            if is_noted:
                handoffs.note_shoppers_wrote(session, ["ana"], NOW)
            leaving = pool.submit(moved, url, id_, move, seen)
            wait([leaving], GENEROUS if goes_on else WAITS)
            assert leaving.done() == goes_on
            if not is_noted:
                handoffs.note_shoppers_wrote(session, ["ana"], NOW)
        became = leaving.result(GENEROUS)
    assert (became == "unread") is not goes_on
    engine._queue.wake(TURNS, "ana")
    await nobody_is_left_without_a_reply(url, id_, became, phone)


@moves
async def test_message_that_comes_while_the_move_is_being_made_is_answered_or_wakes_it(
    url: str, id_: int, engine: TurnEngine, phone: Phone, move: Move
) -> None:
    with transaction(url) as session:
        move(session, id_, NOW, by="eva", seen=[])
        coming = asyncio.ensure_future(engine.receive(Inbound("chat", "m-late", "ana", "late")))
        await asyncio.wait([coming], timeout=WAITS)
        assert not coming.done()
    await coming
    await nobody_is_left_without_a_reply(url, id_, standing(url, id_)[0][0], phone)


@moves
async def test_whichever_is_first_of_a_message_and_a_move_nobody_is_left_without_a_reply(
    url: str, engine: TurnEngine, phone: Phone, move: Move
) -> None:
    """By real threads, at any moment of each other."""
    chance = random.Random(7)
    came_to = set()
    leads = [1.0, -1.0, *(chance.uniform(-0.02, 0.02) for _ in range(10))]  # of the move, in seconds
    for number, lead in enumerate(leads):
        with transaction(url) as session:
            id_ = int(asked(session, NOW, "ana", channel="chat").handoff.id)
            handoffs.take(session, id_, "eva", NOW, announce=False)
        seen, now = [writes(url, f"hello {number}")], datetime.now(timezone.utc)

        async def write(text: str, after: float) -> None:
            await asyncio.sleep(after)
            await engine.receive(Inbound("chat", f"m-{text}", "ana", text))

        def leave(after: float, *what: Any) -> str:
            time.sleep(after)
            return moved(url, *what)

        leaving = asyncio.to_thread(leave, max(-lead, 0.0), id_, move, seen, now)
        became, _ = await asyncio.gather(leaving, write(f"late {number}", max(lead, 0.0)))
        await nobody_is_left_without_a_reply(url, id_, became, phone, f"late {number}")
        came_to.add(became)
        with transaction(url) as session:
            if handoffs.open_for(session, "ana") is not None:
                handoffs.resolve(session, id_, NOW)
    assert len(came_to) == 2, "a move that was refused, and one that was made"


async def nobody_is_left_without_a_reply(url: str, id_: int, became: str, phone: Phone, text: str = "late") -> None:
    """Either a person has it before them and knows that the shopper waits, or the assistant answers."""
    await it_is_so(lambda: is_all_done(url))
    (status, _, snoozed_until, awaiting_since, *_), *_ = standing(url, id_)
    if became in ("unread", "assigned"):
        assert (status, snoozed_until) == ("assigned", None)
        assert awaiting_since is not None
    else:
        await it_is_so(lambda: f"you said {text}" in [shown for shown, _ in phone.shown])


def is_all_done(url: str) -> bool:
    with transaction(url) as session:
        return set(session.execute(select(InboundMessage.state)).scalars()) <= {"done"}
