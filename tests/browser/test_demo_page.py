"""The demo shop's page in a real browser: what it shows, and what it tells the chat on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import jwt
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from bot.channels.demo_shop import AUDIENCE, KEY
from tendero import demo_shop, migrating, shop_window
from tests.browser.conftest import PHONE
from tests.browser.demo_shop import WIDGET, serving

SECRET = "key-of-the-tests-that-is-long-enough-for-hs256"
DESKTOP = {"width": 1280, "height": 800}
SHIFTS = """
globalThis.moved = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) globalThis.moved += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("demo")
    url = f"sqlite:///{home / 'tendero.db'}"
    migrating.upgrade(url)
    demo_shop.fill(url, datetime.now(timezone.utc))
    shop_window.write(home, url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TENDERO_HOME", str(home))
        patch.setenv(KEY, SECRET)
        with serving() as address:
            yield address


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=address, locale="en-US", viewport=PHONE)
    context.set_default_timeout(5000)
    context.route("**/widget.js", lambda route: route.fulfill(body=WIDGET, content_type="text/javascript"))
    context.add_init_script(SHIFTS)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Open. No script may fail, nothing may offend the security policy, and nothing may move that somebody looks at."""
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto("/")
    page.locator(".good").first.wait_for()
    yield page
    assert faults == []


def told(page: Page) -> list[Any]:
    """What the chat was told, without the opening."""
    page.wait_for_function("told.length > 0")
    return [each for each in page.evaluate("told") if each != ["open"]]


def open_product(page: Page, name: str) -> None:
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("dialog", name=name)).to_be_visible()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_nothing_moves_while_the_page_comes(page: Page, size: Any) -> None:
    page.set_viewport_size(size)
    page.reload()
    expect(page.locator(".good")).to_have_count(52)
    page.wait_for_timeout(300)
    assert page.evaluate("moved") == 0


@pytest.mark.parametrize("width", [320, 390, 896, 1280])
def test_nothing_is_cut_off_sideways(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    open_product(page, "Running Shoes")
    assert page.locator("#product").evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")


def test_what_is_asked_in_the_search_field_is_said_in_the_chat(page: Page) -> None:
    page.get_by_role("searchbox").fill("blue shirt in M?")
    page.keyboard.press("Enter")
    assert told(page) == [["say", "blue shirt in M?"]]
    assert page.evaluate("told[0]") == ["open"]
    expect(page.get_by_role("searchbox")).to_have_value("")


def test_question_about_a_product_names_it_with_colour_and_size(page: Page) -> None:
    open_product(page, "Running Shoes")
    page.get_by_role("button", name="black").click()
    page.get_by_role("button", name="41", exact=True).click()
    page.get_by_role("button", name="Ask about this").click()
    assert told(page) == [["say", "Do you have the Running Shoes, black, in size 41?"]]
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_basket_ends_where_the_demo_ends_and_says_so(page: Page) -> None:
    open_product(page, "Leather Bag")
    page.get_by_role("button", name="Add to basket").click()
    basket = page.get_by_role("dialog", name="Basket")
    expect(basket).to_contain_text("$132.00")
    basket.get_by_role("button", name="Checkout").click()
    expect(basket).to_contain_text("Nothing is paid and nothing is sent.")
    page.keyboard.press("Escape")
    page.reload()
    page.get_by_role("button", name="Basket: 1").click()
    basket.get_by_role("button", name="Remove Leather Bag").click()
    expect(basket).to_contain_text("Nothing in it yet.")


def test_size_that_is_sold_out_cannot_be_added(page: Page) -> None:
    open_product(page, "Oxford Shirt")
    expect(page.locator("#product .strong")).to_be_disabled()
    for size in page.locator("#product .size").all():
        size.click()
        is_left = size.get_attribute("data-left") != "0"
        expect(page.locator("#product .strong")).to_be_enabled(enabled=is_left)


def test_signed_in_customer_is_handed_to_the_chat_and_sees_their_own_currency(page: Page) -> None:
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Carlos Ruiz").click()
    expect(page.get_by_role("button", name="Hello, Carlos")).to_be_visible()
    expect(page.get_by_role("link", name="Oxford Shirt")).to_contain_text("€39.95")
    [[what, token]] = told(page)
    assert what == "signIn"
    assert jwt.decode(token, SECRET, algorithms=["HS256"], audience=AUDIENCE)["sub"].startswith("C-")
    page.get_by_role("button", name="Hello, Carlos").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert told(page)[-1] == ["signOut"]


def test_language_changes_page_prices_and_chat_and_is_remembered(page: Page) -> None:
    page.get_by_label("Language").select_option("nb")
    expect(page.locator("html")).to_have_attribute("lang", "nb")
    expect(page.locator("tendero-chat")).to_have_attribute("data-language", "nb")
    expect(page.get_by_role("link", name="Oxfordskjorte")).to_contain_text("459,00 kr")
    page.reload()
    expect(page.get_by_role("link", name="Oxfordskjorte")).to_be_visible()


@pytest.mark.parametrize(("locale", "language"), [("pt-PT", "pt"), ("no-NO", "nb"), ("es-AR", "es"), ("fr-FR", "en")])
def test_page_speaks_the_visitors_language(browser: Browser, address: str, locale: str, language: str) -> None:
    context = browser.new_context(base_url=address, locale=locale)
    page = context.new_page()
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", language)
    context.close()


def test_everything_can_be_done_with_the_keyboard_alone(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the products")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Shoes", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Shoes", exact=True)).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="6 products")).to_be_visible()
    page.keyboard.press("Tab")
    while not page.evaluate("document.activeElement.matches('.good')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    size = page.get_by_role("button", name="38", exact=True)
    size.focus()
    page.keyboard.press("Enter")
    expect(size).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("link", name="Running Shoes")).to_be_focused()


def test_chat_that_does_not_come_is_told(context: BrowserContext) -> None:
    context.route("**/widget.js", lambda route: route.abort())
    page = context.new_page()
    page.clock.install()
    page.goto("/")
    page.get_by_role("button", name="Ask the assistant").first.click()
    page.clock.fast_forward(10_000)
    expect(page.get_by_role("status").filter(has_text="The chat could not be loaded.")).to_be_visible()


def test_address_of_a_product_opens_it(page: Page, context: BrowserContext) -> None:
    other = context.new_page()
    other.goto("/#leather-boots")
    expect(other.get_by_role("dialog", name="Leather Boots")).to_be_visible()


def test_what_somebody_sends_in_the_address_is_only_a_name(page: Page, context: BrowserContext) -> None:
    other = context.new_page()
    faults: list[str] = []
    other.on("pageerror", lambda error: faults.append(str(error)))
    other.goto("/?lang=%3Cscript%3E#%E0%A4%A")
    other.locator(".good").first.wait_for()
    assert faults == []
    expect(other.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize(("path", "language"), [("/chat", "es-MX"), ("/chat?lang=nb", "nb")])
def test_page_of_the_chat_alone_is_in_the_shoppers_language_and_fills_the_screen(
    browser: Browser, address: str, path: str, language: str
) -> None:
    context = browser.new_context(base_url=address, locale="es-MX", viewport=PHONE)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if "Security Policy" in message.text else None)
    page.goto(path)
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("tendero-chat[mode=page]")).to_have_count(1)
    assert page.locator("main").bounding_box() == {"x": 0, "y": 0, **PHONE}
    assert faults == []
    context.close()
