"""The webhook as Meta calls it: signatures, limits, repetitions, and what is answered when something is wrong."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import text as sql
from sqlalchemy.exc import OperationalError

from bot.channels.whatsapp.connector import LARGEST_BODY
from bot.channels.whatsapp.signature import HEADER, signed
from database import Base, engine_for
from messaging.turns.engine import Limits
from tests.bot.whatsapp.server import NUMBER, SECRET, VERIFY_TOKEN, Served
from tests.bot.whatsapp.shapes import ANA, fixture, message, status, text, value, webhook

Serve = Callable[..., Served]
BODY = json.dumps(webhook(value(text("¿dónde está? é 👟", id="wamid.signed")))).encode()


# Signature


def test_signed_body_is_taken(server: Served) -> None:
    header = "sha256=" + hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
    answer = server.post(BODY, **{HEADER: header})
    assert (answer.status_code, server.waiting()) == (200, ["¿dónde está? é 👟"])


def test_escaped_signs_are_hashed_as_they_came(server: Served) -> None:
    assert rb"\u00bfd\u00f3nde" in BODY
    raw = json.dumps(json.loads(BODY), ensure_ascii=False).encode()
    assert server.post(raw).status_code == 200
    assert server.post(BODY).status_code == 200
    assert server.waiting() == ["¿dónde está? é 👟"]


REENCODED = json.dumps(json.loads(BODY), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "header",
    [
        signed(BODY, "another secret"),
        signed(REENCODED, SECRET),
        signed(BODY, SECRET).replace("sha256=", "sha1="),
        signed(BODY, SECRET).removeprefix("sha256="),
        signed(BODY, SECRET)[:-1],
        "sha256=",
        "sha256=\xe9",
        "",
        None,
    ],
    ids=["wrong", "of a re-encoded body", "sha1", "bare", "cut", "empty hash", "not ASCII", "empty", "missing"],
)
def test_other_signatures_are_refused_and_told_nothing(server: Served, header: str | None) -> None:
    headers = {"X-Other": "1"} if header is None else {HEADER: header.encode("latin-1")}
    answer = server.client.post(server.url, content=BODY, headers=headers)
    assert (answer.status_code, answer.json(), server.rows()) == (401, {"error": "wrong_signature"}, [])


def test_body_changed_on_its_way_is_refused(server: Served) -> None:
    assert server.post(BODY.replace(b"est", b"fue"), **{HEADER: signed(BODY, SECRET)}).status_code == 401


@pytest.mark.parametrize("missing", ["app_secret", "phone_number_id"])
def test_without_configuration_the_webhook_is_closed(serve: Serve, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.delenv(f"WHATSAPP_{missing.upper()}", raising=False)
    server = serve(**{missing: ""})
    for header in (signed(BODY, SECRET), signed(BODY, ""), "sha256=" + hmac.new(b"", BODY, hashlib.sha256).hexdigest()):
        assert server.post(BODY, **{HEADER: header}).status_code == 503
    assert server.rows() == []
    health = server.client.get(server.url.removesuffix("webhook"))
    assert (health.status_code, health.json()) == (200, {"status": "not_configured"})


def test_no_secret_is_in_an_answer_or_a_log(server: Served, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answers = [server.post(BODY), server.post(BODY, **{HEADER: "sha256=0"}), server.client.get(server.url)]
        answers.append(server.post(webhook(value({"type": "text", "text": {"body": "secreto"}}, phone=None, user_id=None))))
    told = caplog.text + "".join(answer.text + str(answer.headers) for answer in answers)
    for secret in (SECRET, VERIFY_TOKEN, signed(BODY, SECRET), ANA, "dónde está", "secreto"):
        assert secret not in told


# Meta's check of the address


def _check(server: Served, **parameters: str) -> httpx.Response:
    return server.client.get(server.url, params={f"hub.{name}": told for name, told in parameters.items()})


def test_challenge_is_given_back_to_who_knows_the_token(server: Served) -> None:
    answer = _check(server, mode="subscribe", verify_token=VERIFY_TOKEN, challenge="1158201444")
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, "1158201444", "text/plain; charset=utf-8")


def test_check_with_a_wrong_token_or_mode_is_refused(server: Served) -> None:
    asked = [{"mode": "subscribe", "verify_token": "é"}, {"mode": "unsubscribe", "verify_token": VERIFY_TOKEN}, {}]
    answers = [_check(server, challenge="1158201444", **each) for each in asked]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert "1158201444" not in "".join(answer.text for answer in answers)


def test_without_a_token_no_check_is_passed(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WHATSAPP_VERIFY_TOKEN", raising=False)
    server = serve(verify_token="")
    assert _check(server, mode="subscribe", verify_token="", challenge="1").status_code == 503


# Bodies


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]", b"null", b'"x"', b"1" * 6000, b"[" * 100_000])
def test_what_is_no_json_object_is_refused(server: Served, body: bytes) -> None:
    assert server.post(body).status_code == 400


@pytest.mark.parametrize("is_announced", [True, False])
def test_body_that_is_too_large_is_refused(server: Served, is_announced: bool) -> None:
    body = json.dumps(webhook(value(text("x" * LARGEST_BODY)))).encode()
    parts = iter([body[start : start + 100_000] for start in range(0, len(body), 100_000)])
    headers = {HEADER: signed(body, SECRET)}
    try:
        answer = httpx.post(server.url, content=body if is_announced else parts, headers=headers, timeout=30)
        assert answer.status_code == 413
    except (httpx.WriteError, httpx.ReadError):  # it hung up before all was sent
        pass
    assert server.rows() == []
    assert server.post(webhook(value(text("after that")))).status_code == 200


def test_body_as_large_as_metas_largest_is_taken(server: Served) -> None:
    body = json.dumps(webhook(value(text("x" * 2_800_000)))).encode()
    assert server.post(body).status_code == 200
    assert len(server.waiting()[0]) == 2_800_000


# Batches


def test_messages_statuses_and_errors_of_a_batch_are_all_walked(server: Served) -> None:
    both = value(text("one"), text("two"), statuses=[status("delivered", "w1"), status("read", "w1")])
    errors = value(text("three"), errors=[{"code": 131000, "title": "Something went wrong"}])
    content = webhook(both, errors)
    content["entry"][0]["changes"] += webhook(value(text("four"), statuses=[status("sent", "w2")]))["entry"][0]["changes"]
    assert server.post(content).status_code == 200
    assert sorted(server.waiting()) == ["four", "one", "three", "two"]
    assert [each[:2] for each in server.engine.statuses] == [("w1", "delivered"), ("w1", "read"), ("w2", "sent")]


def test_thousand_updates_in_one_post_are_kept_in_their_order(server: Served) -> None:
    several = [text(str(place)) for place in range(900)]
    assert server.post(webhook(value(*several, statuses=[status("read", f"w{n}") for n in range(100)]))).status_code == 200
    assert server.waiting() == [str(place) for place in range(900)]
    assert len(server.engine.statuses) == 100


BAD = [
    None,
    7,
    [],
    "text",
    {},
    {"type": "text"},
    {"id": "wamid.bad", "type": "location", "from": ANA, "location": {"latitude": "north"}},
    {"id": "wamid.bad2", "type": "system", "system": {"type": "user_changed_number"}},
    {"id": "wamid.bad3", "type": "edit", "edit": 5},
]


def test_bad_items_stop_no_good_one(server: Served, caplog: pytest.LogCaptureFixture) -> None:
    values = value(text("before"))
    values["contacts"] = []
    values["messages"] += [*BAD, {**text("after"), "from": ANA}]
    values["statuses"] = [None, {"id": 1}, status("read", "w1")]
    with caplog.at_level(logging.WARNING):
        assert server.post(webhook(values)).status_code == 200
    assert server.waiting() == ["before", "after"]
    assert [each[:2] for each in server.engine.statuses] == [("w1", "read")]
    assert "wamid.bad (" not in caplog.text
    assert "a message (wamid.bad) could not be read: a location without coordinates" in caplog.text


def test_item_that_the_database_refuses_stops_no_other(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.channels.whatsapp import receiving

    def text_of(message: object, payload_of: object) -> tuple[str, dict[str, object]]:
        told = message.text  # type: ignore[attr-defined]
        return told, {"set": {1}} if told == "poison" else {}

    monkeypatch.setattr(receiving, "text_of", text_of)
    assert server.post(webhook(value(*[text(each) for each in ("a", "b", "poison", "c")]))).status_code == 200
    assert server.waiting() == ["a", "b", "c"]


def test_full_disk_lets_meta_deliver_again(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.channels.whatsapp import receiving

    def full(_self: object, _update: object) -> None:
        raise OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))

    message = webhook(value(text("hola")))
    with monkeypatch.context() as patched:
        patched.setattr(receiving._Taking, "take", full)
        assert server.post(message).status_code == 503
    assert server.post(message).status_code == 200
    assert server.waiting() == ["hola"]


def test_signs_that_no_database_takes_are_left_out(server: Served) -> None:
    body = json.dumps(webhook(value(text("a@b@c")))).replace("@", r"\u0000", 1).replace("@", r"\ud83d").encode()
    assert server.post(body).status_code == 200
    assert server.waiting() == ["ab?c"]


def test_number_that_is_not_ours_is_not_answered(server: Served) -> None:
    other = value(text("for somebody else"), statuses=[status("read")], number="109876543210002")
    assert server.post(webhook(other, value(text("for us")))).status_code == 200
    assert (server.waiting(), server.engine.statuses) == (["for us"], [])


# Repetitions


def test_message_delivered_again_is_one(server: Served) -> None:
    again = value(text("hola", id="wamid.again"), text("más", id="wamid.more"))
    for name in ("Ana Exemplo", "Ana E."):
        again["contacts"][0]["profile"]["name"] = name
        assert server.post(webhook(again)).status_code == 200
    assert server.waiting() == ["hola", "más"]


def test_same_id_on_another_number_is_another_message(serve: Serve, database_url: str) -> None:
    for number in (NUMBER, "109876543210002"):
        serve(phone_number_id=number).post(webhook(value(text("hola", id="wamid.same"), number=number)))
    assert len(serve().rows()) == 2


def test_long_ids_stay_apart(server: Served) -> None:
    server.post(webhook(value(*[text(end, id="wamid." + "x" * 200 + end) for end in "abab"])))
    assert server.waiting() == ["a", "b"]


def test_message_without_an_id_is_known_by_its_content(server: Served) -> None:
    nameless = text("hola", at=1_795_000_000)
    del nameless["id"]
    for _ in range(2):
        server.post(webhook(value(nameless)))
    assert server.waiting() == ["hola"]


def test_same_webhook_at_once_over_threads_is_taken_once(server: Served) -> None:
    bodies = [webhook(value(text(f"{n}", id=f"wamid.once{n}"), phone=f"551198765{n:04}", user_id=None)) for n in range(6)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(server.post, bodies * 8))
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(server.waiting()) == [str(n) for n in range(6)]
    assert len({row.sender_id for row in server.rows()}) == 6


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_same_webhook_at_once_in_two_processes_is_taken_once(request: pytest.FixtureRequest, kind: str) -> None:
    url = str(request.getfixturevalue("database_url" if kind == "sqlite" else "postgres_url"))
    Base.metadata.create_all(engine_for(url))
    command = [sys.executable, "-W", "ignore", "-m", "tests.bot.whatsapp.server", url]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        ports = [int(each.stdout.readline()) for each in processes if each.stdout]
        servers = [Served(f"http://127.0.0.1:{port}/webhooks/whatsapp/webhook", url, None) for port in ports]  # type: ignore[arg-type]
        # One person's first messages, singly and in batches of either order: who makes the person?
        several = [text(str(n), id=f"wamid.p{n}") for n in range(8)]
        bodies = [webhook(value(*several)), webhook(value(*several[::-1])), *[webhook(value(each)) for each in several]]
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda pair: pair[0].post(pair[1]), [(each, body) for body in bodies for each in servers]))
        assert {answer.status_code for answer in answers} == {200}
        rows = servers[0].rows()
        assert sorted(row.text for row in rows) == [str(n) for n in range(8)]
        assert len({row.sender_id for row in rows}) == 1
    finally:
        for each in processes:
            each.kill()
            each.wait()
        engine_for(url).dispose()


# When it cannot be kept


def test_database_that_is_away_lets_meta_deliver_again(serve: Serve) -> None:
    server = serve(url="sqlite:////nowhere/at/all.db")
    for content in (webhook(value(text("hola"))), fixture("status_read")):
        answer = server.post(content)
        assert (answer.status_code, answer.json()) == (503, {"error": "not_now"})


def test_too_much_waiting_lets_meta_deliver_again_what_was_not_kept(serve: Serve) -> None:
    server = serve(limits=Limits(most_waiting=30))
    batch = webhook(value(*[text(str(n), id=f"wamid.l{n}") for n in range(50)]))
    answer = server.post(batch)
    assert (answer.status_code, answer.json()) == (503, {"error": "busy"})
    kept = server.waiting()
    assert kept == [str(n) for n in range(20)]  # a portion is kept or not
    with server.session() as session:
        session.execute(sql("UPDATE inbound_message SET state = 'done'"))
    assert server.post(batch).status_code == 200
    assert [row.text for row in server.rows()] == [str(n) for n in range(50)]


def test_status_goes_on_where_one_cannot_be_noted(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    noted = []

    async def note_status(channel: str, provider_id: str, *_rest: object, **_named: object) -> bool:
        if provider_id == "w0":
            raise KeyError("unexpected")
        noted.append(provider_id)
        return True

    monkeypatch.setattr(server.engine, "note_status", note_status)
    assert server.post(webhook(value(statuses=[status("read", f"w{n}") for n in range(3)]))).status_code == 200
    assert noted == ["w1", "w2"]


def test_message_of_a_media_type_without_its_media_is_kept(server: Served) -> None:
    assert server.post(webhook(value(message("image", None)))).status_code == 200
    assert server.waiting() == ["/share_unsupported"]
