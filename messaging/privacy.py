"""What the conversations know about a customer: all of it to read, and all of it gone."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Text, and_, cast, delete, false, func, or_, select, update
from sqlalchemy.orm import Session

from messaging import channel_contacts, consent, handoffs
from messaging.codes import hash_contact
from messaging.contacts import normalize_phone, spellings
from messaging.mentions import Contacts
from messaging.models import (
    ActionCall,
    ChannelAddress,
    ChannelContact,
    ChannelIdentity,
    ChannelLink,
    ChatEntry,
    CodeRequest,
    Consent,
    Conversation,
    Handoff,
    HandoffEvent,
    HandoffNote,
    InboundMessage,
    OutboundMessage,
    OutgoingMail,
    ReceivedFile,
    SatisfactionRating,
    TaskAtHand,
    Timer,
    TrackerState,
    UsedSignIn,
    WebVisitor,
)
from messaging.outbox import newest
from messaging.received_files import below_home
from messaging.turns import inbox

ERASED = "erased-"
LAST_WORDS = timedelta(hours=1)  # for which a page may still fetch the goodbye of a conversation that was erased
NOTHING_LEFT = {"event": "erased"}  # in the place of the newest entry: those that follow go on counting from it
NOT_EXPORTED = frozenset({"code_hash", "contact_hash", "promised_hash", "key", "next_try_at", "tries", "error", "claim"})


@dataclass(frozen=True)
class Erased:
    """What is left to do outside this database."""

    sender_ids: tuple[str, ...]  # conversations whose trackers must go too
    quoting: tuple[str, ...]  # conversations of others, out of whose trackers the contacts must go
    attachments: tuple[str, ...]  # files below TENDERO_HOME that went out with mails, or came in with messages
    rows: int  # deleted or emptied


@dataclass(frozen=True)
class _Person:
    customer_id: int
    number: str  # in the shop; empty where it is not known
    contacts: tuple[str, ...]  # e-mails and phones on file
    senders: tuple[str, ...]  # every conversation that was ever theirs
    own: tuple[str, ...]  # those that were nobody else's: a shop's tablet has many customers
    quoting: tuple[str, ...] = ()  # conversations of others in which the contacts were written
    addresses: tuple[str, ...] = ()  # by which channels name them in their own conversations, as consents have them


def export_conversations(
    session: Session, customer_id: int, contacts: Sequence[str] = (), number: str = ""
) -> dict[str, list[dict[str, Any]]]:
    """Everything that is kept about the customer, by table, fit for JSON.

    contacts: e-mails and phones on file. number: by which the shop's own sign-in names the customer.
    """
    person = _person(session, customer_id, contacts, number)
    queries = {
        "identities": (ChannelIdentity, ChannelIdentity.customer_id == customer_id),
        "conversations": (Conversation, Conversation.sender_id.in_(person.own)),
        "code_requests": (CodeRequest, and_(CodeRequest.customer_id == customer_id, CodeRequest.used_at.is_not(None))),
        "mails": (OutgoingMail, OutgoingMail.recipient.in_(person.contacts)),
        "handoffs": (Handoff, _handoffs_of(person)),
        "handoff_events": (HandoffEvent, HandoffEvent.handoff_id.in_(_ids_of_handoffs(person))),
        "handoff_notes": (HandoffNote, HandoffNote.handoff_id.in_(_ids_of_handoffs(person))),
        "consents": (Consent, _consents_of(person)),
        "ratings": (SatisfactionRating, SatisfactionRating.sender_id.in_(person.own)),
        "messages": (InboundMessage, InboundMessage.sender_id.in_(person.own)),
        "replies": (OutboundMessage, OutboundMessage.sender_id.in_(person.own)),
        "contacts": (ChannelContact, ChannelContact.sender_id.in_(person.own)),
        "addresses": (ChannelAddress, ChannelAddress.sender_id.in_(person.own)),
        "received_files": (ReceivedFile, ReceivedFile.sender_id.in_(person.own)),
        "timers": (Timer, Timer.sender_id.in_(person.own)),
        "action_calls": (ActionCall, ActionCall.sender_id.in_(person.own)),
        "trackers": (TrackerState, TrackerState.sender_id.in_(person.own)),
        "web_visitors": (WebVisitor, WebVisitor.sender_id.in_(person.own)),
        "chat_entries": (ChatEntry, ChatEntry.sender_id.in_(person.own)),
        "sign_ins": (UsedSignIn, UsedSignIn.sender_id.in_(person.own)),
        "channel_links": (ChannelLink, _links_of(person)),
        "tasks_at_hand": (TaskAtHand, TaskAtHand.sender_id.in_(person.own)),
    }
    return {name: _rows(session, model, condition) for name, (model, condition) in queries.items()}


def erase_conversations(
    session: Session,
    customer_id: int,
    now: datetime,
    *,
    key: bytes,
    contacts: Sequence[str] = (),
    number: str = "",
    naming: Iterable[str] = (),
) -> Erased:
    """Erase what names or quotes the customer; numbers that the shop counts (scores, consents) stay without a name.

    key: of the keyed hashes. contacts: e-mails and phones on file. naming: conversations whose trackers have one of these.
    number: by which the shop's own sign-in names the customer.
    A conversation that names the customer and was proven to be nobody's counts as theirs; out of those of others the
    contacts go. Open handoffs are closed, mails and replies not yet sent are not sent any more, marketing consent is
    withdrawn. A message that has no answer yet stays without its words: the turn that erases is one, and has to come to its
    end. Trackers, sent files and attachments are the caller's: see Erased.
    """
    person = _with_unproven(session, _person(session, customer_id, contacts, number), naming)
    attachments = _attachments(session, person)
    _erase_quotes(session, person)
    _close_handoffs(session, person, now)
    _withdraw_consents(session, person, now)
    statements = [
        *_erasures_at_the_desk(session, person, key),
        *_deletions(person, key),
        *_deletions_of_turns(person),
        *_deletions_of_web_chats(session, person, now),
        *_pseudonyms(session, person, key),
    ]
    rows = sum(session.execute(statement.execution_options(synchronize_session=False)).rowcount for statement in statements)
    channel_contacts.purge(session)
    session.expire_all()
    return Erased(person.senders, person.quoting, attachments, rows)


def erase_saved_mail(folder: Path, contacts: Iterable[str]) -> int:
    """Delete the mails to these addresses from an outbox folder; how many there were."""
    addresses = {contact.strip().lower() for contact in contacts}
    theirs = [mail for mail in newest(folder, count=10**9) if mail.recipient.strip().lower() in addresses]
    for mail in theirs:
        mail.path.unlink(missing_ok=True)
    return len(theirs)


def conversations_of(session: Session, customer_id: int, number: str = "") -> set[str]:
    """Every conversation that was ever proven to be this customer's, or handed to a person as theirs, by `sender_id`."""
    return {
        *session.execute(select(ChannelIdentity.sender_id).where(ChannelIdentity.customer_id == customer_id)).scalars(),
        *session.execute(select(Handoff.sender_id).where(Handoff.customer_id == customer_id)).scalars(),
        *session.execute(select(WebVisitor.sender_id).where(number != "", WebVisitor.customer == number)).scalars(),
    }


def _person(session: Session, customer_id: int, contacts: Sequence[str], number: str) -> _Person:
    theirs = conversations_of(session, customer_id, number)
    others = (ChannelIdentity.sender_id.in_(theirs), ChannelIdentity.customer_id != customer_id)
    shared = set(session.execute(select(ChannelIdentity.sender_id).where(*others)).scalars())
    shared |= _of_other_numbers(session, theirs, number)
    known = tuple(sorted({contact.strip().lower() for contact in contacts}))
    own = tuple(sorted(theirs - shared))
    return _Person(customer_id, number, known, tuple(sorted(theirs)), own, addresses=_addresses(session, own))


def _of_other_numbers(session: Session, senders: Iterable[str], number: str) -> set[str]:
    """Those in which the shop's own sign-in named another customer."""
    others = (WebVisitor.sender_id.in_(senders), WebVisitor.customer.is_not(None), WebVisitor.customer != number)
    return set(session.execute(select(WebVisitor.sender_id).where(number != "", *others)).scalars())


def _addresses(session: Session, own: Sequence[str]) -> tuple[str, ...]:
    named = session.execute(select(ChannelAddress.value).where(ChannelAddress.sender_id.in_(own))).scalars()
    return tuple(sorted({value.lower() for value in named}))


def _with_unproven(session: Session, person: _Person, naming: Iterable[str]) -> _Person:
    """With the conversations that name the customer: nobody's are theirs, in others' they are quoted."""
    phones = {spelling for each in person.contacts for spelling in (each, *spellings(normalize_phone(each) or each))}
    reached = select(ChannelContact.sender_id).where(ChannelContact.phone.in_(sorted(phones)))
    naming = {*naming, *session.execute(reached).scalars()}
    naming |= {handoff.sender_id for handoff in _handoffs_naming(session, person)}
    naming |= {entry.sender_id for entry in _entries_naming(session, person)}
    naming |= {note.sender_id for note in _notes_naming(session, person)}
    naming -= {*person.senders}
    proven = select(ChannelIdentity.sender_id).where(ChannelIdentity.sender_id.in_(naming))
    handed = select(Handoff.sender_id).where(Handoff.sender_id.in_(naming), Handoff.customer_id.is_not(None))
    of_others = {*session.execute(proven).scalars(), *session.execute(handed).scalars()}
    of_others |= _of_other_numbers(session, naming, person.number)
    nobodys = naming - of_others
    own = tuple(sorted({*person.own, *nobodys}))
    return replace(
        person,
        senders=tuple(sorted({*person.senders, *nobodys})),
        own=own,
        quoting=tuple(sorted(of_others)),
        addresses=_addresses(session, own),
    )


def _handoffs_naming(session: Session, person: _Person) -> list[Handoff]:
    contacts = Contacts(person.contacts)
    texts = (cast(Handoff.transcript, Text), cast(Handoff.collected, Text), cast(Handoff.sources, Text), Handoff.note)
    signs = [func.lower(text).contains(sign, autoescape=True) for text in texts for sign in contacts.signs]
    found = session.execute(select(Handoff).where(or_(false(), *signs))).scalars()
    return [each for each in found if contacts.are_in([each.transcript, each.collected, each.sources, each.note])]


def _notes_naming(session: Session, person: _Person) -> list[HandoffNote]:
    contacts = Contacts(person.contacts)
    signs = [func.lower(HandoffNote.text).contains(sign, autoescape=True) for sign in contacts.signs]
    found = session.execute(select(HandoffNote).where(or_(false(), *signs))).scalars()
    return [each for each in found if contacts.are_in(each.text)]


def _entries_naming(session: Session, person: _Person) -> list[ChatEntry]:
    contacts = Contacts(person.contacts)
    content = func.lower(cast(ChatEntry.content, Text))
    signs = [content.contains(sign, autoescape=True) for sign in contacts.signs]
    found = session.execute(select(ChatEntry).where(or_(false(), *signs))).scalars()
    return [each for each in found if contacts.are_in(each.content)]


def _erase_quotes(session: Session, person: _Person) -> None:
    """Take the contacts out of the handoffs and web chats of others; what else these say is not about this person."""
    contacts = Contacts(person.contacts)
    for handoff in _handoffs_naming(session, person):
        if handoff.customer_id != person.customer_id and handoff.sender_id not in person.own:
            handoff.transcript = contacts.erased_from(handoff.transcript)
            handoff.collected = contacts.erased_from(handoff.collected)
            handoff.sources = contacts.erased_from(handoff.sources)
            handoff.note = contacts.erased_from(handoff.note)
    for note in _notes_naming(session, person):
        note.text = contacts.erased_from(note.text)
    for entry in _entries_naming(session, person):
        if entry.sender_id not in person.own:
            entry.content = contacts.erased_from(entry.content)
    session.flush()


def _handoffs_of(person: _Person) -> Any:
    unnamed = and_(Handoff.sender_id.in_(person.own), Handoff.customer_id.is_(None))
    return or_(Handoff.customer_id == person.customer_id, unnamed)


def _ids_of_handoffs(person: _Person) -> Any:
    return select(Handoff.id).where(_handoffs_of(person)).scalar_subquery()


def _links_of(person: _Person) -> Any:
    return or_(ChannelLink.from_sender_id.in_(person.own), ChannelLink.to_sender_id.in_(person.own))


def _consents_of(person: _Person) -> Any:
    return or_(Consent.customer_id == person.customer_id, Consent.contact.in_((*person.contacts, *person.addresses)))


def _rows(session: Session, model: Any, condition: Any) -> list[dict[str, Any]]:
    columns = [column for column in model.__table__.columns if column.name not in NOT_EXPORTED]
    rows = session.execute(select(*columns).where(condition).order_by(*model.__table__.primary_key.columns))
    return [{name: _plain(value) for name, value in row._mapping.items()} for row in rows]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _attachments(session: Session, person: _Person) -> tuple[str, ...]:
    lists = session.execute(select(OutgoingMail.attachments).where(OutgoingMail.recipient.in_(person.contacts))).scalars()
    return tuple(sorted({*(path for paths in lists for path in paths), *_received(session, person)}))


def _received(session: Session, person: _Person) -> set[str]:
    """The files that this person sent and nobody else did."""
    theirs, stored = ReceivedFile.sender_id.in_(person.own), ReceivedFile.sha256.is_not(None)
    sent = set(session.execute(select(ReceivedFile.sha256).where(theirs, stored)).scalars())
    by_others = set(session.execute(select(ReceivedFile.sha256).where(~theirs, ReceivedFile.sha256.in_(sent))).scalars())
    return {below_home(sha256) for sha256 in sent - by_others}


def _close_handoffs(session: Session, person: _Person, now: datetime) -> None:
    of_person = select(Handoff.id).where(_handoffs_of(person), Handoff.status.in_(handoffs.OPEN))
    for handoff_id in list(session.execute(of_person).scalars()):
        handoffs.resolve(session, handoff_id, now)


def _withdraw_consents(session: Session, person: _Person, now: datetime) -> None:
    # By number only: under their contacts nothing is found any more, and no word means no.
    named = Consent.customer_id == person.customer_id
    for purpose, channel in list(session.execute(select(Consent.purpose, Consent.channel).where(named).distinct())):
        what = {"purpose": purpose, "channel": channel, "customer_id": person.customer_id}
        if consent.may_send(session, **what):
            consent.withdraw(session, **what, source="erasure", now=now)


def _erasures_at_the_desk(session: Session, person: _Person, key: bytes) -> list[Any]:
    """What people of the shop wrote about them goes; what happened stays to be counted, as the handoffs themselves do."""
    rows = session.execute(select(Handoff.id, Handoff.sender_id).where(_handoffs_of(person))).all()
    ids = [row.id for row in rows]
    named = {row.sender_id for row in rows}
    return [
        delete(HandoffNote).where(or_(HandoffNote.handoff_id.in_(ids), HandoffNote.sender_id.in_(person.own))),
        *(
            update(HandoffEvent)
            .where(HandoffEvent.handoff_id.in_(ids), HandoffEvent.sender_id == sender)
            .values(sender_id=_pseudonym(key, sender))
            for sender in sorted(named)
        ),
    ]


def _deletions(person: _Person, key: bytes) -> list[Any]:
    hashes = [hash_contact(contact, key) for contact in person.contacts]
    asked = or_(CodeRequest.customer_id == person.customer_id, CodeRequest.sender_id.in_(person.own))
    mailed = OutgoingMail.recipient.in_(person.contacts)
    return [
        delete(ChannelIdentity).where(ChannelIdentity.customer_id == person.customer_id),
        delete(CodeRequest).where(or_(asked, CodeRequest.contact_hash.in_(hashes))),
        delete(Conversation).where(Conversation.sender_id.in_(person.own)),
        delete(OutgoingMail).where(mailed, OutgoingMail.sent_at.is_(None)),
        # A sent mail's key stays: the same cause must not send it once more.
        update(OutgoingMail).where(mailed).values(recipient="erased", subject="", body="", attachments=[]),
    ]


def _deletions_of_turns(person: _Person) -> list[Any]:
    theirs = InboundMessage.sender_id.in_(person.own)
    still_open = InboundMessage.state.in_(inbox.OPEN)
    return [
        delete(InboundMessage).where(theirs, ~still_open),
        update(InboundMessage).where(theirs, still_open).values(text="", details={inbox.ERASED: True}, error=None),
        delete(OutboundMessage).where(OutboundMessage.sender_id.in_(person.own)),
        delete(ReceivedFile).where(ReceivedFile.sender_id.in_(person.own)),
        delete(ChannelAddress).where(ChannelAddress.sender_id.in_(person.own)),
        # Where to send the last words to is known until they are sent: messaging.channel_contacts.purge.
        update(ChannelContact).where(ChannelContact.sender_id.in_(person.own)).values(name="", username=""),
        delete(Timer).where(Timer.sender_id.in_(person.own)),
        delete(ActionCall).where(ActionCall.sender_id.in_(person.own)),
        delete(TrackerState).where(TrackerState.sender_id.in_(person.senders)),  # with the events, which the caller deletes
    ]


def _deletions_of_web_chats(session: Session, person: _Person, now: datetime) -> list[Any]:
    """A conversation whose turn is under way is emptied and opens for an hour, so that its page gets the last words."""
    still_open = (InboundMessage.sender_id.in_(person.own), InboundMessage.state.in_(inbox.OPEN))
    ending = list(session.execute(select(InboundMessage.sender_id).where(*still_open).distinct()).scalars())
    newest = select(func.max(ChatEntry.id)).where(ChatEntry.sender_id.in_(ending)).group_by(ChatEntry.sender_id)
    last = list(session.execute(newest).scalars())
    visitors, entries = WebVisitor.sender_id.in_(person.own), ChatEntry.sender_id.in_(person.own)
    emptied = {"customer": None, "customer_until": None, "language": ""}
    return [
        delete(WebVisitor).where(visitors, WebVisitor.sender_id.notin_(ending)),
        update(WebVisitor).where(visitors).values(**emptied),
        update(WebVisitor).where(visitors, WebVisitor.revoked_at.is_(None)).values(revoked_at=now + LAST_WORDS),
        delete(ChatEntry).where(entries, ChatEntry.id.notin_(last)),
        update(ChatEntry).where(entries).values(by="shop", content=NOTHING_LEFT),
        delete(UsedSignIn).where(UsedSignIn.sender_id.in_(person.own)),
        delete(ChannelLink).where(_links_of(person)),
        delete(TaskAtHand).where(TaskAtHand.sender_id.in_(person.own)),
    ]


def _pseudonyms(session: Session, person: _Person, key: bytes) -> list[Any]:
    nothing_said: dict[str, Any] = {"customer_id": None, "collected": {}, "transcript": [], "verdict": None, "note": ""}
    nothing_said |= {"sources": {}, "external": None}
    contacts = session.execute(select(Consent.contact).where(_consents_of(person)).distinct()).scalars()
    return [
        *(
            update(Handoff)
            .where(_handoffs_of(person), Handoff.sender_id == sender)
            .values(sender_id=_pseudonym(key, sender), **nothing_said)
            for sender in person.senders
        ),
        *(
            update(SatisfactionRating)
            .where(SatisfactionRating.sender_id == sender)
            .values(sender_id=_pseudonym(key, sender), comment="")
            for sender in person.own
        ),
        *(
            update(Consent).where(_consents_of(person), Consent.contact == contact).values(contact=_pseudonym(key, contact))
            for contact in [*contacts]
            if contact and not contact.startswith(ERASED)
        ),
    ]


def _pseudonym(key: bytes, name: str) -> str:
    # The same name gives the same pseudonym, so that counts stay right; without the key it leads nowhere.
    return ERASED + hmac.new(key, f"erased:{name}".encode(), hashlib.sha256).hexdigest()[:24]
