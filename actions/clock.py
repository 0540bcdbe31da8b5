"""What time it is. The only place in the action server that asks the machine; everything below gets it as an argument."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path

CLOCK_FILE = "TENDERO_CLOCK_FILE"  # a file with an ISO instant: tests of opening hours stop the clock with it


def now() -> datetime:
    """The present instant in UTC."""
    stopped = os.environ.get(CLOCK_FILE)
    text = Path(stopped).read_text().strip() if stopped and Path(stopped).exists() else ""
    return datetime.fromisoformat(text).astimezone(timezone.utc) if text else datetime.now(timezone.utc)
