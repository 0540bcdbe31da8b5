"""Two at once, on each kind of database: what is confirmed or taken back twice in the same moment happens once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from sqlalchemy import func, select

from commerce.models import Effect, LedgerEntry, Refund
from database import transaction
from desk import acts
from desk.asked import Asked
from desk.errors import DeskError
from desk.permissions import Me
from desk.requests import Fields
from tests.commerce.shop import NOW
from tests.desk.acts.acting import Acting, person

MARTA, SOL = person("Marta"), person("Sol", "supervisor")


class Two:
    """Ana's conversation in a database that several threads write to."""

    def __init__(self, url: str) -> None:
        self.url = url
        with transaction(url) as session:
            acting = Acting(session)
            self.handoff_id = acting.handoff_id
            self.order_number = acting.shop.order(acting.ana, status="delivered").number

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
