"""What agents do for a shopper, and with a conversation: in the real page, with the real server, policies and ledger."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from bot.channels.whatsapp.templates import templates
from tendero.whatsapp.approved import to_create
from tests.browser.axe import violations
from tests.browser.widget import PHONE
from tests.conversations.stage import ROOT
from tests.e2e.desk_shop import (
    Desk,
    agents_desk,
    agents_page,
    newest_handoff,
    open_desk_shop,
    shoppers_chat,
    take,
    until,
    until_said,
)
from tests.e2e.webchat_shop import PICTURE, Chat, WebChatShop

ORDER = "10231"  # Emma's, delivered five days ago
MANY_POINTS = {"Points": "20000", "Reason": "an order of hers went missing"}
ASKED = "let me talk to a person"
RECEIPT: dict[str, Any] = {
    "name": "receipt.pdf",
    "mimeType": "application/pdf",
    "buffer": b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n",
}


VASE: dict[str, Any] = {"name": PICTURE.name, "mimeType": "image/png", "buffer": PICTURE.read_bytes()}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebChatShop]:
    with open_desk_shop(tmp_path_factory.mktemp("desk-acts")) as shop:
        for template in templates(ROOT / "data" / "templates" / "whatsapp.yml").all:
            shop.simulator.control("templates", {**to_create(template), "status": "APPROVED"})
        yield shop


@pytest.fixture
def chat(browser: Browser, shop: WebChatShop) -> Iterator[Chat]:
    yield from shoppers_chat(browser, shop)


@pytest.fixture
def marta(browser: Browser, shop: WebChatShop) -> Iterator[Desk]:
    yield from agents_desk(browser, shop, "marta")


@pytest.fixture
def luis(browser: Browser, shop: WebChatShop) -> Iterator[Desk]:
    yield from agents_desk(browser, shop, "luis")


def asks_for_a_person(chat: Chat, shop: WebChatShop, customer: str) -> int:
    """Somebody who is signed in at the shop. The handoff."""
    chat.signs_in(shop.signed_in(customer))
    chat.asks(ASKED, "a person")
    return newest_handoff(shop)


def proposes(desk: Desk, act: str, **values: str) -> None:
    """Down to the summary, or to the refusal. values: by what the labels begin with."""
    desk.known.get_by_role("button", name=act).click()
    fill(desk, **values)


def fill(desk: Desk, **values: str) -> None:
    for label, value in values.items():
        box = desk.dialog.get_by_label(re.compile(f"^{label}"))
        if box.evaluate("box => box.localName") == "select":
            chosen = box.locator("option", has_text=value).get_attribute("value")
            box.select_option(chosen)
        else:
            box.fill(value)
    desk.dialog.get_by_role("button", name="Show what would happen").click()


def confirm(desk: Desk) -> Locator:
    """The toast that says that it is done."""
    desk.dialog.get_by_role("button", name="Do it").click()
    done = desk.toasts.filter(has_text="Done:")
    expect(done).to_be_visible()
    return done


def resolve(desk: Desk) -> None:
    desk.button("Resolve").click()
    desk.dialog.get_by_label("How did it end?").select_option(label="Exception allowed")
    desk.dialog.get_by_label("What was it about?").select_option(label="Refund")
    desk.dialog.get_by_role("button", name="Resolve").click()
    expect(desk.toasts.filter(has_text="Resolved")).to_be_visible()


def test_agent_allows_a_refund_up_to_the_limit_tells_the_shopper_and_takes_it_back(
    chat: Chat, luis: Desk, marta: Desk, shop: WebChatShop
) -> None:
    id_ = asks_for_a_person(chat, shop, "emma")
    take(luis, id_)
    expect(luis.known).to_contain_text("Proven to be this customer")
    expect(luis.known).to_contain_text("Emma Johnson")
    expect(luis.log).to_contain_text("The shopper asked for a person")
    luis.shot("acts-known")

    proposes(luis, "Adjust points", **MANY_POINTS)
    said = "More than an agent may allow. The limit is $150.00. A supervisor may."
    expect(luis.dialog.get_by_role("alert")).to_have_text(said)
    luis.shot("acts-refused")
    assert violations(luis.page) == []
    luis.dialog.get_by_role("button", name="Cancel").click()
    proposes(luis, "Refund without a return", Order=ORDER, Amount="20", Where="The way it was paid", Reason="late twice")
    expect(luis.dialog).to_contain_text("$20.00")
    expect(luis.dialog).to_contain_text("This is an exception: Refund without a return.")
    luis.shot("acts-preview")
    assert shop.rows("select count(*) from effect where kind = 'refund_exception'") == [(0,)]
    done = confirm(luis)
    luis.shot("acts-done")
    assert violations(luis.page) == []
    done.get_by_role("button", name="Put into the reply").click()
    expect(luis.box).to_have_value(re.compile(r"\$20\.00 back for order 10231"))
    luis.box.press("Enter")
    expect(chat.from_shop.last).to_contain_text("$20.00 back for order 10231")
    expect(luis.log).to_contain_text("Luis did this: Refund without a return")

    done.get_by_role("button", name="Undo").click()
    luis.shot("acts-undo")
    luis.dialog.get_by_role("button", name="Undo").click()
    expect(luis.log).to_contain_text("Luis undid this: Refund without a return")
    [[agent, undone]] = shop.rows(
        "select agent, (select count(*) from effect back where back.undoes = effect.id) from effect "
        "where kind = 'refund_exception' and undoes is null"
    )
    assert (agent, undone) == ("Luis", 1)

    luis.button("More to do").click()
    luis.conversation.locator(".menu").get_by_role("button", name="Pass on").click()
    luis.dialog.get_by_label("Queue: Returns").check()
    luis.dialog.get_by_label("Note for whoever gets it").fill("She waits for her points, above my limit")
    luis.shot("acts-transfer")
    luis.dialog.get_by_role("button", name="Pass on").click()
    expect(luis.toasts.filter(has_text="Passed on to Returns")).to_be_visible()
    take(marta, id_)
    expect(marta.log).to_contain_text("She waits for her points, above my limit")
    expect(marta.log).to_contain_text("Luis passed it on to Returns")
    proposes(marta, "Adjust points", **MANY_POINTS)
    expect(marta.dialog).to_contain_text("24,000")
    marta.shot("acts-passed-on")
    done = confirm(marta)
    expect(marta.known).to_contain_text("24,000")
    done.get_by_role("button", name="Put into the reply").click()
    marta.box.press("Enter")
    expect(chat.from_shop.last).to_contain_text("You now have 24,000")
    resolve(marta)
    the_supervisor_reads_what_was_done(marta, id_)
    an_agent_does_not(luis, shop)


def the_supervisor_reads_what_was_done(marta: Desk, id_: int) -> None:
    marta.visit("closed")
    marta.list.get_by_role("searchbox").fill("Emma")
    expect(marta.rows).to_have_count(1)
    marta.rows.first.click()
    expect(marta.log).to_contain_text("Marta resolved it: Exception allowed")
    marta.shot("acts-closed")
    marta.menu("Reports")
    expect(marta.page.get_by_role("region", name="By topic")).to_contain_text("Refund")
    marta.shot("acts-report")
    assert violations(marta.page) == []
    marta.menu("Audit log")
    rows = marta.page.get_by_role("row").filter(has_text=f"#{id_}")
    expect(rows.filter(has_text="Was refused an act")).to_contain_text("What: Adjust points")
    expect(rows.filter(has_text="Undid what was done")).to_contain_text("Refund without a return")
    marta.shot("acts-audit")
    assert violations(marta.page) == []


def an_agent_does_not(luis: Desk, shop: WebChatShop) -> None:
    luis.page.locator("header").get_by_role("button", name="Menu", exact=True).click()
    menu = luis.page.locator("header .menu:visible")
    expect(menu.get_by_role("button", name="My account")).to_be_visible()
    for page in ("Reports", "Audit log", "People"):
        expect(menu.get_by_role("button", name=page)).to_have_count(0)
    for route, needs in (("report", "reports"), ("audit", "audit")):
        answer = luis.page.request.get(f"{shop.url}/webhooks/desk/v1/{route}")
        assert (answer.status, answer.json()) == (403, {"error": "forbidden", "needs": needs})


def test_pictures_and_files_both_ways_a_canned_reply_and_a_conversation_put_aside(
    chat: Chat, luis: Desk, shop: WebChatShop
) -> None:
    id_ = asks_for_a_person(chat, shop, "emma")
    take(luis, id_)
    chat.attach(PICTURE)
    chat.say("this is how it came")
    of_hers = luis.entries.filter(has_text="this is how it came").last
    is_seen(luis.entries.locator(".bubble img").last)
    expect(of_hers).to_be_visible()

    luis.box.press_sequentially("/greet")
    luis.box.press("Enter")
    expect(luis.box).to_have_value("Hi Emma, I'm Luis. I've read what you wrote, so you don't need to repeat anything.")
    luis.conversation.locator("input[type=file]").set_input_files([RECEIPT, VASE])
    expect(luis.button("Remove receipt.pdf")).to_be_visible()
    luis.shot("files")
    luis.box.press("Enter")
    expect(chat.log).to_contain_text("Hi Emma, I'm Luis.")
    document = chat.log.get_by_role("link", name=re.compile("receipt.pdf")).first
    expect(document).to_be_visible()
    answer = chat.page.request.get(document.evaluate("a => a.href"))
    assert answer.body() == RECEIPT["buffer"]
    is_seen(chat.from_shop.get_by_role("img").last)
    chat.shot("desk-files")
    expect(luis.entries.filter(has_text="receipt.pdf")).to_have_count(1)
    luis.shot("files-sent")
    assert violations(luis.page) == []

    luis.button("More to do").click()
    luis.conversation.locator(".menu").get_by_role("button", name="Snooze").click()
    luis.shot("snooze")
    luis.dialog.get_by_label("Next day, when we open").check()
    luis.dialog.get_by_role("button", name="Snooze").click()
    expect(luis.log).to_contain_text("Luis put it aside until")
    luis.visit("snoozed")
    expect(luis.rows).to_have_count(1)
    luis.shot("snoozed")
    chat.say("one more thing")
    expect(luis.rows).to_have_count(0)
    luis.toasts.filter(has_text="is back").get_by_role("button", name="Open").click()
    expect(luis.log).to_contain_text("one more thing")
    expect(luis.log).to_contain_text("Is back: the shopper has written")
    resolve(luis)


def test_when_the_24_hours_are_over_a_template_goes(marta: Desk, shop: WebChatShop) -> None:
    person = shop.simulator.person("+12025550144")
    person.say("let me talk to a human please")
    until_said(person, "a person")
    id_ = newest_handoff(shop)
    take(marta, id_)
    day_before = datetime.now(timezone.utc) - timedelta(hours=25)
    shop.change(
        "update channel_contact set last_inbound_at = ? where sender_id = (select sender_id from handoff where id = ?)",
        f"{day_before:%Y-%m-%d %H:%M:%S.%f}",
        id_,
    )
    marta.page.reload()
    expect(marta.conversation).to_contain_text("24 hours over")
    marta.shot("window-over")
    assert violations(marta.page) == []
    marta.button("Send template").click()
    until_said(person, "We have an answer for you")
    expect(marta.entries.filter(has_text="We have an answer for you")).to_contain_text(re.compile("Sent|Delivered|Read"))
    person.say("here I am")
    expect(marta.log).to_contain_text("here I am")
    expect(marta.conversation).to_contain_text("Free to write")
    marta.say("Good to hear from you")
    until_said(person, "Good to hear from you")
    resolve(marta)


def test_acts_on_a_phone(browser: Browser, chat: Chat, shop: WebChatShop) -> None:
    id_ = asks_for_a_person(chat, shop, "liam")
    desk = agents_page(browser, shop, "luis", PHONE)
    desk.visit("queue")
    expect(desk.list).to_contain_text("No new conversations come to you until you are available.")
    desk.shot("phone-away")
    take(desk, id_)
    expect(desk.log).to_contain_text("Luis took it")
    desk.conversation.get_by_role("button", name="What is known").click()
    expect(desk.known).to_contain_text("Liam Brown")
    desk.shot("phone-known")
    proposes(desk, "Adjust points", **MANY_POINTS)
    expect(desk.dialog.get_by_role("alert")).to_contain_text("A supervisor may.")
    desk.shot("phone-refused")
    fill(desk, Points="50")
    expect(desk.dialog).to_contain_text("This would happen")
    desk.shot("phone-preview")
    done = confirm(desk)
    desk.shot("phone-done")
    assert violations(desk.page) == []
    done.get_by_role("button", name="Put into the reply").click()
    expect(desk.box).to_have_value(re.compile("^I've put your points right"))
    desk.shot("phone-reply")
    assert desk.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    desk.box.press("Enter")
    expect(chat.from_shop.last).to_contain_text("I've put your points right")
    desk.page.context.close()


def is_seen(picture: Locator) -> None:
    """Loaded, and of some size."""
    expect(picture).to_be_visible()
    until(lambda: picture.evaluate("image => image.complete && image.naturalWidth > 100"))
