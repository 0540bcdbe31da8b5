"""The chat page by itself, in a real browser, against a stand-in for the server."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.stand_in import StandIn

YES_NO = {"text": "Cancel it?", "buttons": [{"title": "Yes", "payload": "/affirm"}, {"title": "No", "payload": "/deny"}]}
NAMED_TEXTS = "all => all.flatMap(({dataset: {word, label, hint}}) => [word, label, hint]).filter(Boolean)"
COLOURS = "names => names.map(name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim())"
CONTRASTS = [  # as WCAG 2 AA asks: text, and the edge of the input
    ("ink", "card", 4.5),
    ("ink", "theirs", 4.5),
    ("ink", "paper", 4.5),
    ("ink", "dawn", 4.5),
    ("ink", "haze", 4.5),
    ("quiet", "card", 4.5),
    ("quiet", "theirs", 4.5),
    ("on-mine", "mine", 4.5),
    ("pine", "card", 4.5),
    ("pine", "theirs", 4.5),
    ("on-pine", "pine", 4.5),
    ("alarm", "card", 4.5),
    ("edge", "card", 3),
]
NOT_SENT = "Not sent · Tap to retry"


def write(page: Page, text: str) -> None:
    page.get_by_label("Write a message").fill(text)
    page.keyboard.press("Enter")


def said(page: Page) -> list[str]:
    """What the log shows, from the top, without the words that only screen readers get."""
    lines = "all => all.map(p => [...p.querySelectorAll('.line')].map(line => line.textContent).join('\\n'))"
    texts: list[str] = page.locator(".message .text").evaluate_all(lines)
    return texts


def last(page: Page) -> Locator:
    return page.locator(".message .text").last


# --- A message and its replies ---


def test_message_is_sent_with_token_and_language_and_its_reply_is_shown(page: Page, shop: StandIn) -> None:
    write(page, "Where is my order?")
    expect(last(page)).to_contain_text("re: Where is my order?")
    assert said(page) == ["Where is my order?", "re: Where is my order?"]
    [received] = shop.received
    assert received.pop("id")
    assert received == {"token": "visitor-1.signed", "message": "Where is my order?", "language": "en"}


def test_typing_is_shown_until_the_reply_comes(page: Page, shop: StandIn) -> None:
    expect(page.locator("#typing")).to_be_hidden()
    shop.open.clear()
    write(page, "hi")
    expect(page.locator("#typing")).to_be_visible()
    shop.open.set()
    expect(last(page)).to_contain_text("re: hi")
    expect(page.locator("#typing")).to_be_hidden()


def test_two_quick_messages_are_sent_one_after_the_other_in_order(page: Page, shop: StandIn) -> None:
    shop.open.clear()
    write(page, "first")
    write(page, "second")
    page.wait_for_timeout(300)
    assert shop.messages == ["first"]  # the second waits for the first's reply
    shop.open.set()
    expect(last(page)).to_contain_text("re: second")
    assert shop.messages == ["first", "second"]
    assert said(page) == ["first", "second", "re: first", "re: second"]
    assert shop.sessions == 1


def test_empty_list_of_replies_shows_only_what_the_shopper_wrote(page: Page, shop: StandIn) -> None:
    shop.replies()
    write(page, "thanks")
    expect(page.locator(".message[data-state=sent]")).to_have_count(1)
    expect(page.locator("#typing")).to_be_hidden()
    expect(page.locator(".message")).to_have_count(1)
    expect(page.locator(".note")).to_have_count(0)


def test_reply_without_anything_to_show_leaves_no_empty_bubble(page: Page, shop: StandIn) -> None:
    shop.replies({"custom": {"kind": "later"}}, {"text": "Here"})
    write(page, "hi")
    expect(last(page)).to_contain_text("Here")
    expect(page.locator(".message")).to_have_count(2)


# --- Buttons, pictures, files ---


def test_button_sends_its_payload_shows_its_title_and_works_once(page: Page, shop: StandIn) -> None:
    shop.replies(YES_NO)
    write(page, "cancel my order")
    page.get_by_role("button", name="Yes").wait_for()
    shop.replies({"text": "Cancelled."})
    page.get_by_role("button", name="Yes").click()
    expect(last(page)).to_contain_text("Cancelled.")
    assert shop.messages == ["cancel my order", "/affirm"]
    assert said(page) == ["cancel my order", "Cancel it?", "Yes", "Cancelled."]
    expect(page.get_by_role("button", name="Yes (chosen)")).to_be_disabled()
    expect(page.get_by_role("button", name="No", exact=True)).to_be_disabled()
    page.reload()
    expect(page.get_by_role("button", name="Yes (chosen)")).to_be_disabled()


def test_button_that_did_not_get_through_is_retried_with_its_payload(page: Page, shop: StandIn) -> None:
    shop.replies(YES_NO)
    write(page, "cancel my order")
    page.get_by_role("button", name="Yes").wait_for()
    shop.answer = lambda _body: (500, {})
    page.get_by_role("button", name="Yes").click()
    page.get_by_role("button", name=NOT_SENT).click()
    expect(page.get_by_role("button", name=NOT_SENT)).to_be_visible()
    assert shop.messages == ["cancel my order", "/affirm", "/affirm"]


def test_catalogue_picture_is_found_among_the_pages_files(page: Page, shop: StandIn) -> None:
    shop.replies({"text": "A shirt", "image": "/static/aurora.svg"})
    write(page, "shirt")
    picture = page.get_by_role("img", name="Picture from the shop")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")  # once it has loaded


def test_picture_that_does_not_load_becomes_a_link(page: Page, shop: StandIn) -> None:
    shop.replies({"image": "/static/products/no-such.svg"}, {"attachment": "/static/aurora.svg"})
    write(page, "shirt")
    expect(page.get_by_role("link", name="Open the picture")).to_have_attribute("href", re.compile("/no-such.svg$"))
    expect(page.get_by_role("link", name="Open the file")).to_have_attribute("href", re.compile("/aurora.svg$"))


# --- What can go wrong ---


def test_message_is_kept_after_a_server_error_and_sent_on_retry(page: Page, shop: StandIn) -> None:
    shop.answer = lambda _body: (503, {})
    write(page, "hello")
    expect(page.get_by_role("button", name=NOT_SENT)).to_be_visible()
    page.reload()
    assert said(page) == ["hello"]
    shop.replies({"text": "Hi!"})
    page.get_by_role("button", name=NOT_SENT).click()
    expect(last(page)).to_contain_text("Hi!")
    assert said(page) == ["hello", "Hi!"]
    expect(page.get_by_role("button", name=NOT_SENT)).to_have_count(0)


def test_message_is_kept_without_a_network_and_sent_on_retry(page: Page, context: BrowserContext, shop: StandIn) -> None:
    context.set_offline(True)
    write(page, "hello")
    expect(page.get_by_role("button", name=NOT_SENT)).to_be_visible()
    context.set_offline(False)
    page.get_by_role("button", name=NOT_SENT).click()
    expect(last(page)).to_contain_text("re: hello")
    assert shop.messages == ["hello"]


def test_message_behind_a_failed_one_is_held_back(page: Page, shop: StandIn) -> None:
    shop.open.clear()
    shop.answer = lambda _body: (500, {})
    write(page, "I want to return it")
    write(page, "the blue one")
    shop.open.set()
    expect(page.get_by_role("button", name=NOT_SENT)).to_have_count(2)
    assert shop.messages == ["I want to return it"]


def test_message_whose_reply_a_reload_cut_off_says_that_no_reply_arrived(page: Page, shop: StandIn) -> None:
    shop.open.clear()
    write(page, "hello")
    page.locator("[data-state=sending]").wait_for()
    page.reload()
    expect(page.get_by_role("button", name="No reply arrived · Tap to send again")).to_be_visible()
    assert said(page) == ["hello"]


def test_message_that_goes_out_again_has_the_name_it_had(page: Page, shop: StandIn) -> None:
    shop.answer = lambda _body: (504, {"error": "still_working"})
    write(page, "hello")
    again = page.get_by_role("button", name="No reply arrived · Tap to send again")
    expect(again).to_be_visible()
    shop.answer = lambda body: (200, [{"text": f"re: {body['message']}"}])
    again.click()
    expect(last(page)).to_contain_text("re: hello")
    assert said(page) == ["hello", "re: hello"]
    first, again = shop.received
    assert first["id"] == again["id"]


def test_refused_token_is_renewed_and_the_message_resent_once(page: Page, shop: StandIn) -> None:
    write(page, "one")
    expect(last(page)).to_contain_text("re: one")
    shop.answer = lambda body: (401, {}) if body["token"] == "visitor-1.signed" else (200, [{"text": "Welcome"}])
    write(page, "two")
    expect(last(page)).to_contain_text("Welcome")
    assert [(body["token"], body["message"]) for body in shop.received[1:]] == [
        ("visitor-1.signed", "two"),
        ("visitor-2.signed", "two"),
    ]


def test_token_refused_twice_counts_as_not_sent(page: Page, shop: StandIn) -> None:
    shop.answer = lambda _body: (401, {})
    write(page, "one")
    expect(page.get_by_role("button", name=NOT_SENT)).to_be_visible()
    assert shop.messages == ["one", "one"]


def test_message_that_is_too_long_goes_back_to_be_shortened(page: Page, shop: StandIn) -> None:
    shop.answer = lambda _body: (400, {"error": "bad_message", "longest": 2000})
    write(page, "x" * 2001)
    page.get_by_role("button", name="Too long: up to 2000 characters · Tap to shorten").click()
    expect(page.get_by_label("Write a message")).to_have_value("x" * 2001)
    expect(page.get_by_label("Write a message")).to_be_focused()
    expect(page.locator(".message")).to_have_count(0)


# --- What the browser remembers ---


def test_reload_shows_the_same_conversation_and_keeps_the_token(page: Page, shop: StandIn) -> None:
    shop.replies({"text": "One\n- two"}, YES_NO)
    write(page, "hello")
    page.get_by_role("button", name="Yes").wait_for()
    before = page.locator("#messages").inner_html()
    page.reload()
    page.get_by_role("button", name="Yes").wait_for()
    assert page.locator("#messages").inner_html() == before
    shop.replies({"text": "Still here"})
    write(page, "again")
    expect(last(page)).to_contain_text("Still here")
    assert shop.sessions == 1


def test_new_conversation_forgets_messages_and_token(page: Page, shop: StandIn) -> None:
    write(page, "hello")
    expect(last(page)).to_contain_text("re: hello")
    page.get_by_role("button", name="New conversation").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep this one").click()
    expect(page.locator(".message")).to_have_count(2)
    page.get_by_role("button", name="New conversation").click()
    page.get_by_role("dialog").get_by_role("button", name="New conversation").click()
    expect(page.locator(".message")).to_have_count(0)
    page.reload()
    expect(page.locator(".message")).to_have_count(0)
    write(page, "hi")
    expect(last(page)).to_contain_text("re: hi")
    assert shop.received[-1]["token"] == "visitor-2.signed"


def test_new_conversation_neither_waits_for_the_old_ones_reply_nor_shows_it(page: Page, shop: StandIn) -> None:
    shop.open.clear()
    write(page, "old")
    page.locator("[data-state=sending]").wait_for()
    page.get_by_role("button", name="New conversation").click()
    page.get_by_role("dialog").get_by_role("button", name="New conversation").click()
    expect(page.locator(".message")).to_have_count(0)
    with page.expect_request(lambda request: "new" in (request.post_data or "")):
        write(page, "new")
    shop.open.set()
    expect(last(page)).to_contain_text("re: new")
    assert said(page) == ["new", "re: new"]


@pytest.mark.parametrize("refused", ["setItem", "getItem"])
def test_chat_goes_on_where_the_browser_stores_nothing(page: Page, refused: str) -> None:
    page.add_init_script(f"Storage.prototype.{refused} = () => {{ throw new Error('refused') }}")
    page.reload()
    for text in ("one", "two"):
        write(page, text)
        expect(last(page)).to_contain_text(f"re: {text}")
    assert said(page) == ["one", "re: one", "two", "re: two"]


def test_second_tab_shows_what_the_first_one_says_and_sends_nothing_twice(
    page: Page, context: BrowserContext, shop: StandIn
) -> None:
    second = context.new_page()
    second.goto("/")
    write(page, "from the first")
    expect(last(second)).to_contain_text("re: from the first")
    write(second, "from the second")
    expect(last(page)).to_contain_text("re: from the second")
    assert shop.messages == ["from the first", "from the second"]
    assert said(page) == said(second)


def test_message_that_waits_in_one_tab_is_not_sent_by_another(page: Page, context: BrowserContext, shop: StandIn) -> None:
    second = context.new_page()
    second.goto("/")
    shop.open.clear()
    write(page, "one")
    write(page, "two")
    expect(last(second)).to_contain_text("two")
    write(second, "three")
    expect(last(page)).to_contain_text("three")
    shop.open.set()
    expect(page.locator("[data-state=sent]")).to_have_count(3)
    second.wait_for_timeout(300)
    assert sorted(shop.messages) == ["one", "three", "two"]


WRITES_FOR_A_WHILE = """async (name) => {
  const { remember, change } = await import("/webhooks/webchat/static/memory.js");
  const until = Date.now() + 1000;
  for (let number = 0; Date.now() < until; number++) {
    const { id } = remember({ from: "shopper", text: `${name} ${number}`, state: "sending" });
    await new Promise((done) => setTimeout(done, 5));
    change(id, { state: "sent" });
    window.written = number + 1;
  }
}"""


def test_what_two_tabs_write_at_the_same_time_is_all_kept(page: Page, context: BrowserContext) -> None:
    second = context.new_page()
    second.goto("/")
    page.evaluate(f"void ({WRITES_FOR_A_WHILE})('first')")
    second.evaluate(f"({WRITES_FOR_A_WHILE})('second')")
    page.wait_for_timeout(500)
    written = page.evaluate("window.written") + second.evaluate("window.written")
    page.reload()
    expect(page.locator("[data-state=sent]")).to_have_count(min(written, 300))
    expect(page.locator("[data-state]:not([data-state=sent])")).to_have_count(0)


# --- Text is text ---


def test_markup_in_messages_titles_and_addresses_shows_as_text_and_runs_nothing(page: Page, shop: StandIn) -> None:
    evil = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    shop.replies(
        {"text": evil, "buttons": [{"title": evil, "payload": "/x"}]},
        {"text": "javascript:document.title='owned'", "image": "javascript:document.title='owned'"},
        {"attachment": "javascript:document.title='owned'"},
        {"text": 'https://a.example/"onmouseover="document.title=1'},
    )
    write(page, evil)
    expect(last(page)).to_contain_text("onmouseover")
    page.reload()
    assert said(page)[:2] == [evil, evil]
    expect(page.locator(".choice")).to_have_text(evil)
    expect(page.locator("#messages img, #messages script, #messages [href^=javascript]")).to_have_count(0)
    expect(page.locator("#messages a")).to_have_attribute("href", "https://a.example/")
    expect(page).to_have_title("Mercado Aurora")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Track it: https://track.example/MX123?a=1&b=2.", "https://track.example/MX123?a=1&b=2"),
        ("(see http://shop.example/terms)", "http://shop.example/terms"),
        ("https://shop.example/shirt_(blue)", "https://shop.example/shirt_(blue)"),
        ("«https://shop.example/año»", "https://shop.example/año"),
    ],
)
def test_web_address_becomes_a_safe_link(page: Page, shop: StandIn, text: str, address: str) -> None:
    shop.replies({"text": text})
    write(page, "hi")
    link = page.locator("#messages a")
    expect(link).to_have_text(address)
    expect(link).to_have_attribute("rel", "noopener")
    expect(link).to_have_attribute("href", address)
    assert said(page)[-1] == text


def test_line_breaks_and_bullets_are_kept(page: Page, shop: StandIn) -> None:
    text = "Two orders:\n- 10231, shirt\n- 10232, shoes\n\nWhich one?"
    shop.replies({"text": text})
    write(page, "hi")
    expect(page.locator(".shop .line")).to_have_count(5)
    expect(page.locator(".bullet")).to_have_count(2)
    copied = last(page).evaluate("p => { getSelection().selectAllChildren(p); return getSelection().toString() }")
    assert copied.removeprefix("Assistant:").strip() == text


# --- For everybody ---


def test_everything_can_be_done_with_the_keyboard_alone(page: Page, shop: StandIn) -> None:
    shop.replies(YES_NO)
    box = page.get_by_label("Write a message")
    expect(box).to_be_focused()
    page.keyboard.type("cancel")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("my order")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Yes").wait_for()
    expect(box).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="No", exact=True)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Yes (chosen)")).to_be_disabled()
    expect(box).to_be_focused()
    page.keyboard.type("bye")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Send")).to_be_focused()
    page.keyboard.press("Enter")
    expect(box).to_be_focused()
    expect(page.locator("[data-state=sent]")).to_have_count(3)
    assert shop.messages == ["cancel\nmy order", "/affirm", "bye"]


def test_log_is_announced_politely_and_every_control_has_a_name(page: Page, shop: StandIn) -> None:
    expect(page.get_by_role("log", name="Conversation")).to_have_attribute("aria-live", "polite")
    for name in ("Language", "New conversation", "Write a message", "Send"):
        expect(page.get_by_label(name, exact=True)).to_be_visible()
    write(page, "hi")
    expect(last(page)).to_have_text("Assistant: re: hi")


def test_state_of_a_message_changes_without_announcing_its_text_again(page: Page, shop: StandIn) -> None:
    shop.open.clear()
    write(page, "hi")
    page.locator(".message").evaluate("box => { box.sameAsBefore = true }")
    shop.open.set()
    expect(page.locator(".message[data-state=sent]")).to_have_count(1)
    assert page.locator(".message").first.evaluate("box => box.sameAsBefore")


def test_things_to_try_are_sent_with_a_tap_and_leave_when_the_conversation_begins(page: Page, shop: StandIn) -> None:
    page.get_by_role("button", name="How many points do I have?").click()
    expect(last(page)).to_contain_text("re: How many points do I have?")
    expect(page.get_by_role("button", name="How many points do I have?")).to_have_count(0)


def test_page_speaks_the_visitors_language_and_can_be_switched(browser: Browser, shop: StandIn) -> None:
    context = browser.new_context(base_url=shop.url, locale="es-AR")
    page = context.new_page()
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "es")
    expect(page.get_by_label("Escribe un mensaje")).to_be_visible()
    page.get_by_label("Idioma").select_option("en")
    page.reload()
    write(page, "hi")
    expect(last(page)).to_contain_text("re: hi")
    assert shop.received[0]["language"] == "en"
    context.close()


def test_every_language_has_every_text(page: Page) -> None:
    words: dict[str, dict[str, Any]] = page.evaluate("async () => (await import('/webhooks/webchat/static/words.js')).words")
    needed = set(page.locator("body *").evaluate_all(NAMED_TEXTS))
    assert {"write", "welcome"} <= needed
    assert len(words) >= 2
    for language, texts in words.items():
        assert texts.keys() == words["en"].keys(), language
        assert needed <= texts.keys(), language
        assert all(texts.values()), language


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_have_enough_contrast(page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    for ink, ground, least in CONTRASTS:
        lighter, darker = sorted(map(luminance, page.evaluate(COLOURS, [ink, ground])), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= least, f"{ink} on {ground}"


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it, of "#rrggbb"."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_dots_stand_still_where_motion_is_unwelcome(page: Page, shop: StandIn) -> None:
    page.emulate_media(reduced_motion="reduce")
    shop.open.clear()
    write(page, "hi")
    dot = page.locator("#typing i").first
    expect(dot).to_be_visible()
    assert dot.evaluate("dot => getComputedStyle(dot).animationName") == "none"


@pytest.mark.parametrize("width", [320, 390, 896, 1280])
def test_nothing_is_cut_off_sideways(page: Page, shop: StandIn, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    shop.replies({"text": "w" * 200, "buttons": [{"title": f"A rather long choice {n} " * 3, "payload": "/x"} for n in range(4)]})
    write(page, "https://shop.example/" + "a" * 200)
    expect(last(page)).to_contain_text("www")
    for place in ("html", "#log"):
        assert page.locator(place).evaluate("place => place.scrollWidth <= place.clientWidth")
    expect(page.get_by_label("Write a message")).to_be_in_viewport()
