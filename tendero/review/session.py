"""One sitting of a designer: what is left to look at, and each decision, kept at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from difflib import get_close_matches
from pathlib import Path

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.nlu.folding import fold
from commerce.models import Customer, CustomerAddress, Product
from database import transaction
from messaging.models import ChannelIdentity
from tendero.commands.explain import nearest
from tendero.environment import PROJECT
from tendero.examples import FAQ_INTENT, Example, examples_of
from tendero.review import decisions
from tendero.review.errors import CannotRead, CannotWrite, NotListed, UnknownPlace
from tendero.review.heard import heard_since
from tendero.review.personal import Names, StandIns, Vocabulary
from tendero.review.ranking import LONGEST, Row, decided_not, id_of, rows_of, said_alike
from tendero.review.writing import Written, add_example, as_example, take_back

NOT_OURS = "out_of_scope"
DAYS = 90
SUGGESTED = 5
LIKELY = 0.03  # a less likely intent is no suggestion


@dataclass(frozen=True)
class Suggestion:
    """place: an intent, or `ask_faq/<id>`. probability: by the assistant, then. example, likeness: of the nearest."""

    place: str
    probability: float | None = None
    likeness: float | None = None
    example: str = ""


@dataclass(frozen=True)
class _Decision:
    row: Row
    ids: tuple[str, ...]
    written: Written | None


class Review:
    """days: how far to look back. Reading the conversations and the examples takes some seconds for a large shop."""

    def __init__(self, project: Path = PROJECT, days: int = DAYS, clock: Callable[[], datetime] | None = None) -> None:
        self._project, self._days = project, days
        self._clock = clock or (lambda: datetime.now(timezone.utc))
        self._done: list[_Decision] = []
        self.rows: list[Row] = []
        self.read()

    @property
    def assigned(self) -> list[Written]:
        """What this sitting has written, and not taken back."""
        return [each.written for each in self._done if each.written is not None]

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def places(self) -> list[str]:
        """Whatever a message can be assigned to: intents, then FAQ entries."""
        return sorted({each.place for each in self._examples}, key=lambda place: ("/" in place, place))

    @property
    def languages(self) -> list[str]:
        return sorted({each.language for each in self._examples})

    def read(self) -> None:
        """Look at the stored conversations and the files anew: what was erased meanwhile is gone, what was said since is there.

        Raises CannotRead.
        """
        now = self._clock()
        try:
            self._examples: list[Example] = examples_of(self._project)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise CannotRead("A file below data/ cannot be read: `tendero validate` says which, and why.") from error
        known = {said_alike(each.text) for each in self._examples}
        with transaction() as session:
            words = Vocabulary.of((each.text for each in self._examples), _catalogue(session))
            self._stand_ins = StandIns(_names(session), words)
            heard = heard_since(session, now - timedelta(days=self._days))
            self.rows = rows_of(heard, self._stand_ins, known, decisions.decided(session), now.timestamp())

    def row(self, row_id: str) -> Row:
        """Raises NotListed."""
        found = next((row for row in self.rows if row_id in row.ids), None)
        if found is None:
            raise NotListed(f"No message {row_id} waits: see `tendero review --json`.")
        return found

    def suggestions(self, row: Row) -> list[Suggestion]:
        """What the assistant thought likely, and what the nearest examples belong to."""
        near: dict[str, Suggestion] = {}
        of_language = [(each.text, each.place) for each in self._examples if each.language == row.language]
        for likeness, place, example in nearest(row.text, among=of_language):
            near.setdefault(place, Suggestion(place, None, likeness, example))
        has_entry = any(place.startswith(f"{FAQ_INTENT}/") for place in near)
        found: dict[str, Suggestion] = {}
        for place, probability in row.ranking[:SUGGESTED]:
            if probability >= LIKELY and not (has_entry and place == FAQ_INTENT):
                like = near.get(place, Suggestion(place))
                found[place] = Suggestion(place, probability, like.likeness, like.example)
        return list({**found, **{place: each for place, each in near.items() if place not in found}}.values())[:SUGGESTED]

    def place_named(self, name: str) -> str:
        """The intent or FAQ entry that is meant; an entry may go by its id alone. Raises UnknownPlace."""
        asked = fold("_".join(name.split()))
        places = self.places
        fits = [place for place in places if asked in (place, place.removeprefix(f"{FAQ_INTENT}/"))]
        if not fits:
            close = get_close_matches(asked, places, 3) or [place for place in places if asked and asked in place][:3]
            meant = f" Is {' or '.join(close)} meant?" if close else ""
            raise UnknownPlace(f"There is no intent {name}.{meant}")
        return fits[0]

    def assign(self, row_id: str, place: str, text: str | None = None, language: str | None = None) -> Written:
        """Write the message, or the text that the designer made of it, as an example of the place. Raises ReviewError."""
        row = self.row(row_id)
        example = self._example(row.text if text is None else text)
        written = add_example(self._project, language or row.language, self.place_named(place), example)
        self._examples.append(_example_of(written))
        self._decide(row, written)
        return written

    def skip(self, row_id: str) -> None:
        """Never show it again. Raises NotListed."""
        self._decide(self.row(row_id), None)

    def undo(self) -> Row:
        """Take this sitting's last decision back, and what it wrote. Raises ReviewError."""
        if not self._done:
            raise CannotWrite("There is nothing to undo.")
        last = self._done[-1]
        if last.written is not None:
            take_back(self._project, last.written)
        with transaction() as session:
            decisions.forget(session, last.ids)
        self._done.pop()
        self.read()
        return last.row

    def _example(self, text: str) -> str:
        stood_in = self._stand_ins.put_in(as_example(text))
        if stood_in.had_secret:
            raise CannotWrite("There is a password or a card number in it, or what is left of one. Leave that out.")
        if not stood_in.says_something:
            raise CannotWrite("There is nothing in it to learn from: write words beside the number.")
        if len(stood_in.text) > LONGEST:
            raise CannotWrite(f"This is too long for an example: at most {LONGEST} characters.")
        example = as_example(stood_in.text)
        key = said_alike(example)
        same = next((each for each in self._examples if said_alike(each.text) == key), None)
        if same is not None:
            raise CannotWrite(f"“{example}” is already an example of {same.place} ({same.language}).")
        return example

    def _decide(self, row: Row, written: Written | None) -> None:
        ids = row.ids if written is None else (*row.ids, id_of(row.language, said_alike(written.text)))
        with transaction() as session:
            decisions.keep(session, ids, written.place if written is not None else None, self._clock())
        self._done.append(_Decision(row, ids, written))
        self.rows = [each for each in self.rows if decided_not(each, frozenset(row.ids))]


def _example_of(written: Written) -> Example:
    entry = written.place.partition("/")[2]
    return Example(written.text, FAQ_INTENT if entry else written.place, written.language, entry)


def _names(session: Session) -> Names:
    """Of all customers, and by conversation of those who were in it."""
    called: dict[int, set[str]] = {}
    for customer, name in session.execute(select(Customer.id, Customer.name)):
        called.setdefault(customer, set()).add(fold(name))
    for customer, name in session.execute(select(CustomerAddress.customer_id, CustomerAddress.recipient)):
        called.setdefault(customer, set()).add(fold(name))
    own: dict[str, set[str]] = {}
    for sender, customer in session.execute(select(ChannelIdentity.sender_id, ChannelIdentity.customer_id)):
        own.setdefault(sender, set()).update(_words(called.get(customer, ())))
    whole = {" ".join(name.split()) for names in called.values() for name in names}
    return Names(
        whole=frozenset(name for name in whole if " " in name),
        words=frozenset(_words(whole)),
        own={sender: frozenset(words) for sender, words in own.items()},
    )


def _catalogue(session: Session) -> list[str]:
    """What products and brands are called."""
    rows = session.execute(select(Product.names, Product.brand)).all()
    return [name for names, brand in rows for name in (*names.values(), brand or "")]


def _words(names: Iterable[str]) -> set[str]:
    return {word for name in names for word in name.split()}
