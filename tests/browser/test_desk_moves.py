"""What is done with a conversation, and for the shopper: taken, passed on, put aside, closed; proposed, confirmed, undone."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, ViewportSize, expect

from tests.browser import axe
from tests.browser.desk_page import WIDE, DeskPage, a_days_work, signed_in
from tests.browser.desk_stand_in import DeskStandIn, ahead
from tests.browser.stand_in import until
from tests.browser.widget import PHONE


def opened(page: DeskPage, name: str) -> None:
    """Something of the menu of the conversation."""
    page.button("More to do").click()
    page.conversation.locator(".menu").get_by_role("button", name=name).click()


def previews_points(page: DeskPage) -> None:
    """An act is asked for, and its summary."""
    page.known.get_by_role("button", name="Add points").click()
    page.dialog.get_by_label("Points").fill("100")
    page.dialog.get_by_label("Why").select_option(label="Goodwill")
    page.dialog.get_by_role("button", name="Show what would happen").click()


def test_taken_conversation_is_theirs_at_once(marta: DeskPage, desk: DeskStandIn) -> None:
    desk.add_item(1)
    marta.visit("queue/1")
    marta.conversation.locator(".moves").get_by_role("button", name="Take").click()
    expect(marta.box).to_be_focused()
    expect(marta.row("Shopper 1")).to_have_count(0)
    expect(marta.last).to_have_count(0)
    expect(marta.log).to_contain_text("Marta took it")
    assert desk.talks[1].item["assignee"] == "Marta"


def test_conversation_that_somebody_was_quicker_to_take_says_who(marta: DeskPage, desk: DeskStandIn) -> None:
    desk.add_item(1)
    marta.visit("queue/1")
    desk.talks[1].item.update(state="assigned", assignee="Olav")  # before the page has heard of it
    marta.conversation.locator(".moves").get_by_role("button", name="Take").click()
    expect(marta.toasts).to_contain_text("Olav already has this conversation.")
    expect(marta.toasts.get_by_role("button", name="Take over")).to_have_count(0)
    expect(marta.conversation).to_contain_text("Olav has this conversation.")
    expect(marta.button("Reply")).to_be_disabled()


def test_supervisor_takes_over_after_a_question(agents_browser: BrowserContext, desk: DeskStandIn) -> None:
    desk.add_item(1, state="assigned", assignee="Olav")
    sara = signed_in(agents_browser, desk, "sara").visit("all/1")
    sara.conversation.locator(".moves").get_by_role("button", name="Take over").click()
    expect(sara.dialog).to_contain_text("Olav has this conversation")
    assert desk.posts("take") == []
    sara.dialog.get_by_role("button", name="Cancel").click()
    expect(sara.dialog).to_have_count(0)
    assert desk.posts("take") == []
    sara.page.keyboard.press("o")
    sara.dialog.get_by_role("button", name="Take over").click()
    expect(sara.box).to_be_focused()
    until(lambda: desk.posts("take") == [{"over": True}])


def test_agent_is_offered_only_what_is_possible(marta: DeskPage, desk: DeskStandIn) -> None:
    a_days_work(desk)
    moves = marta.conversation.locator(".moves button")
    marta.visit("queue/21")
    expect(moves).to_have_text(["Take"])
    marta.visit("mine/12")
    expect(moves).to_have_text(["Resolve", "Give back"])
    marta.visit("mine/33")
    expect(moves).to_have_count(0)


def test_passed_on_to_a_person_with_a_note_and_who_is_there(agents_browser: BrowserContext, desk: DeskStandIn) -> None:
    a_days_work(desk)
    desk.people["olav"]["languages"] = ["nb"]
    olav = signed_in(agents_browser, desk, "olav").visit("queue")
    olav.page.bring_to_front()
    marta = signed_in(agents_browser, desk, "marta")
    marta.visit("mine/12")
    opened(marta, "Pass on")
    expect(marta.dialog.get_by_text("Olav", exact=True).locator("..")).to_contain_text(
        "Available · 1 of 4 · speaks another language"
    )
    expect(marta.dialog.get_by_text("Sara", exact=True).locator("..")).to_contain_text("Not there")
    marta.shot("transfer")
    marta.dialog.get_by_role("button", name="Pass on").click()
    expect(marta.dialog).to_contain_text("Please fill this in.")
    marta.dialog.get_by_label("Olav").check()
    marta.dialog.get_by_label("Note for whoever gets it").fill("Quiere un par nuevo")
    marta.dialog.get_by_role("button", name="Pass on").click()
    expect(marta.toasts).to_contain_text("Passed on to Olav")
    assert desk.posts("transfer") == [{"agent": "Olav", "note": "Quiere un par nuevo"}]
    expect(marta.row("Ana")).to_have_count(0)
    expect(marta.log.locator(".event q", has_text="Quiere un par nuevo")).to_be_visible()


def test_passed_on_to_a_queue(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    anas_talk.page.keyboard.press("f")
    anas_talk.dialog.get_by_label("Queue: Orders").check()
    anas_talk.dialog.get_by_role("button", name="Pass on").click()
    expect(anas_talk.toasts).to_contain_text("Passed on to Orders")
    assert desk.posts("transfer") == [{"queue": "orders"}]


def test_snoozed_for_an_hour_until_we_open_or_until_a_date(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    anas_talk.page.keyboard.press("s")
    anas_talk.shot("snooze")
    anas_talk.dialog.get_by_role("button", name="Snooze").click()
    expect(anas_talk.toasts).to_contain_text("Put aside until")
    until_first = datetime.fromisoformat(desk.posts("snooze")[0]["until"].replace("Z", "+00:00"))
    assert timedelta(minutes=58) < until_first - datetime.now(until_first.tzinfo) < timedelta(minutes=61)
    expect(anas_talk.row("Ana")).to_have_count(0)
    anas_talk.page.keyboard.press("s")  # brings it back
    expect(anas_talk.row("Ana")).to_be_visible()
    anas_talk.page.keyboard.press("s")
    anas_talk.dialog.get_by_label("At another time").check()
    anas_talk.dialog.get_by_label("Day and time").fill("2020-01-01T10:00")
    anas_talk.dialog.get_by_role("button", name="Snooze").click()
    expect(anas_talk.dialog).to_contain_text("Choose a time that is still to come.")
    anas_talk.dialog.get_by_label("Next day, when we open").check()
    anas_talk.dialog.get_by_role("button", name="Snooze").click()
    expect(anas_talk.dialog).to_have_count(0)
    until(lambda: len(desk.posts("snooze")) == 2)


def test_resolved_with_a_reason_a_topic_and_a_note(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    anas_talk.button("Resolve").click()
    expect(anas_talk.dialog.get_by_label("What was it about?")).to_have_value("")  # a wish is not how it ended
    anas_talk.shot("resolve")
    anas_talk.dialog.get_by_role("button", name="Resolve").click()
    expect(anas_talk.dialog).to_contain_text("Please fill this in.")
    assert desk.posts("resolve") == []
    anas_talk.dialog.get_by_label("How did it end?").select_option(label="Done as asked")
    anas_talk.dialog.get_by_label("What was it about?").select_option(label="Return")
    anas_talk.dialog.get_by_label("Note for colleagues").fill("par nuevo en camino")
    anas_talk.dialog.get_by_role("button", name="Resolve").click()
    expect(anas_talk.toasts).to_contain_text("Resolved: Ana Torres")
    told = {"reason": "done", "topic": "return", "note": "par nuevo en camino", "seen": desk.shoppers(12)}
    assert desk.posts("resolve") == [told]
    expect(anas_talk.conversation).to_contain_text("This conversation is closed.")


def test_given_back_says_that_the_shopper_reads_the_instruction(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    anas_talk.button("Give back").click()
    expect(anas_talk.dialog).to_contain_text("goes on with: Return something.")
    expect(anas_talk.dialog).to_contain_text("The shopper will read this.")
    anas_talk.shot("give-back")
    anas_talk.dialog.get_by_label("Your words for the summary").fill("Te mandamos un par nuevo.")
    anas_talk.dialog.get_by_role("button", name="Give back").click()
    expect(anas_talk.toasts).to_contain_text("The assistant has it again.")
    assert desk.posts("give-back") == [{"instruction": "Te mandamos un par nuevo.", "seen": desk.shoppers(12)}]


def test_put_back_into_the_queue_after_a_question(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    opened(anas_talk, "Back to the queue")
    anas_talk.dialog.get_by_role("button", name="Back to the queue").click()
    expect(anas_talk.row("Ana")).to_have_count(0)
    until(lambda: desk.talks[12].item["state"] == "queued")  # the page does not wait for the server


def test_move_that_is_refused_is_undone_on_the_page_and_stays_to_be_tried_again(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    desk.refuse("resolve", 409, "illegal")
    anas_talk.page.keyboard.press("e")
    anas_talk.dialog.get_by_label("How did it end?").select_option("done")
    anas_talk.dialog.get_by_label("What was it about?").select_option("return")
    anas_talk.dialog.get_by_label("Note for colleagues").fill("a long note")
    anas_talk.dialog.get_by_role("button", name="Resolve").click()
    expect(anas_talk.dialog.get_by_role("alert")).to_contain_text("That isn't possible any more.")
    expect(anas_talk.dialog.get_by_label("Note for colleagues")).to_have_value("a long note")
    anas_talk.dialog.get_by_role("button", name="Cancel").click()
    expect(anas_talk.row("Ana")).to_be_visible()
    expect(anas_talk.button("Reply")).to_be_enabled()


def fills_in(page: DeskPage, move: str) -> None:
    """All that the dialog of this move asks for."""
    opened(page, move)
    if move == "Resolve":
        page.dialog.get_by_label("How did it end?").select_option("done")
        page.dialog.get_by_label("What was it about?").select_option("return")
        page.dialog.get_by_label("Note for colleagues").fill("a long note")
    if move == "Give back":
        page.dialog.get_by_label("Your words for the summary").fill("a long note")


@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "desktop"])
@pytest.mark.parametrize(("move", "route"), [("Resolve", "resolve"), ("Give back", "give-back"), ("Snooze", "snooze")])
def test_shopper_who_writes_as_the_agent_leaves_is_read_first(
    anas_talk: DeskPage, desk: DeskStandIn, move: str, route: str, size: ViewportSize
) -> None:
    anas_talk.page.set_viewport_size(size)
    before = dict(desk.talks[12].item)
    desk.keeps(12, "¡Espera! Una cosa más")
    fills_in(anas_talk, move)
    anas_talk.dialog.get_by_role("button", name=move).click()
    expect(anas_talk.dialog.get_by_role("alert")).to_have_text(
        "Just in time, the shopper has written once more. Please read it, then press again."
    )
    expect(anas_talk.dialog.get_by_text("¡Espera! Una cosa más")).to_be_visible()
    anas_talk.shot(f"last-words-{route}-{size['width']}")
    assert axe.violations(anas_talk.page) == []
    assert desk.talks[12].item == before
    if move != "Snooze":
        expect(anas_talk.dialog.locator("textarea")).to_have_value("a long note")
    anas_talk.dialog.get_by_role("button", name="Cancel").click()
    expect(anas_talk.last).to_contain_text("¡Espera! Una cosa más")
    expect(anas_talk.button("Reply")).to_be_enabled()
    expect(anas_talk.box).to_be_visible()
    fills_in(anas_talk, move)
    anas_talk.dialog.get_by_role("button", name=move).click()
    expect(anas_talk.dialog).to_have_count(0)
    until(lambda: desk.talks[12].item["state"] in ("resolved", "given_back", "snoozed"))


def test_what_comes_behind_the_dialog_is_read_there_before_it_is_pressed_again(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    fills_in(anas_talk, "Resolve")
    desk.says(12, "shopper", "¡Espera!")
    expect(anas_talk.log).to_contain_text("¡Espera!")
    yes = anas_talk.dialog.get_by_role("button", name="Resolve")
    yes.click()
    expect(anas_talk.dialog.get_by_role("alert")).to_contain_text("Just in time")
    desk.keeps(12, "¿Sigues ahí?")
    yes.click()
    expect(anas_talk.dialog.get_by_text("¿Sigues ahí?")).to_be_visible()
    expect(anas_talk.dialog.get_by_text("¡Espera!")).to_have_count(1)
    yes.click()
    expect(anas_talk.toasts).to_contain_text("Resolved: Ana Torres")
    assert [told["seen"] for told in desk.posts("resolve")][-1] == desk.shoppers(12)


# What is known, and acts


def test_known_is_shown_with_where_it_came_from_and_what_would_change_it(anas_talk: DeskPage) -> None:
    for said in (
        "Proven to be this customer",
        "from the account",
        "los tenis rojos del 39",
        "A person decides",
        "A total below $1,500 would be refunded at once.",
        "2,450",
        "Checked the return window",
        "R-2001",
        "Estafeta · EST-889-221",
        "MX$1,899.00",
        "It was delivered already.",
    ):
        expect(anas_talk.known).to_contain_text(said)
    anas_talk.known.get_by_text("Consents").click()
    expect(anas_talk.known.get_by_text("Offers · E-mail: not agreed")).to_be_visible()
    anas_talk.known.get_by_text("Earlier matters").click()
    expect(anas_talk.known.get_by_text("Return · Done as asked")).to_be_visible()
    expect(anas_talk.known.get_by_role("button", name="Cancel the order")).to_be_disabled()


def test_acts_that_are_all_impossible_for_one_reason_say_it_once(marta: DeskPage, desk: DeskStandIn) -> None:
    why = "Take the conversation first."
    acts = [{"kind": name, "title": name, "parameters": [], "is_allowed": False, "why_not": why} for name in ("one", "two")]
    desk.add_item(1, known={"acts": acts})
    desk.add_item(2, known={"acts": [acts[0], {**acts[1], "why_not": "Nothing to do."}]})
    marta.visit("queue/1")
    expect(marta.known.get_by_role("button", name="two")).to_be_disabled()
    expect(marta.known.get_by_text(why)).to_have_count(1)
    marta.visit("queue/2")
    expect(marta.known.get_by_text("Nothing to do.")).to_be_visible()
    expect(marta.known.get_by_text(why)).to_be_visible()


def test_act_is_shown_before_it_is_done_and_can_be_undone(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    anas_talk.known.get_by_role("button", name="Refund exception").click()
    anas_talk.dialog.get_by_label("Amount").fill("250.50")
    anas_talk.dialog.get_by_label("Reason").fill("suela")
    anas_talk.dialog.get_by_role("button", name="Show what would happen").click()
    expect(anas_talk.dialog).to_contain_text("MX$250.50")
    expect(anas_talk.dialog).to_contain_text("The shopper gets a message.")
    anas_talk.shot("act")
    assert desk.posts("confirm") == []
    anas_talk.dialog.get_by_role("button", name="Do it").click()
    assert desk.posts("propose") == [{"amount": {"minor": 25050, "currency": "MXN"}, "reason": "suela"}]
    expect(anas_talk.toasts).to_contain_text("Done: Refund exception")
    assert desk.posts("confirm") == [{"proposal": "p1"}]
    anas_talk.toasts.get_by_role("button", name="Undo").click()
    expect(anas_talk.dialog).to_contain_text("This would be undone.")
    anas_talk.dialog.get_by_role("button", name="Undo").click()
    expect(anas_talk.toasts.last).to_contain_text("Undone: Refund exception")
    assert desk.posts("undo") == [{"effect": 7}]


def test_act_is_not_undone_by_who_has_the_conversation_no_more_and_they_read_why(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    previews_points(anas_talk)
    anas_talk.dialog.get_by_role("button", name="Do it").click()
    expect(anas_talk.toasts).to_contain_text("Done: Add points")
    fills_in(anas_talk, "Resolve")
    anas_talk.dialog.get_by_role("button", name="Resolve").click()
    expect(anas_talk.toasts.last).to_contain_text("Resolved: Ana Torres")
    undo = anas_talk.toasts.get_by_role("button", name="Undo")
    undo.click()
    anas_talk.dialog.get_by_role("button", name="Undo").click()
    fault = anas_talk.dialog.get_by_role("alert")
    expect(fault).to_have_text("That isn't possible any more. The conversation has moved on.")
    desk.change(12, state="assigned", assignee="Olav")
    anas_talk.dialog.get_by_role("button", name="Undo").click()
    expect(fault).to_have_text("This conversation isn't yours at the moment. Take it to answer.")
    expect(anas_talk.toasts.filter(has_text="Undone")).to_have_count(0)


def test_act_above_the_limit_says_the_limit_and_who_may(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    limit = {"limit": {"minor": 300000, "currency": "MXN"}, "nearest": "supervisor", "who_may": "A supervisor may."}
    desk.refuse("propose", 422, "refused", rule="above_agent_limit", title="More than an agent may allow", values=limit)
    previews_points(anas_talk)
    said = "More than an agent may allow. The limit is MX$3,000.00. A supervisor may."
    expect(anas_talk.dialog.get_by_role("alert")).to_have_text(said)


def test_reply_that_is_suggested_after_an_act_is_sent_only_by_the_agent(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    text = "Te devolví {refund_amount} del pedido A-1001."
    desk.does = lambda _kind, _told: {"suggested": {"key": "act_refund_exception", "title": "", "text": text}}
    previews_points(anas_talk)
    anas_talk.dialog.get_by_role("button", name="Do it").click()
    expect(anas_talk.toasts).to_contain_text(text)
    anas_talk.shot("suggested")
    anas_talk.toasts.get_by_role("button", name="Put into the reply").click()
    expect(anas_talk.box).to_have_value(text)
    expect(anas_talk.box).to_be_focused()
    expect(anas_talk.toasts.get_by_role("button", name="Undo")).to_be_visible()
    anas_talk.box.press("Enter")
    expect(anas_talk.conversation).to_contain_text("Fill in {refund_amount} first")
    assert desk.posts("message") == []


def test_suggested_reply_waits_in_its_own_conversation(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    desk.does = lambda _kind, _told: {"suggested": {"key": "act", "title": "", "text": "Ya está."}}
    previews_points(anas_talk)
    anas_talk.dialog.get_by_role("button", name="Do it").click()
    expect(anas_talk.toasts).to_contain_text("Ya está.")
    anas_talk.row("Pedro").click()
    expect(anas_talk.title).to_have_text("Pedro")
    anas_talk.toasts.get_by_role("button", name="Put into the reply").click()
    expect(anas_talk.title).to_have_text("Ana Torres")
    expect(anas_talk.box).to_have_value("Ya está.")


def test_act_that_is_not_possible_any_more_says_why(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    desk.refuse("confirm", 409, "stale", why="facts_changed", rule="nothing_left", title="All of it was paid back already")
    previews_points(anas_talk)
    anas_talk.dialog.get_by_role("button", name="Do it").click()
    said = "Something has changed meanwhile. All of it was paid back already."
    expect(anas_talk.dialog.get_by_role("alert")).to_have_text(said)


def test_act_that_has_become_stale_is_shown_anew(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    fresh = {"proposal": "p2", "summary": [{"label": "Points", "value": 50}]}
    desk.refuse("confirm", 409, "stale", **fresh)
    previews_points(anas_talk)
    anas_talk.dialog.get_by_role("button", name="Do it").click()
    expect(anas_talk.dialog).to_contain_text("Something has changed meanwhile.")
    anas_talk.dialog.get_by_role("button", name="Do it").click()
    expect(anas_talk.toasts).to_contain_text("Done: Add points")
    assert desk.posts("propose")[0] == {"points": 100, "why": "goodwill"}
    assert [told["proposal"] for told in desk.posts("confirm")] == ["p1", "p2"]


# Who is there, alerts, the connection


def test_status_and_colleagues(agents_browser: BrowserContext, anas_talk: DeskPage, desk: DeskStandIn) -> None:
    anas_talk.button("Your status: Available").click()
    anas_talk.page.locator("header .menu:visible").get_by_role("button", name="Away").click()
    expect(anas_talk.button("Your status: Away")).to_be_visible()
    until(lambda: desk.people["marta"]["status"] == "away")
    hint = anas_talk.list.get_by_text("No new conversations come to you until you are available.")
    expect(hint).to_be_visible()
    anas_talk.list.get_by_role("button", name="I am available").click()
    expect(hint).to_be_hidden()
    until(lambda: desk.people["marta"]["status"] == "available")
    desk.sign_in_as("olav")
    there = anas_talk.button("Colleagues who are there: 0")
    there.click()
    expect(anas_talk.page.locator(".colleagues")).to_contain_text("Olav")
    anas_talk.page.keyboard.press("Escape")
    expect(there).to_be_focused()


def test_alert_is_said_leads_there_and_counts_in_the_title(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    desk.alert("transferred", 31, by="Sara")
    expect(anas_talk.toasts).to_contain_text("Sara passed Pedro on to you")
    desk.alert("breached", 31, level="next_reply")
    expect(anas_talk.page.get_by_role("alert").filter(has_text="Pedro: Next reply is late")).to_be_visible()
    desk.alert("warning", 31, level="first_reply", due_at=ahead(minutes=2))
    expect(anas_talk.toasts.filter(has_text="Pedro: First reply is due at")).to_be_visible()
    desk.says(31, "shopper", "¿y?")
    expect(anas_talk.page).to_have_title("(1) Desk")
    anas_talk.toasts.first.get_by_role("button", name="Open").click()
    expect(anas_talk.title).to_have_text("Pedro")
    expect(anas_talk.page).to_have_title("Desk")


def test_sound_and_notifications_only_for_whom_allowed_them(
    agents_browser: BrowserContext, marta: DeskPage, desk: DeskStandIn
) -> None:
    a_days_work(desk)
    marta.page.add_init_script(
        "window.shown = []; window.Notification = class { static permission = 'granted'; static async requestPermission() "
        "{ return 'granted'; } constructor(title, {body}) { window.shown.push(body); } addEventListener() {} close() {} };"
        "Object.defineProperty(document, 'visibilityState', {get: () => 'hidden'});"
    )
    marta.visit("mine")
    desk.alert("assigned", 31)
    expect(marta.toasts).to_contain_text("New for you: Pedro")
    assert marta.page.evaluate("window.shown") == []
    marta.visit("account")
    marta.page.get_by_label("Notifications").check()
    desk.alert("assigned", 31)
    until(lambda: marta.page.evaluate("window.shown") == ["New for you: Pedro"])


def test_connection_that_ends_comes_back_and_says_both(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    desk.stop()
    expect(anas_talk.page.get_by_text("No connection.")).to_be_visible()
    desk.start()
    expect(anas_talk.toasts.filter(has_text="The connection is back")).to_be_visible(timeout=30_000)
    desk.bye("restart", 0.2)
    until(lambda: desk.lines() == 0)
    until(lambda: desk.lines() == 1)
    assert desk.frames("watch")[-1] == {"type": "watch", "handoff": 12}


def test_bye_is_kept_to(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    before = len(desk.frames("hello"))
    desk.bye("idle", 3)
    anas_talk.page.wait_for_timeout(2000)
    assert len(desk.frames("hello")) == before
    until(lambda: len(desk.frames("hello")) == before + 1)
