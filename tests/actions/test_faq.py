"""Questions of the FAQ are answered by what the bot has found for them, else by their words."""

from __future__ import annotations

from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import faq
from actions.conversation import ActionMisunderstood
from actions.faq import ActionAnswerFaq
from commerce.faq import ANSWER_FROM_MEANING, NEAR_MEANING, Ranking

SAID = "got a spot in your crew"  # in no words of the entry `jobs`


@pytest.fixture(autouse=True)
def _database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENDERO_DATABASE_URL", database_url)


def ranking(text: str = SAID, version: str | None = None, **scores: float) -> Ranking:
    entries = [{"id": name, "score": score, "words": 0.0} for name, score in scores.items()]
    return {"text": text, "language": "en", "version": version or faq._versions()["en"], "entries": entries}


def heard(text: str, intent: str, rankings: list[Ranking]) -> dict[str, Any]:
    parsed = {"text": text, "intent": {"name": intent, "confidence": 0.9}, "entities": [], "faq": rankings}
    return {"event": "user", "text": text, "parse_data": parsed}


def answered(action: Any, events: list[dict[str, Any]], carried: dict[str, Any] | None = None) -> list[str]:
    """The ids of the entries that are told; else the responses."""
    slots = {"language": "en", "carried": carried}
    parsed = next(event["parse_data"] for event in reversed(events) if event["event"] == "user")
    tracker = Tracker("s", slots, parsed, events, False, None, {}, None)
    dispatcher = CollectingDispatcher()
    action.run(dispatcher, tracker, {})
    return [(message.get("custom") or {}).get("faq") or message["response"] for message in dispatcher.messages]


def to(text: str, *rankings: Ranking, action: Any = None, intent: str = "ask_faq") -> list[str]:
    listened = {"event": "action", "name": "action_listen"}
    return answered(action or ActionAnswerFaq(), [listened, heard(text, intent, list(rankings))])


def test_what_the_bot_has_found_is_answered() -> None:
    assert to(SAID) == ["utter_faq_none"]
    assert to(SAID, ranking(jobs=ANSWER_FROM_MEANING)) == ["jobs"]


def test_message_that_no_intent_knows_is_answered_by_what_the_bot_has_found() -> None:
    said = to(SAID, ranking(jobs=ANSWER_FROM_MEANING), action=ActionMisunderstood(), intent="nlu_fallback")
    assert said == ["jobs"]


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({"jobs": NEAR_MEANING}, ["jobs"]),
        ({"jobs": NEAR_MEANING, "warranty": NEAR_MEANING}, ["utter_faq_which"]),
        ({"jobs": NEAR_MEANING - 0.01}, ["utter_faq_none"]),
    ],
)
def test_what_is_near_is_told_where_nothing_fits_well(scores: dict[str, float], said: list[str]) -> None:
    assert to(SAID, ranking(**scores)) == said


def test_message_that_no_intent_knows_is_not_answered_by_what_is_merely_near() -> None:
    said = to(SAID, ranking(jobs=NEAR_MEANING), action=ActionMisunderstood(), intent="nlu_fallback")
    assert said == ["utter_misunderstood"]


def test_where_nothing_was_found_words_find_nothing_either() -> None:
    assert to("how do i pay", ranking("how do i pay")) == ["utter_faq_none"]


@pytest.mark.parametrize(
    "of_another", [ranking("is there parking?", "v", jobs=0.9), {"text": "hm", "language": "en", "version": "v", "entries": []}]
)
def test_ranking_of_other_questions_or_another_text_does_not_count(of_another: Ranking) -> None:
    assert to("is there parking?", of_another) == ["store_parking"]


def test_entry_that_is_gone_is_not_told() -> None:
    assert to(SAID, ranking(gone=0.9)) == ["utter_faq_none"]
    assert to(SAID, ranking(gone=0.9, jobs=0.5)) == ["jobs"]


def test_second_request_is_answered_by_what_was_found_when_it_was_said() -> None:
    begun = [
        {"event": "action", "name": "action_listen"},
        heard(f"where is 10203 and {SAID}", "track_order", [ranking(jobs=0.6)]),
        {"event": "action", "name": "action_listen"},
        heard("yes", "affirm", []),
        {"event": "action", "name": "action_follow_offer"},
    ]
    assert answered(ActionAnswerFaq(), begun, {"text": SAID, "entities": []}) == ["jobs"]


def test_answer_is_that_of_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model knows no answers: one that was edited since is told as edited."""
    dispatcher = CollectingDispatcher()
    events = [{"event": "action", "name": "action_listen"}, heard(SAID, "ask_faq", [ranking(jobs=0.6)])]
    tracker = Tracker("s", {"language": "en"}, events[1]["parse_data"], events, False, None, {}, None)
    edited = [each for each in faq._entries() if each.id != "jobs"]
    edited += [type(each)(**{**vars(each), "answer": "Write to us."}) for each in faq._entries() if each.id == "jobs"]
    monkeypatch.setattr(faq, "_entries", lambda: tuple(edited))
    ActionAnswerFaq().run(dispatcher, tracker, {})
    assert "Write to us." in dispatcher.messages[0]["answer"]
