"""Conversations on any channel: who writes, who owns the conversation, codes, mail, handoffs, consent."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, CheckConstraint, Column, Index, Integer, String, Text, UniqueConstraint, text

from database import Base, UTCDateTime


class Conversation(Base):
    """`owner` alone says who may answer.

    bot; queue (waiting for a person: the bot may still help); agent (the bot is silent).
    """

    __tablename__ = "conversation"
    __table_args__ = (
        CheckConstraint("owner IN ('bot', 'queue', 'agent')", name="owner_is_known"),
        CheckConstraint("(owner = 'agent') = (assignee IS NOT NULL)", name="agent_has_a_name"),
    )

    sender_id = Column(String(128), primary_key=True)
    channel = Column(String(32), nullable=False)
    owner = Column(String(8), nullable=False, default="bot")  # bot | queue | agent
    assignee = Column(String(64), nullable=True)
    recap_due = Column(Boolean, nullable=False, default=False)  # given back: the next turn begins with a recap
    created_at = Column(UTCDateTime, nullable=False)


class ChannelIdentity(Base):
    """Which customer a sender is, and how sure that is: asserted (by the channel) or proven (by a code).

    A row outlives its end (signed out, or somebody else signed in): erasing a customer's data has to find every
    conversation that was theirs.
    """

    __tablename__ = "channel_identity"
    __table_args__ = (UniqueConstraint("channel", "sender_id", "customer_id", "level"),)

    id = Column(Integer, primary_key=True)
    channel = Column(String(32), nullable=False)
    sender_id = Column(String(128), nullable=False)
    customer_id = Column(Integer, nullable=False, index=True)  # commerce's customer
    level = Column(String(10), nullable=False)  # asserted | proven
    verified_at = Column(UTCDateTime, nullable=False)
    expires_at = Column(UTCDateTime, nullable=True)  # of the proven level; null: does not end
    ended_at = Column(UTCDateTime, nullable=True)  # signed out, or taken over by another customer


class CodeRequest(Base):
    """A request for a one-time code: a row each, whether or not somebody has this address: limits must not tell."""

    __tablename__ = "code_request"

    id = Column(String(36), primary_key=True)
    sender_id = Column(String(128), nullable=False, index=True)
    contact_hash = Column(String(64), nullable=False, index=True)  # keyed hash of the e-mail or phone
    customer_id = Column(Integer, nullable=True)  # null: nobody has this address, and no code will ever fit
    code_hash = Column(String(64), nullable=False)
    created_at = Column(UTCDateTime, nullable=False)
    expires_at = Column(UTCDateTime, nullable=False)
    tries = Column(Integer, nullable=False, default=0)
    used_at = Column(UTCDateTime, nullable=True)


class OutgoingMail(Base):
    """A mail to send: kept with its error until some transport has taken it."""

    __tablename__ = "outgoing_mail"
    __table_args__ = (Index("ix_outgoing_mail_due", "sent_at", "next_try_at"),)

    id = Column(Integer, primary_key=True)
    key = Column(String(80), nullable=False, unique=True)  # what caused it: the same cause twice sends one mail
    recipient = Column(String(254), nullable=False)
    subject = Column(String(200), nullable=False)
    body = Column(Text, nullable=False)
    attachments = Column(JSON, nullable=False, default=list)  # paths below TENDERO_HOME
    created_at = Column(UTCDateTime, nullable=False)
    next_try_at = Column(UTCDateTime, nullable=False)  # pushed forward during a try
    tries = Column(Integer, nullable=False, default=0)
    sent_at = Column(UTCDateTime, nullable=True)
    error = Column(String(300), nullable=True)  # of the last try


OPEN_TURN = "state IN ('waiting', 'taken')"
OPEN_REPLY = "state IN ('pending', 'sending')"
DUE_TIMER = "state = 'waiting'"
OPEN_HANDOFF = "status IN ('waiting', 'callback', 'assigned')"


class Handoff(Base):
    """One record for the person who takes over; a conversation has at most one that is open."""

    __tablename__ = "handoff"
    __table_args__ = (
        Index(
            "uq_handoff_open",
            "sender_id",
            unique=True,
            sqlite_where=text(OPEN_HANDOFF),
            postgresql_where=text(OPEN_HANDOFF),
        ),
        CheckConstraint("status <> 'assigned' OR assignee IS NOT NULL", name="assigned_has_a_name"),
    )

    id = Column(Integer, primary_key=True)
    sender_id = Column(String(128), nullable=False, index=True)
    channel = Column(String(32), nullable=False)
    customer_id = Column(Integer, nullable=True, index=True)
    language = Column(String(5), nullable=False)
    reason = Column(String(32), nullable=False)  # asked | policy | misunderstood | anger | failure
    goal = Column(String(64), nullable=True)  # the shopper's goal: an intent
    collected = Column(JSON, nullable=False, default=dict)  # what the assistant knows
    tried = Column(JSON, nullable=False, default=list)  # actions tried
    verdict = Column(JSON, nullable=True)  # the policy's decision with its rule
    transcript = Column(JSON, nullable=False, default=list)  # [{"by": shopper | assistant | agent, "text", "at"}]
    status = Column(String(12), nullable=False)  # waiting | callback | assigned | given_back | resolved | cancelled
    created_at = Column(UTCDateTime, nullable=False)
    callback_at = Column(UTCDateTime, nullable=True)  # arranged out of hours
    assignee = Column(String(64), nullable=True)  # who has it, or had it last
    assigned_at = Column(UTCDateTime, nullable=True)
    note = Column(Text, nullable=False, default="")  # the person's last words for the assistant or the next person
    closed_at = Column(UTCDateTime, nullable=True)
    sources = Column(
        JSON, nullable=False, default=dict, server_default="{}"
    )  # where what was collected came from: {name: {"from", "text", "at"}}
    queue = Column(String(40), nullable=True, index=True)  # of data/policies/desk.yml; null: nobody has looked yet
    priority = Column(Integer, nullable=False, default=0, server_default="0")  # higher goes first
    lease_until = Column(
        UTCDateTime, nullable=True
    )  # assigned: whoever has it loses it then, unless they show that they are there
    snoozed_until = Column(UTCDateTime, nullable=True)  # assigned: put aside until then, or until the shopper writes
    awaiting_since = Column(UTCDateTime, nullable=True)  # the shopper's first message that no person has answered
    first_reply_at = Column(UTCDateTime, nullable=True)  # of a person
    last_reply_at = Column(UTCDateTime, nullable=True)  # of a person
    warned = Column(
        JSON, nullable=False, default=list, server_default="[]"
    )  # of the service levels, what was said already: "first_reply:warning"
    resolution = Column(String(40), nullable=True)  # why it is resolved: a reason of data/policies/desk.yml
    topic = Column(String(64), nullable=True)  # what it was about, as the person says who resolved it
    external = Column(String(160), nullable=True, index=True)  # its name at another desk: "chatwoot:1:42"


class HandoffEvent(Base):
    """What happened to a handoff: rows are added, never edited; reports and clocks are made of them.

    kind: opened | asked_again | queued | assigned | transferred | released | lost | snoozed | woken | called_back | given_back |
    resolved | cancelled | warned | breached | told (the shopper, of the wait) | proven (by a code that came to a person) |
    acted, undid (an agent, for the shopper)
    """

    __tablename__ = "handoff_event"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id = Column(Integer, primary_key=True)
    handoff_id = Column(Integer, nullable=False, index=True)
    sender_id = Column(String(128), nullable=False, index=True)
    kind = Column(String(16), nullable=False)
    by = Column(String(64), nullable=False, default="")  # an agent's name; empty: the shopper, or time
    details = Column(JSON, nullable=False, default=dict)
    at = Column(UTCDateTime, nullable=False, index=True)


class HandoffNote(Base):
    """What people of the shop write to one another about a conversation. A shopper never sees it."""

    __tablename__ = "handoff_note"
    __table_args__ = (UniqueConstraint("sender_id", "name"), {"sqlite_autoincrement": True})

    id = Column(Integer, primary_key=True)
    handoff_id = Column(Integer, nullable=False, index=True)
    sender_id = Column(String(128), nullable=False)
    name = Column(String(64), nullable=False)  # the page's id of it: the same again adds nothing
    by = Column(String(64), nullable=False)
    text = Column(Text, nullable=False)  # masked
    at = Column(UTCDateTime, nullable=False)


class Consent(Base):
    """Consent rows are added, never edited; the newest for a purpose and channel counts."""

    __tablename__ = "consent"

    id = Column(Integer, primary_key=True)
    customer_id = Column(Integer, nullable=True, index=True)
    contact = Column(String(254), nullable=True, index=True)
    purpose = Column(String(16), nullable=False)  # marketing
    channel = Column(String(16), nullable=False)  # email | whatsapp
    granted = Column(Boolean, nullable=False)
    source = Column(String(64), nullable=False)
    at = Column(UTCDateTime, nullable=False)


class SatisfactionRating(Base):
    """CSAT: asked at most once a matter."""

    __tablename__ = "satisfaction_rating"

    id = Column(Integer, primary_key=True)
    sender_id = Column(String(128), nullable=False, index=True)
    matter = Column(String(80), nullable=False, unique=True)
    asked_at = Column(UTCDateTime, nullable=False)
    score = Column(Integer, nullable=True)  # 1 to 5
    comment = Column(String(500), nullable=False, default="")
    answered_at = Column(UTCDateTime, nullable=True)


class InboundMessage(Base):
    """What came in on a channel, kept before it is acknowledged, and how far its turn is.

    State: waiting; taken (a turn is under way, or was when its process died); done; failed (the shopper got an apology).
    Several messages can share one turn: `turn_id` is the first one's id.
    """

    __tablename__ = "inbound_message"
    __table_args__ = (
        UniqueConstraint("channel", "provider_id"),
        Index("ix_inbound_message_open", "sender_id", "id", sqlite_where=text(OPEN_TURN), postgresql_where=text(OPEN_TURN)),
        Index("ix_inbound_message_of_sender", "sender_id", "id"),  # a transcript, and how much of it is not read yet
        {"sqlite_autoincrement": True},  # an id names a turn for ever: it is never given out twice
    )

    id = Column(Integer, primary_key=True)
    channel = Column(String(32), nullable=False)
    provider_id = Column(String(128), nullable=False)  # the channel's name of the message
    sender_id = Column(String(128), nullable=False)
    kind = Column(String(16), nullable=False, default="message")  # message | timer | note | agent (a person of ours wrote it)
    text = Column(Text, nullable=False)  # masked
    details = Column(JSON, nullable=False, default=dict)  # the channel's metadata
    trace_id = Column(String(32), nullable=False)  # as W3C writes it: 32 hexadecimal digits
    received_at = Column(UTCDateTime, nullable=False)
    state = Column(String(8), nullable=False, default="waiting")
    turn_id = Column(Integer, nullable=True, index=True)
    claim = Column(String(32), nullable=True)  # who takes a turn writes a new one: an older taker can save nothing any more
    tries = Column(Integer, nullable=False, default=0)
    error = Column(String(300), nullable=True)  # of the last try
    done_at = Column(UTCDateTime, nullable=True)


class OutboundMessage(Base):
    """A reply, stored with the turn that uttered it and sent afterwards, in the order uttered.

    State: pending; sending (a channel has it, or had it when its process died); sent; delivered; read; failed;
    withheld (a person had taken the conversation meanwhile); held (the channel lets nobody write to this person at present:
    it goes when they write). Author: assistant; agent (a person of ours); desk (by the assistant's voice, and also said while a
    person has the conversation: "Marta is here now").
    """

    __tablename__ = "outbound_message"
    __table_args__ = (
        UniqueConstraint("turn_id", "position"),
        Index(
            "ix_outbound_message_open",
            "channel",
            "sender_id",
            "id",
            sqlite_where=text(OPEN_REPLY),
            postgresql_where=text(OPEN_REPLY),
        ),
        {"sqlite_autoincrement": True},
    )

    id = Column(Integer, primary_key=True)
    turn_id = Column(Integer, nullable=False)
    position = Column(Integer, nullable=False)  # within the turn, from 0
    channel = Column(String(32), nullable=False)
    sender_id = Column(String(128), nullable=False, index=True)
    content = Column(JSON, nullable=False)  # as Rasa's output channels get it: text, buttons, image, attachment, custom
    author = Column(String(12), nullable=False, default="assistant", server_default="assistant")  # assistant | agent | desk
    trace_id = Column(String(32), nullable=False)
    created_at = Column(UTCDateTime, nullable=False)
    state = Column(String(10), nullable=False, default="pending")
    claim = Column(String(32), nullable=True)
    tries = Column(Integer, nullable=False, default=0)
    next_try_at = Column(UTCDateTime, nullable=True)
    provider_id = Column(String(128), nullable=True, index=True)
    sent_at = Column(UTCDateTime, nullable=True)
    error = Column(String(300), nullable=True)
    again = Column(Integer, nullable=False, default=0)  # how often the provider took it, failed afterwards, and it was put back
    as_template = Column(Boolean, nullable=False, default=False)  # the provider takes nothing else for this person at present


class ChannelContact(Base):
    """A person as a channel knows them, where the channel names its senders by addresses: the conversation has a name of its own.

    `sender_id` tells nothing of the person, and stays when their number or user id changes.
    """

    __tablename__ = "channel_contact"

    sender_id = Column(String(128), primary_key=True)
    channel = Column(String(32), nullable=False)
    user_id = Column(String(160), nullable=True)  # the channel's own name of the person: where to send to
    phone = Column(String(20), nullable=True)  # E.164, proven by the channel: where to send to if there is no user id
    name = Column(String(120), nullable=False, default="")  # as the person writes it there
    username = Column(String(64), nullable=False, default="")
    last_inbound_at = Column(UTCDateTime, nullable=True)  # opens the service window
    invited_at = Column(UTCDateTime, nullable=True)  # told by a template, after the window, that there is something to read
    unreachable = Column(String(300), nullable=True)  # why nothing arrives there; null: it does, as far as is known
    created_at = Column(UTCDateTime, nullable=False)


class ChannelAddress(Base):
    """An address by which a channel names a person, an old one too. kind: user_id | phone (E.164)."""

    __tablename__ = "channel_address"
    __table_args__ = (UniqueConstraint("channel", "kind", "value"),)

    id = Column(Integer, primary_key=True)
    channel = Column(String(32), nullable=False)
    kind = Column(String(8), nullable=False)
    value = Column(String(160), nullable=False)
    sender_id = Column(String(128), nullable=False, index=True)
    since = Column(UTCDateTime, nullable=False)


class ReceivedFile(Base):
    """A picture, document or recording that came with a message, and how far its download is. State: waiting, stored, failed."""

    __tablename__ = "received_file"
    __table_args__ = (UniqueConstraint("channel", "provider_id"),)

    id = Column(Integer, primary_key=True)
    channel = Column(String(32), nullable=False)
    provider_id = Column(String(128), nullable=False)  # the channel's name of the file
    sender_id = Column(String(128), nullable=False, index=True)
    message_id = Column(String(128), nullable=False)  # the channel's name of the message
    kind = Column(String(16), nullable=False)  # image | document | audio | voice | video | sticker
    mime_type = Column(String(100), nullable=False, default="")  # as the channel says; once stored, as its bytes say
    file_name = Column(String(200), nullable=False, default="")
    promised_hash = Column(String(64), nullable=True)  # SHA-256 in hexadecimal digits, as the channel says
    state = Column(String(8), nullable=False, default="waiting")
    sha256 = Column(String(64), nullable=True, index=True)  # of what is stored, below TENDERO_HOME/received
    size = Column(Integer, nullable=True)  # bytes
    tries = Column(Integer, nullable=False, default=0)
    next_try_at = Column(UTCDateTime, nullable=True)
    error = Column(String(300), nullable=True)
    received_at = Column(UTCDateTime, nullable=False)


class UploadedFile(Base):
    """A file of ours that a channel's provider keeps: it need not be uploaded again before it expires."""

    __tablename__ = "uploaded_file"
    __table_args__ = (UniqueConstraint("channel", "account", "sha256"),)

    id = Column(Integer, primary_key=True)
    channel = Column(String(32), nullable=False)
    account = Column(String(64), nullable=False)  # whose it is there: a phone number's id
    sha256 = Column(String(64), nullable=False)
    provider_id = Column(String(128), nullable=False)
    expires_at = Column(UTCDateTime, nullable=False)


class ActionCall(Base):
    """A call of an action within a turn and its answer, stored with what the action did: it is done once.

    State: done; abandoned (the shopper was told that it could not be done: what it did later is rolled back).
    """

    __tablename__ = "action_call"

    key = Column(String(160), primary_key=True)  # turn / action / how manieth call of it in the turn
    sender_id = Column(String(128), nullable=False, index=True)
    state = Column(String(10), nullable=False)
    answer = Column(Text, nullable=True)  # JSON
    at = Column(UTCDateTime, nullable=False, index=True)


class TrackerState(Base):
    """How to make a conversation's tracker without reading all of its events: `prefix`, then the events from `tail_from` on."""

    __tablename__ = "tracker_state"

    sender_id = Column(String(255), primary_key=True)
    version = Column(Integer, nullable=False)  # rises with each saved turn
    prefix = Column(Text, nullable=False, default="[]")  # JSON: slots and active form at the beginning of the tail
    tail_from = Column(Integer, nullable=False)  # id in Rasa's table `events`


class Timer(Base):
    """Something that has to happen in a conversation at a time. State: waiting, fired, cancelled."""

    __tablename__ = "timer"
    __table_args__ = (Index("ix_timer_due", "due_at", sqlite_where=text(DUE_TIMER), postgresql_where=text(DUE_TIMER)),)

    id = Column(Integer, primary_key=True)
    key = Column(String(160), nullable=False, unique=True)  # the same cause twice sets one timer
    sender_id = Column(String(128), nullable=False, index=True)
    channel = Column(String(32), nullable=False)
    kind = Column(String(24), nullable=False)  # callback | idle | reminder
    details = Column(JSON, nullable=False, default=dict)
    due_at = Column(UTCDateTime, nullable=False)
    state = Column(String(10), nullable=False, default="waiting")


class ReviewedMessage(Base):
    """What a designer has decided on a message that was not understood: it is not shown again. No word of it is kept."""

    __tablename__ = "reviewed_message"

    id = Column(String(12), primary_key=True)  # a hash of the message with stand-ins for personal data
    place = Column(String(96), nullable=True)  # the intent or FAQ entry whose example it became; null: it was skipped
    at = Column(UTCDateTime, nullable=False)


class WebVisitor(Base):
    """Who writes in the web chat: a browser keeps a token that names this row and a generation of it."""

    __tablename__ = "web_visitor"

    sender_id = Column(String(128), primary_key=True)  # "web-" and a random name
    origin = Column(String(200), nullable=False, default="")  # of the page: a token is good there only
    generation = Column(Integer, nullable=False, default=1)  # of the newest token
    rotated_at = Column(UTCDateTime, nullable=False)
    confirmed_at = Column(UTCDateTime, nullable=True)  # when the newest was first shown to us: the one before ends soon after
    customer = Column(String(64), nullable=True)  # the shop's own sign-in said so: a customer's number
    customer_until = Column(UTCDateTime, nullable=True)
    language = Column(String(5), nullable=False, default="")
    read_seq = Column(Integer, nullable=False, default=0)  # what the shop has read of the shopper's
    created_at = Column(UTCDateTime, nullable=False)
    seen_at = Column(UTCDateTime, nullable=False)
    revoked_at = Column(UTCDateTime, nullable=True)


class ChatEntry(Base):
    """A line of a web conversation, as its pages show it. `seq` rises by one within the conversation."""

    __tablename__ = "chat_entry"
    __table_args__ = (UniqueConstraint("sender_id", "seq"), UniqueConstraint("sender_id", "name"))

    id = Column(Integer, primary_key=True)
    sender_id = Column(String(128), nullable=False)
    seq = Column(Integer, nullable=False)
    by = Column(String(12), nullable=False)  # shopper | assistant | agent | shop
    name = Column(String(140), nullable=False)  # what it came of: the page's id of the message, the outbox's key of the reply
    content = Column(JSON, nullable=False)  # of a reply: as Rasa's output channels get it; else text, files, chose, place, event
    at = Column(UTCDateTime, nullable=False)


class UsedSignIn(Base):
    """A sign-in of the shop's that was shown: it is good for one visitor only. Rows may go when they have expired."""

    __tablename__ = "used_sign_in"

    name = Column(String(64), primary_key=True)  # hash of its id
    sender_id = Column(String(128), nullable=False)
    expires_at = Column(UTCDateTime, nullable=False, index=True)


class ChannelLink(Base):
    """Two conversations of one person on two channels: begun in one with a code that was shown in the other."""

    __tablename__ = "channel_link"

    id = Column(Integer, primary_key=True)
    code_hash = Column(String(64), nullable=False, unique=True)
    from_sender_id = Column(String(128), nullable=False, index=True)
    to_sender_id = Column(String(128), nullable=True, index=True)
    created_at = Column(UTCDateTime, nullable=False)
    expires_at = Column(UTCDateTime, nullable=False)
    used_at = Column(UTCDateTime, nullable=True)
    ended_at = Column(UTCDateTime, nullable=True)


class TaskAtHand(Base):
    """The form that a conversation is in, and what it knows: so that another channel of the same person can go on with it."""

    __tablename__ = "task_at_hand"

    sender_id = Column(String(128), primary_key=True)
    form = Column(String(64), nullable=False)
    slots = Column(JSON, nullable=False, default=dict)
    at = Column(UTCDateTime, nullable=False)
