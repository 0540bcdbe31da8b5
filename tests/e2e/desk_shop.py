"""The shop with its desk as `tendero run` starts it, open day and night; shoppers write in the web chat and on WhatsApp."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect
from ruamel.yaml import YAML

from tests.browser.desk_page import DeskPage
from tests.browser.widget import DESKTOP
from tests.conversations.stage import ROOT
from tests.e2e.webchat_shop import PATIENCE, SHOTS, WebChatShop, open_shop

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
