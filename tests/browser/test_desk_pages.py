"""The desk's other pages: reports, people, the audit log, each for who may."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import BrowserContext, expect

from tests.browser.desk_page import DeskPage, signed_in
from tests.browser.desk_stand_in import DeskStandIn
from tests.browser.stand_in import until

AN_ENTRY = {
    "id": 9,
    "at": "2026-11-20T08:00:00Z",
    "agent": "Marta",
    "action": "opened_conversation",
    "handoff": 12,
    "details": {"via": "list"},
}
AN_ACT = {
    **AN_ENTRY,
    "action": "refused_act",
    "details": {"kind": "refund_exception", "amount_minor": 999900, "currency": "MXN", "rule": "above_agent_limit"},
}
A_REPORT: dict[str, Any] = {
    "days": 7,
    "count": 128,
    "by_reason": [
        {"name": "asked", "title": "Asked for a person", "count": 70},
        {"name": "policy", "title": "A person decides", "count": 58},
    ],
    "by_topic": [{"name": "return", "title": "Return", "count": 90}, {"name": "order", "title": "Order", "count": 20}],
    "by_goal": [{"name": None, "title": "", "count": 3}],
    "by_queue": [{"name": "returns", "title": "Returns", "count": 100}],
    "by_channel": [{"name": "whatsapp", "title": "whatsapp", "count": 100}, {"name": "webchat", "title": "webchat", "count": 28}],
    "outcomes": {"resolved": 100, "given_back": 20, "cancelled": 8},
    "wait_minutes": {"count": 120, "median": 3.5, "p90": 11},
    "first_reply_minutes": {"count": 120, "median": 5, "p90": 14},
    "handle_minutes": {"count": 0, "median": None, "p90": None},
    "lost": 4,
    "breached": {"first_reply": 5, "resolution": 2},
    "asked_again": {"is_estimate": True, "conversations": 6, "of": 120, "facts": {"order_number": 5}},
    "quiet": {"of": 80, "quiet": 72},
    "rating": {"asked": 60, "answered": 30, "mean": 4.43, "good": 0.9},
}


def test_report_shows_numbers_and_tables_for_a_period(agents_browser: BrowserContext, desk: DeskStandIn) -> None:
    desk.report = A_REPORT
    sara = signed_in(agents_browser, desk, "sara").visit("queue")
    sara.menu("Reports")
    tiles = sara.page.locator(".tile")
    for name, value in {
        "Conversations": "128",
        "Wait": "3 min",
        "Handle time": "–",
        "Late": "7",
        "Settled for 7 days": "90%",
    }.items():
        expect(tiles.filter(has=sara.page.get_by_text(name, exact=True)).locator("dd").first).to_have_text(value)
    expect(tiles.filter(has_text="Satisfaction")).to_contain_text("4.4")
    expect(sara.page.get_by_text("Complete since")).to_have_count(0)
    table = sara.page.get_by_role("region", name="By reason").get_by_role("row")
    assert table.all_text_contents() == ["ReasonConversations", "Asked for a person70", "A person decides58"]
    widths = (
        sara.page.get_by_role("region", name="By topic")
        .locator("rect")
        .evaluate_all("all => all.map(bar => bar.getAttribute('width'))")
    )
    assert [round(float(width)) for width in widths] == [100, 22]
    with sara.page.expect_request("**/report?days=30*"):
        sara.page.get_by_label("Period").select_option(label="Last 30 days")
    sara.button("Conversations").first.click()
    expect(sara.list).to_be_visible()


def test_agent_is_offered_none_of_them_and_gets_none(marta: DeskPage, desk: DeskStandIn) -> None:
    marta.visit("reports")
    expect(marta.list).to_be_visible()
    marta.page.locator("header").get_by_role("button", name="Menu", exact=True).click()
    items = marta.page.locator("header .menu:visible .menu-item span").all_text_contents()
    assert items == ["Conversations", "My account", "Keyboard shortcuts", "Sign out"]


def test_admin_adds_and_changes_people(agents_browser: BrowserContext, desk: DeskStandIn) -> None:
    ada = signed_in(agents_browser, desk, "ada").visit("queue")
    ada.menu("People")
    expect(ada.page.get_by_role("row")).to_have_count(5)
    ada.button("Add a person").click()
    ada.dialog.get_by_label("Name", exact=True).fill("Nils")
    ada.dialog.get_by_label("Name or e-mail").fill("nils")
    ada.dialog.get_by_label("Norwegian Bokmål").check()
    ada.dialog.get_by_label("Returns").check()
    ada.shot("add-person")
    ada.dialog.get_by_role("button", name="Save").click()
    expect(ada.page.get_by_role("row", name="Nils")).to_contain_text("Norwegian Bokmål")
    wanted = {"name": "Nils", "sign_in_name": "nils", "role": "agent", "capacity": 4, "languages": ["nb"], "queues": ["returns"]}
    assert desk.posts("agents") == [wanted]
    ada.button("Change Nils").click()
    ada.dialog.get_by_label("Role").select_option("supervisor")
    ada.dialog.get_by_label("May sign in").uncheck()
    ada.dialog.get_by_role("button", name="Save").click()
    expect(ada.page.get_by_role("row", name="Nils")).to_contain_text("May not sign in")
    assert desk.posts("Nils") == [
        {"role": "supervisor", "capacity": 4, "is_active": False, "languages": ["nb"], "queues": ["returns"]}
    ]
    ada.button("Add a person").click()
    ada.dialog.get_by_label("Name", exact=True).fill("Nils")
    ada.dialog.get_by_label("Name or e-mail").fill("other")
    ada.dialog.get_by_role("button", name="Save").click()
    expect(ada.dialog.get_by_role("alert")).to_have_text("Somebody else has this name already.")


def test_limits_that_are_gone_are_told_and_so_is_a_queue_that_nobody_works_in(
    agents_browser: BrowserContext, desk: DeskStandIn
) -> None:
    desk.people["marta"] |= {"queues": ["sold", "orders"], "gone": {"queues": ["sold"], "languages": []}}
    desk.people["sara"] |= {"queues": ["sold"], "languages": ["fr"], "gone": {"queues": ["sold"], "languages": ["fr"]}}
    days = {"since": "2026-10-20T08:00:00+00:00", "complete_since": "2026-11-02T08:00:00+00:00"}
    desk.report = {**A_REPORT, **days, "unserved": [{"name": "returns", "title": "Returns", "languages": ["es", "pt"]}]}
    ada = signed_in(agents_browser, desk, "ada").visit("queue")
    ada.menu("People")
    expect(ada.page.get_by_role("row", name="Marta")).to_contain_text("OrdersNot there any more: sold.")
    sara = ada.page.get_by_role("row", name="Sara")
    expect(sara).to_contain_text("Not there any more: sold. Until you change it, they work in all queues.")
    expect(sara).to_contain_text("Not there any more: French. Until you change it, nothing comes to them.")
    ada.menu("Reports")
    expect(ada.page.get_by_text("Nobody works in the queue Returns in these languages: Spanish, Portuguese.")).to_be_visible()
    expect(ada.page.get_by_text("Complete since Nov 2, 2026. Of what is older, some is deleted already.")).to_be_visible()


def test_queue_that_went_away_meanwhile_is_refused_with_those_that_there_are(
    agents_browser: BrowserContext, desk: DeskStandIn
) -> None:
    ada = signed_in(agents_browser, desk, "ada").visit("queue")
    ada.menu("People")
    desk.refuse("Marta", 400, "bad_request", field="queues", known=["orders", "general"])
    ada.button("Change Marta").click()
    ada.dialog.get_by_label("Returns").check()
    ada.dialog.get_by_role("button", name="Save").click()
    expect(ada.dialog.get_by_role("alert")).to_have_text("Please check: Queues. There are orders, general.")


def test_audit_log_has_exceptions_and_rules_in_words_of_the_server(agents_browser: BrowserContext, desk: DeskStandIn) -> None:
    details = {"exceptions": ["late_return", "waive_shipping"], "rule": "window_closed"}
    desk.audit = [{**AN_ACT, "details": details}, {**AN_ACT, "details": {"exception": "late_return"}}]
    late = {"late_return": "Devolución tardía"}
    desk.audit_titles = {"exceptions": late, "exception": late, "rule": {"window_closed": "Fuera de plazo"}}
    sara = signed_in(agents_browser, desk, "sara").visit("queue")
    with sara.page.expect_request("**/audit?language=en"):
        sara.menu("Audit log")
    row = sara.page.get_by_role("row").nth(1)
    expect(row).to_contain_text("Exceptions: Devolución tardía, waive shipping · Rule: Fuera de plazo")
    expect(sara.page.get_by_role("row").nth(2)).to_contain_text("Exception: Devolución tardía")


def test_supervisor_searches_the_audit_log(agents_browser: BrowserContext, desk: DeskStandIn) -> None:
    desk.audit = [AN_ENTRY, AN_ACT]
    sara = signed_in(agents_browser, desk, "sara").visit("queue")
    sara.menu("Audit log")
    row = sara.page.get_by_role("row").nth(1)
    expect(row).to_contain_text("Opened a conversation")
    expect(row.get_by_role("link", name="#12")).to_have_attribute("href", "#/all/12")
    act = sara.page.get_by_role("row").nth(2)
    expect(act).to_contain_text("Was refused an act")
    expect(act).to_contain_text("What: Refund exception · Rule: This is more than an agent may allow. · Amount: MX$9,999.00")
    with sara.page.expect_request("**/audit?agent=Marta&handoff=12&action=refused_act&language=en"):
        sara.page.locator("select[name=action]").select_option(label="Was refused an act")
        sara.page.get_by_label("Agent").select_option("Marta")
        sara.page.locator("input[name=handoff]").fill("12")
        sara.button("Show", exact=True).click()
    desk.audit = []
    sara.button("Show", exact=True).click()
    expect(sara.page.get_by_role("alert").filter(has_text="Nothing found.")).to_be_visible()


def test_page_that_cannot_be_had_says_so(agents_browser: BrowserContext, desk: DeskStandIn) -> None:
    sara = signed_in(agents_browser, desk, "sara")
    desk.refuse("report", 503, "busy")
    sara.visit("reports")
    expect(sara.page.get_by_role("alert").filter(has_text="very busy")).to_be_visible()


def test_page_without_its_server_says_so_and_tries_again(marta: DeskPage, desk: DeskStandIn) -> None:
    desk.refuse("me", 503, "busy")
    marta.page.goto(f"{desk.url}desk")
    expect(marta.page.get_by_role("alert")).to_have_text("The assistant is very busy. Please try again in a moment.")
    marta.button("Try again").click()
    until(lambda: desk.lines() == 1)
