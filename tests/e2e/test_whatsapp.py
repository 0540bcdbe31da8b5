"""A whole shop on WhatsApp: what people do, and whatever goes wrong between Meta and us. Each message is answered once."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from database import transaction
from messaging.models import ChannelContact, Consent, OutboundMessage, ReceivedFile
from tests.e2e.whatsapp_shop import ASKS, WhatsAppShop, answered_once, answers, open_shop, sent_keys, shown, until
from tests.whatsapp_simulator import Person, Simulator

ARRIVED = ("delivered", "read")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WhatsAppShop]:
    with open_shop(tmp_path_factory.mktemp("whatsapp")) as shop:
        yield shop


@pytest.fixture
def whatsapp(shop: WhatsAppShop) -> Simulator:
    """As new, and nothing of an earlier test under way."""
    until(lambda: shop.is_quiet, "nothing is left of the test before")
    shop.simulator.reset()
    return shop.simulator


# What people do


def test_return_is_made_by_tapping_what_is_shown(shop: WhatsAppShop, whatsapp: Simulator) -> None:
    ana = shop.somebody("Ana")
    ana.say("quiero devolver algo de mi pedido 10201")
    assert "correo" in ana.reply()["shown"]["text"]
    ana.say("ana@example.com")
    assert "código" in ana.reply()["shown"]["text"]
    ana.say(shop.newest_code())
    items = ana.reply()
    rows = [row["title"] for section in items["shown"]["list"]["sections"] for row in section["rows"]]
    assert rows[0] == "Camisa Oxford (azul, M)"
    ana.tap(items, rows[0])
    reasons = ana.reply()
    ana.tap(reasons, "Cambié de opinión")
    ways = ana.reply()
    ana.tap(ways, "Lo llevo a una tienda")
    money = ana.reply()
    ana.tap(money, "Saldo de la tienda")
    summary = ana.reply()
    assert [button["title"] for button in summary["shown"]["buttons"]] == ["Sí, por favor", "No, gracias"]
    ana.tap(summary, "Sí, por favor")
    assert "RMA-" in ana.reply()["shown"]["text"]
    label = ana.reply()["wire"]["document"]["filename"]
    assert re.fullmatch(r"Etiqueta de devolución RMA-\d+\.pdf", label), label
    until(lambda: set(shop.states(ana)) == {"delivered"}, "all of it has arrived")
    ana.read()
    until(lambda: set(shop.states(ana)) == {"read"}, "all of it was read")
    assert set(shop.messages(ana)) == {"done"}
    assert set(sent_keys(ana).values()) == {1}
    assert whatsapp.refused == []
    assert all("read" in entry["statuses"] for entry in ana.entries if entry["by"] == "shopper")  # blue ticks


def test_picture_of_a_product_comes_with_its_words(shop: WhatsAppShop, whatsapp: Simulator) -> None:
    """Also where Meta has deleted the file that we had uploaded."""
    for _ in range(2):
        emma = shop.somebody("Emma")
        emma.say("do you have oxford shirts in blue?")
        picture = emma.reply()
        assert picture["shown"]["media"]["kind"] == "image"
        assert "Oxford Shirt" in picture["shown"]["text"]
        whatsapp.graph("DELETE", picture["wire"]["image"]["id"])


@pytest.mark.parametrize(
    "sent",
    [
        {"type": "image"},
        {"type": "image", "caption": "it came broken"},
        {"type": "document"},
        {"type": "audio"},
        {"type": "video"},
        {"type": "sticker"},
        {"type": "location", "latitude": 19.42, "longitude": -99.16},
        {"type": "contacts"},
        {"type": "unsupported"},
        {"type": "order", "items": [{"product_retailer_id": "SHI-OXF-BLU-M", "quantity": 1, "item_price": 1, "currency": "MXN"}]},
    ],
    ids=lambda sent: "-".join(str(value) for key, value in sent.items() if key in ("type", "caption")),
)
def test_whatever_somebody_sends_there_is_a_reply(shop: WhatsAppShop, whatsapp: Simulator, sent: dict[str, Any]) -> None:
    person = shop.somebody()
    person.send(**sent)
    assert person.reply()["shown"]["text"]
    assert whatsapp.refused == []


def test_stop_and_start_are_confirmed_and_recorded(shop: WhatsAppShop, whatsapp: Simulator) -> None:
    person = shop.somebody()
    for word, granted in (("STOP", False), ("START", True)):
        person.say(word)
        person.reply()
        of_theirs = select(Consent.granted).where(Consent.contact == f"+{person.key}").order_by(Consent.id.desc()).limit(1)
        with transaction(shop.database) as session:
            assert session.execute(of_theirs).scalar_one() is granted
    assert len(shown(person)) == 2


# What goes wrong


def test_send_that_fails_or_is_not_answered_is_never_twice_on_the_phone(shop: WhatsAppShop, whatsapp: Simulator) -> None:
    """Whether it had been taken or not: a status tells."""
    failures: list[dict[str, Any]] = [
        {"code": 131000, "http_status": 500},
        {"code": 131016, "http_status": 503},
        *(
            {"effect": effect, "seconds": 1.0, "accepts": accepts}
            for effect in ("page", "hang", "disconnect")
            for accepts in (0, 1)
        ),
    ]
    people = shop.people(len(failures))
    for person, failure in zip(people, failures, strict=True):
        whatsapp.fault("send", **failure, to=person.key)
        person.say(ASKS)
    answered_once(shop, people)
    assert whatsapp.state()["counts"]["faults"] == len(failures)
    until(lambda: {state for each in people for state in shop.states(each)} <= set(ARRIVED), "all statuses were noted")


def test_without_answer_and_status_it_is_sent_once_more_and_not_again(shop: WhatsAppShop, whatsapp: Simulator) -> None:
    """Seen twice is better than never; more than that cannot be known."""
    person = shop.somebody()
    whatsapp.control("statuses", {"lost": ["sent", "delivered", "read"]})
    whatsapp.fault("send", effect="disconnect", accepts=True, to=person.key)
    person.say(ASKS)
    until(lambda: len(shown(person)) == 2 and shop.is_quiet, "it came again")
    assert list(sent_keys(person).values()) == [2]
    assert shop.states(person) == ["sent"]


@pytest.mark.parametrize(
    "manner",
    [{"lost": ["sent"]}, {"lost": ["delivered"]}, {"late": 2.0}, {"is_shuffled": True, "is_doubled": True, "read": "at_once"}],
    ids=["no sent", "no delivered", "late", "shuffled and doubled"],
)
def test_statuses_that_come_otherwise_than_in_order(shop: WhatsAppShop, whatsapp: Simulator, manner: dict[str, Any]) -> None:
    people = shop.people(3)
    whatsapp.control("statuses", manner)
    for person in people:
        person.say(ASKS)
    answered_once(shop, people)
    for person in people:
        person.wait_for(person.entries[-1]["id"], "delivered")
        person.read()
    until(lambda: {state for each in people for state in shop.states(each)} == {"read"}, "all was read")


def test_webhooks_repeated_batched_and_shuffled(shop: WhatsAppShop, whatsapp: Simulator) -> None:
    people = shop.people(12)
    whatsapp.control("delivery", {"batch": 7, "repeat": 3, "shuffle": True, "is_held": True})
    whatsapp.control("statuses", {"is_doubled": True})
    for person in people:
        person.say(ASKS)
    whatsapp.control("delivery", {"is_held": False})
    answered_once(shop, people)
    assert [shop.messages(person) for person in people] == [["done"]] * 12
    assert whatsapp.state()["delivery"]["given_up"] == 0


def test_expired_token_stops_sending_and_what_waited_goes_when_it_is_good_again(shop: WhatsAppShop, whatsapp: Simulator) -> None:
    people = shop.people(4)
    whatsapp.control("token", {"has_expired": True})
    for person in people:
        person.say(ASKS)
    until(lambda: "whatsapp" in shop.ready().get("stopped", {}), "/ready says that it has stopped")
    assert shop.ready()["stopped"]["whatsapp"].startswith("TryAgain: 190")
    until(lambda: [shop.messages(each) for each in people] == [["done"]] * 4, "turns go on")
    assert [shown(each) for each in people] == [[]] * 4
    whatsapp.control("token", {"has_expired": False})
    answered_once(shop, people)
    assert "stopped" not in shop.ready()


def test_pair_limit_of_meta_slows_down_one_person_only(shop: WhatsAppShop, whatsapp: Simulator) -> None:
    slow, quick = shop.people(2)
    whatsapp.fault("send", code=131056, to=slow.key)
    for person in (slow, quick):
        person.say(ASKS)
    quick.reply()
    assert shown(slow) == []
    answered_once(shop, [slow, quick])


def test_after_24_hours_a_template_goes_and_the_reply_when_they_write(shop: WhatsAppShop, whatsapp: Simulator) -> None:
    """Once known before it is sent, and once told by Meta afterwards (131047)."""
    known, told = shop.people(2)
    for each in (known, told):
        each.say("hi")
    answered_once(shop, [known, told], ("",))
    with transaction(shop.database) as session:
        person = session.get(ChannelContact, shop.sender_id(known))
        person.last_inbound_at -= timedelta(hours=25)
    put_back(shop, known)
    whatsapp.fault("later", code=131047, to=told.key)
    told.say(ASKS)
    until(lambda: shop.states(known)[-1] == shop.states(told)[-1] == "held", "both are held")
    for person in (known, told):
        template = [each for each in person.entries if each["by"] == "shop"][-1]
        assert template["wire"]["template"]["name"] == "tendero_news"
    held = len(shown(known)), len(shown(told))
    for person in (known, told):
        person.say("yes?")
    until(lambda: shop.is_quiet and len(shown(known)) > held[0] + 1 and len(shown(told)) > held[1] + 1, "both get both")
    assert shown(known)[held[0]] == shown(known)[0]
    assert shown(told)[held[1]] == shown(told)[1]
    assert "held" not in [*shop.states(known), *shop.states(told)]
    assert whatsapp.refused == []


def put_back(shop: WhatsAppShop, person: Person) -> None:
    """Their reply waits again, as one of a person would that is written much later."""
    theirs = update(OutboundMessage).where(OutboundMessage.sender_id == shop.sender_id(person))
    again: dict[str, Any] = {"state": "pending", "provider_id": None, "again": 1}
    with transaction(shop.database) as session:
        session.execute(theirs.values(**again, next_try_at=OutboundMessage.created_at))


def test_file_that_meta_does_not_give_at_first_is_fetched_later(shop: WhatsAppShop, whatsapp: Simulator) -> None:
    person = shop.somebody()
    whatsapp.fault("media", hop="download", http_status=404)
    person.send("image")
    person.reply()
    of_theirs = select(ReceivedFile.state, ReceivedFile.tries).where(ReceivedFile.sender_id == shop.sender_id(person))

    def row() -> Any:
        with transaction(shop.database) as session:
            return session.execute(of_theirs).one()

    until(lambda: row().state == "stored", "the picture is here")
    assert row().tries == 2


def test_killed_server_loses_and_repeats_nothing(shop: WhatsAppShop, whatsapp: Simulator) -> None:
    """kill -9 while messages fly, at several moments; Meta delivers again what was not taken."""
    people = shop.people(60)
    chance = random.Random(5)
    with ThreadPoolExecutor(1) as threads:
        for first in (0, 20, 40):
            flying = threads.submit(lambda first=first: [person.say(ASKS) for person in people[first : first + 20]])
            some = chance.randrange(1, 12)
            until(lambda first=first, some=some: answers(people[first:]) >= some, "it is in the middle of it")
            shop.kill(shop.ports[0])
            flying.result()
            shop.start(shop.ports[0])
            shop.wait_until_up()
            whatsapp.advance(seconds=600)  # Meta's next try of what the dead one did not take
    answered_once(shop, people)
    assert [shop.messages(each) for each in people] == [["done"]] * 60
