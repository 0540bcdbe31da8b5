"""What was measured, side by side with the targets: a table, a plot, and JSON for whoever wants to count again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SYSTEMS = ("stock", "ours")
Measures = dict[str, dict[str, float]]  # by measure, then by system


@dataclass(frozen=True)
class Target:
    """ratio: of ours to stock; at_most: or at least."""

    measure: str
    ratio: float
    at_most: bool
    words: str

    def is_met(self, stock: float, ours: float) -> bool:
        return ours <= stock * self.ratio if self.at_most else ours >= stock * self.ratio


TARGETS = (
    Target("CPU per turn, alone (ms)", 1 / 5, True, "at most 1/5"),
    Target("p50 alone (ms)", 1 / 4, True, "at most 1/4"),
    Target("turns per second, 16 at once", 5, False, "at least 5 times"),
    Target("turns per second, 64 at once", 5, False, "at least 5 times"),
    Target("start until the first answer (s)", 1 / 4, True, "at most 1/4"),
    Target("memory, PSS (MB)", 1 / 2, True, "at most 1/2"),
)
LONG, SHORT = "turn at 2000 events (ms)", "turn at 20 events (ms)"
MOST_GROWTH = 1.3  # of our own turn, from 20 to 2,000 events


def rows(measures: Measures) -> list[tuple[str, str, str, str, str, str]]:
    """Measure, stock, ours, ratio, target, met."""
    targets = {target.measure: target for target in TARGETS}
    table = []
    for measure, by_system in measures.items():
        stock, ours = (by_system.get(system) for system in SYSTEMS)
        target = targets.get(measure)
        verdict = _verdict(target, stock, ours)
        table.append((measure, _number(stock), _number(ours), _ratio(stock, ours), target.words if target else "", verdict))
    if SHORT in measures and LONG in measures:
        growth = {system: measures[LONG][system] / measures[SHORT][system] for system in SYSTEMS}
        met = "met" if growth["ours"] <= MOST_GROWTH else "NOT MET"
        words = f"ours at most {MOST_GROWTH}"
        table.append(("2,000-event turn / 20-event turn", f"{growth['stock']:.2f}", f"{growth['ours']:.2f}", "", words, met))
    return table


def _verdict(target: Target | None, stock: float | None, ours: float | None) -> str:
    if target is None or stock is None or ours is None:
        return ""
    return "met" if target.is_met(stock, ours) else "NOT MET"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _ratio(stock: float | None, ours: float | None) -> str:
    if not stock or not ours:
        return ""
    return f"1/{stock / ours:.1f}" if ours < stock else f"{ours / stock:.1f} x"


def table(measures: Measures) -> str:
    head = ("", "stock", "ours", "ours/stock", "target", "")
    lines = [head, *rows(measures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(_aligned(line, widths) for line in lines)


def _aligned(line: tuple[str, ...], widths: list[int]) -> str:
    first, *rest = (
        cell.ljust(width) if number in (0, 4, 5) else cell.rjust(width)
        for number, (cell, width) in enumerate(zip(line, widths, strict=True))
    )
    return "  ".join([first, *rest]).rstrip()


def write(folder: Path, measures: Measures, notes: dict[str, Any]) -> tuple[Path, Path]:
    """The plot and the JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    figures, plot = folder / "bench.json", folder / "bench.png"
    content = {"measures": measures, "table": rows(measures), **notes}
    figures.write_text(json.dumps(content, indent=2, ensure_ascii=False), encoding="utf-8")
    _plot(plot, measures, str(notes.get("title", "")))
    return plot, figures


def _plot(file: Path, measures: Measures, title: str) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(2, 2, figsize=(11, 7.5), layout="constrained")
    figure.suptitle(title)
    _bars(panels[0][0], measures, "Latency of a turn (ms)", lambda name: name[0] == "p", is_log=True)
    _lines(panels[0][1], measures)
    _bars(panels[1][0], measures, "Turns", lambda name: name.startswith(("CPU", "turns per")))
    _bars(panels[1][1], measures, "Start, training, memory", lambda name: name.startswith(("start", "train", "mem")), is_log=True)
    figure.savefig(file, dpi=110)
    pyplot.close(figure)


COLOURS = {"stock": "#b0b7c3", "ours": "#1f6f5c"}


def _bars(panel: Any, measures: Measures, title: str, is_shown: Callable[[str], bool], is_log: bool = False) -> None:
    names = [name for name in measures if is_shown(name)]
    for offset, system in zip((-0.2, 0.2), SYSTEMS, strict=True):
        values = [measures[name].get(system, 0.0) for name in names]
        bars = panel.barh([index + offset for index in range(len(names))], values, 0.38, label=system, color=COLOURS[system])
        panel.bar_label(bars, labels=[_number(value) for value in values], padding=2, fontsize=7)
    panel.set_yticks(range(len(names)), names, fontsize=8)
    panel.invert_yaxis()
    panel.margins(x=0.12)
    if is_log:
        panel.set_xscale("log")
    panel.set_title(title, fontsize=10)
    panel.legend(fontsize=8)


def _lines(panel: Any, measures: Measures) -> None:
    sizes = {name: int(name.split()[2]) for name in measures if name.startswith("turn at ")}
    for system in SYSTEMS:
        values = [measures[name][system] for name in sizes]
        panel.plot(list(sizes.values()), values, marker="o", label=system, color=COLOURS[system])
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlabel("events in the conversation", fontsize=8)
    panel.set_title("Turn of a long conversation (ms)", fontsize=10)
    panel.legend(fontsize=8)
