"""How soon a shopper on a slow phone has an answer: new visitors, their first message apart from the others.

A shop's page on which nothing is done for a while; the launcher is tapped; the first message is sent as soon as there is a field
to write into, or by somebody who needs a while to write it. The assistant is as far away as "slow 4G" is (far.py).

No visitor says as much as the web chat's limits hold back (`bot/channels/webchat/limits.py`): what a limit adds is no latency. A
refusal ends the measurement.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles

from playwright.sync_api import Browser, Page

from bench.soak import _model
from bench.systems import HERE, Ours
from bench.webchat.far import Far
from bench.webchat.phone import LATENCY, phone
from bench.webchat.stage import PAGE, Stage, Widget
from tests.browser.widget import Panel

OPEN_WITHIN = 30_000  # milliseconds
IS_IDLE = 4_000  # milliseconds in which a shopper looks at the page: the panel is made ready
WRITES = 3_000  # milliseconds that the first message takes to write
NEXT_AFTER = 300  # milliseconds: a second bubble of the same reply is none of the next message
SAID = (
    "Do you have red running shoes in size 39?",
    "What time does the Madrid store open?",
    "How long does delivery take?",
    "looking for a blue oxfrod shirt",
    "How do returns work?",
    "Which payment methods do you take?",
)
AT_ONCE, AFTER_A_WHILE, LATER = "first, sent at once", f"first, {WRITES // 1000} s after the tap", "later ones"
STEPS = ("sent", "taken", "bubble")
MEANING = """
Milliseconds from Enter to: the frame is sent; the shop has it, as the phone hears; the assistant's bubble is drawn.
"""

# When frames pass, and when the bubble after the next Enter is in the page's next picture.
WATCH = """
(() => {
  const Real = WebSocket;
  globalThis.refusals = [];
  globalThis.WebSocket = class extends Real {
    constructor(...where) {
      super(...where);
      this.addEventListener("message", ({ data }) => {
        const { type, entries } = JSON.parse(data);
        if (type === "refused") refusals.push(data);
        if (entries?.some(({ by }) => by === "shopper")) watched.taken ??= performance.now() - watched.began;
      });
    }
    send(data) {
      if (JSON.parse(data).type === "say") watched.sent ??= performance.now() - watched.began;
      super.send(data);
    }
  };
  const bubbles = () => document.querySelector("tendero-chat").shadowRoot.querySelectorAll("[part~=assistant]").length;
  globalThis.watch = () => {
    globalThis.watched = {};
    globalThis.replied = new Promise((resolve) => {
      addEventListener("keydown", () => {
        const before = bubbles();
        watched.began = performance.now();
        const look = () => {
          if (bubbles() === before) return requestAnimationFrame(look);
          watched.bubble = performance.now() - watched.began;
          resolve(watched);
        };
        look();
      }, { capture: true, once: true });
    });
  };
})();
"""


def measure(browser: Browser, visitors: int) -> None:
    found: dict[str, list[Mapping[str, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="tendero-bench-") as folder, Stage() as stage:
        shop = Ours(Path(folder), _model())
        with Far(shop.port, LATENCY / 1000) as far:
            address = stage.show(_page(f"http://{HERE}:{far.here}/"))
            shop.credentials = f"rest:\nbot.channels.webchat.WebChatInput:\n  origins: {address.rstrip('/')}\n"
            shop.start()
            try:
                _visit(browser, address, AT_ONCE)  # what is read once, is read
                for number in range(visitors):
                    first = (AT_ONCE, AFTER_A_WHILE)[number % 2]
                    opening, *rest = _visit(browser, address, first)
                    found[first].append(opening)
                    found[LATER] += rest
            finally:
                shop.stop()
    print(table(found))


def table(found: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """found: of each kind of message its `STEPS`, in milliseconds."""
    head = f"{'':28}{'messages':>10}" + "".join(f"{f'{step}, p50 / p95':>20}" for step in STEPS)
    rows = [
        f"{kind:28}{len(times):>10}" + "".join(f"{_spread(each[step] for each in times):>20}" for step in STEPS)
        for kind, times in found.items()
    ]
    return "\n".join([head, *rows, MEANING])


def _spread(values: Iterable[float]) -> str:
    known = list(values)
    return f"{median(known):,.0f} / {quantiles(known, n=20, method='inclusive')[18]:,.0f}"


def _page(server: str) -> Widget:
    page = PAGE.format(head="", body=f'<script type="module" src="{server}widget.js"></script>')
    return Widget("Tendero", page, (), (), {})


def _visit(browser: Browser, address: str, first: str) -> list[Mapping[str, float]]:
    """A new visitor says all there is to say: the times of each message."""
    with phone(browser, latency=0) as page:
        page.add_init_script(WATCH)
        page.goto(address)
        page.wait_for_timeout(IS_IDLE)
        panel = Panel(page)
        panel.launcher.click(timeout=OPEN_WITHIN)
        panel.box.wait_for(timeout=OPEN_WITHIN)
        if first == AFTER_A_WHILE:
            page.wait_for_timeout(WRITES)
        times = [_ask(page, panel, text) for text in SAID]
        if refusals := page.evaluate("refusals"):
            raise RuntimeError(f"what was refused has waited: {refusals}")
        return times


def _ask(page: Page, panel: Panel, text: str) -> Mapping[str, float]:
    panel.box.fill(text)
    page.evaluate("watch()")
    panel.box.press("Enter")
    times: Mapping[str, float] = page.evaluate("replied")
    page.wait_for_timeout(NEXT_AFTER)
    return times
