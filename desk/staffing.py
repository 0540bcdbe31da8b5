"""Whether whoever asks for a person can get one: the limits of those who answer, against the queues and languages that there are.

Queues are renamed and go away in a file, languages in folders; people are limited to them by rows that nobody looks at then.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from desk import accounts
from desk.models import Agent
from desk.rules import DeskRules, kept_rules
from messaging.labels import languages

logger = logging.getLogger(__name__)


class StaffingCheck:
    """Says what is wrong in the log: once at the start, and once more whenever the rules are read anew."""

    def __init__(self) -> None:
        self._rules: DeskRules | None = None

    def tell(self, session: Session, _now: datetime) -> int:
        """A step of the rounds; it changes nothing."""
        rules = kept_rules()
        if rules is not self._rules:
            for line in in_words(session):
                logger.warning("desk: %s", line)
            self._rules = rules
        return 0


def in_words(session: Session) -> Iterator[str]:
    """A line for each person whose limits are gone, and for each queue that nobody works in; for those who run the shop."""
    agents = accounts.working(session)
    for agent in agents:
        yield from _limits_in_words(agent)
    for queue, unspoken in unserved(agents):
        yield f"nobody works in the queue {queue} in {', '.join(unspoken)}: what comes there waits until a supervisor takes it"


def unserved(agents: Sequence[Agent]) -> Iterator[tuple[str, list[str]]]:
    """(queue, languages) for which there is none of these agents; nothing where there are no agents: others answer then."""
    rules = kept_rules()
    for queue in rules.queues if agents else ():
        spoken = queue.conditions.get("languages") or languages()
        unspoken = [
            language for language in sorted(spoken) if not any(_serves(each, queue.name, language, rules) for each in agents)
        ]
        if unspoken:
            yield queue.name, unspoken


def _serves(agent: Agent, queue: str, language: str, rules: DeskRules) -> bool:
    works_in = rules.still_there(agent.queues)
    return (not works_in or queue in works_in) and (not agent.languages or language in agent.languages)


def _limits_in_words(agent: Agent) -> Iterator[str]:
    gone, there_are = accounts.gone(agent), accounts.limits_there_are()
    then = {
        "queues": "they work in all queues until somebody changes it",
        "languages": "nothing comes to them until somebody changes it",
    }
    for field, names in gone.items():
        if names:
            is_all = len(names) == len(getattr(agent, field))
            consequence = f"; {then[field]}" if is_all else ""
            limited = f"{agent.name} is limited to {field} that there are not: {', '.join(names)}"
            yield f"{limited}{consequence} ({', '.join(there_are[field])})"
