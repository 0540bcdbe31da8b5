"""What counts as a fault of a turn."""

from __future__ import annotations

from tests.conversations.runner import Played, Turn, faults

TURN = Turn("paypal", "inform", ["change_payment_form"], ["Shall I"])


def played(intent: str, words: str = "Shall I change it?") -> Played:
    return Played(intent, ["change_payment_form"], [{"text": words}])


def test_another_intent_is_a_fault() -> None:
    assert faults(TURN, played("change_payment")) == ["understood as change_payment, expected inform"]


def test_an_answer_that_is_taken_as_it_should_has_no_fault_whatever_it_is_understood_as() -> None:
    assert faults(TURN, played("change_payment"), is_answer=True) == []


def test_where_an_answer_is_not_taken_what_it_was_understood_as_is_told_first() -> None:
    found = faults(TURN, played("change_payment", "Sorry?"), is_answer=True)
    assert found == ["understood as change_payment, expected inform", "does not say 'Shall I'"]
