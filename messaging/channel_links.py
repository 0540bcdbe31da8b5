"""Two conversations of one person: whoever brings a code from the web chat to WhatsApp holds both.

The code says nothing about which customer that is: each conversation is known as somebody, or not, by itself. Codes are good for
a quarter of an hour and for one conversation, and are kept as keyed hashes only.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from database import home_folder
from messaging import chat_log, labels
from messaging.conversations import channel_of
from messaging.masking import CODE_MARK, mask
from messaging.models import ChannelContact, ChannelLink
from messaging.secret import secret_key
from messaging.turns.timers import set_timer
from messaging.writes import one_at_a_time

CODE_LIFETIME = timedelta(minutes=15)
MOST_CODES, WINDOW = 5, timedelta(minutes=15)  # of a conversation
KEPT = timedelta(days=1)  # codes that were not used, and links that have ended
LINK_TEXT = "link_text"  # label: what the shopper sends on WhatsApp
UNLINKED = "unlinked"  # kind of timer: the other conversation has undone the link
DIGITS = 4  # of the number, for the web chat to show

LETTERS, NUMERALS = "ABCDEFGHJKMNPQRSTVWXYZ", "23456789"  # nothing that looks like something else
_CODE = re.compile(r"(?<![^\W_])([a-z0-9]{4})[ ]?[-‐‑–—][ ]?([a-z0-9]{4})(?![^\W_])", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """A code in a message: its keyed hash, the message with the code masked, for people to read, and the link's language."""

    mark: str
    words: str
    language: str | None


def offer(session: Session, sender_id: str, now: datetime) -> str | None:
    """A code by which this conversation goes on elsewhere ("A7K2-9QPM"), for CODE_LIFETIME; None: enough were made of late."""
    one_at_a_time(session, f"link:{sender_id}")
    of_late = (ChannelLink.from_sender_id == sender_id, ChannelLink.created_at > now - WINDOW)
    if session.execute(select(func.count()).select_from(ChannelLink).where(*of_late)).scalar_one() >= MOST_CODES:
        return None
    code = f"{_half()}-{_half()}"
    times = {"created_at": now, "expires_at": now + CODE_LIFETIME}
    session.add(ChannelLink(code_hash=mark_of(code), from_sender_id=sender_id, **times))
    session.flush()
    return code


def text_with(code: str, language: str) -> str:
    """What the shopper sends to go on there, for a wa.me link."""
    return labels.label(LINK_TEXT, language).format(code=code)


def use(session: Session, code: str, to_sender_id: str, now: datetime) -> str | None:
    """As `use_marked`, with the code itself."""
    return use_marked(session, mark_of(code), to_sender_id, now)


def use_marked(session: Session, mark: str, to_sender_id: str, now: datetime) -> str | None:
    """Join this conversation to the one that the code was shown in: its sender_id; None where the code is not good (any more).

    What either was joined to before is joined no more. The web chat shows that it goes on there. Whoever used the code may
    send it again, as long as the link holds.
    """
    joined = _take(session, mark, to_sender_id, now)
    if joined is None:
        return _already(session, mark, to_sender_id)
    either = (joined.from_sender_id, to_sender_id)
    _end(session, [each for sender_id in either for each in _links(session, sender_id) if each.id != joined.id], now)
    _end_codes(session, joined.from_sender_id, now)
    _show(session, joined, now)
    return str(joined.from_sender_id)


def linked(session: Session, sender_id: str) -> str | None:
    """The other conversation of the same person, if it was joined to this one."""
    link = next(iter(_links(session, sender_id)), None)
    if link is None:
        return None
    return str(link.from_sender_id if link.to_sender_id == sender_id else link.to_sender_id)


def brought_from(session: Session, sender_id: str) -> tuple[str, datetime] | None:
    """The conversation whose code was brought to this one, and when."""
    brought = next((each for each in _links(session, sender_id) if each.to_sender_id == sender_id), None)
    return (str(brought.from_sender_id), brought.used_at) if brought is not None else None


def join(session: Session, from_sender_id: str, to_sender_id: str, now: datetime) -> None:
    """Join two conversations without a code: both are proven to be the same customer's, and a person of ours has seen to it.

    What either was joined to before is joined no more. from_sender_id: the one in the web chat, which shows that it goes on.
    """
    one_at_a_time(session, f"link:{from_sender_id}", f"link:{to_sender_id}")
    before = {each.id: each for sender_id in (from_sender_id, to_sender_id) for each in _links(session, sender_id)}
    _end(session, list(before.values()), now)
    unused = {"code_hash": mark_of(secrets.token_hex(16)), "created_at": now, "expires_at": now}  # nobody has this code
    row = ChannelLink(from_sender_id=from_sender_id, to_sender_id=to_sender_id, used_at=now, **unused)
    session.add(row)
    session.flush()
    _show(session, row, now)


def undo(session: Session, sender_id: str, now: datetime) -> bool:
    """These two are not the same person's. Whether there was a link. What was begun there and went on here is left."""
    links = _links(session, sender_id)
    _end(session, links, now)
    for link in links:
        if link.from_sender_id == sender_id:
            _tell_other(session, link.to_sender_id, now)
    return bool(links)


def code_in(session: Session, text: str) -> Found | None:
    """The code that this message brings, good or not; None where it is about something else.

    What looks like a code counts if we made it, or if nothing else is said beside the words of our own link.
    """
    for match in _CODE.finditer(text[:1000]):
        halves = [half.upper() for half in match.groups()]
        if not all(_is_like_ours(half) for half in halves):
            continue
        mark = mark_of("-".join(halves))
        language = _language_of(text)
        if language is not None or _is_all_of(text, match) or _is_ours(session, mark):
            return Found(mark, mask(f"{text[: match.start()]}{CODE_MARK}{text[match.end() :]}").text, language)
    return None


def purge(session: Session, now: datetime) -> int:
    """Delete codes that nobody used and links that have ended; how many there were."""
    unused = ChannelLink.used_at.is_(None) & (ChannelLink.expires_at < now - KEPT)
    old = delete(ChannelLink).where(or_(unused, ChannelLink.ended_at < now - KEPT))
    return int(session.execute(old.execution_options(synchronize_session=False)).rowcount)


def mark_of(code: str) -> str:
    """The keyed hash under which a code is known."""
    key = secret_key(home_folder())
    return hmac.new(key, f"channel-link\x1f{code.strip().upper()}".encode(), hashlib.sha256).hexdigest()


# Codes


def _half() -> str:
    """Letters and numerals, so that no word is taken for one."""
    signs = [secrets.choice(LETTERS), secrets.choice(NUMERALS), *(secrets.choice(LETTERS + NUMERALS) for _ in range(2))]
    secrets.SystemRandom().shuffle(signs)
    return "".join(signs)


def _is_like_ours(half: str) -> bool:
    return any(sign.isdigit() for sign in half) and any(sign.isalpha() for sign in half)


def _is_all_of(text: str, match: re.Match[str]) -> bool:
    return not any(sign.isalnum() for sign in text[: match.start()] + text[match.end() :])


def _language_of(text: str) -> str | None:
    """Of our own words before the code; None where they are not there."""
    before = {language: said[LINK_TEXT].partition("{code}")[0].strip(" (") for language, said in labels.labels().items()}
    return next((language for language, words in before.items() if words.lower() in text.lower()), None)


def _is_ours(session: Session, mark: str) -> bool:
    return session.execute(select(ChannelLink.id).where(ChannelLink.code_hash == mark)).first() is not None


# Links


def _take(session: Session, mark: str, to_sender_id: str, now: datetime) -> ChannelLink | None:
    # One statement looks and takes: of two that use it at once, one finds it unused.
    is_good = (ChannelLink.used_at.is_(None), ChannelLink.ended_at.is_(None), ChannelLink.expires_at > now)
    taken = (
        update(ChannelLink)
        .where(ChannelLink.code_hash == mark, ChannelLink.from_sender_id != to_sender_id, *is_good)
        .values(used_at=now, to_sender_id=to_sender_id)
    )
    if not session.execute(taken.execution_options(synchronize_session=False)).rowcount:
        return None
    return _read(session, ChannelLink.code_hash == mark)[0]


def _already(session: Session, mark: str, to_sender_id: str) -> str | None:
    held = _read(session, ChannelLink.code_hash == mark, ChannelLink.to_sender_id == to_sender_id, ChannelLink.ended_at.is_(None))
    return str(held[0].from_sender_id) if held else None


def _links(session: Session, sender_id: str) -> list[ChannelLink]:
    """Those that hold, of this conversation."""
    either = or_(ChannelLink.from_sender_id == sender_id, ChannelLink.to_sender_id == sender_id)
    return _read(session, either, ChannelLink.used_at.is_not(None), ChannelLink.ended_at.is_(None))


def _read(session: Session, *conditions: Any) -> list[ChannelLink]:
    found = select(ChannelLink).where(*conditions).order_by(ChannelLink.id).execution_options(populate_existing=True)
    return list(session.execute(found).scalars())


def _show(session: Session, link: ChannelLink, now: datetime) -> None:
    """In the web chat: it goes on there."""
    told = {"event": "on_whatsapp", "digits": _last_digits(session, link.to_sender_id)}
    chat_log.append(session, link.from_sender_id, "shop", f"on_whatsapp:{link.id}", told, now)


def _end(session: Session, links: list[ChannelLink], now: datetime) -> None:
    for link in links:
        link.ended_at = now
        chat_log.append(session, link.from_sender_id, "shop", f"unlinked:{link.id}", {"event": "unlinked"}, now)
    session.flush()


def _tell_other(session: Session, sender_id: str, now: datetime) -> None:
    channel = channel_of(session, sender_id)
    if channel is not None:
        set_timer(session, key=f"{UNLINKED}:{sender_id}", sender_id=sender_id, channel=channel, kind=UNLINKED, due_at=now)


def _end_codes(session: Session, sender_id: str, now: datetime) -> None:
    """Of several codes that a conversation was shown, one is used."""
    unused = update(ChannelLink).where(ChannelLink.from_sender_id == sender_id, ChannelLink.used_at.is_(None))
    session.execute(unused.values(ended_at=now).execution_options(synchronize_session=False))


def _last_digits(session: Session, sender_id: str) -> str:
    """Empty where the channel does not tell the number."""
    phone = session.execute(select(ChannelContact.phone).where(ChannelContact.sender_id == sender_id)).scalar_one_or_none()
    return str(phone or "")[-DIGITS:]
