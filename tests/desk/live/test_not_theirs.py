"""An agent gets nothing of a conversation that they may not see: not in lists, entries, files, searches, alerts or typing."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from desk import accounts
from messaging import handoffs, typing
from tests.desk.live.conftest import Desk
from tests.desk_client import DeskClient

SOON = 1.0
SECRET = "marzipan"


def now() -> datetime:
    return datetime.now(timezone.utc)


@pytest.fixture
def marta(desk: Desk) -> DeskClient:
    """Who works in one queue."""
    return desk.agent("Marta", queues=["returns"])


@pytest.fixture
def hidden(desk: Desk) -> int:
    """A conversation of another queue."""
    handoff = desk.asks("wa-1", queue="orders")
    desk.writes(SECRET, "wa-1")
    return handoff


def test_nothing_of_it_comes_by_the_socket(desk: Desk, marta: DeskClient, hidden: int) -> None:
    luis = desk.agent("Luis")
    assert marta.hello()["items"] == []
    luis.hello()
    marta.send(type="watch", handoff=hidden)
    assert marta.until(lambda frame: frame["type"] == "error") == {"type": "error", "error": "not_found", "handoff": hidden}
    desk.writes(SECRET, "wa-1")
    typing.tell("wa-1", True)
    with desk.served.session() as session:
        handoffs.take(session, hidden, "Luis", now(), by="")
    luis.until(lambda frame: frame["type"] == "alert", SOON)
    luis.until_known(lambda: luis.items[hidden]["assignee"] == "Luis", SOON)
    luis.send(type="typing", handoff=hidden, on=True)
    came = [frame for frame in marta.quiet() if frame["type"] != "agents"]
    assert came == []
    assert SECRET not in str(marta.frames)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/entries"),
        ("GET", "/canned"),
        ("POST", "/take"),
        ("POST", "/release"),
        ("POST", "/transfer"),
        ("POST", "/snooze"),
        ("POST", "/wake"),
        ("POST", "/resolve"),
        ("POST", "/give-back"),
        ("POST", "/message"),
        ("POST", "/note"),
        ("POST", "/read"),
        ("POST", "/files"),
    ],
)
def test_every_route_says_that_there_is_none(desk: Desk, marta: DeskClient, hidden: int, method: str, path: str) -> None:
    whole = {"reason": "answered", "topic": "other", "until": "2099-01-01T00:00:00Z", "queue": "general"}
    body = {"id": "x", "text": "x", "entry": "i1", **whole}
    answer = marta.http.request(method, f"handoffs/{hidden}{path}", json=body if method == "POST" else None)
    never = marta.http.request(method, f"handoffs/{hidden + 999}{path}", json=body if method == "POST" else None)
    assert (answer.status_code, answer.json()) == (404, {"error": "not_found"})
    assert (never.status_code, never.json()) == (404, {"error": "not_found"})
    assert desk.handoff(hidden).status == "waiting"


def test_a_search_does_not_find_it(desk: Desk, marta: DeskClient, hidden: int) -> None:
    for asked in ({}, {"q": SECRET}, {"q": str(hidden)}, {"queue": "orders"}, {"state": "open"}):
        assert marta.get("handoffs", **asked).json() == {"items": [], "has_more": False}
    boss = desk.agent("Vera", role="supervisor")
    assert [item["id"] for item in boss.get("handoffs", q=SECRET).json()["items"]] == [hidden]


def test_what_is_moved_elsewhere_is_gone_also_from_who_looks_at_it(desk: Desk, marta: DeskClient) -> None:
    handoff = desk.asks("wa-2", queue="returns")
    marta.hello()
    marta.watch(handoff)
    with desk.served.session() as session:
        handoffs.place(session, handoff, "orders", 0, now())
    marta.until(lambda frame: frame["type"] == "changed" and frame["gone"] == [handoff], SOON)
    marta.quiet()
    desk.writes(SECRET, "wa-2")
    assert [frame for frame in marta.quiet() if frame["type"] != "agents"] == []


def test_what_an_agent_may_not_see_any_more_goes_and_what_they_may_now_comes(desk: Desk, marta: DeskClient, hidden: int) -> None:
    other = desk.asks("wa-2", queue="returns")
    marta.hello()
    marta.watch(other)
    with desk.served.session() as session:
        accounts.change(session, "Marta", now(), queues=["orders"])
    changed = marta.until(lambda frame: frame["type"] == "changed", 4)
    assert [item["id"] for item in changed["items"]] == [hidden]
    assert changed["gone"] == [other]
    marta.quiet()
    desk.writes(SECRET, "wa-2")
    assert [frame for frame in marta.quiet() if frame["type"] == "entries"] == []


def test_what_was_theirs_once_stays_theirs_to_see(desk: Desk, marta: DeskClient) -> None:
    handoff = desk.asks("wa-2", queue="returns")
    marta.hello()
    marta.move(handoff, "take")
    marta.move(handoff, "transfer", queue="orders")
    marta.until_known(lambda: marta.items[handoff]["queue"] == "orders", SOON)
    assert marta.get(f"handoffs/{handoff}").status_code == 200


def test_an_agent_of_one_language_does_not_see_another(desk: Desk) -> None:
    ola = desk.agent("Ola", languages=["nb"])
    norwegian, _spanish = desk.asks("wa-5", language="nb"), desk.asks("wa-6", language="es")
    assert [item["id"] for item in ola.hello()["items"]] == [norwegian]


def test_nobody_who_is_not_signed_in_gets_a_socket_or_an_answer(desk: Desk, hidden: int) -> None:
    from tests.webchat_client import Gone

    stranger = desk.page("x" * 43)
    with pytest.raises(Gone):
        stranger.connect()
    assert stranger.get(f"handoffs/{hidden}").json() == {"error": "signed_out"}
    with desk.served.session() as session:
        assert handoffs.by_id(session, hidden).status == "waiting"


def test_a_socket_from_another_page_is_refused(desk: Desk) -> None:
    from tests.webchat_client import Gone

    marta = desk.agent("Marta")
    marta.origin = "https://evil.example"
    with pytest.raises(Gone):
        marta.connect()
