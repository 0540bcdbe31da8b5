"""Examples are checked without the slow reader, unless something is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest
from rasa.shared.exceptions import YamlException
from rasa.shared.utils import io, validation

from tendero.rasa_jobs.yaml_checks import check_fast

SCHEMA = "shared/nlu/training_data/schemas/nlu.yml"
SOUND = "nlu:\n- intent: greet\n  examples: |\n    - hello\n"
BROKEN = [SOUND + "- intent: bye\n  exampels: |\n    - bye\n", SOUND + "nlu: []\n", "nlu: [", "nlu:\n- {intent: a, intent: b}\n"]
RASAS = validation.validate_yaml_schema


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The kinds of reader that were used on examples."""
    used: list[Any] = []
    read = io.read_yaml

    def reading(content: str, reader_type: Any = "safe") -> Any:
        used.extend([reader_type] if content.startswith("nlu") else [])
        return read(content, reader_type)

    monkeypatch.setattr(io, "read_yaml", reading)
    monkeypatch.setattr(validation, "validate_yaml_schema", RASAS)
    check_fast()
    return used


def test_what_is_sound_is_read_fast(readers: list[Any]) -> None:
    validation.validate_yaml_schema(SOUND, SCHEMA)
    assert readers == ["safe"]


@pytest.mark.parametrize("content", BROKEN)
def test_what_is_wrong_is_told_as_rasa_tells_it(content: str, readers: list[Any]) -> None:
    with pytest.raises(YamlException) as rasas:
        RASAS(content, SCHEMA)
    with pytest.raises(YamlException) as ours:
        validation.validate_yaml_schema(content, SCHEMA)
    assert str(ours.value) == str(rasas.value)
