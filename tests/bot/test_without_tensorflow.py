"""What the server's process leaves out: what its model and its channels do not need, and only that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from bot.stand_ins import LeftOut, StandIns
from bot.without_tensorflow import NEED_SCIKIT_LEARN, NEED_TENSORFLOW, channels, components, trains_with_tensorflow, unused
from tests.conversations.stage import ROOT, trained_model

LIGHT = [
    "rasa.nlu.tokenizers.whitespace_tokenizer.WhitespaceTokenizer",
    "bot.nlu.linear_intent_classifier.LinearIntentClassifier",
]
DIET = "rasa.nlu.classifiers.diet_classifier.DIETClassifier"

# As `python -m bot.server` does, without listening: leave out, load the model, understand a sentence.
SERVE = """
import asyncio, json, sys
from bot.without_tensorflow import leave_out_unused
model, credentials = sys.argv[1:]
leave_out_unused(model, credentials)
from bot.server import _channels
from bot.stand_ins import StandInModule
from bot.action_call import ActionServer
from bot.agent import TurnAgent
from bot.tracker_store import ConversationTrackerStore
from rasa.core.channels.channel import UserMessage
agent = TurnAgent(ConversationTrackerStore(), ActionServer("http://127.0.0.1:1/webhook"))
agent.load_model(model)
parsed = asyncio.run(agent.processor.parse_message(UserMessage("where is my order 10232?")))
said = {"intent": parsed["intent"]["name"], "channels": [channel.name() for channel in _channels(credentials)]}
real = {name for name, module in sys.modules.items() if not isinstance(module, StandInModule)}
print(json.dumps({**said, "real": sorted(real & {"tensorflow", "sklearn", "slack_sdk", "twilio", "pymongo", "matplotlib"})}))
"""
IMPORT = """
import json, sys
from bot.without_tensorflow import leave_out_unused
leave_out_unused(*sys.argv[1:])
import rasa.nlu.classifiers.diet_classifier, tensorflow
print(json.dumps({"version": tensorflow.__version__}))
"""


def said_by(code: str, *arguments: Path, **environment: str) -> dict[str, Any]:
    """What a process of its own printed last."""
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, arguments)]
    known = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    done = subprocess.run(command, cwd=ROOT, env=known, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def model_of(folder: Path, *uses: str) -> Path:
    """An archive with nothing but the metadata of a model of these components."""
    metadata = folder / "metadata.json"
    metadata.write_text(json.dumps({"predict_schema": {"nodes": {each: {"uses": each} for each in uses}}}), encoding="utf-8")
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        archive.add(metadata, arcname="metadata.json")
    return folder / "model.tar.gz"


def test_server_of_our_model_answers_without_tensorflow_and_with_the_channels_it_has(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials.yml"
    credentials.write_text("rest:\ntwilio: {account_sid: a, auth_token: b, twilio_number: c}\n", encoding="utf-8")
    said = said_by(SERVE, trained_model(), credentials, TENDERO_HOME=str(tmp_path))
    assert said == {"intent": "track_order", "channels": ["rest", "twilio"], "real": ["twilio"]}


def test_model_with_diet_brings_the_real_tensorflow(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials.yml"
    credentials.write_text("rest:\n", encoding="utf-8")
    assert said_by(IMPORT, model_of(tmp_path, *LIGHT, DIET), credentials)["version"].startswith("2.")


def test_components_are_read_from_the_model(tmp_path: Path) -> None:
    assert components(model_of(tmp_path, *LIGHT)) == LIGHT


@pytest.mark.parametrize(
    ("component", "is_needed"),
    [
        (DIET, True),
        ("rasa.core.policies.ted_policy.TEDPolicy", True),
        ("shop.nlu.OurOwn", True),  # nobody knows what it needs
        ("rasa.core.policies.rule_policy.RulePolicy", False),
    ],
)
def test_tensorflow_is_left_out_only_where_no_component_needs_it(component: str, is_needed: bool) -> None:
    assert ("tensorflow" in unused([*LIGHT, component], ["rest"])) is not is_needed


def test_package_of_a_configured_channel_is_not_left_out() -> None:
    assert "slack_sdk" in unused(LIGHT, ["rest", "bot.channels.webchat.WebChatInput"])
    assert "slack_sdk" not in unused(LIGHT, ["slack"])
    assert "twilio" in unused(LIGHT, ["slack"])


def test_channels_of_the_project_need_none_of_it() -> None:
    written = channels(ROOT / "credentials.yml")
    assert "desk.connector.DeskInput" in written
    assert "tensorflow" in unused(LIGHT, written)


def test_nothing_is_left_out_beside_a_channel_of_somebody_else() -> None:
    assert unused(LIGHT, ["rest", "shop.channels.Ours"]) == frozenset()


def test_all_of_rasas_components_that_import_tensorflow_or_scikit_learn_are_known() -> None:
    from rasa.engine.recipes.default_components import DEFAULT_COMPONENTS

    def importing(*words: str) -> set[str]:
        sources = {each.__name__: Path(sys.modules[each.__module__].__file__ or "").read_text() for each in DEFAULT_COMPONENTS}
        return {name for name, source in sources.items() if any(word in source for word in words)}

    assert importing("import tensorflow", "from tensorflow", "import keras") <= NEED_TENSORFLOW
    assert importing("import sklearn", "from sklearn") <= NEED_SCIKIT_LEARN


def test_stand_in_can_be_named_and_subclassed_and_tells_who_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    StandIns({"left_out_here", "google.left_out_here"}, "set X=1").install()
    import left_out_here.layers as layers  # type: ignore[import-not-found]
    from left_out_here import Tensor

    class Layer(layers.Dense, option=True):  # type: ignore[misc,call-arg]
        weights: dict[str, Tensor | layers.Dense.Inner]

    assert issubclass(Layer, layers.Dense)
    with pytest.raises(LeftOut, match=r"left_out_here\.Tensor was used.*set X=1"):
        Tensor(3)
    with pytest.raises(ModuleNotFoundError):
        import left_out_elsewhere  # type: ignore[import-not-found]  # noqa: F401


@pytest.mark.parametrize(
    ("pipeline", "needed"),
    [
        (["WhitespaceTokenizer", "bot.nlu.secret_masker.SecretMasker"], False),
        (["WhitespaceTokenizer", "DIETClassifier"], True),
        ([DIET], True),
        (["somebodys.Classifier"], True),
        ([], True),
    ],
)
def test_training_has_tensorflow_where_a_component_may_need_it(pipeline: list[str], needed: bool) -> None:
    config = {"pipeline": [{"name": name} for name in pipeline], "policies": [{"name": "RulePolicy"}]}
    assert trains_with_tensorflow(config) is needed
