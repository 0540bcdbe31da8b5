"""Rows from the files, one by one, each with its line number; what cannot be read becomes a problem."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from commerce.importing.formats import FORMATS, Column, FileFormat
from commerce.importing.problems import Problem

SUFFIXES = (".csv", ".jsonl")
MAX_CELL = 1_000_000  # characters


@dataclass
class Row:
    """A row's parsed values by column. `is_sound` is False once anything about it is wrong: it will not be written."""

    line: int
    values: dict[str, Any]
    is_sound: bool = True

    def get(self, column: str, default: Any = None) -> Any:
        value = self.values.get(column)
        return default if value is None else value


@dataclass
class Source:
    """One file of the folder, and everything found wrong with it."""

    path: Path
    format: FileFormat
    problems: list[Problem]
    lines: int = 0  # for the progress
    _seen: dict[tuple[Any, ...], int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.path.name

    def blame(self, row: Row | None, column: str, reason: str) -> None:
        """Note a problem; the row is not sound any more."""
        self.problems.append(Problem(self.name, row.line if row else 0, column, reason))
        if row is not None:
            row.is_sound = False

    def rows(self) -> Iterator[Row]:
        """Every row that could be read at all, sound or not."""
        read = _csv_rows if self.path.suffix == ".csv" else _json_rows
        for row in read(self):
            self._check_key(row)
            yield row

    def _check_key(self, row: Row) -> None:
        key = tuple(row.values.get(column) for column in self.format.key)
        first = self._seen.setdefault(key, row.line) if None not in key else row.line
        if first != row.line:
            self.blame(row, self.format.key[-1], f"the same {' and '.join(self.format.key)} as in line {first}")


def find_sources(folder: Path, problems: list[Problem]) -> dict[str, Source]:
    """The folder's files by the name of their format. A table that nobody knows, or twice the same, is a problem."""
    known = {each.name: each for each in FORMATS}
    sources: dict[str, Source] = {}
    for path in sorted(each for each in folder.glob("*") if each.suffix in SUFFIXES):
        if path.stem not in known:
            problems.append(Problem(path.name, 0, "", f"is none of the files{_hint(path.stem, known)}"))
        elif path.stem in sources:
            problems.append(Problem(path.name, 0, "", f"there is {sources[path.stem].name} too: keep one of them"))
        else:
            sources[path.stem] = Source(path, known[path.stem], problems)
    if not sources and not problems:
        problems.append(Problem(str(folder), 0, "", f"no files to import: there are {', '.join(known)} (.csv or .jsonl)"))
    return sources


def check_encoding(source: Source) -> bool:
    """Count the lines; True where all of them are UTF-8."""
    is_utf8 = True
    with source.path.open("rb") as file:
        for number, line in enumerate(file, 1):
            source.lines = number
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                is_utf8 = False
                source.problems.append(Problem(source.name, number, "", "is not UTF-8: save the file as UTF-8"))
    return is_utf8


# --- CSV --------------------------------------------------------------------------------------------------------------


def _csv_rows(source: Source) -> Iterator[Row]:
    csv.field_size_limit(MAX_CELL)
    with source.path.open(encoding="utf-8-sig", newline="") as file:
        header = file.readline()
        # Spreadsheets of half the world write semicolons.
        delimiter = ";" if header.count(";") > header.count(",") else ","
        names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
        if not _check_header(source, names):
            return
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            yield from _csv_body(source, names, reader)
        except csv.Error as error:
            source.problems.append(Problem(source.name, reader.line_num + 1, "", f"cannot be read: {error}"))


def _csv_body(source: Source, names: Sequence[str], reader: Any) -> Iterator[Row]:
    before = 1
    for cells in reader:
        line, before = before + 1, reader.line_num + 1
        if not any(cells):
            continue
        row = Row(line, {})
        if len(cells) != len(names):
            source.blame(row, "", f"has {len(cells)} cells, the header has {len(names)}")
        given = {name: cell.strip() for name, cell in zip(names, cells, strict=False)}
        yield _parsed(source, row, given)


def _check_header(source: Source, names: Sequence[str]) -> bool:
    row = Row(1, {})
    for name in sorted({name for name in names if names.count(name) > 1}):
        source.blame(row, name, "this column is there twice")
    _check_names(source, row, names)
    return row.is_sound


def _check_names(source: Source, row: Row, names: Sequence[str]) -> None:
    format = source.format
    for name in names:
        if name not in format.by_name and not _family_of(format, name):
            source.blame(row, name, f"is none of the columns{_hint(name, format.by_name)}")
    for column in format.columns:
        if column.is_required and column.name not in names:
            source.blame(row, column.name, "this column is missing")
    for family in format.families:
        if family.is_required and not any(_family_of(format, name) == family.name for name in names):
            source.blame(row, f"{family.prefix}_...", "a column is missing, at least one of this kind")


# --- JSON Lines -------------------------------------------------------------------------------------------------------


def _json_rows(source: Source) -> Iterator[Row]:
    with source.path.open(encoding="utf-8-sig") as file:
        for line, text in enumerate(file, 1):
            if text.strip():
                yield _json_row(source, Row(line, {}), text)


def _json_row(source: Source, row: Row, text: str) -> Row:
    try:
        given = json.loads(text, parse_float=Decimal)
    except json.JSONDecodeError as error:
        source.blame(row, "", f"is not JSON: {error.msg}")
        return row
    if not isinstance(given, dict):
        source.blame(row, "", "is not a JSON object")
        return row
    _check_names(source, row, list(given))
    return _parsed(source, row, {name: _bare(value) for name, value in given.items()})


def _bare(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


# --- both -------------------------------------------------------------------------------------------------------------


def _parsed(source: Source, row: Row, given: Mapping[str, Any]) -> Row:
    """Parse every cell; a blank one is its column's default, or a problem where the column must have a value."""
    columns = source.format.by_name
    for family in source.format.families:
        row.values[family.name] = {}
    for name, cell in given.items():
        column = columns.get(name)
        try:
            if column is None:
                _gather(source, row, name, cell)
            elif cell is None or cell == "":
                row.values[name] = _blank(column)
            else:
                row.values[name] = column.parse(cell)
        except ValueError as error:
            source.blame(row, name, str(error))
    _check_families(source, row)
    return row


def _blank(column: Column) -> Any:
    if column.is_required:
        raise ValueError("is empty")
    return column.default


def _gather(source: Source, row: Row, name: str, cell: Any) -> None:
    family = next((each for each in source.format.families if each.name == _family_of(source.format, name)), None)
    if family is not None and cell is not None and cell != "":
        row.values[family.name][name[len(family.prefix) + 1 :]] = family.parse(cell)


def _check_families(source: Source, row: Row) -> None:
    for family in source.format.families:
        if family.is_required and row.is_sound and not row.values[family.name]:
            source.blame(row, f"{family.prefix}_...", "all of them are empty")


def _family_of(format: FileFormat, name: str) -> str | None:
    for family in format.families:
        if name.startswith(f"{family.prefix}_") and len(name) > len(family.prefix) + 1:
            return family.name
    return None


def _hint(name: str, known: Mapping[str, Any]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f": is it {close[0]}?" if close else f": {', '.join(known)}"
