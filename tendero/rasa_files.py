"""The two files that Rasa is started with: those at the root, with what only a running shop knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tendero.environment import PROJECT

HEAD = "# Written anew at every start from {source} at the root: change that one.\n"
# REST trusts whoever calls it, and the demo shop's page lets everybody be one of its customers.
DEMO_CHANNELS = ("bot.channels.demo_shop.DemoShopPage", "rest")


def write_endpoints(home: Path, action_port: int, project: Path = PROJECT) -> Path:
    """`endpoints.yml` with the action server where it listens this time."""
    content = _read(project / "endpoints.yml")
    content["action_endpoint"] = {**(content.get("action_endpoint") or {}), "url": f"http://127.0.0.1:{action_port}/webhook"}
    return _write(home / "endpoints.yml", content)


def write_credentials(home: Path, is_demo: bool, project: Path = PROJECT) -> Path:
    """`credentials.yml`, and for the demo its page and the REST channel. Secrets stay ${ENV}: Rasa fills them in."""
    content = _read(project / "credentials.yml")
    if is_demo:
        content = {**dict.fromkeys(DEMO_CHANNELS), **content}
    return _write(home / "credentials.yml", content)


def _read(file: Path) -> dict[str, Any]:
    content = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else None
    return content if isinstance(content, dict) else {}


def _write(file: Path, content: dict[str, Any]) -> Path:
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    file.write_text(HEAD.format(source=file.name) + text, encoding="utf-8")
    return file
