"""Our shop and the same bot on stock Rasa, over HTTP, turn by turn in one run: `make bench`.

    python -m bench              all of it; the first time it trains the stock configuration, which takes an hour or more
    python -m bench --quick      a few minutes, and 20 epochs: to try it

Prints a table with the targets; writes var/reports/bench.png and bench.json. Only this machine is spoken to.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench import report
from bench.long_conversations import SIZES, milliseconds_at
from bench.play import Played, actions_of, play, quantile
from bench.scripts import SCRIPTS, Script
from bench.stock import EPOCHS, FEWER_EPOCHS, StockProject, timed_training
from bench.systems import Ours, Stock, System
from tendero.environment import PROJECT, for_child
from tendero.training import Training, current_model

CROWDS = (1, 16, 64)  # conversations at once
PERCENTILES = (50, 95, 99)
HOME = PROJECT / "var"


@dataclass(frozen=True)
class Extent:
    """rounds: of each load; starts: of each system; senders: of each length of a conversation."""

    epochs: int = EPOCHS
    rounds: int = 3
    starts: int = 3
    senders: int = 4
    sizes: Sequence[int] = SIZES


QUICK = Extent(epochs=FEWER_EPOCHS, rounds=1, starts=1, senders=2)


class Bench:
    """All that was measured, each several times: the table has the medians."""

    def __init__(self, extent: Extent, systems: Sequence[System]) -> None:
        self._extent = extent
        self._systems = systems
        self._found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.played: dict[str, list[Played]] = defaultdict(list)

    def note(self, measure: str, system: str, value: float) -> None:
        self._found[measure][system].append(value)

    @property
    def measures(self) -> report.Measures:
        return {
            measure: {name: statistics.median(found) for name, found in by_system.items()}
            for measure, by_system in self._found.items()
        }

    @property
    def all_found(self) -> dict[str, Any]:
        return {measure: dict(by_system) for measure, by_system in self._found.items()}

    def start(self) -> None:
        """Each alone, in turn; after the last they stay."""
        for turn in range(self._extent.starts):
            for system in self._systems:
                self.note("start until the first answer (s)", system.name, system.start())
                if turn < self._extent.starts - 1:
                    system.stop()
        for system in self._systems:
            play(system, SCRIPTS, 1)  # what is read once, is read

    def load(self) -> None:
        for turn in range(self._extent.rounds):
            for at_once in CROWDS:
                for system in _alternating(self._systems, turn):
                    self._crowd(system, at_once)
        for system in self._systems:
            for kind, size in system.memory().items():
                self.note(f"memory, {kind.upper()} (MB)", system.name, size)

    def grow(self) -> None:
        for size in self._extent.sizes:
            for turn in range(self._extent.senders):
                for system in _alternating(self._systems, turn):
                    self.note(f"turn at {size} events (ms)", system.name, milliseconds_at(system, size, 1))

    def _crowd(self, system: System, at_once: int) -> None:
        played = play(system, _cast(at_once), at_once)
        self.played[system.name].append(played)
        crowd = "alone" if at_once == 1 else f"{at_once} at once"
        self.note(f"CPU per turn, {crowd} (ms)", system.name, played.cpu * 1000)
        for percent in PERCENTILES:
            self.note(f"p{percent} {crowd} (ms)", system.name, quantile(played.seconds, percent))
        if at_once > 1:
            self.note(f"turns per second, {crowd}", system.name, played.turns_per_second)
        print(f"  {system.name:5} {crowd:10} {len(played.seconds):4} turns  {played.turns_per_second:6.1f}/s", flush=True)


def _alternating(systems: Sequence[System], turn: int) -> Sequence[System]:
    return systems if turn % 2 == 0 else systems[::-1]


def _cast(at_once: int) -> list[Script]:
    count = max(at_once, len(SCRIPTS))
    return [SCRIPTS[number % len(SCRIPTS)] for number in range(count)]


@contextmanager
def _systems(stock: StockProject, model: Path) -> Iterator[list[System]]:
    with tempfile.TemporaryDirectory(prefix="tendero-bench-") as folder:
        systems: list[System] = [Stock(Path(folder) / "stock", stock), Ours(Path(folder) / "ours", model)]
        try:
            yield systems
        finally:
            for system in systems:
                system.stop()


def main() -> None:
    extent = _extent()
    stock = StockProject(HOME / "bench", extent.epochs)
    print(f"The stock configuration, {extent.epochs} epochs, in {stock.folder} (trained once) ...", flush=True)
    stock.train()
    print("Our training ...", flush=True)
    ours, model = _our_training(), current_model(HOME)
    with _systems(stock, model) as systems:
        bench = Bench(extent, systems)
        print("Starts ...", flush=True)
        bench.start()
        print("Conversations ...", flush=True)
        bench.load()
        print("Long conversations ...", flush=True)
        bench.grow()
        for name, training in (("stock", stock.training), ("ours", ours)):
            for key, unit in (("seconds", "s"), ("cpu_seconds", "s of CPU"), ("memory", "MB at most")):
                bench.note(f"training, {extent.epochs} epochs ({unit})", name, training[key])
        _tell(bench, extent, _differences(bench, systems))


def _our_training() -> dict[str, Any]:
    """Timed anew; its model is kept where `make run` keeps its own."""
    model = current_model(HOME)
    if not model.is_file():
        Training(HOME).finish()
    with tempfile.TemporaryDirectory(prefix="tendero-bench-") as folder:
        arguments = [str(Path(folder) / "model.tar.gz"), str(Path(folder) / "report.json")]
        return timed_training(["-m", "tendero.rasa_jobs.train", *arguments], PROJECT, for_child(), Path(folder) / "log")


def _differences(bench: Bench, systems: Sequence[System]) -> dict[str, Any]:
    """The scripts in which the two did not do the same, and turns without a reply: what is compared has to be alike."""
    done: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for system in systems:
        for sender, script in bench.played[system.name][0].senders.items():
            done[script].setdefault(system.name, actions_of(system, sender))
    differing = {script: by_system for script, by_system in done.items() if by_system["stock"] != by_system["ours"]}
    silent = {system.name: sum(each.silent for each in bench.played[system.name]) for system in systems}
    return {"scripts": len(done), "differing": differing, "silent turns": silent}


def _tell(bench: Bench, extent: Extent, alike: dict[str, Any]) -> None:
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, Rasa {version('rasa')}"
    notes = {
        "title": f"Tendero and stock Rasa, {machine}",
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "load of the machine": os.getloadavg(),
        "extent": vars(extent),
        "alike": alike,
        "found": bench.all_found,
    }
    print(f"\n{machine}; medians; load of the machine {os.getloadavg()[0]:.1f}\n")
    print(report.table(bench.measures))
    same = alike["scripts"] - len(alike["differing"])
    print(f"\nBoth did the same in {same} of {alike['scripts']} scripts; turns without a reply: {alike['silent turns']}")
    for file in report.write(HOME / "reports", bench.measures, notes):
        print(file)


def _extent() -> Extent:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and fewer epochs of the stock training")
    parser.add_argument("--epochs", type=int, help="of the stock training; what a turn costs does not depend on it")
    arguments = parser.parse_args()
    extent = QUICK if arguments.quick else Extent()
    return Extent(**{**vars(extent), "epochs": arguments.epochs or extent.epochs})


if __name__ == "__main__":
    main()
