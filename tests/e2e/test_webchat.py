"""What people do in the web chat: the real shop, in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, ViewportSize, expect

from tests.browser.axe import violations
from tests.browser.widget import DESKTOP, PHONE
from tests.e2e.webchat_shop import NUMBER, PATIENCE, PICTURE, Chat, WebChatShop, another_site, open_shop

EMMA = "+12025550101"  # on file: WhatsApp proves who she is
MARKUP = "<img src=x onerror=\"document.title='owned'\">"
# As docs/webchat.md says, for a page that has nothing else on it.
POLICY = (
    "default-src 'none'; script-src {server}; connect-src {server} {socket}; img-src {server} blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
SITE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Another shop</title></head>'
    '<body><main><h1>Another shop</h1></main><script type="module" src="{server}/widget.js"></script></body></html>'
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebChatShop]:
    with open_shop(tmp_path_factory.mktemp("webchat")) as shop:
        yield shop


@pytest.fixture
def context(browser: Browser, shop: WebChatShop) -> Iterator[BrowserContext]:
    context = _context(browser, shop, DESKTOP, "en-US")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    with_faults: list[str] = []
    page = _watched(context.new_page(), with_faults)
    yield page
    assert with_faults == []


@pytest.fixture
def chat(page: Page) -> Chat:
    """On the demo shop's page, open."""
    page.goto("/")
    return Chat(page).open()


def _context(browser: Browser, shop: WebChatShop, size: ViewportSize, locale: str) -> BrowserContext:
    is_phone = size == PHONE
    context = browser.new_context(base_url=shop.url, locale=locale, viewport=size, is_mobile=is_phone, has_touch=is_phone)
    context.set_default_timeout(PATIENCE)
    return context


def _watched(page: Page, faults: list[str]) -> Page:
    """No script may fail, and nothing may offend the page's security policy."""
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    return page


def test_return_goes_on_by_itself_once_the_page_says_who_the_shopper_is(chat: Chat, shop: WebChatShop) -> None:
    """Before the whole job, which sends that shirt back."""
    chat.asks("I want to return the blue shirt from order 10231", "which e-mail")
    jwt, before = shop.signed_in("emma"), shop.said("/signed_in")
    chat.answered("What's the reason", lambda: chat.signs_in(jwt))
    expect(chat.log).to_contain_text("Thanks, Emma, now I know it's you.")
    expect(chat.own).to_have_count(1)
    chat.shot("goes-on")
    chat.taps("Too small", ENGLISH.ways_back)
    chat.page.reload()
    chat.signs_in(shop.signed_in("emma"))  # as each page of the shop has a new one
    chat.taps("take it to a store", "Where should the money go")
    assert shop.said("/signed_in") == before + 1


# The whole job


@dataclass(frozen=True)
class Words:
    """What is said in one language, each with a part of its answer."""

    locale: str
    email: str
    code: str
    ways_back: str
    ways: tuple[tuple[str, str], ...]  # to tap, up to the return's number
    shoes: tuple[str, str]
    bags: tuple[str, str]
    bag: tuple[str, str]
    points: tuple[str, str]
    person: tuple[str, str]


@dataclass(frozen=True)
class Job:
    words: Words
    email: str
    order: tuple[str, str]
    gives_back: str


SPANISH = Words(
    "es-MX",
    "con qué correo",
    "código de 6 dígitos",
    "Cómo prefieres enviarlo",
    (("Lo llevo a una tienda", "dónde mandamos"), ("Por donde pagué", "La hago"), ("Sí, por favor", "RMA-")),
    ("¿tienen tenis rojos en talla 39?", r"Disponible: rojo \(39\)"),
    ("¿qué bolsas tienen?", "De cuál te cuento más"),
    ("Bolso de piel", "Disponible"),
    ("¿cuántos puntos tengo?", "puntos y tu nivel es"),
    ("quiero hablar con una persona", "una persona te (responde|escribe)"),
)
ENGLISH = Words(
    "en-US",
    "which e-mail",
    "6-digit code",
    "How would you like to send it back",
    (("take it to a store", "Where should the money go"), ("The way I paid", "Shall I set it up"), ("Yes, please", "RMA-")),
    ("do you have red running shoes in size 39?", r"In stock: red \(39\)"),
    ("which bags do you have?", "Which one shall I tell you more about"),
    ("Leather Bag", "In stock"),
    ("how many points do I have?", "points, and your tier is"),
    ("I want to talk to a person", "a person will (answer|write)"),
)
JOBS = {
    "es-phone": Job(
        SPANISH,
        "ana@example.com",
        ("¿dónde está mi pedido 10202?", "10202.*va en camino"),
        "quiero devolver la camisa azul del 10201, me queda chica",
    ),
    "es-desktop": Job(
        SPANISH,
        "carlos@example.com",
        ("¿dónde está mi pedido 10251?", "10251"),
        "quiero devolver los mocasines del 10257, me quedan chicos",
    ),
    "en-phone": Job(
        ENGLISH,
        "liam@example.com",
        ("where is my order 10271?", "10271"),
        "I want to return the loafers from 10277, they are too small",
    ),
    "en-desktop": Job(
        ENGLISH,
        "emma@example.com",
        ("where is my order 10232?", "10232.*is on its way"),
        "I want to return the blue shirt from 10231, it's too small",
    ),
}


@pytest.mark.parametrize("name", JOBS)
def test_whole_job_is_done_in_the_widget(browser: Browser, shop: WebChatShop, name: str) -> None:
    job, words, faults = JOBS[name], JOBS[name].words, list[str]()
    context = _context(browser, shop, PHONE if name.endswith("phone") else DESKTOP, words.locale)
    page = _watched(context.new_page(), faults)
    page.goto("/")
    page.locator(".good").first.wait_for()
    chat = Chat(page)
    chat.shot(f"{name}-shop")
    chat.open()
    chat.shot(f"{name}-open")

    chat.asks(job.order[0], words.email)
    chat.asks(job.email, words.code)
    chat.asks(shop.running.newest_code(), job.order[1])
    chat.shot(f"{name}-order")

    chat.asks(job.gives_back, words.ways_back)
    for choice, answer in words.ways:
        chat.taps(choice, answer)
    number = _label_is_handed_over(chat, context)
    chat.shot(f"{name}-return")
    assert shop.rows("select 1 from return_authorization where rma_number = ?", number)

    found = chat.asks(*words.shoes)
    _is_seen(found.get_by_role("img"))
    chat.shot(f"{name}-product")
    chat.asks(*words.bags)
    _is_seen(chat.log.locator(".card", has_text=words.bag[0]).get_by_role("img"))
    chat.shot(f"{name}-cards")
    _is_seen(chat.taps(*words.bag).get_by_role("img"))

    chat.asks(*words.points)
    chat.shot(f"{name}-points")
    chat.asks(*words.person)
    chat.has_been_read()
    chat.shot(f"{name}-person")
    context.close()
    whose = (
        "select count(*) from handoff join customer on customer.id = customer_id where email = ? and handoff.channel = 'webchat'"
    )
    assert shop.rows(whose, job.email) == [(1,)]
    assert faults == []


def _label_is_handed_over(chat: Chat, context: BrowserContext) -> str:
    """The document can be had, and is the return's; its number."""
    label = chat.log.get_by_role("link", name=re.compile(r"RMA-\d+\.pdf"))
    expect(label).to_be_visible()
    answer = context.request.get(label.evaluate("a => a.href"))
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.body().startswith(b"%PDF-")
    found = re.search(r"RMA-\d+", label.evaluate("a => a.download"))
    assert found is not None
    return found[0]


def _is_seen(picture: Locator) -> None:
    """Loaded, and of some size."""
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 100


def test_picture_of_a_damaged_item_is_shown_and_goes_with_the_claim(chat: Chat, shop: WebChatShop) -> None:
    chat.signs_in(shop.signed_in("emma"))
    chat.asks("my vase from 10236 arrived broken", "send me a picture")
    chat.attach(PICTURE)
    chat.answered("Thanks for the picture", lambda: chat.button("Send", exact=True).click())
    _is_seen(chat.own.last.get_by_role("img"))
    chat.shot("claim")
    chat.taps("Send it again", "Shall I")
    number = re.search(r"CLM-\d+", chat.taps("Yes, please", "CLM-").inner_text())
    assert number is not None
    [[evidence]] = shop.rows("select evidence from claim where claim_number = ?", number[0])
    [[size]] = shop.rows("select size from received_file where state = 'stored' and channel = 'webchat'")
    assert len(json.loads(evidence)) == 1
    assert size == PICTURE.stat().st_size
    chat.page.reload()
    _is_seen(chat.own.get_by_role("img"))


# Whoever they are


def test_keyboard_alone_is_enough_from_the_launcher_to_a_finished_question(page: Page, shop: WebChatShop) -> None:
    page.goto("/")
    page.locator(".good").first.wait_for()
    chat = Chat(page)
    _tab_to(page, chat.launcher, "Shift+Tab")
    page.keyboard.press("Enter")
    expect(chat.box).to_be_focused()
    page.keyboard.type("which bags do you have?")
    chat.answered("Which one", lambda: page.keyboard.press("Enter"))
    _tab_to(page, chat.log.get_by_role("button", name="Show me: Leather Bag"), "Shift+Tab")
    chat.answered("In stock", lambda: page.keyboard.press("Enter"))
    expect(chat.box).to_be_focused()
    page.keyboard.press("Escape")
    expect(chat.panel).to_be_hidden()
    expect(chat.launcher).to_be_focused()


def _tab_to(page: Page, target: Locator, key: str) -> None:
    has_focus = "each => each.getRootNode().activeElement === each"
    for _ in range(80):
        page.keyboard.press(key)
        if target.evaluate(has_focus):
            return
    raise AssertionError(f"{key} never comes to {target}")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_axe_finds_nothing_on_the_shops_page_in_the_chat_and_on_its_own_page(
    page: Page, shop: WebChatShop, size: ViewportSize
) -> None:
    page.set_viewport_size(size)
    page.goto("/")
    page.locator(".good").first.wait_for()
    assert violations(page) == []
    chat = Chat(page).open()
    chat.asks("which bags do you have?", "Which one")
    chat.taps("Leather Bag", "In stock")
    chat.has_been_read()
    assert violations(page) == []
    chat.menu("Download")
    assert violations(page) == []
    page.goto("/chat")
    expect(chat.from_shop.last).to_be_visible()
    assert violations(page) == []


def test_chat_on_a_page_of_its_own_goes_on_with_the_same_conversation(chat: Chat, shop: WebChatShop) -> None:
    chat.asks("do you have red running shoes in size 39?", "In stock")
    chat.page.goto("/chat?lang=en")
    expect(chat.own).to_have_count(1)
    expect(chat.from_shop).to_have_count(1)
    chat.shot("page")


# What nobody may do


def test_markup_of_a_shopper_comes_back_as_text(chat: Chat, shop: WebChatShop) -> None:
    chat.say(MARKUP)
    expect(chat.from_shop).not_to_have_count(0)
    chat.page.reload()
    expect(chat.own.locator(".text")).to_have_text(MARKUP)
    _is_only_text(chat)


def test_markup_in_an_answer_is_text(chat: Chat, shop: WebChatShop) -> None:
    told = shop.rows("select id, descriptions from product where handle = 'leather-bag'")
    shop.change("update product set descriptions = ? where handle = 'leather-bag'", json.dumps({"en": MARKUP}))
    try:
        chat.asks("which bags do you have?", "Which one")
        assert MARKUP in chat.taps("Leather Bag", "onerror").inner_text()
        _is_only_text(chat)
    finally:
        for product, about in told:
            shop.change("update product set descriptions = ? where id = ?", about, product)


def _is_only_text(chat: Chat) -> None:
    chat.asks("which bags do you have?", "Which one")  # whatever would have run has run by now
    assert chat.log.locator("img[src='x'], script, [onerror]").count() == 0
    assert chat.page.title() != "owned"


# Other pages


def test_page_of_an_allowed_origin_has_the_chat_under_the_strict_policy(page: Page, shop: WebChatShop) -> None:
    with _site(shop):
        page.goto(f"http://127.0.0.1:{shop.elsewhere}/")
        chat = Chat(page).open()
        _is_seen(chat.asks("do you have red running shoes in size 39?", "In stock").get_by_role("img"))
        chat.attach(PICTURE)
        page.reload()
        expect(chat.from_shop).to_have_count(1)


def test_page_of_any_other_origin_gets_no_chat_and_only_the_console_says_why(context: BrowserContext, shop: WebChatShop) -> None:
    page, sockets = context.new_page(), list[str]()
    page.on("websocket", lambda socket: sockets.append(socket.url))
    with _site(shop):
        with page.expect_console_message(lambda message: "Access-Control-Allow-Origin" in message.text):
            page.goto(f"http://localhost:{shop.elsewhere}/")
        expect(page.locator("body")).to_have_text("Another shop")
        expect(page.locator("tendero-chat")).to_have_count(0)
        assert sockets == []
    assert shop.rows("select count(*) from web_visitor where origin like 'http://localhost:%'") == [(0,)]


def _site(shop: WebChatShop) -> AbstractContextManager[None]:
    policy = POLICY.format(server=shop.url, socket=shop.url.replace("http", "ws"))
    return another_site(shop.elsewhere, SITE.format(server=shop.url), policy)


# One person


def test_customer_who_signs_in_to_the_shop_midway_is_known_from_then_on_and_out_again(chat: Chat, shop: WebChatShop) -> None:
    page = chat.page
    chat.asks("where is my order 10232?", "which e-mail")
    page.get_by_role("button", name="Sign in").click()
    chat.answered("10232.*is on its way", lambda: page.get_by_role("button", name="Emma Johnson").click())
    expect(chat.log).to_contain_text("You're signed in.")
    expect(chat.own).to_have_text([re.compile("where is my order 10232")])
    chat.asks("where is my order 10231?", "10231.*delivered")
    chat.shot("signed-in")
    page.get_by_role("button", name="Hello, Emma").click()
    page.get_by_role("button", name="Sign out").click()
    expect(chat.entries).to_have_count(0)
    chat.asks("where is my order 10232?", "which e-mail")
    page.reload()
    expect(chat.own).to_have_count(1)


def test_task_goes_on_in_whatsapp_and_the_chat_shows_it(chat: Chat, shop: WebChatShop) -> None:
    chat.signs_in(shop.signed_in("emma"))
    chat.asks("I want to cancel order 10233", "Why would you like")
    chat.menu("Continue on WhatsApp").click()
    link = chat.page.get_by_role("link", name="Open WhatsApp")
    expect(link).to_be_visible()
    expect(chat.button("Stay here")).to_be_visible()
    chat.shot("to-whatsapp")
    address = urlsplit(link.evaluate("a => a.href"))
    assert address.hostname == "wa.me"
    assert address.path == f"/{NUMBER}"
    chat.page.keyboard.press("Escape")
    emma = shop.simulator.person(EMMA, "Emma")
    emma.say(parse_qs(address.query)["text"][0])
    offer = emma.reply(60)
    assert "in the web chat we were at this" in offer["shown"]["text"]
    expect(chat.log).to_contain_text(f"We go on in WhatsApp, on the number that ends in {EMMA[-4:]}.")
    emma.tap(offer, "Yes, please")
    asked = emma.reply(60)
    emma.tap(asked, "I don't need it any more")
    assert "Shall I cancel it?" in emma.reply(60)["shown"]["text"]
    emma.say("yes")
    assert "10233" in emma.reply(60)["shown"]["text"]
    expect(chat.log).to_contain_text("This continues on WhatsApp")
    chat.shot("on-whatsapp")
    assert shop.rows("select status from orders where number = '10233'") == [("cancelled",)]
    chat.menu("Disconnect WhatsApp").click()
    expect(chat.log).to_contain_text("WhatsApp is no longer connected to this conversation.")
    assert shop.rows("select 1 from channel_link where used_at is not null and ended_at is null") == []
