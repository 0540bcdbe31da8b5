"""Acts through a real server: who may knock, what is answered, and that colleagues see it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from commerce.models import Customer, Effect, Order
from desk import acts
from desk.models import AuditEntry
from messaging import identities
from tests.commerce.shop import Shop
from tests.desk.live.conftest import Desk
from tests.desk_client import DeskClient


class Counter:
    """Ana's conversation, taken by Marta."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        now = datetime.now(timezone.utc)
        with desk.served.session() as session:
            shop = Shop(session, now)
            ana = shop.customer("Ana")
            self.order_number = shop.order(ana, status="paid").number
            self.bens_order = shop.order(shop.customer("Ben"), status="paid").number
            identities.prove_identity(session, "webchat", "web-ana", ana.id, now)
            ana_id = ana.id
        self.handoff = desk.asks("web-ana", "webchat", customer_id=ana_id)
        self.marta = desk.agent("Marta")
        self.marta.move(self.handoff, "take")

    def cancel(self, who: DeskClient, number: str | None = None) -> httpx.Response:
        asked = {"order_number": number or self.order_number, "cancel_reason": "found_cheaper"}
        return who.post(f"handoffs/{self.handoff}/acts/cancel_order/propose", **asked)

    def rows(self, table: Any) -> list[Any]:
        with self.desk.served.session() as session:
            found = list(session.query(table).order_by(table.id))
            session.expunge_all()
            return found


@pytest.fixture
def counter(desk: Desk) -> Counter:
    return Counter(desk)


def test_an_order_is_cancelled_from_the_page(counter: Counter) -> None:
    shown = counter.marta.get(f"handoffs/{counter.handoff}", language="en").json()
    acts = {each["kind"]: each for each in shown["acts"]}
    assert acts["cancel_order"]["is_allowed"] is True
    (number, reason) = acts["cancel_order"]["parameters"]
    assert [each["value"] for each in number["choices"]] == [counter.order_number]
    assert "found_cheaper" in [each["value"] for each in reason["choices"]]
    assert acts["refund_exception"]["limit"] == {"minor": 15000, "currency": "EUR"}

    offer = counter.cancel(counter.marta).json()
    done = counter.marta.post(f"handoffs/{counter.handoff}/acts/cancel_order/confirm", proposal=offer["proposal"])
    assert done.status_code == 200
    assert done.json()["done"]["summary"][0] == {"label": "Order", "value": counter.order_number}
    (effect,) = counter.rows(Effect)
    assert effect.agent == "Marta"
    after = counter.marta.get(f"handoffs/{counter.handoff}", language="en").json()
    assert after["shopper"]["orders"][0]["status"] == "cancelled"
    assert [each["kind"] for each in after["events"]][-1] == "acted"


def test_what_was_tried_and_refused_is_in_the_audit_log(counter: Counter) -> None:
    assert counter.cancel(counter.marta, counter.bens_order).status_code == 404
    assert [each.details["rule"] for each in counter.rows(AuditEntry) if each.action == "refused_act"] == ["order_not_found"]


class Deadlock(Exception):
    """As psycopg2 has it."""

    pgcode = "40P01"


@pytest.mark.parametrize(("deadlocks", "status", "effects"), [(1, 200, 1), (99, 503, 0)])
def test_act_that_the_database_ended_in_favour_of_another_is_done_again_or_not_at_all(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, deadlocks: int, status: int, effects: int
) -> None:
    offer = counter.cancel(counter.marta).json()
    confirm, left = acts.confirm, iter(range(deadlocks))

    def confirmed(*arguments: Any) -> Any:
        told = confirm(*arguments)
        if next(left, None) is not None:
            raise OperationalError("UPDATE", {}, Deadlock("deadlock detected"))
        return told

    monkeypatch.setattr(acts, "confirm", confirmed)
    answer = counter.marta.post(f"handoffs/{counter.handoff}/acts/cancel_order/confirm", proposal=offer["proposal"])
    assert answer.status_code == status
    if status == 503:
        assert (answer.json(), answer.headers["Retry-After"]) == ({"error": "busy", "after": 2}, "2")
    assert len(counter.rows(Effect)) == effects
    assert [each.status for each in counter.rows(Order)] == ["cancelled" if effects else "paid", "paid"]
    assert [each.action for each in counter.rows(AuditEntry)].count("did_act") == effects


@pytest.mark.parametrize("path", ["acts/cancel_order/propose", "acts/cancel_order/confirm", "acts/undo"])
def test_nobody_comes_in_without_a_session_or_from_elsewhere(counter: Counter, path: str) -> None:
    url = f"handoffs/{counter.handoff}/{path}"
    assert DeskClient(counter.desk.url, "").post(url).status_code == 401
    assert DeskClient(counter.desk.url, counter.marta.token, origin="https://evil.example").post(url).status_code == 403
    bare = httpx.post(f"{counter.marta.http.base_url}{url}", cookies={"tendero_desk": counter.marta.token}, json={})
    assert bare.status_code == 403
    assert counter.rows(Effect) == []


def test_another_agent_may_not_and_a_supervisor_may(counter: Counter) -> None:
    luis, sol = counter.desk.agent("Luis"), counter.desk.agent("Sol", "supervisor")
    refused = counter.cancel(luis)
    assert (refused.status_code, refused.json()) == (409, {"error": "not_yours"})
    offer = counter.cancel(sol).json()
    stolen = luis.post(f"handoffs/{counter.handoff}/acts/cancel_order/confirm", proposal=offer["proposal"])
    assert stolen.status_code == 409
    mistaken = counter.marta.post(f"handoffs/{counter.handoff}/acts/cancel_order/confirm", proposal=offer["proposal"])
    assert (mistaken.status_code, mistaken.json()) == (409, {"error": "stale", "why": "unknown"})
    assert counter.rows(Effect) == []


@pytest.mark.parametrize(
    ("move", "fields", "error"),
    [
        ("resolve", {"reason": "answered", "topic": "delivery"}, "illegal"),
        ("give-back", {}, "illegal"),
        ("release", {}, "not_yours"),
        ("transfer", {"agent": "Luis"}, "not_yours"),
    ],
)
def test_who_has_the_conversation_no_more_takes_nothing_back_in_it(
    counter: Counter, move: str, fields: dict[str, Any], error: str
) -> None:
    """The page still offers "undo" of what was done before."""
    counter.desk.agent("Luis")
    acts = f"handoffs/{counter.handoff}/acts"
    offer = counter.marta.post(f"{acts}/adjust_points/propose", points=100, reason="a late parcel").json()
    told = counter.marta.post(f"{acts}/adjust_points/confirm", proposal=offer["proposal"]).json()
    counter.marta.move(counter.handoff, move, **fields)
    refused = counter.marta.post(f"{acts}/undo", effect=told["undo"]["effect"])
    assert (refused.status_code, refused.json()) == (409, {"error": error})
    assert [each.undoes for each in counter.rows(Effect)] == [None]


@pytest.mark.parametrize("handoff", ["0", "-1", "x", "99999999999999999999", "1e3"])
def test_a_conversation_that_is_none_is_not_found(counter: Counter, handoff: str) -> None:
    assert counter.marta.post(f"handoffs/{handoff}/acts/adjust_points/propose", points=1, reason="abc").status_code == 404


def test_what_is_no_json_or_no_effect_is_a_bad_request(counter: Counter) -> None:
    url = f"handoffs/{counter.handoff}/acts"
    assert counter.marta.http.post(f"{url}/adjust_points/propose", content=b"{").status_code == 400
    assert counter.marta.http.post(f"{url}/adjust_points/propose", json=[1]).status_code == 400
    assert counter.marta.post(f"{url}/undo", effect="all").json() == {"error": "bad_request", "field": "effect"}
    assert counter.marta.post(f"{url}/adjust_points/confirm", proposal=7).json() == {"error": "bad_request", "field": "proposal"}


def test_the_shopper_of_another_conversation_stays_unseen(counter: Counter) -> None:
    """Nobody known there: nothing of any customer."""
    other = counter.desk.asks("web-new", "webchat", collected={"contact": "ana@example.com"})
    shown = counter.marta.get(f"handoffs/{other}", language="en").json()
    assert shown["shopper"]["customer"] is None
    assert [each["kind"] for each in shown["acts"]] == ["send_code"]
    assert counter.order_number not in str(shown)
    assert counter.rows(Customer)[0].name not in str(shown)
