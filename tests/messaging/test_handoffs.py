from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from database import Base, engine_for, transaction
from messaging.calendar import Calendar, Span
from messaging.conversations import held_elsewhere, held_here, owner, take_recap
from messaging.handoffs import (
    AlreadyTaken,
    HandoffError,
    IllegalMove,
    NoSuchHandoff,
    Opened,
    call_back,
    cancel,
    give_back,
    last_given_back,
    open_for,
    open_handoff,
    position,
    resolve,
    take,
    waiting,
)
from messaging.models import Conversation, Handoff, Timer

UTC = timezone.utc
OPENS = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 18, 22, 0, tzinfo=UTC)
CALENDAR = Calendar("support", ZoneInfo("UTC"), ((Span(9 * 60, 20 * 60),),) * 7, usual_wait=5)

Ask = Callable[..., Opened]


def asked(session: Session, now: datetime, sender: str = "s1", **changes: Any) -> Opened:
    values: dict[str, Any] = {
        "sender_id": sender,
        "channel": "webchat",
        "customer_id": None,
        "language": "es",
        "reason": "asked",
        "goal": None,
        "collected": {},
        "tried": [],
        "verdict": None,
        "transcript": [],
        "now": now,
        "calendar": CALENDAR,
    }
    return open_handoff(session, **{**values, **changes})


@pytest.fixture
def ask(session: Session, now: datetime) -> Ask:
    return lambda sender="s1", at=now, **changes: asked(session, at, sender, **changes)


def test_in_open_hours_the_shopper_waits_in_the_queue(session: Session, ask: Ask) -> None:
    opened = ask()
    assert (opened.is_open_now, opened.expected_wait_minutes, opened.next_opening) == (True, 5, None)
    assert (opened.handoff.status, opened.already_open) == ("waiting", False)
    assert owner(session, "s1") == "queue"


def test_out_of_hours_a_call_back_is_arranged_and_the_bot_goes_on(session: Session, ask: Ask) -> None:
    opened = ask(at=NIGHT)
    assert (opened.is_open_now, opened.expected_wait_minutes, opened.next_opening) == (False, None, OPENS)
    assert (opened.handoff.status, opened.handoff.callback_at) == ("callback", OPENS)
    assert owner(session, "s1") == "bot"


def test_shop_that_never_opens_promises_no_hour(ask: Ask) -> None:
    opened = ask(calendar=Calendar("support", ZoneInfo("UTC"), ((),) * 7))
    assert (opened.handoff.status, opened.next_opening) == ("callback", None)


def test_asking_again_updates_the_same_handoff(ask: Ask) -> None:
    first = ask(goal="cancel_order", collected={"order_number": "10234"}, tried=["action_cancel_order"])
    again = ask(
        reason="anger",
        customer_id=7,
        collected={"reason": "late"},
        tried=["action_cancel_order", "action_track_order"],
        verdict={"rule": "shipped"},
        transcript=[{"by": "shopper", "text": "¡Ya!", "at": "2026-11-18T15:00:00Z"}],
    )
    assert again.already_open is True
    assert again.handoff.id == first.handoff.id
    assert again.handoff.goal == "cancel_order"  # nothing newer was told
    assert again.handoff.collected == {"order_number": "10234", "reason": "late"}
    assert again.handoff.tried == ["action_cancel_order", "action_track_order"]
    assert (again.handoff.reason, again.handoff.customer_id) == ("anger", 7)
    assert again.handoff.verdict == {"rule": "shipped"}


def test_asking_again_in_the_morning_moves_the_call_back_into_the_queue(session: Session, ask: Ask) -> None:
    ask(at=NIGHT)
    again = ask(at=OPENS)
    assert (again.handoff.status, again.handoff.callback_at, again.already_open) == ("waiting", None, True)
    assert owner(session, "s1") == "queue"


def test_asking_again_at_night_turns_the_wait_into_a_call_back(session: Session, ask: Ask) -> None:
    ask()
    assert ask(at=NIGHT).handoff.status == "callback"
    assert owner(session, "s1") == "bot"


def test_asking_again_does_not_take_it_from_the_agent(session: Session, ask: Ask, now: datetime) -> None:
    take(session, ask().handoff.id, "eva", now)
    again = ask(at=NIGHT)
    assert (again.handoff.status, again.handoff.assignee, again.already_open) == ("assigned", "eva", True)
    assert owner(session, "s1") == "agent"


def test_closed_handoff_does_not_stop_a_new_one(session: Session, ask: Ask, now: datetime) -> None:
    first = ask().handoff
    resolve(session, first.id, now)
    second = ask()
    assert (second.already_open, second.handoff.id != first.id) == (False, True)


def test_cards_and_passwords_do_not_reach_the_record(ask: Ask) -> None:
    handoff = ask(
        transcript=[{"by": "shopper", "text": "4111 1111 1111 1111", "at": "x"}],
        collected={"payment": {"note": ["my password is hunter2"]}},
    ).handoff
    assert handoff.transcript[0]["text"] == "[card]"
    assert handoff.collected == {"payment": {"note": ["my password is [password]"]}}


def test_taking_gives_the_conversation_to_one_agent(session: Session, ask: Ask, now: datetime) -> None:
    handoff = take(session, ask().handoff.id, "eva", now)
    assert (handoff.status, handoff.assignee, handoff.assigned_at) == ("assigned", "eva", now)
    row = session.execute(select(Conversation).execution_options(populate_existing=True)).scalar_one()
    assert (row.owner, row.assignee) == ("agent", "eva")


@pytest.mark.parametrize("second", ["eva", "leo"])
def test_taken_handoff_cannot_be_taken(session: Session, ask: Ask, now: datetime, second: str) -> None:
    handoff_id = take(session, ask().handoff.id, "eva", now).id
    with pytest.raises(AlreadyTaken, match="is with eva") as caught:
        take(session, handoff_id, second, now)
    assert caught.value.by == "eva"


def test_of_agents_who_take_at_once_one_gets_it(database_url: str, now: datetime) -> None:
    with transaction(database_url) as session:
        handoff_id = asked(session, now).handoff.id

    def attempt(agent: str) -> str:
        try:
            with transaction(database_url) as session:
                return str(take(session, handoff_id, agent, now).assignee)
        except AlreadyTaken as taken:
            return f"with {taken.by}"

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(attempt, ["ana", "eva", "leo", "zoe"]))
    winner = next(one for one in results if not one.startswith("with"))
    assert sorted(results) == sorted([winner, *[f"with {winner}"] * 3])


def test_giving_back_brings_the_bot_and_one_recap(session: Session, ask: Ask, now: datetime) -> None:
    handoff_id = take(session, ask().handoff.id, "eva", now).id
    handoff = give_back(session, handoff_id, now, "refund agreed")
    assert (handoff.status, handoff.note, handoff.closed_at, handoff.assignee) == ("given_back", "refund agreed", now, "eva")
    assert owner(session, "s1") == "bot"
    assert [take_recap(session, "s1"), take_recap(session, "s1")] == [True, False]


def test_resolving_needs_no_taking_and_no_recap(session: Session, ask: Ask, now: datetime) -> None:
    assert resolve(session, ask().handoff.id, now, "phoned").status == "resolved"
    assert owner(session, "s1") == "bot"
    assert take_recap(session, "s1") is False


def test_never_mind_leaves_the_queue(session: Session, ask: Ask, now: datetime) -> None:
    assert cancel(session, ask().handoff.id, now).status == "cancelled"
    assert owner(session, "s1") == "bot"
    assert waiting(session) == []
    assert open_for(session, "s1") is None


def test_shopper_cannot_cancel_what_an_agent_has(session: Session, ask: Ask, now: datetime) -> None:
    handoff_id = take(session, ask().handoff.id, "eva", now).id
    with pytest.raises(IllegalMove, match=r"^Handoff \d+ is with eva\. Only one that waits can be left by the shopper\.$"):
        cancel(session, handoff_id, now)
    assert owner(session, "s1") == "agent"


def test_untaken_handoff_cannot_be_given_back(session: Session, ask: Ask, now: datetime) -> None:
    with pytest.raises(IllegalMove, match="is waiting: nobody has taken it yet"):
        give_back(session, ask().handoff.id, now)


def test_ended_handoff_says_in_words_why_nothing_more_can_be_done(session: Session, ask: Ask, now: datetime) -> None:
    handoff_id = take(session, ask().handoff.id, "eva", now).id
    give_back(session, handoff_id, now)
    with pytest.raises(IllegalMove, match="was given back to the assistant already"):
        take(session, handoff_id, "eva", now)
    with pytest.raises(IllegalMove, match="Only one that is open can be resolved"):
        resolve(session, handoff_id, now)
    settled = ask("s2").handoff.id
    resolve(session, settled, now)
    with pytest.raises(IllegalMove, match="is settled already"):
        give_back(session, settled, now)
    left = ask("s3").handoff.id
    cancel(session, left, now)
    with pytest.raises(IllegalMove, match="is over: the shopper did not want a person any more"):
        take(session, left, "eva", now)


def test_last_given_back_is_the_newest_of_this_conversation(session: Session, ask: Ask, now: datetime) -> None:
    assert last_given_back(session, "s1") is None
    card = "4111 1111 1111 1111"
    for sender, later, note in (("s1", 1, "first"), ("s1", 2, "second"), ("s2", 3, "another's"), ("s1", 4, card)):
        at = now + timedelta(minutes=later)
        give_back(session, take(session, ask(sender).handoff.id, "eva", at).id, at, note)
        assert ask(sender).handoff.status == "waiting"
        resolve(session, open_for(session, sender).id, at)  # type: ignore[union-attr]
    found = last_given_back(session, "s1")
    assert found is not None
    assert found.note == "[card]"


def test_unknown_handoff_is_named(session: Session, now: datetime) -> None:
    with pytest.raises(NoSuchHandoff, match="99"):
        take(session, 99, "eva", now)


def test_unknown_reason_and_nameless_agent_are_mistakes(session: Session, ask: Ask, now: datetime) -> None:
    with pytest.raises(ValueError, match="boredom"):
        ask(reason="boredom")
    with pytest.raises(ValueError, match="name"):
        take(session, ask().handoff.id, " ", now)


def test_queue_is_served_in_the_order_of_asking_call_backs_included(session: Session, ask: Ask) -> None:
    night = ask("night", NIGHT).handoff.id
    early = ask("early", OPENS - timedelta(days=1)).handoff.id
    late = ask("late", OPENS + timedelta(minutes=5)).handoff.id
    assert [handoff.id for handoff in waiting(session)] == [early, night, late]
    take(session, early, "eva", OPENS)
    assert [position(session, one) for one in (early, night, late)] == [None, 1, 2]


def test_database_refuses_a_second_open_handoff(database_url: str, now: datetime) -> None:
    with transaction(database_url) as session:
        asked(session, now)
    copy = "INSERT INTO handoff (sender_id, channel, language, reason, collected, tried, transcript, status, created_at, note)"
    with pytest.raises(IntegrityError), transaction(database_url) as session:
        session.execute(text(f"{copy} VALUES ('s1', 'x', 'es', 'asked', '{{}}', '[]', '[]', 'callback', '2026-11-18', '')"))


def test_simultaneous_requests_open_one_handoff(database_url: str, now: datetime) -> None:
    def request(_: int) -> tuple[int, bool]:
        with transaction(database_url) as session:
            opened = asked(session, now)
            return opened.handoff.id, opened.already_open

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(request, range(6)))
    assert len({handoff_id for handoff_id, _ in results}) == 1
    assert [already for _, already in results].count(False) == 1


SENDERS = st.sampled_from(["s1", "s2"])
AGENTS = st.sampled_from(["eva", "leo"])
LEGAL = {
    "waiting": {"waiting", "callback", "assigned", "cancelled", "resolved"},
    "callback": {"waiting", "callback", "assigned", "cancelled", "resolved"},
    "assigned": {"assigned", "given_back", "resolved"},
    "given_back": {"given_back"},
    "resolved": {"resolved"},
    "cancelled": {"cancelled"},
}
OWNER_BY_STATUS = {"waiting": "queue", "callback": "bot", "assigned": "agent"}


class Desk(RuleBasedStateMachine):
    """Shoppers and agents do anything in any order, legal or not."""

    numbers = itertools.count()
    folder = tempfile.TemporaryDirectory()
    url = f"sqlite:///{folder.name}/desk.db"

    def __init__(self) -> None:
        super().__init__()
        Base.metadata.create_all(engine_for(self.url))
        with transaction(self.url) as session:
            session.execute(text("DELETE FROM handoff"))
            session.execute(text("DELETE FROM conversation"))
        self.before: dict[int, str] = {}
        self.recaps: dict[str, bool] = {}

    @contextmanager
    def step(self) -> Iterator[Session]:
        with transaction(self.url) as session:
            yield session

    @rule(sender=SENDERS, hour=st.sampled_from([3, 12]))
    def shopper_asks(self, sender: str, hour: int) -> None:
        with self.step() as session:
            had = open_for(session, sender)
            opened = asked(session, OPENS.replace(hour=hour), sender)
            assert opened.already_open is (had is not None)
            if had is not None and had.status == "assigned":
                return
            self.recaps[sender] = False

    @rule(sender=SENDERS, act=st.sampled_from([cancel, give_back, resolve]))
    def somebody_ends(self, sender: str, act: Callable[..., Handoff]) -> None:
        with self.step() as session:
            for handoff in self.all_of(session, sender):
                allowed = act.__name__ + "d" if act is resolve else {"cancel": "cancelled"}.get(act.__name__, "given_back")
                legal = handoff.status != allowed and allowed in LEGAL[handoff.status]
                try:
                    act(session, handoff.id, OPENS)
                except IllegalMove:
                    assert not legal
                else:
                    assert legal
                    self.recaps[sender] = act is give_back

    @rule(sender=SENDERS, agent=AGENTS)
    def agent_takes(self, sender: str, agent: str) -> None:
        with self.step() as session:
            for handoff in self.all_of(session, sender):
                free = handoff.status in ("waiting", "callback")
                try:
                    take(session, handoff.id, agent, OPENS)
                except HandoffError:
                    assert not free
                else:
                    assert free
                    self.recaps[sender] = False

    @rule(sender=SENDERS)
    def bot_recaps(self, sender: str) -> None:
        with self.step() as session:
            assert take_recap(session, sender) is self.recaps.get(sender, False)
        self.recaps[sender] = False

    @invariant()
    def one_owner_each_and_only_legal_moves(self) -> None:
        with self.step() as session:
            for sender in ("s1", "s2"):
                self.check_owner(session, sender)
            now = {one.id: one.status for one in session.execute(select(Handoff)).scalars()}
        assert all(now[handoff_id] in LEGAL[status] for handoff_id, status in self.before.items())
        self.before = now

    def check_owner(self, session: Session, sender: str) -> None:
        still_open = [one for one in self.all_of(session, sender) if one.status in OWNER_BY_STATUS]
        assert len(still_open) <= 1
        assert owner(session, sender) == (OWNER_BY_STATUS[still_open[0].status] if still_open else "bot")
        row = session.get(Conversation, sender)
        has = still_open[0].assignee if still_open and still_open[0].status == "assigned" else None
        assert (row.assignee if row else None) == has

    @staticmethod
    def all_of(session: Session, sender: str) -> list[Handoff]:
        return list(session.execute(select(Handoff).where(Handoff.sender_id == sender).order_by(Handoff.id)).scalars())


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)


def _timers(session: Session) -> list[tuple[str, datetime, str]]:
    of_call_backs = select(Timer).where(Timer.kind == "callback").order_by(Timer.id)
    return [(timer.key, timer.due_at, timer.state) for timer in session.execute(of_call_backs).scalars()]


def test_a_call_back_sets_a_timer_for_when_people_come_to_work(session: Session, ask: Ask) -> None:
    handoff = ask(at=NIGHT).handoff
    assert _timers(session) == [(f"callback:{handoff.id}", OPENS, "waiting")]
    ask(at=NIGHT + timedelta(days=1))
    assert _timers(session) == [(f"callback:{handoff.id}", OPENS + timedelta(days=1), "waiting")]


def test_in_open_hours_there_is_no_timer_and_asking_again_cancels_it(session: Session, ask: Ask) -> None:
    ask("s2")
    assert _timers(session) == []
    handoff = ask(at=NIGHT).handoff
    ask(at=OPENS)
    assert _timers(session) == [(f"callback:{handoff.id}", OPENS, "cancelled")]


@pytest.mark.parametrize("end", [cancel, resolve, lambda session, id_, now: take(session, id_, "eva", now)])
def test_a_call_back_that_ends_cancels_its_timer(session: Session, ask: Ask, end: Callable[..., Any]) -> None:
    handoff = ask(at=NIGHT).handoff
    end(session, handoff.id, NIGHT)
    assert _timers(session) == [(f"callback:{handoff.id}", OPENS, "cancelled")]


def test_a_call_back_joins_the_queue_when_it_is_due_and_not_before(session: Session, ask: Ask) -> None:
    handoff = ask(at=NIGHT).handoff
    assert call_back(session, handoff.id, OPENS - timedelta(seconds=1)) is False
    assert (handoff.status, owner(session, "s1")) == ("callback", "bot")
    assert call_back(session, handoff.id, OPENS) is True
    session.refresh(handoff)
    assert (handoff.status, owner(session, "s1")) == ("waiting", "queue")
    assert call_back(session, handoff.id, OPENS) is False


def test_a_call_back_that_was_taken_meanwhile_stays_with_the_person(session: Session, ask: Ask) -> None:
    handoff = ask(at=NIGHT).handoff
    take(session, handoff.id, "eva", NIGHT)
    assert call_back(session, handoff.id, OPENS) is False
    assert owner(session, "s1") == "agent"


def test_asking_for_a_person_takes_no_conversation_from_another_app(session: Session) -> None:
    """A turn that began before the other app took it may still ask."""
    held_elsewhere(session, "s1", "webchat", OPENS)
    asked(session, OPENS)
    assert owner(session, "s1") == "agent"
    held_here(session, "s1")
    assert owner(session, "s1") == "bot"
