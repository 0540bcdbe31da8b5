"""The return label as a PDF: numbers, names and addresses only, so that it reads the same in every language."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it brings fonts and pictures: half of what the action server would import, for a label now and then
    from fpdf import FPDF

LABELS = "labels"
WIDTH_MM, HEIGHT_MM, MARGIN_MM = 100, 150, 8


@dataclass(frozen=True)
class Label:
    """What is printed. `destination` and `sender` are the lines of an address, top to bottom."""

    rma_number: str
    order_number: str
    destination: tuple[str, ...]
    sender: tuple[str, ...]
    send_by: str
    items: tuple[str, ...]  # "2 x SHI-OXF-BLU-M"
    made_at: datetime


def label_path(rma_number: str) -> str:
    """Where the label lies below the home folder."""
    return f"{LABELS}/{rma_number}.pdf"


def write_label(home: Path, label: Label) -> str:
    """Write the PDF below `home` and return its path relative to it. The same label gives the same bytes."""
    relative = label_path(label.rma_number)
    target = home / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".part")
    draft.write_bytes(label_bytes(label))
    os.replace(draft, target)  # a reader never sees half a label
    return relative


def label_bytes(label: Label) -> bytes:
    """The PDF. `made_at` is its only date, so that nothing in it comes from the clock."""
    from fpdf import FPDF

    page = FPDF(unit="mm", format=(WIDTH_MM, HEIGHT_MM))
    page.set_creation_date(label.made_at)
    page.set_compression(False)  # a kilobyte more, and any text search finds the number
    page.set_margin(MARGIN_MM)
    page.set_auto_page_break(False)
    page.set_title(label.rma_number)
    page.add_page()
    _address(page, 8, label.sender)
    _address(page, 13, label.destination)
    _number(page, label)
    for item in label.items[:10]:
        _line(page, 8, item)
    return bytes(page.output())


def _address(page: FPDF, size: int, lines: tuple[str, ...]) -> None:
    for line in lines:
        _line(page, size, line)
    page.ln(4)


def _number(page: FPDF, label: Label) -> None:
    page.set_line_width(0.6)
    top = page.get_y()
    page.rect(MARGIN_MM, top, WIDTH_MM - 2 * MARGIN_MM, 32)
    page.set_y(top + 4)
    _line(page, 26, label.rma_number, align="C", bold=True)
    _line(page, 11, f"#{label.order_number}   {label.send_by}", align="C")
    page.set_y(top + 36)


def _line(page: FPDF, size: int, text: str, align: str = "L", bold: bool = False) -> None:
    from fpdf.enums import XPos, YPos

    page.set_font("Helvetica", "B" if bold else "", size)
    page.cell(0, size * 0.5, printable(text), align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def printable(text: str) -> str:
    """The text in the letters that the PDF's built-in font has: Łódź becomes ?ódz, José stays."""
    return "".join(_letter(each) for each in unicodedata.normalize("NFC", text))


def _letter(letter: str) -> str:
    if ord(letter) < 256:
        return letter if letter.isprintable() else " "
    plain = unicodedata.normalize("NFKD", letter).encode("latin-1", "ignore").decode("latin-1")
    return plain or "?"
