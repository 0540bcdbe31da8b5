"""What a send may look like: our limits, the simulator's, and Meta's own description of the call, where it is at hand."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from bot.channels.whatsapp.limits import excess
from bot.channels.whatsapp.payloads import signed
from bot.channels.whatsapp.rendering import body, divide
from messaging.replies import File
from tendero.simulator.checks import read

SAMPLES = os.environ.get("TENDERO_WHATSAPP_SAMPLES")
KEY = b"a key of the tests, long enough"


def sign(payload: str) -> str:
    return signed(payload, KEY)


def uploaded(file: File, _kind: str) -> Mapping[str, str]:
    return {"link": file.address} if file.is_link else {"id": "1234567890"}


def sent(content: Mapping[str, Any], language: str = "en") -> list[dict[str, Any]]:
    """The bodies of all the messages that a content becomes, each of which fits."""
    bodies = [body(piece, sign, uploaded) for piece in divide(content, language)]
    for each in bodies:
        assert_fits(each)
    return bodies


def assert_fits(message: Mapping[str, Any]) -> None:
    assert list(excess(message)) == []
    whole = {"messaging_product": "whatsapp", "to": "+5215512345678", **json.loads(json.dumps(message))}
    read(whole)  # as the simulator does; raises where it would refuse
    if validator := _validator():
        errors = [f"{list(error.absolute_path)}: {error.message}" for error in validator.iter_errors(whole)]
        assert errors == [], json.dumps(message)[:2000]


@cache
def _validator() -> Any:
    if not SAMPLES:
        return None
    import jsonschema

    return jsonschema.Draft202012Validator(json.loads((Path(SAMPLES) / "send.schema.json").read_text()))
