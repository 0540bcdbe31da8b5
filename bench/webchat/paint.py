"""When a chat is there and can be used on a slow phone, and how soon it answers: `python -m bench.webchat.paint`.

    python -m bench.webchat.paint                 both, 5 rounds
    python -m bench.webchat.paint --only load     without the shop: the same small page with each widget in turn
    python -m bench.webchat.paint --only replies  our shop: from Enter to the bubble

Chromium, the screen of a phone, processor 4 times slower, network as Lighthouse's "slow 4G". Each load begins with an empty
cache; the widgets take turns, and the table has medians. Only this machine is spoken to, but for npm, where the others come from.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

from playwright.sync_api import Browser, Page, sync_playwright

from bench.soak import _model
from bench.systems import HERE, Ours
from bench.webchat.peers import PEERS, NotToBeHad, fetch
from bench.webchat.stage import Stage, Widget, ours, theirs
from tests.browser.browsers import find
from tests.browser.conftest import ARGUMENTS
from tests.browser.widget import PHONE

SLOWER = 4  # times
SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
SETTLES = 5_000  # milliseconds after the launcher is there
LAUNCHER_WITHIN = 60_000
COLUMNS = ("launcher (ms)", "quiet (ms)", "KB until launcher", f"KB after {SETTLES // 1000} s", "tapped, open (ms)")
MEANING = """
launcher: its first frame. quiet: from then on the processor was never busy for 50 ms at a time.
tapped, open: the launcher is tapped in its first frame; then there is a field to write into.
KB: what came over the network, compressed, with the page itself.
"""
REPLY_WITHIN = 30_000
SAID = (
    "Do you have red running shoes in size 39?",
    "What time does the Madrid store open?",
    "How long does delivery take?",
    "looking for a blue oxfrod shirt",
    "How do returns work?",
    "Which payment methods do you take?",
)

# When the launcher is first painted: the frame after the one in which it has a size. Also how long the processor was busy, and,
# where it is tapped at once, when there is something to write into.
WATCH = """
(launcher, opened) => {
  const found = (selectors) => {
    let root = document, element = null;
    for (const selector of selectors) {
      element = (root.shadowRoot ?? root).querySelector(selector);
      if (!element) return null;
      root = element;
    }
    return element.getBoundingClientRect().width > 0 ? element : null;
  };
  const painted = (selectors) => new Promise((resolve) => {
    const look = () => {
      const element = document.body && found(selectors);
      requestAnimationFrame(element ? () => resolve([performance.now(), element]) : look);
    };
    look();
  });
  globalThis.busyUntil = 0;
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) busyUntil = Math.max(busyUntil, task.startTime + task.duration);
  }).observe({ type: "longtask", buffered: true });
  painted(launcher).then(async ([at, element]) => {
    globalThis.painted = at;
    if (!opened.length) return;
    element.click();
    [globalThis.opened] = await painted(opened);
  });
}
"""
# From Enter to the frame in which one more bubble of the assistant's is there.
REPLIED = """
() => new Promise((resolve) => {
  const log = () => document.querySelector("tendero-chat").shadowRoot.querySelectorAll("[part~=assistant]").length;
  let before, began;
  addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || began) return;
    [before, began] = [log(), performance.now()];
    const look = () => (log() > before ? resolve(performance.now() - began) : requestAnimationFrame(look));
    look();
  }, { capture: true });
})
"""


def main() -> None:
    arguments = _arguments()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=ARGUMENTS)
        if arguments.only != "replies":
            _compare_loads(browser, arguments.rounds)
        if arguments.only != "load":
            _measure_replies(browser, arguments.rounds)
        browser.close()


# Loading


def _compare_loads(browser: Browser, rounds: int) -> None:
    measured: dict[str, list[Mapping[str, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="tendero-peers-") as folder, Stage() as stage:
        widgets = _widgets(Path(folder))
        for turn in range(rounds):
            for widget in widgets if turn % 2 == 0 else widgets[::-1]:
                measured[widget.name].append({**_load(browser, stage, widget), **_open(browser, stage, widget)})
    print(f"{'':26}" + "".join(f"{column:>19}" for column in COLUMNS))
    for name, found in measured.items():
        print(f"{name:26}" + "".join(f"{_middle(found, column):>19}" for column in COLUMNS))
    print(MEANING)


def _middle(found: Sequence[Mapping[str, float]], column: str) -> str:
    values = [each[column] for each in found if column in each]
    return f"{median(values):,.1f}" if values else "-"


def _widgets(folder: Path) -> Sequence[Widget]:
    widgets = [ours()]
    for peer in PEERS:
        if peer.snippet is None:
            continue
        try:
            widgets.append(theirs(peer, fetch(peer, folder)))
        except NotToBeHad as error:
            print(f"{peer.name}: not measured: {error}")
    return widgets


def _load(browser: Browser, stage: Stage, widget: Widget) -> Mapping[str, float]:
    received: list[float] = []
    with _phone(browser, received) as page:
        page.add_init_script(f"({WATCH})({list(widget.launcher)!r}, [])")
        page.goto(stage.show(widget), wait_until="commit")
        page.wait_for_function("globalThis.painted", timeout=LAUNCHER_WITHIN)
        until_then = sum(received)
        page.wait_for_timeout(SETTLES)
        painted, busy_until = page.evaluate("[painted, busyUntil]")
    return dict(zip(COLUMNS, (painted, max(painted, busy_until), until_then / 1024, sum(received) / 1024), strict=False))


def _open(browser: Browser, stage: Stage, widget: Widget) -> Mapping[str, float]:
    """A shopper who taps the launcher as soon as it is there."""
    if not widget.opened:
        return {}
    with _phone(browser, []) as page:
        page.add_init_script(f"({WATCH})({list(widget.launcher)!r}, {list(widget.opened)!r})")
        page.goto(stage.show(widget), wait_until="commit")
        page.wait_for_function("globalThis.opened", timeout=LAUNCHER_WITHIN)
        return {COLUMNS[-1]: page.evaluate("opened")}


@contextmanager
def _phone(browser: Browser, received: list[float]) -> Iterator[Page]:
    """received: gets the bytes of each answer, as they came over the network."""
    context = browser.new_context(viewport=PHONE, locale="en-US")
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", SLOW_4G)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    yield page
    context.close()


# Replies


def _measure_replies(browser: Browser, rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="tendero-bench-") as folder:
        shop = Ours(Path(folder), _model())
        shop.start()
        try:
            page = _chat(browser, shop)
            _ask(page, "hi")  # what is read once, is read
            seconds = sorted(_ask(page, text) for _ in range(rounds) for text in SAID)
        finally:
            shop.stop()
    tenths = quantiles(seconds, n=20)
    print(f"from Enter to the assistant's bubble, {len(seconds)} messages: p50 {median(seconds):.0f} ms, p95 {tenths[18]:.0f} ms")


def _chat(browser: Browser, shop: Ours) -> Page:
    page = browser.new_context(viewport=PHONE, locale="en-US").new_page()
    page.goto(f"http://{HERE}:{shop.port}/chat")
    page.get_by_role("textbox").wait_for(timeout=REPLY_WITHIN)
    return page


def _ask(page: Page, text: str) -> float:
    """Milliseconds."""
    page.get_by_role("textbox").fill(text)
    page.evaluate(f"() => {{ globalThis.replied = ({REPLIED})(); }}")  # not to be waited for yet
    page.get_by_role("textbox").press("Enter")
    waited: float = page.evaluate("globalThis.replied")
    page.wait_for_timeout(300)  # a second bubble of the same reply is none of the next message
    return waited


def _arguments() -> argparse.Namespace:
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="bench.webchat.paint", description=__doc__, formatter_class=style)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=("load", "replies"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
