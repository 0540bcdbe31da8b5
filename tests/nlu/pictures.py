"""The pictures of the page, as PNG."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np

from bench.nlu.measures import BINS, Prediction

matplotlib.use("Agg")
from matplotlib import pyplot


def confusion_matrix(predictions: Sequence[Prediction]) -> bytes:
    """Shares of a row as colours; how many messages were mistaken as numbers."""
    names = sorted({each.intent for each in predictions} | {each.predicted for each in predictions})
    counts = Counter((each.intent, each.predicted) for each in predictions)
    rows = np.array([[counts[row, column] for column in names] for row in names])
    figure, axes = pyplot.subplots(figsize=(15, 14))
    axes.imshow(rows / np.maximum(rows.sum(axis=1, keepdims=True), 1), cmap="Blues")
    for row, column in zip(*np.nonzero(rows), strict=True):
        colour = "white" if row == column else "firebrick"
        axes.text(column, row, rows[row, column], ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("taken for")
    axes.set_ylabel("is")
    axes.tick_params(top=True, labeltop=True)
    return _png(figure)


def calibration(predictions: Sequence[Prediction]) -> bytes:
    """How many of the predictions of each confidence are right."""
    bins = np.minimum([int(each.confidence * BINS) for each in predictions], BINS - 1)
    is_right = np.array([each.is_right for each in predictions])
    figure, axes = pyplot.subplots(figsize=(5, 4))
    for each in sorted(set(bins)):
        axes.bar((each + 0.5) / BINS, is_right[bins == each].mean(), width=0.9 / BINS, color="steelblue")
        axes.text((each + 0.5) / BINS, 0.02, (bins == each).sum(), ha="center", fontsize=8, color="white", rotation=90)
    axes.plot([0, 1], [0, 1], color="firebrick", linewidth=1)
    axes.set_xlabel("confidence")
    axes.set_ylabel("right")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    return _png(figure)


def _png(figure: Any) -> bytes:
    content = io.BytesIO()
    figure.savefig(content, format="png", bbox_inches="tight", dpi=90)
    pyplot.close(figure)
    return content.getvalue()
