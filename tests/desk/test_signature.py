"""The lines of docs/signatures.md that check a call of ours take what we send, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from desk.signature import DELIVERY, FRESH, HEADER, TIMESTAMP, is_signed, signed_headers
from tendero.environment import PROJECT
from tests.desk.people import NOW

SECRET = "a secret of the shop, long enough"
BODY = '{"kind": "warned", "title": "Señal"}'.encode()
AT = NOW.timestamp()
Check = Callable[[dict[str, str], bytes, str], bool]


@pytest.fixture
def documented() -> Callable[[float], Check]:
    """The function in the page, at a time."""
    (example,) = re.findall(r"```python\n(.*?)```", (PROJECT / "docs" / "signatures.md").read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)

    def at(seconds: float) -> Check:
        names["time"] = SimpleNamespace(time=lambda: seconds)
        check: Check = names["is_from_tendero"]
        return check

    return at


def ours(headers: dict[str, str], body: bytes, secret: str, now: float = AT) -> bool:
    return is_signed(body, headers.get(HEADER), headers.get(TIMESTAMP), secret, now)


HEADERS = signed_headers(BODY, "e31", SECRET, AT + 0.9)


def test_headers_name_the_delivery_and_the_second() -> None:
    assert (HEADERS[DELIVERY], HEADERS[TIMESTAMP], HEADERS["Content-Type"]) == ("e31", str(int(AT)), "application/json")


def test_what_we_send_is_taken(documented: Callable[[float], Check]) -> None:
    assert documented(AT + 1)(HEADERS, BODY, SECRET)
    assert ours(HEADERS, BODY, SECRET)


@pytest.mark.parametrize("later", [-FRESH - 1, FRESH + 2, timedelta(days=365).total_seconds()])
def test_what_was_overheard_cannot_be_played_again_later(documented: Callable[[float], Check], later: float) -> None:
    assert not documented(AT + later)(HEADERS, BODY, SECRET)
    assert not ours(HEADERS, BODY, SECRET, AT + later)


@pytest.mark.parametrize(
    ("headers", "body", "secret"),
    [
        (HEADERS, BODY + b" ", SECRET),
        (HEADERS, BODY, SECRET + "?"),
        ({**HEADERS, TIMESTAMP: str(int(AT) + 1)}, BODY, SECRET),
        ({**HEADERS, TIMESTAMP: ""}, BODY, SECRET),
        ({**HEADERS, TIMESTAMP: f"-{int(AT)}"}, BODY, SECRET),
        ({**HEADERS, HEADER: HEADERS[HEADER].removeprefix("sha256=")}, BODY, SECRET),
        ({**HEADERS, HEADER: "sha256=é"}, BODY, SECRET),
        ({DELIVERY: "e31"}, BODY, SECRET),
    ],
)
def test_anything_else_is_refused(
    documented: Callable[[float], Check], headers: dict[str, str], body: bytes, secret: str
) -> None:
    assert not documented(AT)(headers, body, secret)
    assert not ours(headers, body, secret)
