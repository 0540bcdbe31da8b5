"""The desk's rules, as designers write them in `data/policies/desk.yml`: queues, limits, service levels, words for settling.

RulesError    the file does not make rules; the message names the file and the entry
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from messaging.calendar import Calendar, kept_calendar
from messaging.handoffs import REASONS
from messaging.kept import kept
from messaging.labels import data_folder, label

FILE = "desk.yml"
MOST_DAYS = 36_500
LONGEST_NAME = 40  # of a queue, a reason or a topic: what the database keeps
CONDITIONS = ("languages", "topics", "reasons", "tiers")

Level = Literal["first_reply", "next_reply", "resolution"]
LEVELS: tuple[Level, ...] = ("first_reply", "next_reply", "resolution")

_QUEUE_KEYS = {"name", "priority", "calendar", *CONDITIONS, *LEVELS}
_LIMITS = ("capacity", "absent_seconds", "silent_minutes", "most_snooze_hours")
_WAITING = ("slack_minutes", "every_minutes", "recent_hours", "fewest_taken")
_KEPT_AT_LEAST = {
    "handoffs": 30,
    "audit": 30,
    "sessions": 1,
    "sign_in_tries": 1,
}  # days; messages, which name handoffs, stay for 30
_KEYS = {"limits", "queues", "priority", "warn_at_percent", "waiting", "kept_days", "reasons", "topics"}


class RulesError(Exception):
    """The file does not make rules."""


@dataclass(frozen=True)
class Limits:
    """capacity: of an agent who has none of their own. silent_minutes: of opening hours."""

    capacity: int
    absent: timedelta
    silent_minutes: int
    most_snooze: timedelta


@dataclass(frozen=True)
class Queue:
    """Conditions that are empty hold for everybody. levels: business minutes; a level that is left out is not promised."""

    name: str
    priority: int
    calendar: str
    conditions: Mapping[str, frozenset[str]]
    levels: Mapping[Level, int]

    @property
    def takes_all(self) -> bool:
        return not any(self.conditions.values())

    def fits(self, facts: Mapping[str, str | None]) -> bool:
        """facts: by the names of the conditions (`CONDITIONS`)."""
        return all(facts.get(name) in allowed for name, allowed in self.conditions.items() if allowed)


@dataclass(frozen=True)
class Waiting:
    """When a shopper is told of the wait again, and what the estimate is made of."""

    slack: timedelta
    every: timedelta
    recent: timedelta
    fewest_taken: int


@dataclass(frozen=True)
class Kept:
    """For how long what is over is kept. handoffs: since they ended. sessions: since they ended."""

    handoffs: timedelta
    audit: timedelta
    sessions: timedelta
    sign_in_tries: timedelta


@dataclass(frozen=True)
class DeskRules:
    """warn_share: of the time until a level is broken. reasons, topics: the names from which a settled matter has one each."""

    limits: Limits
    queues: tuple[Queue, ...]
    tier_priority: Mapping[str, int]
    reason_priority: Mapping[str, int]
    warn_share: float
    waiting: Waiting
    kept: Kept
    reasons: tuple[str, ...]
    topics: tuple[str, ...]

    def queue(self, name: str | None) -> Queue:
        """The queue of this name; one that is gone, or was never chosen, is the last one, which takes all."""
        return next((queue for queue in self.queues if queue.name == name), self.queues[-1])

    def has_queue(self, name: str | None) -> bool:
        return any(queue.name == name for queue in self.queues)

    def still_there(self, queues: Sequence[str]) -> tuple[str, ...]:
        """In which of these an agent works who is limited to them; none: in all, as one whose queues are all gone does.

        Else nobody would answer what came to those queues, and now comes to others, until somebody notices.
        """
        return tuple(name for name in queues if self.has_queue(name))

    def place(self, facts: Mapping[str, str | None]) -> tuple[Queue, int]:
        """The queue that takes this conversation, and its priority there. facts: by the names of the conditions."""
        queue = next(queue for queue in self.queues if queue.fits(facts))
        more = self.tier_priority.get(facts.get("tiers") or "", 0) + self.reason_priority.get(facts.get("reasons") or "", 0)
        return queue, queue.priority + more


def title(kind: Literal["queue", "reason", "topic"], name: str, language: str) -> str:
    """What people read for the name of a queue, or of a reason or topic for settling."""
    return label(f"desk_{kind}_{name}", language)


def calendar_of(queue: Queue) -> Calendar:
    """The opening hours that hold for this queue."""
    return kept_calendar(data_folder() / "policies" / "support.yml", queue.calendar)


@kept
def kept_rules() -> DeskRules:
    """Read once, until all that is kept is read again. Raises RulesError."""
    return rules_as_written()


def rules_as_written() -> DeskRules:
    """Read at this moment, for what is done seldom. Raises RulesError."""
    return load_rules(data_folder() / "policies" / FILE)


def load_rules(file: Path) -> DeskRules:
    """Raises RulesError."""
    try:
        content = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    except YAMLError as error:
        raise RulesError(f"{file.name} is not YAML: {error}") from error
    if not isinstance(content, dict) or set(content) != {"desk"}:
        raise RulesError(f"{file.name} needs the key desk, and nothing beside it")
    return _Reader(file.name).rules(content["desk"])


def names_used(rules: DeskRules) -> Iterator[tuple[str, str]]:
    """(kind, name) of everything that people read a title of."""
    yield from (("queue", queue.name) for queue in rules.queues)
    yield from (("reason", name) for name in rules.reasons)
    yield from (("topic", name) for name in rules.topics)


@dataclass(frozen=True)
class _Reader:
    place: str

    def rules(self, raw: object) -> DeskRules:
        told = self._mapping("desk", raw, _KEYS, required=_KEYS - {"priority"})
        limits = self._whole_numbers("limits", told["limits"], _LIMITS)
        waiting = self._whole_numbers("waiting", told["waiting"], _WAITING)
        priority = self._mapping("priority", told.get("priority") or {}, {"tiers", "reasons"})
        return DeskRules(
            limits=Limits(
                capacity=limits["capacity"],
                absent=timedelta(seconds=limits["absent_seconds"]),
                silent_minutes=limits["silent_minutes"],
                most_snooze=timedelta(hours=limits["most_snooze_hours"]),
            ),
            queues=self._queues(told["queues"]),
            tier_priority=self._priorities("priority, tiers", priority.get("tiers")),
            reason_priority=self._priorities("priority, reasons", priority.get("reasons"), REASONS),
            warn_share=self._whole("warn_at_percent", told["warn_at_percent"], 1, 99) / 100,
            waiting=Waiting(
                slack=timedelta(minutes=waiting["slack_minutes"]),
                every=timedelta(minutes=waiting["every_minutes"]),
                recent=timedelta(hours=waiting["recent_hours"]),
                fewest_taken=waiting["fewest_taken"],
            ),
            kept=self._kept(told["kept_days"]),
            reasons=self._names("reasons", told["reasons"]),
            topics=self._names("topics", told["topics"]),
        )

    def _kept(self, raw: object) -> Kept:
        told = self._mapping("kept_days", raw, set(_KEPT_AT_LEAST), required=set(_KEPT_AT_LEAST))
        return Kept(
            **{
                name: timedelta(days=self._whole(f"kept_days, {name}", told[name], least, MOST_DAYS))
                for name, least in _KEPT_AT_LEAST.items()
            }
        )

    def _queues(self, raw: object) -> tuple[Queue, ...]:
        if not isinstance(raw, list) or not raw:
            raise self._wrong("queues", "must be a list of queues, the last one without conditions")
        queues = tuple(self._queue(number, each) for number, each in enumerate(raw, 1))
        names = [queue.name for queue in queues]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise self._wrong("queues", f"{', '.join(twice)} is there more than once")
        if not queues[-1].takes_all:
            raise self._wrong(queues[-1].name, "is the last queue, which takes what is left: it must have no conditions")
        if early := [queue.name for queue in queues[:-1] if queue.takes_all]:
            raise self._wrong(early[0], "takes everything, so that no queue after it gets anything: give it conditions")
        return queues

    def _queue(self, number: int, raw: object) -> Queue:
        told = self._mapping(f"queue {number}", raw, _QUEUE_KEYS, required={"name"})
        name = self._names(f"queue {number}", [told["name"]])[0]
        conditions = {each: frozenset(self._texts(f"{name}, {each}", told.get(each, ()))) for each in CONDITIONS}
        if strange := sorted(conditions["reasons"] - REASONS):
            raise self._wrong(f"{name}, reasons", f"{', '.join(strange)}: reasons are {', '.join(sorted(REASONS))}")
        return Queue(
            name=name,
            priority=self._whole(f"{name}, priority", told.get("priority", 0)),
            calendar=str(told.get("calendar", "support")),
            conditions=conditions,
            levels={level: self._whole(f"{name}, {level}", told[level], 1) for level in LEVELS if level in told},
        )

    def _priorities(self, entry: str, raw: object, known: frozenset[str] | None = None) -> dict[str, int]:
        told = self._mapping(entry, raw or {}, known)
        return {str(name): self._whole(f"{entry}, {name}", number) for name, number in told.items()}

    def _whole_numbers(self, entry: str, raw: object, names: Sequence[str]) -> dict[str, int]:
        told = self._mapping(entry, raw, set(names), required=set(names))
        return {name: self._whole(f"{entry}, {name}", told[name], 1) for name in names}

    def _whole(self, entry: str, raw: object, least: int = 0, most: int = 1_000_000) -> int:
        if not isinstance(raw, int) or isinstance(raw, bool) or not least <= raw <= most:
            raise self._wrong(entry, f"{raw!r} must be a whole number from {least} to {most}")
        return raw

    def _names(self, entry: str, raw: object) -> tuple[str, ...]:
        names = self._texts(entry, raw)
        for name in names:
            if not name.isidentifier() or name != name.lower() or len(name) > LONGEST_NAME:
                raise self._wrong(entry, f"{name!r} must be small letters, digits and _, at most {LONGEST_NAME} of them")
        if not names or len(set(names)) < len(names):
            raise self._wrong(entry, "needs one name or more, each of them once")
        return names

    def _texts(self, entry: str, raw: object) -> tuple[str, ...]:
        if isinstance(raw, str) or not isinstance(raw, Sequence) or not all(isinstance(each, str) for each in raw):
            raise self._wrong(entry, "must be a list of names like [gold, silver]")
        return tuple(raw)

    def _mapping(
        self, entry: str, raw: object, known: frozenset[str] | set[str] | None, required: set[str] | frozenset[str] = frozenset()
    ) -> Mapping[str, Any]:
        if not isinstance(raw, dict):
            raise self._wrong(entry, "must be keys with values")
        if known is not None and (strange := sorted(map(str, set(raw) - known))):
            raise self._wrong(entry, f"has {', '.join(strange)}; it may have {', '.join(sorted(known))}")
        if missing := sorted(required - set(raw)):
            raise self._wrong(entry, f"needs {', '.join(missing)}")
        return raw

    def _wrong(self, entry: str, text: str) -> RulesError:
        return RulesError(f"{self.place}: {entry}: {text}")
