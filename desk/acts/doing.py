"""Acts from the page's side: which there are, proposed, confirmed, and taken back. Each of them is noted in the audit log.

What is not done is an ordinary value, a DeskError to raise once the transaction is committed: that it was tried is noted too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from commerce import proposals
from commerce.models import Effect, Proposal
from commerce.proposals import Done, Offer, Refusal, Stale
from desk import audit, canned
from desk.acts.act import Act
from desk.acts.case import Case, case_of
from desk.acts.identity_acts import Link, SendACode
from desk.acts.order_acts import AuthorizeReturn, CancelOrder, RefundException, WithdrawReturn
from desk.acts.points_act import AdjustPoints
from desk.acts.summaries import in_words
from desk.asked import Asked
from desk.errors import DeskError, not_found
from desk.in_words import Json, as_money, day, has_title, listed, money, title
from desk.permissions import Me
from desk.requests import Fields
from messaging import handoffs
from messaging.conversations import one_deed_at_a_time
from messaging.handoffs import happened
from messaging.handoffs.moving import lock_conversation
from messaging.models import Handoff

ACTS: Mapping[str, Act] = {
    act.kind: act
    for act in (CancelOrder(), AuthorizeReturn(), WithdrawReturn(), RefundException(), AdjustPoints(), Link(), SendACode())
}
ACTED, UNDID = "acted", "undid"  # kinds of events
ABOVE = ("supervisor", "store_owner")  # who may what somebody else may not
# What is not theirs is answered as what is not there.
NOT_THERE = frozenset({"order_not_found", "return_not_found", "line_not_found", "conversation_not_found"})


NOTED = ("currency", "rule", "exceptions", "exception", "points", "order_number", "rma_number")  # in the audit log


# Offered


def offered(session: Session, me: Me, handoff: Handoff, now: datetime, language: str = "en") -> list[Json]:
    """The part `acts` of docs/desk-protocol.md: what this shopper is known well enough for. language: of the agent."""
    case = case_of(session, me, handoff, now, language)
    return [_offered(case, act) for act in ACTS.values() if _is_known_enough(case, act)]


def _offered(case: Case, act: Act) -> Json:
    obstacle = _why_not_theirs(case.me, case.handoff) or act.why_not(case)
    told: Json = {"kind": act.kind, "title": title("act", act.kind, case.language), "is_allowed": obstacle is None}
    why = {"why_not": title("act_not", obstacle, case.language)} if obstacle is not None else {}
    asked = [each.shown(case.language) for each in act.parameters(case)]
    return {**told, **why, "parameters": asked, "limit": _limit(case, act)}


def _limit(case: Case, act: Act) -> Json | None:
    """Up to which amount they may make the exception that this is, or may be; None where it is none, or not for them."""
    customer = case.customer
    if act.exception is None or customer is None:
        return None
    decision = case.powers.decide(act.exception, 0, customer.currency, case.now.date())
    limit = decision.values.get("limit_minor") if decision.is_allowed else None
    return as_money(int(str(limit)), customer.currency) if limit is not None else None


def _is_known_enough(case: Case, act: Act) -> bool:
    return act.needs is None or case.is_known_for(act.needs)


def _why_not_theirs(me: Me, handoff: Handoff) -> str | None:
    """Only who has the conversation acts in it, and whoever may take it from them; and only while it is open."""
    if handoff.status not in handoffs.OPEN:
        return "is_closed"
    is_theirs = handoff.status == "assigned" and handoff.assignee == me.name
    return None if is_theirs or me.may("take_over") else "not_yours"


# Proposed, confirmed, taken back


def propose(session: Session, asked: Asked, kind: str, fields: Fields, language: str = "en") -> Json | DeskError:
    """{proposal, summary, warning?}. fields: the kind's parameters, as the page sent them. Raises DeskError: bad_request,
    not_found, not_yours, illegal."""
    case, act = _case(session, asked, language), _act(kind)
    if not _is_known_enough(case, act):
        return _refused(case, act, Refusal("prove_first", "prove_first", nearest="one_time_code"))
    parameters = act.read(case, fields)
    whose = (act.customer_id(case), case.handoff.sender_id)
    outcome = proposals.propose(session, act.operation(case), *whose, parameters, case.now, agent=case.me.name)
    if isinstance(outcome, Refusal):
        return _refused(case, act, outcome)
    _note(case, "proposed_act", act.kind, outcome.summary)
    return _shown_offer(case, act, outcome)


def confirm(session: Session, asked: Asked, kind: str, proposal: str, language: str = "en") -> Json | DeskError:
    """{done, undo}; the same again where it was done before. Raises as `propose`."""
    case, act = _case(session, asked, language), _act(kind)
    if not _is_known_enough(case, act):
        return _refused(case, act, Refusal("prove_first", "prove_first", nearest="one_time_code"))
    whose = (act.customer_id(case), case.handoff.sender_id)
    outcome = proposals.confirm(session, act.operation(case), proposal, *whose, case.now, agent=case.me.name)
    if isinstance(outcome, Stale):
        return _stale(case, act, outcome)
    if not outcome.repeated:
        act.after(case, outcome.result, outcome.proposal_id)
        _note(case, "did_act", act.kind, outcome.result, outcome.effect_id)
        happened.note(session, case.handoff, ACTED, case.now, case.me.name, act=act.kind, effect=outcome.effect_id)
    return _shown_done(case, act, outcome)


def undo(session: Session, asked: Asked, effect_id: int, language: str = "en") -> Json | DeskError:
    """{done}: what was done is taken back, once; the same again where it was before. Raises as `propose`."""
    case = _case(session, asked, language)
    effect = _effect(case, effect_id)
    act = ACTS[effect.kind]
    if (before := _undone(session, effect)) is not None:
        return _shown_undone(case, act, before.result, before.id)
    back = act.undo(case, effect.result)
    if back is None:
        return _refused(case, act, Refusal("no_way_back", "no_way_back"))
    whose = (effect.proposal.customer_id, case.handoff.sender_id)
    offer = proposals.propose(session, back.operation, *whose, back.parameters, case.now, agent=case.me.name)
    if isinstance(offer, Refusal):
        return _refused(case, act, offer)
    done = proposals.confirm(session, back.operation, offer.proposal_id, *whose, case.now, agent=case.me.name, undoes=effect.id)
    assert isinstance(done, Done)  # proposed in this transaction, under the same locks
    _note(case, "undid_act", act.kind, {**effect.result, **done.result}, effect.id)
    happened.note(session, case.handoff, UNDID, case.now, case.me.name, act=act.kind, effect=effect.id)
    return _shown_undone(case, act, done.result, done.effect_id)


def _act(kind: str) -> Act:
    if kind not in ACTS:
        raise not_found()
    return ACTS[kind]


def _case(session: Session, asked: Asked, language: str) -> Case:
    """With the conversation's row locked: nobody else takes it, and no two act in it at once; nor does the assistant meanwhile,
    whose actions have the shop's rows before they want the conversation's. Raises DeskError."""
    sender_id = asked.handoff(session).sender_id
    one_deed_at_a_time(session, sender_id)
    lock_conversation(session, sender_id)
    handoff = asked.handoff(session)
    obstacle = _why_not_theirs(asked.me, handoff)
    if obstacle is not None:
        raise DeskError(409, "illegal" if obstacle == "is_closed" else obstacle)
    return case_of(session, asked.me, handoff, asked.now, language)


def _effect(case: Case, effect_id: int) -> Effect:
    """What somebody of ours did in this conversation and can be taken back. Raises DeskError (not_found)."""
    named = select(Effect).join(Proposal, Effect.proposal_id == Proposal.id)
    ours = (Proposal.conversation == case.handoff.sender_id, Effect.agent.is_not(None), Effect.kind.in_(ACTS))
    locked = named.where(Effect.id == effect_id, *ours).with_for_update(of=Effect)
    effect: Effect | None = case.session.execute(locked).scalar_one_or_none()
    if effect is None:
        raise not_found()
    return effect


def _undone(session: Session, effect: Effect) -> Effect | None:
    found: Effect | None = session.execute(select(Effect).where(Effect.undoes == effect.id)).scalar_one_or_none()
    return found


# Told


def _shown_offer(case: Case, act: Act, offer: Offer) -> Json:
    told: Json = {"proposal": offer.proposal_id, "summary": _in_words(case, act, offer.summary)}
    exceptions = [title("exception", each, case.language) for each in offer.summary.get("exceptions") or ()]
    warning = title("act", "exception", case.language).format(exceptions=listed(exceptions, case.language))
    return {**told, "warning": warning} if exceptions else told


def _shown_done(case: Case, act: Act, done: Done) -> Json:
    result = _in_words(case, act, done.result)
    told: Json = {"kind": act.kind, "title": title("did", act.kind, case.language), "summary": result, "effect": done.effect_id}
    # The shopper is told by whoever did it, in words of their own or these.
    return {"done": {**told, "suggested": _suggested(case, act, done.result)}, "undo": _shown_undo(case, act, done)}


def _suggested(case: Case, act: Act, result: Mapping[str, Any]) -> Json | None:
    """The canned reply that fits, in the shopper's language, with what was done filled in."""
    key, language = act.says(result), case.handoff.language
    reply = next((each for each in canned.offered(language) if each.key == key), None)
    if reply is None:
        return None
    known = canned.values_for(case.session, case.handoff, case.me, case.now)
    return canned.shown(reply, {**known, **_values(result, language)})


def _values(result: Mapping[str, Any], language: str) -> dict[str, str]:
    """Of what was just done, by the variables of canned replies."""
    told = {name: str(result[name]) for name in ("order_number", "rma_number") if name in result}
    if "refund_minor" in result:
        told["refund_amount"] = money(int(result["refund_minor"]), str(result["currency"]), language)
    return {**told, "send_by": day(result["send_by"], language)} if "send_by" in result else told


def _shown_undo(case: Case, act: Act, done: Done) -> Json | None:
    """As a proposal: what taking it back would do now; None where it cannot be taken back (any more)."""
    effect = case.session.get(Effect, done.effect_id)
    back = act.undo(case, done.result)
    if back is None or _undone(case.session, effect) is not None:
        return None
    outcome = back.operation.assess(case.session, effect.proposal.customer_id, back.parameters, case.now)
    if isinstance(outcome, Refusal):
        return None
    summary = in_words(outcome.summary, act.undo_told, case.language)
    return {"effect": done.effect_id, "title": title("undo", act.kind, case.language), "summary": summary}


def _shown_undone(case: Case, act: Act, result: Mapping[str, Any], effect_id: int | None) -> Json:
    summary = in_words(result, act.undo_told, case.language)
    told: Json = {"kind": act.kind, "title": title("undid", act.kind, case.language), "summary": summary, "effect": effect_id}
    return {"done": told, "undo": None}


def _in_words(case: Case, act: Act, values: Mapping[str, Any]) -> list[Json]:
    return in_words(values, act.told, case.language, act.titled)


def _refused(case: Case, act: Act, refusal: Refusal) -> DeskError:
    """What the table says, the limit, and who may: noted, and told."""
    _note(case, "refused_act", act.kind, {**refusal.values, "rule": refusal.rule})
    if refusal.rule in NOT_THERE:
        return not_found()
    return DeskError(422, "refused", **_why(case, refusal))


def _why(case: Case, refusal: Refusal) -> Json:
    """{rule, title, values}: the rule in words, the amounts, and `nearest`, who may, where somebody else may."""
    named = refusal.reason if has_title("refused", refusal.reason) else refusal.rule
    told: Json = {"verdict": refusal.verdict}
    currency = refusal.values.get("currency")
    if currency is not None:
        amounts = {name: refusal.values.get(f"{name}_minor") for name in ("limit", "amount", "refundable")}
        told |= {name: as_money(int(str(minor)), str(currency)) for name, minor in amounts.items() if minor is not None}
    if "exception" in refusal.values:
        told["exception"] = title("exception", str(refusal.values["exception"]), case.language)
    if refusal.nearest in ABOVE:
        told |= {"nearest": refusal.nearest, "who_may": title("who_may", refusal.nearest, case.language)}
    return {"rule": refusal.rule, "title": title("refused", named, case.language), "values": told}


def _stale(case: Case, act: Act, stale: Stale) -> DeskError:
    """Nothing was done: the new summary to confirm, or why it is not possible any more."""
    _note(case, "stale_act", act.kind, {"rule": stale.refusal.rule} if stale.refusal is not None else {})
    told: Json = {"why": stale.reason}
    if stale.offer is not None:
        told |= _shown_offer(case, act, stale.offer)
    if stale.refusal is not None:
        told |= _why(case, stale.refusal)
    return DeskError(409, "stale", **told)


def _note(case: Case, action: str, kind: str, values: Mapping[str, Any], effect_id: int | None = None) -> None:
    """Numbers and names: the amount, the rule, what it was about; neither reasons in words nor goods."""
    amount = values.get("exception_minor", values.get("amount_minor", values.get("refund_minor")))
    facts = {"kind": kind, "amount_minor": amount, "effect": effect_id}
    facts |= {name: values.get(name) for name in NOTED}
    given = {name: value for name, value in facts.items() if value not in (None, [], ())}
    audit.note(case.session, case.me, action, handoff=case.handoff, customer_id=case.who.customer_id, details=given, now=case.now)
