"""The widget on a shop's page: the launcher, the attributes, what the page may call, and the chat as a whole page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.colours import contrast
from tests.browser.stand_in import until
from tests.browser.webchat_stand_in import WebChatStandIn
from tests.browser.widget import DESKTOP, PHONE, Widget

WIDGET = "document.querySelector('tendero-chat')"
EVENTS = """window.events = []; for (const name of ["open", "close", "unread", "message"])
  addEventListener(`tendero-${name}`, ({ detail }) => events.push([name, detail]));"""
LAYOUT_SHIFT = """window.shifts = 0;
new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => (shifts += value)))
  .observe({ type: "layout-shift", buffered: true });"""
COLOURS = "each => [getComputedStyle(each).color, getComputedStyle(each).backgroundColor]"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJDLTEwMDEifQ.c2lnbmVk"


# --- Opening and closing ---


def test_focus_goes_into_the_panel_and_back_to_the_launcher(widget: Widget) -> None:
    expect(widget.launcher).to_have_accessible_name("Open the chat")
    widget.launcher.press("Enter")
    expect(widget.box).to_be_focused()
    expect(widget.launcher).to_be_hidden()
    widget.page.keyboard.press("Escape")
    expect(widget.panel).to_have_count(0)
    expect(widget.launcher).to_be_focused()
    widget.launcher.press("Enter")
    widget.button("Close the chat").click()
    expect(widget.launcher).to_be_focused()


def test_launcher_needs_nothing_but_its_own_file(page: Page, shop: WebChatStandIn) -> None:
    waiting: list[Route] = []
    is_slow = True
    page.route(re.compile("/webhooks/"), lambda route: waiting.append(route) if is_slow else route.continue_())
    widget = Widget(page, shop).visit()
    expect(widget.launcher).to_be_visible()
    expect(widget.launcher).to_have_accessible_name("Chat")
    widget.launcher.click()
    expect(widget.launcher).to_have_attribute("aria-busy", "true")
    is_slow = False
    for route in waiting:
        route.continue_()
    expect(widget.box).to_be_focused()


@pytest.mark.parametrize("lost", ["/webhooks/", "/composer.js"])
def test_launcher_that_could_not_load_the_panel_can_be_tapped_again(page: Page, shop: WebChatStandIn, lost: str) -> None:
    page.route(re.compile(lost), lambda route: route.abort())
    widget = Widget(page, shop).visit()
    widget.launcher.click()
    expect(widget.launcher).to_have_text("↻")
    page.unroute_all()
    widget.launcher.click()
    expect(widget.panel).to_be_visible()
    widget.button("Close the chat").click()
    expect(widget.launcher).to_have_text("")


def test_panel_is_ready_before_the_tap_of_whoever_points_at_the_launcher(page: Page, shop: WebChatStandIn) -> None:
    page.add_init_script("window.requestIdleCallback = () => 0")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    widget = Widget(page, shop).visit()
    page.wait_for_timeout(200)
    assert "view.js" not in asked
    widget.launcher.hover()
    until(lambda: page.evaluate("1") and {"connection.js", "en.json"} <= set(asked))
    assert shop.conversations == []  # nobody is a visitor before there is something to say


def test_page_is_not_moved_by_the_widget(page: Page, shop: WebChatStandIn) -> None:
    page.add_init_script(LAYOUT_SHIFT)
    widget = Widget(page, shop).visit(body="<p>Much to see</p>" * 80)
    size = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    before = page.evaluate(f"() => {{ {WIDGET}.hidden = true; const size = {size}; {WIDGET}.hidden = false; return size }}")
    widget.open()
    widget.say("hello")
    expect(widget.entries).to_have_count(2)
    assert page.evaluate(size) == before
    assert page.evaluate("shifts") == 0


def test_panel_is_open_on_the_next_page_of_the_shop_too(widget: Widget) -> None:
    widget.shop.pages["/other"] = widget.shop.pages["/"]
    widget.open()
    widget.page.goto(f"{widget.shop.url}other")
    expect(widget.panel).to_be_visible()
    expect(widget.box).not_to_be_focused()  # the shopper asked for the page, not for the chat
    widget.button("Close the chat").click()
    widget.page.reload()
    expect(widget.launcher).to_be_visible()
    expect(widget.panel).to_have_count(0)


# --- What is new ---


def test_unread_messages_are_counted_on_the_launcher_and_in_the_title_where_the_page_allows(widget: Widget) -> None:
    widget.visit("data-title-badge").open()
    widget.shows("one")
    widget.button("Close the chat").click()
    expect(widget.badge).to_be_hidden()
    widget.shop.say("two")
    widget.shop.say("three")
    expect(widget.badge).to_have_text("2")
    expect(widget.launcher).to_have_accessible_name("Open the chat, 2 new")
    expect(widget.page).to_have_title("(2) Shop")
    widget.page.reload()
    expect(widget.badge).to_have_text("2")
    widget.launcher.click()
    expect(widget.entries).to_have_count(3)
    expect(widget.page).to_have_title("Shop")
    until(lambda: [frame["seq"] for frame in widget.shop.sent("read")][-1] == 3)


def test_title_of_a_page_that_has_not_allowed_it_stays(widget: Widget) -> None:
    widget.open()
    widget.button("Close the chat").click()
    widget.shop.say("two")
    expect(widget.badge).to_have_text("1")
    expect(widget.page).to_have_title("Shop")


def test_nobody_is_connected_before_they_open_the_chat(widget: Widget) -> None:
    expect(widget.launcher).to_have_accessible_name("Open the chat")  # all is loaded
    widget.page.wait_for_timeout(300)
    assert widget.shop.attempts == []


# --- Attributes ---


def test_words_are_those_of_the_attribute_else_of_the_page_else_of_the_browser(browser: Browser, shop: WebChatStandIn) -> None:
    context = browser.new_context(locale="pt-BR")
    widget = Widget(context.new_page(), shop)
    for attributes, language, name in (
        ('data-language="es"', "en", "Abrir el chat"),
        ("", "nn-NO", "Åpne chatten"),
        ("", "", "Abrir o chat"),
        ("", "fi", "Abrir o chat"),
    ):
        widget.visit(attributes, language=language)
        expect(widget.launcher).to_have_accessible_name(name)
    context.close()


def test_language_can_be_changed_while_the_panel_is_open(chat: Widget) -> None:
    chat.say("hello")
    expect(chat.entries).to_have_count(2)
    chat.host.evaluate("chat => { chat.dataset.language = 'nb' }")
    expect(chat.page.get_by_label("Skriv en melding")).to_be_visible()
    assert chat.texts() == ["hello", "re: hello"]
    chat.say("hei")
    expect(chat.entries).to_have_count(4)


def test_title_greeting_and_ideas_are_the_pages(widget: Widget) -> None:
    widget.visit('data-title="Zapatería" data-greeting="What are you looking for?" data-ideas="Red shoes | Blue shoes"').open()
    expect(widget.panel).to_have_accessible_name("Zapatería")
    expect(widget.panel.get_by_role("heading")).to_have_text("Zapatería")
    expect(widget.log.locator(".welcome .text")).to_have_text("What are you looking for?")
    expect(widget.log.locator(".idea")).to_have_text(["Red shoes", "Blue shoes"])
    widget.button("Blue shoes").click()
    until(lambda: widget.shop.texts() == ["Blue shoes"])


def test_launcher_has_a_text_or_is_left_out(widget: Widget) -> None:
    widget.visit('data-launcher="Ask us"')
    expect(widget.launcher).to_have_text("Ask us")
    expect(widget.launcher).to_have_accessible_name(re.compile("^Ask us"))
    widget.visit('data-launcher="none"')
    expect(widget.launcher).to_be_hidden()
    widget.page.evaluate(f"{WIDGET}.open()")
    expect(widget.box).to_be_focused()
    widget.button("Close the chat").click()
    expect(widget.launcher).to_be_hidden()


@pytest.mark.parametrize(
    ("position", "direction", "is_left"),
    [("end", "ltr", False), ("start", "ltr", True), ("end", "rtl", True), ("left", "rtl", True), ("right", "rtl", False)],
)
def test_corner_is_the_pages_choice(widget: Widget, position: str, direction: str, is_left: bool) -> None:
    widget.visit(f'data-position="{position}"', direction=direction)
    for place in (widget.launcher, widget.panel):
        box = place.bounding_box()
        assert box
        assert (box["x"] < DESKTOP["width"] / 2 - 200) == is_left
        edge = box["x"] if is_left else DESKTOP["width"] - box["x"] - box["width"]
        assert edge == 20
        widget.page.evaluate(f"{WIDGET}.open()")
        expect(widget.panel).to_be_visible()


def test_offsets_and_size_are_the_pages_choice(widget: Widget) -> None:
    style = "tendero-chat { --tendero-offset-x: 50px; --tendero-width: 500px; --tendero-radius: 3px }"
    widget.visit(head=f"<style>{style}</style>").open()
    box = widget.panel.bounding_box()
    assert box
    assert (box["width"], DESKTOP["width"] - box["x"] - box["width"]) == (500, 50)
    assert widget.panel.evaluate("panel => getComputedStyle(panel).borderRadius") == "3px"


def test_parts_can_be_styled_by_the_page(widget: Widget) -> None:
    widget.visit(head="<style>tendero-chat::part(header) { background: rgb(1, 2, 3) }</style>").open()
    assert widget.panel.locator(".top").evaluate("top => getComputedStyle(top).backgroundColor") == "rgb(1, 2, 3)"


@pytest.mark.parametrize("colour", ["#ffd54a", "navy", "#7a2048", "rgb(255, 255, 255)", "#000", "hsl(120 60% 45%)", "#777777"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accent_can_be_read_whatever_it_is(widget: Widget, colour: str, scheme: Any) -> None:
    widget.page.emulate_media(color_scheme=scheme)
    widget.visit(f'data-colour="{colour}"').open()
    widget.shop.reply = lambda _frame: None
    widget.say("Some words")
    until(lambda: widget.shop.texts())
    idea = widget.shows({"kind": "choices", "choices": [{"index": 0, "title": "Yes"}]}).locator(".choice")
    for place in (widget.entries.first.locator(".text"), idea, widget.button("Send"), widget.launcher):
        assert contrast(*place.evaluate(COLOURS)) >= 4.5


def test_what_is_no_colour_is_left_alone(widget: Widget) -> None:
    widget.visit('data-colour="red;} * {display:none"').open()
    assert widget.button("Send").evaluate("send => getComputedStyle(send).backgroundColor") == "rgb(31, 86, 80)"


def test_scheme_can_be_the_pages(widget: Widget) -> None:
    widget.page.emulate_media(color_scheme="dark")
    ground = "panel => getComputedStyle(panel).backgroundColor"
    assert widget.open().panel.evaluate(ground) == "rgb(22, 32, 33)"
    widget.host.evaluate("chat => { chat.dataset.scheme = 'light' }")
    assert widget.panel.evaluate(ground) == "rgb(255, 253, 250)"


def test_panel_that_opens_itself_leaves_the_focus_and_stays_closed_once_closed(widget: Widget) -> None:
    widget.visit("data-open")
    expect(widget.panel).to_be_visible()
    assert widget.page.evaluate("document.activeElement.tagName") == "BODY"
    widget.button("Close the chat").click()
    widget.page.reload()
    expect(widget.launcher).to_be_visible()
    widget.page.wait_for_timeout(300)
    expect(widget.panel).to_have_count(0)


# --- Who is signed in to the shop ---


def test_customers_token_is_shown_to_the_assistant(widget: Widget) -> None:
    widget.visit(f'data-customer-token="{JWT}"').open()
    assert widget.shop.sent("hello")[0]["jwt"] == JWT


def test_customers_token_comes_from_a_function_of_the_page_and_is_asked_for_again(page: Page, shop: WebChatStandIn) -> None:
    page.add_init_script("window.asked = 0; window.shopToken = async () => (asked++ ? 'new' : 'old')")
    widget = Widget(page, shop).visit('data-customer-token="shopToken"').open()
    until(lambda: [frame["jwt"] for frame in shop.sent("identify")] == ["new"])
    assert shop.sent("hello")[0]["jwt"] == "old"
    widget.say("hello")
    expect(widget.entries).to_have_count(2)


def test_function_that_fails_keeps_nobody_from_writing(page: Page, shop: WebChatStandIn) -> None:
    page.add_init_script("window.shopToken = () => { throw new Error('no') }")
    widget = Widget(page, shop).visit('data-customer-token="shopToken"').open()
    widget.say("hello")
    expect(widget.entries).to_have_count(2)
    assert "jwt" not in shop.sent("hello")[0]


# --- What the page may call, and learns ---


def test_page_opens_closes_and_speaks_through_the_element(page: Page, shop: WebChatStandIn) -> None:
    page.add_init_script(EVENTS)
    widget = Widget(page, shop).visit()
    page.evaluate(f"{WIDGET}.say('Is it there in blue?')")
    until(lambda: shop.conversations and shop.texts() == ["Is it there in blue?"])
    expect(widget.badge).to_have_text("1")
    expect(widget.panel).to_have_count(0)
    page.evaluate(f"{WIDGET}.open()")
    expect(widget.entries).to_have_count(2)
    expect(widget.box).to_be_focused()
    page.evaluate(f"{WIDGET}.close()")
    expect(widget.panel).to_have_count(0)
    assert page.evaluate("events") == [
        ["message", {"by": "assistant", "text": "re: Is it there in blue?"}],
        ["unread", {"count": 1}],
        ["open", {}],
        ["unread", {"count": 0}],
        ["close", {}],
    ]


def test_page_tells_who_has_signed_in_and_out(chat: Widget) -> None:
    chat.say("hello")
    expect(chat.entries).to_have_count(2)
    chat.page.evaluate(f"{WIDGET}.signIn('{JWT}')")
    until(lambda: [frame["jwt"] for frame in chat.shop.sent("identify")] == [JWT])
    chat.page.evaluate(f"{WIDGET}.signOut()")
    expect(chat.entries).to_have_count(0)
    assert len(chat.shop.sent("sign_out")) == 1


def test_element_that_a_page_takes_away_and_brings_back_goes_on(chat: Widget) -> None:
    chat.say("hello")
    expect(chat.entries).to_have_count(2)
    chat.page.evaluate(f"void (window.kept = {WIDGET}).remove()")
    until(lambda: chat.shop.links() == 0)
    chat.page.evaluate("document.body.append(kept)")
    chat.say("again")
    expect(chat.entries).to_have_count(4)


# --- A whole page ---


FULL_PAGE = "<style>html, body, div { height: 100%; margin: 0 } main { display: none }</style>"


def test_page_mode_fills_its_parent_and_cannot_be_closed(widget: Widget) -> None:
    body = '<div><tendero-chat mode="page" data-title="Chat"></tendero-chat></div>'
    widget.visit(head=FULL_PAGE, body=body)
    expect(widget.box).to_be_visible()
    expect(widget.box).to_be_focused()
    assert widget.panel.bounding_box() == {"x": 0, "y": 0, **DESKTOP}
    expect(widget.host).to_have_count(1)
    expect(widget.panel).to_have_role("region")
    expect(widget.launcher).to_have_count(0)
    expect(widget.button("Close the chat")).to_have_count(0)
    widget.say("hello")
    expect(widget.entries).to_have_count(2)
    widget.page.keyboard.press("Escape")
    expect(widget.panel).to_be_visible()


def test_phone_has_the_whole_screen_and_large_letters_to_type(browser: Browser, shop: WebChatStandIn) -> None:
    context = browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True, reduced_motion="reduce")
    widget = Widget(context.new_page(), shop).visit()
    widget.launcher.tap()
    expect(widget.panel).to_be_visible()
    assert widget.panel.bounding_box() == {"x": 0, "y": 0, **PHONE}
    expect(widget.panel).to_have_attribute("aria-modal", "true")
    expect(widget.box).not_to_be_focused()  # the keyboard would cover what there is to read
    assert widget.box.evaluate("box => parseFloat(getComputedStyle(box).fontSize)") >= 16
    expect(widget.button("Take a photo")).to_be_visible()
    widget.page.reload()
    expect(widget.launcher).to_be_visible()
    expect(widget.panel).to_have_count(0)  # on a phone it would cover the page that was asked for
    context.close()


def test_panel_gives_way_to_the_phones_keyboard(browser: Browser, shop: WebChatStandIn) -> None:
    context: BrowserContext = browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True, reduced_motion="reduce")
    page = context.new_page()
    page.add_init_script(
        """const seen = Object.assign(new EventTarget(), { height: 844, offsetTop: 0, scale: 1 });
        Object.defineProperty(window, "visualViewport", { value: seen });"""
    )
    widget = Widget(page, shop).visit()
    widget.launcher.tap()
    expect(widget.panel).to_be_visible()
    page.evaluate("Object.assign(visualViewport, { height: 420, offsetTop: 30 }).dispatchEvent(new Event('resize'))")
    assert widget.panel.bounding_box() == {"x": 0, "y": 30, "width": PHONE["width"], "height": 420}
    expect(widget.box).to_be_in_viewport()
    context.close()


def test_page_that_says_its_language_late_takes_the_text_from_nobody(chat: Widget) -> None:
    chat.box.press_sequentially("hel")
    chat.host.evaluate("chat => chat.dataset.language = 'es'")
    expect(chat.panel.get_by_role("button", name="Enviar", exact=True)).to_be_visible()
    expect(chat.box).to_be_focused()
    expect(chat.box).to_have_value("hel")
