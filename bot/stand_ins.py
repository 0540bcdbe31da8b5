"""Stand-ins for packages that a process imports and does not use: importing them costs nothing, using them is an error.

Rasa imports all that any of its components or channels might need. What stands in can be imported, named in annotations and
subclassed; whoever calls it is told which package was left out, and how to have the real one.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Collection, Sequence
from types import ModuleType
from typing import Any


class LeftOut(ImportError):
    """A package was used that this process had been told it would not need. An ImportError: who can do without it, does."""


class StandInType(type):
    """A class that stands for whatever a left-out package has under its name; so do its attributes."""

    _name: str
    _advice: str

    def __getattr__(cls, name: str) -> Any:
        if _is_magic(name):
            raise AttributeError(name)
        return stand_in(f"{cls._name}.{name}", cls._advice)

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        raise LeftOut(f"{cls._name} was used, which was left out of this process: {cls._advice}")


class StandInModule(ModuleType):
    """A module of a left-out package. Its attributes are modules where one was imported by that name, else classes."""

    def __init__(self, name: str, advice: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []  # a package: it may have modules
        self._advice = advice

    def __getattr__(self, name: str) -> Any:
        if _is_magic(name):
            raise AttributeError(name)
        found = sys.modules.get(f"{self.__name__}.{name}") or stand_in(f"{self.__name__}.{name}", self._advice)
        setattr(self, name, found)
        return found


def stand_in(name: str, advice: str) -> StandInType:
    """A class by this name that cannot be used. Keywords of its subclasses (`class A(B, option=True)`) mean nothing."""
    ignores_keywords = classmethod(lambda cls, **_keywords: None)
    namespace = {"_name": name, "_advice": advice, "__init_subclass__": ignores_keywords, "__module__": name.rpartition(".")[0]}
    return StandInType(name.rpartition(".")[2], (), namespace)


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a stand-in for each of the packages (dotted names: `google.cloud`) and what is below them."""

    def __init__(self, packages: Collection[str], advice: str) -> None:
        self._packages = frozenset(packages)
        self._advice = advice

    def install(self) -> None:
        """From now on they are imported in their place; what was imported before stays real."""
        sys.meta_path.insert(0, self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not self._stands_for(fullname):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return StandInModule(spec.name, self._advice)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing in it."""

    def _stands_for(self, fullname: str) -> bool:
        parts = fullname.split(".")
        return any(".".join(parts[:length]) in self._packages for length in range(1, len(parts) + 1))


def _is_magic(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
