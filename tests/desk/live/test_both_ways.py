"""A shopper in the web chat, or on WhatsApp, and an agent: typing both ways, files both ways, canned replies, moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from commerce.models import Customer
from desk import canned, files
from desk.models import AuditEntry
from messaging import identities
from messaging.models import ReceivedFile, WebVisitor
from tendero.validation import _canned
from tests.desk.live.conftest import Desk
from tests.desk_client import DeskClient
from tests.webchat_client import Client

SOON = 1.0
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40 + b"\x00\x00\x00\x00IEND\xaeB`\x82"
PDF = b"%PDF-1.4\n%\xe2\xe3\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest.fixture
def marta(desk: Desk) -> DeskClient:
    return desk.agent("Marta")


@pytest.fixture
def shopper(desk: Desk) -> Iterator[Client]:
    """In the web chat."""
    with Client(desk.url) as client:
        client.hello()
        client.say("hola")
        yield client


@pytest.fixture
def chat(desk: Desk, shopper: Client) -> int:
    """The web chat's handoff."""
    with desk.served.session() as session:
        sender_id = session.execute(select(WebVisitor.sender_id)).scalar_one()
    return desk.asks(sender_id, channel="webchat")


def typing_of(handoff: int, by: str, on: bool) -> Callable[[Any], bool]:
    return lambda frame: frame == {"type": "typing", "handoff": handoff, "by": by, "on": on}


def test_the_shoppers_typing_is_seen_and_ends_with_the_message(desk: Desk, marta: DeskClient, shopper: Client, chat: int) -> None:
    marta.hello()
    marta.watch(chat)
    shopper.send({"type": "typing", "on": True})
    marta.until(typing_of(chat, "shopper", True), SOON)
    late = desk.page(marta.token)
    late.hello()
    late.until(typing_of(chat, "shopper", True), SOON)
    shopper.say("sigo aquí", replies=0)
    marta.until(typing_of(chat, "shopper", False), SOON)


def test_an_agents_typing_is_seen_in_the_web_chat_and_by_colleagues(
    desk: Desk, marta: DeskClient, shopper: Client, chat: int
) -> None:
    luis = desk.agent("Luis")
    for each in (marta, luis):
        each.hello()
        each.watch(chat)
    marta.move(chat, "take")
    marta.until_known(lambda: marta.items[chat]["assignee"] == "Marta", SOON)
    marta.send(type="typing", handoff=chat, on=True)
    typing = shopper.until(lambda frame: frame["type"] == "typing" and frame["by"] == "agent", SOON)
    assert typing["on"] is True
    luis.until(typing_of(chat, "Marta", True), SOON)
    marta.send(type="typing", handoff=chat, on=False)
    shopper.until(lambda frame: frame["type"] == "typing" and not frame["on"], SOON)
    luis.until(typing_of(chat, "Marta", False), SOON)


def test_who_leaves_types_no_more(desk: Desk, marta: DeskClient, shopper: Client, chat: int) -> None:
    luis = desk.agent("Luis")
    luis.hello()
    luis.watch(chat)
    marta.hello()
    marta.move(chat, "take")
    marta.until_known(lambda: marta.items[chat]["assignee"] == "Marta", SOON)
    marta.send(type="typing", handoff=chat, on=True)
    luis.until(typing_of(chat, "Marta", True), SOON)
    marta.close()
    luis.until(typing_of(chat, "Marta", False), SOON)
    shopper.until(lambda frame: frame["type"] == "typing" and not frame["on"], SOON)


def test_only_who_has_it_is_seen_typing_by_the_shopper(desk: Desk, marta: DeskClient, shopper: Client, chat: int) -> None:
    marta.hello()
    marta.send(type="typing", handoff=chat, on=True)
    shopper.quiet(0.3)
    assert [frame for frame in shopper.frames if frame["type"] == "typing" and frame["by"] == "agent"] == []


def test_whatsapp_shows_typing_by_the_shoppers_newest_message(desk: Desk, marta: DeskClient) -> None:
    desk.is_known_on_whatsapp("wa-1")
    handoff = desk.asks("wa-1")
    desk.writes("hola", id="wamid.1")
    desk.writes("¿hola?", id="wamid.2")
    marta.hello()
    marta.move(handoff, "take")
    marta.until_known(lambda: marta.items[handoff]["assignee"] == "Marta", SOON)
    for _ in range(3):
        marta.send(type="typing", handoff=handoff, on=True)
    marta.send(type="ping")
    marta.until(lambda frame: frame["type"] == "pong")
    marta.quiet(0.3)
    assert desk.whatsapp.typing == [("wa-1", "wamid.2", True)]


# Messages and files


def test_what_an_agent_writes_is_in_the_web_chat_with_the_name(desk: Desk, marta: DeskClient, shopper: Client, chat: int) -> None:
    marta.hello()
    marta.watch(chat)
    marta.move(chat, "take")
    entry = marta.say(chat, "Hola, soy Marta.").json()["entry"]
    shown = shopper.entry(lambda each: each["by"] == "agent")
    assert (shown["name"], shown["parts"]) == ("Marta", [{"kind": "text", "text": "Hola, soy Marta."}])
    shopper.send({"type": "read", "seq": shown["seq"]})
    marta.until_known(lambda: marta.entries.get(entry["id"], {}).get("mark") == "read", 3)


def test_a_file_goes_to_the_shopper_once_and_can_be_opened_by_both(
    desk: Desk, marta: DeskClient, shopper: Client, chat: int
) -> None:
    marta.move(chat, "take")
    uploaded = marta.upload(chat, PDF, "../guía de devolución.exe").json()
    assert (uploaded["name"], uploaded["type"], uploaded["size"]) == ("guía de devolución.pdf", "application/pdf", len(PDF))
    picture = marta.upload(chat, PNG, "foto.png").json()
    ids = [uploaded["id"], picture["id"]]
    told = [marta.say(chat, "Aquí está.", id="f1", files=ids).json() for _ in range(2)]
    assert [entry["id"] for entry in told[0]["entries"]] == [entry["id"] for entry in told[1]["entries"]]
    assert [entry["parts"][0]["kind"] for entry in told[0]["entries"]] == ["text", "file", "picture"]
    shopper.entry(lambda each: any(part["kind"] == "picture" for part in each.get("parts", ())))
    parts = [part for entry in shopper.entries.values() if entry["by"] == "agent" for part in entry["parts"]]
    assert [part["kind"] for part in parts] == ["text", "file", "picture"]
    assert shopper.get(parts[1]["url"]).content == PDF
    answer = marta.http.get(desk.url + told[0]["entries"][1]["parts"][0]["url"])
    assert (answer.content, answer.headers["content-type"]) == (PDF, "application/pdf")
    assert answer.headers["content-disposition"].startswith("attachment")


def test_what_is_no_picture_or_document_is_refused(desk: Desk, marta: DeskClient, chat: int) -> None:
    marta.move(chat, "take")
    page = marta.upload(chat, b"<html><script>alert(1)</script>", "photo.png")
    assert (page.status_code, page.json()["error"]) == (415, "wrong_type")
    large = marta.upload(chat, b"\xff\xd8\xff" + b"\x00" * (6 * 1024 * 1024), "photo.jpg")
    assert (large.status_code, large.json()["error"]) in ((413, "too_large"), (415, "wrong_type"))
    huge = marta.upload(chat, b"%PDF-" + b"\x00" * (11 * 1024 * 1024), "a.pdf")
    assert (huge.status_code, huge.json()["error"]) == (413, "too_large")


def test_a_file_is_the_agents_who_uploaded_it_for_this_conversation(desk: Desk, marta: DeskClient, chat: int) -> None:
    other = desk.asks("wa-1")
    desk.is_known_on_whatsapp("wa-1")
    marta.move(other, "take")
    uploaded = marta.upload(other, PDF, "a.pdf").json()
    boss = desk.agent("Vera", role="supervisor")
    boss.move(chat, "take")
    for each in (uploaded["id"], "../../../tendero", "x" * 22):
        answer = boss.say(chat, "here", files=[each])
        assert (answer.status_code, answer.json()) == (400, {"error": "bad_request", "field": "files"})


def test_a_shoppers_picture_is_shown_by_an_address_that_holds_for_who_may_see_it(
    desk: Desk, marta: DeskClient, shopper: Client, chat: int
) -> None:
    uploaded = shopper.upload(PNG, "roto.png", "image/png")
    shopper.say("mira", files=[uploaded["id"]], replies=0)
    marta.hello()
    marta.watch(chat)
    marta.until_known(lambda: any(e["parts"] and e["parts"][0]["kind"] == "picture" for e in marta.entries.values()), 3)
    address = next(e["parts"][0]["url"] for e in marta.entries.values() if e["parts"] and e["parts"][0]["kind"] == "picture")
    shown = marta.http.get(desk.url + address)
    assert (shown.content, shown.headers["content-disposition"][:6]) == (PNG, "inline")
    nobody = desk.page("x" * 43)
    assert nobody.http.get(desk.url + address).status_code == 401
    elsewhere = desk.agent("Luis", queues=["returns"])
    assert elsewhere.http.get(desk.url + address).status_code == 404
    with desk.served.session() as session:
        file = session.execute(select(ReceivedFile)).scalar_one()
    forged = address.replace(f"received%3A{file.id}", f"received%3A{file.id + 1}")
    assert forged != address
    assert marta.http.get(desk.url + forged).status_code == 404
    assert marta.http.get(f"{desk.url}/webhooks/desk/v1/files/1.ffffffff.00/tendero.db").status_code == 404


def test_uploads_go_after_a_while(desk: Desk, marta: DeskClient, chat: int, tmp_path: Path) -> None:
    marta.move(chat, "take")
    sent, left = (marta.upload(chat, PDF, name).json() for name in ("a.pdf", "b.pdf"))
    marta.say(chat, "x", files=[sent["id"]])
    later = datetime.now(timezone.utc)
    assert files.purge(tmp_path, later) == 0
    assert files.purge(tmp_path, later + timedelta(days=2)) == 1
    assert marta.say(chat, "y", files=[left["id"]]).status_code == 400
    assert files.purge(tmp_path, later + timedelta(days=200)) == 1


# Canned replies


def test_canned_replies_are_filled_in_and_what_is_not_known_is_said(desk: Desk, marta: DeskClient) -> None:
    desk.is_known_on_whatsapp("wa-1", "Ana García")
    handoff = desk.asks("wa-1", language="es")
    replies = {each["key"]: each for each in marta.get(f"handoffs/{handoff}/canned").json()}
    assert replies["greeting"]["text"].startswith("Hola, Ana. Soy Marta.")
    assert replies["greeting"]["missing"] == []
    assert replies["refund_sent"]["missing"] == ["refund_amount"]
    assert "{refund_amount}" in replies["refund_sent"]["text"]
    (found,) = marta.get(f"handoffs/{handoff}/canned", q="reembolso enviado").json()
    assert found["key"] == "refund_sent"
    plain = marta.get("canned", language="nb").json()
    assert len(plain) == len(replies)
    assert "{customer_name}" in plain[0]["text"]


def test_what_is_filled_in_is_the_shoppers_own(desk: Desk, marta: DeskClient) -> None:
    now = datetime.now(timezone.utc)
    desk.is_known_on_whatsapp("wa-1", "Somebody")
    handoff = desk.asks("wa-1", collected={"order_number": "T-1"})
    with desk.served.session() as session:
        facts = {"language": "es", "country": "MX", "currency": "MXN", "created_at": now}
        session.add(Customer(id=1, number="C-1", name="Ana García", email="ana@example.com", **facts))
    before = {each["key"]: each for each in marta.get(f"handoffs/{handoff}/canned").json()}
    assert "points" in before["points_added"]["missing"]
    with desk.served.session() as session:
        identities.prove_identity(session, "whatsapp", "wa-1", 1, now)
    after = {each["key"]: each for each in marta.get(f"handoffs/{handoff}/canned").json()}
    assert after["greeting"]["text"].startswith("Hola, Ana.")
    assert after["points_added"]["missing"] == []
    assert "order_number" in after["where_is_order"]["missing"]  # there is no such order of hers


def test_every_language_has_the_same_canned_replies() -> None:
    replies = canned.kept_replies()
    assert sorted(replies) == ["en", "es", "nb", "pt"]
    assert list(canned.differences(replies)) == []
    assert all(len(several) >= 14 for several in replies.values())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a: {title: x, text: 'Hi {nobody}'}", "a: unknown nobody"),
        ("a: {title: x}", "a needs title and text"),
        ("A b: {title: x, text: y}", "A b: a key has small letters"),
        ("a: {title: x, text: 'Hi {customer_name'}", "a: a brace too many"),
        ("[]", "needs replies"),
        ("a: [", "is not YAML"),
    ],
)
def test_a_wrong_canned_reply_is_told_by_its_place(tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "en.yml"
    file.write_text(content)
    with pytest.raises(canned.CannedError, match=words):
        canned.load(file)


def test_validate_tells_what_one_language_lacks(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "desk" / "canned"
    folder.mkdir(parents=True)
    (tmp_path / "data" / "labels" / "nb").mkdir(parents=True)
    (folder / "en.yml").write_text("a: {title: x, text: y}\nb: {title: x, text: y}")
    (folder / "es.yml").write_text("a: {title: x, text: y}")
    assert list(_canned(tmp_path)) == ["data/desk/canned/es.yml lacks b", f"{folder}/nb.yml is missing"]


# Moves


def test_a_conversation_goes_through_its_moves(desk: Desk, marta: DeskClient) -> None:
    handoff = desk.asks("wa-1")
    marta.hello()
    marta.move(handoff, "take")
    until = (datetime.now(timezone.utc) + timedelta(hours=2)).isoformat()
    assert marta.move(handoff, "snooze", until=until)["state"] == "snoozed"
    assert marta.move(handoff, "wake")["state"] == "assigned"
    assert marta.move(handoff, "release")["state"] == "queued"
    marta.move(handoff, "take")
    assert marta.move(handoff, "resolve", reason="answered", topic="delivery", note="done")["state"] == "resolved"
    again = marta.post(f"handoffs/{handoff}/resolve", reason="answered", topic="delivery")
    assert (again.status_code, again.json()) == (409, {"error": "illegal"})
    back = desk.asks("wa-2")
    marta.move(back, "take")
    assert marta.move(back, "give-back", instruction="ask for the size")["state"] == "given_back"
    assert desk.handoff(back).note == "ask for the size"
    with desk.served.session() as session:
        done = [each.action for each in session.execute(select(AuditEntry).order_by(AuditEntry.id)).scalars()]
    assert done == "took snoozed woke released took resolved took gave_back".split()


@pytest.mark.parametrize(
    ("move", "fields", "field"),
    [
        ("resolve", {"reason": "nonsense", "topic": "delivery"}, "reason"),
        ("resolve", {"reason": "answered", "topic": "nonsense"}, "topic"),
        ("resolve", {"reason": "answered"}, "topic"),
        ("snooze", {"until": "yesterday"}, "until"),
        ("snooze", {"until": "2001-01-01T00:00:00Z"}, "until"),
        ("snooze", {"until": "2999-01-01T00:00:00Z"}, "until"),
        ("snooze", {"until": "2026-12-01T00:00:00"}, "until"),
        ("give-back", {"seen": "i1"}, "seen"),
        ("give-back", {"seen": ["o1-0"]}, "seen"),
        ("give-back", {"seen": [7]}, "seen"),
        ("give-back", {"seen": ["i1"] * 51}, "seen"),
        ("transfer", {}, "queue"),
        ("transfer", {"queue": "returns", "agent": "Luis"}, "queue"),
        ("transfer", {"queue": "nowhere"}, "queue"),
        ("transfer", {"agent": "Nobody"}, "agent"),
        ("message", {"id": "x"}, "text"),
        ("message", {"text": "x"}, "id"),
        ("message", {"id": "x" * 61, "text": "x"}, "id"),
        ("note", {"id": "x", "text": ""}, "text"),
        ("read", {"entry": "z9"}, "entry"),
    ],
)
def test_bad_input_is_told_by_its_field(desk: Desk, marta: DeskClient, move: str, fields: dict[str, Any], field: str) -> None:
    desk.is_known_on_whatsapp("wa-1")
    handoff = desk.asks("wa-1")
    marta.move(handoff, "take")
    answer = marta.post(f"handoffs/{handoff}/{move}", **fields)
    assert (answer.status_code, answer.json()) == (400, {"error": "bad_request", "field": field})


@pytest.mark.parametrize("move", ["resolve", "give-back", "snooze"])
def test_what_the_shopper_wrote_and_the_page_does_not_show_keeps_the_agent(desk: Desk, marta: DeskClient, move: str) -> None:
    until = (datetime.now(timezone.utc) + timedelta(hours=2)).isoformat()
    fields = {"resolve": {"reason": "answered", "topic": "delivery"}, "snooze": {"until": until}}.get(move, {})
    handoff = desk.asks("wa-1")
    marta.move(handoff, "take")
    seen = [f"i{desk.writes('gracias')}"]
    newest = f"i{desk.writes('¡espera!')}"
    before = desk.handoff(handoff)
    answer = marta.post(f"handoffs/{handoff}/{move}", **fields, seen=seen)
    assert (answer.status_code, answer.json()) == (409, {"error": "stale", "newest": newest})
    after = desk.handoff(handoff)
    for known in ("status", "assignee", "awaiting_since", "snoozed_until", "closed_at"):
        assert getattr(after, known) == getattr(before, known)
    shown = marta.get(f"handoffs/{handoff}").json()
    assert [each["kind"] for each in shown["events"]] == ["opened", "queued", "assigned"]
    assert newest in [each["id"] for each in shown["entries"]]
    marta.move(handoff, move, **fields, seen=[*seen, newest])
    with desk.served.session() as session:
        done = [each.action for each in session.execute(select(AuditEntry).order_by(AuditEntry.id)).scalars()]
    assert done == ["took", "opened_conversation", {"resolve": "resolved", "give-back": "gave_back"}.get(move, "snoozed")]


def test_a_colleagues_conversation_is_not_moved(desk: Desk, marta: DeskClient) -> None:
    luis = desk.agent("Luis")
    handoff = desk.asks("wa-1")
    marta.move(handoff, "take")
    until = (datetime.now(timezone.utc) + timedelta(hours=2)).isoformat()
    whole: dict[str, dict[str, Any]] = {
        "release": {},
        "transfer": {"queue": "returns"},
        "snooze": {"until": until},
        "resolve": {"reason": "answered", "topic": "other"},
        "give-back": {},
    }
    for move, fields in whole.items():
        answer = luis.post(f"handoffs/{handoff}/{move}", **fields)
        assert (answer.status_code, answer.json()) == (409, {"error": "taken", "by": "Marta"}), move
    boss = desk.agent("Vera", role="supervisor")
    assert boss.move(handoff, "transfer", agent="Luis")["assignee"] == "Luis"


def test_all_that_is_known_is_in_one_answer(desk: Desk, marta: DeskClient) -> None:
    desk.is_known_on_whatsapp("wa-1")
    desk.writes("hola")
    handoff = desk.asks("wa-1")
    told = marta.get(f"handoffs/{handoff}").json()
    assert set(told) == set("item shopper packet acts events entries has_more templates".split())
    assert [entry["by"] for entry in told["entries"]] == ["shopper", "event", "event"]
    assert [event["kind"] for event in told["events"]] == ["opened", "queued"]
    assert told["templates"][0]["name"] == "anything_else"
    with desk.served.session() as session:
        noted = session.execute(select(AuditEntry)).scalar_one()
    assert (noted.action, noted.agent_name, noted.handoff_id) == ("opened_conversation", "Marta", handoff)


def test_a_search_filters_and_pages(desk: Desk, marta: DeskClient) -> None:
    desk.is_known_on_whatsapp("wa-0", "Ana 100%")
    ids = [desk.asks(f"wa-{number}", queue="returns" if number % 2 else "orders") for number in range(70)]
    desk.writes("me llegó ROTO", "wa-5")
    boss = desk.agent("Vera", role="supervisor")
    boss.move(ids[3], "resolve", reason="answered", topic="points")
    first = boss.get("handoffs").json()
    assert ([item["id"] for item in first["items"]], first["has_more"]) == (ids[:-31:-1], True)
    rest = boss.get("handoffs", before=first["items"][-1]["id"]).json()
    assert [item["id"] for item in rest["items"]] == ids[-31:-61:-1]
    asked: list[tuple[dict[str, str], list[int]]] = [
        ({"q": "roto"}, [ids[5]]),
        ({"q": "ana 100%"}, [ids[0]]),
        ({"q": "1_0%"}, []),
        ({"state": "closed"}, [ids[3]]),
        ({"topic": "points"}, [ids[3]]),
        ({"state": "open", "queue": "returns", "q": "roto"}, [ids[5]]),
        ({"assignee": "Marta"}, []),
        ({"language": "nb"}, []),
    ]
    for filters, found in asked:
        assert [item["id"] for item in boss.get("handoffs", **filters).json()["items"]] == found, filters
    assert [item["id"] for item in marta.get("handoffs", state="closed").json()["items"]] == []  # it was never hers
