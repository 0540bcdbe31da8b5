"""A browser as on a slow phone: its screen, a processor 4 times slower, network as Lighthouse's "slow 4G"."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page

from tests.browser.widget import PHONE

SLOWER = 4  # times
LATENCY = 150  # milliseconds, there and back
SLOW_4G = {"offline": False, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}


@contextmanager
def phone(browser: Browser, received: list[float] | None = None, latency: int = LATENCY) -> Iterator[Page]:
    """A page of somebody who was never here. received: gets the bytes of each answer, as they came over the network."""
    context = browser.new_context(viewport=PHONE, locale="en-US")
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    if received is not None:
        devtools.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", {**SLOW_4G, "latency": latency})
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    yield page
    context.close()
