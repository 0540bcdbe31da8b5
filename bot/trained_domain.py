"""The domain of a trained model as the model's metadata has it: Rasa reads it from YAML once more, which is most of a start."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelMetadata, ModelStorage
from rasa.graph_components.providers.domain_provider import DomainProvider


class TrainedDomain(DomainProvider):
    """Config: `domain`, the one to provide."""

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> TrainedDomain:
        return cls(model_storage, resource, config["domain"])


def schema_with_domain(metadata: ModelMetadata) -> GraphSchema:
    """The graph that answers messages; whatever needs the domain gets the one that has been read with the metadata."""
    nodes = {
        name: replace(node, uses=TrainedDomain, config={**node.config, "domain": metadata.domain})
        if node.uses is DomainProvider
        else node
        for name, node in metadata.predict_schema.nodes.items()
    }
    return GraphSchema(nodes)
