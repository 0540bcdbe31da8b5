"""Every write by a shopper, or by a person of ours for one, twice over: proposed (a summary of exactly what will happen), then
confirmed (done once).

An operation says what it would do (`assess`) and does it (`perform`). Confirming assesses again: if the facts are no
longer those of the summary, nothing is done and `Stale` is returned. The effect ledger's unique key makes a repeated
confirmation return the first one's result and change nothing. What an agent has proposed, nobody else confirms; taking
an effect back is an effect of its own, and happens once.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from commerce.models import Effect, Proposal

PROPOSAL_LIFETIME = timedelta(minutes=30)

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Refusal:
    """Why not, as an ordinary value. `rule` is the policy rule's id; `reason` and `nearest` are keys of words.

    `values` fill the words; `would_change` has each single fact with which it would be allowed. The rule `incomplete` is
    no policy's: something is still to be asked, `reason` says what, `values` may have the choices."""

    rule: str
    reason: str
    verdict: str = "deny"  # deny | needs_human
    nearest: str | None = None
    values: Values = field(default_factory=dict)
    would_change: tuple[Values, ...] = ()


@dataclass(frozen=True)
class Assessment:
    """What would happen now. `summary` is JSON: what the shopper is shown; `facts` is JSON: what it was made from."""

    summary: Values
    facts: Values


@dataclass(frozen=True)
class Offer:
    proposal_id: str
    kind: str
    summary: Values


@dataclass(frozen=True)
class Done:
    """What was done. `repeated`: it had been done before by the same proposal, nothing happened now."""

    proposal_id: str
    kind: str
    result: Values
    repeated: bool = False
    effect_id: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Stale:
    """Nothing was done: the summary is old. Reason: expired, withdrawn, facts_changed or unknown.

    `offer` is the new summary to confirm, where the thing is still possible."""

    reason: str
    offer: Offer | None = None
    refusal: Refusal | None = None


class Operation(Protocol):
    """One kind of write. `kind` names it in the ledger: cancel_order, authorize_return, redeem_points ..."""

    kind: str

    def assess(self, session: Session, customer_id: Any, parameters: Values, now: datetime) -> Assessment | Refusal: ...

    def perform(
        self,
        session: Session,
        customer_id: Any,
        parameters: Values,
        assessment: Assessment,
        proposal_id: str,
        now: datetime,
    ) -> Values: ...


def propose(
    session: Session,
    operation: Operation,
    customer_id: int | None,
    conversation: str,
    parameters: Values,
    now: datetime,
    agent: str | None = None,
) -> Offer | Refusal:
    """Assess and keep the summary. An older open proposal of this conversation and kind, by the same, is withdrawn.

    agent: the person of ours who proposes it; None: the shopper. customer_id: None for what concerns no customer's things.
    """
    outcome = operation.assess(session, customer_id, parameters, now)
    if isinstance(outcome, Refusal):
        return outcome
    withdraw(session, conversation, now, kind=operation.kind, agent=agent)
    proposal = Proposal(
        id=str(uuid.uuid4()),
        kind=operation.kind,
        customer_id=customer_id,
        conversation=conversation,
        parameters=_as_stored(parameters),
        facts_digest=digest(outcome),
        summary=_as_stored(outcome.summary),
        created_at=now,
        expires_at=now + PROPOSAL_LIFETIME,
        agent=agent,
    )
    session.add(proposal)
    session.flush()
    return Offer(proposal.id, operation.kind, proposal.summary)


def confirm(
    session: Session,
    operation: Operation,
    proposal_id: str,
    customer_id: int | None,
    conversation: str,
    now: datetime,
    agent: str | None = None,
    undoes: int | None = None,
) -> Done | Stale:
    """Do what was proposed, once, if it is this customer's and this agent's, still open and its facts are unchanged.

    undoes: the effect that is taken back. Whoever calls has seen that nobody did so before; the database sees to it again.
    """
    proposal = _locked(session, proposal_id)
    if proposal is None or _is_foreign(proposal, operation, customer_id, conversation, agent):
        return Stale("unknown")
    if proposal.effect is not None:
        done = proposal.effect
        return Done(proposal.id, proposal.kind, done.result, repeated=True, effect_id=done.id)
    if proposal.withdrawn_at is not None:
        return Stale("withdrawn")
    reason = "expired" if now >= proposal.expires_at else "facts_changed"
    outcome = operation.assess(session, customer_id, proposal.parameters, now)
    if reason == "facts_changed" and isinstance(outcome, Assessment) and digest(outcome) == proposal.facts_digest:
        return _perform(session, operation, proposal, outcome, now, undoes)
    return _renewed(session, operation, proposal, outcome, reason, now)


def withdraw(session: Session, conversation: str, now: datetime, kind: str | None = None, agent: str | None = None) -> None:
    """Close this conversation's open proposals, the shopper's or those of one agent: a later "yes" to them does nothing."""
    without_effect = ~select(Effect.id).where(Effect.proposal_id == Proposal.id).exists()
    whose = Proposal.agent == agent if agent is not None else Proposal.agent.is_(None)
    is_open = Proposal.withdrawn_at.is_(None)
    statement = update(Proposal).where(Proposal.conversation == conversation, whose, is_open, without_effect)
    if kind is not None:
        statement = statement.where(Proposal.kind == kind)
    # "fetch": proposals in memory learn of it, and what else the caller has loaded stays loaded.
    session.execute(statement.values(withdrawn_at=now).execution_options(synchronize_session="fetch"))


def digest(assessment: Assessment) -> str:
    """A hash of the facts and of the summary made from them."""
    canonical = json.dumps([assessment.facts, assessment.summary], sort_keys=True, default=_as_text)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _as_text(value: object) -> str:
    # Only what reads the same in every process: the text of a set, say, would not.
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"facts are JSON, dates and instants, not {type(value).__name__}")


def _as_stored(values: Values) -> dict[str, Any]:
    """What the JSON column will give back, so that the first answer and a repeated one are equal."""
    stored: dict[str, Any] = json.loads(json.dumps(dict(values)))
    return stored


def _locked(session: Session, proposal_id: str) -> Proposal | None:
    # The row lock (PostgreSQL; SQLite writes one at a time) makes two "yes" at once come one after the other.
    statement = select(Proposal).where(Proposal.id == proposal_id).with_for_update()
    statement = statement.execution_options(populate_existing=True)
    proposal: Proposal | None = session.execute(statement).scalar_one_or_none()
    return proposal


def _is_foreign(proposal: Proposal, operation: Operation, customer_id: int | None, conversation: str, agent: str | None) -> bool:
    whose = (proposal.kind, proposal.customer_id, proposal.conversation, proposal.agent)
    return whose != (operation.kind, customer_id, conversation, agent)


def _perform(
    session: Session, operation: Operation, proposal: Proposal, assessment: Assessment, now: datetime, undoes: int | None
) -> Done:
    done = operation.perform(session, proposal.customer_id, proposal.parameters, assessment, proposal.id, now)
    result = _as_stored(done)
    named = {"agent": proposal.agent, "undoes": undoes}
    effect = Effect(proposal_id=proposal.id, kind=proposal.kind, result=result, done_at=now, **named)
    session.add(effect)
    session.flush()
    return Done(proposal.id, proposal.kind, result, effect_id=effect.id)


def _renewed(
    session: Session,
    operation: Operation,
    proposal: Proposal,
    outcome: Assessment | Refusal,
    reason: str,
    now: datetime,
) -> Stale:
    proposal.withdrawn_at = now
    session.flush()
    if isinstance(outcome, Refusal):
        return Stale(reason, refusal=outcome)
    whose = (proposal.customer_id, proposal.conversation)
    renewed = propose(session, operation, *whose, proposal.parameters, now, agent=proposal.agent)
    return Stale(reason, offer=renewed if isinstance(renewed, Offer) else None)
