"""The desk's list: what each row says, filters and search, live without jumps, and thousands of items in a few elements."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.desk_page import DeskPage, a_days_work, signed_in
from tests.browser.desk_stand_in import DeskStandIn, ago, ahead
from tests.browser.stand_in import until

MOST_ROWS = 40  # that are elements, of however many
STATES = ["late", "soon", "fine"]


@pytest.fixture
def queue(marta: DeskPage, desk: DeskStandIn) -> DeskPage:
    a_days_work(desk)
    marta.visit("queue")
    expect(marta.rows).to_have_count(4)
    return marta


def many(desk: DeskStandIn, count: int) -> None:
    """Each waits a little less than the one before."""
    for number in range(1, count + 1):
        desk.add_item(number, created_at=ago(minutes=count - number), shown_name=f"Shopper {number:04}")


def offset(shown: DeskPage, name: str) -> float:
    """Where on the screen a row is."""
    box = shown.row(name).bounding_box()
    assert box
    return box["y"]


def test_row_says_who_what_from_where_and_how_long(queue: DeskPage) -> None:
    row = queue.row("João Pereira")
    for said in ("Silver", "13 min", "Já é a terceira vez", "WhatsApp", "Portuguese", "Upset", "track order"):
        expect(row).to_contain_text(said)
    expect(row.locator(".clock")).to_contain_text("3 min late")
    expect(queue.row("Lucía").locator(".badge")).to_have_text("1 unread")
    expect(queue.row("Unknown shopper")).to_contain_text("Is typing…")
    queue.shot("queue")


def test_most_urgent_is_first_and_urgency_is_said_in_words_and_colour(queue: DeskPage) -> None:
    assert queue.names()[:3] == ["João Pereira", "Kari Nordmann", "Unknown shopper"]
    clocks = queue.rows.locator(".clock")
    assert clocks.evaluate_all("all => all.slice(0, 3).map(clock => clock.dataset.state)") == STATES
    assert [("late" in text, "left" in text) for text in clocks.all_text_contents()[:2]] == [(True, False), (False, True)]


def test_clock_counts_down_and_turns_late_by_itself(queue: DeskPage, desk: DeskStandIn) -> None:
    clock = queue.row("Kari").locator(".clock")
    before = clock.text_content()
    until(lambda: clock.text_content() != before)
    sla = {"level": "first_reply", "due_at": ahead(seconds=1), "warn_at": ago(minutes=1), "is_breached": False}
    desk.change(22, sla=sla)
    expect(clock).to_contain_text("late")


def test_lists_hold_what_they_are_called_and_count_it(queue: DeskPage, desk: DeskStandIn) -> None:
    tabs = queue.list.locator(".tab")
    assert tabs.all_text_contents() == ["Queue4", "Mine2", "Snoozed1", "Closed"]
    tabs.filter(has_text="Mine").click()
    expect(queue.rows).to_have_count(2)
    assert queue.names() == ["Ana Torres", "Pedro"]
    tabs.filter(has_text="Snoozed").click()
    expect(queue.row("Rosa")).to_contain_text("until")
    tabs.filter(has_text="Closed").click()
    expect(queue.row("Miguel")).to_contain_text("Resolved")
    expect(queue.row("Sofía")).to_contain_text("With the assistant")


def test_only_who_may_see_all_has_all(agents_browser: BrowserContext, desk: DeskStandIn) -> None:
    a_days_work(desk)
    sara = signed_in(agents_browser, desk, "sara").visit("all")
    expect(sara.rows).to_have_count(8)
    expect(sara.row("Ingrid")).to_contain_text("Olav")
    desk._tokens.clear()
    marta = signed_in(agents_browser, desk, "marta").visit("all")
    expect(marta.list.locator(".tab[aria-current]")).to_have_text("Queue4")


def test_filters_and_search_narrow_down_and_say_how_far(queue: DeskPage) -> None:
    queue.button("Filters").click()
    queue.page.get_by_label("Language").select_option(label="Norwegian Bokmål")
    expect(queue.rows).to_have_count(1)
    expect(queue.list.get_by_role("status")).to_have_text("Queue: 1")
    expect(queue.button("Filters 1")).to_be_visible()
    queue.button("Clear the filters").click()
    expect(queue.rows).to_have_count(4)
    for name, choice in {"Queue": "Orders", "Channel": "WhatsApp", "Reason": "Upset", "Topic": "track order"}.items():
        queue.page.locator("#filters").get_by_label(name, exact=True).select_option(label=choice)
    assert queue.names() == ["João Pereira"]
    queue.button("Clear the filters").click()
    box = queue.page.get_by_role("searchbox")
    box.fill("kvitteringen")
    expect(queue.rows).to_have_count(1)
    box.fill("no such thing")
    expect(queue.list).to_contain_text("Nothing found.")


def test_closed_ones_are_searched_on_the_server_a_page_at_a_time(marta: DeskPage, desk: DeskStandIn) -> None:
    desk.page_size = 5
    for number in range(1, 13):
        desk.add_item(number, state="resolved", shown_name=f"Old {number:02}")
    marta.visit("closed")
    expect(marta.rows).to_have_count(5)
    marta.button("Show more").click()
    expect(marta.rows).to_have_count(10)
    marta.page.get_by_role("searchbox").fill("old 03")
    expect(marta.rows).to_have_count(1)
    assert marta.names() == ["Old 03"]
    desk.refuse("handoffs", 503, "busy")
    marta.page.get_by_role("searchbox").fill("old")
    expect(marta.list).to_contain_text("The assistant is very busy.")


def test_what_changes_is_shown_at_once(queue: DeskPage, desk: DeskStandIn) -> None:
    desk.add_item(50, shown_name="Brand new")
    desk.change(50)
    expect(queue.row("Brand new")).to_be_visible()
    desk.says(21, "shopper", "¿Hay alguien?")
    expect(queue.row("João")).to_contain_text("¿Hay alguien?")
    expect(queue.row("João").locator(".badge")).to_contain_text("1")
    desk.types(22, "shopper", True)
    expect(queue.row("Kari")).to_contain_text("Is typing…")
    desk.change(22, state="assigned", assignee="Olav")
    expect(queue.row("Kari")).to_have_count(0)
    desk.gone(24)
    expect(queue.row("Lucía")).to_have_count(0)


def test_two_thousand_items_are_a_few_elements(marta: DeskPage, desk: DeskStandIn) -> None:
    many(desk, 2000)
    marta.visit("queue")
    expect(marta.row("Shopper 0001")).to_be_visible()
    assert marta.rows.count() <= MOST_ROWS
    scroller = marta.list.locator(".rows-scroller")
    scroller.evaluate("box => box.scrollTop = box.scrollHeight / 2")
    expect(marta.row("Shopper 1001")).to_be_visible()
    assert marta.rows.count() <= MOST_ROWS
    marta.row("Shopper 1001").click()
    expect(marta.title).to_have_text("Shopper 1001")
    marta.row("Shopper 1001").focus()
    marta.page.keyboard.press("End")
    expect(marta.row("Shopper 2000")).to_be_focused()
    expect(marta.row("Shopper 2000").locator("..")).to_have_attribute("aria-posinset", "2000")
    expect(marta.row("Shopper 2000").locator("..")).to_have_attribute("aria-setsize", "2000")
    assert marta.rows.count() <= MOST_ROWS
    marta.page.keyboard.press("Home")
    expect(marta.row("Shopper 0001")).to_be_focused()


def test_news_moves_neither_the_row_that_is_focused_nor_the_place(marta: DeskPage, desk: DeskStandIn) -> None:
    many(desk, 200)
    marta.visit("queue")
    scroller = marta.list.locator(".rows-scroller")
    tenth = marta.rows.nth(10).locator(".row-name")
    early = tenth.text_content()
    scroller.evaluate("box => box.scrollTop = 3000")
    seen = until(lambda: (name := tenth.text_content()) != early and name)
    before = offset(marta, seen)
    for number in range(300, 305):
        desk.add_item(number, created_at=ago(hours=9), shown_name=f"Older {number}")
        desk.change(number)
    until(lambda: "205" in (marta.list.locator(".tab").first.text_content() or ""))
    assert offset(marta, seen) == pytest.approx(before, abs=2)
    marta.row(seen).focus()
    desk.change(300, shown_name="Another")
    desk.change(301, state="assigned", assignee="Olav")
    until(lambda: "204" in (marta.list.locator(".tab").first.text_content() or ""))
    expect(marta.row(seen)).to_be_focused()
    assert offset(marta, seen) == pytest.approx(before, abs=2)
    marta.page.keyboard.press("ArrowDown")
    assert marta.page.evaluate("document.activeElement.className") == "row"


def test_focus_stays_in_the_list_when_its_row_goes(queue: DeskPage, desk: DeskStandIn) -> None:
    queue.row("Kari").focus()
    desk.change(22, state="assigned", assignee="Olav")
    expect(queue.row("Kari")).to_have_count(0)
    assert queue.page.evaluate("document.activeElement.className") == "row"
