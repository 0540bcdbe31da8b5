"""What one does or writes is at everybody's page, whoever did it, within a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select, update

from actions.tasks import TASKS
from desk import accounts, sessions
from desk.models import Agent, AuditEntry
from messaging import agent_messages, handoffs
from messaging.models import Handoff, HandoffEvent, OutboundMessage
from tests.desk.live.conftest import Desk
from tests.desk_client import DeskClient
from tests.webchat_client import Gone

SOON = 1.0  # seconds: what the desk promises


def now() -> datetime:
    return datetime.now(timezone.utc)


@pytest.fixture
def marta(desk: Desk) -> DeskClient:
    return desk.agent("Marta")


@pytest.fixture
def luis(desk: Desk) -> DeskClient:
    return desk.agent("Luis")


def test_a_page_is_welcomed_with_every_open_conversation(desk: Desk, marta: DeskClient) -> None:
    first, second = desk.asks("wa-1"), desk.asks("web-2", channel="webchat")
    done = desk.asks("wa-3")
    with desk.served.session() as session:
        handoffs.resolve(session, done, now())
    welcome = marta.hello()
    assert [item["id"] for item in welcome["items"]] == [first, second]
    assert welcome["me"]["name"] == "Marta"
    assert [agent["name"] for agent in welcome["agents"] if agent["is_there"]] == ["Marta"]
    assert {"name": "general", "title": "General"} in welcome["queues"]
    assert welcome["reasons"]
    assert welcome["topics"]
    assert datetime.fromisoformat(welcome["opens_tomorrow_at"]) > now()


def test_goals_and_acts_have_titles_in_the_agents_language(desk: Desk, marta: DeskClient) -> None:
    marta.connect()
    marta.send(type="hello", v=1, language="nb")
    welcome = marta.until(lambda frame: frame["type"] == "welcome")
    goals = {goal["name"]: goal["title"] for goal in welcome["goals"]}
    assert set(goals) >= set(TASKS)
    assert goals["request_return"] == "Returnere noe"
    assert not [name for name, title in goals.items() if name.endswith("_words") or "{" in title]
    assert {"name": "adjust_points", "title": "Juster poeng"} in welcome["acts"]


def test_an_item_has_what_the_list_shows(desk: Desk, marta: DeskClient) -> None:
    desk.is_known_on_whatsapp("wa-1", "Ana")
    handoff = desk.asks("wa-1")
    desk.writes("where is it?")
    (item,) = marta.hello()["items"]
    assert (item["state"], item["queue"], item["channel"], item["language"]) == ("queued", "general", "whatsapp", "es")
    assert (item["shown_name"], item["customer"], item["assignee"], item["unread"]) == ("Ana", None, None, 1)
    assert item["last"]["text"] == "where is it?"
    assert item["window"]["is_open"] is True
    assert item["sla"]["level"] in ("first_reply", "resolution")
    assert desk.handoff(handoff).status == "waiting"


def test_what_another_process_writes_is_at_the_page_within_a_second(desk: Desk, marta: DeskClient) -> None:
    handoff = desk.asks("wa-1")
    marta.hello()
    marta.watch(handoff)
    marta.quiet(0.5)
    began = time.monotonic()
    written = desk.writes("hello?")
    marta.until(lambda frame: frame["type"] == "entries", SOON)
    marta.until_known(lambda: marta.items[handoff]["unread"] == 1, SOON)
    assert time.monotonic() - began < SOON
    entry = marta.entries[f"i{written}"]
    assert (entry["by"], entry["parts"], entry["channel"]) == ("shopper", [{"kind": "text", "text": "hello?"}], "whatsapp")
    assert entry["is_other_conversation"] is False


def test_who_asks_for_a_person_appears(desk: Desk, marta: DeskClient) -> None:
    marta.hello()
    handoff = desk.asks("wa-9")
    marta.until_known(lambda: handoff in marta.items, SOON)


def test_what_is_done_on_the_command_line_is_seen(desk: Desk, marta: DeskClient, luis: DeskClient) -> None:
    handoff = desk.asks("wa-1")
    marta.hello()
    luis.hello()
    with desk.served.session() as session:
        handoffs.take(session, handoff, "Luis", now())
    marta.until_known(lambda: marta.items[handoff]["assignee"] == "Luis", SOON)
    with desk.served.session() as session:
        handoffs.resolve(session, handoff, now())
    marta.until_known(lambda: handoff not in marta.items, SOON)  # it is over, and was never hers
    luis.until_known(lambda: luis.items[handoff]["state"] == "resolved", SOON)


def test_what_changes_without_a_word_is_found_out(desk: Desk, marta: DeskClient) -> None:
    handoff = desk.asks("wa-1")
    marta.hello()
    with desk.served.session() as session:
        session.execute(update(Handoff).where(Handoff.id == handoff).values(queue="returns"))
    marta.until_known(lambda: marta.items[handoff]["queue"] == "returns", 10)


def test_of_two_who_grab_at_once_one_is_told_who_has_it(desk: Desk, marta: DeskClient, luis: DeskClient) -> None:
    handoff = desk.asks("wa-1")
    luis.hello()
    assert marta.move(handoff, "take")["assignee"] == "Marta"
    answer = luis.post(f"handoffs/{handoff}/take")
    assert (answer.status_code, answer.json()) == (409, {"error": "taken", "by": "Marta"})
    luis.until_known(lambda: luis.items[handoff]["assignee"] == "Marta", SOON)


def test_who_takes_it_twice_has_it(desk: Desk, marta: DeskClient) -> None:
    handoff = desk.asks("wa-1")
    marta.move(handoff, "take")
    assert marta.move(handoff, "take")["assignee"] == "Marta"


def test_a_message_is_sent_to_the_shopper_and_shown_to_colleagues_with_its_marks(
    desk: Desk, marta: DeskClient, luis: DeskClient
) -> None:
    desk.is_known_on_whatsapp("wa-1")
    handoff = desk.asks("wa-1")
    luis.hello()
    luis.watch(handoff)
    marta.move(handoff, "take")
    answer = marta.say(handoff, "On its way.", id="m1").json()
    entry = answer["entry"]
    assert (entry["by"], entry["name"], entry["parts"]) == ("agent", "Marta", [{"kind": "text", "text": "On its way."}])
    luis.until_known(lambda: entry["id"] in luis.entries, SOON)
    assert entry["sent_as"] == luis.entries[entry["id"]]["sent_as"] == "m1"
    luis.until_known(lambda: luis.entries[entry["id"]]["mark"] == "sent")
    sent = [message for message in desk.whatsapp.sent if message.content.get("text") == "On its way."]
    assert len(sent) == 1
    with desk.served.session() as session:
        row = session.execute(select(OutboundMessage).where(OutboundMessage.author == "agent")).scalar_one()
        row.state = "read"
    luis.until_known(lambda: luis.entries[entry["id"]]["mark"] == "read", SOON)


def test_the_same_message_again_is_the_same(desk: Desk, marta: DeskClient) -> None:
    desk.is_known_on_whatsapp("wa-1")
    handoff = desk.asks("wa-1")
    marta.move(handoff, "take")
    first, again = (marta.say(handoff, "once", id="m1").json()["entry"]["id"] for _ in range(2))
    assert first == again
    with desk.served.session() as session:
        said = session.execute(select(AuditEntry).where(AuditEntry.action == "sent_message")).scalars().all()
    assert len(said) == 1


def test_only_who_has_it_writes(desk: Desk, marta: DeskClient, luis: DeskClient) -> None:
    desk.is_known_on_whatsapp("wa-1")
    handoff = desk.asks("wa-1")
    marta.move(handoff, "take")
    answer = luis.say(handoff, "me too")
    assert (answer.status_code, answer.json()["error"], answer.json()["by"]) == (409, "not_yours", "Marta")


def test_after_the_window_only_a_template_goes(desk: Desk, marta: DeskClient) -> None:
    desk.is_known_on_whatsapp("wa-1", wrote=timedelta(hours=25))
    handoff = desk.asks("wa-1")
    item = marta.move(handoff, "take")
    assert item["window"]["is_open"] is False
    answer = marta.say(handoff, "hello")
    assert (answer.status_code, answer.json()["error"]) == (409, "window_closed")
    (template,) = answer.json()["templates"]
    assert template["name"] == "anything_else"
    sent = marta.post(f"handoffs/{handoff}/message", id="t1", template=template["name"])
    assert sent.status_code == 200, sent.text
    assert sent.json()["entry"]["parts"][0]["text"] == template["text"]
    wrong = marta.post(f"handoffs/{handoff}/message", id="t2", template="no_such")
    assert (wrong.status_code, wrong.json()) == (400, {"error": "bad_request", "field": "template"})


def test_a_note_is_for_colleagues_only(desk: Desk, marta: DeskClient, luis: DeskClient) -> None:
    handoff = desk.asks("wa-1")
    luis.hello()
    luis.watch(handoff)
    entries = [marta.note(handoff, "calm down, my card is 4111 1111 1111 1111", id="n1").json()["entry"] for _ in range(2)]
    assert entries[0] == entries[1]
    assert (entries[0]["by"], entries[0]["name"], entries[0]["sent_as"]) == ("note", "Marta", "n1")
    assert "4111" not in str(entries[0])
    luis.until_known(lambda: entries[0]["id"] in luis.entries, SOON)
    assert not any("calm" in str(message.content) for message in desk.whatsapp.sent)


def test_reading_is_remembered_and_known_to_the_agents_other_pages(desk: Desk, marta: DeskClient) -> None:
    handoff = desk.asks("wa-1")
    written = desk.writes("one")
    marta.hello()
    other = desk.page(marta.token)
    other.hello()
    assert other.items[handoff]["unread"] == 1
    assert marta.post(f"handoffs/{handoff}/read", entry=f"i{written}").status_code == 200
    other.until_known(lambda: other.items[handoff]["unread"] == 0, SOON)
    desk.writes("two")
    other.until_known(lambda: other.items[handoff]["unread"] == 1, SOON)
    assert marta.again()["items"][0]["unread"] == 1


def test_who_comes_back_has_missed_nothing(desk: Desk, marta: DeskClient) -> None:
    handoff = desk.asks("wa-1")
    marta.hello()
    marta.watch(handoff)
    marta.close()
    written = desk.writes("meanwhile")
    marta.again()
    assert f"i{written}" in marta.entries
    assert marta.items[handoff]["last"]["text"] == "meanwhile"


def test_alerts_are_for_whom_it_concerns(desk: Desk, marta: DeskClient, luis: DeskClient) -> None:
    handoff = desk.asks("wa-1")
    marta.hello()
    luis.hello()
    with desk.served.session() as session:
        handoffs.take(session, handoff, "Marta", now(), lease=timedelta(minutes=1), by="")
    alert = marta.until(lambda frame: frame["type"] == "alert", SOON)
    assert (alert["kind"], alert["handoff"]) == ("assigned", handoff)
    marta.move(handoff, "transfer", agent="Luis", note="he knows more")
    alert = luis.until(lambda frame: frame["type"] == "alert", SOON)
    assert (alert["kind"], alert["by"]) == ("transferred", "Marta")
    with desk.served.session() as session:
        session.execute(update(Handoff).values(lease_until=now() - timedelta(seconds=1)))
        handoffs.lose_overdue(session, now())
    assert luis.until(lambda frame: frame["type"] == "alert", SOON)["kind"] == "lost"
    assert [frame for frame in marta.quiet() if frame["type"] == "alert"] == []


def test_a_supervisor_who_takes_over_is_told_to_who_had_it(desk: Desk, marta: DeskClient, luis: DeskClient) -> None:
    boss = desk.agent("Vera", role="supervisor")
    handoff = desk.asks("wa-1")
    marta.hello()
    marta.move(handoff, "take")
    assert luis.post(f"handoffs/{handoff}/take", over=True).json() == {"error": "forbidden", "needs": "take_over"}
    assert boss.move(handoff, "take", over=True)["assignee"] == "Vera"
    alert = marta.until(lambda frame: frame["type"] == "alert", SOON)
    assert (alert["kind"], alert["by"]) == ("lost", "Vera")


def test_breaches_are_told_to_supervisors_and_to_who_has_it(desk: Desk, marta: DeskClient, luis: DeskClient) -> None:
    boss = desk.agent("Vera", role="supervisor")
    handoff = desk.asks("wa-1")
    for each in (boss, marta, luis):
        each.hello()
    marta.move(handoff, "take")
    due = now().isoformat()
    with desk.served.session() as session:
        about = {"handoff_id": handoff, "sender_id": "wa-1", "at": now(), "by": ""}
        session.add(HandoffEvent(**about, kind="warned", details={"level": "next_reply", "due_at": due}))
    for each in (boss, marta):
        alert = each.until(lambda frame: frame["type"] == "alert", SOON)
        assert (alert["kind"], alert["level"], alert["due_at"]) == ("warning", "next_reply", due)
    assert [frame for frame in luis.quiet() if frame["type"] == "alert"] == []


def test_who_is_signed_out_is_told_and_sees_nothing_more(desk: Desk, marta: DeskClient) -> None:
    marta.hello()
    with desk.served.session() as session:
        sessions.end_all(session, accounts.by_name(session, "Marta").id, now())
    bye = marta.until(lambda frame: frame["type"] == "bye", 4)
    assert bye["why"] == "signed_out"
    with pytest.raises(Gone):
        marta.quiet()
    with pytest.raises(Gone):
        marta.again()


def test_a_server_that_stops_says_when_to_come_back(desk: Desk, marta: DeskClient) -> None:
    marta.hello()
    desk.served.thread.say_goodbye()
    bye = marta.until(lambda frame: frame["type"] == "bye")
    assert bye["why"] == "restart"
    assert 0 < bye["after"] <= 4


def test_after_a_restart_all_is_there(desk: Desk, open_desk: Callable[..., Desk], marta: DeskClient) -> None:
    handoff = desk.asks("wa-1")
    marta.hello()
    marta.move(handoff, "take")
    written = desk.writes("hola")
    desk.served.thread.close()
    with pytest.raises(Gone):
        marta.quiet()
    again = open_desk().page(marta.token)
    again.hello()
    again.watch(handoff)
    assert again.items[handoff]["assignee"] == "Marta"
    assert f"i{written}" in again.entries


def test_who_is_there_keeps_their_conversations(desk: Desk, marta: DeskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desk.presence.RENEW_EVERY", 0.5)
    handoff = desk.asks("wa-1")
    marta.hello()
    marta.move(handoff, "take")
    with desk.served.session() as session:
        session.execute(update(Handoff).values(lease_until=now() + timedelta(seconds=1)))
        session.execute(update(Agent).values(seen_at=now() - timedelta(hours=1)))
    until = time.monotonic() + 10
    while desk.handoff(handoff).lease_until < now() + timedelta(seconds=60):
        assert time.monotonic() < until, "the lease was not renewed"
        time.sleep(0.1)
    with desk.served.session() as session:
        assert accounts.is_there(accounts.by_name(session, "Marta"), now())


def test_who_is_silent_is_gone(desk: Desk, marta: DeskClient) -> None:
    desk.desk._presence._idle = 1.0
    marta.hello()
    assert marta.until(lambda frame: frame["type"] == "bye", 6)["why"] == "idle"


def test_a_change_of_status_is_told_to_all(desk: Desk, marta: DeskClient, luis: DeskClient) -> None:
    luis.hello()
    marta.hello()
    marta.send(type="status", status="away")

    def is_away(frame: Any) -> bool:
        return any(each["name"] == "Marta" and each["status"] == "away" for each in frame.get("agents", []))

    luis.until(is_away, 3)


def test_a_message_of_an_agents_is_one_entry(desk: Desk, marta: DeskClient) -> None:
    desk.is_known_on_whatsapp("wa-1")
    handoff = desk.asks("wa-1")
    marta.hello()
    marta.watch(handoff)
    with desk.served.session() as session:
        handoffs.take(session, handoff, "Luis", now())
        said = agent_messages.say(session, handoff, "Luis", "x1", {"text": "from elsewhere"}, now())
    marta.until_known(lambda: set(said.entries) <= set(marta.entries), SOON)
    assert marta.texts.count("from elsewhere") == 1
