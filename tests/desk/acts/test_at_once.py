"""Two at once, on each kind of database: what is confirmed or taken back twice in the same moment happens once."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import func, select, text

from actions import clock, customer_data
from actions.handoff import open_for
from actions.turn import turn_of
from commerce.cancellations import CancelOrder
from commerce.models import Customer, Effect, LedgerEntry, Order, Refund
from commerce.policies import load_policies
from database import Base, engine_for, transaction
from desk import acts
from desk.asked import Asked
from desk.errors import DeskError
from desk.permissions import Me
from desk.requests import Fields
from messaging import handoffs
from messaging.models import HandoffEvent
from tests.commerce.shop import NOW, POLICIES
from tests.desk.acts.acting import CHAT, Acting, person

MARTA, SOL = person("Marta"), person("Sol", "supervisor")


class Two:
    """Ana's conversation in a database that several threads write to."""

    def __init__(self, url: str, status: str = "delivered") -> None:
        self.url = url
        with transaction(url) as session:
            acting = Acting(session)
            self.handoff_id = acting.handoff_id
            self.order_number = acting.shop.order(acting.ana, status=status).number

    def asked(self, me: Me) -> Asked:
        return Asked(me, self.handoff_id, NOW)

    def propose(self, me: Me, kind: str, **fields: Any) -> str:
        with transaction(self.url) as session:
            offer = acts.propose(session, self.asked(me), kind, Fields(fields))
        assert isinstance(offer, dict)
        return str(offer["proposal"])

    def confirm(self, me: Me, kind: str, proposal: str) -> Any:
        with transaction(self.url) as session:
            return acts.confirm(session, self.asked(me), kind, proposal)

    def undo(self, me: Me, effect: int) -> Any:
        with transaction(self.url) as session:
            return acts.undo(session, self.asked(me), effect)

    def count(self, table: Any) -> int:
        with transaction(self.url) as session:
            return int(session.execute(select(func.count(table.id))).scalar_one())

    def at_once(self, *works: Callable[[], Any]) -> list[Any]:
        ready = Barrier(len(works))

        def run(work: Callable[[], Any]) -> Any:
            ready.wait()
            return work()

        with ThreadPoolExecutor(len(works)) as pool:
            return list(pool.map(run, works))


def test_the_same_summary_confirmed_at_once_is_done_once(url: str) -> None:
    two = Two(url)
    proposal = two.propose(MARTA, "adjust_points", points=100, reason="a late parcel")
    first, second, third = two.at_once(*[lambda: two.confirm(MARTA, "adjust_points", proposal)] * 3)
    assert first["done"] == second["done"] == third["done"]
    assert (two.count(Effect), two.count(LedgerEntry)) == (1, 1)


def test_two_people_who_pay_back_at_once_do_not_both_pay_what_each_saw(url: str) -> None:
    two = Two(url)
    amount = {"minor": 4000, "currency": "EUR"}  # all that was paid
    fields = {"order_number": two.order_number, "amount": amount, "refund_to": "original", "reason": "it came torn"}
    proposals = {me: two.propose(me, "refund_exception", **fields) for me in (MARTA, SOL)}
    outcomes = two.at_once(*[lambda me=me: two.confirm(me, "refund_exception", proposals[me]) for me in (MARTA, SOL)])  # type: ignore[misc]
    assert sorted(isinstance(each, DeskError) for each in outcomes) == [False, True]
    assert (two.count(Effect), two.count(Refund)) == (1, 1)


def test_taken_back_at_once_is_taken_back_once(url: str) -> None:
    two = Two(url)
    done = two.confirm(MARTA, "adjust_points", two.propose(MARTA, "adjust_points", points=100, reason="a late parcel"))
    effect = done["undo"]["effect"]
    outcomes = two.at_once(*[lambda me=me: two.undo(me, effect) for me in (MARTA, SOL, MARTA)])  # type: ignore[misc]
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert (two.count(Effect), two.count(LedgerEntry)) == (2, 2)


# An act, and an action of the assistant's


@pytest.fixture
def postgres(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Only there are rows locked one by one. An action's clock is the shop's, and so is that of what is proven."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    Base.metadata.create_all(engine_for(postgres_url))
    monkeypatch.setenv("TENDERO_DATABASE_URL", postgres_url)
    return postgres_url


def wait_until_one_waits(url: str) -> None:
    """For a row, or for its turn: the other one has come as far as it can."""
    until = time.monotonic() + 20
    with engine_for(url).connect() as connection:
        while not connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one():
            assert time.monotonic() < until, "nobody waits"
            time.sleep(0.02)


def test_supervisor_acts_in_a_conversation_that_nobody_has_while_the_assistant_calls_a_person_there(postgres: str) -> None:
    """The assistant has the order when it wants the conversation, to open the handoff; the supervisor has the conversation when
    they want the order."""
    two = Two(postgres, status="paid")
    with transaction(postgres) as session:
        handoffs.release(session, two.handoff_id, "Marta", NOW)
    asked = {"order_number": two.order_number, "cancel_reason": "found_cheaper"}
    proposal = two.propose(SOL, "cancel_order", **asked)
    has_order = Event()

    def assistant() -> None:
        heard = [{"event": "action", "name": "action_listen"}, {"event": "user", "input_channel": "webchat"}]
        message = {"intent": {"name": "cancel_order"}, "text": "cancel it", "entities": []}
        tracker = Tracker(CHAT, {"language": "en"}, message, heard, False, None, {}, "action_listen")
        with turn_of(CollectingDispatcher(), tracker) as turn:
            turn.assess(CancelOrder(load_policies(POLICIES)), {"order_number": two.order_number, "reason": "found_cheaper"})
            has_order.set()
            wait_until_one_waits(postgres)
            open_for(turn, "policy")

    def supervisor() -> Any:
        assert has_order.wait(20)
        return two.confirm(SOL, "cancel_order", proposal)

    _, outcome = two.at_once(assistant, supervisor)
    assert outcome["done"]["effect"]
    with transaction(postgres) as session:
        assert session.execute(select(Order.status)).scalar_one() == "cancelled"
        kinds = list(session.execute(select(HandoffEvent.kind).order_by(HandoffEvent.id)).scalars())
    assert (kinds.count("asked_again"), kinds[-1]) == (1, "acted")


def test_supervisor_acts_for_a_customer_who_is_being_erased(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The erasing has the customer when it wants the conversations; the supervisor has one and wants the customer."""
    two = Two(postgres)
    has_customer = Event()
    around = customer_data.erase_around

    def erase_around(*arguments: Any) -> Any:
        has_customer.set()
        wait_until_one_waits(postgres)
        return around(*arguments)

    def erase() -> Any:
        with transaction(postgres) as session:
            found = customer_data.found(session.execute(select(Customer).order_by(Customer.id)).scalars().first())
            return customer_data.erase(session, found, NOW, b"a key of the tests, long enough")

    def supervisor() -> Any:
        assert has_customer.wait(20)
        try:
            return two.propose(SOL, "adjust_points", points=100, reason="a late parcel")
        except DeskError as error:
            return error.code

    monkeypatch.setattr(customer_data, "erase_around", erase_around)
    erased, outcome = two.at_once(erase, supervisor)
    assert (erased.conversations, outcome) == (1, "illegal")
