"""An action that fails says so: whichever it is, and whatever fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.loyalty import ActionTellPoints, CheckPointsForm
from database import Base, default_url, engine_for
from tests.contract.test_data_and_code import _registered

UNHEARD = {"action_session_start"}  # runs before anybody has written


def failed(**slots: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """What an action returns and says that is begun although nobody is known."""
    message = {"intent": {"name": "check_points", "confidence": 1.0}, "text": "my points", "entities": []}
    heard = [{"event": "action", "name": "action_listen"}, {"event": "user", "input_channel": "test"}]
    known = {"current_task": CheckPointsForm.form, "language": "en", **slots}
    tracker = Tracker("web-1", known, message, heard, False, None, {}, "action_listen")
    dispatcher = CollectingDispatcher()
    events = ActionTellPoints().run(dispatcher, tracker, {})
    return events, [each["response"] for each in dispatcher.messages]


@pytest.mark.parametrize("name", sorted(_registered().keys() - UNHEARD))
def test_no_action_is_silent_when_it_fails(name: str) -> None:
    assert hasattr(_registered()[name].run, "__wrapped__")


def test_failure_is_said_and_a_person_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENDERO_HOME", str(tmp_path))
    monkeypatch.delenv("TENDERO_DATABASE_URL", raising=False)
    Base.metadata.create_all(engine_for(default_url()))
    events, said = failed()
    assert said[0] == "utter_failure"
    assert said[1].startswith("utter_handoff_")
    assert {"event": "slot", "timestamp": None, "name": "current_task", "value": None} in events


def test_failure_is_said_even_where_the_database_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENDERO_HOME", str(tmp_path))
    monkeypatch.setenv("TENDERO_DATABASE_URL", f"sqlite:///{tmp_path}/nowhere/tendero.db")
    _, said = failed()
    assert said == ["utter_failure"]
