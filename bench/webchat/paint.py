"""When a chat is there and can be used on a slow phone, and how soon it answers: `python -m bench.webchat.paint`.

    python -m bench.webchat.paint                 both, 5 rounds and 20 visitors
    python -m bench.webchat.paint --only load     without the shop: the same small page with each widget in turn
    python -m bench.webchat.paint --only replies  our shop: from Enter to the bubble, see replies.py

Chromium, the screen of a phone, processor 4 times slower, network as Lighthouse's "slow 4G". Each load begins with an empty
cache; the widgets take turns, and the table has medians. Only this machine is spoken to, but for npm, where the others come from.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright

from bench.webchat.peers import PEERS, NotToBeHad, fetch
from bench.webchat.phone import phone
from bench.webchat.replies import measure
from bench.webchat.stage import Stage, Widget, ours, theirs
from tests.browser.browsers import find
from tests.browser.conftest import ARGUMENTS

SETTLES = 5_000  # milliseconds after the launcher is there
LAUNCHER_WITHIN = 60_000
COLUMNS = ("launcher (ms)", "quiet (ms)", "KB until launcher", f"KB after {SETTLES // 1000} s", "tapped, open (ms)")
MEANING = """
launcher: its first frame. quiet: from then on the processor was never busy for 50 ms at a time.
tapped, open: the launcher is tapped in its first frame; then there is a field to write into.
KB: what came over the network, compressed, with the page itself.
"""

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


def main() -> None:
    arguments = _arguments()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=ARGUMENTS)
        if arguments.only != "replies":
            _compare_loads(browser, arguments.rounds)
        if arguments.only != "load":
            measure(browser, arguments.visitors)
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
    with phone(browser, received) as page:
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
    with phone(browser) as page:
        page.add_init_script(f"({WATCH})({list(widget.launcher)!r}, {list(widget.opened)!r})")
        page.goto(stage.show(widget), wait_until="commit")
        page.wait_for_function("globalThis.opened", timeout=LAUNCHER_WITHIN)
        return {COLUMNS[-1]: page.evaluate("opened")}


def _arguments() -> argparse.Namespace:
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="bench.webchat.paint", description=__doc__, formatter_class=style)
    parser.add_argument("--rounds", type=int, default=5, help="loads of each widget (5)")
    parser.add_argument("--visitors", type=int, default=20, help="new ones, of 6 messages each (20)")
    parser.add_argument("--only", choices=("load", "replies"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
