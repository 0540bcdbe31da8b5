"""What two requests do at the same moment, on each kind of database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot.channels.webchat import sign_in, visitors
from bot.channels.webchat.sign_in import SignInRefused
from database import transaction
from messaging.models import WebVisitor
from tests.bot.webchat.test_sign_in import SETTINGS, SHOP, signed

DAY = timedelta(days=1)


@pytest.fixture
def url(url_with_tables: str) -> str:
    return url_with_tables


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """What each comes to, a refusal by its word; all begin together."""
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        gate.wait(30)
        try:
            return work()
        except SignInRefused as refused:
            return refused.why

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_tabs_that_rotate_at_once_get_the_same_token(url: str, now: datetime) -> None:
    with transaction(url) as session:
        ana = visitors.begin(session, SHOP, "es", now)
        visitors.resume(session, ana.token_to_keep, SHOP, now)

    def resume() -> str:
        with transaction(url) as session:
            visitor = visitors.resume(session, ana.token_to_keep, SHOP, now + DAY)
            assert visitor is not None
            return visitor.token_to_keep

    tokens = set(at_once(*[resume] * 6))
    assert len(tokens) == 1
    assert tokens != {ana.token_to_keep}
    with transaction(url) as session:
        assert session.execute(select(WebVisitor.generation)).scalar_one() == 2


def test_jwt_that_many_show_at_once_signs_one_of_them_in(url: str, now: datetime) -> None:
    jwt = signed(now)
    with transaction(url) as session:
        everybody = [visitors.begin(session, SHOP, "es", now) for _ in range(6)]

    def show(visitor: visitors.Visitor) -> str | None:
        with transaction(url) as session:
            return sign_in.show(session, visitor, jwt, SETTINGS, now).customer

    outcomes = at_once(*[lambda visitor=each: show(visitor) for each in everybody])
    assert sorted(map(str, outcomes)) == ["C-1"] + ["used_jwt"] * 5
    with transaction(url) as session:
        signed_in = select(WebVisitor.sender_id).where(WebVisitor.customer.is_not(None))
        assert len(session.execute(signed_in).all()) == 1
