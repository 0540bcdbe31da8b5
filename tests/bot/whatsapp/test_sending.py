"""Sending to WhatsApp: windows, limits and errors as Meta has them, at the HTTP transport."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from bot.channels.whatsapp import sending
from bot.channels.whatsapp.errors import ACTIONS, Action, action_of
from bot.channels.whatsapp.graph import Graph
from bot.channels.whatsapp.pace import BURST, NumberPace, seconds_until_allowed
from bot.channels.whatsapp.receiving import Receiver
from bot.channels.whatsapp.sending import WhatsAppSender, without_file
from bot.channels.whatsapp.settings import WhatsAppSettings
from bot.channels.whatsapp.templates import TemplateError, templates
from bot.channels.whatsapp.updates import Sender, Status
from database import transaction
from messaging import agent_messages, handoffs, kept
from messaging.channel_contacts import resolve
from messaging.models import ChannelContact, Consent, OutboundMessage, UploadedFile
from messaging.turns import outbox
from messaging.turns.engine import TurnEngine
from messaging.turns.outbox import Again, Held, OutboxSender, Outgoing, SendError, TryAgain, Uncertain, Undeliverable, Withheld
from messaging.turns.queues.local import LocalQueue
from tests.databases import sqlite_with_tables
from tests.messaging.test_handoffs import asked
from tests.turns.waiting import GENEROUS

SETTINGS = WhatsAppSettings(verify_token="v", app_secret="s", access_token="token-of-a-test", phone_number_id="1001")
NOW = datetime.now(timezone.utc)
PERSON = "wa-0123456789abcdef01234567"


class Meta:
    """Answers each request with the next of `answers`, and then with success. asked: (method, path, JSON body)."""

    def __init__(self) -> None:
        self.answers: list[httpx.Response | Exception] = []
        self.meanwhile: list[Callable[[], None]] = []  # what happens before a request is answered, one each
        self.asked: list[tuple[str, str, Any]] = []
        self.headers: list[httpx.Headers] = []
        self.graph = Graph(SETTINGS, httpx.MockTransport(self._answer))

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [body for _, path, body in self.asked if path.endswith("/messages")]

    def fails(self, code: int, details: str = "no", status: int = 400, **headers: str) -> None:
        error = {"message": f"(#{code})", "code": code, "error_data": {"messaging_product": "whatsapp", "details": details}}
        self.answers.append(httpx.Response(status, json={"error": error}, headers=headers))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        is_json = "json" in request.headers.get("content-type", "")
        self.asked.append((request.method, request.url.path, json.loads(request.content) if is_json else None))
        self.headers.append(request.headers)
        if self.meanwhile:
            self.meanwhile.pop(0)()
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            return answer
        if request.url.path.endswith("/media"):
            return httpx.Response(200, json={"id": f"media-{len(self.asked)}"})
        return httpx.Response(200, json={"messages": [{"id": f"wamid.{len(self.asked)}"}]})


@pytest.fixture
def meta() -> Meta:
    return Meta()


@pytest.fixture
def sender(meta: Meta, home: Path) -> WhatsAppSender:
    return WhatsAppSender(SETTINGS, meta.graph)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation of its own, with one person who wrote an hour ago."""
    monkeypatch.setenv("TENDERO_HOME", str(tmp_path))
    monkeypatch.delenv("TENDERO_DATABASE_URL", raising=False)
    monkeypatch.setenv("TENDERO_DATA", str(tmp_path / "data"))
    sqlite_with_tables(tmp_path / "tendero.db")
    with transaction() as session:
        about = {"channel": "whatsapp", "created_at": NOW, "last_inbound_at": NOW - timedelta(hours=1)}
        session.add(ChannelContact(sender_id=PERSON, user_id="MX.1", phone="+525512345678", **about))
    yield tmp_path
    kept._newest.clear()


def change(**values: Any) -> None:
    with transaction() as session:
        person = session.get(ChannelContact, PERSON)
        for name, value in values.items():
            setattr(person, name, value)


def person() -> ChannelContact:
    with transaction() as session:
        return session.get(ChannelContact, PERSON)


def reply(content: dict[str, Any] | None = None, **more: Any) -> Outgoing:
    about = {"key": "7-0", "trace_id": "0" * 32, "tries": 1, "created_at": NOW, "claim": "c", **more}
    return Outgoing(id=1, sender_id=PERSON, content=content or {"text": "Hola", "language": "es"}, **about)


async def outcome(sender: WhatsAppSender, message: Outgoing) -> SendError:
    with pytest.raises(SendError) as raised:
        await sender.send(message)
    return raised.value


def write_templates(home: Path, text: str) -> None:
    file = home / "data" / "templates" / "whatsapp.yml"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")


INVITATION = "anything_else:\n  es: {name: news, language: es_MX}\n"


async def test_text_goes_to_the_user_id_with_a_key_that_comes_back(sender: WhatsAppSender, meta: Meta) -> None:
    assert await sender.send(reply()) == "wamid.1"
    method, path, body = meta.asked[0]
    assert (method, path) == ("POST", "/v26.0/1001/messages")
    assert meta.headers[0]["authorization"] == "Bearer token-of-a-test"
    assert body.pop("text")["body"] == "Hola"
    assert body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "recipient": "MX.1",
        "type": "text",
        "biz_opaque_callback_data": f"7-0.{int(NOW.timestamp())}",
    }


async def test_person_without_a_user_id_is_reached_by_phone(sender: WhatsAppSender, meta: Meta) -> None:
    change(user_id=None)
    await sender.send(reply())
    assert meta.bodies[0]["to"] == "+525512345678"
    assert "recipient" not in meta.bodies[0]


async def test_nothing_is_sent_to_somebody_without_an_address(sender: WhatsAppSender, meta: Meta) -> None:
    change(user_id=None, phone=None)
    assert isinstance(await outcome(sender, reply()), Undeliverable)
    assert meta.asked == []


async def test_connector_that_is_not_set_up_keeps_its_queue_and_says_what_is_missing(home: Path, meta: Meta) -> None:
    sender = WhatsAppSender(WhatsAppSettings(app_secret="s", phone_number_id="1"), meta.graph)
    error = await outcome(sender, reply())
    assert isinstance(error, TryAgain)
    assert error.scope == "channel"
    assert str(error) == "WhatsApp is not set up: verify_token, access_token"
    assert meta.asked == []


# Errors


@pytest.mark.parametrize(
    ("code", "kind", "scope", "after"),
    [
        (131000, TryAgain, "recipient", None),
        (130429, TryAgain, "channel", sending.BUSY),
        (80007, TryAgain, "channel", sending.BUSY),
        (131056, TryAgain, "recipient", 4.0),
        (131048, TryAgain, "channel", sending.SLOWED),
        (190, TryAgain, "channel", sending.STOPPED),
        (210, TryAgain, "channel", sending.STOPPED),
        (131042, TryAgain, "channel", sending.STOPPED),
        (131049, TryAgain, "recipient", sending.TOMORROW),
        (131026, Undeliverable, None, None),
        (131050, Undeliverable, None, None),
        (132001, Undeliverable, None, None),
        (100, Undeliverable, None, None),
        (999999, TryAgain, "recipient", None),  # a number that is new
    ],
)
async def test_error_code_decides(
    sender: WhatsAppSender, meta: Meta, code: int, kind: type[SendError], scope: str | None, after: float | None
) -> None:
    meta.fails(code)
    error = await outcome(sender, reply())
    assert type(error) is kind
    assert (getattr(error, "scope", None), getattr(error, "after", None)) == (scope, after)
    assert len(meta.asked) == 1


def test_every_documented_code_has_its_action() -> None:
    retried = {Action.retry, Action.retry_once, Action.wait, Action.this_person, Action.slow_down}
    documented = "2 4 80007 130429 131000 131016 131057 133004 1 131056 131048 131064"
    assert {action_of(int(code)) for code in documented.split()} == retried
    assert all(action_of(code) is Action.stop for code in (0, 3, 10, *range(200, 300), 131005, 131031, 368, 131045, 133010, 33))
    assert action_of(None) is Action.retry
    assert set(ACTIONS.values()) == set(Action)


async def test_pauses_for_one_person_grow_as_meta_asks(sender: WhatsAppSender, meta: Meta) -> None:
    for tries, after in ((1, 4.0), (2, 16.0), (3, 64.0), (9, 1024.0)):
        meta.fails(131056)
        error = await outcome(sender, reply(tries=tries))
        assert isinstance(error, TryAgain)
        assert error.after == after


async def test_time_that_meta_names_is_waited(sender: WhatsAppSender, meta: Meta) -> None:
    meta.fails(130429, status=429, **{"Retry-After": "33"})
    error = await outcome(sender, reply())
    assert isinstance(error, TryAgain)
    assert error.after == 33.0


async def test_error_1_is_tried_once_more_only(sender: WhatsAppSender, meta: Meta) -> None:
    meta.fails(1, status=500)
    assert isinstance(await outcome(sender, reply()), TryAgain)
    meta.fails(1, status=500)
    assert isinstance(await outcome(sender, reply(tries=2)), Undeliverable)


@pytest.mark.parametrize(
    "answer", [httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("gone"), httpx.Response(502, text="<html>")]
)
async def test_sending_without_an_answer_waits_for_a_status(sender: WhatsAppSender, meta: Meta, answer: Any) -> None:
    meta.answers.append(answer)
    error = await outcome(sender, reply())
    assert isinstance(error, Uncertain)
    assert error.after == sending.TELLS_WITHIN


async def test_meta_that_cannot_be_reached_was_not_asked(sender: WhatsAppSender, meta: Meta) -> None:
    meta.answers.append(httpx.ConnectError("no route"))
    error = await outcome(sender, reply())
    assert isinstance(error, TryAgain)
    assert error.scope == "channel"


async def test_token_is_in_no_error(sender: WhatsAppSender, meta: Meta) -> None:
    meta.fails(190, "Error validating access token: Session has expired", 401)
    assert SETTINGS.access_token not in f"{await outcome(sender, reply())!r}{SETTINGS!r}"


async def test_person_where_nothing_arrives_is_noted(sender: WhatsAppSender, meta: Meta) -> None:
    meta.fails(131026)
    await outcome(sender, reply())
    assert person().unreachable == "131026"


async def test_person_who_wants_no_advertising_is_in_the_consent_record_at_once(sender: WhatsAppSender, meta: Meta) -> None:
    meta.fails(131050)
    await outcome(sender, reply())
    with transaction() as session:
        rows = session.execute(select(Consent.contact, Consent.granted, Consent.channel, Consent.source)).all()
    assert sorted(rows) == [
        ("+525512345678", False, "whatsapp", "whatsapp:131050"),
        ("mx.1", False, "whatsapp", "whatsapp:131050"),
    ]


async def test_person_who_is_refused_advertising_again_has_said_so_once(sender: WhatsAppSender, meta: Meta) -> None:
    for _ in range(2):
        meta.fails(131050)
        await outcome(sender, reply())
    assert len(withdrawals()) == 2  # by number and by user id


async def test_opt_out_that_a_status_of_our_message_tells_is_noted_once(sender: WhatsAppSender, home: Path) -> None:
    engine = TurnEngine(None, LocalQueue(), pushes={"whatsapp": sender})  # type: ignore[arg-type]
    about = {"channel": "whatsapp", "sender_id": PERSON, "content": {}, "trace_id": "0" * 32, "created_at": NOW}
    with transaction() as session:
        session.add(OutboundMessage(turn_id=1, position=0, state="sent", provider_id="wamid.1", **about))
    told = Status("1001", "wamid.1", "failed", Sender("MX.1", "525512345678"), NOW, code=131050)
    for _ in range(2):
        await Receiver(SETTINGS, b"key").receive(engine, [told])
    assert newest_reply(f"sqlite:///{home / 'tendero.db'}").state == "failed"
    assert withdrawals() == [("+525512345678", "whatsapp error 131050"), ("mx.1", "whatsapp error 131050")]


def withdrawals() -> list[tuple[str, str]]:
    with transaction() as session:
        rows = session.execute(select(Consent.contact, Consent.source).where(Consent.granted.is_(False))).all()
    return sorted((row.contact, row.source) for row in rows)


def test_what_is_done_about_failures_that_are_told_later(sender: WhatsAppSender) -> None:
    assert sender.after_failure(131047) == Again(as_template=True)
    assert sender.after_failure(131056) == Again(16.0)
    assert sender.after_failure(131053) == Again(0.0)
    assert sender.after_failure(131026) is None
    assert sender.after_failure(132001) is None


# Files


async def test_file_is_uploaded_once(sender: WhatsAppSender, meta: Meta, home: Path) -> None:
    (home / "labels").mkdir()
    (home / "labels" / "RMA-1.pdf").write_bytes(b"%PDF-1.4 a label")
    content = {"text": "Tu guía", "attachment": {"type": "document", "payload": {"src": "labels/RMA-1.pdf", "name": "RMA-1.pdf"}}}
    await sender.send(reply(sender.divide(content)[0]))
    await sender.send(reply(sender.divide(content)[0]))
    assert [path.rpartition("/")[2] for _, path, _ in meta.asked] == ["media", "messages", "messages"]
    assert {body["document"]["id"] for body in meta.bodies} == {"media-1"}
    with transaction() as session:
        expires_at = session.execute(select(UploadedFile.expires_at)).scalar_one()
    assert timedelta(days=28) < expires_at - datetime.now(timezone.utc) < timedelta(days=30)


@pytest.mark.parametrize("code", [None, 100, 131053])
async def test_words_do_not_wait_for_a_picture_that_meta_does_not_take(
    sender: WhatsAppSender, meta: Meta, code: int | None
) -> None:
    if code is None:
        meta.answers.append(httpx.Response(404))
    else:
        meta.fails(code)
    await sender.send(reply({"text": "La camisa", "image": "/static/products/oxford-shirt.png"}))
    assert [body["text"]["body"] for body in meta.bodies] == ["La camisa"]


@pytest.mark.parametrize("path", ["../secret.pdf", "/etc/passwd", "labels/none.pdf"])
async def test_no_other_file_of_this_machine_is_sent(sender: WhatsAppSender, meta: Meta, home: Path, path: str) -> None:
    (home.parent / "secret.pdf").write_bytes(b"secret")
    content = {"text": "Tu guía", "attachment": {"type": "document", "payload": {"src": path}}}
    assert isinstance(await outcome(sender, reply(sender.divide(content)[0])), Undeliverable)
    assert meta.asked == []


async def test_picture_of_the_page_is_uploaded(sender: WhatsAppSender, meta: Meta) -> None:
    await sender.send(reply({"text": "La camisa", "image": "/static/products/oxford-shirt.png"}))
    assert [path.rpartition("/")[2] for _, path, _ in meta.asked] == ["media", "messages"]
    assert meta.bodies[0]["image"] == {"id": "media-1", "caption": "La camisa"}


@pytest.mark.parametrize("buttons", [[], [{"title": "Ver", "payload": "/see"}]])
async def test_file_that_meta_has_deleted_is_uploaded_anew(sender: WhatsAppSender, meta: Meta, buttons: list[Any]) -> None:
    picture = {"text": "La camisa", "image": "/static/products/oxford-shirt.png", "buttons": buttons}
    await sender.send(reply(picture))
    meta.fails(100, "Param image['id'] is not a valid whatsapp business account media attachment ID")
    await sender.send(reply(picture))
    assert [path.rpartition("/")[2] for _, path, _ in meta.asked] == ["media", "messages", "messages", "media", "messages"]
    assert "media-4" in json.dumps(meta.bodies[-1])
    meta.fails(100)
    meta.fails(100)
    await sender.send(reply(picture))  # nor does Meta take it anew
    assert "media" not in json.dumps(meta.bodies[-1])


@pytest.mark.parametrize("path", ["/static/products/none.png", "/static/../README.md", "none.png"])
async def test_words_beside_a_picture_that_is_not_there_go_alone(sender: WhatsAppSender, meta: Meta, path: str) -> None:
    await sender.send(reply({"text": "La camisa", "image": path, "buttons": [{"title": "Ver", "payload": "/see"}]}))
    assert [(body["type"], body["interactive"]["body"]["text"]) for body in meta.bodies] == [("interactive", "La camisa")]
    assert isinstance(await outcome(sender, reply({"image": path})), Undeliverable)


async def test_picture_that_meta_cannot_use_goes_as_its_address(sender: WhatsAppSender, meta: Meta) -> None:
    meta.fails(131053)
    picture = {"text": "La camisa", "image": "https://shop.example/shirt.webp"}
    await sender.send(reply(picture))
    assert meta.bodies[0]["type"] == "image"
    assert meta.bodies[1]["text"]["body"] == "La camisa\nhttps://shop.example/shirt.webp"


async def test_picture_that_failed_later_goes_as_its_address(sender: WhatsAppSender, meta: Meta) -> None:
    await sender.send(reply({"text": "La camisa", "image": "https://shop.example/shirt.webp"}, again=1, key="7-0-1"))
    assert [body["type"] for body in meta.bodies] == ["text"]


def test_without_file_leaves_what_has_no_address() -> None:
    for attachment in ("labels/RMA-1.pdf", {"type": "document", "payload": {"src": "labels/RMA-1.pdf"}}, None):
        label = {"text": "Tu guía", "attachment": attachment}
        assert without_file(label) == label
    on_the_web = {
        "text": "Tu guía",
        "attachment": {"payload": {"src": "https://shop.example/guia.pdf"}},
        "utter_action": "utter_x",
    }
    assert without_file(on_the_web) == {"text": "Tu guía\nhttps://shop.example/guia.pdf", "utter_action": "utter_x"}


def test_reply_that_cannot_be_shown_as_it_is_goes_as_its_words(sender: WhatsAppSender) -> None:
    content = {"text": "Hola", "attachment": {"nonsense": 1}, "utter_action": "utter_x"}
    assert [part["text"] for part in sender.divide(content, "es")] == ["Hola"]


# The 24 hours


async def test_after_24_hours_the_template_of_the_answer_goes(sender: WhatsAppSender, meta: Meta, home: Path) -> None:
    own = "templates:\n  utter_news:\n    es: {name: shipped, language: es_MX, body: [order_number]}\n"
    write_templates(home, own + INVITATION)
    change(last_inbound_at=NOW - timedelta(hours=25))
    news = {"text": "…", "utter_action": "utter_news", "order_number": "10\n234", "language": "es"}
    await sender.send(reply(news))
    assert meta.bodies[0]["template"] == {
        "name": "shipped",
        "language": {"code": "es_MX"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "10 234"}]}],
    }
    assert meta.bodies[0]["biz_opaque_callback_data"]


async def test_template_that_somebody_has_chosen_goes_as_such_only_after_24_hours(
    sender: WhatsAppSender, meta: Meta, home: Path
) -> None:
    own = "templates:\n  utter_news:\n    es: {name: shipped, language: es_MX, body: [who, number], text: 'Hola {{1}}: {{2}}'}\n"
    write_templates(home, own + "anything_else:\n  es: {name: news, language: es_MX, text: 'Escríbenos'}\n")
    known = templates(home / "data" / "templates" / "whatsapp.yml")
    chosen = known.content_of("utter_news", "es", {"who": "{{2}}", "number": "10234"})
    assert chosen["text"] == "Hola {{2}}: 10234"
    asked = known.content_of("anything_else", "es", {})
    by = {"by": {"kind": "agent", "name": "Marta"}, "language": "es"}
    await sender.send(reply({**chosen, **by}))
    change(last_inbound_at=NOW - timedelta(hours=25))
    await sender.send(reply({**chosen, **by}))
    await sender.send(reply({**asked, **by}))
    assert [(body["type"], (body.get("template") or {}).get("name")) for body in meta.bodies] == [
        ("text", None),
        ("template", "shipped"),
        ("template", "news"),
    ]
    for key, values in (("utter_news", {"who": "Ana"}), ("utter_other", {})):
        with pytest.raises(TemplateError):
            known.content_of(key, "es", values)


async def test_answer_without_a_template_is_held_and_the_person_asked_once_to_write(
    sender: WhatsAppSender, meta: Meta, home: Path
) -> None:
    write_templates(home, INVITATION)
    change(last_inbound_at=NOW - timedelta(hours=25))
    for _ in range(2):
        assert isinstance(await outcome(sender, reply()), Held)
    assert [body["template"]["name"] for body in meta.bodies] == ["news"]
    assert "biz_opaque_callback_data" not in meta.bodies[0]  # its statuses are not those of the answer
    change(last_inbound_at=person().invited_at + timedelta(minutes=1))
    assert await sender.send(reply()) == "wamid.2"
    change(last_inbound_at=NOW - timedelta(days=2), invited_at=NOW - timedelta(days=3))
    await outcome(sender, reply())
    assert len(meta.bodies) == 3  # they have written since they were asked


async def test_answer_is_held_also_where_there_is_no_template_at_all(sender: WhatsAppSender, meta: Meta) -> None:
    change(last_inbound_at=NOW - timedelta(hours=25))
    assert isinstance(await outcome(sender, reply()), Held)
    assert meta.asked == []


@pytest.mark.parametrize(("code", "is_noted"), [(131050, True), (131026, True), (131049, False)])
async def test_answer_is_held_whatever_becomes_of_the_invitation(
    sender: WhatsAppSender, meta: Meta, home: Path, code: int, is_noted: bool
) -> None:
    write_templates(home, INVITATION)
    change(last_inbound_at=NOW - timedelta(hours=25))
    meta.fails(code)
    assert isinstance(await outcome(sender, reply()), Held)
    with transaction() as session:
        withdrawn = session.execute(select(Consent.id)).first() is not None
    assert (withdrawn or person().unreachable is not None) == is_noted


async def test_invitation_that_nobody_answers_is_not_repeated(sender: WhatsAppSender, meta: Meta, home: Path) -> None:
    write_templates(home, INVITATION)
    change(last_inbound_at=NOW - timedelta(hours=25))
    meta.answers.append(httpx.ReadTimeout("slow"))
    for _ in range(2):
        assert isinstance(await outcome(sender, reply()), Held)
    assert len(meta.bodies) == 1


async def test_answer_is_held_where_the_invitation_is_refused(sender: WhatsAppSender, meta: Meta, home: Path) -> None:
    write_templates(home, INVITATION)
    change(last_inbound_at=NOW - timedelta(hours=25))
    meta.fails(132001, status=404)
    assert isinstance(await outcome(sender, reply()), Held)
    assert person().invited_at is None


async def test_refusal_of_the_window_leads_to_the_template(sender: WhatsAppSender, meta: Meta, home: Path) -> None:
    write_templates(home, INVITATION)
    meta.fails(131047)
    assert isinstance(await outcome(sender, reply()), Held)
    assert [body["type"] for body in meta.bodies] == ["text", "template"]


async def test_reply_that_failed_because_of_the_window_goes_as_a_template(sender: WhatsAppSender, meta: Meta, home: Path) -> None:
    write_templates(home, INVITATION)
    assert isinstance(await outcome(sender, reply(as_template=True, again=1)), Held)
    assert [body["type"] for body in meta.bodies] == ["template"]


def add_person(url: str, wrote_at: datetime) -> None:
    """Known by nothing but their user id, and with a reply that is to be sent."""
    with transaction(url) as session:
        sender_id = resolve(session, "whatsapp", user_id="MX.2", phone=None, now=NOW, wrote_at=wrote_at)
        contents = [{"text": "Ya llegó", "language": "es"}]
        outbox.put(session, turn_id=1, channel="whatsapp", sender_id=sender_id, contents=contents, trace_id="0" * 32, now=NOW)


def writes(url: str) -> None:
    """The person who was added: the webhook, and the save of its turn."""
    with transaction(url) as session:
        sender_id = resolve(session, "whatsapp", user_id="MX.2", phone=None, now=NOW, wrote_at=NOW)
    with transaction(url) as session:
        outbox.let_go(session, "whatsapp", sender_id, NOW)


@pytest.fixture
def shop_url(url_with_tables: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of each kind of database, with somebody who wrote yesterday."""
    write_templates(home, INVITATION)
    monkeypatch.setenv("TENDERO_DATABASE_URL", url_with_tables)
    add_person(url_with_tables, NOW - timedelta(hours=25))
    return url_with_tables


def newest_reply(url: str) -> OutboundMessage:
    with transaction(url) as session:
        return session.execute(select(OutboundMessage)).scalar_one()


async def test_reply_is_not_held_where_the_person_writes_while_it_is_tried(shop_url: str, meta: Meta) -> None:
    meta.meanwhile.append(lambda: writes(shop_url))
    sender = OutboxSender({"whatsapp": WhatsAppSender(SETTINGS, meta.graph)}, shop_url)
    await asyncio.wait_for(sender.serve(f"whatsapp:{newest_reply(shop_url).sender_id}"), GENEROUS)
    assert [body["type"] for body in meta.bodies] == ["template", "text"]
    assert newest_reply(shop_url).state == "sent"


async def test_reply_is_held_where_the_person_does_not_write(shop_url: str, meta: Meta) -> None:
    sender = OutboxSender({"whatsapp": WhatsAppSender(SETTINGS, meta.graph)}, shop_url)
    await asyncio.wait_for(sender.serve(f"whatsapp:{newest_reply(shop_url).sender_id}"), GENEROUS)
    assert newest_reply(shop_url).state == "held"


async def test_person_who_writes_while_it_is_noted_that_a_reply_is_held_lets_go_of_it(shop_url: str, meta: Meta) -> None:
    """Their message is kept after that, in whichever order the two began."""
    with transaction(shop_url) as session:
        message = outbox.take(session, "whatsapp", newest_reply(shop_url).sender_id, NOW)
        assert isinstance(message, Outgoing)
    held = await outcome(WhatsAppSender(SETTINGS, meta.graph), message)
    assert isinstance(held, Held)
    with transaction(shop_url) as session:
        assert outbox.hold(session, message, held)
        writing = threading.Thread(target=writes, args=[shop_url])
        writing.start()
        writing.join(0.5)
        assert writing.is_alive()
    writing.join(GENEROUS)
    assert newest_reply(shop_url).state == "pending"


@pytest.mark.parametrize(("minutes", "types"), [(1, ["text"]), (-1, ["template"])])
async def test_reply_that_failed_because_of_the_window_goes_as_it_is_once_they_have_written_since(
    shop_url: str, meta: Meta, minutes: int, types: list[str]
) -> None:
    """What they wrote while it was on its way has let go of nothing."""
    writes(shop_url)
    with transaction(shop_url) as session:
        put_back = {"as_template": True, "again": 1, "sent_at": NOW - timedelta(minutes=minutes)}
        session.execute(update(OutboundMessage).values(**put_back))
    sender = OutboxSender({"whatsapp": WhatsAppSender(SETTINGS, meta.graph)}, shop_url)
    await asyncio.wait_for(sender.serve(f"whatsapp:{newest_reply(shop_url).sender_id}"), GENEROUS)
    assert [body["type"] for body in meta.bodies] == types


async def test_window_closes_a_moment_before_it_does(sender: WhatsAppSender, meta: Meta) -> None:
    change(last_inbound_at=datetime.now(timezone.utc) - timedelta(hours=23, minutes=58))
    assert await sender.send(reply())
    change(last_inbound_at=datetime.now(timezone.utc) - timedelta(hours=23, minutes=59, seconds=30))
    assert isinstance(await outcome(sender, reply()), Held)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("templates: {utter_a: {es: {name: a}}}", "utter_a, es needs name and language"),
        ("templates: {utter_a: [1]}", "utter_a needs a template for each language"),
        ("other: {}", "needs 'templates' and 'anything_else'"),
        ("templates: {utter_a: {es: {name: a, language: es, body: order}}}", "body is a list"),
        ("templates: {utter_a: {es: {name: a, language: es, body: [x, y], text: 'a {{1}}'}}}", "text needs {{1}} to {{2}}"),
    ],
)
def test_file_of_templates_that_is_wrong_says_where(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "whatsapp.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError, match=says.replace("{", r"\{").replace("}", r"\}")):
        templates(file)


# Pace


def test_45_messages_may_go_at_once_and_then_one_in_six_seconds() -> None:
    sent = [NOW] * (BURST - 1)
    assert seconds_until_allowed(sent, NOW) == 0.0
    sent.append(NOW)
    assert seconds_until_allowed(sent, NOW) == 6.0
    assert seconds_until_allowed(sent, NOW + timedelta(seconds=6)) == 0.0
    assert seconds_until_allowed(sent, NOW + timedelta(minutes=5)) == 0.0
    assert seconds_until_allowed([], NOW) == 0.0


async def test_person_who_got_too_many_waits_before_meta_says_so(sender: WhatsAppSender, meta: Meta) -> None:
    with transaction() as session:
        now = datetime.now(timezone.utc)
        outbox.put(
            session,
            turn_id=1,
            channel="whatsapp",
            sender_id=PERSON,
            contents=[{"text": "hi"}] * BURST,
            trace_id="0" * 32,
            now=now,
            state="sent",
        )
    error = await outcome(sender, reply())
    assert isinstance(error, TryAgain)
    assert error.scope == "recipient"
    assert 4.0 < (error.after or 0) <= 6.0
    assert meta.asked == []
    with transaction() as session:
        assert session.execute(select(OutboundMessage.id)).first() is not None


def test_number_sends_no_faster_than_it_may() -> None:
    now = [100.0]
    pace = NumberPace(40.0, lambda: now[0])
    assert [pace.seconds() for _ in range(10)] == [0.0] * 10
    assert [round(pace.seconds(), 3) for _ in range(4)] == [0.0, 0.025, 0.05, 0.075]
    now[0] += 5
    assert pace.seconds() == 0.0


# What else


async def test_begun_turn_shows_that_it_was_read_and_that_we_write(sender: WhatsAppSender, meta: Meta) -> None:
    await sender.begin("1001/wamid.IN")
    assert meta.bodies == [
        {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": "wamid.IN",
            "typing_indicator": {"type": "text"},
        }
    ]


async def test_turn_goes_on_where_that_cannot_be_shown(sender: WhatsAppSender, meta: Meta) -> None:
    meta.answers.append(httpx.ReadTimeout("slow"))
    await sender.begin("1001/wamid.IN")


@pytest.mark.parametrize("rate", ["0", "-1", "fast", "100000"])
def test_rate_that_cannot_be_is_refused(rate: str) -> None:
    with pytest.raises(ValueError, match="messages_per_second"):
        WhatsAppSettings.of({"messages_per_second": rate}, {})


def test_settings_come_from_the_file_and_then_from_the_environment() -> None:
    environ = {"WHATSAPP_ACCESS_TOKEN": "from-environment", "WHATSAPP_PHONE_NUMBER_ID": "1"}
    settings = WhatsAppSettings.of({"phone_number_id": 2, "app_secret": None}, environ)
    assert (settings.access_token, settings.phone_number_id) == ("from-environment", "2")
    assert settings.missing == ["verify_token", "app_secret"]
    assert settings.base_url == "https://graph.facebook.com/v26.0"
    with pytest.raises(ValueError, match="unknown phone_id"):
        WhatsAppSettings.of({"phone_id": "1"}, {})


async def test_reply_that_had_to_wait_for_its_place_is_not_sent_once_a_person_has_the_conversation(
    sender: WhatsAppSender, meta: Meta, monkeypatch: pytest.MonkeyPatch
) -> None:
    about: dict[str, Any] = {"turn_id": 7, "channel": "whatsapp", "sender_id": PERSON, "trace_id": "t", "now": NOW}
    with transaction() as session:
        handoff = asked(session, NOW, PERSON, channel="whatsapp").handoff.id
        outbox.put(session, contents=[{"text": "late"}], **about)
        late = outbox.take(session, "whatsapp", PERSON, NOW)
    assert isinstance(late, Outgoing)

    def taken_meanwhile() -> float:
        with transaction() as session:
            handoffs.take(session, handoff, "Marta", NOW)
        return 0.01

    monkeypatch.setattr(sender._pace, "seconds", taken_meanwhile)
    assert isinstance(await outcome(sender, late), Withheld)
    assert meta.asked == []


def put_picture(home: Path) -> int:
    """A reply with a picture that Meta does not have yet, and a handoff that waits: its id."""
    (home / "label.png").write_bytes(b"a picture")
    about: dict[str, Any] = {"turn_id": 7, "channel": "whatsapp", "sender_id": PERSON, "trace_id": "0" * 32, "now": NOW}
    with transaction() as session:
        outbox.put(session, contents=[{"text": "Your label", "image": "label.png", "language": "es"}], **about)
        return int(asked(session, NOW, PERSON, channel="whatsapp").handoff.id)


def takes(handoff: int) -> None:
    with transaction() as session:
        handoffs.take(session, handoff, "Marta", NOW)


async def served(sender: WhatsAppSender) -> list[str]:
    """What becomes of all that is to be sent to the person, as metrics and logs have it."""
    outcomes: list[str] = []
    outbox_sender = OutboxSender({"whatsapp": sender}, on_sent=lambda _channel, outcome, _message: outcomes.append(outcome))
    await asyncio.wait_for(outbox_sender.serve(f"whatsapp:{PERSON}"), GENEROUS)
    return outcomes


async def test_reply_whose_picture_was_uploaded_while_a_person_took_over_is_withheld(
    sender: WhatsAppSender, meta: Meta, home: Path
) -> None:
    handoff = put_picture(home)
    meta.meanwhile.append(lambda: takes(handoff))
    assert await served(sender) == ["withheld"]
    assert [path.rpartition("/")[2] for _, path, _ in meta.asked] == ["media"]
    with transaction() as session:
        reply = session.execute(select(OutboundMessage)).scalar_one()
        assert (reply.state, reply.next_try_at, reply.provider_id) == ("withheld", None, None)
        assert session.execute(select(UploadedFile.provider_id)).scalar_one() == "media-1"  # the next one need not wait for it


async def test_reply_that_a_person_gives_back_during_its_upload_stays_withheld(
    sender: WhatsAppSender, meta: Meta, home: Path
) -> None:
    """The assistant says a recap then, instead of old words."""
    handoff = put_picture(home)

    def takes_and_gives_back() -> None:
        takes(handoff)
        with transaction() as session:
            handoffs.give_back(session, handoff, NOW)

    meta.meanwhile.append(takes_and_gives_back)
    assert await served(sender) == ["withheld"]
    assert meta.bodies == []


async def test_picture_of_the_person_who_has_the_conversation_goes(sender: WhatsAppSender, meta: Meta, home: Path) -> None:
    handoff = put_picture(home)
    takes(handoff)
    with transaction() as session:
        agent_messages.say(session, handoff, "Marta", "m-1", {"text": "Here it is", "image": "label.png"}, NOW)
    assert await served(sender) == ["sent"]
    assert [body["image"]["caption"] for body in meta.bodies] == ["Here it is"]


async def test_nobody_is_asked_to_write_for_a_reply_that_a_person_took_over(
    sender: WhatsAppSender, meta: Meta, home: Path
) -> None:
    """24 hours after they wrote, Meta says so only when it gets the reply."""
    write_templates(home, INVITATION)
    handoff = put_picture(home)
    meta.answers.append(httpx.Response(200, json={"id": "media-1"}))
    meta.fails(131047)
    meta.meanwhile += [lambda: None, lambda: takes(handoff)]
    assert await served(sender) == ["withheld"]
    assert [body["type"] for body in meta.bodies] == ["image"]
