"""Nothing in the web chat is lost or said twice, whatever happens on the way: the real shop, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, WebSocketRoute, expect

from tests.e2e.webchat_shop import PATIENCE, PICTURE, Chat, WebChatShop, open_shop

ASKS = "where is my order 10232?"
ASKED = "which e-mail"
MOBILE = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 20_000}  # ms, bytes a second


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebChatShop]:
    with open_shop(tmp_path_factory.mktemp("trouble")) as shop:
        yield shop


@pytest.fixture
def context(browser: Browser, shop: WebChatShop) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=shop.url, locale="en-US")
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def chat(context: BrowserContext) -> Chat:
    """Open, on the demo shop's page."""
    return visit(context).open()


def visit(context: BrowserContext) -> Chat:
    page = context.new_page()
    page.goto("/")
    return Chat(page)


def is_answered_once(chat: Chat, shop: WebChatShop, text: str = ASKS, answer: str = ASKED) -> None:
    """Here, and after a reload, and in the shop's own books."""
    for _ in range(2):
        expect(chat.from_shop).to_have_count(1)
        expect(chat.from_shop).to_contain_text(re.compile(answer))
        expect(chat.own).to_have_count(1)
        expect(chat.own).to_contain_text(text)
        chat.has_been_read()
        chat.page.reload()
    assert shop.said(text) == 1


def test_message_written_without_a_network_is_sent_once_when_it_is_back(
    chat: Chat, context: BrowserContext, shop: WebChatShop
) -> None:
    text = "what is your return policy for shoes?"
    expect(chat.host.locator(".banner")).to_have_text("")
    context.set_offline(True)
    chat.say(text)
    expect(chat.own).to_have_attribute("data-state", "waiting")
    expect(chat.host.locator(".banner")).to_contain_text("offline")
    chat.shot("offline")
    assert shop.said(text) == 0
    context.set_offline(False)
    expect(chat.own).to_have_attribute("data-state", "read")
    expect(chat.host.locator(".banner")).to_have_text("")
    is_answered_once(chat, shop, text, ".")


def test_message_written_without_a_network_outlives_the_page(chat: Chat, context: BrowserContext, shop: WebChatShop) -> None:
    text = "do you have a gift card?"
    expect(chat.host.locator(".banner")).to_have_text("")
    context.set_offline(True)
    chat.say(text)
    expect(chat.own).to_have_attribute("data-state", "waiting")
    chat.page.close()
    context.set_offline(False)
    is_answered_once(visit(context).open(), shop, text, ".")


def test_page_is_loaded_anew_while_the_answer_is_being_made(chat: Chat, shop: WebChatShop) -> None:
    text = "where is my order 10233?"
    with shop.slow_to_act():
        chat.say(text)
        chat.has_been_read()
        chat.page.reload()
        expect(chat.own).to_have_count(1)
        expect(chat.from_shop).to_have_count(0)
    is_answered_once(chat, shop, text)


def test_two_tabs_show_the_same(chat: Chat, context: BrowserContext, shop: WebChatShop) -> None:
    other = visit(context).open()
    chat.asks("which bags do you have?", "Which one")
    expect(other.log).to_contain_text("Which one")
    other.taps("Leather Bag", "In stock")
    expect(chat.own).to_have_count(2)
    expect(chat.from_shop.last).to_contain_text("In stock")
    expect(chat.log.get_by_role("button", name="Show me: Leather Bag (chosen)")).to_be_visible()
    assert chat.texts() == other.texts()


def test_server_that_is_killed_in_the_middle_of_a_turn_answers_after_its_start_and_once(chat: Chat, shop: WebChatShop) -> None:
    asked = {"I want a vase as a gift, what do you have?": "Ceramic Vase", "what dresses do you have?": "Which one"}
    before, meanwhile = asked
    with shop.slow_to_act():
        chat.say(before)
        chat.has_been_read()
        shop.die()
    expect(chat.host.locator(".banner")).to_contain_text("offline")
    chat.say(meanwhile)
    expect(chat.own.last).to_have_attribute("data-state", "waiting")
    shop.start_again()
    expect(chat.host.locator(".banner")).to_have_text("")
    for _ in range(2):
        expect(chat.log).to_contain_text(re.compile(".*".join(asked.values()), re.DOTALL))
        for text, answer in asked.items():
            expect(chat.own.filter(has_text=text)).to_have_count(1)
            expect(chat.from_shop.filter(has_text=answer)).to_have_count(1)
        chat.page.reload()
    assert [shop.said(text) for text in asked] == [1, 1]


def test_all_goes_by_long_polling_where_websockets_are_blocked(browser: Browser, shop: WebChatShop) -> None:
    context = browser.new_context(base_url=shop.url, locale="en-US")
    context.set_default_timeout(PATIENCE)
    context.route_web_socket(re.compile(".*/socket"), blocked)
    requests: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    chat = visit(context).open()
    chat.signs_in(shop.signed_in("emma"))
    chat.asks("where is my order 10232?", "is on its way")
    chat.asks("which bags do you have?", "Which one")
    chat.taps("Leather Bag", "In stock")
    chat.attach(PICTURE)
    chat.answered("picture", lambda: chat.button("Send", exact=True).click())
    chat.has_been_read()
    chat.page.reload()
    expect(chat.own).to_have_count(4)
    other = visit(context).open()
    chat.asks("how many points do I have?", "points")
    expect(other.own).to_have_count(5)
    assert any("/v1/exchange" in url for url in requests)
    context.close()


def blocked(socket: WebSocketRoute) -> None:
    socket.close()


def test_slow_network_is_enough(context: BrowserContext, shop: WebChatShop) -> None:
    chat = visit(context)
    network = context.new_cdp_session(chat.page)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", MOBILE)
    chat.page.reload()
    chat.open()
    found = chat.asks("do you have red running shoes in size 39?", "In stock")
    expect(found.get_by_role("img")).to_have_js_property("complete", True)
    chat.page.reload()
    expect(chat.from_shop).to_have_count(1)


def test_answer_that_comes_while_the_chat_is_closed_is_counted_on_the_launcher(chat: Chat, shop: WebChatShop) -> None:
    with shop.slow_to_act():
        chat.say("where is my order 10234?")
        chat.has_been_read()
        chat.button("Close the chat").click()
    expect(chat.badge).to_have_text("1")
    chat.shot("unread")
    chat.open()
    expect(chat.from_shop).to_contain_text(ASKED)
    chat.button("Close the chat").click()
    expect(chat.badge).to_be_hidden()
