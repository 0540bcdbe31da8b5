"""Answers that only the code says are not unused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tendero.said_by_actions import Said, asked_by_forms, said_in

CODE = '''
"""Docstrings that speak of utter_nothing name no answer."""
turn.say("utter_menu")
turn.say(f"utter_progress_{kind}")
turn.say(f"utter_refused_{task}_{reason}", extra=f"{x} utter_middle")
prefix = "utter_"
'''


@pytest.fixture
def said(tmp_path: Path) -> Said:
    (tmp_path / "orders.py").write_text(CODE)
    return said_in([tmp_path], tmp_path)


def test_names_are_found_with_their_place(said: Said) -> None:
    assert said.names == {"utter_menu": "orders.py:3"}


def test_beginnings_are_those_of_names_that_are_put_together(said: Said) -> None:
    assert said.beginnings == {"utter_progress_": "orders.py:4", "utter_refused_": "orders.py:5"}


def test_answer_of_a_said_beginning_is_said(said: Said) -> None:
    assert said.has("utter_progress_late")


def test_answer_that_nobody_says_is_not(said: Said) -> None:
    assert not said.has("utter_weather")


def test_forms_ask_for_their_slots() -> None:
    domain = {"forms": {"return_form": {"required_slots": ["code"]}}}
    assert asked_by_forms(domain) == {"utter_ask_return_form_code", "utter_ask_code"}
