"""Templates that agents may send when a shopper has not written for 24 hours: data/templates/whatsapp.yml has them.

The one that asks to write, and those whose key begins with `agent_`, if all that fills them in is known.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot.channels.whatsapp.templates import ANY_OTHER, TemplateError, file_of_templates, templates
from desk import canned
from desk.permissions import Me
from messaging.channel_contacts import PREFIXES
from messaging.models import Handoff

FOR_AGENTS = "agent_"

Json = dict[str, Any]


def contents(session: Session, handoff: Handoff, me: Me, now: datetime) -> dict[str, Json]:
    """What may be sent, by the template's key, as replies have it; none where the channel needs none."""
    if handoff.channel not in PREFIXES:
        return {}
    known, values = templates(file_of_templates()), canned.values_for(session, handoff, me, now)
    found = {}
    for key in (ANY_OTHER, *(each for each in known.by_key if each.startswith(FOR_AGENTS))):
        try:
            found[key] = known.content_of(key, handoff.language, values)
        except TemplateError:
            continue  # there is none in this language, or it says what is not known
    return found


def offered(session: Session, handoff: Handoff, me: Me, now: datetime) -> list[Json]:
    """As the protocol has them."""
    return [{"name": key, "text": content["text"]} for key, content in contents(session, handoff, me, now).items()]
