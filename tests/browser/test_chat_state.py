"""The widget's modules chat.js and connection.js, in a real browser, against a stand-in for the server. No element is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route

from tests.browser.stand_in import until
from tests.browser.webchat_stand_in import Sockets, WebChatStandIn, running

PAGE = """<!doctype html><title>Shop</title><script type="module">
import { Chat } from "/webhooks/webchat/static/widget/chat.js";
import { Connection } from "/webhooks/webchat/static/widget/connection.js";
Object.assign(window, { Chat, Connection, arrived: [], refused: [], changes: 0 });
window.begin = (options) => {
  window.chat = new Chat({ server: location.origin, ...options });
  chat.addEventListener("arrived", ({ detail }) => arrived.push(detail.seq));
  chat.addEventListener("refused", ({ detail }) => refused.push(detail));
  chat.addEventListener("change", () => changes++);
  chat.freshJwt = window.freshJwt ?? null;
  chat.start();
};
window.said = () => chat.entries.map(({ text, parts, event }) => text ?? event ?? parts.map((part) => part.text).join());
</script>"""

QUICK = {
    "retry": 20,
    "retryMost": 200,
    "steadyAfter": 100,
    "poll": 5000,
    "socketAgain": 100,
    "otherTab": 200,
    "answerWithin": 3000,
    "settle": 20,
}
BOTH: list[Sockets] = ["open", "refused"]  # over the socket, over long polling
FORBIDDEN = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }})"
FULL = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }"


class Tab:
    """A page with a chat, and short ways to ask about it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def begin(self, **options: Any) -> Tab:
        """`times` are added to QUICK."""
        self.page.goto("/")
        self.wait("'begin' in window")
        self.page.evaluate("options => begin(options)", {**options, "times": {**QUICK, **options.get("times", {})}})
        return self

    def do(self, expression: str, argument: Any = None) -> Any:
        return self.page.evaluate(expression, argument)

    def say(self, *texts: str) -> None:
        for text in texts:
            self.do("text => { chat.say(text) }", text)

    def wait(self, condition: str, argument: Any = None) -> None:
        self.page.wait_for_function(condition, arg=argument, polling=20)

    def online(self) -> Tab:
        self.wait("chat.status === 'online'")
        return self

    def offline(self) -> Tab:
        self.wait("chat.status === 'offline'")
        return self

    def shows(self, *texts: str) -> None:
        """Waits for exactly these entries, and for nothing to be pending."""
        try:
            self.wait("texts => said().join('|') === texts.join('|') && !chat.pending.length", list(texts))
        except Exception as error:
            raise AssertionError(self.do("[said(), chat.pending, chat.status]")) from error

    def pending(self, *texts: str) -> None:
        self.wait("texts => chat.pending.map(({text}) => text).join('|') === texts.join('|')", list(texts))


@pytest.fixture
def shop() -> Iterator[WebChatStandIn]:
    with running() as stand_in:
        stand_in.pages["/"] = PAGE
        yield stand_in


@pytest.fixture
def new_tab(context: BrowserContext) -> Iterator[Callable[[], Tab]]:
    """Opens tabs of one browser. No script of theirs may fail."""
    faults: list[str] = []

    def new() -> Tab:
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        return Tab(page)

    context.set_default_timeout(15_000)  # of a busy machine
    yield new
    assert faults == []


@pytest.fixture
def tab(new_tab: Callable[[], Tab]) -> Tab:
    return new_tab()


# --- Saying, and being answered ---


@pytest.mark.parametrize("sockets", BOTH)
def test_message_is_answered(tab: Tab, shop: WebChatStandIn, sockets: Sockets) -> None:
    shop.sockets = sockets
    tab.begin(language="nl", page="https://shop.example/shoes").say("hi")
    tab.shows("hi", "re: hi")
    assert tab.do("[arrived, chat.isTyping, chat.status]") == [[2], None, "online"]
    [said] = shop.sent("say")
    assert said == {"type": "say", "id": said["id"], "text": "hi"}
    hello = shop.sent("hello")[0]
    assert (hello["v"], hello["language"], hello["page"]) == (1, "nl", "https://shop.example/shoes")
    assert "token" not in hello
    assert "after" not in hello


@pytest.mark.parametrize("sockets", BOTH)
def test_what_the_shop_says_by_itself_arrives(tab: Tab, shop: WebChatStandIn, sockets: Sockets) -> None:
    shop.sockets = sockets
    tab.begin().online()
    shop.say("It is on its way", by="agent", name="Ana")
    tab.shows("It is on its way")
    assert tab.do("[arrived, chat.entries[0].name, chat.unread]") == [[1], "Ana", 1]


def test_pages_and_what_the_shopper_wrote_in_another_tab_do_not_count_as_arrived(
    new_tab: Callable[[], Tab], shop: WebChatStandIn
) -> None:
    one, other = new_tab().begin().online(), new_tab()
    one.say("hi")
    one.shows("hi", "re: hi")
    other.begin().shows("hi", "re: hi")
    assert other.do("arrived") == []
    shop.hold()
    one.say("again")
    other.shows("hi", "re: hi", "again")
    assert other.do("arrived") == []


def test_choice_and_place_become_entries(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin().online()
    shop.reply = lambda _frame: None
    shop.say({"kind": "choices", "text": "Which?", "choices": [{"index": 0, "title": "Red"}, {"index": 1, "title": "Blue"}]})
    tab.shows("Which?")
    tab.do("chat.choose(1, 1, 'Blue'), chat.place(50.8, 4.3)")
    tab.wait("chat.entries.length === 3")
    assert tab.do("[chat.entries[1].chose, chat.entries[2].place]") == [
        {"seq": 1, "choice": 1},
        {"latitude": 50.8, "longitude": 4.3},
    ]
    assert "text" not in shop.sent("choose")[0]


@pytest.mark.parametrize("sockets", BOTH)
def test_typing_and_marks_are_told_while_the_assistant_has_not_answered(tab: Tab, shop: WebChatStandIn, sockets: Sockets) -> None:
    shop.sockets = sockets
    shop.hold()
    tab.begin().say("hi")
    tab.wait("chat.isTyping === 'assistant' && chat.readByShop === 1")
    shop.types(False, by="assistant")
    tab.wait("chat.isTyping === null")
    shop.release()
    tab.shows("hi", "re: hi")
    assert tab.do("chat.isTyping") is None
    assert tab.begin().online().do("chat.readByShop") == 1


def test_typing_whose_end_is_never_told_ends(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin(times={"typingMost": 50}).online()
    tab.do("window.seen = []; chat.addEventListener('change', () => seen.push(chat.isTyping))")
    shop.types(True, by="agent")
    tab.wait("seen.includes('agent') && chat.isTyping === null && seen.at(-1) === null")


def test_typing_of_the_shopper_is_told_once_and_ends_after_a_pause(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin(times={"typingPause": 300}).online()
    tab.do("chat.typing(true), chat.typing(true), chat.typing(true)")
    until(lambda: len(shop.sent("typing")) == 2)
    assert [frame["on"] for frame in shop.sent("typing")] == [True, False]


def test_what_arrived_is_got_and_what_was_seen_is_read(new_tab: Callable[[], Tab], shop: WebChatStandIn) -> None:
    tab, other = new_tab().begin().online(), new_tab().begin().online()
    shop.say("one")
    shop.say("two")
    tab.shows("one", "two")
    other.shows("one", "two")
    until(lambda: shop.sent("got") and shop.sent("got")[-1]["seq"] == 2)
    assert shop.sent("read") == []
    assert tab.do("chat.unread") == 2
    tab.do("chat.read(1), chat.read(2), chat.read(1)")
    assert tab.do("chat.unread") == 0
    other.wait("chat.unread === 0")
    until(lambda: [frame["seq"] for frame in shop.sent("read")] == [1, 2])
    shop.drop()
    until(lambda: len(shop.sent("read")) >= 3)  # it might have been lost
    assert shop.sent("read")[-1]["seq"] == 2


# --- Written while nobody listens ---


def test_what_is_written_offline_is_sent_once_and_in_order_even_by_another_tab(
    new_tab: Callable[[], Tab], shop: WebChatStandIn
) -> None:
    shop.reply = lambda _frame: None
    shop.is_away = True
    tab = new_tab().begin().offline()
    tab.say("one", "two")
    tab.begin().offline()
    tab.pending("one", "two")
    tab.say("three")
    tab.page.close()
    tab = new_tab().begin().offline()
    tab.pending("one", "two", "three")
    shop.is_away = False
    tab.shows("one", "two", "three")
    assert [frame["text"] for frame in shop.sent("say")] == ["one", "two", "three"]
    assert tab.begin().online().do("Object.keys(localStorage).map(key => key.split('.').at(-1))") == ["token"]
    tab.shows("one", "two", "three")


@pytest.mark.parametrize("sockets", BOTH)
def test_message_whose_answer_was_lost_becomes_one_entry(tab: Tab, shop: WebChatStandIn, sockets: Sockets) -> None:
    shop.sockets = sockets
    tab.begin().online()
    shop.lose_answers(1)
    tab.say("hi", "there")
    tab.wait("chat.entries.length === 4 && !chat.pending.length")
    assert shop.texts() == ["hi", "there"]
    assert {frame["id"] for frame in shop.sent("say")} == {entry["id"] for entry in shop.conversation.entries if "id" in entry}


def test_message_whose_answer_was_lost_with_the_tab_becomes_one_entry(new_tab: Callable[[], Tab], shop: WebChatStandIn) -> None:
    tab = new_tab().begin().online()
    shop.lose_answers(1)
    tab.say("hi")
    until(lambda: shop.texts() == ["hi"])
    shop.is_away = True
    tab.page.close()
    shop.is_away = False
    tab = new_tab().begin()
    tab.shows("hi", "re: hi")
    assert shop.texts() == ["hi"]


def test_message_taken_long_ago_is_not_shown_out_of_its_place(tab: Tab, shop: WebChatStandIn) -> None:
    """Its entry is older than the newest page: it is settled, and comes with its own page."""
    shop.page_size = 2
    shop.reply = lambda _frame: None
    tab.begin().online()
    shop.lose_answers(1)
    tab.say("hi")
    until(lambda: shop.texts() == ["hi"])
    tab.page.goto("about:blank")
    for text in "abc":
        shop.say(text)
    tab.begin().shows("b", "c")
    assert tab.do("chat.more()") is True
    tab.shows("hi", "a", "b", "c")
    assert shop.texts() == ["hi"]


def test_answer_that_never_comes_over_a_living_connection_is_asked_for_again(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin(times={"answerWithin": 100}).online()
    shop.go_deaf()
    tab.say("hi")
    until(lambda: shop.unheard >= 2)  # the message, and a ping because nothing came of it
    shop.listen_again()
    tab.shows("hi", "re: hi")
    assert len(shop.attempts) == 1


def test_reload_in_the_middle_of_a_reply(tab: Tab, shop: WebChatStandIn) -> None:
    shop.hold()
    tab.begin().say("hi")
    tab.wait("chat.isTyping === 'assistant'")
    tab.begin().shows("hi")
    tab.wait("chat.isTyping === 'assistant'")
    shop.release()
    tab.shows("hi", "re: hi")
    assert len(shop.sent("say")) == 1


def test_taken_back_before_it_was_sent(tab: Tab, shop: WebChatStandIn) -> None:
    shop.is_away = True
    tab.begin().offline().say("one", "two")
    assert tab.do("chat.withdraw(chat.pending[0].id).text") == "one"
    shop.is_away = False
    tab.shows("two", "re: two")
    assert tab.do("chat.withdraw(chat.entries[0].id)") is None


# --- Several tabs ---


def test_two_tabs_show_the_same_and_send_what_both_have_pending_once(new_tab: Callable[[], Tab], shop: WebChatStandIn) -> None:
    shop.reply = lambda _frame: None
    one, other = new_tab().begin().online(), new_tab().begin().online()
    shop.is_away = True
    shop.drop()
    one.offline().say("one")
    other.offline().pending("one")
    other.say("two")
    one.pending("one", "two")
    shop.is_away = False
    for each in (one, other):
        each.wait("chat.entries.length === 2 && !chat.pending.length")
    assert sorted(shop.texts()) == ["one", "two"]
    assert one.do("said()") == other.do("said()") == shop.texts()


def test_message_goes_out_by_the_tab_in_which_it_was_written(new_tab: Callable[[], Tab], shop: WebChatStandIn) -> None:
    one, other = new_tab().begin(times={"otherTab": 3000}).online(), new_tab().begin(times={"otherTab": 3000}).online()
    shop.refuse("say", "busy", after=60)
    one.say("hi")
    other.pending("hi")
    other.say("there")
    other.wait("said().join() === 'there,re: there'")
    assert [frame["text"] for frame in shop.sent("say")] == ["hi", "there"]


def test_what_a_vanished_tab_wrote_is_sent_by_the_other(new_tab: Callable[[], Tab], shop: WebChatStandIn) -> None:
    one, other = new_tab().begin().online(), new_tab().begin().online()
    one.do("chat.stop(), chat.say('hi')")
    other.pending("hi")
    one.page.close()
    other.shows("hi", "re: hi")


def test_what_is_taken_back_in_one_tab_is_gone_in_the_other(new_tab: Callable[[], Tab], shop: WebChatStandIn) -> None:
    shop.is_away = True
    one, other = new_tab().begin().offline(), new_tab().begin().offline()
    one.say("hi")
    other.pending("hi")
    one.do("chat.withdraw(chat.pending[0].id)")
    other.pending()
    shop.is_away = False
    other.online()
    assert shop.sent("say") == []


@pytest.mark.parametrize("sockets", BOTH)
def test_tabs_that_meet_the_server_at_once_become_one_visitor(
    new_tab: Callable[[], Tab], shop: WebChatStandIn, sockets: Sockets
) -> None:
    shop.sockets = sockets
    shop.is_away = True
    tabs = [new_tab().begin(times={"settle": 500}).offline() for _ in range(3)]
    shop.is_away = False
    for each in tabs:
        each.online()
    tabs[0].say("hi")
    for each in tabs:
        each.shows("hi", "re: hi")


@pytest.mark.parametrize("sockets", BOTH)
def test_new_visitor_with_one_tab_waits_for_no_other(tab: Tab, shop: WebChatStandIn, sockets: Sockets) -> None:
    shop.sockets = sockets
    tab.begin(times={"settle": 60_000}).say("hi")
    tab.shows("hi", "re: hi")


def test_new_visitor_waits_for_another_tab_that_may_be_one_too(new_tab: Callable[[], Tab], shop: WebChatStandIn) -> None:
    shop.sockets = "silent"
    other = new_tab().begin(times={"welcomeWithin": 60_000, "otherTab": 60_000})
    until(lambda: shop.unheard)
    shop.sockets = "open"
    one = new_tab().begin(times={"settle": 1000}).online()
    one.say("hi")
    one.page.wait_for_timeout(500)
    assert shop.sent("say") == []
    one.shows("hi", "re: hi")
    other.page.close()


def test_new_visitor_waits_for_no_tab_that_has_stopped_or_knows_who_it_is(
    new_tab: Callable[[], Tab], shop: WebChatStandIn
) -> None:
    shop.is_away = True
    stopped, known, one = (new_tab() for _ in range(3))
    stopped.begin().offline().do("chat.stop()")
    shop.is_away = False
    known.begin(times={"otherTab": 60_000}).online()
    until(lambda: known.do("navigator.locks.query().then(({ held }) => held)") == [])
    known.do("localStorage.clear()")
    one.begin(times={"settle": 60_000}).say("hi")
    one.shows("hi", "re: hi")


def test_tab_that_did_not_find_the_new_visitor_in_time_follows_the_one_that_has_spoken(
    new_tab: Callable[[], Tab], shop: WebChatStandIn
) -> None:
    one, other = new_tab().begin(times={"settle": 60_000}), new_tab()
    one.say("hi")
    one.shows("hi", "re: hi")
    other.page.goto("/")
    stored = "Object.entries(localStorage).find(([key]) => key.endsWith('.token'))"
    [key, visitor] = other.do(stored)
    other.do("key => localStorage.setItem(key, JSON.stringify({ token: 'late', conversation: 'late' }))", key)
    until(lambda: other.do(stored) == [key, visitor])
    one.shows("hi", "re: hi")
    assert len(shop.conversations) == 1


def test_where_tabs_cannot_tell_whether_they_are_alone_a_new_visitor_waits(tab: Tab, shop: WebChatStandIn) -> None:
    """As on a page without HTTPS."""
    tab.page.add_init_script("Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })")
    tab.begin(times={"settle": 1000}).online()
    tab.say("hi")
    tab.page.wait_for_timeout(500)
    assert shop.sent("say") == []
    tab.shows("hi", "re: hi")


# --- Transports ---


@pytest.mark.parametrize("sockets", ["refused", "closed", "silent", "never"])
def test_long_polling_takes_over_where_no_socket_comes_about_and_the_socket_is_tried_again(
    tab: Tab, shop: WebChatStandIn, sockets: Sockets
) -> None:
    shop.sockets = sockets
    tab.begin(times={"welcomeWithin": 400, "retry": 60_000, "retryMost": 60_000}).say("hi")
    tab.shows("hi", "re: hi")
    shop.say("unasked")
    tab.shows("hi", "re: hi", "unasked")
    assert shop.sent("say", "socket") == []
    until(lambda: sum(transport == "socket" for _, transport in shop.attempts) >= 3)
    shop.sockets = "open"
    until(lambda: (shop.links("socket"), shop.links("exchange")) == (1, 0))
    tab.say("again")
    tab.shows("hi", "re: hi", "unasked", "again", "re: again")
    assert len(shop.sent("say", "socket")) == 1


def test_socket_that_is_not_even_allowed_leaves_long_polling(tab: Tab, shop: WebChatStandIn) -> None:
    """As with a content security policy, or where the browser has none."""
    tab.page.add_init_script("window.WebSocket = class { constructor() { throw new DOMException('no', 'SecurityError'); } }")
    tab.begin().say("hi")
    tab.shows("hi", "re: hi")


def test_long_polling_waits_in_one_request_at_a_time(tab: Tab, shop: WebChatStandIn) -> None:
    shop.sockets = "refused"
    tab.begin(times={"socketAgain": 60_000}).say("hi")
    tab.shows("hi", "re: hi")
    until(lambda: shop.links("exchange") == 1)
    before = len(shop.attempts)
    tab.do("new Promise(done => setTimeout(done, 300))")
    assert len(shop.attempts) == before


def test_connection_of_which_only_this_end_is_left_is_noticed(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin(times={"pingAfter": 100, "pongWithin": 200}).online()
    until(lambda: shop.sent("ping"))
    shop.go_deaf()
    shop.say("Did you hear that?")
    tab.shows("Did you hear that?")


def test_sign_of_life_is_asked_for_when_the_person_comes_back(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin().online()
    assert shop.sent("ping") == []
    tab.do("document.dispatchEvent(new Event('visibilitychange'))")
    until(lambda: shop.sent("ping"))


def test_network_that_goes_and_comes_is_followed_at_once(tab: Tab, context: BrowserContext, shop: WebChatStandIn) -> None:
    tab.begin(times={"retry": 60_000, "retryMost": 60_000}).online()
    context.set_offline(True)
    tab.offline().say("hi")
    context.set_offline(False)
    tab.shows("hi", "re: hi")


@pytest.mark.parametrize("sockets", BOTH)
def test_server_restart_is_followed_by_a_return(tab: Tab, shop: WebChatStandIn, sockets: Sockets) -> None:
    shop.sockets = sockets
    tab.begin().say("hi")
    tab.shows("hi", "re: hi")
    shop.bye("restart", 0.05)
    shop.stop()
    tab.wait("chat.status !== 'online'")
    tab.say("still there?")
    shop.start()
    tab.shows("hi", "re: hi", "still there?", "re: still there?")
    assert "after" in shop.sent("hello")[-1]


def test_many_return_from_a_restart_one_after_the_other(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin().online()
    tab.do("""() => {
        chat.stop();
        window.all = [...Array(10)].map(() => new Connection({
            server: location.origin, hello: () => ({type: "hello", v: 1}), times: {welcomeWithin: 30_000},
        }));
        for (const each of all) each.open();
    }""")
    tab.wait("all.every(({status}) => status === 'online')")
    tab.do("""() => {
        const Real = WebSocket;
        window.opened = [];
        window.WebSocket = class extends Real { constructor(url) { super(url); opened.push(performance.now()); } };
        window.WebSocket.OPEN = Real.OPEN;
    }""")
    began = tab.do("performance.now()")
    shop.bye("restart", 0.6)
    tab.wait("opened.length === 10 && all.every(({status}) => status === 'online')")
    opened = sorted(tab.do("opened"))
    assert opened[0] - began >= 600
    assert opened[-1] - opened[0] > 100


def test_server_that_is_away_is_asked_ever_more_seldom(tab: Tab, shop: WebChatStandIn) -> None:
    shop.is_away = True
    tab.begin(times={"retry": 20, "retryMost": 60_000}).offline()
    tab.do("new Promise(done => setTimeout(done, 1500))")
    rounds = [at for at, transport in shop.attempts if transport == "socket"]
    assert 2 <= len(rounds) <= 8  # after at least 10, 20, 40, 80, 160, 320, 640 ms


def test_connection_that_is_cut_short_each_time_is_opened_ever_more_seldom(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin(times={"steadyAfter": 60_000, "retry": 20, "retryMost": 60_000, "socketAgain": 1, "socketAgainMost": 1})
    for losses in range(1, 7):
        tab.online()
        shop.drop()
        until(lambda losses=losses: len(shop.attempts) > losses)
    (before, _), (last, _) = shop.attempts[-2:]
    assert last - before >= 0.3  # at least a half of 20 ms, doubled five times


def test_hello_that_is_refused_for_now_is_said_again_after_the_time_told(tab: Tab, shop: WebChatStandIn) -> None:
    shop.refuse("hello", "too_many", after=0.3)
    tab.begin().online()
    (first, _), (second, transport) = shop.attempts[:2]
    assert second - first >= 0.3
    assert transport == "socket"  # which is not to blame


# --- Another conversation ---


@pytest.mark.parametrize("sockets", BOTH)
def test_unknown_visitor_begins_anew_and_loses_nothing_that_was_pending(tab: Tab, shop: WebChatStandIn, sockets: Sockets) -> None:
    shop.sockets = sockets
    tab.begin().say("hi")
    tab.shows("hi", "re: hi")
    shop.is_away = True
    shop.drop()
    tab.offline().say("still there?")
    tab.do("chat.choose(2, 0, 'Yes')")
    shop.forget_visitors()
    shop.is_away = False
    tab.wait("said().join() === 'still there?,re: still there?'")
    assert tab.do("chat.pending.map(({text, state, why}) => [text, state, why])") == [["Yes", "refused", "unknown_choice"]]
    assert shop.texts() == ["still there?"]
    assert shop.sent("choose") == []


def test_visitor_forgotten_while_long_polling_begins_anew(tab: Tab, shop: WebChatStandIn) -> None:
    shop.sockets = "refused"
    tab.begin().say("hi")
    tab.shows("hi", "re: hi")
    shop.forget_visitors()
    tab.say("still there?")
    tab.shows("still there?", "re: still there?")


def test_visitor_who_was_revoked_meanwhile_loses_nothing(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin().online()
    shop.forget_visitors()
    shop.refuse("say", "unknown_visitor")
    tab.say("hi")
    tab.shows("hi", "re: hi")
    assert len(shop.conversations) == 2


def test_answer_to_somebody_whom_another_tab_has_replaced_is_not_taken(tab: Tab, shop: WebChatStandIn) -> None:
    """Not even a refusal: the token that the other tab has put there is another one."""
    tab.begin().online()
    seen = tab.do(
        """async (token) => {
        chat.stop();
        const seen = [];
        let mine = "unknown";
        const hello = () => ({type: "hello", v: 1, token: mine});
        window.WebSocket = class extends WebSocket { send(text) { super.send(text); mine = token; } };
        const connection = new Connection({server: location.origin, hello});
        connection.addEventListener("frame", ({detail}) => seen.push(detail.type));
        await new Promise((up) => { connection.addEventListener("up", up); connection.open(); });
        connection.close();
        return seen;
    }""",
        tab.do("JSON.parse(localStorage.getItem(`tendero.${location.origin}.token`)).token"),
    )
    assert seen == ["welcome"]
    assert len(shop.conversations) == 1


def test_token_that_is_replaced_is_kept_and_the_conversation_goes_on(new_tab: Callable[[], Tab], shop: WebChatStandIn) -> None:
    shop.rotate_tokens()
    tab, other = new_tab().begin().online(), new_tab()
    tab.say("hi")
    tab.shows("hi", "re: hi")
    other.begin().shows("hi", "re: hi")
    shop.drop()
    for each in (tab, other):
        each.online().shows("hi", "re: hi")
    assert len(shop.conversations) == 1
    shown = [hello.get("token") for hello in shop.sent("hello")]
    assert len(set(shown)) >= 3  # none, the first, one that replaced it


@pytest.mark.parametrize("sockets", BOTH)
@pytest.mark.parametrize("how", ["restart", "signOut"])
def test_restart_forgets_what_was_shown_in_all_tabs(
    new_tab: Callable[[], Tab], shop: WebChatStandIn, sockets: Sockets, how: str
) -> None:
    shop.sockets = sockets
    tab, other = new_tab().begin().online(), new_tab().begin().online()
    tab.say("hi")
    for each in (tab, other):
        each.shows("hi", "re: hi")
    tab.do("how => { chat[how](); chat.say('new') }", how)
    for each in (tab, other):
        each.shows("new", "re: new")
    assert [len(conversation.entries) for conversation in shop.conversations[:1]] == [2]
    tab.begin().shows("new", "re: new")


def test_long_polling_waits_for_nothing_as_the_visitor_who_is_replaced(tab: Tab, shop: WebChatStandIn) -> None:
    """The answer to that request might say that nobody is this visitor, before it is known who comes after."""
    shop.sockets = "refused"
    tab.begin(times={"socketAgain": 60_000}).say("hi")
    tab.shows("hi", "re: hi")
    tab.do("""() => {
        const real = fetch;
        let open = 1; // the one that waits at this moment
        window.beside = [];
        window.fetch = async (url, options) => {
            if (options.body.includes("restart")) beside.push(open);
            open++;
            return real(url, options).finally(() => open--);
        };
        const abort = AbortController.prototype.abort;
        AbortController.prototype.abort = function () { open--; abort.call(this); };
    }""")
    until(lambda: shop.links("exchange") == 1)
    tab.do("chat.restart(), chat.say('new')")
    tab.shows("new", "re: new")
    assert tab.do("beside") == [0]
    assert len(shop.conversations) == 2


def test_restart_without_a_connection_forgets_as_well(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin().say("hi")
    tab.shows("hi", "re: hi")
    shop.is_away = True
    shop.drop()
    tab.offline().say("pending")
    tab.do("chat.restart()")
    tab.shows()
    shop.is_away = False
    tab.online().say("new")
    tab.shows("new", "re: new")
    assert len(shop.conversations) == 2


def test_other_tabs_follow_to_a_conversation_of_which_the_server_has_not_told_them(
    new_tab: Callable[[], Tab], shop: WebChatStandIn
) -> None:
    tab, other = new_tab().begin().online(), new_tab().begin().online()
    tab.say("hi")
    other.shows("hi", "re: hi")
    tab.do("chat.stop(), chat.restart(), chat.start(), chat.say('new'), 0")
    for each in (tab, other):
        each.shows("new", "re: new")


def test_restart_that_was_lost_is_asked_for_again(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin().say("hi")
    tab.shows("hi", "re: hi")
    shop.go_deaf()
    tab.do("chat.restart()")
    shop.drop()
    until(lambda: len(shop.conversations) == 2)
    tab.online().shows()


def test_restart_that_is_refused_for_now_is_asked_for_again(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin().say("hi")
    tab.shows("hi", "re: hi")
    shop.refuse("restart", "busy", after=0.05)
    tab.do("chat.restart()")
    until(lambda: len(shop.conversations) == 2)
    tab.say("new")
    tab.shows("new", "re: new")
    assert len(shop.conversations) == 2


# --- A storage that fails ---


@pytest.mark.parametrize("fault", [FORBIDDEN, FULL])
def test_storage_that_cannot_be_written_costs_only_the_memory(tab: Tab, shop: WebChatStandIn, fault: str) -> None:
    tab.page.add_init_script(fault)
    tab.begin().say("hi", "there")
    tab.wait("chat.entries.length === 4 && !chat.pending.length")
    shop.drop()
    tab.online().say("again")
    tab.wait("chat.entries.length === 6 && !chat.pending.length")
    assert len(shop.conversations) == 1


def test_storage_full_of_rubbish_is_put_right(tab: Tab, shop: WebChatStandIn) -> None:
    tab.page.goto("/")
    tab.do("""() => {
        const good = {id: "good", n: 1, type: "say", text: "good", files: [], state: "waiting"};
        const rubbish = {token: "{", seen: "x y z", "pending.a": "{", "pending.b": "null", "pending.c": "{}",
            "pending.d": JSON.stringify({...good, id: "d", n: "x"}), "pending.e": JSON.stringify({...good, id: "other"}),
            "pending.g": JSON.stringify({...good, id: "g", type: "toString"}),
            "pending.f": JSON.stringify({...good, id: "f", files: "x"}), "pending.good": JSON.stringify(good)};
        for (const [key, value] of Object.entries(rubbish)) localStorage.setItem(`tendero.${location.origin}.${key}`, value);
    }""")
    tab.begin().shows("good", "re: good")
    assert tab.do("Object.keys(localStorage).filter(key => key.includes('pending'))") == []


def test_clock_that_jumps_does_not_change_the_order(tab: Tab, shop: WebChatStandIn) -> None:
    shop.reply = lambda _frame: None
    shop.is_away = True
    tab.begin().offline()
    for year, text in ((2030, "one"), (2001, "two"), (2040, "three")):
        tab.do("year => { const at = Date.UTC(year, 1); Date.now = () => at; }", year)
        tab.say(text)
    tab.begin().offline()
    tab.pending("one", "two", "three")
    tab.do("Date.now = () => 0")
    shop.is_away = False
    tab.shows("one", "two", "three")


# --- Refused ---


def test_what_is_refused_for_good_stays_to_be_taken_back_and_the_next_goes_out(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin().online()
    tab.say("x" * 2001, "hi")
    tab.wait("said().join() === 'hi,re: hi'")
    tab.begin().online()
    [[id, state, why]] = tab.do("chat.pending.map(({id, state, why}) => [id, state, why])")
    assert (state, why) == ("refused", "too_long")
    assert len(tab.do("id => chat.withdraw(id).text", id)) == 2001
    tab.begin().shows("hi", "re: hi")
    assert len(shop.sent("say")) == 2


def test_refusal_is_told_with_its_frame(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin().online()
    shop.refuse("say", "empty")
    id = tab.do("chat.say('  ')")
    tab.wait("refused.length")
    assert tab.do("refused") == [{"type": "refused", "of": "say", "id": id, "why": "empty"}]


@pytest.mark.parametrize("sockets", BOTH)
@pytest.mark.parametrize("why", ["busy", "too_many", "not_now"])
def test_what_is_refused_for_now_is_sent_again_after_the_time_told_and_in_order(
    tab: Tab, shop: WebChatStandIn, why: str, sockets: Sockets
) -> None:
    shop.sockets = sockets
    shop.reply = lambda _frame: None
    tab.begin().online()
    shop.refuse("say", why, after=0.3)
    began = tab.do("performance.now()")
    tab.say("one", "two")
    tab.shows("one", "two")
    assert tab.do("performance.now()") - began >= 300
    assert [frame["text"] for frame in shop.sent("say")] == ["one", "one", "two"]
    assert tab.do("refused") == []


# --- Older pages ---


def test_older_pages_come_when_asked_for(tab: Tab, shop: WebChatStandIn) -> None:
    shop.page_size = 2
    tab.begin().online()
    for text in "abcde":
        shop.say(text)
    tab.begin().shows("d", "e")
    assert tab.do("chat.hasMore") is True
    assert tab.do("Promise.all([chat.more(), chat.more()])") == [True, True]
    assert tab.do("said().join('')") == "bcde"
    assert tab.do("chat.more()") is True
    assert tab.do("[said().join(''), chat.hasMore, arrived]") == ["abcde", False, []]
    assert tab.do("chat.more()") is False
    assert len(shop.sent("more")) == 2


def test_entries_that_are_missing_in_between_are_asked_for(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin().online()
    shop.say("a")
    tab.shows("a")
    shop.skip_next_entries(2)
    for text in "bcd":
        shop.say(text)
    tab.shows("a", "b", "c", "d")
    assert [frame["before"] for frame in shop.sent("more")] == [4]


def test_addresses_that_no_longer_hold_are_renewed(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin().online()
    shop.say({"kind": "picture", "url": "/old.png", "text": "a shoe"})
    tab.shows("a shoe")
    shop.conversation.entries[0]["parts"][0]["url"] = "/new.png"
    assert tab.do("chat.renew(1).then(entry => entry.parts[0].url)") == "/new.png"
    assert tab.do("chat.entries[0].parts[0].url") == "/new.png"
    assert tab.do("arrived") == [1]


def test_transcript_is_the_whole_conversation(tab: Tab, shop: WebChatStandIn) -> None:
    shop.page_size = 1
    tab.begin().online()
    shop.say("Which?", {"kind": "choices", "choices": [{"index": 0, "title": "Red"}]})
    shop.say({"kind": "file", "url": "/label", "name": "label.pdf"}, by="agent", name="Ana")
    shop.happens("ended")
    words = {"shopper": "You", "assistant": "Assistant", "events": {"ended": "The conversation has ended"}}
    text = tab.begin().online().do("words => chat.transcript(words, () => '8:00')", words)
    assert text == "8:00  Assistant: Which?\n    ( ) Red\n8:00  Ana: [label.pdf]\n8:00  * The conversation has ended\n"


# --- The rest ---


def test_conversation_is_ended_and_goes_on_elsewhere(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin().online()
    assert tab.do("chat.whatsapp()")["link"].startswith("https://wa.me/")
    shop.refuse("whatsapp", "not_now")
    assert tab.do("chat.whatsapp().catch(({why}) => why)") == "not_now"
    shop.refuse("whatsapp", "not_configured")
    assert tab.do("chat.whatsapp().catch(({why}) => why)") == "not_configured"
    assert tab.do("refused.map(({of}) => of)") == ["whatsapp"]
    shop.is_away = True
    shop.drop()
    assert tab.offline().do("chat.whatsapp().catch(({why}) => why)") == "not_now"
    tab.do("chat.end(), chat.unlink()")
    shop.is_away = False
    tab.shows("ended", "unlinked")


def test_chat_that_is_stopped_stays_away(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin().online()
    tab.do("chat.stop()")
    until(lambda: shop.links() == 0)
    tab.do("document.dispatchEvent(new Event('visibilitychange')), dispatchEvent(new Event('online'))")
    tab.say("hi")
    assert (shop.links(), shop.sent("say")) == (0, [])
    tab.do("chat.start()")
    tab.shows("hi", "re: hi")


# --- Files ---

FILE = "new File(['%PDF-1.4 label'], 'Étiquette.pdf', {type: 'application/pdf'})"


def test_file_is_uploaded_with_progress_and_said(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin().online()
    file = tab.do(f"(window.shares = [], chat.upload({FILE}, share => shares.push(share)))")
    assert file == {"id": "file-1", "name": "Étiquette.pdf", "type": "application/pdf", "size": 14}
    assert tab.do("shares.at(-1)") == 1
    tab.do("file => { chat.say('', [file]) }", file)
    tab.wait("chat.entries.length === 2")
    assert shop.sent("say")[0]["files"] == ["file-1"]
    assert tab.do("chat.entries[0].files[0].name") == "Étiquette.pdf"


@pytest.mark.parametrize(
    ("refusal", "outcome"),
    [((415, "wrong_type"), ["wrong_type", None]), ((429, "too_many"), ["too_many", 1]), ((500, ""), ["failed", None])],
)
def test_file_that_is_refused_says_why(tab: Tab, shop: WebChatStandIn, refusal: tuple[int, str], outcome: list[Any]) -> None:
    tab.begin().online()
    shop.file_refusal = refusal
    assert tab.do(f"chat.upload({FILE}).catch(({{why, after}}) => [why, after])") == outcome


def test_file_that_is_too_large_is_not_even_sent(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin().online()
    assert tab.do("chat.upload(new File([new Uint8Array(5_000_001)], 'a')).catch(({why}) => why)") == "too_large"
    assert shop.uploads == 0


def test_upload_can_be_stopped(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin().online()
    shop.hold_files()
    tab.do(
        f"window.stop = new AbortController(), window.upload = chat.upload({FILE}, null, stop.signal).catch(({{why}}) => why), 0"
    )
    until(lambda: shop.uploads == 1)
    tab.do("stop.abort()")
    assert tab.do("upload") == "aborted"


def test_upload_that_gets_no_further_fails(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin(times={"uploadStalls": 100}).online()
    shop.hold_files()
    assert tab.do(f"chat.upload({FILE}).catch(({{why}}) => why)") == "failed"


def test_upload_without_a_connection_fails(tab: Tab, shop: WebChatStandIn) -> None:
    shop.is_away = True
    assert tab.begin().offline().do(f"chat.upload({FILE}).catch(({{why}}) => why)") == "not_now"
    shop.is_away = False
    tab.online()
    shop.stop()
    assert tab.do(f"chat.upload({FILE}).catch(({{why}}) => why)") == "failed"


def test_upload_of_a_forgotten_visitor_finds_out_who_it_is(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin().online()
    shop.forget_visitors()
    assert tab.do(f"chat.upload({FILE}).catch(({{why}}) => why)") == "unknown_visitor"
    until(lambda: len(shop.conversations) == 2)
    assert tab.online().do(f"chat.upload({FILE}).then(({{id}}) => id)") == "file-1"


# --- Who it is ---


@pytest.mark.parametrize("sockets", BOTH)
def test_sign_in_is_told_and_told_again_after_a_loss_but_not_with_each_request(
    tab: Tab, shop: WebChatStandIn, sockets: Sockets
) -> None:
    shop.sockets = sockets
    tab.begin(jwt="Ana", times={"socketAgain": 60_000}).say("hi")
    tab.shows("hi", "re: hi")
    assert tab.do("[chat.abilities.signed_in, chat.abilities.name]") == [True, "Ana"]
    assert sum("jwt" in hello for hello in shop.sent("hello")) == 1
    shop.is_away = True
    shop.drop()
    tab.offline()
    shop.is_away = False
    tab.online()
    assert sum("jwt" in hello for hello in shop.sent("hello")) == 2


def test_sign_in_in_the_middle_keeps_the_conversation_and_another_customer_gets_another(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin().say("hi")
    tab.shows("hi", "re: hi")
    tab.do("chat.identify('Ana')")
    tab.wait("chat.abilities.name === 'Ana'")
    tab.shows("hi", "re: hi")
    tab.do("chat.identify('Ben')")
    tab.wait("chat.abilities.name === 'Ben'")
    tab.shows()


@pytest.mark.parametrize("first", [{"jwt": "old"}, {}])
def test_sign_in_that_is_too_old_is_replaced_by_a_fresh_one(tab: Tab, shop: WebChatStandIn, first: dict[str, str]) -> None:
    tab.page.add_init_script("window.freshJwt = async () => 'Ana'")
    tab.begin(**first)
    if not first:
        tab.online().do("chat.identify('old')")
    tab.wait("chat.abilities?.name === 'Ana'")
    assert tab.do("refused") == [{"of": "identify", "why": "old_jwt"}]


def test_sign_in_that_is_refused_for_now_is_told_again(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin().online()
    shop.refuse("identify", "too_many", after=0.05)
    tab.do("chat.identify('Ana')")
    tab.wait("chat.abilities.name === 'Ana'")
    assert tab.do("refused") == []


def test_shop_that_has_only_old_sign_ins_is_asked_once(tab: Tab, shop: WebChatStandIn) -> None:
    tab.begin().online()
    tab.do("window.asked = 0, chat.freshJwt = async () => (asked++, 'old'), chat.identify('old')")
    tab.wait("refused.length === 2")
    assert tab.do("asked") == 1
    tab.do("chat.identify('bad')")
    tab.wait("refused.at(-1).why === 'bad_jwt'")
    assert tab.do("asked") == 1


def test_sign_in_that_comes_between_hello_and_welcome_is_told_after_it(tab: Tab, shop: WebChatStandIn) -> None:
    shop.sockets = "refused"
    held: list[Route] = []
    tab.page.route("**/exchange", lambda route: route.continue_() if held else held.append(route))
    with tab.page.expect_request("**/exchange"):
        tab.begin()
    tab.do("chat.identify('Ana')")
    held[0].continue_()
    tab.wait("chat.abilities?.name === 'Ana'")
