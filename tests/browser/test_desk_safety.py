"""Nothing that a shopper, a colleague or the server says is more than text at the desk."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.browser.desk_page import DeskPage
from tests.browser.desk_stand_in import DeskStandIn, ago
from tests.browser.stand_in import until

EVIL = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
MADE_BY_MARKUP = "script:not([src]), iframe, object, [onerror], [onclick], [style*=expression], b"
ADDRESSES = ["javascript:document.title='owned'", "data:text/html,<script>1</script>", "vbscript:x", "//["]


def safe(shown: DeskPage) -> None:
    """Nothing ran, and nothing of it became an element."""
    assert "owned" not in shown.page.title()
    expect(shown.page.locator("body").locator(MADE_BY_MARKUP)).to_have_count(0)
    addresses = shown.page.locator("[href], [src]").evaluate_all("all => all.map(each => each.href ?? each.src)")
    assert all(str(each).startswith(("http://", "https://")) for each in addresses), addresses


def evil_parts() -> list[dict[str, Any]]:
    choices = [{"title": EVIL, "description": EVIL}]
    links = [{"kind": "link", "title": "Look", "url": address, "picture": address} for address in ADDRESSES]
    pictures = [{"kind": "picture", "url": address, "name": EVIL, "text": EVIL} for address in ADDRESSES]
    return [
        {"kind": "text", "text": EVIL},
        {"kind": "choices", "text": EVIL, "header": EVIL, "footer": EVIL, "choices": choices},
        {"kind": "file", "url": "/a.pdf", "name": EVIL, "text": EVIL},
        {"kind": "place", "latitude": EVIL, "longitude": 1, "name": EVIL, "address": EVIL},
        {"kind": "people", "people": [{"name": EVIL, "phones": [EVIL]}]},
        {"kind": "cards", "cards": [{"text": EVIL, "choices": choices, "links": [{"title": EVIL, "url": ADDRESSES[0]}]}]},
        {"kind": "rating", "text": EVIL, "most": EVIL},
        {"kind": EVIL, "text": EVIL},
        {"kind": "choices", "choices": 7, "text": EVIL},
        *links,
        *pictures,
    ]


def all_is_evil(desk: DeskStandIn) -> None:
    name = {"name": EVIL, "title": EVIL}
    known = {
        "shopper": {
            "customer": dict.fromkeys(("number", "name", "email", "phone", "tier", "since"), EVIL) | {"language": "es"},
            "level": "asserted",
            "channels": [{"channel": EVIL, "sender": EVIL, "is_this": True}],
            "consents": [{"purpose": EVIL, "channel": EVIL, "granted": True, "at": ago()}],
            "points": {"balance": 1, "tier": EVIL, "expiring": []},
            "orders": [
                {
                    "number": EVIL,
                    "status": EVIL,
                    "title": EVIL,
                    "items": [{"name": EVIL, "quantity": 2, "picture": ADDRESSES[0]}],
                    "tracking": [{"carrier": EVIL, "number": EVIL}],
                }
            ],
            "returns": [{"rma_number": EVIL, "status": EVIL, "items": [EVIL], "refund": None}],
            "earlier": [{"id": 7, "closed_at": ago(), "reason": EVIL, "topic": EVIL, "resolution": EVIL}],
        },
        "packet": {
            "goal": name,
            "reason": name,
            "collected": [{**name, "value": EVIL, "from": "said", "text": EVIL, "at": ago()}],
            "tried": [name],
            "verdict": {"verdict": "deny", "rule": EVIL, "title": EVIL, "change": EVIL},
            "suspended": name,
            "files": [{"kind": "picture", "name": EVIL, "address": ADDRESSES[0]}],
            "ad": {"title": EVIL},
        },
        "acts": [{"kind": "evil", "title": EVIL, "is_allowed": False, "why_not": EVIL, "parameters": []}],
        "templates": [],
    }
    entries = [
        desk.entry("shopper", parts=evil_parts()),
        desk.entry("agent", EVIL, name=EVIL, mark="failed", error=EVIL),
        desk.entry("note", EVIL, name=EVIL),
        desk.entry("event", name=EVIL, event="transferred", details={"agent": EVIL, "note": EVIL}),
        desk.entry("event", name=EVIL, event=EVIL, details={}),
    ]
    customer = {"name": EVIL, "number": EVIL, "tier": EVIL}
    last = {"by": "shopper", "text": EVIL, "at": ago()}
    keys = {"state": "assigned", "assignee": "Marta", "shown_name": EVIL, "topic": EVIL, "reason": EVIL, "channel": EVIL}
    desk.add_item(1, known=known, entries=entries, customer=customer, last=last, **keys)
    desk.people["olav"]["name"] = EVIL
    desk.canned = [{"key": EVIL, "title": EVIL, "text": EVIL + "{evil}"}]
    desk.queues.append({"name": "evil", "title": EVIL})


def test_markup_is_text_wherever_it_stands(marta: DeskPage, desk: DeskStandIn) -> None:
    all_is_evil(desk)
    marta.visit("mine/1")
    expect(marta.title).to_have_text(EVIL)
    expect(marta.log).to_contain_text(EVIL)
    expect(marta.known).to_contain_text(EVIL)
    marta.shot("hostile")
    safe(marta)
    folded = marta.known.locator("details:not([open]) summary")
    while folded.count():
        folded.first.click()
    marta.box.press_sequentially("/")
    expect(marta.page.get_by_role("option")).to_contain_text(EVIL)
    safe(marta)
    marta.box.press("Enter")
    expect(marta.box).to_have_value(EVIL + "{evil}")
    safe(marta)
    marta.box.fill(EVIL)
    marta.box.press("Enter")
    until(lambda: desk.posts("message"))
    marta.button("Filters").click()
    marta.page.keyboard.press("Escape")
    marta.conversation.get_by_role("button", name="More to do").click()
    marta.conversation.locator(".menu").get_by_role("button", name="Pass on").click()
    expect(marta.dialog).to_contain_text(EVIL)
    safe(marta)
    marta.dialog.get_by_role("button", name="Cancel").click()
    desk.alert("transferred", 1, by=EVIL, level=EVIL)
    desk.types(1, EVIL, True)
    expect(marta.toasts.last).to_contain_text(EVIL)
    safe(marta)


def test_name_of_a_file_is_text(anas_talk: DeskPage) -> None:
    file = {"name": f"{EVIL}.png", "mimeType": "image/png", "buffer": b"x"}
    anas_talk.page.locator(".composer input[type=file]").set_input_files([file])
    expect(anas_talk.page.locator(".staged .name")).to_contain_text("onerror")
    expect(anas_talk.page.get_by_role("progressbar")).to_have_count(0)  # until then it says that it waits
    anas_talk.box.press("Enter")
    expect(anas_talk.last).to_contain_text("onerror")
    safe(anas_talk)


def test_refusal_of_the_server_is_text(anas_talk: DeskPage, desk: DeskStandIn) -> None:
    values = {"limit": EVIL, "nearest": EVIL}
    desk.refuse("propose", 422, "refused", rule=EVIL, values=values)
    anas_talk.known.get_by_role("button", name="Add points").click()
    anas_talk.dialog.get_by_label("Points").fill("1")
    anas_talk.dialog.get_by_label("Why").select_option(label="Goodwill")
    anas_talk.dialog.get_by_role("button", name="Show what would happen").click()
    expect(anas_talk.dialog.get_by_role("alert")).to_contain_text(EVIL)
    safe(anas_talk)


def test_page_allows_no_inline_script_and_no_other_origin(marta: DeskPage) -> None:
    marta.visit("queue")
    policy = marta.page.evaluate("fetch('/desk').then(answer => answer.headers.get('Content-Security-Policy'))")
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    sources = marta.page.evaluate("performance.getEntriesByType('resource').map(each => new URL(each.name).origin)")
    assert set(sources) == {marta.desk.url.rstrip("/")}
