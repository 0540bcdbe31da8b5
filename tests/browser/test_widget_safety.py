"""Nothing that a shopper or the assistant says is more than text, and the widget is safe from the shop's page and policy."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stand_in import until
from tests.browser.test_widget_parts import shirts
from tests.browser.webchat_stand_in import WebChatStandIn, running
from tests.browser.widget import CSP, PICTURE, PNG, Widget, shop_page

EVIL = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
ADDRESSES = [
    "javascript:document.title='owned'",
    "data:text/html,<script>1</script>",
    " java\nscript:alert(1)",
    "vbscript:x",
    "//[",
    "",
]
MADE_BY_MARKUP = "script, iframe, object, [onerror], [onclick], [onmouseover], [style*=expression], b"
HOSTILE = """<style>
* { all: unset !important; font-size: 40px !important; color: red !important; display: none !important }
html { font-size: 300px; display: block !important } body { transform: none; display: block !important }
tendero-chat { display: none !important; position: static !important; opacity: 0 !important; transform: scale(3) !important }
button, textarea { width: 9px !important; letter-spacing: 20px !important }
</style>"""


def safe(widget: Widget) -> None:
    """Nothing ran, and nothing of it became an element."""
    expect(widget.page).to_have_title("Shop")
    expect(widget.panel.locator(MADE_BY_MARKUP)).to_have_count(0)
    hrefs = widget.panel.locator("[href], [src]").evaluate_all("all => all.map(each => each.href ?? each.src)")
    assert all(href.startswith(("http://", "https://")) for href in hrefs), hrefs


def test_markup_in_any_text_is_shown_as_text(chat: Widget) -> None:
    chat.say(EVIL)
    expect(chat.entries).to_have_count(2)
    choices = [{"index": 0, "title": EVIL, "description": EVIL, "section": EVIL}]
    chat.shows(
        {"kind": "text", "text": EVIL},
        {"kind": "choices", "text": EVIL, "header": EVIL, "footer": EVIL, "choices": choices},
        {"kind": "picture", "url": PICTURE, "text": EVIL},
        {"kind": "file", "url": "/a.pdf", "name": EVIL, "text": EVIL},
        {"kind": "link", "title": EVIL, "url": "https://shop.example/", "text": EVIL},
        {"kind": "place", "latitude": EVIL, "longitude": 1, "name": EVIL, "address": EVIL},
        {"kind": "date", "text": EVIL, "from": EVIL, "to": EVIL},
        {"kind": "rating", "text": EVIL, "most": EVIL},
        {"kind": "people", "people": [{"name": EVIL, "phones": [EVIL]}]},
        {"kind": EVIL, "text": EVIL},
        {"kind": "cards", "cards": [{"text": EVIL, "choices": [{"index": 1, "title": EVIL}], "links": []}]},
        by="agent",
        name=EVIL,
    )
    assert chat.texts()[0] == EVIL
    safe(chat)
    chat.page.reload()
    expect(chat.entries).to_have_count(3)
    assert chat.texts()[0] == EVIL
    chat.shop.happens("on_whatsapp", digits=EVIL)
    chat.shop.happens(EVIL)
    expect(chat.log.get_by_text("We go on in WhatsApp")).to_contain_text(EVIL)
    safe(chat)


@pytest.mark.parametrize("address", ADDRESSES)
def test_address_that_is_not_of_the_web_is_no_link(chat: Widget, address: str) -> None:
    card = {"text": "A shirt", "picture": address, "choices": [], "links": [{"title": "Look", "url": address}]}
    chat.shows(
        address or "-",
        {"kind": "picture", "url": address, "text": "A picture"},
        {"kind": "link", "title": "Look", "url": address, "picture": address, "text": "A link"},
        {"kind": "choices", "text": "Yes?", "picture": address, "choices": []},
        {"kind": "cards", "cards": [card]},
    )
    chat.shows({"kind": "file", "url": address, "name": "a.pdf"})
    expect(chat.log.locator("a, .picture")).to_have_count(0)
    expect(chat.last).to_contain_text("a.pdf")
    safe(chat)


def test_attribute_cannot_leave_its_place(chat: Widget) -> None:
    entry = chat.shows('https://a.example/"onmouseover="document.title=1')
    expect(entry.locator("a")).to_have_attribute("href", "https://a.example/")
    safe(chat)


def test_name_of_a_file_is_text(chat: Widget) -> None:
    name = "<b onclick=x>.png"
    chat.page.locator("input[type=file]").first.set_input_files({"name": name, "mimeType": "image/png", "buffer": PNG})
    until(lambda: chat.shop.files)
    expect(chat.panel.locator(".staged .name")).to_have_text(name)
    chat.page.locator("input[type=file]").first.set_input_files({"name": name, "mimeType": "text/html", "buffer": b"x"})
    expect(chat.alert).to_contain_text(name)
    safe(chat)


def test_words_of_the_widget_are_text(page: Page, shop: WebChatStandIn) -> None:
    def spoilt(route: Any) -> None:
        words = route.fetch().json()
        route.fulfill(json={key: [EVIL] if key == "ideas" else EVIL for key in words})

    page.route("**/words/*.json", spoilt)
    widget = Widget(page, shop).visit()
    widget.launcher.click()
    expect(widget.panel).to_be_visible()
    widget.panel.locator(".top button").first.click()
    expect(widget.panel.locator(".menu button").first).to_have_text(EVIL)
    safe(widget)


def test_page_settings_are_text(widget: Widget) -> None:
    escaped = EVIL.replace('"', "&quot;")
    widget.visit(f'data-title="{escaped}" data-greeting="{escaped}" data-ideas="{escaped}" data-launcher="{escaped}"').open()
    expect(widget.panel.get_by_role("heading")).to_have_text(EVIL)
    safe(widget)


def test_whatsapp_link_that_is_none_is_not_shown(chat: Widget) -> None:
    chat.shop._whatsapp = lambda *_: [{"type": "whatsapp", "link": ADDRESSES[0], "until": "x"}]  # type: ignore[method-assign]
    chat.menu("Continue on WhatsApp").click()
    expect(chat.page.get_by_role("alertdialog")).to_be_visible()
    safe(chat)


def test_everything_works_under_the_strictest_policy(chat: Widget) -> None:
    """Each page of these tests has it, see widget.CSP; here it is seen that it is in force."""
    assert "unsafe" not in CSP
    ran = chat.page.evaluate("""() => { const script = document.createElement("script"); script.id = "inline";
        try { script.textContent = "window.ran = 1"; document.body.append(script); } catch {} return window.ran ?? 0 }""")
    assert ran == 0
    assert chat.panel.evaluate("panel => getComputedStyle(panel).position") == "fixed"  # its styles are not blocked
    assert chat.page.locator("[style]:not(tendero-chat *)").count() == 0


def test_widget_on_a_page_of_another_origin(page: Page, shop: WebChatStandIn) -> None:
    with running() as other:
        other.pages["/"] = shop_page(shop.url)
        page.goto(other.url.replace("127.0.0.1", "localhost"))
        widget = Widget(page, shop)
        widget.launcher.click()
        widget.say("hello")
        expect(widget.entries).to_have_count(2)
        picture = widget.shows({"kind": "picture", "url": PICTURE}).locator("img")
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
        page.locator("input[type=file]").first.set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": PNG})
        until(lambda: shop.files)
        assert other.received == []


def test_shops_own_styles_do_not_reach_the_widget(widget: Widget) -> None:
    widget.open()
    measured = [box(widget, place) for place in (".panel", ".top", ".send", "textarea", ".welcome .text")]
    widget.shop.pages["/hostile"] = shop_page(widget.shop.url, head=HOSTILE)
    widget.page.goto(f"{widget.shop.url}hostile")
    expect(widget.panel).to_be_visible()
    assert [box(widget, place) for place in (".panel", ".top", ".send", "textarea", ".welcome .text")] == measured
    assert widget.panel.evaluate("panel => [getComputedStyle(panel).fontSize, getComputedStyle(panel).color]") == [
        "16px",
        "rgb(34, 48, 47)",
    ]
    widget.say("hello")
    expect(widget.entries).to_have_count(2)
    widget.shows(shirts(2))
    widget.button("Close the chat").click()
    launcher = widget.launcher.bounding_box()
    assert launcher
    assert (launcher["width"], launcher["height"]) == (62, 60)


def box(widget: Widget, place: str) -> Any:
    widget.panel.evaluate("panel => Promise.all(panel.getAnimations().map(each => each.finished))")
    return widget.page.locator(f"tendero-chat {place}").bounding_box()


def test_widget_does_not_reach_the_shops_styles(widget: Widget) -> None:
    look = "() => [...document.querySelectorAll('h1, p, a')].map(each => JSON.stringify(getComputedStyle(each).font))"
    before = widget.page.evaluate(look)
    widget.open()
    assert widget.page.evaluate(look) == before
    assert widget.page.evaluate("document.adoptedStyleSheets.length") == 0
    assert widget.page.evaluate("Object.keys(window).filter(key => /tendero|chat/i.test(key))") == []


def test_widget_stands_above_the_shops_page(widget: Widget) -> None:
    cover = "<style>.cover { position: fixed; inset: 0; z-index: 2147480000; background: white }</style>"
    widget.visit(head=cover, body='<div class="cover"></div>')
    widget.launcher.click()
    expect(widget.panel).to_be_visible()
    middle = box(widget, ".panel")
    on_top = "([x, y]) => document.elementFromPoint(x, y).tagName"
    assert widget.page.evaluate(on_top, [middle["x"] + 100, middle["y"] + 300]) == "TENDERO-CHAT"
