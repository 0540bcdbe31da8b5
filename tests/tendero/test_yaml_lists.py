"""YAML that Rasa reads says the same, and the hundredth file is read as fast as the first."""

from __future__ import annotations

import subprocess
import sys

from tendero.environment import PROJECT

MEASURE = """
import sys
from ruamel.yaml import YAML, resolver
from tendero.rasa_jobs.yaml_lists import keep_resolvers

if sys.argv[1] == "mended":
    keep_resolvers()
resolver.Resolver.add_implicit_resolver("!env_var", __import__("re").compile(r"^\\\\$"), None)  # as Rasa does
tried = 0

class Counting:
    def match(self, text):
        global tried
        tried += 1

for known in (resolver.implicit_resolvers,):
    known.append(([(1, 1), (1, 2)], "!never", Counting(), [None]))
reader = YAML(typ="safe", pure=True)
print(reader.load("a: 012\\nb: yes\\nc: 1e3\\nd: 2020-01-01\\ne: [word, 'quoted', ~]\\n"))
tried = 0
reader.load("\\n".join(f"t{number}: text" for number in range(200)))
print(tried)
"""


def measure(how: str) -> list[str]:
    command = [sys.executable, "-c", MEASURE, how]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.splitlines()


def test_values_are_read_as_before() -> None:
    assert measure("mended")[0] == measure("as it is")[0]


def test_each_scalar_tries_each_pattern_once() -> None:
    assert measure("mended")[1] == "400"


def test_without_it_patterns_pile_up() -> None:
    """The reason for the module: when this fails, ruamel.yaml is mended and the module can go."""
    assert int(measure("as it is")[1]) > 10_000
