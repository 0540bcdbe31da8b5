"""A shop's page with the widget on it, and what tests do with it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.browser.stand_in import until
from tests.browser.webchat_stand_in import STATIC, WebChatStandIn

PHONE = ViewportSize(width=390, height=844)
DESKTOP = ViewportSize(width=1280, height=800)

# As docs/webchat-widget.md says, for a shop that has nothing else on its page.
CSP = (
    "default-src 'none'; script-src {server}; connect-src {server} {socket}; img-src {server}; base-uri 'none';"
    " form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
PAGE = """<!doctype html><html lang="{language}" dir="{direction}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{head}<title>Shop</title></head><body><main><h1>Shop</h1><p>Things to buy.</p><a href="/other">More</a></main>{body}
<script type="module" src="{server}widget.js" {attributes}></script></body></html>"""

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    + "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
PICTURE = f"{STATIC}aurora.svg"


def shop_page(
    server: str,
    attributes: str = "",
    *,
    head: str | None = None,
    body: str = "",
    language: str = "en",
    direction: str = "ltr",
) -> str:
    """`server`: the assistant's address, which ends in "/". `head`: else the strictest policy that the widget works with."""
    policy = CSP.format(server=server.rstrip("/"), socket=server.rstrip("/").replace("http", "ws"))
    strict = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    return PAGE.format(
        server=server,
        attributes=attributes,
        head=strict if head is None else head,
        body=body,
        language=language,
        direction=direction,
    )


class Panel:
    """The widget as its shopper sees it, whoever answers. Locators go through the shadow root."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.host = page.locator("tendero-chat")
        self.launcher = page.locator("tendero-chat .launcher")
        self.badge = page.locator("tendero-chat .badge")
        self.panel = page.locator("tendero-chat .panel")
        self.log = page.get_by_role("log")
        self.entries = self.log.locator(".entry:not(.welcome)")
        self.last = self.entries.last
        self.box = page.locator("tendero-chat textarea")
        self.alert = self.panel.locator(".alert")

    def say(self, text: str) -> None:
        self.box.fill(text)
        self.box.press("Enter")

    def button(self, name: str, **keys: Any) -> Locator:
        return self.panel.get_by_role("button", name=name, **keys)

    def menu(self, name: str) -> Locator:
        """The item of the menu, which is opened for it."""
        if not self.panel.locator(".menu").is_visible():
            self.button("Menu", exact=True).click()
        return self.panel.locator(".menu").get_by_role("button", name=name)

    def texts(self) -> list[str]:
        """What stands in the bubbles, without the words that only screen readers get."""
        lines = "all => all.map(p => [...p.querySelectorAll('.line')].map(line => line.textContent).join('\\n'))"
        texts: list[str] = self.entries.locator(".text").evaluate_all(lines)
        return texts

    def scroll(self, expression: str) -> float:
        """A number of the element that scrolls: scrollTop, scrollHeight, ..."""
        number: float = self.log.evaluate(f"log => log.{expression}")
        return number


class Widget(Panel):
    """With a stand-in behind it, which says what a test wants."""

    def __init__(self, page: Page, shop: WebChatStandIn) -> None:
        super().__init__(page)
        self.shop = shop

    def visit(self, attributes: str = "", **keys: Any) -> Widget:
        self.shop.pages["/"] = shop_page(self.shop.url, attributes, **keys)
        self.page.goto(self.shop.url)
        return self

    def open(self) -> Widget:
        self.launcher.click()
        expect(self.panel).to_be_visible()
        return self.is_connected()

    def is_connected(self) -> Widget:
        """The assistant knows the visitor: what it says from now on is news."""
        until(lambda: self.shop.conversations and self.shop.conversation.links)
        return self

    def shows(self, *parts: str | dict[str, Any], **keys: Any) -> Locator:
        """The entry that comes when the assistant says this."""
        entry = self.entries.nth(self.entries.count())
        self.shop.say(*parts, **keys)
        expect(entry).to_be_visible()
        return entry
