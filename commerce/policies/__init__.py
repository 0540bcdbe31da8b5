"""Policy is data: the shop's rules as decision tables in `data/policies/*.yml`.

    policies = load_policies(Path("data/policies"))
    decision = policies.decide("return_eligibility", {"tier": "gold", ...}, on=today)
    decision.verdict        # "allow", "deny" or "needs_human"
    decision.rule           # the id of the rule that decided
    decision.would_change   # the nearest single facts with which it would be allowed

The bot's words, the enforcement in commerce and `docs/policies.md` all come from the same tables.
`python -m commerce.policies` checks them.
"""

from commerce.policies.errors import (
    FactError,
    FactOutOfDomain,
    MissingFact,
    NotInForce,
    PolicyError,
    PolicyFileError,
    Problem,
    UnknownFact,
    UnknownTable,
)
from commerce.policies.figures import policy_facts
from commerce.policies.loading import load_policies, read_folder
from commerce.policies.markdown import to_markdown
from commerce.policies.tables import Change, Decision, Policies, Verdict

__all__ = [
    "Change",
    "Decision",
    "FactError",
    "FactOutOfDomain",
    "MissingFact",
    "NotInForce",
    "Policies",
    "PolicyError",
    "PolicyFileError",
    "Problem",
    "UnknownFact",
    "UnknownTable",
    "Verdict",
    "load_policies",
    "policy_facts",
    "read_folder",
    "to_markdown",
]
