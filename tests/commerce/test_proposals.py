"""A write happens once, for its owner, in its conversation, while its summary is true; else nothing happens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commerce.models import Effect, Proposal, StockLevel, Variant
from commerce.proposals import (
    PROPOSAL_LIFETIME,
    Assessment,
    Done,
    Offer,
    Refusal,
    Stale,
    Values,
    confirm,
    digest,
    propose,
    withdraw,
)
from database import transaction
from tests.commerce.shop import NOW, Shop

SKU = "SHI-OXF-BLU-M"
CHAT = "web:ana"
SOLD_OUT = Refusal("no_stock", "sold_out")


@dataclass
class TakeOne:
    """A write that cannot be repeated unnoticed: one piece less of a SKU."""

    kind: str = "take_one"

    def assess(self, session: Session, customer_id: int, parameters: Values, now: datetime) -> Assessment | Refusal:
        level = _level(session, parameters["sku"])
        return Assessment({"left": level.quantity}, {"on": now.date()}) if level.quantity else SOLD_OUT

    def perform(
        self,
        session: Session,
        customer_id: int,
        parameters: Values,
        assessment: Assessment,
        proposal_id: str,
        now: datetime,
    ) -> Values:
        level = _level(session, parameters["sku"])
        level.quantity -= 1
        session.flush()
        return {"left": level.quantity, "at": ["shelf", "floor"]}


class TakeAndFail(TakeOne):
    def perform(self, session: Session, *rest: object) -> Values:
        super().perform(session, *rest)  # type: ignore[arg-type]
        raise RuntimeError("the shelf fell down")


def _level(session: Session, sku: str) -> Any:
    statement = select(StockLevel).join(Variant).where(Variant.sku == sku).order_by(StockLevel.id).limit(1)
    return session.execute(statement.execution_options(populate_existing=True)).scalar_one()


def offered(session: Session, customer_id: int, chat: str = CHAT, now: datetime = NOW) -> Offer:
    offer = propose(session, TakeOne(), customer_id, chat, {"sku": SKU}, now)
    assert isinstance(offer, Offer)
    return offer


def effects(session: Session) -> int:
    return int(session.execute(select(func.count()).select_from(Effect)).scalar_one())


def test_a_proposal_alone_changes_nothing(session: Session) -> None:
    shop = Shop(session)
    offer = offered(session, shop.customer().id)
    assert (offer.kind, offer.summary) == ("take_one", {"left": 5})
    assert (shop.stock(SKU), effects(session)) == (5, 0)


def test_a_refusal_leaves_no_proposal(session: Session) -> None:
    shop = Shop(session)
    shop.set_stock(SKU, 0)
    assert propose(session, TakeOne(), shop.customer().id, CHAT, {"sku": SKU}, NOW) == SOLD_OUT
    assert session.execute(select(Proposal)).first() is None


def test_a_confirmed_proposal_is_done_once_however_often_it_is_confirmed(session: Session) -> None:
    shop = Shop(session)
    ana = shop.customer().id
    offer = offered(session, ana)
    first = confirm(session, TakeOne(), offer.proposal_id, ana, CHAT, NOW)
    again = confirm(session, TakeOne(), offer.proposal_id, ana, CHAT, NOW + timedelta(days=9))
    result = {"left": 4, "at": ["shelf", "floor"]}
    assert first == Done(offer.proposal_id, "take_one", result)
    assert again == Done(offer.proposal_id, "take_one", result, repeated=True)
    assert (shop.stock(SKU), effects(session)) == (4, 1)


def test_a_repeat_in_a_later_transaction_gives_the_first_result(database_url: str) -> None:
    with transaction(database_url) as session:
        ana = Shop(session).customer().id
        offer = offered(session, ana)
    with transaction(database_url) as session:
        first = confirm(session, TakeOne(), offer.proposal_id, ana, CHAT, NOW)
    with transaction(database_url) as session:
        again = confirm(session, TakeOne(), offer.proposal_id, ana, CHAT, NOW)
    assert isinstance(first, Done)
    assert again == Done(first.proposal_id, first.kind, first.result, repeated=True)


def test_two_confirmations_at_once_have_one_effect(database_url: str) -> None:
    with transaction(database_url) as session:
        ana = Shop(session).customer().id
        offer = offered(session, ana)
    start = Barrier(2)

    def say_yes(_: int) -> Done | Stale:
        start.wait(timeout=10)
        with transaction(database_url) as session:
            return confirm(session, TakeOne(), offer.proposal_id, ana, CHAT, NOW)

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(say_yes, range(2)))
    assert sorted(each.repeated for each in outcomes if isinstance(each, Done)) == [False, True]
    with transaction(database_url) as session:
        assert (_level(session, SKU).quantity, effects(session)) == (4, 1)


def test_two_proposals_of_the_same_facts_confirmed_at_once_have_one_effect(database_url: str) -> None:
    with transaction(database_url) as session:
        ana = Shop(session).customer().id
        offers = {chat: offered(session, ana, chat) for chat in ("web:ana", "whatsapp:ana")}
    start = Barrier(2)

    def say_yes(chat: str) -> Done | Stale:
        start.wait(timeout=10)
        with transaction(database_url) as session:
            return confirm(session, TakeOne(), offers[chat].proposal_id, ana, chat, NOW)

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(say_yes, offers))
    assert sorted(type(each).__name__ for each in outcomes) == ["Done", "Stale"]
    with transaction(database_url) as session:
        assert (_level(session, SKU).quantity, effects(session)) == (4, 1)


@pytest.mark.parametrize("who", ["stranger", "other conversation", "other operation", "no such proposal"])
def test_anybody_elses_yes_learns_nothing_and_does_nothing(session: Session, who: str) -> None:
    shop = Shop(session)
    ana, eva = shop.customer("Ana").id, shop.customer("Eva").id
    offer = offered(session, ana)
    outcome = confirm(
        session,
        TakeOne(kind="other_kind") if who == "other operation" else TakeOne(),
        "no-such-id" if who == "no such proposal" else offer.proposal_id,
        eva if who == "stranger" else ana,
        "web:other" if who == "other conversation" else CHAT,
        NOW,
    )
    assert outcome == Stale("unknown")
    assert (shop.stock(SKU), effects(session)) == (5, 0)
    assert isinstance(confirm(session, TakeOne(), offer.proposal_id, ana, CHAT, NOW), Done)


def test_a_strangers_yes_to_what_is_done_does_not_get_its_result(session: Session) -> None:
    shop = Shop(session)
    ana, eva = shop.customer("Ana").id, shop.customer("Eva").id
    offer = offered(session, ana)
    confirm(session, TakeOne(), offer.proposal_id, ana, CHAT, NOW)
    assert confirm(session, TakeOne(), offer.proposal_id, eva, CHAT, NOW) == Stale("unknown")


def test_an_expired_summary_does_nothing_and_is_offered_anew(session: Session) -> None:
    shop = Shop(session)
    ana = shop.customer().id
    offer = offered(session, ana)
    late = NOW + PROPOSAL_LIFETIME
    outcome = confirm(session, TakeOne(), offer.proposal_id, ana, CHAT, late)
    assert isinstance(outcome, Stale)
    assert (outcome.reason, shop.stock(SKU)) == ("expired", 5)
    assert outcome.offer is not None
    assert outcome.offer.proposal_id != offer.proposal_id
    assert isinstance(confirm(session, TakeOne(), outcome.offer.proposal_id, ana, CHAT, late), Done)


def test_a_summary_is_good_until_the_moment_it_expires(session: Session) -> None:
    shop = Shop(session)
    ana = shop.customer().id
    offer = offered(session, ana)
    moment = NOW + PROPOSAL_LIFETIME - timedelta(seconds=1)
    assert isinstance(confirm(session, TakeOne(), offer.proposal_id, ana, CHAT, moment), Done)


def test_changed_facts_do_nothing_and_give_the_new_summary(session: Session) -> None:
    shop = Shop(session)
    ana = shop.customer().id
    offer = offered(session, ana)
    shop.set_stock(SKU, 3)
    outcome = confirm(session, TakeOne(), offer.proposal_id, ana, CHAT, NOW)
    assert isinstance(outcome, Stale)
    assert outcome.reason == "facts_changed"
    assert outcome.offer is not None
    assert outcome.offer.summary == {"left": 3}
    assert (shop.stock(SKU), effects(session)) == (3, 0)
    assert confirm(session, TakeOne(), offer.proposal_id, ana, CHAT, NOW) == Stale("withdrawn")
    assert isinstance(confirm(session, TakeOne(), outcome.offer.proposal_id, ana, CHAT, NOW), Done)


def test_what_is_no_longer_possible_gives_the_refusal(session: Session) -> None:
    shop = Shop(session)
    ana = shop.customer().id
    offer = offered(session, ana)
    shop.set_stock(SKU, 0)
    outcome = confirm(session, TakeOne(), offer.proposal_id, ana, CHAT, NOW)
    assert outcome == Stale("facts_changed", refusal=SOLD_OUT)
    assert effects(session) == 0


def test_a_newer_proposal_of_the_kind_withdraws_the_older_one(session: Session) -> None:
    shop = Shop(session)
    ana = shop.customer().id
    old, new = offered(session, ana), offered(session, ana)
    assert confirm(session, TakeOne(), old.proposal_id, ana, CHAT, NOW) == Stale("withdrawn")
    assert (shop.stock(SKU), effects(session)) == (5, 0)
    assert isinstance(confirm(session, TakeOne(), new.proposal_id, ana, CHAT, NOW), Done)


def test_a_proposal_in_another_conversation_stays_open(session: Session) -> None:
    shop = Shop(session)
    ana = shop.customer().id
    old = offered(session, ana)
    offered(session, ana, "whatsapp:ana")
    assert isinstance(confirm(session, TakeOne(), old.proposal_id, ana, CHAT, NOW), Done)


def test_no_after_all_withdraws_every_kind_but_not_what_is_done(session: Session) -> None:
    shop = Shop(session)
    ana = shop.customer().id
    done = offered(session, ana)
    confirm(session, TakeOne(), done.proposal_id, ana, CHAT, NOW)
    still_open = offered(session, ana)
    withdraw(session, CHAT, NOW)
    assert confirm(session, TakeOne(), still_open.proposal_id, ana, CHAT, NOW) == Stale("withdrawn")
    repeated = confirm(session, TakeOne(), done.proposal_id, ana, CHAT, NOW)
    assert isinstance(repeated, Done)
    assert repeated.repeated
    assert shop.stock(SKU) == 4


def test_what_a_caller_has_read_outlives_the_proposal_and_its_session(database_url: str) -> None:
    with transaction(database_url) as session:
        shop = Shop(session)
        ana = shop.customer()
        order = shop.order(ana, number="10234")
        offered(session, ana.id)
        offered(session, ana.id)
    assert (order.number, ana.name) == ("10234", "Ana López")


def test_a_failure_in_mid_write_leaves_nothing_and_can_be_confirmed_again(database_url: str) -> None:
    with transaction(database_url) as session:
        ana = Shop(session).customer().id
        offer = offered(session, ana)
    with pytest.raises(RuntimeError), transaction(database_url) as session:
        confirm(session, TakeAndFail(), offer.proposal_id, ana, CHAT, NOW)
    with transaction(database_url) as session:
        assert (_level(session, SKU).quantity, effects(session)) == (5, 0)
        assert isinstance(confirm(session, TakeOne(), offer.proposal_id, ana, CHAT, NOW), Done)


def test_facts_that_read_differently_in_every_process_are_an_error() -> None:
    with pytest.raises(TypeError, match="set"):
        digest(Assessment({}, {"skus": {"a", "b"}}))
