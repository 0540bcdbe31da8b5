"""Orders, where more happens than what the shopper writes: facts that change, codes that expire, strangers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import select, update

from commerce.models import Cancellation, Order
from database import transaction
from messaging.models import CodeRequest
from tests.conversations.stage import Stage

EMMA = {"as": "emma@example.com"}
CANCEL = "please cancel my order 10233, I ordered it by mistake"


def _change(number: str, change: Callable[[Order], None]) -> None:
    """As another channel, or the people in the warehouse, would."""
    with transaction() as session:
        order = session.execute(select(Order).where(Order.number == number)).scalar_one()
        change(order)
        order.version += 1


def _status(number: str) -> str:
    with transaction() as session:
        return str(session.execute(select(Order.status).where(Order.number == number)).scalar_one())


def _be_packed(order: Order) -> None:
    order.status = "preparing"


def _become_cheaper(order: Order) -> None:
    order.total_minor -= 100
    order.discount_minor += 100


def test_yes_after_the_facts_changed_does_nothing_and_shows_the_new_summary(stage: Stage) -> None:
    sender = stage.begin(EMMA)
    assert "Shall I cancel it?" in stage.say(sender, CANCEL).words
    _change("10233", _become_cheaper)
    answer = stage.say(sender, "yes").words
    assert "Something changed" in answer
    assert "Shall I cancel it?" in answer
    assert _status("10233") == "paid"
    assert "is cancelled" in stage.say(sender, "yes").words
    assert _status("10233") == "cancelled"


def test_yes_after_packing_began_does_nothing_and_says_why(stage: Stage) -> None:
    sender = stage.begin(EMMA)
    stage.say(sender, CANCEL)
    _change("10233", _be_packed)
    answer = stage.say(sender, "yes").words
    assert "is being packed right now" in answer
    assert "is cancelled" not in answer
    assert _status("10233") == "preparing"


def test_second_yes_cancels_nothing_more(stage: Stage) -> None:
    sender = stage.begin(EMMA)
    stage.say(sender, CANCEL)
    stage.say(sender, "yes")
    stage.say(sender, "yes")
    with transaction() as session:
        cancelled = session.execute(select(Cancellation).join(Cancellation.order).where(Order.number == "10233")).scalars()
        assert len(list(cancelled)) == 1


def test_expired_code_opens_nothing(stage: Stage) -> None:
    sender = stage.begin({})
    stage.say(sender, "where is my order 10232")
    stage.say(sender, "emma@example.com")
    with transaction() as session:
        session.execute(update(CodeRequest).values(expires_at=datetime.now(timezone.utc) - timedelta(seconds=1)))
    answer = stage.say(sender, "{code}").words
    assert "has run out" in answer
    assert "Running Shoes" not in answer


@pytest.mark.parametrize("who", ["as asserted", "as proven"])
def test_strangers_order_is_answered_as_one_that_does_not_exist(stage: Stage, who: str) -> None:
    def asked_for(number: str) -> str:
        sender = stage.begin(EMMA if who == "as asserted" else {})
        answers = [stage.say(sender, f"where is my order {number}").words]
        if who == "as proven":
            answers += [stage.say(sender, text).words for text in ("emma@example.com", "{code}")]
        return "\n".join(answers).replace(number, "N")

    assert asked_for("10271") == asked_for("10999")


@pytest.mark.parametrize("wish", ["cancel my order", "change the size in my order", "show me order"])
def test_strangers_order_stays_as_it_is(stage: Stage, wish: str) -> None:
    sender = stage.begin(EMMA)
    answer = stage.say(sender, f"{wish} 10276").words + stage.say(sender, "yes").words
    assert "Polo" not in answer
    assert _status("10276") == "paid"


def test_unknown_email_is_answered_as_a_known_one_and_gets_no_mail(stage: Stage) -> None:
    def conversation(email: str) -> str:
        sender = stage.begin({})
        texts = ("where is my order 10232", email, "000000", "000001")
        return "\n".join(stage.say(sender, text).words for text in texts)

    assert conversation("emma@example.com") == conversation("eve@example.com")
    assert not list((stage.home / "outbox").glob("*.eml"))
