"""A real browser for the pages' tests. Where none can be had, the tests are skipped and say so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.browsers import BROWSERS, find_or_install
from tests.browser.desk_page import WIDE, DeskPage, a_days_work, signed_in
from tests.browser.desk_stand_in import DeskStandIn, desk_running
from tests.browser.webchat_stand_in import WebChatStandIn, running
from tests.browser.widget import DESKTOP, Widget

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=10_000)  # milliseconds: a machine may have more to do


@pytest.fixture(scope="session")
def browser_path() -> str:
    """The path of a Chromium or Chrome."""
    path = find_or_install()
    if path is None:
        pytest.skip(f"the browser tests did not run: none of {', '.join(BROWSERS)} is on the PATH, and none could be installed")
    return path


@pytest.fixture(scope="module")
def browser(browser_path: str) -> Iterator[Browser]:
    # Not session-scoped: Playwright's event loop, while it lives, keeps asynchronous tests of other folders from running.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def shop() -> Iterator[WebChatStandIn]:
    with running() as stand_in:
        yield stand_in


@pytest.fixture
def context(browser: Browser, shop: WebChatStandIn) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=shop.url, locale="en-US", viewport=DESKTOP)
    context.set_default_timeout(8000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Whatever the test is about: no script may fail and nothing may offend the security policy."""
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if "Security Policy" in message.text else None)
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    yield page
    assert faults == []


@pytest.fixture
def widget(page: Page, shop: WebChatStandIn) -> Widget:
    """The widget on a shop's page, not opened yet."""
    return Widget(page, shop).visit()


@pytest.fixture
def chat(widget: Widget) -> Widget:
    """The widget, open, with nothing said yet."""
    return widget.open()


@pytest.fixture
def desk() -> Iterator[DeskStandIn]:
    with desk_running() as stand_in:
        yield stand_in


@pytest.fixture
def agents_browser(browser: Browser) -> Iterator[BrowserContext]:
    """Of a person of the shop. No script of any of its pages may fail, and nothing may offend the security policy."""
    context = browser.new_context(locale="en-US", viewport=WIDE)
    context.set_default_timeout(8000)
    faults: list[str] = []
    context.on("weberror", lambda error: faults.append(str(error.error)))
    context.on("console", lambda message: faults.append(message.text) if "Security Policy" in message.text else None)
    context.on("dialog", lambda dialog: faults.append(dialog.message))
    yield context
    context.close()
    assert faults == []


@pytest.fixture
def agent_page(agents_browser: BrowserContext) -> Page:
    """Nobody has signed in."""
    return agents_browser.new_page()


@pytest.fixture
def marta(agents_browser: BrowserContext, desk: DeskStandIn) -> DeskPage:
    """An agent who has signed in, with no page open yet."""
    return signed_in(agents_browser, desk)


@pytest.fixture
def anas_talk(marta: DeskPage, desk: DeskStandIn) -> DeskPage:
    """An ordinary morning; Marta looks at the conversation with Ana."""
    a_days_work(desk)
    marta.visit("mine/12")
    expect(marta.entries.last).to_be_visible()
    return marta
