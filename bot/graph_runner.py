"""Runs the graph of a trained model node by node. Dask, which Rasa uses, plans each run anew: that costs more than the nodes."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphNode, GraphNodeHook, GraphSchema
from rasa.engine.runner.interface import GraphRunner
from rasa.engine.storage.storage import ModelStorage


class PlannedGraphRunner(GraphRunner):
    """The order of the nodes is worked out once for each set of targets."""

    def __init__(
        self,
        graph_schema: GraphSchema,
        model_storage: ModelStorage,
        execution_context: ExecutionContext,
        hooks: list[GraphNodeHook] | None = None,
    ) -> None:
        self._schema = graph_schema
        self._nodes = {
            name: GraphNode.from_schema_node(name, node, model_storage, execution_context, hooks)
            for name, node in graph_schema.nodes.items()
        }
        self._plans: dict[tuple[str, ...], list[str]] = {}

    @classmethod
    def create(
        cls,
        graph_schema: GraphSchema,
        model_storage: ModelStorage,
        execution_context: ExecutionContext,
        hooks: list[GraphNodeHook] | None = None,
    ) -> PlannedGraphRunner:
        return cls(graph_schema, model_storage, execution_context, hooks)

    @property
    def components(self) -> list[Any]:
        """What was loaded for the nodes."""
        return [node._component for node in self._nodes.values()]

    def run(self, inputs: dict[str, Any] | None = None, targets: list[str] | None = None) -> dict[str, Any]:
        """The results of the targets."""
        wanted = tuple(targets or self._schema.target_names)
        results: dict[str, Any] = dict(inputs or {})
        if wanted not in self._plans:
            self._plans[wanted] = self._planned(wanted)
        for name in self._plans[wanted]:
            needs = self._schema.nodes[name].needs.values()
            _, results[name] = self._nodes[name](*((each, results[each]) for each in needs))
        return {name: results[name] for name in wanted}

    def _planned(self, wanted: tuple[str, ...]) -> list[str]:
        order: list[str] = []

        def visit(name: str) -> None:
            if name in order or name not in self._schema.nodes:  # not a node: an input
                return
            for needed in self._schema.nodes[name].needs.values():
                visit(needed)
            order.append(name)

        for name in wanted:
            visit(name)
        return order
