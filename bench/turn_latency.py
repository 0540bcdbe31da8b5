"""How long a shopper waits: turns over Rasa's REST channel against a shop that `tendero run` started.

    make bench

Prints the median and the 95th percentile of a turn in milliseconds, alone (one conversation at a time).
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from pathlib import Path

from tests.conversations.stage import trained_model
from tests.e2e.conftest import RunningShop, start, stop

CONVERSATIONS = 12
SCRIPT = (
    "hola",
    "¿cuánto cuesta el envío?",
    "¿dónde está mi pedido 10202?",
    "ana@example.com",
    "{code}",
    "¿y el 10201?",
    "quiero devolver la camisa azul del pedido 10201, me queda chica",
    "por cierto, ¿a qué hora abren en Madrid?",
    "déjalo",
    "¿cuántos puntos tengo?",
    "gracias",
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "models").mkdir()
        model = trained_model()
        shutil.copy(model, home / "models" / model.name)
        began = time.monotonic()
        shop = start(home)
        started = time.monotonic() - began
        try:
            seconds = [took for number in range(CONVERSATIONS) for took in _conversation(shop, f"bench-{number}")]
        finally:
            stop(shop)
    _print(started, seconds)


def _conversation(shop: RunningShop, sender: str) -> list[float]:
    took = []
    for message in SCRIPT:
        # One address may ask for five codes an hour: later conversations stay anonymous.
        if "{code}" in message:
            message = shop.newest_code()
        began = time.perf_counter()
        shop.say(sender, message)
        took.append(time.perf_counter() - began)
    return took


def _print(started: float, seconds: list[float]) -> None:
    milliseconds = sorted(each * 1000 for each in seconds)
    cuts = statistics.quantiles(milliseconds, n=20)
    print(f"start, first time with a trained model (demo shop filled): {started:.1f} s")
    print(f"turns: {len(milliseconds)}   p50 {statistics.median(milliseconds):.0f} ms   p95 {cuts[18]:.0f} ms")


if __name__ == "__main__":
    main()
