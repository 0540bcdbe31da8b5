"""What the server leaves out of its process: TensorFlow where the model does not need it, and what only other channels need.

Rasa imports all of its components with TensorFlow, and all of its channels, stores and brokers with the packages that they
talk through. That is most of the time of a start and of the memory of a process that uses none of it. docs/adr/0011 says more.
"""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import yaml

from bot.stand_ins import StandIns

FORCE = "TENDERO_TENSORFLOW"  # environment variable; "1": everything is imported
ADVICE = f"no component or channel here needs it. With {FORCE}=1 everything is imported."
METADATA = "metadata.json"

TENSORFLOW = frozenset({"tensorflow", "tensorflow_addons", "tensorflow_hub", "tensorflow_text", "keras", "jax", "jaxlib"})
NEED_TENSORFLOW = frozenset(
    {
        "DIETClassifier",
        "ResponseSelector",
        "ConveRTFeaturizer",
        "LanguageModelFeaturizer",
        "TEDPolicy",
        "UnexpecTEDIntentPolicy",
    }
)
SCIKIT_LEARN = frozenset({"sklearn", "sklearn_crfsuite"})
NEED_SCIKIT_LEARN = NEED_TENSORFLOW | {
    "CountVectorsFeaturizer",
    "CRFEntityExtractor",
    "LogisticRegressionClassifier",
    "SklearnIntentClassifier",
}

OUR_CHANNELS = ("bot.", "desk.")  # by the beginning of their dotted paths
OF_CHANNELS = {  # by the name of Rasa's channel in credentials.yml
    "facebook": {"fbmessenger"},
    "hangouts": {"google.auth", "google.oauth2"},
    "rocketchat": {"rocketchat_API"},
    "slack": {"slack_sdk"},
    "socketio": {"socketio", "engineio"},
    "telegram": {"aiogram"},
    "twilio": {"twilio"},
    "twilio_voice": {"twilio"},
    "webexteams": {"webexteamssdk"},
}
# Our tracker store is the only one, timers are in the database, and nobody types into a server.
OF_NOBODY = frozenset(
    {
        "aio_pika",
        "apscheduler",
        "boto3",
        "botocore",
        "confluent_kafka",
        "dask",
        "google.cloud",
        "matplotlib",
        "networkx",
        "prompt_toolkit",
        "pymongo",
        "questionary",
        "redis",
        "sentry_sdk",
        "spacy.cli",
    }
)


_left_out: frozenset[str] = frozenset()  # of this process


def leave_out_unused(model: str | Path, credentials: str | Path) -> None:
    """Put stand-ins in the place of what this model and these channels do not need. Before Rasa is imported."""
    global _left_out
    if os.environ.get(FORCE) == "1":
        return
    try:
        packages = unused(components(model), channels(credentials))
    except (OSError, ValueError, LookupError, tarfile.TarError, yaml.YAMLError):
        return  # no such model, or none at all: whoever loads it says so in words
    _left_out = packages
    StandIns(packages, ADVICE).install()


def missing(model: str | Path, credentials: str | Path) -> frozenset[str]:
    """What this process has left out and this model may need. Raises what reading the model raises."""
    return _left_out - unused(components(model), channels(credentials))


def leave_out_of_training(config: str | Path) -> None:
    """TensorFlow alone, where a training by this configuration does not need it. Before Rasa is imported."""
    content = yaml.safe_load(Path(config).read_text(encoding="utf-8")) or {}
    if os.environ.get(FORCE) != "1" and not trains_with_tensorflow(content):
        StandIns(TENSORFLOW, ADVICE).install()


def trains_with_tensorflow(config: dict[str, Any]) -> bool:
    """Whether a component of this configuration needs it, or may: where there are none, Rasa takes its own."""
    if not (config.get("pipeline") and config.get("policies")):
        return True
    names = [str(each["name"]) for each in (*config["pipeline"], *config["policies"])]
    if any("." in name and not name.startswith(("rasa.", "bot.")) for name in names):
        return True
    return any(name.rpartition(".")[2] in NEED_TENSORFLOW for name in names)


def unused(components: Collection[str], channels: Collection[str]) -> frozenset[str]:
    """The packages that can be left out. components: dotted paths of classes. Of a foreign one nobody knows what it needs."""
    if any(not component.startswith(("rasa.", "bot.")) for component in components):
        return frozenset()
    if any("." in channel and not channel.startswith(OUR_CHANNELS) for channel in channels):
        return frozenset()
    names = {component.rpartition(".")[2] for component in components}
    of_components = [
        packages for packages, need in ((TENSORFLOW, NEED_TENSORFLOW), (SCIKIT_LEARN, NEED_SCIKIT_LEARN)) if not names & need
    ]
    return frozenset().union(OF_NOBODY, *of_components, _of_other_channels(channels))


def _of_other_channels(channels: Collection[str]) -> frozenset[str]:
    needed = _all(OF_CHANNELS.get(channel, set()) for channel in channels)
    return _all(OF_CHANNELS.values()) - needed


def _all(packages: Iterable[set[str]]) -> frozenset[str]:
    return frozenset().union(*packages)


def components(model: str | Path) -> list[str]:
    """The classes of the graph that answers messages, by their dotted paths: read from the model's metadata."""
    with tarfile.open(model) as archive:
        content = next((archive.extractfile(each) for each in archive if each.name.lstrip("./") == METADATA), None)
        if content is None:
            raise LookupError(f"{model} has no {METADATA}")
        schema = json.load(content)["predict_schema"]
    return [node["uses"] for node in schema["nodes"].values()]


def channels(credentials: str | Path) -> list[str]:
    content = yaml.safe_load(Path(credentials).read_text(encoding="utf-8"))
    return list(content or {})
