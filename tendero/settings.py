"""What `tendero run` was asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 (names it; binds nothing)


@dataclass(frozen=True)
class Settings:
    """host, port: where the shop answers. action_port: None takes the first free one from 5055 on. watches: for what is saved."""

    home: Path
    database_url: str
    host: str = "127.0.0.1"
    port: int = 5005
    action_port: int | None = None
    with_demo: bool = True
    watches: bool = False

    @property
    def is_local(self) -> bool:
        return self.host in LOOPBACK

    @property
    def address(self) -> str:
        """What a browser on this machine opens."""
        return f"http://{'localhost' if self.host in LOOPBACK | EVERYWHERE else self.host}:{self.port}/"

    @property
    def probe_host(self) -> str:
        return "127.0.0.1" if self.host in EVERYWHERE else self.host
