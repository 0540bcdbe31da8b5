"""Reading YAML in a time that grows with the file, not with its square.

For each scalar, ruamel.yaml 0.17 does `resolvers += more` on a list that belongs to the reader (or, with its C library, to the
process), so that the list of patterns to try grows with every scalar that was read. Rasa reads each file of a project several
times and is held to this version: a project of our size pays ten seconds for it at each start, and more in a training.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class Unshared(list[Any]):
    """A list of which `+=` makes a new one: what belongs to the reader stays as it is."""

    def __iadd__(self, more: Iterable[Any]) -> Unshared:  # type: ignore[misc]
        return Unshared([*self, *more])


def keep_resolvers() -> None:
    """Make every list of patterns, there now or made later, one that does not grow by being used."""
    from ruamel.yaml import resolver

    classes = [each for each in vars(resolver).values() if isinstance(each, type)]
    owners: list[Any] = [each for each in classes if "yaml_implicit_resolvers" in vars(each)]
    for each in owners:
        each.yaml_implicit_resolvers = {first: Unshared(known) for first, known in each.yaml_implicit_resolvers.items()}
    resolver.VersionedResolver.add_version_implicit_resolver = _add


def _add(self: Any, version: Any, tag: Any, pattern: Any, first: Iterable[Any] | None) -> None:
    """As in ruamel.yaml, with the other kind of list."""
    known = self._version_implicit_resolver.setdefault(version, {})
    for character in [None] if first is None else first:
        known.setdefault(character, Unshared()).append((tag, pattern))
