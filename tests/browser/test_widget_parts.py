"""Everything that an assistant can show: each kind of part, and what can be done with it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from tests.browser.stand_in import until
from tests.browser.widget import PICTURE, Widget

YES_NO = {"kind": "choices", "text": "Cancel it?", "choices": [{"index": 0, "title": "Yes"}, {"index": 1, "title": "No"}]}
ORDERS = {
    "kind": "choices",
    "header": "Your orders",
    "text": "Which one?",
    "footer": "The newest",
    "choices": [
        {"index": 0, "title": "10231", "description": "Blue shirt", "section": "Delivered"},
        {"index": 1, "title": "10232", "description": "Shoes", "section": "Delivered"},
        {"index": 2, "title": "10240", "description": "Vase", "section": "On its way"},
    ],
}


def shirts(count: int) -> dict[str, Any]:
    cards = [
        {
            "text": f"Shirt {number}\n€39.90\nIn stock: {number}",
            "picture": PICTURE,
            "choices": [{"index": number, "title": "Choose"}],
            "links": [{"title": "Look at it", "url": f"https://shop.example/{number}"}],
        }
        for number in range(count)
    ]
    return {"kind": "cards", "cards": cards}


# --- Text ---


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Track it: https://track.example/MX123?a=1&b=2.", "https://track.example/MX123?a=1&b=2"),
        ("(see http://shop.example/terms)", "http://shop.example/terms"),
        ("https://shop.example/shirt_(blue)", "https://shop.example/shirt_(blue)"),
        ("«https://shop.example/año»", "https://shop.example/año"),
    ],
)
def test_web_address_becomes_a_safe_link(chat: Widget, text: str, address: str) -> None:
    link = chat.shows(text).locator("a")
    expect(link).to_have_text(address)
    expect(link).to_have_attribute("rel", "noopener")
    expect(link).to_have_attribute("target", "_blank")
    assert link.evaluate("a => a.href") == link.evaluate("(_, address) => new URL(address).href", address)
    assert chat.texts() == [text]


def test_line_breaks_and_bullets_are_kept(chat: Widget) -> None:
    text = "Two orders:\n- 10231, shirt\n- 10232, shoes\n\nWhich one?"
    entry = chat.shows(text)
    expect(entry.locator(".line")).to_have_count(5)
    expect(entry.locator(".bullet")).to_have_count(2)
    copied = entry.locator(".text").evaluate("p => { getSelection().selectAllChildren(p); return getSelection().toString() }")
    assert copied.strip() == text


def test_part_of_a_kind_that_is_unknown_or_broken_shows_its_text(chat: Widget) -> None:
    entry = chat.shows(
        {"kind": "hologram", "text": "Imagine a shirt"}, {"kind": "cards", "text": "No cards"}, {"kind": "toString"}
    )
    expect(entry.locator(".text")).to_have_text(["Imagine a shirt", "No cards"])


# --- Choices ---


def test_choice_is_sent_shown_and_spends_the_others(chat: Widget) -> None:
    entry = chat.shows(YES_NO)
    chat.button("Yes").click()
    expect(chat.entries).to_have_count(3)
    assert chat.texts() == ["Cancel it?", "Yes", "re: 0"]
    [frame] = chat.shop.sent("choose")
    assert (frame["seq"], frame["choice"]) == (1, 0)
    expect(entry.get_by_role("button", name="Yes (chosen)")).to_be_disabled()
    expect(chat.button("No", exact=True)).to_be_disabled()


def test_choice_that_was_taken_is_spent_after_a_reload_too(chat: Widget) -> None:
    chat.shows(YES_NO)
    chat.button("No").click()
    expect(chat.entries).to_have_count(3)
    chat.page.reload()
    expect(chat.button("No (chosen)")).to_be_disabled()
    expect(chat.button("Yes")).to_be_disabled()


def test_double_click_on_a_choice_takes_it_once(chat: Widget) -> None:
    chat.shows(YES_NO)
    chat.button("Yes").dblclick()
    expect(chat.entries).to_have_count(3)
    assert len(chat.shop.sent("choose")) == 1


def test_choice_that_is_not_taken_can_be_made_again(chat: Widget) -> None:
    chat.shows(YES_NO)
    chat.shop.refuse("choose", "unknown_choice")
    chat.button("Yes").click()
    chat.button("This choice doesn't work any more. Tell me in your own words.").click()
    expect(chat.entries).to_have_count(1)
    expect(chat.box).to_be_focused()
    expect(chat.button("No")).to_be_enabled()


def test_list_has_descriptions_and_sections(chat: Widget) -> None:
    entry = chat.shows(ORDERS)
    expect(entry.locator(".text .line")).to_have_text(["Your orders", "Which one?", "The newest"])
    expect(entry.locator(".section")).to_have_text(["Delivered", "On its way"])
    entry.get_by_role("button", name="10240 Vase").click()
    until(lambda: chat.shop.sent("choose"))
    assert chat.shop.sent("choose")[0]["choice"] == 2
    assert chat.texts()[1] == "10240"


# --- Cards ---


def test_card_shows_picture_price_and_stock_and_is_chosen(chat: Widget) -> None:
    entry = chat.shows(shirts(3))
    card = entry.get_by_role("listitem").nth(1)
    expect(card.locator(".line")).to_have_text(["Shirt 1", "€39.90", "In stock: 1"])
    expect(card.get_by_role("img", name="Shirt 1")).to_be_visible()
    expect(card.get_by_role("link", name="Look at it")).to_have_attribute("href", "https://shop.example/1")
    card.get_by_role("button", name="Choose").click()
    until(lambda: chat.shop.sent("choose"))
    assert chat.shop.sent("choose")[0]["choice"] == 1
    entry.get_by_role("button", name="Choose").nth(2).click()  # another may be looked at as well
    until(lambda: len(chat.shop.sent("choose")) == 2)
    expect(chat.button("Choose (chosen)")).to_have_count(1)


def test_cards_are_moved_with_arrows(chat: Widget) -> None:
    chat.page.emulate_media(reduced_motion="reduce")
    shelf = chat.shows(shirts(3)).locator(".shelf")
    expect(chat.button("Back")).to_be_hidden()
    chat.button("More").click()
    until(lambda: shelf.evaluate("shelf => shelf.scrollLeft") > 100)
    chat.button("Back").click()
    until(lambda: shelf.evaluate("shelf => shelf.scrollLeft") < 10)


def test_few_cards_need_no_arrows(chat: Widget) -> None:
    chat.shows(shirts(1))
    expect(chat.button("More")).to_have_count(0)


def test_cards_are_reached_with_the_keyboard(chat: Widget) -> None:
    shelf = chat.shows(shirts(3)).locator(".shelf")
    shelf.focus()
    for _ in range(8):
        chat.page.keyboard.press("Tab")
    expect(shelf.get_by_role("button", name="Choose").nth(2)).to_be_focused()
    assert shelf.evaluate("shelf => shelf.scrollLeft") > 100
    chat.page.keyboard.press("Enter")
    until(lambda: chat.shop.sent("choose"))
    assert chat.shop.sent("choose")[0]["choice"] == 2


# --- Pictures, files, links ---


def test_picture_is_enlarged_by_a_tap_and_escape_closes_only_it(chat: Widget) -> None:
    entry = chat.shows({"kind": "picture", "url": PICTURE, "text": "A shirt"})
    picture = entry.get_by_role("button", name="A shirt")
    assert picture.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
    picture.click()
    large = chat.page.get_by_role("dialog", name="A shirt", exact=True)
    expect(large.get_by_role("img", name="A shirt")).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(large).to_have_count(0)
    expect(chat.panel).to_be_visible()
    expect(picture).to_be_focused()


def test_picture_that_does_not_load_becomes_a_link(chat: Widget) -> None:
    entry = chat.shows({"kind": "picture", "url": "/no-such.png"})
    expect(entry.get_by_role("link", name="Open the picture")).to_have_attribute("href", re.compile("/no-such.png$"))


def test_pictures_whose_addresses_no_longer_hold_are_asked_for_once_and_shown(chat: Widget) -> None:
    old = [f"/old-{number}.png" for number in range(3)]
    chat.shop.say(
        {"kind": "cards", "cards": [{"text": "A shirt", "picture": each, "choices": [], "links": []} for each in old[:2]]}
    )
    chat.shop.say({"kind": "picture", "url": old[2]})
    expect(chat.log.get_by_role("link", name="Open the picture")).to_have_count(3)
    asked = len(chat.shop.sent("more"))
    chat.shop.renewed = dict.fromkeys(old, PICTURE)
    chat.page.reload()
    pictures = chat.log.get_by_role("img")
    expect(pictures).to_have_count(3)
    is_loaded = "all => all.every(image => image.complete && image.naturalWidth > 0)"
    until(lambda: pictures.evaluate_all(is_loaded))
    assert [frame["before"] for frame in chat.shop.sent("more")[asked:]] == [3]


def test_picture_whose_new_address_does_not_load_either_becomes_a_link_to_it(chat: Widget) -> None:
    chat.shop.renewed = {"/old.png": "/new.png"}
    entry = chat.shows({"kind": "picture", "url": "/old.png"})
    expect(entry.get_by_role("link", name="Open the picture")).to_have_attribute("href", re.compile("/new.png$"))
    assert len(chat.shop.sent("more")) == 1


def test_own_picture_is_renewed_too(chat: Widget) -> None:
    chat.shop.renewed = {"/old.png": PICTURE}
    file = {"url": "/old.png", "name": "vase.png", "type": "image/png", "size": 9}
    chat.shop.say(by="shopper", text="broken", files=[file])
    until(lambda: chat.last.get_by_role("img").evaluate("image => image.complete && image.naturalWidth > 0"))


def test_picture_is_enlarged_from_an_address_that_holds(chat: Widget) -> None:
    entry = chat.shows({"kind": "picture", "url": PICTURE, "text": "A shirt"})
    chat.shop.renewed = {PICTURE: f"{PICTURE}?new"}
    _a_day_passes(chat)
    entry.get_by_role("button", name="A shirt").click()
    large = chat.page.get_by_role("dialog", name="A shirt", exact=True)
    expect(large.get_by_role("img")).to_have_attribute("src", re.compile(r"\?new$"))


def test_document_whose_address_no_longer_holds_is_downloaded_from_the_new_one(chat: Widget) -> None:
    chat.shop.pages |= {"/label-1": "old", "/label-2": "new"}
    entry = chat.shows({"kind": "file", "url": "/label-1", "name": "label.pdf"})
    link = entry.get_by_role("link", name="Download: label.pdf")
    assert _downloaded(chat, link).endswith("/label-1")
    assert chat.shop.sent("more") == []
    chat.shop.renewed = {"/label-1": "/label-2"}
    _a_day_passes(chat)
    assert _downloaded(chat, link).endswith("/label-2")
    assert _downloaded(chat, link).endswith("/label-2")
    assert len(chat.shop.sent("more")) == 1


def test_document_is_tried_where_its_address_cannot_be_renewed(chat: Widget) -> None:
    chat.shop.pages["/label"] = "old"
    entry = chat.shows({"kind": "file", "url": "/label", "name": "label.pdf"})
    _a_day_passes(chat)
    chat.shop.refuse("more", "too_many", after=1)
    assert _downloaded(chat, entry.get_by_role("link", name="Download: label.pdf")).endswith("/label")


def _a_day_passes(chat: Widget) -> None:
    chat.page.evaluate("() => { const now = Date.now; Date.now = () => now() + 86_400_000; }")


def _downloaded(chat: Widget, link: Locator) -> str:
    """From where."""
    with chat.page.expect_download() as download:
        link.click()
    return download.value.url


def test_document_is_a_row_with_its_name_to_download(chat: Widget) -> None:
    entry = chat.shows({"kind": "file", "url": "/files/label.pdf", "name": "Return label.pdf", "text": "Your label"})
    link = entry.get_by_role("link", name="Download: Return label.pdf")
    expect(link).to_have_attribute("href", f"{chat.shop.url}files/label.pdf")
    expect(link).to_have_attribute("download", "Return label.pdf")
    expect(entry.locator(".text")).to_have_text("Your label")


def test_link_opens_beside_the_shop(chat: Widget) -> None:
    entry = chat.shows({"kind": "link", "text": "On its way", "title": "Track it", "url": "https://track.example/1"})
    expect(entry.get_by_role("link", name="Track it")).to_have_attribute("href", "https://track.example/1")
    expect(entry.get_by_role("link", name="Track it")).to_have_attribute("rel", "noopener")


def test_people_are_listed(chat: Widget) -> None:
    entry = chat.shows({"kind": "people", "people": [{"name": "Ana", "phones": ["+34 600"], "emails": ["ana@shop.example"]}]})
    expect(entry.locator(".line")).to_have_text(["Ana", "+34 600", "ana@shop.example"])


# --- Places ---


def test_place_has_a_map(chat: Widget) -> None:
    entry = chat.shows({"kind": "place", "latitude": 40.4, "longitude": -3.7, "name": "Our store", "address": "Calle 1"})
    expect(entry.locator(".row")).to_contain_text("Our store")
    expect(entry.get_by_role("link", name="Open the map")).to_have_attribute("href", re.compile(r"mlat=40\.4&mlon=-3\.7"))


def test_where_the_shopper_is_is_asked_and_sent_only_on_a_tap(chat: Widget, context: BrowserContext) -> None:
    context.grant_permissions(["geolocation"])
    context.set_geolocation({"latitude": 19.43, "longitude": -99.13})
    chat.page.evaluate(
        """() => { window.asked = 0; const ask = navigator.geolocation.getCurrentPosition.bind(navigator.geolocation);
        navigator.geolocation.getCurrentPosition = (...all) => { asked++; ask(...all); }; }"""
    )
    chat.shows({"kind": "place_request", "text": "Where are you?"})
    assert chat.page.evaluate("asked") == 0
    chat.button("Send where I am").click()
    until(lambda: chat.shop.sent("place"))
    [frame] = chat.shop.sent("place")
    assert (frame["latitude"], frame["longitude"]) == (19.43, -99.13)
    expect(chat.button("Send where I am")).to_be_disabled()
    expect(chat.entries.nth(1).get_by_role("link", name="Open the map")).to_be_visible()


def test_shopper_who_does_not_say_where_is_told_what_else_to_do(chat: Widget) -> None:
    chat.shows({"kind": "place_request", "text": "Where are you?"})
    chat.button("Send where I am").click()
    expect(chat.alert).to_have_text("I can't see where you are. Write me a city or a postcode instead.")
    assert chat.shop.sent("place") == []


# --- Days and stars ---


def test_day_is_picked_within_its_limits_and_said(chat: Widget) -> None:
    entry = chat.shows({"kind": "date", "text": "Which day?", "from": "2026-11-27", "to": "2026-12-05"})
    day = entry.get_by_label("Day")
    expect(day).to_have_attribute("min", "2026-11-27")
    expect(day).to_have_attribute("max", "2026-12-05")
    day.fill("2026-12-24")
    chat.button("Choose this day").click()
    assert chat.shop.sent("say") == []
    day.fill("2026-12-01")
    chat.button("Choose this day").click()
    until(lambda: chat.shop.texts() == ["2026-12-01"])
    expect(chat.button("Choose this day")).to_be_disabled()


def test_rating_is_given_with_the_keyboard(chat: Widget) -> None:
    entry = chat.shows({"kind": "rating", "text": "How was it?", "most": 5})
    stars = entry.get_by_role("radiogroup", name="Your rating")
    expect(stars.get_by_role("radio")).to_have_count(5)
    chat.button("Send rating").click()
    assert chat.shop.sent("say") == []  # none is picked yet
    stars.get_by_label("1 of 5").focus()
    chat.page.keyboard.press("Space")
    for _ in range(3):
        chat.page.keyboard.press("ArrowRight")
    expect(stars.get_by_label("4 of 5")).to_be_checked()
    chat.page.keyboard.press("Tab")
    chat.page.keyboard.press("Enter")
    until(lambda: chat.shop.texts() == ["4"])
    expect(stars.get_by_role("radio").first).to_be_disabled()


def test_what_asks_for_an_answer_asks_no_more_when_the_shopper_has_said_something_else(chat: Widget) -> None:
    chat.shows({"kind": "rating", "text": "How was it?", "most": 5})
    chat.say("Where is my order?")
    expect(chat.button("Send rating")).to_be_disabled()
