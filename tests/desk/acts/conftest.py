"""A shop, a shopper who is proven in the web chat, and people of ours who act for her: without a server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from desk.acts import offered
from tests.desk.acts.acting import Acting

Make = Callable[..., Acting]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENDERO_HOME", str(tmp_path))
    monkeypatch.setenv("TENDERO_SECRET", "a secret of the tests, long enough")


@pytest.fixture
def acting(session: Session) -> Acting:
    return Acting(session)


@pytest.fixture
def kinds(acting: Acting) -> Callable[..., list[str]]:
    """The kinds that are offered to Marta."""

    def found(**more: Any) -> list[str]:
        return [each["kind"] for each in offered(acting.session, acting.marta, acting.handoff(), acting.now, **more)]

    return found
