"""The review's page in a real browser, on stored conversations and files of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from database import Base, engine_for
from tests.browser.colours import COLOURS, contrast
from tests.browser.widget import PHONE
from tests.tendero.review_page import served_by_a_process
from tests.tendero.talks import missed, small_project, talk, understood

DESKTOP = ViewportSize(width=1280, height=900)
NASTY = "<img src=x onerror=alert(1)> not <b>my</b> parcel"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return small_project(tmp_path / "project")


@pytest.fixture
def address(tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    url = f"sqlite:///{tmp_path / 'tendero.db'}"
    monkeypatch.setenv("TENDERO_DATABASE_URL", url)
    Base.metadata.create_all(engine_for(url))
    for sender in ("web-1", "web-2"):
        talk(url, sender, understood("hello there mate", "greet", reply="Hi!"), missed("wheres me parcel 10388"))
    talk(url, "web-3", missed(NASTY), days_ago=3)
    talk(url, "web-4", missed("sing me a song mate"), days_ago=9)
    with served_by_a_process(project) as address:
        yield address


@pytest.fixture(params=[PHONE, DESKTOP], ids=["phone", "desktop"])
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    """The page, open. No script may fail and nothing may offend the security policy."""
    context = browser.new_context(viewport=request.param)
    context.set_default_timeout(5000)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if "Security Policy" in message.text else None)
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.goto(address)
    expect(page.locator(".suggestions button").first).to_be_visible()
    yield page
    assert faults == []
    context.close()


def rows(page: Page) -> list[str]:
    return page.locator(".said").all_text_contents()


def test_everything_is_done_with_the_keyboard_and_is_in_the_file(page: Page, project: Path) -> None:
    file = project / "data/nlu/en/orders.yml"
    before = file.read_bytes()
    page.keyboard.press("1")
    expect(page.locator("#status")).to_have_text("Written to data/nlu/en/orders.yml: wheres me parcel 10234")
    assert b"    - wheres me parcel 10234\n" in file.read_bytes()
    page.keyboard.press("u")
    expect(page.locator("#counts")).to_have_text("3 left · 0 assigned")
    assert file.read_bytes() == before
    page.keyboard.press("e")
    page.keyboard.press("End")
    page.keyboard.type(" please")  # letters are text here, not commands
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("cancel_order")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_text("Written to data/nlu/en/orders.yml: wheres me parcel 10234 please")
    page.keyboard.press("s")
    expect(page.locator("#counts")).to_have_text("1 left · 1 assigned")
    page.keyboard.press("n")
    expect(page.get_by_text("Nothing to review")).to_be_visible()
    assert "- sing me a song mate" in (project / "data/nlu/en/conversation.yml").read_text()


def test_what_a_shopper_wrote_is_shown_as_text_and_fits_the_screen(page: Page) -> None:
    assert rows(page) == ["wheres me parcel 10234", NASTY, "sing me a song mate"]
    expect(page.locator(".before")).to_have_text("shopperhello there mateassistantHi!")
    page.keyboard.press("j")
    expect(page.locator("#text")).to_have_value(NASTY)
    assert page.locator(".rows img, .rows b").count() == 0
    widest = page.evaluate("document.documentElement.scrollWidth")
    assert widest <= page.viewport_size["width"]  # type: ignore[index]


def test_key_stays_with_the_tab_and_leaves_the_address(page: Page, address: str, browser: Browser) -> None:
    origin, _, token = address.partition("/#")
    assert token
    assert page.url == f"{origin}/"
    page.reload()
    expect(page.locator(".suggestions button").first).to_be_visible()
    other = browser.new_page()
    other.goto(f"{origin}/")
    expect(other.locator("#status")).to_have_text("Open the address that the terminal shows.")
    assert rows(other) == []
    other.close()


def test_training_is_started_and_its_result_is_shown(page: Page) -> None:
    page.get_by_role("button", name="Train now").click()
    expect(page.locator("#status")).to_have_text("Trained 7 examples in 3 s; 1 problem to look at.")
    expect(page.get_by_role("listitem").filter(has_text="data/nlu/en/orders.yml:9: a problem")).to_be_visible()


def test_misspelt_intent_is_asked_back_and_nothing_is_lost(page: Page) -> None:
    page.locator("#text").fill("wheres me stuff")
    page.get_by_label("Another intent").fill("trak_ordr")
    page.get_by_role("button", name="Assign").click()
    expect(page.locator("#status")).to_contain_text("Is track_order or list_orders meant?")
    expect(page.locator("#text")).to_have_value("wheres me stuff")


READ = [
    ("ink", "card"),
    ("ink", "soft"),
    ("quiet", "card"),
    ("quiet", "paper"),
    ("quiet", "soft"),
    ("on-pine", "pine"),
    ("alarm", "paper"),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for ink, ground in READ:
        assert contrast(*page.evaluate(COLOURS, [ink, ground])) >= 4.5, (ink, ground)
