"""The body of `POST /{version}/{phone_number_id}/messages`: what every send has, and which kind it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tendero.simulator.checks.fields import Fields, missing, wrong
from tendero.simulator.checks.interactive import check_interactive
from tendero.simulator.checks.media import KINDS as MEDIA_KINDS
from tendero.simulator.checks.media import check_media
from tendero.simulator.checks.plain import check_contacts, check_location, check_reaction, check_text
from tendero.simulator.checks.template import check_template
from tendero.simulator.errors import GraphError

OPAQUE = 512
USER_ID = r"[A-Z]{2}\.(ENT\.)?[0-9A-Za-z]{1,128}"
COMMON = (
    "messaging_product", "recipient_type", "to", "recipient", "type", "context", "biz_opaque_callback_data",
    "recipient_identity_key_hash", "message_activity_sharing", "ttl",
)  # fmt: skip
_CHECKS: Mapping[str, Callable[[Fields], None]] = {
    "text": check_text,
    "location": check_location,
    "reaction": check_reaction,
    "interactive": check_interactive,
    "template": check_template,
}
TYPES = (*_CHECKS, *MEDIA_KINDS, "contacts")


@dataclass(frozen=True)
class Send:
    """A message that is well formed. to: phone as it was written; recipient: a user id; one of them is there."""

    type: str
    to: str | None
    recipient: str | None
    body: Mapping[str, Any]

    @property
    def content(self) -> Any:
        return self.body[self.type]

    @property
    def opaque(self) -> str | None:
        return self.body.get("biz_opaque_callback_data")


def read(body: object) -> Send:
    """Raises GraphError where Meta would refuse it by itself."""
    message = Fields(body)
    _check_product(message)
    kind = message.choice("type", TYPES) if message.has("type") else "text"
    message.only(*COMMON, kind)
    if message.has("recipient_type"):
        message.choice("recipient_type", ("individual",))
    to, recipient = _addressee(message)
    message.maybe_text("biz_opaque_callback_data", OPAQUE)
    message.maybe_text("recipient_identity_key_hash")
    if context := message.maybe_object("context"):
        if kind == "reaction":
            raise wrong("A reaction cannot be a reply: context is not supported.")
        context.only("message_id")
        context.text("message_id")
    if kind == "contacts":
        check_contacts(message)
    elif kind in MEDIA_KINDS:
        check_media(message.object(kind), kind)
    else:
        _CHECKS[kind](message.object(kind))
    assert isinstance(body, dict)
    return Send(kind, to, recipient, body)


def read_mark(body: object) -> tuple[str, bool]:
    """Of `status: read`: the message's id, and whether "typing" is to be shown. Raises GraphError."""
    mark = Fields(body)
    _check_product(mark)
    mark.only("messaging_product", "status", "message_id", "typing_indicator")
    mark.choice("status", ("read",))
    typing = mark.maybe_object("typing_indicator")
    if typing is not None:
        typing.only("type")
        typing.choice("type", ("text",))
    return mark.text("message_id"), typing is not None


def _check_product(fields: Fields) -> None:
    if not fields.has("messaging_product"):
        raise GraphError(100, "The parameter messaging_product is required.")
    fields.choice("messaging_product", ("whatsapp",))


def _addressee(message: Fields) -> tuple[str | None, str | None]:
    """`to` wins where both are given."""
    if message.has("to"):
        to = message.text("to", 64)
        if not any(sign.isdigit() for sign in to) or not set(to) <= set("+0123456789 ()-./"):
            raise wrong("to is not a valid phone number.")
        return to, None
    if not message.has("recipient"):
        raise missing("to")
    return None, message.pattern("recipient", USER_ID, "is not a business-scoped user id")
