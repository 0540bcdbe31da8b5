"""Acts about who the shopper is: asking for a proof, and joining two conversations of one customer."""

from __future__ import annotations

from typing import Any

from commerce.proposals import Operation
from desk.acts.act import Act, Undo, Values
from desk.acts.case import Case
from desk.acts.identity_operations import MESSENGER, WEB_CHAT, LinkIdentities, SendCode, Unlink, wanted_by
from desk.acts.parameters import Parameter
from desk.errors import bad_request
from desk.in_words import Json, title
from desk.requests import Fields
from messaging import channel_links, contacts, identities
from messaging.identities import Level
from messaging.shop import shop_country

PROVEN = "edit_account"  # of the table `identity`: what asks for a proof


class SendACode(Act):
    """The shopper writes the code in the conversation, where it is looked for: nobody of ours has to see or type it."""

    kind = "send_code"
    needs = None
    told = ("contact", "minutes", "outcome")
    titled = {"outcome": "code"}

    def parameters(self, case: Case) -> list[Parameter]:
        return [Parameter("contact", "text", is_required=_on_file(case) is None)]

    def why_not(self, case: Case) -> str | None:
        return "is_proven" if case.who.level is Level.proven else None

    def read(self, case: Case, fields: Fields) -> dict[str, Any]:
        said = fields.text_or_none("contact") if _on_file(case) else fields.text("contact")
        contact = _normalized(said) if said else _on_file(case)
        if contact is None:
            raise bad_request("contact")
        return wanted_by(case.session, contact)

    def operation(self, case: Case) -> Operation:
        return SendCode(case.handoff.sender_id, case.handoff.language)


class Link(Act):
    kind = "link_identities"
    needs = PROVEN
    told = ("channel",)
    undo_told = told

    def parameters(self, case: Case) -> list[Parameter]:
        return [Parameter("conversation", "choice", choices=_others(case))]

    def why_not(self, case: Case) -> str | None:
        return None if _others(case) else "nothing_to_link"

    def read(self, case: Case, fields: Fields) -> dict[str, Any]:
        return {"conversation": fields.text("conversation", 128)}

    def operation(self, case: Case) -> Operation:
        return LinkIdentities(case.handoff.sender_id, case.handoff.channel)

    def undo(self, case: Case, result: Values) -> Undo:
        return Undo(Unlink(case.handoff.sender_id), {"conversation": result["conversation"]})


def _on_file(case: Case) -> str | None:
    """The e-mail of whoever is known by the number that they write from: the code goes there, unless another contact is named."""
    customer = case.customer
    return customer.email if customer is not None else None


def _normalized(text: str) -> str | None:
    return contacts.normalize_email(text) or contacts.normalize_phone(text, shop_country())


def _others(case: Case) -> list[Json]:
    """Conversations on the other channel in which the same customer is proven now."""
    mine, linked = case.handoff.sender_id, channel_links.linked(case.session, case.handoff.sender_id)
    wanted = {WEB_CHAT: MESSENGER, MESSENGER: WEB_CHAT}.get(case.handoff.channel)
    proofs = identities.proofs_of(case.session, case.customer_id)
    hold = [each for each in proofs if each.expires_at is None or each.expires_at > case.now]
    others = [each for each in hold if each.channel == wanted and each.sender_id not in (mine, linked)]
    return [{"value": each.sender_id, "title": title("channel", each.channel, case.language)} for each in others]
