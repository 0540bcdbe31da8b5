"""The widget is for everybody: WCAG 2.2 AA by axe at each of its states, keyboard alone, enlarged, mirrored, without motion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.browser import axe
from tests.browser.stand_in import until
from tests.browser.test_widget_parts import ORDERS, YES_NO, shirts
from tests.browser.webchat_stand_in import WebChatStandIn
from tests.browser.widget import DESKTOP, PHONE, PICTURE, PNG, Widget

KINDS: dict[str, dict[str, Any]] = {
    "text": {"kind": "text", "text": "Two:\n- https://shop.example/1\n- two"},
    "choices": YES_NO,
    "list": ORDERS,
    "picture": {"kind": "picture", "url": PICTURE, "text": "A shirt"},
    "file": {"kind": "file", "url": "/a.pdf", "name": "Return label.pdf", "text": "Your label"},
    "link": {"kind": "link", "text": "On its way", "title": "Track it", "url": "https://track.example/"},
    "cards": shirts(3),
    "place": {"kind": "place", "latitude": 1, "longitude": 2, "name": "Our store", "address": "Calle 1"},
    "place_request": {"kind": "place_request", "text": "Where are you?"},
    "date": {"kind": "date", "text": "Which day?"},
    "rating": {"kind": "rating", "text": "How was it?", "most": 5},
    "people": {"kind": "people", "people": [{"name": "Ana", "phones": ["+34 600"]}]},
}
TARGETS = """root => [...root.querySelectorAll("button, a, input, textarea")].filter((each) => each.getClientRects().length
  && !each.closest(".text, .row > div") && getComputedStyle(each).opacity !== "0").flatMap((each) => {
    const { width, height } = each.getBoundingClientRect();
    return width < 24 || height < 24 ? [`${each.outerHTML.slice(0, 80)} ${width}x${height}`] : []; })"""


def violations(widget: Widget) -> list[str]:
    """What axe finds in the chat."""
    return axe.violations(widget.page, [["tendero-chat"]])


@pytest.fixture(params=[(PHONE, "light"), (PHONE, "dark"), (DESKTOP, "light"), (DESKTOP, "dark")], ids=str)
def anywhere(request: pytest.FixtureRequest, browser: Browser, shop: WebChatStandIn) -> Iterator[Widget]:
    """A phone and a desktop, light and dark."""
    size, scheme = request.param
    is_phone = size is PHONE
    context = browser.new_context(
        viewport=size, color_scheme=scheme, reduced_motion="reduce", has_touch=is_phone, is_mobile=is_phone, locale="en-US"
    )
    context.set_default_timeout(8000)
    # axe is put into the page, which the strict policy of the other tests forbids.
    yield Widget(context.new_page(), shop).visit(head="")
    context.close()


def test_axe_finds_nothing_at_any_state(anywhere: Widget) -> None:
    widget = anywhere
    expect(widget.launcher).to_have_accessible_name("Open the chat")
    assert violations(widget) == [], "launcher"
    widget.open()
    assert violations(widget) == [], "open"
    for kind, part in KINDS.items():
        widget.shows(part)
        assert violations(widget) == [], kind
    assert widget.panel.evaluate(TARGETS) == []
    widget.page.locator("input[type=file]").first.set_input_files(
        [{"name": "a.png", "mimeType": "image/png", "buffer": PNG}, {"name": "a.exe", "mimeType": "x/y", "buffer": PNG}]
    )
    until(lambda: widget.shop.files)
    assert violations(widget) == [], "files"
    widget.shop.hold()
    widget.say("Look https://shop.example/")
    expect(widget.panel.get_by_text("The assistant is typing")).to_be_attached()
    assert violations(widget) == [], "own words, spent parts, typing"
    widget.button("Menu", exact=True).click()
    expect(widget.panel.locator(".menu")).to_be_visible()
    assert violations(widget) == [], "menu"
    widget.menu("New conversation").click()
    expect(widget.page.get_by_role("alertdialog")).to_be_visible()
    assert violations(widget) == [], "question"
    widget.page.keyboard.press("Escape")
    widget.shop.refuse("say", "too_long")
    widget.say("too long")
    expect(widget.panel.locator(".mend")).to_be_visible()
    assert violations(widget) == [], "refused"
    widget.panel.locator(".picture").first.click()
    expect(widget.page.locator(".lightbox")).to_be_visible()
    assert violations(widget) == [], "picture"
    widget.page.keyboard.press("Escape")
    widget.button("Close the chat").click()
    widget.shop.say("News")
    expect(widget.badge).to_have_text("1")
    assert violations(widget) == [], "badge"


# --- Screen readers ---


def test_only_what_comes_while_it_is_open_is_read_out(chat: Widget) -> None:
    live = "entry => entry.parentElement.closest('[aria-live]').ariaLive"
    chat.say("hello")
    expect(chat.entries).to_have_count(2)
    assert (
        chat.entries.evaluate_all("all => all.map(each => each.parentElement.closest('[aria-live]').ariaLive)") == ["polite"] * 2
    )
    chat.page.reload()
    expect(chat.entries).to_have_count(2)
    assert chat.last.evaluate(live) == "off"
    chat.is_connected()
    assert chat.shows("News").evaluate(live) == "polite"
    chat.button("Close the chat").click()
    chat.shop.say("Said while it was closed")
    expect(chat.badge).to_have_text("1")
    chat.launcher.click()
    expect(chat.entries).to_have_count(4)
    chat.menu("New conversation").click()
    chat.page.get_by_role("alertdialog").get_by_role("button", name="New conversation").click()
    expect(chat.entries).to_have_count(0)
    assert chat.shows("The first of a new one").evaluate(live) == "polite"


def test_who_speaks_is_said_to_those_who_do_not_see_it(chat: Widget) -> None:
    chat.say("hello")
    expect(chat.entries.nth(1)).to_contain_text("Assistant: re: hello")
    expect(chat.entries.first).to_contain_text("You: hello")


# --- Keyboard ---


def test_everything_can_be_done_with_the_keyboard_alone(widget: Widget) -> None:
    page = widget.page
    expect(widget.launcher).to_have_accessible_name("Open the chat")
    page.keyboard.press("Tab")  # the shop's link
    page.keyboard.press("Tab")
    expect(widget.launcher).to_be_focused()
    page.keyboard.press("Enter")
    expect(widget.box).to_be_focused()
    widget.is_connected()
    widget.shop.reply = lambda _frame: [YES_NO]
    page.keyboard.type("cancel")
    page.keyboard.press("Enter")
    widget.button("No", exact=True).wait_for()
    page.keyboard.press("Shift+Tab")  # files
    page.keyboard.press("Shift+Tab")
    expect(widget.button("No", exact=True)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    widget.shop.reply = lambda _frame: None
    page.keyboard.press("Enter")
    expect(widget.button("Yes (chosen)")).to_be_disabled()
    expect(widget.box).to_be_focused()
    widget.button("Menu", exact=True).focus()
    page.keyboard.press("Enter")
    first = widget.panel.locator(".menu button").first
    expect(first).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(widget.button("Menu", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(widget.panel.locator(".menu")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(first).to_be_focused()
    for _ in range(len(widget.panel.locator(".menu button").all())):
        page.keyboard.press("Tab")
    expect(widget.panel.locator(".menu")).to_be_hidden()  # it does not lie over what has the focus
    page.keyboard.press("Escape")
    expect(widget.launcher).to_be_focused()


def test_focus_leaves_the_panel_beside_the_page_and_stays_in_the_one_that_covers_it(widget: Widget) -> None:
    page = widget.page
    widget.open()
    page.keyboard.press("Tab")  # send
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") != "TENDERO-CHAT"
    page.set_viewport_size(PHONE)
    widget.button("Send", exact=True).focus()
    page.keyboard.press("Tab")
    expect(widget.button("Menu", exact=True)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(widget.button("Send", exact=True)).to_be_focused()


def test_question_keeps_the_focus_and_gives_it_back(chat: Widget) -> None:
    chat.menu("End the conversation").focus()
    chat.page.keyboard.press("Enter")
    sheet = chat.page.get_by_role("alertdialog")
    expect(sheet.get_by_role("button", name="Keep this one")).to_be_focused()
    assert chat.panel.locator(":scope > *").evaluate_all(
        "all => all.filter(each => !each.inert).map(each => each.className)"
    ) == ["cover"]
    chat.page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    expect(chat.button("Menu", exact=True)).to_be_focused()
    expect(chat.panel).to_be_visible()


# --- Sizes, motion, directions ---


@pytest.mark.parametrize(
    ("size", "scale"),
    [
        (ViewportSize(width=640, height=400), "200%"),
        (ViewportSize(width=320, height=256), "400%"),
        (ViewportSize(width=320, height=568), "small phone"),
        (DESKTOP, "100%"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nothing_is_cut_off_when_the_page_is_enlarged(widget: Widget, size: ViewportSize, scale: str) -> None:
    """As a window of 1280 pixels is at this scale."""
    widget.page.set_viewport_size(size)
    widget.open()
    for part in KINDS.values():
        widget.shows(part)
    long = [{"index": number, "title": f"A rather long choice {number} " * 3} for number in range(3)]
    widget.shows("w" * 200 + " https://shop.example/" + "a" * 200, {"kind": "choices", "choices": long})
    for place in (".panel", ".log", ".composer", ".top"):
        assert widget.page.locator(f"tendero-chat {place}").evaluate("each => each.scrollWidth <= each.clientWidth"), place
    assert widget.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    expect(widget.box).to_be_in_viewport(ratio=1)
    expect(widget.button("Send", exact=True)).to_be_in_viewport(ratio=1)
    assert widget.log.evaluate("log => log.clientHeight") >= 80
    widget.menu("New conversation").click()
    expect(widget.page.get_by_role("alertdialog").get_by_role("button", name="New conversation")).to_be_in_viewport(ratio=1)


def test_letters_grow_with_those_of_the_browser_not_with_the_pages_root(widget: Widget) -> None:
    widget.visit(head="<style>html { font-size: 62.5% }</style>").open()
    assert widget.log.locator(".welcome .text").evaluate("text => getComputedStyle(text).fontSize") == "16px"
    session = widget.page.context.new_cdp_session(widget.page)
    session.send("Page.setFontSizes", {"fontSizes": {"standard": 32}})
    assert widget.log.locator(".welcome .text").evaluate("text => getComputedStyle(text).fontSize") == "32px"
    assert widget.panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth")
    expect(widget.button("Send", exact=True)).to_be_in_viewport(ratio=1)


def test_nothing_moves_where_motion_is_unwelcome(chat: Widget) -> None:
    chat.shop.hold()
    chat.say("hello")
    dot = chat.panel.locator(".typing i").first
    expect(dot).to_be_visible()
    name = "each => getComputedStyle(each).animationName"
    assert [dot.evaluate(name), chat.panel.evaluate(name)] == ["breathe", "rise"]
    chat.page.emulate_media(reduced_motion="reduce")
    assert [dot.evaluate(name), chat.panel.evaluate(name)] == ["none", "none"]


def test_bubbles_and_switches_have_edges_in_forced_colours(chat: Widget) -> None:
    chat.page.emulate_media(forced_colors="active")
    chat.say("hello")
    for place in (chat.entries.first.locator(".text"), chat.button("Send"), chat.panel):
        assert place.evaluate("each => parseFloat(getComputedStyle(each).borderTopWidth)") >= 1
    chat.button("Menu", exact=True).click()
    knob = chat.panel.get_by_role("switch", name="Sound").locator("i")
    grounds = "[getComputedStyle(knob, '::before').backgroundColor, getComputedStyle(knob.closest('.menu')).backgroundColor]"
    knobs, menus = knob.evaluate(f"knob => {grounds}")
    assert knobs != menus


def test_everything_is_mirrored_from_right_to_left(widget: Widget) -> None:
    widget.visit(direction="rtl").open()
    widget.say("שלום")
    expect(widget.entries).to_have_count(2)
    own, reply = (widget.entries.nth(index).locator(".text").bounding_box() for index in (0, 1))
    send, clip = widget.button("Send", exact=True).bounding_box(), widget.button("Add a picture or file").bounding_box()
    assert own
    assert reply
    assert send
    assert clip
    assert own["x"] < reply["x"]
    assert send["x"] < clip["x"]
    shelf = widget.shows(shirts(3)).locator(".shelf")
    widget.page.emulate_media(reduced_motion="reduce")
    widget.button("More").click()
    until(lambda: shelf.evaluate("shelf => shelf.scrollLeft") < -100)
    assert widget.log.evaluate("log => log.scrollWidth <= log.clientWidth")
