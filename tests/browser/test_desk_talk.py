"""A conversation at the desk: the transcript, writing, and what becomes of what was written."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.desk_page import DeskPage, signed_in
from tests.browser.desk_stand_in import DeskStandIn, ago, ahead
from tests.browser.stand_in import until
from tests.browser.widget import PNG

FILE = {"name": "foto.png", "mimeType": "image/png", "buffer": PNG}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"event": "opened", "details": {"reason": "asked"}}, "The shopper asked for a person"),
        ({"event": "opened", "details": {"reason": "policy"}}, "The assistant called a person: the rules leave it to one"),
        ({"event": "opened", "details": {"reason": "failure"}}, "The assistant called a person: something failed"),
        ({"event": "opened", "details": {}}, "A person was asked for"),
        ({"event": "assigned", "details": {"agent": "Olav"}}, "Went to Olav"),
        ({"event": "resolved", "name": "Marta", "details": {"resolution": "done"}}, "Marta resolved it: Done as asked"),
        ({"event": "resolved", "name": "Marta", "details": {}}, "Marta resolved it"),
        ({"event": "woken", "details": {"why": "shopper"}}, "Is back: the shopper has written"),
        ({"event": "acted", "name": "Marta", "details": {"act": "refund_exception"}}, "Marta did this: Refund exception"),
    ],
)
def test_event_says_who_did_it_and_why(marta: DeskPage, desk: DeskStandIn, told: dict[str, Any], said: str) -> None:
    desk.add_item(1, entries=[desk.entry("event", **told)])
    marta.visit("queue/1")
    expect(marta.log.locator(".event > span")).to_have_text(said)


def test_transcript_has_days_channels_marks_files_notes_and_events(anas_talk: DeskPage) -> None:
    log = anas_talk.log
    expect(log.get_by_role("heading", name="Today")).to_be_visible()
    expect(log.get_by_text("other conversation").first).to_be_attached()
    expect(log.locator(".entry.agent", has_text="Gracias por la foto")).to_contain_text("Read")
    expect(log.locator(".entry.agent", has_text="¿Prefieres")).to_contain_text("Delivered")
    expect(log.locator(".entry.note")).to_contain_text("Private note · Sara")
    expect(log.get_by_text("Marta took it")).to_be_attached()
    expect(log.get_by_role("list", name="Offered choices")).to_contain_text("Llegó dañado")
    expect(log.get_by_role("link", name="ticket.pdf")).to_have_attribute(
        "href", f"{anas_talk.desk.url}webhooks/desk/v1/files/ticket.pdf"
    )
    anas_talk.shot("conversation")
    log.get_by_role("button", name="zapato.jpg").click()
    expect(anas_talk.page.locator(".lightbox img")).to_be_visible()
    anas_talk.page.keyboard.press("Escape")
    expect(anas_talk.page.locator(".lightbox")).to_have_count(0)


def test_note_has_another_colour_than_replies(anas_talk: DeskPage) -> None:
    colour = "element => getComputedStyle(element).backgroundColor"
    note = anas_talk.log.locator(".note .bubble").evaluate(colour)
    reply = anas_talk.log.locator(".agent .bubble").first.evaluate(colour)
    assert note != reply


def test_marks_change_and_what_comes_is_shown_and_read(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    until(lambda: desk.posts("read"))
    reply = desk.talks[12].entries[-2]
    desk.replace(12, reply["id"], mark="read")
    expect(anas_talk.log.locator(".entry.agent", has_text="¿Prefieres")).to_contain_text("Read")
    entry = desk.says(12, "shopper", "Un par nuevo, por favor")
    expect(anas_talk.last).to_contain_text("Un par nuevo, por favor")
    until(lambda: {"entry": entry["id"]} in desk.posts("read"))
    expect(anas_talk.row("Ana").locator(".badge")).to_have_count(0)


def test_older_entries_come_when_scrolled_to_and_the_place_is_kept(marta: DeskPage, desk: DeskStandIn) -> None:
    entries = [desk.entry("shopper", f"line {number}", at=ago(minutes=100 - number)) for number in range(70)]
    desk.add_item(1, state="assigned", assignee="Marta", entries=entries)
    marta.visit("mine/1")
    expect(marta.last).to_contain_text("line 69")
    assert marta.entries.count() < 70
    until(lambda: (marta.log.evaluate("log => log.scrollTop = 0"), marta.entries.count() == 70)[1])
    texts = marta.entries.locator(".text").all_text_contents()
    assert texts == [f"line {number}" for number in range(70)]
    first = marta.log.get_by_text("line 20", exact=True)
    first.scroll_into_view_if_needed()
    desk.says(1, "shopper", "and now?")
    expect(marta.button("New messages")).to_be_visible()
    expect(first).to_be_in_viewport()
    marta.button("New messages").click()
    expect(marta.last).to_be_in_viewport()


def test_reply_goes_out_once_and_is_marked(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    anas_talk.box.press_sequentially("Te mando un par nuevo 👟")
    until(lambda: desk.frames("typing") == [{"type": "typing", "handoff": 12, "on": True}])
    anas_talk.box.press("Enter")
    expect(anas_talk.last).to_contain_text("Te mando un par nuevo 👟")
    expect(anas_talk.last).to_contain_text("Sent")
    expect(anas_talk.entries.filter(has_text="par nuevo 👟")).to_have_count(1)
    expect(anas_talk.box).to_have_value("")
    assert [message["text"] for message in desk.posts("message")] == ["Te mando un par nuevo 👟"]
    until(lambda: not desk.frames("typing")[-1]["on"])


def test_private_note_goes_to_colleagues_only(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    anas_talk.button("Private note").click()
    expect(anas_talk.page.get_by_label("Write a note. Only colleagues see it.")).to_be_focused()
    anas_talk.shot("note")
    anas_talk.say("Pide un par nuevo")
    expect(anas_talk.last).to_contain_text("Private note · Marta")
    until(lambda: desk.posts("note"))  # the entry is shown before it is sent
    assert desk.posts("message") == []
    assert [note["text"] for note in desk.posts("note")] == ["Pide un par nuevo"]
    assert desk.frames("typing") == []


def test_canned_reply_is_found_and_taken_with_the_keyboard(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    anas_talk.box.press_sequentially("/wh")
    options = anas_talk.page.get_by_role("option")
    expect(options).to_have_count(1)
    expect(options.locator("mark")).to_have_text("{tracking_number}")
    anas_talk.shot("canned")
    anas_talk.box.press("Enter")
    expect(anas_talk.box).to_have_value("Tu pedido A-1001 va en camino con la guía {tracking_number}.")
    expect(anas_talk.page.locator(".mirror mark")).to_have_text("{tracking_number}")
    anas_talk.box.press("Enter")
    expect(anas_talk.page.locator(".composer .fault")).to_have_text("Fill in {tracking_number} first, or take it out.")
    assert desk.posts("message") == []
    anas_talk.page.keyboard.type("EST-1")  # over what is selected
    anas_talk.box.press("Enter")
    expect(anas_talk.last).to_contain_text("con la guía EST-1.")


def test_canned_reply_that_is_taken_before_it_is_there_is_not_sent_as_letters(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    anas_talk.page.route("**/canned", lambda route: (anas_talk.page.wait_for_timeout(500), route.continue_()))
    anas_talk.box.press_sequentially("/sorry")
    anas_talk.box.press("Enter")
    expect(anas_talk.box).to_have_value("Perdona la molestia, Ana. Lo arreglamos ahora.")
    assert desk.posts("message") == []


def test_canned_replies_are_walked_through_and_left(anas_talk: DeskPage) -> None:
    anas_talk.box.press_sequentially("Hola. /")
    expect(anas_talk.page.get_by_role("option")).to_have_count(3)
    anas_talk.box.press("ArrowDown")
    anas_talk.box.press("ArrowDown")
    expect(anas_talk.box).to_have_attribute("aria-activedescendant", "canned-2")
    anas_talk.box.press("Escape")
    expect(anas_talk.page.get_by_role("option").first).to_be_hidden()
    expect(anas_talk.box).to_be_focused()
    anas_talk.box.press_sequentially("so")
    anas_talk.page.get_by_role("option").first.click()
    expect(anas_talk.box).to_have_value("Hola. Perdona la molestia, Ana. Lo arreglamos ahora.")


def test_draft_is_kept_for_each_conversation_and_through_a_reload(anas_talk: DeskPage) -> None:
    anas_talk.box.fill("half a sentence for Ana")
    anas_talk.row("Pedro").click()
    expect(anas_talk.title).to_have_text("Pedro")
    expect(anas_talk.box).to_have_value("")
    anas_talk.row("Ana").click()
    expect(anas_talk.box).to_have_value("half a sentence for Ana")
    anas_talk.page.reload()
    expect(anas_talk.box).to_have_value("half a sentence for Ana")
    anas_talk.button("Private note").click()
    expect(anas_talk.box).to_have_value("")


def test_typing_goes_both_ways(agents_browser: BrowserContext, anas_talk: DeskPage, desk: DeskStandIn) -> None:
    desk.types(12, "shopper", True)
    expect(anas_talk.log.get_by_text("Ana Torres: is typing…")).to_be_visible()
    desk.types(12, "Sara", True)
    expect(anas_talk.log.get_by_text("Ana Torres, Sara: is typing…")).to_be_visible()
    desk.types(12, "shopper", False)
    desk.types(12, "Sara", False)
    expect(anas_talk.log.locator(".typing-line")).to_be_hidden()


def test_files_go_by_button_paste_and_drop_with_their_progress(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    desk._on_loop(desk.uploads_open.clear)
    anas_talk.page.locator(".composer input[type=file]").set_input_files([FILE])
    expect(anas_talk.page.get_by_role("progressbar")).to_be_visible()
    anas_talk.box.press("Enter")
    expect(anas_talk.page.locator(".composer .fault")).to_contain_text("still on its way")
    desk._on_loop(desk.uploads_open.set)
    expect(anas_talk.page.get_by_role("progressbar")).to_have_count(0)
    give = """(element, type) => {
      const data = new DataTransfer();
      data.items.add(new File(["x"], type + ".png", {type: "image/png"}));
      const event = type === "paste" ? new ClipboardEvent(type, {clipboardData: data, bubbles: true, cancelable: true})
        : new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true});
      element.dispatchEvent(event);
    }"""
    anas_talk.box.evaluate(give, "paste")
    anas_talk.conversation.evaluate(give, "dragenter")
    expect(anas_talk.page.get_by_text("Drop the files here")).to_be_visible()
    anas_talk.conversation.evaluate(give, "drop")
    expect(anas_talk.page.locator(".staged li")).to_have_count(3)
    anas_talk.button("Remove paste.png").click()
    anas_talk.box.press("Enter")
    expect(anas_talk.last).to_contain_text("drop.png")
    until(lambda: desk.posts("message"))  # the entry is shown before it is sent
    assert desk.posts("message")[-1]["files"] == ["foto.png", "drop.png"]


def test_file_that_is_not_taken_says_why(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    picker = anas_talk.page.locator(".composer input[type=file]")
    picker.set_input_files([{"name": "virus.exe", "mimeType": "application/x-msdownload", "buffer": b"MZ"}])
    expect(anas_talk.page.locator(".composer .fault")).to_have_text("virus.exe can't be sent. Pictures and PDF files can.")
    desk.refuse("files", 413, "too_large")
    picker.set_input_files([FILE])
    expect(anas_talk.page.locator(".composer .fault")).to_have_text("foto.png is too large. Up to 16 MB are possible.")


def test_time_that_is_left_to_write_freely_counts_down_and_ends_in_templates(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    left = anas_talk.page.locator(".window")
    expect(left).to_contain_text("Free to write: 3 hr 1")
    desk.change(12, window={"closes_at": ahead(minutes=20), "is_open": True})
    expect(left).to_have_attribute("data-state", "soon")
    before = left.text_content()
    until(lambda: left.text_content() != before)
    desk.change(12, window={"closes_at": ahead(seconds=1), "is_open": True})
    expect(anas_talk.box).to_be_hidden()
    anas_talk.shot("window-over")
    anas_talk.page.get_by_label("Hola, ¿sigues ahí?").check()
    anas_talk.button("Send template").click()
    expect(anas_talk.last).to_contain_text("Template still_there")
    until(lambda: desk.posts("message"))
    assert desk.posts("message")[-1]["template"] == "still_there"
    assert "text" not in desk.posts("message")[-1]
    anas_talk.button("Private note").click()
    expect(anas_talk.box).to_be_visible()


@pytest.mark.parametrize("state", ["a lost connection", "a reload"])
def test_message_without_a_connection_waits_and_goes_out_once(anas_talk: DeskPage, desk: DeskStandIn, state: str) -> None:
    desk.is_away = True
    desk.drop()
    anas_talk.say("cuando vuelva la red")
    expect(anas_talk.last).to_contain_text("Waits for the connection")
    expect(anas_talk.page.get_by_text("No connection. What you write goes out as soon as it is back.")).to_be_visible()
    desk.is_away = False
    if state == "a reload":
        anas_talk.page.reload()
    expect(anas_talk.last).to_contain_text("Sent", timeout=20_000)
    expect(anas_talk.entries.filter(has_text="cuando vuelva la red")).to_have_count(1)
    assert len({message["id"] for message in desk.posts("message")}) == 1
    assert [entry for entry in desk.talks[12].entries if entry["parts"] == [{"kind": "text", "text": "cuando vuelva la red"}]][
        1:
    ] == []


def test_answer_that_is_lost_makes_no_second_message(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    anas_talk.page.route("**/message", lambda route: (route.fetch(), route.abort()), times=1)
    anas_talk.say("una sola vez")
    expect(anas_talk.last).to_contain_text("Sent", timeout=20_000)
    expect(anas_talk.entries.filter(has_text="una sola vez")).to_have_count(1)
    until(lambda: len(desk.posts("message")) == 2)
    expect(anas_talk.entries.filter(has_text="una sola vez")).to_have_count(1)
    assert len({message["id"] for message in desk.posts("message")}) == 1


def test_what_is_refused_says_why_and_is_tried_again_or_taken_back(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    desk.refuse("message", 409, "not_yours", times=2)
    anas_talk.say("no se pudo")
    expect(anas_talk.last).to_contain_text("This conversation isn't yours at the moment.")
    anas_talk.button("Try again").click()
    until(lambda: len(desk.posts("message")) == 2)
    expect(anas_talk.last).to_contain_text("This conversation isn't yours at the moment.")
    anas_talk.button("Take back").click()
    expect(anas_talk.box).to_have_value("no se pudo")
    anas_talk.box.press("Enter")
    expect(anas_talk.last).to_contain_text("Sent")


def test_message_that_was_not_delivered_says_so_and_can_be_written_again(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    desk.says(12, "agent", "¿Te llegó?", name="Marta", mark="failed", error="unreachable")
    expect(anas_talk.last).to_contain_text("Not delivered: unreachable")
    anas_talk.last.get_by_role("button", name="Try again").click()
    expect(anas_talk.box).to_have_value("¿Te llegó?")


def test_who_does_not_have_it_writes_notes_only(marta: DeskPage, desk: DeskStandIn) -> None:
    desk.add_item(1)
    desk.add_item(2, state="assigned", assignee="Olav")
    desk.add_item(3, state="resolved")
    marta.visit("queue/1")
    expect(marta.button("Reply")).to_be_disabled()
    expect(marta.conversation).to_contain_text("Take this conversation to answer.")
    marta.visit("queue/2")
    expect(marta.conversation).to_contain_text("Olav has this conversation.")
    marta.visit("closed/3")
    expect(marta.conversation).to_contain_text("This conversation is closed.")
    expect(marta.box).to_be_hidden()
    marta.visit("queue/99")
    expect(marta.conversation.get_by_role("alert")).to_have_text("This doesn't exist, or it isn't yours to see.")


def test_two_pages_show_the_same(agents_browser: BrowserContext, anas_talk: DeskPage, desk: DeskStandIn) -> None:
    other = DeskPage(agents_browser.new_page(), desk).visit("mine/12")
    expect(other.last).to_contain_text("suela despegada")
    other.say("desde la otra")
    expect(anas_talk.last).to_contain_text("desde la otra")
    expect(anas_talk.entries.filter(has_text="desde la otra")).to_have_count(1)
    expect(other.entries.filter(has_text="desde la otra")).to_have_count(1)
    anas_talk.button("Resolve").click()
    anas_talk.dialog.get_by_label("How did it end?").select_option("done")
    anas_talk.dialog.get_by_label("What was it about?").select_option("return")
    anas_talk.dialog.get_by_role("button", name="Resolve").click()
    expect(other.row("Ana Torres")).to_have_count(0)
    expect(other.box).to_be_hidden()


def test_lost_entries_are_there_once_the_connection_is_back(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    desk.drop()
    desk.says(12, "shopper", "meanwhile")
    expect(anas_talk.last).to_contain_text("meanwhile")


def test_page_of_a_colleague_who_looks_too(agents_browser: BrowserContext, anas_talk: DeskPage, desk: DeskStandIn) -> None:
    desk._tokens.clear()
    sara = signed_in(agents_browser, desk, "sara").visit("all/12")
    expect(sara.conversation).to_contain_text("Marta has this conversation.")
