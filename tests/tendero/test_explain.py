"""`tendero explain`: what is understood of a message and why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.explain import Explanation
from tendero.commands.explain import advice
from tests.conversations.stage import ROOT, trained_model


def _run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tendero", "explain", *arguments]
    environment = {**os.environ, "TENDERO_HOME": str(home)}
    environment.pop("PYTHONWARNINGS", None)
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    done = _run(
        tmp_path_factory.mktemp("home"),
        "quiero devolver las botas del pedido 10234",
        *("--model", str(trained_model()), "--json", "--should", "request_exchange"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_is_understood_is_told_with_its_sources(told: dict[str, Any]) -> None:
    assert told["ranking"][0][0] == "request_return"
    assert told["language"][0] == "es"
    numbers = [each for each in told["entities"] if each["name"] == "order_number"]
    assert numbers == [{"name": "order_number", "value": "10234", "text": "10234", "source": "PatternEntityExtractor by shape"}]


def test_what_would_be_done_is_told_with_who_says_so(told: dict[str, Any]) -> None:
    assert (told["action"], told["policy"]) == ("return_request_form", "RulePolicy")


def test_what_the_faq_would_answer_is_told_with_what_comes_second(tmp_path: Path) -> None:
    done = _run(tmp_path, "is there somewhere to leave my car", "--model", str(trained_model()), "--json")
    first, second, *_ = json.loads(done.stdout)["faq"]
    assert (first["source"], first["is"]) == ("data/faq/en/stores.yml#store_parking", "answered")
    assert (second["is"], second["score"] < first["score"]) == ("left", True)


def test_nothing_of_the_faq_is_told_where_nobody_looks_into_it(told: dict[str, Any]) -> None:
    assert told["faq"] == []


def test_examples_that_are_like_it_are_told(told: dict[str, Any]) -> None:
    assert "request_return" in [each["intent"] for each in told["nearest"][:3]]
    assert told["nearest"][0]["likeness"] > 0.6


def test_words_that_tell_are_told(told: dict[str, Any]) -> None:
    assert any("devol" in gram or "dev" in gram for gram, weight in told["features"] if weight > 0)


def test_what_it_would_change_as_an_example_of_another_intent_is_told(told: dict[str, Any]) -> None:
    assert told["effect"]["probability"] > 0.5


def test_without_a_model_it_says_what_to_do(tmp_path: Path) -> None:
    done = _run(tmp_path, "hola")
    assert done.returncode == 1
    assert "tendero train" in done.stderr


def _found(intent: str) -> Explanation:
    return Explanation("text", None, [], [(intent, 0.9)], [], "action", "RulePolicy")


def test_an_example_that_pulls_the_other_way_is_named() -> None:
    near = [(0.9, "request_return", "send the boots back"), (0.8, "request_exchange", "swap the boots")]
    assert '"swap the boots" (request_exchange)' in advice(_found("request_return"), near)
    assert "add the sentence" in advice(_found("request_return"), near[:1])
