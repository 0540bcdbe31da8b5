"""The outbox sends replies in the order uttered, once each, and holds nobody up for anybody else's sake."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select, update

from database import transaction
from messaging.models import OutboundMessage
from messaging.turns import outbox
from messaging.turns.outbox import (
    Again,
    Channel,
    Held,
    OutboxSender,
    Outgoing,
    SendError,
    TryAgain,
    Uncertain,
    Undeliverable,
    key_of,
)
from messaging.turns.queues import WorkLeft
from tests.conftest import NOW
from tests.turns.waiting import GENEROUS, it_is_so


class Phone:
    """Shows what is sent; `fails` says what goes wrong: recipient -> errors, one a try."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, str]] = []
        self.tries: Counter[str] = Counter()
        self.keys: list[str] = []
        self.fails: dict[str, list[Exception]] = {}
        self.hung = asyncio.Event()

    async def send(self, message: Outgoing) -> str | None:
        self.tries[message.sender_id] += 1
        self.keys.append(message.key)
        if message.sender_id == "stuck":
            await self.hung.wait()
        if errors := self.fails.get(message.sender_id):
            raise errors.pop(0)
        self.shown.append((message.sender_id, message.content["text"]))
        return f"wamid-{message.key}"


@pytest.fixture
async def phone() -> AsyncIterator[Phone]:
    phone = Phone()
    yield phone
    phone.hung.set()


def put(url: str, turn_id: int, *texts: str, sender: str = "ana") -> None:
    now = datetime.now(timezone.utc)
    with transaction(url) as session:
        contents = [{"text": text} for text in texts]
        outbox.put(session, turn_id=turn_id, channel="chat", sender_id=sender, contents=contents, trace_id="0" * 32, now=now)


def rows(url: str) -> list[Any]:
    with transaction(url) as session:
        return list(session.execute(select(OutboundMessage).order_by(OutboundMessage.id)).scalars())


def states(url: str) -> list[str]:
    return [row.state for row in rows(url)]


def sender_of(phone: Phone, url: str, first_pause: float = 0.01, **more: Any) -> OutboxSender:
    return OutboxSender({"chat": phone}, url, first_pause=first_pause, **more)


async def serve(sender: OutboxSender, *recipients: str) -> None:
    await asyncio.wait_for(asyncio.gather(*(sender.serve(key_of("chat", each)) for each in recipients)), GENEROUS)


async def test_replies_are_sent_in_the_order_uttered(url: str, phone: Phone) -> None:
    put(url, 1, "one", "two")
    put(url, 2, "three")
    await serve(sender_of(phone, url), "ana")
    assert [text for _, text in phone.shown] == ["one", "two", "three"]
    assert [(row.state, row.provider_id) for row in rows(url)] == [("sent", f"wamid-{key}") for key in ("1-0", "1-1", "2-0")]


async def test_later_reply_waits_for_an_earlier_one_that_has_to_be_tried_again(url: str, phone: Phone) -> None:
    put(url, 1, "one", "two")
    phone.fails["ana"] = [TryAgain("busy"), ConnectionResetError("gone"), TryAgain("busy", after=0.01)]
    await serve(sender_of(phone, url), "ana")
    assert [text for _, text in phone.shown] == ["one", "two"]
    assert phone.keys == ["1-0"] * 4 + ["1-1"]  # the key is the same in each try


async def test_reply_that_never_arrives_is_kept_with_its_error_and_the_next_one_goes_on(url: str, phone: Phone) -> None:
    put(url, 1, "one", "two")
    phone.fails["ana"] = [Undeliverable("no such number")]
    await serve(sender_of(phone, url), "ana")
    assert [text for _, text in phone.shown] == ["two"]
    assert [(row.state, row.error) for row in rows(url)] == [("failed", "Undeliverable: no such number"), ("sent", None)]


async def test_stuck_recipient_holds_nobody_else_up(own_url: str, phone: Phone) -> None:
    put(own_url, 1, "never", sender="stuck")
    for number in range(20):
        put(own_url, 2 + number, "hello", sender=f"shopper-{number}")
    sender = sender_of(phone, own_url)
    stuck = asyncio.ensure_future(sender.serve(key_of("chat", "stuck")))
    await it_is_so(lambda: phone.tries["stuck"] == 1)
    await serve(sender, *(f"shopper-{number}" for number in range(20)))
    assert len(phone.shown) == 20
    phone.hung.set()
    await stuck


async def test_recipient_who_has_to_wait_does_not_close_the_channel(own_url: str, phone: Phone) -> None:
    put(own_url, 1, "later", sender="limited")
    put(own_url, 2, "now")
    phone.fails["limited"] = [TryAgain("rate", after=3600, scope="recipient")]
    sender = sender_of(phone, own_url)
    await serve(sender, "limited", "ana")  # who has to wait for an hour does not keep a place in the lane
    assert phone.shown == [("ana", "now")]
    assert due(own_url, timedelta(minutes=50)) == []
    assert due(own_url, timedelta(minutes=70)) == ["chat:limited"]


def due(url: str, later: timedelta) -> list[str]:
    with transaction(url) as session:
        return outbox.due(session, ["chat"], datetime.now(timezone.utc) + later)


async def test_channel_that_has_to_wait_sends_to_nobody_meanwhile(own_url: str, phone: Phone) -> None:
    put(own_url, 1, "first", sender="limited")
    put(own_url, 2, "now")
    phone.fails["limited"] = [TryAgain("the channel is over its rate", after=0.3, scope="channel")]
    sender = sender_of(phone, own_url)
    began = asyncio.get_running_loop().time()
    limited = asyncio.ensure_future(sender.serve(key_of("chat", "limited")))
    await it_is_so(lambda: phone.tries["limited"] == 1 and states(own_url)[0] == "pending")
    await serve(sender, "ana")
    assert asyncio.get_running_loop().time() - began >= 0.3
    await asyncio.wait_for(limited, GENEROUS)
    assert sorted(phone.shown) == [("ana", "now"), ("limited", "first")]


async def test_pauses_grow_and_differ(own_url: str, phone: Phone) -> None:
    pauses = [outbox._pause(failures, 1.0) for failures in (1, 2, 3, 4, 30)]
    for pause, expected in zip(pauses, (1, 2, 4, 8, 300), strict=True):
        assert 0.75 * expected <= pause <= 1.25 * expected
    assert len({outbox._pause(1, 1.0) for _ in range(20)}) > 1


async def test_reply_is_given_up_after_a_day(own_url: str, phone: Phone) -> None:
    put(own_url, 1, "old")
    long_ago = datetime.now(timezone.utc) - outbox.GIVE_UP_AFTER - timedelta(minutes=1)
    with transaction(own_url) as session:
        session.execute(update(OutboundMessage).values(created_at=long_ago))
    phone.fails["ana"] = [TryAgain("still busy")] * outbox.LEAST_TRIES
    await serve(sender_of(phone, own_url, first_pause=0.0), "ana")
    assert (states(own_url), phone.tries["ana"]) == (["failed"], outbox.LEAST_TRIES)


async def test_reply_that_was_held_for_days_is_not_given_up_at_the_first_try(own_url: str, phone: Phone) -> None:
    put(own_url, 1, "old")
    with transaction(own_url) as session:
        long_ago = datetime.now(timezone.utc) - 3 * outbox.GIVE_UP_AFTER
        session.execute(update(OutboundMessage).values(created_at=long_ago, state="held", tries=9))
        assert outbox.let_go(session, "chat", "ana", datetime.now(timezone.utc))
    phone.fails["ana"] = [TryAgain("busy")]
    await serve(sender_of(phone, own_url), "ana")
    assert states(own_url) == ["sent"]


async def test_unknown_error_is_tried_again(own_url: str, phone: Phone) -> None:
    put(own_url, 1, "one")
    phone.fails["ana"] = [ValueError("a bug in the channel"), SendError("something")]
    await serve(sender_of(phone, own_url), "ana")
    assert states(own_url) == ["sent"]


async def test_sending_that_hangs_is_tried_again(own_url: str, phone: Phone) -> None:
    put(own_url, 1, "one", sender="stuck")
    sender = sender_of(phone, own_url, patience=0.05)
    serving = asyncio.ensure_future(serve(sender, "stuck"))
    await it_is_so(lambda: phone.tries["stuck"] >= 2)
    phone.hung.set()
    await serving
    assert states(own_url) == ["sent"]


async def test_what_waits_when_the_process_stops_is_left_for_the_next(own_url: str, phone: Phone) -> None:
    put(own_url, 1, "one", "two")
    stopping = sender_of(phone, own_url)
    stopping.stop()
    with pytest.raises(WorkLeft):
        await stopping.serve(key_of("chat", "ana"))
    assert phone.shown == []
    assert sender_of(phone, own_url).left(alone=True) == ["chat:ana"]


# A process that died while it sent


def take(url: str, now: datetime) -> Outgoing | float | None:
    with transaction(url) as session:
        return outbox.take(session, "chat", "ana", now)


def test_reply_that_a_dead_process_was_sending_is_taken_over_after_its_lease(url: str) -> None:
    put(url, 1, "one")
    first = take(url, NOW)
    assert isinstance(first, Outgoing)
    assert take(url, NOW) == outbox.LEASE.total_seconds()
    again = take(url, NOW + outbox.LEASE)
    assert isinstance(again, Outgoing)
    assert (again.key, again.tries) == (first.key, 2)
    with transaction(url) as session:
        assert not outbox.note(session, first, state="failed")  # the older one has no say any more
        assert outbox.note(session, again, state="sent")


def test_only_process_of_its_database_sends_at_once_what_it_was_sending_when_it_died(own_url: str) -> None:
    put(own_url, 1, "one")
    assert isinstance(take(own_url, NOW), Outgoing)
    with transaction(own_url) as session:
        outbox.release(session, "chat", None)
    assert isinstance(take(own_url, NOW), Outgoing)


# What the provider says later


def status(url: str, said: str, error: str | None = None, **more: Any) -> bool:
    with transaction(url) as session:
        return outbox.note_status(session, "chat", more.pop("name", "wamid-1-0"), said, NOW, error, **more) is not None


@pytest.mark.parametrize(
    ("said", "ends_as"),
    [
        (("delivered", "read"), "read"),
        (("read", "delivered"), "read"),  # statuses overtake each other
        (("delivered", "sent"), "delivered"),
        (("read", "failed"), "read"),
        (("failed", "sent"), "failed"),
        (("failed",), "failed"),
    ],
)
async def test_status_never_goes_back(own_url: str, phone: Phone, said: tuple[str, ...], ends_as: str) -> None:
    put(own_url, 1, "one")
    await serve(sender_of(phone, own_url), "ana")
    for each in said:
        status(own_url, each)
    assert states(own_url) == [ends_as]


async def test_failed_delivery_is_kept_with_its_reason(own_url: str, phone: Phone) -> None:
    put(own_url, 1, "one")
    await serve(sender_of(phone, own_url), "ana")
    assert status(own_url, "failed", "131026: not on this channel")
    assert [(row.state, row.error) for row in rows(own_url)] == [("failed", "131026: not on this channel")]


def test_status_of_a_message_that_is_not_ours_changes_nothing(own_url: str) -> None:
    put(own_url, 1, "one")
    assert not status(own_url, "read")
    assert states(own_url) == ["pending"]


async def test_status_that_comes_before_the_answer_to_the_sending_is_not_undone_by_it(own_url: str, phone: Phone) -> None:
    put(own_url, 1, "one")
    taken = take(own_url, NOW)
    assert isinstance(taken, Outgoing)
    assert status(own_url, "delivered", opaque=taken.opaque)
    with transaction(own_url) as session:
        assert outbox.note(session, taken, state="sent", provider_id="wamid-1-0")
        assert not outbox.note(session, taken, state="pending")
    assert [(row.state, row.provider_id) for row in rows(own_url)] == [("delivered", "wamid-1-0")]


# A sending that nobody has answered


class Reconciling(Phone, Channel):
    """The provider gives our key back with each status."""

    lease = 5.0
    reconciles = True
    settles = 0.0
    opaque = ""

    async def send(self, message: Outgoing) -> str | None:
        self.opaque = message.opaque
        return await super().send(message)

    def after_failure(self, code: int | None) -> Again | None:
        return Again(as_template=True) if code == 131047 else None


async def test_sending_without_an_answer_is_not_repeated_if_a_status_tells_that_it_arrived(own_url: str) -> None:
    phone = Reconciling()
    put(own_url, 1, "one", "two")
    phone.fails["ana"] = [Uncertain("no answer", after=0.3)]
    serving = asyncio.ensure_future(serve(sender_of(phone, own_url), "ana"))
    await it_is_so(lambda: phone.tries["ana"] == 1 and rows(own_url)[0].error is not None)
    assert states(own_url) == ["sending", "pending"]
    assert status(own_url, "sent", opaque=phone.opaque, name="wamid-late")
    await serving
    assert [text for _, text in phone.shown] == ["two"]
    assert [(row.state, row.provider_id) for row in rows(own_url)] == [("sent", "wamid-late"), ("sent", "wamid-1-1")]


async def test_sending_without_an_answer_is_repeated_if_nothing_is_told_of_it(own_url: str) -> None:
    phone = Reconciling()
    put(own_url, 1, "one")
    phone.fails["ana"] = [Uncertain("no answer", after=0.05)]
    await serve(sender_of(phone, own_url), "ana")
    assert phone.keys == ["1-0", "1-0"]
    assert states(own_url) == ["sent"]


def test_what_a_dead_process_was_sending_waits_for_its_status_where_the_provider_tells(own_url: str) -> None:
    """As long as ever, however long the process was dead: nobody was there to be told."""
    put(own_url, 1, "one")
    assert isinstance(take(own_url, NOW), Outgoing)  # long ago
    assert sender_of(Reconciling(), own_url).left(alone=True) == ["chat:ana"]
    rest = take(own_url, datetime.now(timezone.utc))
    assert isinstance(rest, float)
    assert rest == pytest.approx(Reconciling.lease, abs=1)


@pytest.mark.parametrize("opaque", [None, "", "1-0", "1-0.5", "9-0.{now}", "1-0-1.{now}", "1-0.{now}; DROP TABLE", "1" * 40])
def test_status_with_the_key_of_something_else_changes_nothing(own_url: str, opaque: str | None) -> None:
    put(own_url, 1, "one")
    now = int(rows(own_url)[0].created_at.timestamp())
    assert not status(own_url, "read", opaque=opaque and opaque.replace("{now}", str(now)))
    assert states(own_url) == ["pending"]


# The next one only once the one before has arrived


async def test_reply_waits_until_the_one_before_is_delivered(own_url: str) -> None:
    phone = Reconciling()
    phone.settles = GENEROUS
    put(own_url, 1, "one", "two")
    serving = asyncio.ensure_future(serve(sender_of(phone, own_url), "ana"))
    await it_is_so(lambda: states(own_url) == ["sent", "pending"])
    await asyncio.sleep(3 * outbox.NAP)
    assert [text for _, text in phone.shown] == ["one"]
    assert status(own_url, "delivered")
    await serving
    assert [text for _, text in phone.shown] == ["one", "two"]


async def test_reply_waits_no_longer_than_the_channel_says(own_url: str) -> None:
    phone = Reconciling()
    phone.settles = 0.2
    put(own_url, 1, "one", "two")
    await serve(sender_of(phone, own_url), "ana")
    assert [text for _, text in phone.shown] == ["one", "two"]


# Taken by the provider, and then not delivered


async def test_reply_that_may_only_be_sent_as_a_template_is_put_back_as_one(own_url: str) -> None:
    phone = Reconciling()
    put(own_url, 1, "one")
    await serve(sender_of(phone, own_url), "ana")
    assert status(own_url, "failed", "131047", again=phone.after_failure(131047))
    assert [(row.state, row.as_template, row.provider_id) for row in rows(own_url)] == [("pending", True, None)]
    assert not status(own_url, "failed", "131047", again=phone.after_failure(131047))  # told twice
    await serve(sender_of(phone, own_url), "ana")
    assert phone.keys == ["1-0", "1-0-1"]  # another message for the provider


async def test_reply_is_not_put_back_for_ever(own_url: str) -> None:
    phone = Reconciling()
    put(own_url, 1, "one")
    for _ in range(outbox.MOST_AGAIN + 1):
        await serve(sender_of(phone, own_url), "ana")
        newest = rows(own_url)[0].provider_id
        assert status(own_url, "failed", "131047", again=phone.after_failure(131047), name=newest)
    assert states(own_url) == ["failed"]


# What may only be sent once the person has written


async def test_held_reply_goes_first_once_the_person_has_written(own_url: str, phone: Phone) -> None:
    put(own_url, 1, "held")
    phone.fails["ana"] = [Held("outside of 24 hours")]
    await serve(sender_of(phone, own_url), "ana")
    assert [(row.state, row.error) for row in rows(own_url)] == [("held", "Held: outside of 24 hours")]
    with transaction(own_url) as session:
        assert outbox.let_go(session, "chat", "ana", datetime.now(timezone.utc))
        assert not outbox.let_go(session, "chat", "ben", datetime.now(timezone.utc))
    put(own_url, 2, "answer")
    await serve(sender_of(phone, own_url), "ana")
    assert [text for _, text in phone.shown] == ["held", "answer"]


async def test_reply_that_would_be_held_when_the_person_has_just_written_is_sent(url: str, phone: Phone) -> None:
    put(url, 1, "late")
    phone.fails["ana"] = [Held("outside of 24 hours", lambda _session: True)]
    outcomes: list[str] = []
    await serve(sender_of(phone, url, on_sent=lambda _channel, outcome, _message: outcomes.append(outcome)), "ana")
    assert [text for _, text in phone.shown] == ["late"]
    assert outcomes == ["retried", "sent"]


def test_what_is_let_go_is_due_for_whoever_looks(own_url: str) -> None:
    put(own_url, 1, "held")
    with transaction(own_url) as session:
        session.execute(update(OutboundMessage).values(state="held"))
        assert outbox.due(session, ["chat"], NOW) == []
        assert outbox.let_go(session, "chat", "ana", NOW)
        assert outbox.due(session, ["chat"], NOW) == ["chat:ana"]


# A channel on which nothing can be sent


async def test_one_message_at_a_time_tries_whether_a_closed_channel_works_again(own_url: str, phone: Phone) -> None:
    for number in range(10):
        put(own_url, number, "hello", sender=f"shopper-{number}")
        phone.fails[f"shopper-{number}"] = [TryAgain("the token has expired", after=0.1, scope="channel") for _ in range(20)]
    sender = sender_of(phone, own_url)
    serving = [asyncio.ensure_future(serve(sender, f"shopper-{number}")) for number in range(10)]
    await it_is_so(lambda: bool(sender.closed))
    assert sender.closed == {"chat": "TryAgain: the token has expired"}
    began = asyncio.get_running_loop().time()
    await asyncio.sleep(0.35)
    openings = (asyncio.get_running_loop().time() - began) / 0.1 + 1
    assert sum(phone.tries.values()) <= 10 + openings  # all of them at first perhaps, but not at each opening
    for errors in phone.fails.values():
        errors.clear()
    await asyncio.gather(*serving)
    assert sender.closed == {}
    assert states(own_url) == ["sent"] * 10


async def test_what_waits_for_a_closed_channel_is_never_given_up(own_url: str, phone: Phone) -> None:
    put(own_url, 1, "old")
    long_ago = datetime.now(timezone.utc) - 3 * outbox.GIVE_UP_AFTER
    with transaction(own_url) as session:
        session.execute(update(OutboundMessage).values(created_at=long_ago))
    phone.fails["ana"] = [TryAgain("the token has expired", after=0.05, scope="channel")]
    await serve(sender_of(phone, own_url), "ana")
    assert states(own_url) == ["sent"]


# What else may hold a person up


async def test_reply_put_off_until_tomorrow_does_not_hold_up_what_the_person_asks_now(own_url: str, phone: Phone) -> None:
    put(own_url, 1, "news")
    phone.fails["ana"] = [TryAgain("enough advertising for today", after=86_400)]
    await serve(sender_of(phone, own_url), "ana")
    assert phone.shown == []
    with transaction(own_url) as session:
        assert outbox.let_go(session, "chat", "ana", datetime.now(timezone.utc))
    put(own_url, 2, "answer")
    await serve(sender_of(phone, own_url), "ana")
    assert [text for _, text in phone.shown] == ["news", "answer"]


async def test_sending_that_nobody_ever_answers_is_repeated_a_few_times_only_and_a_late_status_still_counts(own_url: str) -> None:
    phone = Reconciling()
    put(own_url, 1, "one", "two")
    phone.fails["ana"] = [Uncertain("no answer", after=0.01) for _ in range(outbox.MOST_UNCERTAIN)]
    await serve(sender_of(phone, own_url), "ana")
    assert states(own_url) == ["failed", "sent"]
    assert phone.keys.count("1-0") == outbox.MOST_UNCERTAIN
    created = int(rows(own_url)[0].created_at.timestamp())
    assert status(own_url, "delivered", opaque=f"1-0.{created}", name="wamid-late")
    assert states(own_url) == ["delivered", "sent"]


async def test_sending_that_takes_too_long_may_have_arrived(own_url: str) -> None:
    phone = Reconciling()
    phone.lease = 0.2
    put(own_url, 1, "one", sender="stuck")
    serving = asyncio.ensure_future(serve(sender_of(phone, own_url), "stuck"))
    await it_is_so(lambda: rows(own_url)[0].error is not None)
    assert states(own_url) == ["sending"]
    assert status(own_url, "sent", opaque=phone.opaque, name="wamid-late")
    await serving
    assert (states(own_url), phone.tries["stuck"]) == (["sent"], 1)


async def test_message_that_fails_for_itself_does_not_open_a_closed_channel(own_url: str, phone: Phone) -> None:
    put(own_url, 1, "first", sender="limited")
    phone.fails["limited"] = [TryAgain("the token has expired", after=0.1, scope="channel")]
    put(own_url, 2, "second", sender="nobody")
    phone.fails["nobody"] = [Undeliverable("no address")]
    sender = sender_of(phone, own_url)
    sender._closed["chat"] = outbox._Closed("the token has expired", asyncio.get_running_loop().time())
    await serve(sender, "nobody")
    assert sender.closed == {"chat": "the token has expired"}
    await serve(sender, "limited")
    assert sender.closed == {}
