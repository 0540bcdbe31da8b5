"""Any other desk: told by signed webhooks, once and in order, and calling back."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from database import transaction
from desk.adapters.chosen import is_answered_elsewhere
from desk.adapters.forwarding import Forwarder
from desk.adapters.webhook import OtherDeskInput
from desk.adapters.webhook.desk import WebhookDesk
from desk.adapters.webhook.settings import OtherDeskSettings
from desk.models import DeskDelivery
from desk.signature import DELIVERY, HEADER, TIMESTAMP, is_signed, signature
from messaging import handoffs
from messaging.handoffs.finding import NOBODY
from messaging.models import HandoffNote, OutboundMessage
from messaging.turns import inbox
from messaging.turns.inbox import Inbound
from tests.desk.adapters.server import Running, until

SECRET = "a secret of both, long enough for that"
SENDER = "wa-1"


class Desk:
    """faults: what the next calls are answered with. told: (delivery, content) of what was taken; unsigned: what was not ours."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.unsigned = 0
        self.faults: list[int] = []
        self.answer: dict[str, Any] = {}
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                is_ours = is_signed(body, self.headers[HEADER], self.headers[TIMESTAMP], SECRET, time.time())
                desk.unsigned += not is_ours
                status = desk.faults.pop(0) if desk.faults else 200
                if status == 200:
                    desk.told.append((self.headers[DELIVERY], json.loads(body)))
                data = json.dumps(desk.answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_arguments: Any) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def kinds(self) -> list[str]:
        return [content["kind"] for _, content in self.told]


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.close()


@pytest.fixture
def shop(serve: Callable[[Any], Running], desk: Desk) -> Running:
    return serve(OtherDeskInput.from_credentials({"url": desk.url, "secret": SECRET, "title": "Zen"}))


def say(shop: Running, handoff: int, secret: str = SECRET, **content: Any) -> Any:
    body = json.dumps({"id": "c1", "agent": "Marta", **content}).encode()
    timestamp = str(int(time.time()))
    return shop.post(f"/v1/handoffs/{handoff}", body, {HEADER: signature(body, timestamp, secret), TIMESTAMP: timestamp})


def told(shop: Running, desk: Desk, channel: str = "whatsapp") -> int:
    id_ = shop.open_handoff(SENDER, channel)
    until(lambda: "opened" in desk.kinds())
    return id_


def shopper_writes(shop: Running, text: str, name: str) -> None:
    with transaction(shop.database) as session:
        inbox.receive(session, Inbound("whatsapp", name, SENDER, text), datetime.now(timezone.utc))


# What it is told


def test_a_handoff_is_told_once_signed_and_with_all_that_is_known(shop: Running, desk: Desk) -> None:
    id_ = told(shop, desk)
    time.sleep(1.2)
    ((name, content),) = desk.told
    assert (name, desk.unsigned) == (content["id"], 0)
    handoff = content["handoff"]
    assert (handoff["id"], handoff["collected"], handoff["goal"]) == (id_, {"order_number": "10234"}, "request_return")


def test_what_the_shopper_writes_afterwards_follows_in_order(shop: Running, desk: Desk) -> None:
    shopper_writes(shop, "antes", "m0")
    time.sleep(0.01)
    told(shop, desk)
    for place, text in enumerate(("uno", "dos", "tres")):
        shopper_writes(shop, text, f"m{place + 1}")
    until(lambda: desk.kinds().count("message") == 3)
    assert [content["message"]["text"] for _, content in desk.told[1:]] == ["uno", "dos", "tres"]


def test_a_desk_that_is_away_is_told_later_once_and_in_order(shop: Running, desk: Desk) -> None:
    desk.faults = [500, 429, 302]
    told_id = shop.open_handoff(SENDER, "whatsapp")
    shopper_writes(shop, "sigues?", "m1")
    until(lambda: len(desk.told) == 2, 60)
    time.sleep(1)
    assert desk.kinds() == ["opened", "message"]
    assert shop.handoff(told_id).status == "waiting"


def test_a_desk_that_refuses_a_handoff_leaves_it_to_our_people(shop: Running, desk: Desk) -> None:
    desk.faults = [422]
    id_ = shop.open_handoff(SENDER, "whatsapp")
    until(lambda: shop.handoff(id_).external == NOBODY)
    assert not is_answered_elsewhere(shop.handoff(id_))


def test_a_desk_that_refuses_what_a_shopper_writes_loses_the_conversation_to_our_people(shop: Running, desk: Desk) -> None:
    id_ = told(shop, desk)
    say(shop, id_, kind="taken")
    desk.faults = [422]
    shopper_writes(shop, "sigues?", "m1")
    until(lambda: shop.handoff(id_).external == NOBODY)
    assert (shop.handoff(id_).status, shop.owner(SENDER)) == ("waiting", "queue")


def test_what_another_desk_answers_is_not_for_our_people_even_before_it_is_told(shop: Running, desk: Desk) -> None:
    desk.faults = [500] * 5
    id_ = shop.open_handoff(SENDER, "whatsapp")
    assert is_answered_elsewhere(shop.handoff(id_))


def test_its_own_name_of_the_matter_is_kept(shop: Running, desk: Desk) -> None:
    desk.answer = {"external": 4711}
    id_ = told(shop, desk)
    until(lambda: shop.handoff(id_).external == "webhook:4711")


def test_two_processes_tell_everything_once(url: str, desk: Desk, serve: Callable[[Any], Running]) -> None:
    settings = OtherDeskSettings.of({"url": desk.url, "secret": SECRET}, {})
    shop = serve(OtherDeskInput(OtherDeskSettings()))
    for number in range(12):
        shop.open_handoff(f"wa-{number}", "whatsapp")

    async def both() -> None:
        forwarders = [Forwarder(WebhookDesk(settings)) for _ in range(2)]
        for _ in range(4):
            await asyncio.gather(*(each.once() for each in forwarders))

    asyncio.run(both())
    assert len(desk.told) == 12
    assert len({name for name, _ in desk.told}) == 12


def test_whoever_dies_in_the_middle_leaves_it_to_the_next_after_a_while(
    url: str, desk: Desk, serve: Callable[[Any], Running]
) -> None:
    shop = serve(OtherDeskInput(OtherDeskSettings()))
    shop.open_handoff(SENDER, "whatsapp")
    settings = OtherDeskSettings.of({"url": desk.url, "secret": SECRET}, {})
    dying = Forwarder(WebhookDesk(settings))
    dying._write_down()
    assert len(dying._due()) == 1  # leased, and never told
    asyncio.run(Forwarder(WebhookDesk(settings)).once())
    assert desk.told == []
    with transaction(url) as session:
        session.query(DeskDelivery).one().next_try_at = datetime.now(timezone.utc)
    asyncio.run(Forwarder(WebhookDesk(settings)).once())
    assert desk.kinds() == ["opened"]


# What it says


def test_taken_answered_and_resolved_over_there(shop: Running, desk: Desk) -> None:
    id_ = told(shop, desk)
    assert say(shop, id_, kind="taken").status_code == 200
    assert say(shop, id_, kind="taken").status_code == 200
    assert (shop.handoff(id_).assignee, shop.owner(SENDER)) == ("Marta · Zen", "agent")
    assert say(shop, id_, kind="note", text="VIP", id="n1").status_code == 200
    assert say(shop, id_, kind="note", text="VIP", id="n1").status_code == 200
    for _ in range(2):
        assert say(shop, id_, kind="resolved", text="ok").status_code == 200
    assert (shop.handoff(id_).status, shop.owner(SENDER)) == ("resolved", "bot")
    with transaction(shop.database) as session:
        assert [note.text for note in session.query(HandoffNote)] == ["VIP"]


@pytest.mark.parametrize("kind", ["resolved", "given_back"])
def test_end_over_there_is_refused_until_they_have_been_told_what_the_shopper_wrote(shop: Running, desk: Desk, kind: str) -> None:
    id_ = told(shop, desk)
    say(shop, id_, kind="taken")
    shopper_writes(shop, "gracias", "m1")
    until(lambda: desk.kinds() == ["opened", "message"])
    desk.faults = [500, 500]
    shopper_writes(shop, "¡espera!", "m2")
    until(lambda: len(desk.faults) < 2)  # it is written down, and was tried in vain
    answer = say(shop, id_, kind=kind)
    assert (answer.status_code, answer.json()) == (409, {"error": "stale", "newest": shop.rows()[-1].id})
    assert (shop.handoff(id_).status, shop.owner(SENDER)) == ("assigned", "agent")
    until(lambda: desk.kinds() == ["opened", "message", "message"])
    until(lambda: say(shop, id_, kind=kind).status_code == 200)
    assert shop.handoff(id_).status == kind


def test_what_they_did_themselves_they_are_not_told(shop: Running, desk: Desk) -> None:
    id_ = told(shop, desk)
    say(shop, id_, kind="taken")
    say(shop, id_, kind="given_back", text="cambia la talla")
    time.sleep(1.5)
    assert desk.kinds() == ["opened"]
    assert shop.handoff(id_).note == "cambia la talla"


def test_never_mind_is_told(shop: Running, desk: Desk) -> None:
    id_ = told(shop, desk)
    with transaction(shop.database) as session:
        handoffs.cancel(session, id_, datetime.now(timezone.utc))
    until(lambda: desk.kinds() == ["opened", "cancelled"])


def test_a_handoff_that_is_not_theirs_is_none(shop: Running, desk: Desk) -> None:
    mine = shop.open_handoff("chatwoot-1-2", "chatwoot")  # not of a channel that goes there
    assert say(shop, mine, kind="taken").json() == {"error": "not_found"}
    assert say(shop, 9999, kind="taken").status_code == 404
    assert shop.handoff(mine).status == "waiting"


def test_whoever_is_not_signed_does_nothing(shop: Running, desk: Desk) -> None:
    id_ = told(shop, desk)
    assert say(shop, id_, secret="another secret that is as long as that", kind="taken").status_code == 401
    assert shop.handoff(id_).status == "waiting"


def test_a_handoff_that_one_of_ours_has_is_not_theirs_to_take(shop: Running, desk: Desk) -> None:
    id_ = told(shop, desk)
    with transaction(shop.database) as session:
        handoffs.take(session, id_, "Luis", datetime.now(timezone.utc))
    assert say(shop, id_, kind="taken").json() == {"error": "taken", "by": "Luis"}
    assert say(shop, id_, kind="resolved").status_code == 409
    until(lambda: "assigned" in desk.kinds())


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"kind": "dance"}, "kind"),
        ({"kind": "note"}, "text"),
        ({"kind": "taken", "agent": " "}, "agent"),
        ({"kind": "taken", "id": 7}, "id"),
        ({"kind": "note", "text": "x" * 4001}, "text"),
    ],
)
def test_what_is_wrong_is_said_by_its_field(shop: Running, desk: Desk, content: dict[str, Any], field: str) -> None:
    answer = say(shop, told(shop, desk), **content)
    assert (answer.status_code, answer.json()) == (422, {"error": "bad_request", "field": field})


def test_without_an_address_everything_is_closed(serve: Callable[[Any], Running]) -> None:
    shop = serve(OtherDeskInput.from_credentials({}))
    assert say(shop, 1, kind="taken").status_code == 503


@pytest.mark.parametrize("told", [{"secret": "short"}, {"url": "ftp://x"}, {"adress": "x"}])
def test_wrong_settings_are_said(told: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"32 signs|https://|unknown adress"):
        OtherDeskSettings.of(told, {})


def test_a_message_goes_to_the_shopper_once_whoever_over_there_writes_it(
    serve: Callable[[Any], Running], desk: Desk, url: str
) -> None:
    shop = serve(_WithShoppers(OtherDeskSettings.of({"url": desk.url, "secret": SECRET, "title": "Zen"}, {})))
    id_ = told(shop, desk, "other_desk")
    for _ in range(2):
        assert say(shop, id_, kind="message", text="Hola, soy Marta", id="m1").status_code == 200
    assert say(shop, id_, kind="message", text="Y yo Ana", id="m2", agent="Ana").status_code == 200
    until(lambda: len(shop._channel.said) == 2)
    assert shop._channel.said == ["Hola, soy Marta", "Y yo Ana"]
    assert shop.handoff(id_).assignee == "Ana · Zen"
    with transaction(url) as session:
        assert {row.author for row in session.query(OutboundMessage)} == {"agent"}


class _WithShoppers(OtherDeskInput):
    """The same, with a channel of shoppers to send to."""

    def __init__(self, settings: OtherDeskSettings) -> None:
        super().__init__(settings)
        self.said: list[str] = []

    def sender(self) -> Any:
        said = self.said

        class Sender:
            async def send(self, message: Any) -> str:
                if message.content.get("by"):
                    said.append(message.content["text"])
                return message.key

        return Sender()
