"""The whole transcript of a shopper, over all conversations that are proven to be theirs, as entries of the desk's protocol."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, NamedTuple

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from desk.same_person import Talk
from desk.words_said import PICTURES, needs_title, parts_of_message, parts_of_reply
from messaging import agent_messages, codes
from messaging.models import Handoff, HandoffEvent, HandoffNote, InboundMessage, OutboundMessage, ReceivedFile
from messaging.received_files import UNSAID
from messaging.turns.inbox import ERASED, REVOKED

Json = dict[str, Any]
Address = Callable[[str], str]

PAGE = 50
MARKS = {"pending": "sending", "sending": "sending"}  # where the page has another word for it
ASKS_FOR_CODE = re.compile(r"_code(?!_accepted|_unasked)")  # in the name of a response
LOOKS_BACK = 20  # replies, for the title of a button
TOLD_OF_EVENTS = (  # of an event's details; never what somebody wrote, and nothing to act with
    "act agent from to queue until reason topic resolution level due_at why instruction position minutes callback_at"
    " status".split()
)


class Place(NamedTuple):
    """Where an entry stands: by its instant, then by its kind, then by number."""

    at: datetime
    kind: str
    number: int


@dataclass(frozen=True)
class Entry:
    place: Place
    shown: Json

    @property
    def id(self) -> str:
        return str(self.shown["id"])


@dataclass(frozen=True)
class Rows:
    """Ids of rows, by the letter of their entries."""

    i: Collection[int] = ()
    o: Collection[int] = ()
    n: Collection[int] = ()
    e: Collection[int] = ()

    def __bool__(self) -> bool:
        return bool(self.i or self.o or self.n or self.e)


@dataclass
class Transcript:
    """address: where a browser gets a file of `handoff`'s shopper."""

    session: Session
    handoff: Handoff
    talks: Sequence[Talk]
    address: Address
    _asked: list[tuple[str, datetime, datetime]] | None = field(default=None, init=False)

    def page(self, before: str = "", most: int = PAGE) -> tuple[list[Json], bool]:
        """(the newest entries before this one, the oldest of them first; whether there are older ones).

        before: an entry's id; empty: of all. Raises LookupError where there is no such entry.
        """
        place = self._place_of(before) if before else None
        entries = [entry for kind in KINDS for entry in self._stored(kind, place, most + 1)]
        if len(entries) <= most:
            entries += self._remembered(place)
        entries.sort(key=lambda entry: entry.place)
        return [entry.shown for entry in entries[-most:]], len(entries) > most

    def entries_of(self, rows: Rows) -> list[Json]:
        """These, the oldest first; without those that are not this shopper's, and what is no entry."""
        found = [
            entry
            for kind in KINDS
            if (ids := getattr(rows, kind.letter))
            for entry in self._entries(kind, [kind.table.id.in_(list(ids))], len(ids))
        ]
        return [entry.shown for entry in sorted(found, key=lambda entry: entry.place)]

    def instant_of(self, entry: str) -> datetime:
        """When it was. Raises LookupError."""
        return self._place_of(entry).at

    # Reading

    def _stored(self, kind: _Kind, before: Place | None, most: int) -> list[Entry]:
        return self._entries(kind, [] if before is None else [_is_before(kind, before)], most)

    def _entries(self, kind: _Kind, which: Sequence[Any], most: int) -> list[Entry]:
        theirs = or_(*(_is_in(kind, talk) for talk in self.talks))
        query = select(kind.table).where(theirs, *which, *kind.which).order_by(kind.at.desc(), kind.table.id.desc()).limit(most)
        rows = list(self.session.execute(query.execution_options(populate_existing=True)).scalars())
        shown = kind.shown(self, rows)
        return [Entry(Place(getattr(row, kind.at.key), kind.letter, row.id), each) for row, each in zip(rows, shown, strict=True)]

    def _place_of(self, id_: str) -> Place:
        if remembered := _REMEMBERED.fullmatch(id_):
            lines = {entry.id: entry for entry in self._remembered(None)}
            if id_ not in lines:
                raise LookupError(remembered[0])
            return lines[id_].place
        match = _ID.fullmatch(id_)
        kind = next((each for each in KINDS if match and each.letter == match["letter"]), None)
        if match is None or kind is None:
            raise LookupError(id_)
        if kind.letter == "o":
            turn, position = int(match["number"]), int(match["position"] or 0)
            which = [OutboundMessage.turn_id == turn, OutboundMessage.position == position]
        else:
            which = [kind.table.id == int(match["number"])]
        entries = self._entries(kind, which, 1)
        if not entries:
            raise LookupError(id_)
        return entries[0].place

    def _remembered(self, before: Place | None) -> list[Entry]:
        """What the handoff has kept of a time of which no rows are left."""
        earliest = self._earliest()
        lines = []
        for number, line in enumerate(self.handoff.transcript or ()):
            at = _instant(line.get("at"))
            if at is None or (earliest is not None and at >= earliest):
                continue
            entry = Entry(Place(at, "t", number), self._line(number, line, at))
            if before is None or entry.place < before:
                lines.append(entry)
        return lines

    def _line(self, number: int, line: Mapping[str, Any], at: datetime) -> Json:
        parts = [{"kind": "text", "text": str(line.get("text") or "")}]
        by = line.get("by") if line.get("by") in ("shopper", "assistant", "agent") else "assistant"
        head = self._head(f"t{self.handoff.id}-{number}", str(by), at, self.handoff.sender_id, self.handoff.channel)
        return {**head, "parts": parts}

    def _earliest(self) -> datetime | None:
        """Since when there are rows of the handoff's own conversation."""
        came = select(func.min(InboundMessage.received_at)).where(InboundMessage.sender_id == self.handoff.sender_id)
        went = select(func.min(OutboundMessage.created_at)).where(OutboundMessage.sender_id == self.handoff.sender_id)
        return min((at for at in map(self._scalar, (came, went)) if at is not None), default=None)

    def _scalar(self, query: Any) -> Any:
        return self.session.execute(query).scalar_one_or_none()

    # Showing

    def messages(self, rows: Sequence[InboundMessage]) -> list[Json]:
        files = self._files(rows)
        return [self._message(row, files.get((row.sender_id, row.provider_id), [])) for row in rows]

    def _message(self, row: InboundMessage, files: Sequence[Json]) -> Json:
        details = row.details or {}
        is_echo = str((details.get("whatsapp") or {}).get("type") or "").startswith("echo")  # of the shop's own app
        by = "agent" if is_echo or row.kind == agent_messages.KIND else "shopper"
        name = str(details.get("agent") or "") if row.kind == agent_messages.KIND else ""
        head = self._head(f"i{row.id}", by, row.received_at, row.sender_id, row.channel, name)
        gone = {"is_taken_back": True} if details.get(REVOKED) or details.get(ERASED) else {}
        title = self._title(row) if needs_title(row) else ""
        return {**head, "parts": parts_of_message(row, files, title, lambda text: self._without_codes(row, text)), **gone}

    def replies(self, rows: Sequence[OutboundMessage]) -> list[Json]:
        by_agents = agent_messages.ids_of(self.session, {row.turn_id for row in rows if row.author == "agent"})
        return [self._reply(row, by_agents.get(row.turn_id, "")) for row in rows]

    def _reply(self, row: OutboundMessage, sent_as: str) -> Json:
        by = "agent" if row.author == "agent" else "assistant"
        name = (row.content.get("by") or {}).get("name") if isinstance(row.content.get("by"), Mapping) else None
        head = self._head(f"o{row.turn_id}-{row.position}", by, row.created_at, row.sender_id, row.channel, name or "")
        wrong = {"error": row.error} if row.error and row.state in ("failed", "held") else {}
        own = {"sent_as": sent_as} if sent_as else {}
        return {
            **head,
            "parts": parts_of_reply(row.content, self.address),
            "mark": MARKS.get(row.state, row.state),
            **wrong,
            **own,
        }

    def notes(self, rows: Sequence[HandoffNote]) -> list[Json]:
        heads = [self._head(f"n{row.id}", "note", row.at, row.sender_id, "", row.by) for row in rows]
        parts = [[{"kind": "text", "text": row.text}] for row in rows]
        return [{**head, "parts": part, "sent_as": row.name} for head, part, row in zip(heads, parts, rows, strict=True)]

    def events(self, rows: Sequence[HandoffEvent]) -> list[Json]:
        heads = [self._head(f"e{row.id}", "event", row.at, row.sender_id, "", row.by) for row in rows]
        return [{**head, "parts": [], **event(row)} for head, row in zip(heads, rows, strict=True)]

    def _head(self, id_: str, by: str, at: datetime, sender_id: str, channel: str, name: str = "") -> Json:
        channels = {talk.sender_id: talk.channel for talk in self.talks}
        return {
            "id": id_,
            "by": by,
            **({"name": name} if name else {}),
            "channel": channel or channels.get(sender_id, ""),
            "at": _iso(at),
            "is_other_conversation": sender_id != self.handoff.sender_id,
        }

    def _files(self, rows: Sequence[InboundMessage]) -> dict[tuple[str, str], list[Json]]:
        """By conversation and message."""
        with_files = [row.provider_id for row in rows if (row.details or {}).get("files")]
        if not with_files:
            return {}
        said = (ReceivedFile.message_id.in_(with_files), ReceivedFile.message_id != UNSAID)
        found: dict[tuple[str, str], list[Json]] = {}
        for file in self.session.execute(select(ReceivedFile).where(*said).order_by(ReceivedFile.id)).scalars():
            found.setdefault((file.sender_id, file.message_id), []).append(file_part(file, self.address))
        return found

    def _title(self, row: InboundMessage) -> str:
        """Of the button that says this, among the newest replies before it."""
        contents = self._replies_before(row, LOOKS_BACK)
        return next((title for content in contents if (title := _titles(content).get(row.text))), "")

    def _without_codes(self, row: InboundMessage, text: str) -> str:
        if not codes.SIX_DIGITS.search(text):
            return text
        asked = any(
            sender_id == row.sender_id and begin <= row.received_at <= end for sender_id, begin, end in self._code_requests()
        )
        asked = asked or any(ASKS_FOR_CODE.search(str(each.get("utter_action") or "")) for each in self._replies_before(row, 1))
        return codes.without_codes(text) if asked else text

    def _code_requests(self) -> list[tuple[str, datetime, datetime]]:
        if self._asked is None:
            self._asked = codes.asked_for(self.session, [talk.sender_id for talk in self.talks])
        return self._asked

    def _replies_before(self, row: InboundMessage, most: int) -> list[Mapping[str, Any]]:
        before = (OutboundMessage.sender_id == row.sender_id, OutboundMessage.created_at <= row.received_at)
        newest = select(OutboundMessage.content).where(*before).order_by(OutboundMessage.id.desc()).limit(most)
        return list(self.session.execute(newest).scalars())


@dataclass(frozen=True)
class _Kind:
    letter: str
    table: Any
    at: Any
    shown: Callable[[Transcript, Any], list[Json]]
    which: tuple[Any, ...] = ()


# A person's message is shown by its replies, which know how far they have come; what was sent at another desk has none. A note
# without words is no entry.
_SAID_THERE = and_(InboundMessage.kind == agent_messages.KIND, InboundMessage.provider_id.not_like(f"{agent_messages.KIND}:%"))
_SAID = or_(InboundMessage.kind == "message", and_(InboundMessage.kind == "note", InboundMessage.text != ""), _SAID_THERE)
_TAKEN_BACK = and_(InboundMessage.kind == "note", InboundMessage.details[REVOKED].as_boolean())

KINDS = (
    _Kind("e", HandoffEvent, HandoffEvent.at, Transcript.events),
    _Kind("i", InboundMessage, InboundMessage.received_at, Transcript.messages, (or_(_SAID, _TAKEN_BACK),)),
    _Kind("n", HandoffNote, HandoffNote.at, Transcript.notes),
    _Kind("o", OutboundMessage, OutboundMessage.created_at, Transcript.replies),
)
_ID = re.compile(r"(?P<letter>[eino])(?P<number>\d{1,18})(?:-(?P<position>\d{1,9}))?", re.ASCII)
_REMEMBERED = re.compile(r"t\d{1,18}-\d{1,9}", re.ASCII)


def event(row: HandoffEvent) -> Json:
    """What happened, as entries and the list of events show it."""
    details = row.details or {}
    return {"event": row.kind, "details": {name: details[name] for name in TOLD_OF_EVENTS if name in details}}


def file_part(file: ReceivedFile, address: Address) -> Json:
    """A file that a shopper sent; one that is not there (yet) has no address."""
    is_picture = file.kind in PICTURES
    there = {"url": address(f"received:{file.id}")} if file.state == "stored" else {"state": file.state}
    facts = {"name": file.file_name, "type": file.mime_type, **({"size": file.size} if file.size else {})}
    return {"kind": "picture" if is_picture else "file", **there, **{key: value for key, value in facts.items() if value}}


def _is_in(kind: _Kind, talk: Talk) -> Any:
    bounds = [kind.table.sender_id == talk.sender_id]
    if talk.since is not None:
        bounds.append(kind.at >= talk.since)
    if talk.until is not None:
        bounds.append(kind.at <= talk.until)
    return and_(*bounds)


def _is_before(kind: _Kind, place: Place) -> Any:
    if kind.letter == place.kind:
        return or_(kind.at < place.at, and_(kind.at == place.at, kind.table.id < place.number))
    return kind.at <= place.at if kind.letter < place.kind else kind.at < place.at


def _titles(content: Mapping[str, Any]) -> dict[str, str]:
    buttons = [*(content.get("buttons") or []), *(content.get("quick_replies") or [])]
    elements: Iterable[Any] = content.get("elements") or []
    buttons += [button for element in elements if isinstance(element, Mapping) for button in element.get("buttons") or []]
    return {
        str(each["payload"]): str(each.get("title") or "") for each in buttons if isinstance(each, Mapping) and "payload" in each
    }


def _iso(at: datetime) -> str:
    """To the millisecond: the page sorts by it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _instant(at: Any) -> datetime | None:
    """Seconds since 1970 as Rasa has them, or ISO 8601."""
    try:
        if isinstance(at, int | float):
            return datetime.fromtimestamp(at, timezone.utc)
        told = datetime.fromisoformat(str(at).replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        return None
    return told if told.tzinfo is not None else told.replace(tzinfo=timezone.utc)
