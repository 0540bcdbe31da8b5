"""The desk's rules as designers write them, and what they are told where something is wrong."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from desk.rules import RulesError, kept_rules, load_rules, title
from tendero.environment import PROJECT

SHIPPED = PROJECT / "data" / "policies" / "desk.yml"


@pytest.fixture
def told(tmp_path: Path) -> Any:
    """Writes the shipped rules with changes, and says what is wrong with them."""

    def wrong(**changes: Any) -> str:
        content = YAML(typ="safe", pure=True).load(SHIPPED.read_text(encoding="utf-8"))
        content["desk"].update(changes)
        file = tmp_path / "desk.yml"
        YAML(typ="safe", pure=True).dump(content, file)
        with pytest.raises(RulesError) as error:
            load_rules(file)
        return str(error.value)

    return wrong


def test_shipped_rules_can_be_read() -> None:
    rules = load_rules(SHIPPED)
    assert (rules.limits.capacity, rules.limits.absent, rules.limits.silent_minutes) == (4, timedelta(seconds=120), 15)
    assert [queue.name for queue in rules.queues] == ["returns", "orders", "general"]
    assert kept_rules() == rules


@pytest.mark.parametrize(
    ("facts", "queue", "priority"),
    [
        ({"topics": "request_return", "tiers": "guest", "reasons": "asked"}, "returns", 0),
        ({"topics": "track_order", "tiers": "gold", "reasons": "asked"}, "orders", 10),
        ({"topics": None, "tiers": "gold", "reasons": "anger"}, "general", 20),
    ],
)
def test_first_queue_that_fits_takes_it_and_tier_and_reason_say_how_urgent(
    facts: dict[str, str | None], queue: str, priority: int
) -> None:
    found, urgency = load_rules(SHIPPED).place(facts)
    assert (found.name, urgency) == (queue, priority)


def test_every_condition_of_a_queue_has_to_hold(tmp_path: Path) -> None:
    file = tmp_path / "desk.yml"
    queue = "- {name: vip, languages: [es], tiers: [gold], priority: 3}"
    text = SHIPPED.read_text(encoding="utf-8").replace("    - name: returns\n", f"    {queue}\n    - name: returns\n")
    file.write_text(text, encoding="utf-8")
    rules = load_rules(file)
    assert rules.place({"languages": "es", "tiers": "gold"})[0].name == "vip"
    assert rules.place({"languages": "es", "tiers": "gold"})[1] == 13
    assert rules.place({"languages": "en", "tiers": "gold"})[0].name == "general"
    assert rules.place({"languages": "es", "tiers": "silver"})[0].name == "general"


def test_queue_that_is_gone_is_the_one_that_takes_all() -> None:
    assert load_rules(SHIPPED).queue("sold").name == "general"
    assert load_rules(SHIPPED).queue(None).name == "general"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"queues": []}, "desk.yml: queues: must be a list of queues"),
        ({"queues": [{"name": "vip", "tiers": ["gold"]}]}, "desk.yml: vip: is the last queue"),
        ({"queues": [{"name": "all"}, {"name": "rest"}]}, "desk.yml: all: takes everything"),
        ({"queues": [{"name": "a", "tiers": ["gold"]}, {"name": "a"}]}, "desk.yml: queues: a is there more than once"),
        ({"queues": [{"name": "A b"}]}, "'A b' must be small letters"),
        ({"queues": [{"name": "a", "tier": "gold"}]}, "desk.yml: queue 1: has tier; it may have"),
        ({"queues": [{"name": "a", "topics": "x"}, {"name": "b"}]}, "desk.yml: a, topics: must be a list of names"),
        ({"queues": [{"name": "a", "reasons": ["bored"]}, {"name": "b"}]}, "bored: reasons are anger, asked"),
        ({"queues": [{"name": "a", "first_reply": 0}]}, "desk.yml: a, first_reply: 0 must be a whole number from 1"),
        ({"limits": {"capacity": 4}}, "desk.yml: limits: needs absent_seconds, most_snooze_hours, silent_minutes"),
        ({"priority": {"tiers": {"gold": "high"}}}, "desk.yml: priority, tiers, gold: 'high' must be a whole number"),
        ({"priority": {"reasons": {"bored": 1}}}, "desk.yml: priority, reasons: has bored"),
        ({"warn_at_percent": 100}, "desk.yml: warn_at_percent: 100 must be a whole number from 1 to 99"),
        ({"reasons": []}, "desk.yml: reasons: needs one name or more"),
        (
            {"kept_days": {"handoffs": 29, "audit": 30, "sessions": 1, "sign_in_tries": 1}},
            "handoffs: 29 must be a whole number from 30",
        ),
        ({"kept_days": {"handoffs": 365}}, "desk.yml: kept_days: needs audit, sessions, sign_in_tries"),
        ({"colour": "red"}, "desk.yml: desk: has colour; it may have"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(told: Any, changes: dict[str, Any], words: str) -> None:
    assert words in told(**changes)


def test_file_that_is_no_yaml_is_told(tmp_path: Path) -> None:
    (tmp_path / "desk.yml").write_text("desk: [1\n")
    with pytest.raises(RulesError, match=r"desk\.yml is not YAML"):
        load_rules(tmp_path / "desk.yml")


def test_names_have_titles_in_the_agents_language() -> None:
    assert title("queue", "returns", "es") == "Devoluciones"
    assert title("reason", "answered", "nb") == "Spørsmål besvart"
    assert title("topic", "refund", "pt") == "Reembolso"
