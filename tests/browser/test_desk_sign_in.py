"""Signing in and out of the desk, and what stands in the way, in words."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.desk_page import DeskPage, signed_in
from tests.browser.desk_stand_in import PASSWORD, DeskStandIn
from tests.browser.stand_in import until


def door(page: Page, desk: DeskStandIn, after: str = "") -> DeskPage:
    page.goto(f"{desk.url}desk{after}")
    expect(page.get_by_label("Name or e-mail")).to_be_focused()
    return DeskPage(page, desk)


def enter(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name or e-mail").fill(name)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def test_agent_signs_in_and_out(agent_page: Page, desk: DeskStandIn) -> None:
    desk.add_item(1)
    shown = door(agent_page, desk)
    shown.shot("sign-in")
    enter(agent_page, "marta", PASSWORD)
    expect(shown.row("Shopper 1")).to_be_visible()
    shown.menu("Sign out")
    expect(shown.dialog).to_contain_text("go back to the queue")
    shown.dialog.get_by_role("button", name="Sign out").click()
    expect(agent_page.get_by_role("alert")).to_have_text("You are signed out.")
    agent_page.reload()
    expect(agent_page.get_by_label("Password")).to_be_visible()
    expect(shown.rows).to_have_count(0)


def test_wrong_password_and_too_many_tries_are_said_in_words(agent_page: Page, desk: DeskStandIn) -> None:
    door(agent_page, desk)
    agent_page.keyboard.press("Enter")
    expect(agent_page.locator(".field .fault").first).to_have_text("Please fill this in.")
    assert desk.posts("sign-in") == []
    enter(agent_page, "marta", "open salami")
    expect(agent_page.get_by_role("alert")).to_have_text("Name and password don't belong together.")
    expect(agent_page.get_by_label("Password")).to_be_focused()
    expect(agent_page.get_by_label("Password")).to_have_value("")
    desk.refuse("sign-in", 429, "too_many", after=120)
    enter(agent_page, "marta", PASSWORD)
    expect(agent_page.get_by_role("alert")).to_have_text("Too many tries. Please wait 2 min.")


def test_single_sign_on_is_offered_where_there_is_one(agent_page: Page, desk: DeskStandIn) -> None:
    door(agent_page, desk)
    expect(agent_page.get_by_role("link")).to_have_count(0)
    desk.oidc = {"name": "Acme"}
    door(agent_page, desk, "?sign_in=unknown")
    expect(agent_page.get_by_role("alert")).to_contain_text("You are not known here.")
    assert agent_page.url == f"{desk.url}desk"
    there = agent_page.get_by_role("link", name="Sign in with Acme")
    assert there.get_attribute("href") == "/webhooks/desk/v1/oidc/start"


def test_session_that_ends_elsewhere_leads_back_to_the_door(marta: DeskPage, desk: DeskStandIn) -> None:
    desk.add_item(1)
    marta.visit()
    desk.bye("signed_out")
    expect(marta.page.get_by_role("alert")).to_have_text("You have been signed out. Please sign in again.")
    expect(marta.rows).to_have_count(0)


def test_connection_that_is_refused_as_nobody_is_signed_in_leads_back_to_the_door(marta: DeskPage, desk: DeskStandIn) -> None:
    marta.visit()
    desk._tokens.clear()
    desk.drop()
    expect(marta.page.get_by_role("alert")).to_have_text("You have been signed out. Please sign in again.")


def test_password_is_changed_and_other_sessions_are_ended(marta: DeskPage, desk: DeskStandIn) -> None:
    at = "2026-11-20T08:00:00Z"
    one = {"via": "password", "created_at": at, "seen_at": at}
    desk.sessions = [
        {"id": 1, "browser": "Firefox", "is_this": True, **one},
        {"id": 2, "browser": "Safari", "is_this": False, **one},
    ]
    marta.visit("account")
    expect(marta.page.get_by_text("Firefox")).to_contain_text("this one")
    marta.button("End", exact=True).click()
    expect(marta.page.get_by_text("Safari")).to_have_count(0)
    marta.page.get_by_label("Old password").fill("wrong")
    marta.page.get_by_label("New password").fill("a much longer one")
    marta.button("Change password").click()
    expect(marta.page.get_by_text("The old password isn't right.")).to_be_visible()
    marta.page.get_by_label("Old password").fill(PASSWORD)
    marta.button("Change password").click()
    expect(marta.toasts).to_contain_text("The password is changed.")
    assert desk.posts("password")[-1] == {"old": PASSWORD, "new": "a much longer one"}


def test_page_speaks_the_agents_language_and_is_switched(marta: DeskPage, desk: DeskStandIn) -> None:
    marta.visit("account")
    expect(marta.page.locator("html")).to_have_attribute("lang", "en")
    marta.page.get_by_label("Language").select_option("es")
    expect(marta.page.locator("html")).to_have_attribute("lang", "es")
    expect(marta.page.get_by_role("heading", name="Mi cuenta")).to_be_visible()
    marta.page.reload()
    expect(marta.page.locator("html")).to_have_attribute("lang", "es")


def test_what_waits_in_the_browser_is_gone_after_signing_out(marta: DeskPage, desk: DeskStandIn) -> None:
    desk.add_item(1, state="assigned", assignee="Marta")
    marta.visit("mine/1")
    marta.box.fill("a draft that nobody else may read")
    desk.is_away = True
    desk.drop()
    marta.say("and a message")
    expect(marta.last).to_contain_text("Waits for the connection")
    desk.is_away = False
    marta.menu("Sign out")
    marta.dialog.get_by_role("button", name="Sign out").click()
    expect(marta.page.get_by_label("Password")).to_be_visible()
    kept = marta.page.evaluate("Object.keys(localStorage).filter(key => /draft|pending/.test(key))")
    assert kept == []


def test_two_agents_in_one_browser_do_not_see_each_others_drafts(marta: DeskPage, desk: DeskStandIn) -> None:
    desk.add_item(1, state="assigned", assignee="Marta")
    marta.visit("mine/1")
    marta.box.fill("Marta's words")
    desk.talks[1].item["assignee"] = "Olav"
    olav = signed_in(marta.page.context, desk, "olav").visit("mine/1")
    expect(olav.box).to_have_value("")
    until(lambda: olav.box.is_editable())
