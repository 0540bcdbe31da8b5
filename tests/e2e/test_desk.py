"""From the assistant to a person and back: shoppers in the chat and on WhatsApp, agents at the desk, in browsers of their own."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import violations
from tests.browser.widget import PHONE
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
from tests.e2e.webchat_shop import Chat, WebChatShop

QUIET = 3.0  # seconds in which the assistant would have answered


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebChatShop]:
    with open_desk_shop(tmp_path_factory.mktemp("desk")) as shop:
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


def asks_for_a_person_during_a_return(chat: Chat, shop: WebChatShop) -> int:
    """The assistant has asked for the e-mail. The handoff."""
    chat.asks("I want to return an order", "which e-mail")
    chat.asks("let me talk to a person", "a person (will )?(answers?|repl|gets? back)")
    return newest_handoff(shop)


def test_a_person_takes_over_answers_and_gives_back(chat: Chat, marta: Desk, shop: WebChatShop) -> None:
    id_ = asks_for_a_person_during_a_return(chat, shop)
    marta.visit(f"queue/{id_}")
    expect(marta.log).to_contain_text("which e-mail")
    expect(marta.known).to_contain_text("Return something")
    marta.shot("queue")
    assert violations(marta.page) == []
    take(marta, id_)
    expect(chat.log).to_contain_text("Marta from our team has joined")

    chat.box.press_sequentially("Hello Marta")
    expect(marta.conversation).to_contain_text(re.compile("typing|writing", re.IGNORECASE))
    chat.box.press("Enter")
    expect(marta.log).to_contain_text("Hello Marta")
    until(lambda: marta.box.press_sequentially("Hi! ") or chat.log.locator(".typing").first.is_visible())
    marta.box.fill("Hi! I have read it all. Which shirt is it?")
    marta.box.press("Enter")
    by_marta = chat.log.locator(".entry", has_text="Which shirt is it?")
    expect(by_marta).to_contain_text("Marta")
    expect(marta.entries.filter(has_text="Which shirt is it?")).to_contain_text("Read")

    marta.button("Private note").click()
    marta.say("She sounds upset")
    expect(marta.last).to_contain_text("Private note")
    marta.button("Reply").click()

    replies = chat.from_shop.count()
    chat.say("the blue one, where is my order 10202?")
    expect(marta.log).to_contain_text("10202")
    time.sleep(QUIET)
    assert chat.from_shop.count() == replies, "the assistant is silent while a person has the conversation"
    marta.shot("answered")
    chat.shot("desk-shopper")

    marta.button("Give back").click()
    marta.dialog.get_by_label("Your words for the summary").fill("Your return is free of charge.")
    marta.dialog.get_by_role("button", name="Give back").click()
    expect(chat.log).to_contain_text("Your return is free of charge.")
    expect(chat.from_shop.last).to_contain_text("which e-mail")
    expect(chat.log).not_to_contain_text("She sounds upset")
    chat.asks("emma@example.com", "6-digit code")
    chat.shot("desk-given-back")
    [[status, owner]] = shop.rows(
        "select h.status, c.owner from handoff h join conversation c on c.sender_id = h.sender_id where h.id = ?", id_
    )
    assert (status, owner) == ("given_back", "bot")


def test_two_agents_grab_at_once_and_one_gets_it(chat: Chat, marta: Desk, luis: Desk, shop: WebChatShop) -> None:
    id_ = asks_for_a_person_during_a_return(chat, shop)
    for desk in (marta, luis):
        desk.visit(f"queue/{id_}")
        expect(desk.conversation.locator(".moves").get_by_role("button", name="Take")).to_be_visible()
    take(marta, id_)
    expect(luis.conversation).to_contain_text("Marta has this conversation.")
    expect(luis.button("Reply")).to_be_disabled()
    answer = luis.page.request.post(
        f"{shop.url}/webhooks/desk/v1/handoffs/{id_}/message",
        data={"id": "m1", "text": "me too"},
        headers={"X-Tendero-Desk": "1", "Origin": shop.url},
    )
    assert (answer.status, answer.json()["error"]) == (409, "not_yours")
    marta.button("Resolve").click()
    marta.dialog.get_by_label("How did it end?").select_option(index=1)
    marta.dialog.get_by_label("What was it about?").select_option(index=1)
    marta.dialog.get_by_role("button", name="Resolve").click()
    expect(marta.toasts.filter(has_text="Resolved")).to_be_visible()
    chat.asks("where is my order 10202?", "which e-mail|10202")


def test_the_desk_goes_on_after_the_server_dies(chat: Chat, marta: Desk, shop: WebChatShop) -> None:
    id_ = asks_for_a_person_during_a_return(chat, shop)
    take(marta, id_)
    chat.say("before it died")
    expect(marta.log).to_contain_text("before it died")
    shop.die()
    expect(marta.page.locator("body[data-link=up]")).to_have_count(0)
    marta.say("written while nobody was there")
    shop.start_again()
    expect(marta.page.locator("body[data-link=up]")).to_be_visible()
    expect(chat.log.locator(".entry", has_text="written while nobody was there")).to_have_count(1)
    chat.say("and after it")
    expect(marta.log).to_contain_text("and after it")
    [[copies]] = shop.rows("select count(*) from inbound_message where kind = 'agent' and text like 'written while%'")
    assert copies == 1
    marta.button("Give back").click()
    marta.dialog.get_by_role("button", name="Give back").click()
    expect(marta.toasts.filter(has_text="The assistant has it again.")).to_be_visible()


def test_the_desk_on_a_phone(browser: Browser, chat: Chat, shop: WebChatShop) -> None:
    id_ = asks_for_a_person_during_a_return(chat, shop)
    desk = agents_page(browser, shop, "marta", PHONE)
    desk.visit("queue")
    desk.shot("phone-list")
    desk.rows.first.click()
    expect(desk.log).to_be_visible()
    desk.shot("phone-conversation")
    take(desk, id_)
    desk.say("Hi, Marta here, from my phone")
    expect(chat.log).to_contain_text("from my phone")
    assert violations(desk.page) == []
    assert desk.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    desk.page.context.close()


def test_on_whatsapp_the_next_agent_gets_it_answers_settles_it_and_is_rated(luis: Desk, shop: WebChatShop) -> None:
    luis.page.get_by_role("button", name="Away").click()
    luis.page.locator(".menu:visible").get_by_text("Available").click()
    person = shop.simulator.person("+12025550143")
    person.say("let me talk to a human please")
    until_said(person, "a person")
    id_ = newest_handoff(shop)
    until_said(person, "Luis")  # nobody has taken it by hand
    luis.visit(f"mine/{id_}")
    luis.say("Hi, this is Luis. How can I help?")
    until_said(person, "this is Luis")
    person.say("all good now, thanks")
    expect(luis.log).to_contain_text("all good now")
    expect(luis.conversation).to_contain_text(re.compile(r"2[34] ?h|23:"))  # of the window
    luis.shot("whatsapp")
    luis.button("Resolve").click()
    luis.dialog.get_by_label("How did it end?").select_option(index=1)
    luis.dialog.get_by_label("What was it about?").select_option(index=1)
    luis.dialog.get_by_role("button", name="Resolve").click()
    expect(luis.toasts.filter(has_text="Resolved")).to_be_visible()
    until_said(person, "1 (to|al) 5|from 1|rate")
    person.say("5")
    until(lambda: shop.rows("select score from satisfaction_rating where matter = ?", f"handoff:{id_}") == [(5,)])
