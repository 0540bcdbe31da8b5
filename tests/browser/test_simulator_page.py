"""The simulated phone in a real browser, with a shop that says what the test tells it to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from tests.browser.colours import COLOURS, contrast
from tests.browser.widget import PHONE
from tests.tendero.simulator.fixtures import _both, emma, whatsapp
from tests.tendero.simulator.fixtures import shop as taken
from tests.tendero.simulator.receiver import Receiver
from tests.whatsapp_simulator import PHONE_NUMBER_ID, Person, Simulator

__all__ = ["_both", "emma", "taken", "whatsapp"]  # fixtures; this folder's own `shop` is another

DESKTOP = ViewportSize(width=1280, height=900)
EMMA = "+12025550101"
NASTY = "<img src=x onerror=alert(1)> *bold* javascript:alert(1) https://shop.example/a?b=1."
READ = [
    ("ink", "card"), ("ink", "paper"), ("ink", "theirs"), ("ink", "mine"),
    ("quiet", "card"), ("quiet", "paper"), ("quiet", "theirs"),
    ("blue", "card"), ("blue", "theirs"), ("blue", "mine"), ("on-blue", "blue"), ("read", "theirs"), ("read", "mine"),
    ("alarm", "card"), ("alarm", "paper"), ("alarm", "theirs"),
]  # fmt: skip


@pytest.fixture(params=[PHONE, DESKTOP], ids=["phone", "desktop"])
def page(request: pytest.FixtureRequest, browser: Browser, whatsapp: Simulator) -> Iterator[Page]:
    """Emma's chat, open. No script may fail and nothing may offend the security policy."""
    context = browser.new_context(viewport=request.param, locale="en-US")
    context.set_default_timeout(8000)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if "Security Policy" in message.text else None)
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.goto(f"{whatsapp.url}/")
    choose(page, "Emma Johnson")
    yield page
    assert page.evaluate("document.documentElement.scrollWidth") <= request.param["width"]
    assert faults == []
    context.close()


def choose(page: Page, name: str) -> None:
    if page.locator("#show-people").is_visible():
        page.locator("#show-people").click()
    page.get_by_role("navigation", name="Shoppers").get_by_role("button", name=name).click()
    expect(page.locator("#writing-as")).to_contain_text(name)


def say(page: Page, text: str) -> None:
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")


def last(page: Page) -> Locator:
    return page.locator(".message").last


def send(whatsapp: Simulator, kind: str, content: Any, to: str = EMMA) -> str:
    answer = whatsapp.send({"to": to, "type": kind, kind: content})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["messages"][0]["id"])


def test_message_goes_to_the_shop_and_its_reply_is_read(page: Page, whatsapp: Simulator, taken: Receiver) -> None:
    say(page, "Where is my order?")
    message = taken.wait(lambda: taken.items())[0]
    assert message["text"]["body"] == "Where is my order?"
    expect(last(page).get_by_title("Delivered")).to_be_visible()
    whatsapp.send({"status": "read", "message_id": message["id"], "typing_indicator": {"type": "text"}})
    expect(last(page).get_by_title("Read")).to_be_visible()
    expect(page.locator("#typing")).to_be_visible()
    replied = send(whatsapp, "text", {"body": "On its *way*"})
    expect(last(page).locator(".text")).to_have_text("On its way")
    expect(last(page).locator("b")).to_have_text("way")
    expect(page.locator("#typing")).to_be_hidden()
    taken.wait(lambda: "read" in taken.statuses(replied))


def test_buttons_are_tapped_and_come_as_replies(page: Page, whatsapp: Simulator, taken: Receiver, emma: Person) -> None:
    emma.say("cancel it")
    buttons = [{"type": "reply", "reply": {"id": word.lower(), "title": word}} for word in ("Yes", "No")]
    send(whatsapp, "interactive", {"type": "button", "body": {"text": "Sure?"}, "action": {"buttons": buttons}})
    page.get_by_role("button", name="Yes").click()
    expect(last(page).locator(".text")).to_have_text("Yes")
    reply = taken.wait(lambda: [item for item in taken.items() if item["type"] == "interactive"])[0]
    assert reply["interactive"]["button_reply"] == {"id": "yes", "title": "Yes"}


def test_row_is_picked_from_the_sheet_with_the_keyboard(page: Page, whatsapp: Simulator, taken: Receiver, emma: Person) -> None:
    emma.say("my orders")
    rows = [{"id": "o1", "title": "10231", "description": "Shirt"}, {"id": "o2", "title": "10232"}]
    action = {"button": "Orders", "sections": [{"rows": rows}]}
    send(whatsapp, "interactive", {"type": "list", "body": {"text": "Which?"}, "action": action})
    page.get_by_role("button", name="Orders").press("Enter")
    expect(page.get_by_role("dialog", name="Orders")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="10232").press("Enter")  # the sheet gave the focus back, though the message was marked read
    reply = taken.wait(lambda: [item for item in taken.items() if item["type"] == "interactive"])[0]
    assert reply["interactive"]["list_reply"] == {"id": "o2", "title": "10232"}


def test_whatever_is_written_is_shown_as_text(page: Page, whatsapp: Simulator, emma: Person) -> None:
    emma.say(NASTY)
    buttons = [{"type": "reply", "reply": {"id": "a", "title": "<b>Yes</b>"}}]
    content = {"type": "button", "body": {"text": NASTY}, "footer": {"text": "<i>x</i>"}, "action": {"buttons": buttons}}
    send(whatsapp, "interactive", content)
    expect(last(page).locator(".text")).to_have_text(NASTY.replace("*bold*", "bold"))
    expect(page.get_by_role("button", name="<b>Yes</b>")).to_be_visible()
    assert page.locator(".message img, .message .footer i").count() == 0
    assert last(page).locator("a").get_attribute("href") == "https://shop.example/a?b=1"
    link = {"name": "cta_url", "parameters": {"display_text": "Look", "url": "https://shop.example/"}}
    send(whatsapp, "interactive", {"type": "cta_url", "body": {"text": "See"}, "action": link})
    assert page.get_by_role("link", name="Look").get_attribute("href") == "https://shop.example/"


def test_everything_that_can_be_shown_is_shown(page: Page, whatsapp: Simulator, emma: Person) -> None:
    said = emma.say("hello")
    form = {"messaging_product": "whatsapp", "type": "application/pdf"}
    upload = whatsapp.graph(
        "POST", f"{PHONE_NUMBER_ID}/media", data=form, files={"file": ("a.pdf", b"%PDF-1.4", "application/pdf")}
    )
    send(whatsapp, "document", {"id": upload.json()["id"], "filename": "label.pdf", "caption": "Your label"})
    expect(page.get_by_role("link", name="label.pdf")).to_be_visible()
    send(whatsapp, "location", {"latitude": 40.4, "longitude": -3.7, "name": "Our store"})
    expect(last(page)).to_contain_text("Our store")
    send(whatsapp, "contacts", [{"name": {"formatted_name": "Ana", "first_name": "Ana"}, "phones": [{"phone": "+34 600"}]}])
    expect(last(page)).to_contain_text("Ana +34 600")
    send(
        whatsapp,
        "interactive",
        {"type": "location_request_message", "body": {"text": "Where?"}, "action": {"name": "send_location"}},
    )
    page.get_by_role("button", name="Send location").click()
    expect(last(page)).to_contain_text("Puerta del Sol")
    send(whatsapp, "reaction", {"message_id": said["id"], "emoji": "👍"})
    expect(page.locator(".message", has_text="hello").locator(".reactions")).to_have_text("👍")
    emma.send("image", caption="The hole")
    expect(last(page).get_by_role("img", name="Picture")).to_have_js_property("naturalWidth", 1)


def test_file_place_and_voice_are_attached(page: Page, taken: Receiver, whatsapp: Simulator) -> None:
    for name, kind in (
        ("Location", "location"),
        ("Voice note", "audio"),
        ("Sticker", "sticker"),
        ("My phone number", "contacts"),
    ):
        page.get_by_role("button", name="Attach").click()
        page.get_by_role("button", name=name).click()
        taken.wait(lambda kind=kind: [item for item in taken.items() if item["type"] == kind])
    page.get_by_role("button", name="Attach").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Picture or file").click()
    picture = bytes.fromhex("89504e470d0a1a0a") + bytes(100_000)
    chooser.value.set_files({"name": "hole.png", "mimeType": "image/png", "buffer": picture})
    image = taken.wait(lambda: [item for item in taken.items() if item["type"] == "image"])[0]["image"]
    assert whatsapp.graph("GET", image["id"]).json()["file_size"] == len(picture)


def test_after_24_hours_text_fails_and_says_so(page: Page, whatsapp: Simulator, emma: Person) -> None:
    emma.say("hello")
    expect(page.locator("#window")).to_have_text("")
    page.get_by_role("button", name="24 h later").click()
    expect(page.get_by_role("alert")).to_contain_text("24 hours later")
    send(whatsapp, "text", {"body": "Too late"})
    expect(last(page).locator(".failure")).to_contain_text("131047")
    expect(page.locator("#window")).to_contain_text("only send templates")


def test_inspector_shows_the_wire_and_what_was_refused(page: Page, whatsapp: Simulator, emma: Person) -> None:
    said = emma.say("hello")
    whatsapp.send({"to": EMMA, "type": "text", "text": {"body": "a" * 4097}})
    expect(page.locator("#alarm")).to_have_text("1")
    last(page).get_by_role("button", name="Details").click()
    expect(page.locator("#raw")).to_contain_text(said["id"])
    expect(page.locator("#raw")).to_be_focused()
    refused = page.get_by_role("complementary", name="Inspector").locator("details")
    expect(refused).to_contain_text("131009 text['body'] has length 4097")
    page.get_by_label("Phone is on").uncheck()
    send(whatsapp, "text", {"body": "Are you there?"})
    expect(page.locator(".message", has_text="Are you there?").get_by_title("Sent")).to_be_attached()
    page.get_by_role("button", name="Close the inspector").click()
    expect(page.get_by_role("button", name="Inspector", exact=True)).to_be_focused()


def test_other_shoppers_messages_wait_until_they_are_chosen(page: Page, whatsapp: Simulator, taken: Receiver) -> None:
    carlos = whatsapp.person("+34600000001")
    carlos.say("hola")
    waiting = send(whatsapp, "text", {"body": "¡Hola, Carlos!"}, to="+34600000001")
    expect(page.get_by_label("1 unread", exact=True)).to_be_attached()
    assert "read" not in taken.statuses(waiting)
    choose(page, "Carlos Ruiz")
    expect(last(page).locator(".text")).to_have_text("¡Hola, Carlos!")
    taken.wait(lambda: "read" in taken.statuses(waiting))
    assert page.get_by_text("Where is").count() == 0


def test_somebody_new_can_be_added_and_a_wrong_number_is_told(page: Page, whatsapp: Simulator) -> None:
    for number in ("12", "+44 7400 123456"):
        if page.locator("#show-people").is_visible():
            page.locator("#show-people").click()
        page.get_by_label("Somebody else").fill(number)
        page.get_by_role("button", name="Add").click()
        if number == "12":
            expect(page.locator("#told")).to_have_text("12 is no phone number with its country code")
            page.reload()
    expect(page.locator("#writing-as")).to_contain_text("+447400123456")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for ink, ground in READ:
        assert contrast(*page.evaluate(COLOURS, [ink, ground])) >= 4.5, (ink, ground)


def test_every_control_has_a_name(page: Page, whatsapp: Simulator, emma: Person) -> None:
    emma.say("hello")
    expect(last(page)).to_be_visible()
    nameless = """() => [...document.querySelectorAll('button, input, textarea, a, img, dialog')].filter(each =>
        !(each.ariaLabel || each.labels?.length || each.textContent.trim() || each.hasAttribute('alt')
          || each.hasAttribute('aria-labelledby'))).map(each => each.outerHTML)"""
    assert page.evaluate(nameless) == []
