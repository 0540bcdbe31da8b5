"""The desk is for everybody: WCAG 2.2 AA by axe on each page, keyboard alone, small, enlarged, dark, in forced colours."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, ViewportSize, expect

from tests.browser import axe
from tests.browser.colours import COLOURS, contrast
from tests.browser.desk_page import WIDE, DeskPage, a_days_work, signed_in
from tests.browser.desk_stand_in import PASSWORD, DeskStandIn, ago, ahead
from tests.browser.stand_in import until
from tests.browser.test_desk_pages import A_REPORT, AN_ENTRY
from tests.browser.widget import PHONE

SMALL = ViewportSize(width=320, height=640)
ENLARGED = ViewportSize(width=640, height=400)  # what a 1280 by 800 window has at 200%
PLACES = ["queue", "mine/12", "mine/12/known", "closed", "reports", "people", "audit", "account"]
READ = [
    ("ink", "card"),
    ("ink", "paper"),
    ("ink", "theirs"),
    ("ink", "ours"),
    ("ink", "bot"),
    ("ink", "note"),
    ("ink", "chosen"),
    ("quiet", "card"),
    ("quiet", "paper"),
    ("quiet", "soft"),
    ("quiet", "chosen"),
    ("on-pine", "pine"),
    ("alarm", "alarm-soft"),
    ("alarm", "paper"),
    ("soon", "soon-soft"),
    ("soon", "card"),
    ("soon", "note"),
    ("fine", "card"),
    ("card", "alarm"),
]


@pytest.fixture
def ada(agents_browser: BrowserContext, desk: DeskStandIn) -> DeskPage:
    """Who may see everything there is; Ana's conversation is hers."""
    a_days_work(desk)
    desk.talks[12].item["assignee"] = "Ada"
    desk.report, desk.audit = A_REPORT, [AN_ENTRY]
    desk.sessions = [
        {"id": 1, "via": "password", "browser": "Firefox", "created_at": ago(hours=2), "seen_at": ago(), "is_this": True}
    ]
    return signed_in(agents_browser, desk, "ada")


def settled(shown: DeskPage, place: str) -> None:
    shown.visit(place)
    if place.startswith("mine/12"):
        expect(shown.page.locator(".log").get_by_text("suela despegada")).to_be_attached()
        expect(shown.page.locator(".act").first).to_be_attached()
    shown.page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("width", ["phone", "desktop"])
def test_page_has_no_violations(ada: DeskPage, place: str, width: str) -> None:
    ada.page.set_viewport_size(PHONE if width == "phone" else WIDE)
    for scheme in ("light", "dark"):
        ada.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        settled(ada, place)
        ada.shot(f"page-{place.replace('/', '-')}-{width}-{scheme}")
        assert axe.violations(ada.page) == [], scheme


def test_door_has_no_violations(agent_page: Page, desk: DeskStandIn) -> None:
    desk.oidc = {"name": "Acme"}
    agent_page.set_viewport_size(PHONE)
    for scheme in ("light", "dark"):
        agent_page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        agent_page.goto(f"{desk.url}desk")
        agent_page.get_by_role("button", name="Sign in").click()
        DeskPage(agent_page, desk).shot(f"door-{scheme}")
        assert axe.violations(agent_page) == []


def _menu(shown: DeskPage) -> None:
    shown.page.locator("header").get_by_role("button", name="Menu", exact=True).click()


def _filters(shown: DeskPage) -> None:
    shown.button("Filters").click()


def _canned(shown: DeskPage) -> None:
    shown.box.press_sequentially("/")
    expect(shown.page.get_by_role("option").first).to_be_visible()


def _toast(shown: DeskPage) -> None:
    shown.desk.alert("breached", 31, level="next_reply")
    expect(shown.toasts).to_be_visible()


def _window(shown: DeskPage) -> None:
    shown.desk.change(12, window={"closes_at": ago(minutes=1), "is_open": False})
    expect(shown.button("Send template")).to_be_visible()


def _refused(shown: DeskPage) -> None:
    shown.desk.refuse("message", 409, "not_yours")
    shown.say("no se pudo")
    expect(shown.last).to_contain_text("Try again")


def _act(shown: DeskPage) -> None:
    shown.known.get_by_role("button", name="Refund exception").click()
    shown.dialog.get_by_role("button", name="Show what would happen").click()


def pressed(key: str) -> Callable[[DeskPage], None]:
    return lambda shown: shown.page.keyboard.press(key)


OPENED = {
    "menu": _menu,
    "filters": _filters,
    "canned": _canned,
    "toast": _toast,
    "window": _window,
    "refused": _refused,
    "act": _act,
    "keys": pressed("?"),
    "transfer": pressed("f"),
    "snooze": pressed("s"),
    "resolve": pressed("e"),
    "give back": pressed("b"),
    "note": pressed("n"),
}


@pytest.mark.parametrize("what", OPENED)
def test_what_comes_up_has_no_violations(anas_talk: DeskPage, what: str) -> None:
    expect(anas_talk.known.get_by_text("Refund exception")).to_be_visible()
    OPENED[what](anas_talk)
    anas_talk.shot(f"opened-{what.replace(' ', '-')}")
    assert axe.violations(anas_talk.page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(marta: DeskPage, scheme: str) -> None:
    marta.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    marta.visit("queue")
    for ink, ground in READ:
        assert contrast(*marta.page.evaluate(COLOURS, [ink, ground])) >= 4.5, (ink, ground)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("size", [SMALL, ENLARGED], ids=["small", "enlarged"])
def test_nothing_is_cut_off_on_a_small_or_enlarged_page(ada: DeskPage, place: str, size: ViewportSize) -> None:
    ada.page.set_viewport_size(size)
    settled(ada, place)
    ada.shot(f"{'small' if size is SMALL else 'enlarged'}-{place.replace('/', '-')}")
    wide = """[...document.querySelectorAll("body *")]
      .filter(each => each.getClientRects().length && !each.closest(".unseen, .skip, .tabs, .table-box, .rows"))
      .filter(each => each.getBoundingClientRect().right > innerWidth + 1)
      .map(each => each.outerHTML.slice(0, 120))"""
    assert ada.page.evaluate(wide) == []
    if place == "mine/12":
        ada.box.scroll_into_view_if_needed()
        expect(ada.box).to_be_in_viewport()
        ada.page.locator(".send-button").scroll_into_view_if_needed()
        expect(ada.page.locator(".send-button")).to_be_in_viewport()


def test_phone_shows_one_pane_at_a_time_with_a_way_back(marta: DeskPage, desk: DeskStandIn) -> None:
    a_days_work(desk)
    marta.page.set_viewport_size(PHONE)
    marta.visit("mine")
    marta.row("Ana").click()
    expect(marta.log).to_be_visible()
    expect(marta.list).to_be_hidden()
    marta.conversation.get_by_role("button", name="What is known").click()
    expect(marta.known).to_be_visible()
    expect(marta.conversation).to_be_hidden()
    marta.button("Back to the conversation").click()
    expect(marta.log).to_be_visible()
    marta.button("Back to the list").click()
    expect(marta.row("Ana")).to_be_focused()
    expect(marta.log).to_be_hidden()
    marta.page.go_back()
    expect(marta.log).to_be_visible()


def test_main_job_with_the_keyboard_alone(agent_page: Page, desk: DeskStandIn) -> None:
    desk.add_item(1, shown_name="Ana")
    desk.add_item(2, shown_name="Ben", created_at=ago(minutes=1))
    agent_page.goto(f"{desk.url}desk")
    shown, keys = DeskPage(agent_page, desk), agent_page.keyboard
    expect(agent_page.get_by_label("Name or e-mail")).to_be_focused()
    keys.type("marta")
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(shown.rows).to_have_count(2)
    keys.press("1")
    expect(shown.row("Ana")).to_be_focused()
    keys.press("ArrowDown")
    expect(shown.row("Ben")).to_be_focused()
    keys.press("ArrowUp")
    keys.press("Enter")
    expect(shown.title).to_have_text("Ana")
    expect(shown.title).to_be_focused()
    expect(shown.conversation.get_by_text("Take this conversation to answer.")).to_be_visible()
    keys.press("t")
    expect(shown.box).to_be_focused()
    keys.type("Hola, te ayudo")  # letters are text here, not commands
    keys.press("Enter")
    expect(shown.last).to_contain_text("Hola, te ayudo")
    keys.press("Escape")
    expect(shown.log).to_be_focused()
    keys.press("n")
    expect(agent_page.get_by_label("Write a note. Only colleagues see it.")).to_be_focused()
    keys.type("fácil")
    keys.press("Enter")
    expect(shown.last).to_contain_text("fácil")
    keys.press("Escape")
    keys.press("e")
    expect(shown.dialog.get_by_label("How did it end?")).to_be_focused()
    keys.type("Done")
    keys.press("Tab")
    keys.type("Return")
    keys.press("Tab")
    keys.type("listo")
    keys.press("Tab")
    keys.press("Tab")
    keys.press("Enter")
    until(lambda: desk.posts("resolve") == [{"reason": "done", "topic": "return", "note": "listo", "seen": []}])
    expect(shown.dialog).to_have_count(0)
    keys.press("j")
    expect(shown.title).not_to_have_text("Ana")


def test_keys_are_listed_do_nothing_while_typing_and_can_be_switched_off(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    keys = anas_talk.page.keyboard
    keys.press("?")
    for said in ("Next conversation", "Resolve", "Take over", "Search"):
        expect(anas_talk.dialog).to_contain_text(said)
    anas_talk.dialog.get_by_label("Shortcuts with single keys").uncheck()
    keys.press("Escape")
    keys.press("e")
    keys.press("/")
    expect(anas_talk.dialog).to_have_count(0)
    expect(anas_talk.page.get_by_role("searchbox")).not_to_be_focused()
    anas_talk.page.reload()
    expect(anas_talk.entries.last).to_be_visible()
    keys.press("e")
    expect(anas_talk.dialog).to_have_count(0)
    anas_talk.visit("account")
    anas_talk.page.get_by_label("Shortcuts with single keys").check()
    anas_talk.visit("mine/12")
    expect(anas_talk.entries.last).to_be_visible()
    keys.press("/")
    expect(anas_talk.page.get_by_role("searchbox")).to_be_focused()
    keys.type("e")
    expect(anas_talk.dialog).to_have_count(0)


def test_forced_colours_show_what_is_chosen(anas_talk: DeskPage) -> None:
    anas_talk.page.emulate_media(forced_colors="active")
    anas_talk.shot("forced-colours")
    style = "element => getComputedStyle(element).outlineStyle"
    assert anas_talk.row("Ana").evaluate(style) == "solid"
    assert anas_talk.page.locator(".mode[aria-pressed=true]").evaluate(style) == "solid"


def test_clock_that_ticks_is_not_read_out(marta: DeskPage, desk: DeskStandIn) -> None:
    desk.add_item(1, sla={"level": "first_reply", "due_at": ahead(minutes=2), "warn_at": ahead(minutes=1), "is_breached": False})
    marta.visit("queue")
    assert (
        marta.row("Shopper 1").evaluate("row => row.closest('[aria-live]:not([aria-live=off]), [role=status], [role=alert]')")
        is None
    )


def test_what_a_shopper_writes_is_read_out(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    desk.says(12, "shopper", "¿Sigues ahí?")
    expect(anas_talk.page.locator(".toasts > [aria-live=polite]")).to_have_text("Ana Torres: ¿Sigues ahí?")
