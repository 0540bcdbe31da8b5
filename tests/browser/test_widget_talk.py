"""A conversation in the widget: writing, what becomes of a message, the history, files, and the menu."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.stand_in import until
from tests.browser.webchat_stand_in import WebChatStandIn
from tests.browser.widget import PNG, Widget

PICTURE = {"name": "hole.png", "mimeType": "image/png", "buffer": PNG}
DROP = """([name, type, kind]) => {
  const files = new DataTransfer();
  files.items.add(new File(["x"], name, { type }));
  const panel = document.querySelector("tendero-chat").shadowRoot.querySelector(".panel");
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: files, bubbles: true, cancelable: true })
    : new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true });
  (kind === "paste" ? panel.querySelector("textarea") : panel).dispatchEvent(event);
}"""


def days_ago(days: int) -> str:
    return (datetime.now(timezone.utc) - timedelta(days=days)).isoformat()


def long_talk(shop: WebChatStandIn, count: int) -> None:
    for number in range(count):
        shop.say(f"Message {number}\nwith a second line")


# --- A message and its reply ---


def test_message_is_sent_and_its_reply_is_shown(chat: Widget) -> None:
    chat.say("Where is my order?")
    expect(chat.last).to_have_text(re.compile("^Assistant: re: Where is my order?"))
    assert chat.texts() == ["Where is my order?", "re: Where is my order?"]
    expect(chat.box).to_have_value("")
    expect(chat.box).to_be_focused()


def test_shift_and_enter_begin_a_line(chat: Widget) -> None:
    chat.box.press_sequentially("one")
    chat.page.keyboard.press("Shift+Enter")
    chat.box.press_sequentially("two")
    chat.page.keyboard.press("Enter")
    until(lambda: chat.shop.texts() == ["one\ntwo"])


def test_nothing_is_sent_where_nothing_is_written(chat: Widget) -> None:
    chat.say("   ")
    chat.button("Send").click()
    chat.say("hello")
    until(lambda: chat.shop.texts() == ["hello"])


def test_too_long_a_text_stays_to_be_shortened(chat: Widget) -> None:
    chat.say("x" * 2001)
    expect(chat.alert).to_have_text("Too long: up to 2000 characters · Tap to shorten")
    expect(chat.box).to_have_value("x" * 2001)
    chat.say("x" * 2000)
    until(lambda: chat.shop.texts() == ["x" * 2000])


def test_message_that_is_refused_goes_back_to_be_changed(chat: Widget) -> None:
    chat.shop.refuse("say", "too_long")
    chat.say("something")
    chat.button("Too long: up to 2000 characters · Tap to shorten").click()
    expect(chat.box).to_have_value("something")
    expect(chat.box).to_be_focused()
    expect(chat.entries).to_have_count(0)


def test_draft_is_there_after_a_reload(chat: Widget) -> None:
    chat.box.fill("I wanted to say")
    chat.page.reload()
    expect(chat.box).to_have_value("I wanted to say")


def test_typing_of_both_sides_is_shown(chat: Widget) -> None:
    chat.box.press_sequentially("Hm")
    until(lambda: [frame["on"] for frame in chat.shop.sent("typing")] == [True])
    chat.shop.hold()
    chat.page.keyboard.press("Enter")
    dots = chat.panel.get_by_role("status").filter(has_text="The assistant is typing")
    expect(dots).to_be_visible()
    chat.shop.release()
    expect(chat.last).to_contain_text("re: Hm")
    expect(dots).to_have_count(0)
    chat.shop.types(True)
    expect(chat.panel.get_by_text("Somebody from our team is typing")).to_be_attached()


def test_person_of_the_shop_is_named(chat: Widget) -> None:
    entry = chat.shows("I'll have a look", by="agent", name="Ana")
    expect(entry.locator(".name")).to_have_text("Ana")


def test_marks_tell_waiting_sent_and_read(chat: Widget, context: BrowserContext) -> None:
    context.set_offline(True)
    chat.shop.drop()
    chat.say("hello")
    expect(chat.last.get_by_title("Waits to be sent")).to_be_visible()
    same = chat.last.evaluate_handle("box => box")
    context.set_offline(False)
    expect(chat.entries.first.get_by_title("Read")).to_be_visible(timeout=15_000)
    assert chat.entries.first.evaluate("(box, same) => box === same", same)  # it is not read out again
    expect(chat.entries.first.get_by_title("Waits to be sent")).to_have_count(0)


def test_message_that_is_kept_and_not_read_yet_is_marked_as_sent(chat: Widget) -> None:
    chat.shop._begin = lambda *_: None  # type: ignore[method-assign]
    chat.say("hello")
    expect(chat.last.get_by_title("Sent")).to_be_visible()


def test_banner_says_when_there_is_no_connection(chat: Widget, context: BrowserContext) -> None:
    banner = chat.panel.locator(".banner")
    expect(banner).to_be_empty()
    context.set_offline(True)
    chat.shop.drop()
    expect(banner).to_have_text("You're offline. What you write goes out as soon as you're back.", timeout=15_000)
    chat.say("one")
    chat.say("two")
    context.set_offline(False)
    expect(banner).to_be_empty(timeout=15_000)
    until(lambda: chat.shop.texts() == ["one", "two"])


# --- The history ---


def test_days_stand_above_their_messages(widget: Widget) -> None:
    widget.open()
    long_talk(widget.shop, 4)
    for entry, days in zip(widget.shop.conversation.entries, (9, 1, 1, 0), strict=True):
        entry["at"] = days_ago(days)
    widget.page.reload()
    expect(widget.entries).to_have_count(4)
    days = widget.log.locator(".day").all_text_contents()
    assert days[1:] == ["Yesterday", "Today"]
    assert re.fullmatch(r"\w+day, \w+ \d+", days[0])


def test_older_messages_come_when_scrolled_up_and_the_place_is_kept(chat: Widget) -> None:
    long_talk(chat.shop, 70)
    chat.page.reload()
    expect(chat.entries).to_have_count(30)
    expect(chat.entries.first).to_contain_text("Message 40")
    scroll = "log => { log.scrollTop = 250; return log.querySelector('.entry:not(.welcome)').getBoundingClientRect().top }"
    before = chat.log.evaluate(scroll)
    expect(chat.entries).to_have_count(60)
    after = chat.log.get_by_text("Message 40").evaluate("line => line.closest('.entry').getBoundingClientRect().top")
    assert after == pytest.approx(before, abs=40)  # the name of the day went up
    chat.log.evaluate("log => { log.scrollTop = 0 }")
    expect(chat.entries).to_have_count(70)
    assert [text.split("\n")[0] for text in chat.texts()] == [f"Message {number}" for number in range(70)]


def test_newest_message_is_followed_unless_the_shopper_has_scrolled_up(chat: Widget) -> None:
    long_talk(chat.shop, 20)
    expect(chat.entries).to_have_count(20)
    end = "scrollHeight - log.clientHeight - log.scrollTop"
    until(lambda: chat.scroll(end) < 3)
    chat.log.evaluate("log => { log.scrollTop = 100 }")
    until(lambda: chat.scroll("scrollTop") == 100)
    pill = chat.button("New messages")
    expect(pill).to_be_hidden()
    chat.shop.say("News")
    expect(pill).to_be_visible()
    assert chat.scroll("scrollTop") == 100
    pill.click()
    expect(pill).to_be_hidden()
    until(lambda: chat.scroll(end) < 3)
    chat.log.evaluate("log => { log.scrollTop = 100 }")
    chat.say("My own words take me to the end")
    until(lambda: chat.scroll(end) < 3)


def test_log_that_grows_by_itself_is_followed(chat: Widget) -> None:
    """A picture that loads makes it longer, and what the browser tells of an earlier scrolling may come only then."""
    long_talk(chat.shop, 20)
    expect(chat.entries).to_have_count(20)
    end = "scrollHeight - log.clientHeight - log.scrollTop"
    until(lambda: chat.scroll(end) < 3)
    chat.last.evaluate("(entry) => { entry.style.minHeight = '800px'; entry.closest('.log').dispatchEvent(new Event('scroll')) }")
    until(lambda: chat.scroll(end) < 3)
    chat.shop.say("After it")
    until(lambda: chat.scroll(end) < 3)
    expect(chat.button("New messages")).to_be_hidden()


def test_second_tab_shows_the_same(chat: Widget, context: BrowserContext) -> None:
    second = Widget(context.new_page(), chat.shop)
    chat.say("from the first")
    expect(chat.entries).to_have_count(2)
    second.page.goto(chat.shop.url)
    second.launcher.click()
    expect(second.entries).to_have_count(2)
    second.say("from the second")
    expect(chat.entries).to_have_count(4)
    assert chat.texts() == second.texts()


def test_what_is_before_the_shoppers_eyes_is_read(chat: Widget) -> None:
    chat.shows("hello")
    until(lambda: [frame["seq"] for frame in chat.shop.sent("read")] == [1])


# --- Files ---


def test_picture_is_uploaded_and_goes_with_the_message(chat: Widget) -> None:
    with chat.page.expect_file_chooser() as chooser:
        chat.button("Add a picture or file").click()
    assert chooser.value.is_multiple()
    chooser.value.set_files(PICTURE)
    expect(chat.button("Remove hole.png")).to_be_visible()
    until(lambda: chat.shop.files)
    chat.box.fill("It has a hole")
    chat.page.wait_for_timeout(200)
    chat.page.keyboard.press("Enter")
    until(lambda: chat.shop.texts() == ["It has a hole"])
    [frame] = chat.shop.sent("say")
    assert frame["files"] == ["file-1"]
    assert chat.shop.files["file-1"]["body"] == PNG
    picture = chat.entries.first.get_by_role("button", name="Your picture").locator("img")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
    expect(chat.button("Remove hole.png")).to_have_count(0)


def test_file_goes_without_words_too(chat: Widget) -> None:
    chat.page.locator("input[type=file]").first.set_input_files({**PICTURE, "name": "a.pdf", "mimeType": "application/pdf"})
    until(lambda: chat.shop.files)
    chat.page.wait_for_timeout(200)
    chat.button("Send").click()
    expect(chat.entries.first.get_by_role("link", name="Download: a.pdf")).to_be_visible()


def test_progress_is_shown_and_the_message_waits_for_the_file(chat: Widget) -> None:
    chat.shop.hold_files()
    chat.page.locator("input[type=file]").first.set_input_files(PICTURE)
    expect(chat.panel.get_by_role("progressbar", name=re.compile(r"hole.png: \d+%"))).to_be_visible()
    chat.say("Look")
    expect(chat.alert).to_have_text("One moment, the file is still on its way.")
    assert chat.shop.sent("say") == []
    chat.shop.release_files()
    expect(chat.panel.get_by_role("progressbar")).to_have_count(0)
    chat.box.press("Enter")
    until(lambda: chat.shop.sent("say"))


def test_file_is_taken_back(chat: Widget) -> None:
    chat.shop.hold_files()
    chat.page.locator("input[type=file]").first.set_input_files(PICTURE)
    chat.button("Remove hole.png").click()
    chat.say("No picture then")
    until(lambda: chat.shop.sent("say"))
    assert "files" not in chat.shop.sent("say")[0]
    chat.shop.release_files()


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ({"name": "a.exe", "mimeType": "application/x-msdownload", "buffer": b"MZ"},
         "a.exe can't be sent here. Pictures and PDF files work."),
        ({"name": "big.png", "mimeType": "image/png", "buffer": bytes(5_000_001)},
         "big.png is too large. Up to 5 MB works: do you have a smaller one?"),
    ],
)  # fmt: skip
def test_file_that_cannot_be_taken_is_told_before_it_is_sent(chat: Widget, file: dict[str, object], told: str) -> None:
    chat.page.locator("input[type=file]").first.set_input_files(file)  # type: ignore[arg-type]
    expect(chat.alert).to_have_text(told)
    assert chat.shop.files == {}
    expect(chat.panel.get_by_role("listitem")).to_have_count(0)


def test_file_that_the_assistant_refuses_is_told(chat: Widget) -> None:
    chat.shop.file_refusal = (415, "wrong_type")
    chat.page.locator("input[type=file]").first.set_input_files(PICTURE)
    expect(chat.alert).to_have_text("hole.png can't be sent here. Pictures and PDF files work.")


def test_file_that_did_not_get_through_is_sent_again_with_a_tap(chat: Widget) -> None:
    chat.shop.file_refusal = (503, "not_now")
    chat.page.locator("input[type=file]").first.set_input_files(PICTURE)
    again = chat.button("hole.png didn't get through. Tap to try again.")
    expect(again).to_be_visible()
    chat.shop.file_refusal = None
    again.click()
    until(lambda: chat.shop.files)


def test_file_is_dropped_onto_the_panel(chat: Widget) -> None:
    chat.page.evaluate(DROP, ["hole.png", "image/png", "dragover"])
    expect(chat.panel.get_by_text("Drop it here")).to_be_visible()
    chat.page.evaluate(DROP, ["hole.png", "image/png", "drop"])
    until(lambda: [file["name"] for file in chat.shop.files.values()] == ["hole.png"])
    expect(chat.panel.get_by_text("Drop it here")).to_be_hidden()


def test_picture_is_pasted(chat: Widget) -> None:
    chat.page.evaluate(DROP, ["copied.png", "image/png", "paste"])
    until(lambda: [file["name"] for file in chat.shop.files.values()] == ["copied.png"])


def test_camera_is_offered_where_fingers_are_used(chat: Widget) -> None:
    expect(chat.button("Take a photo")).to_be_hidden()
    camera = chat.page.locator("input[type=file]").nth(1)
    expect(camera).to_have_attribute("capture", "environment")
    expect(camera).to_have_attribute("accept", "image/*")


def test_assistant_that_takes_no_files_offers_none(widget: Widget) -> None:
    welcome = widget.shop._welcome
    widget.shop._welcome = lambda link: {**welcome(link), "files": None}  # type: ignore[method-assign]
    widget.open()
    expect(widget.button("Send")).to_be_visible()
    expect(widget.button("Add a picture or file")).to_be_hidden()


# --- The menu ---


def test_things_to_ask_are_said_with_a_tap_and_found_again_in_the_menu(chat: Widget) -> None:
    chat.button("How many points do I have?").click()
    expect(chat.last).to_contain_text("re: How many points do I have?")
    expect(chat.button("How many points do I have?")).to_have_count(0)
    chat.menu("Where is my order?").click()
    until(lambda: chat.shop.texts() == ["How many points do I have?", "Where is my order?"])


def test_menu_closes_with_escape_and_when_something_else_is_tapped(chat: Widget) -> None:
    opener, menu = chat.button("Menu", exact=True), chat.panel.locator(".menu")
    opener.click()
    expect(opener).to_have_attribute("aria-expanded", "true")
    chat.page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(opener).to_be_focused()
    expect(opener).to_have_attribute("aria-expanded", "false")
    opener.click()
    chat.box.click()
    expect(menu).to_be_hidden()
    expect(chat.panel).to_be_visible()


def test_conversation_is_downloaded_as_text(chat: Widget) -> None:
    chat.say("Where is my order?")
    expect(chat.entries).to_have_count(2)
    with chat.page.expect_download() as download:
        chat.menu("Download this conversation").click()
    assert re.fullmatch(r"Mercado Aurora \d{4}-\d\d-\d\d\.txt", download.value.suggested_filename)
    text = download.value.path().read_text(encoding="utf-8")
    assert re.search(r"You: Where is my order\?\n.*Assistant: re: Where is my order\?", text)


def test_conversation_goes_on_in_whatsapp(chat: Widget) -> None:
    chat.menu("Continue on WhatsApp").click()
    link = chat.page.get_by_role("link", name="Open WhatsApp")
    expect(link).to_have_attribute("href", "https://wa.me/3225550100?text=abc")
    expect(link).to_be_focused()
    chat.page.keyboard.press("Escape")
    expect(link).to_have_count(0)
    chat.shop.happens("on_whatsapp", digits="01")
    expect(chat.log).to_contain_text("We go on in WhatsApp, on the number that ends in 01.")
    chat.menu("Disconnect WhatsApp").click()
    expect(chat.log).to_contain_text("WhatsApp is no longer connected to this conversation.")
    expect(chat.menu("Continue on WhatsApp")).to_be_visible()
    expect(chat.menu("Disconnect WhatsApp")).to_have_count(0)


def test_whatsapp_is_not_offered_where_there_is_none(widget: Widget) -> None:
    widget.visit('data-whatsapp="none"').open()
    expect(widget.menu("New conversation")).to_be_visible()
    expect(widget.menu("Continue on WhatsApp")).to_have_count(0)


def test_conversation_is_ended_after_a_question_and_stays_to_be_read(chat: Widget) -> None:
    chat.say("Thanks")
    expect(chat.entries).to_have_count(2)
    chat.menu("End the conversation").click()
    sheet = chat.page.get_by_role("alertdialog")
    expect(sheet).to_contain_text("End this conversation?")
    expect(sheet.get_by_role("button", name="Keep this one")).to_be_focused()
    chat.page.keyboard.press("Escape")
    assert chat.shop.sent("end") == []
    chat.menu("End the conversation").click()
    sheet.get_by_role("button", name="End the conversation").click()
    expect(chat.log).to_contain_text("This conversation is over.")
    expect(chat.box).to_be_hidden()
    expect(chat.entries).to_have_count(2)
    chat.button("New conversation").click()
    expect(chat.entries).to_have_count(0)
    expect(chat.box).to_be_focused()


def test_new_conversation_forgets_the_one_before_only_after_a_yes(chat: Widget) -> None:
    chat.say("old")
    expect(chat.entries).to_have_count(2)
    chat.menu("New conversation").click()
    sheet = chat.page.get_by_role("alertdialog", name="Start a new conversation?")
    expect(chat.panel.locator(".log")).to_have_js_property("inert", False)
    sheet.get_by_role("button", name="Keep this one").click()
    expect(chat.entries).to_have_count(2)
    chat.menu("New conversation").click()
    sheet.get_by_role("button", name="New conversation").click()
    expect(chat.entries).to_have_count(0)
    chat.say("new")
    expect(chat.last).to_contain_text("re: new")
    assert chat.texts() == ["new", "re: new"]
    chat.page.reload()
    expect(chat.entries).to_have_count(2)


RINGS = """() => { window.rings = 0; const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...all) { rings++; return start.apply(this, all); }; }"""


def test_it_rings_only_for_whom_has_switched_the_sound_on(chat: Widget) -> None:
    chat.page.evaluate(RINGS)
    chat.shows("quiet")
    assert chat.page.evaluate("rings") == 0
    switch = chat.panel.get_by_role("switch", name="Sound")
    chat.button("Menu", exact=True).click()
    expect(switch).to_have_attribute("aria-checked", "false")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
    before = chat.page.evaluate("rings")
    chat.shows("loud")
    assert chat.page.evaluate("rings") > before
    chat.page.reload()
    chat.button("Menu", exact=True).click()
    expect(switch).to_have_attribute("aria-checked", "true")


NOTICES = """(answer) => { window.notices = []; window.asked = 0; window.Notification = class extends EventTarget {
  static permission = "default";
  static async requestPermission() { asked++; return (Notification.permission = answer); }
  constructor(title, { body }) { super(); notices.push([title, body]); } }; }"""
HIDDEN = "Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })"


def test_notification_comes_only_for_whom_has_allowed_it_and_looks_elsewhere(chat: Widget) -> None:
    chat.page.evaluate(NOTICES, "granted")
    chat.page.evaluate(HIDDEN)
    chat.shows("quiet")
    assert chat.page.evaluate("[notices, asked]") == [[], 0]
    chat.button("Menu", exact=True).click()
    chat.panel.get_by_role("switch", name="Notifications").click()
    expect(chat.panel.get_by_role("switch", name="Notifications")).to_have_attribute("aria-checked", "true")
    chat.shows("loud")
    assert chat.page.evaluate("notices") == [["Mercado Aurora", "There is a new message for you."]]


def test_browser_that_blocks_notifications_is_explained(chat: Widget) -> None:
    chat.page.evaluate(NOTICES, "denied")
    chat.button("Menu", exact=True).click()
    chat.panel.get_by_role("switch", name="Notifications").click()
    expect(chat.alert).to_have_text("Your browser keeps them off. You can allow them in its settings for this page.")
    expect(chat.panel.get_by_role("switch", name="Notifications")).to_have_attribute("aria-checked", "false")


@pytest.mark.parametrize("refused", ["setItem", "getItem"])
def test_chat_goes_on_where_the_browser_stores_nothing(page: Page, shop: WebChatStandIn, refused: str) -> None:
    page.add_init_script(f"Storage.prototype.{refused} = () => {{ throw new Error('refused') }}")
    chat = Widget(page, shop).visit().open()
    for text in ("one", "two"):
        chat.say(text)
        expect(chat.last).to_contain_text(f"re: {text}")
    assert chat.texts() == ["one", "re: one", "two", "re: two"]
