"""What is due is done by itself, once, whatever dies and however many do it at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from database import session_factory, transaction
from desk import leases
from desk.alerts import Alerts
from desk.models import Agent
from desk.rounds import Rounds
from messaging import handoffs
from messaging.calendar import Span
from messaging.conversations import owner
from messaging.models import HandoffEvent, OutgoingMail, Timer
from tests.desk.people import LEASE, NIGHT, NOW, OPENING, SUPPORT, agent, asks, by_agent, events, minutes, stand, takes

TO = Alerts(recipients=("boss@example.com",))


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    """One that the test commits, so that the rounds see what it did."""
    with session_factory(database_url, is_optimistic=True)() as session:
        yield session
        session.rollback()


def several_at_once(url: str, now: datetime, count: int = 4) -> None:
    """As many processes, each with what it remembers itself."""
    begin = threading.Barrier(count)

    def once(rounds: Rounds) -> None:
        begin.wait()
        rounds.once(now)

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(once, [Rounds(url, ways=TO) for _ in range(count)]))


def kinds(session: Session, handoff_id: int) -> list[str]:
    return [event.kind for event in events(session, handoff_id)]


def test_several_rounds_at_once_hand_each_conversation_out_once_and_overfill_nobody(url: str) -> None:
    with transaction(url) as session:
        for name in ("Ana", "Bea", "Caro"):
            agent(session, name, capacity=3)
        ids = [asks(session, f"s{number}") for number in range(12)]
    several_at_once(url, NOW)
    with transaction(url) as session:
        assert by_agent(session) == {"Ana": 3, "Bea": 3, "Caro": 3}
        assert [kinds(session, each).count("assigned") for each in ids] == [1] * 9 + [0] * 3
        assert [kinds(session, each).count("queued") for each in ids] == [1] * 12


def test_take_by_hand_at_the_same_moment_gives_it_to_one(url: str) -> None:
    with transaction(url) as session:
        for name in ("Ana", "Bea"):
            agent(session, name, capacity=20)
        ids = [asks(session, f"s{number}") for number in range(20)]

    def grab(handoff_id: int) -> bool:
        try:
            with transaction(url) as session:
                takes(session, handoff_id, "Zoe")
        except handoffs.AlreadyTaken:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        rounds = pool.submit(several_at_once, url, NOW, 2)
        grabbed = list(pool.map(grab, ids))
        rounds.result()
    with transaction(url) as session:
        assert [kinds(session, each).count("assigned") for each in ids] == [1] * 20
        assert by_agent(session).get("Zoe", 0) == sum(grabbed)


def test_conversation_of_an_agent_who_is_gone_is_lost_once_and_keeps_its_place_and_clock(url: str) -> None:
    with transaction(url) as session:
        agent(session, "Ana")
        handoff = asks(session)
    Rounds(url, ways=TO).once(NOW)
    several_at_once(url, NOW + LEASE)
    with transaction(url) as session:
        assert stand(session, handoff) == ("waiting", None)
        assert owner(session, "s1") == "queue"
        assert kinds(session, handoff).count("lost") == 1
        row = handoffs.by_id(session, handoff)
        assert (row.created_at, row.awaiting_since) == (NOW, NOW)


def test_agent_who_is_there_keeps_the_conversation(url: str) -> None:
    with transaction(url) as session:
        handoff = asks(session)
        takes(session, handoff, "Ana")
        handoffs.renew(session, ["Ana"], NOW + minutes(1), LEASE)
    Rounds(url, ways=TO).once(NOW + LEASE)
    with transaction(url) as session:
        assert stand(session, handoff) == ("assigned", "Ana")


@pytest.mark.parametrize(("after", "status"), [(15, "assigned"), (15.1, "waiting")])
def test_agent_who_says_nothing_for_too_long_loses_it_though_they_are_there(url: str, after: float, status: str) -> None:
    with transaction(url) as session:
        agent(session, "Ana", NOW + minutes(after))
        handoff = asks(session)
        takes(session, handoff, "Ana", lease=timedelta(days=1))
    several_at_once(url, NOW + minutes(after))
    with transaction(url) as session:
        assert stand(session, handoff)[0] == status  # nor does it come back to her by itself
        assert [event.details.get("why") for event in events(session, handoff, "lost")] == (
            ["silent"] if status == "waiting" else []
        )


def test_silence_counts_from_when_somebody_got_it_and_ends_with_their_word(session: Session, database_url: str) -> None:
    late = NOW + minutes(60)
    new, answered = asks(session, "s1"), asks(session, "s2")
    takes(session, new, "Ana", late - minutes(5), timedelta(days=1))
    takes(session, answered, "Ana", NOW, timedelta(days=1))
    handoffs.note_agent_wrote(session, answered, NOW + minutes(1))
    session.commit()
    Rounds(database_url, ways=TO).once(late)
    assert stand(session, new) == ("assigned", "Ana")
    assert stand(session, answered) == ("assigned", "Ana")


def test_silence_over_night_does_not_count(session: Session, database_url: str) -> None:
    evening = NIGHT - timedelta(hours=2, minutes=5)  # five minutes before people go home
    handoff = asks(session, now=evening)
    takes(session, handoff, "Ana", evening, timedelta(days=3))
    session.commit()
    for now, status in ((NIGHT, "assigned"), (OPENING + minutes(9), "assigned"), (OPENING + minutes(11), "waiting")):
        Rounds(database_url, ways=TO).once(now)
        assert stand(session, handoff)[0] == status
        session.commit()


def test_conversation_without_a_lease_is_never_taken_away(session: Session, database_url: str) -> None:
    handoff = asks(session)
    takes(session, handoff, "Marta", lease=None)  # from the command line
    session.commit()
    Rounds(database_url, ways=TO).once(NOW + timedelta(hours=5))
    assert stand(session, handoff) == ("assigned", "Marta")


def test_what_was_put_aside_wakes_at_its_time_once(url: str) -> None:
    with transaction(url) as session:
        handoff = asks(session)
        takes(session, handoff, "Ana", lease=timedelta(days=1))
        handoffs.note_agent_wrote(session, handoff, NOW)
        handoffs.snooze(session, handoff, "Ana", NOW + minutes(30), NOW)
    several_at_once(url, NOW + minutes(29))
    with transaction(url) as session:
        assert kinds(session, handoff).count("woken") == 0
    several_at_once(url, NOW + minutes(30))
    with transaction(url) as session:
        assert kinds(session, handoff).count("woken") == 1
        assert handoffs.by_id(session, handoff).snoozed_until is None


def test_call_back_joins_those_who_wait_when_people_come_to_work_and_is_handed_out(url: str) -> None:
    with transaction(url) as session:
        agent(session, "Ana", OPENING)
        handoff = asks(session, now=NIGHT)
        assert stand(session, handoff)[0] == "callback"
    several_at_once(url, OPENING)
    with transaction(url) as session:
        assert stand(session, handoff) == ("assigned", "Ana")
        assert kinds(session, handoff).count("called_back") == 1


def said(session: Session, handoff_id: int) -> list[tuple[str, str]]:
    return [(event.kind, event.details["level"]) for event in events(session, handoff_id, "warned", "breached")]


def test_warning_comes_before_the_breach_and_each_once(url: str) -> None:
    with transaction(url) as session:
        handoff = asks(session)  # orders: a first reply within ten minutes
    heard = []
    for after in (7, 7.5, 8, 9.99, 10, 11):
        several_at_once(url, NOW + minutes(after), 3)
        with transaction(url) as session:
            heard.append(len(said(session, handoff)))
    assert heard == [0, 1, 1, 1, 2, 2]
    with transaction(url) as session:
        assert said(session, handoff) == [("warned", "first_reply"), ("breached", "first_reply")]
        assert session.execute(select(OutgoingMail.recipient)).scalars().all() == ["boss@example.com"] * 2


def test_each_message_that_waits_has_a_clock_of_its_own(session: Session, database_url: str) -> None:
    handoff = asks(session)
    takes(session, handoff, "Ana", lease=None)
    rounds = Rounds(database_url, ways=TO)
    for begun in (NOW + minutes(30), NOW + minutes(60)):
        handoffs.note_agent_wrote(session, handoff, begun - minutes(1))
        handoffs.note_shoppers_wrote(session, ["s1"], begun)
        session.commit()
        rounds.once(begun + minutes(15))
        rounds.once(begun + minutes(16))
    assert said(session, handoff) == [("breached", "next_reply")] * 2
    assert len(handoffs.by_id(session, handoff).warned) == 1  # what was said of an answered message is not kept


def test_after_a_standstill_only_the_breach_is_told_and_no_warning(session: Session, database_url: str) -> None:
    handoff = asks(session)
    session.commit()
    Rounds(database_url, ways=TO).once(NOW + minutes(50))
    assert said(session, handoff) == [("breached", "first_reply")]


def test_process_that_begins_anew_says_nothing_twice(session: Session, database_url: str) -> None:
    handoff = asks(session)
    session.commit()
    for after in (8, 8.1, 12, 12.1):
        Rounds(database_url, ways=TO).once(NOW + minutes(after))
    assert len(said(session, handoff)) == 2
    told = select(Timer.key).where(Timer.kind == "notice")
    assert len(session.execute(told).scalars().all()) == 1  # and the shopper heard once that it takes longer


def test_clock_goes_on_when_the_conversation_is_lost(session: Session, database_url: str) -> None:
    handoff = asks(session)
    takes(session, handoff, "Ana", NOW + minutes(6))
    session.commit()
    rounds = Rounds(database_url, ways=TO)
    for after in (6, 7.5, 9, 10):  # lost after eight minutes
        rounds.once(NOW + minutes(after))
    assert stand(session, handoff) == ("waiting", None)
    assert said(session, handoff) == [("warned", "first_reply"), ("breached", "first_reply")]


def test_nothing_is_due_at_night(session: Session, database_url: str) -> None:
    handoff = asks(session, now=NIGHT)
    session.commit()
    Rounds(database_url, ways=TO).once(NIGHT + timedelta(hours=8))
    assert said(session, handoff) == []
    session.commit()
    Rounds(database_url, ways=TO).once(OPENING + minutes(8))
    assert said(session, handoff) == [("warned", "first_reply")]


def test_step_that_fails_does_not_keep_the_others_from_their_work(
    session: Session, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_session: Session, _now: datetime) -> int:
        raise RuntimeError("no")

    monkeypatch.setattr("desk.leases.expire", fails)
    agent(session, "Ana")
    handoff = asks(session)
    session.commit()
    with pytest.raises(RuntimeError):
        Rounds(database_url, ways=TO).once(NOW)
    assert stand(session, handoff) == ("assigned", "Ana")


def test_engine_is_stirred_when_there_is_something_to_say(session: Session, database_url: str) -> None:
    stirred: list[int] = []
    rounds = Rounds(database_url, stir=lambda: stirred.append(1), ways=TO)
    rounds.once(NOW)
    assert stirred == []
    agent(session, "Ana")
    asks(session)
    session.commit()
    rounds.once(NOW)
    assert stirred


def test_rounds_go_on_by_themselves_until_they_are_stopped(url: str, until: Callable[..., None]) -> None:
    rounds = Rounds(url, ways=TO, every_seconds=0.05)
    rounds.start()
    with transaction(url) as session:
        handoff = asks(session)

    def is_placed() -> bool:
        with transaction(url) as session:
            return handoffs.by_id(session, handoff).queue == "orders"

    until(is_placed)
    rounds.stop()
    assert not any(thread.is_alive() for thread in rounds._threads)


def test_quiet_round_takes_no_lock_of_a_sqlite_database(database_url: str) -> None:
    with transaction(database_url) as session:
        agent(session, "Ana", NOW - timedelta(days=1))
        asks(session)
    rounds = Rounds(database_url, ways=TO)
    rounds.once(NOW)
    with transaction(database_url) as session:  # somebody writes for long
        session.execute(update(Agent).values(capacity=5))
        rounds.once(NOW + minutes(1))


def test_events_say_what_was_due_and_when(session: Session, database_url: str) -> None:
    handoff = asks(session)
    session.commit()
    Rounds(database_url, ways=TO).once(NOW + minutes(8))
    found = session.execute(select(HandoffEvent).where(HandoffEvent.kind == "warned")).scalar_one()
    assert (found.handoff_id, found.by, found.at) == (handoff, "", NOW + minutes(8))
    assert found.details == {
        "level": "first_reply",
        "due_at": "2026-11-18T17:10:00+00:00",
        "since": "2026-11-18T17:00:00+00:00",
    }
    assert handoffs.by_id(session, handoff).warned == ["first_reply:warned"]


def test_crowd_is_seen_to_in_one_round_though_some_at_a_time(session: Session, database_url: str) -> None:
    for number in range(30):
        agent(session, f"Ana {number}", NOW + minutes(8), capacity=2)
    ids = [asks(session, f"s{number}") for number in range(120)]
    session.commit()
    Rounds(database_url, ways=TO).once(NOW + minutes(8))
    assert sum(by_agent(session).values()) == 60
    assert [len(events(session, each, "queued", "warned")) for each in ids] == [2] * 120


def test_while_we_were_away_nobody_was_gone(session: Session, database_url: str, until: Callable[..., None]) -> None:
    began = datetime.now(timezone.utc)
    handoff = asks(session)
    takes(session, handoff, "Ana", began - timedelta(hours=1))  # her lease ended while no server was there to renew it
    session.commit()
    rounds = Rounds(database_url, ways=TO, every_seconds=0.05)
    rounds.start()
    until(lambda: _queue(database_url, handoff) == "orders")
    rounds.stop()
    assert stand(session, handoff) == ("assigned", "Ana")
    session.commit()
    rounds.once(began + LEASE + timedelta(minutes=1))
    assert stand(session, handoff) == ("waiting", None)


def _queue(url: str, handoff_id: int) -> str | None:
    with transaction(url) as session:
        return handoffs.by_id(session, handoff_id).queue


def test_those_who_are_silent_by_night_do_not_hide_one_who_is_silent_by_day(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue that is closed has more of them than are looked at in one go; another queue is open."""
    always = replace(SUPPORT, hours=((Span(0, 24 * 60),),) * 7)
    monkeypatch.setattr(leases, "calendar_of", lambda queue: always if queue.name == "returns" else SUPPORT)
    with transaction(url) as session:
        ids = [asks(session, f"s{number}", NIGHT) for number in range(leases.MOST_AT_ONCE + 1)]
        for number, each in enumerate(ids):
            takes(session, each, f"a{number}", NIGHT, lease=timedelta(hours=9))
        handoffs.place(session, ids[-1], "returns", 0, NIGHT)
    with transaction(url) as session:
        assert leases.expire(session, NIGHT + minutes(60)) == 1
        assert stand(session, ids[-1])[0] == "waiting"


def test_what_was_asked_for_while_no_hours_were_known_waits_once_there_are_some(url: str) -> None:
    never = replace(SUPPORT, hours=((),) * 7, special_hours={})
    with transaction(url) as session:
        id_ = asks(session, calendar=never)
        assert (stand(session, id_)[0], handoffs.by_id(session, id_).callback_at) == ("callback", None)
    for now, status in ((NIGHT, "callback"), (OPENING, "waiting")):
        Rounds(url, ways=TO).once(now)
        with transaction(url) as session:
            assert stand(session, id_)[0] == status


def test_what_an_agent_has_who_was_put_out_goes_to_others(url: str) -> None:
    with transaction(url) as session:
        for name in ("Ana", "Bea"):
            agent(session, name, is_active=name == "Bea", status="away")
        ids = [asks(session, f"s{number}") for number in range(4)]
        takes(session, ids[0], "Ana", lease=None)
        takes(session, ids[1], "Ana")
        handoffs.snooze(session, ids[1], "Ana", NOW + minutes(600), NOW)
        takes(session, ids[2], "Bea", lease=None)
        takes(session, ids[3], "somebody on the command line", lease=None)
    Rounds(url, ways=TO).once(NOW)
    with transaction(url) as session:
        assert [stand(session, each)[0] for each in ids] == ["waiting", "waiting", "assigned", "assigned"]
