"""The domain in a model's metadata is the one that Rasa keeps as YAML beside it."""

from __future__ import annotations

from pathlib import Path

from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.graph_components.providers.domain_provider import DomainProvider
from rasa.shared.core.domain import Domain

from bot.trained_domain import TrainedDomain, schema_with_domain
from tendero.rasa_jobs.yaml_lists import keep_resolvers
from tests.conversations.stage import trained_model


def test_domain_of_the_metadata_is_that_of_the_models_yaml(tmp_path: Path) -> None:
    keep_resolvers()
    _, metadata = LocalModelStorage.from_model_archive(tmp_path, trained_model())
    kept = Domain.from_path(tmp_path / "domain_provider")
    assert metadata.domain.fingerprint() == kept.fingerprint()
    assert metadata.domain.input_states == kept.input_states
    provider = next(node for node in schema_with_domain(metadata).nodes.values() if issubclass(node.uses, DomainProvider))
    assert provider.uses is TrainedDomain
    assert provider.config["domain"] is metadata.domain
