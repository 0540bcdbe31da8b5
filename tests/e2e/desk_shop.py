"""The shop with its desk as `tendero run` starts it, open day and night; shoppers write in the web chat and on WhatsApp."""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect
from ruamel.yaml import YAML

from tests.browser.desk_page import WIDE, DeskPage
from tests.browser.widget import DESKTOP
from tests.conversations.stage import ROOT
from tests.e2e.webchat_shop import PATIENCE, SHOTS, Chat, WebChatShop, open_shop

PASSWORD_FILE = "desk-password"
ALWAYS = {day: ["00:00-24:00"] for day in "monday tuesday wednesday thursday friday saturday sunday".split()}


@dataclass
class Place:
    """What `DeskPage` has to know of a server. url: with a slash at its end."""

    url: str


class Desk(DeskPage):
    """The desk of the real shop, in an agent's browser."""

    def sign_in(self, name: str, password: str) -> Desk:
        self.page.goto(f"{self.desk.url}desk")
        self.page.get_by_label("Name or e-mail").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.locator("body[data-link=up]")).to_be_visible()
        return self

    def shot(self, name: str) -> None:
        """Kept for people to look at."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(SHOTS / f"desk-{name}.png"), animations="disabled")


@contextlib.contextmanager
def open_desk_shop(home: Path) -> Iterator[WebChatShop]:
    """With the hours of the desk such that somebody may always be there: a test must not ask what time it is."""
    data = home.parent / f"{home.name}-data"
    shutil.copytree(ROOT / "data", data)
    _never_close(data / "policies" / "support.yml")
    with open_shop(home, TENDERO_DATA=str(data)) as shop:
        yield shop


def _never_close(file: Path) -> None:
    yaml = YAML()
    content = yaml.load(file)
    content["calendar"]["support"] |= {"hours": ALWAYS, "holidays": [], "special_hours": {}}
    yaml.dump(content, file)


def password_of(shop: WebChatShop) -> str:
    said = (shop.running.home / PASSWORD_FILE).read_text()
    found = re.search(r"\S{12,}", said)
    assert found is not None, said
    return found[0]


def agents_page(browser: Browser, shop: WebChatShop, name: str, size: ViewportSize = DESKTOP) -> Desk:
    """A browser of an agent's own, signed in."""
    context: BrowserContext = browser.new_context(locale="en-US", viewport=size)
    context.set_default_timeout(PATIENCE)
    page: Page = context.new_page()
    return Desk(page, Place(f"{shop.url}/")).sign_in(name, password_of(shop))  # type: ignore[arg-type]


def agents_desk(browser: Browser, shop: WebChatShop, name: str) -> Iterator[Desk]:
    """For a fixture: wide enough for three panes; nothing may go wrong in the page."""
    desk = agents_page(browser, shop, name, WIDE)
    faults: list[str] = []
    desk.page.on("pageerror", lambda error: faults.append(str(error)))
    desk.page.on("console", lambda message: faults.append(message.text) if "Content Security" in message.text else None)
    yield desk
    desk.page.context.close()
    assert faults == []


def shoppers_chat(browser: Browser, shop: WebChatShop) -> Iterator[Chat]:
    """For a fixture: the demo shop's page in a shopper's browser, with the chat open."""
    context = browser.new_context(base_url=shop.url, locale="en-US")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto("/")
    yield Chat(page).open()
    context.close()


def newest_handoff(shop: WebChatShop) -> int:
    [[id_]] = shop.rows("select max(id) from handoff")
    return int(id_)


def take(desk: Desk, id_: int) -> None:
    desk.visit(f"queue/{id_}")
    desk.conversation.locator(".moves").get_by_role("button", name="Take", exact=True).click()
    expect(desk.box).to_be_focused()


def until(what: Callable[[], Any], seconds: float = PATIENCE / 1000) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not become so"
        time.sleep(0.2)


def until_said(person: Any, pattern: str) -> None:
    """On WhatsApp, by the shop."""
    said = re.compile(pattern, re.IGNORECASE)
    until(lambda: any(each["by"] == "shop" and said.search(str(each.get("shown"))) for each in person.entries))
