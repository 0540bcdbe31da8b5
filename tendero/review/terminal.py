"""The review at the terminal: one message after the other, a number or a name for each, and everything kept as it is typed."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Sequence
from datetime import datetime, timezone

from tendero.review.errors import ReviewError
from tendero.review.ranking import Row
from tendero.review.session import NOT_OURS, Review, Suggestion
from tendero.terminal import say

WIDEST = 100
KEYS = "number or intent: assign   e: edit the text   l: language   s: skip   n: not ours   u: undo   q: quit"

Ask = Callable[[str, str, Sequence[str]], str]  # (prompt, what stands there already, words to complete with) -> the answer


class Quit(Exception):
    """The designer has had enough."""


def sit(review: Review, ask: Ask) -> None:
    """Until nothing is left, or the designer quits (q, Ctrl-C, Ctrl-D)."""
    try:
        while review.rows:
            _decide(review, review.rows[0], ask)
    except (Quit, KeyboardInterrupt, EOFError):
        pass


def _decide(review: Review, row: Row, ask: Ask) -> None:
    """Ask about this message until something is decided."""
    text, language = row.text, row.language
    suggestions = review.suggestions(row)
    say(page_of(row, suggestions, len(review.rows)))
    while True:
        answer = ask("> ", "", review.places).strip()
        try:
            if answer == "e":
                text = ask("text> ", text, ()).strip() or text
            elif answer == "l":
                language = _language(ask("language> ", language, review.languages), review.languages) or language
            elif answer:
                _do(review, row, answer, suggestions, text, language)
                return
        except ReviewError as error:
            say(str(error))


def _do(review: Review, row: Row, answer: str, suggestions: Sequence[Suggestion], text: str, language: str) -> None:
    """Raises ReviewError, Quit."""
    if answer in ("q", "quit"):
        raise Quit
    if answer in ("s", "skip"):
        review.skip(row.id)
        say("Skipped.")
    elif answer in ("u", "undo"):
        say(f"Undone: “{review.undo().text}”")
    else:
        number = int(answer) if answer.isdecimal() else 0
        place = NOT_OURS if answer == "n" else suggestions[number - 1].place if 0 < number <= len(suggestions) else answer
        written = review.assign(row.id, place, text, language)
        say(f"{written.place} ({language}): {written.text}   -> data/{'/'.join(written.file.parts[-3:])}")


def _language(answer: str, known: Sequence[str]) -> str | None:
    chosen = answer.strip().lower()
    if chosen in known:
        return chosen
    say(f"There are {', '.join(known)}.")
    return None


def page_of(row: Row, suggestions: Sequence[Suggestion], left: int) -> str:
    """One message with all that helps to decide."""
    width = min(shutil.get_terminal_size().columns, WIDEST)
    lines = ["", "─" * width, summary(row) + f"   ({left} left)", ""]
    for line in row.before:
        lines += textwrap.wrap(line.text, width, initial_indent=f"  {line.by:<10}", subsequent_indent=" " * 12)[:4]
    lines += textwrap.wrap(row.text, width, initial_indent="  » ", subsequent_indent="    ")
    lines.append("")
    lines += [_suggested(number, each, width) for number, each in enumerate(suggestions, 1)] or ["  (nothing is near)"]
    return "\n".join([*lines, "", KEYS])


def summary(row: Row) -> str:
    """Language, how often, why, when."""
    often = f"{row.count} times, {row.people} people" if row.count > 1 else "once"
    when = f"{datetime.fromtimestamp(row.newest, timezone.utc):%Y-%m-%d}"
    return f"{row.language}   {often}   {', '.join(row.reasons)}   {when}"


def _suggested(number: int, each: Suggestion, width: int) -> str:
    likely = f"{each.probability:4.0%}" if each.probability is not None else "    "
    near = f"  like “{each.example}” ({each.likeness:.0%})" if each.likeness is not None else ""
    line = f"  {number}  {likely}  {each.place}{near}"
    return line if len(line) <= width else line[: width - 1] + "…"


def ask_at_terminal(prompt: str, before: str, words: Sequence[str]) -> str:
    """A line, with the words offered while it is typed. Raises KeyboardInterrupt, EOFError."""
    from prompt_toolkit import prompt as read_line
    from prompt_toolkit.completion import FuzzyWordCompleter

    completer = FuzzyWordCompleter(list(words)) if words else None
    return read_line(prompt, default=before, completer=completer, complete_while_typing=bool(words))
