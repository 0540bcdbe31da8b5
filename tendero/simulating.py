"""The simulated WhatsApp and the shop, wired to each other by secrets that are made up at each start."""

from __future__ import annotations

import json
import os
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from database import default_url, home_folder
from tendero import running
from tendero.children import Child
from tendero.environment import PROJECT
from tendero.obstacles import Obstacle, check_port
from tendero.settings import Settings
from tendero.terminal import say

CHANNEL = "bot.channels.whatsapp.WhatsAppInput"
WEBHOOK = "/webhooks/whatsapp/webhook"
# The same at each start: a shop knows people by their ids at this business.
PHONE_NUMBER_ID, BUSINESS_ACCOUNT_ID = "106540352242922", "102290129340398"


@dataclass(frozen=True)
class Wiring:
    """variables: what the connector reads, by the names of bot.channels.whatsapp.settings."""

    port: int
    shop_port: int
    webhook: str
    variables: Mapping[str, str] = field(repr=False)

    @classmethod
    def anew(cls, port: int, shop_port: int, webhook: str | None = None) -> Wiring:
        made_up = {name: secrets.token_urlsafe(24) for name in ("VERIFY_TOKEN", "APP_SECRET", "ACCESS_TOKEN")}
        known = {"PHONE_NUMBER_ID": PHONE_NUMBER_ID, "BUSINESS_ACCOUNT_ID": BUSINESS_ACCOUNT_ID}
        variables = {**made_up, **known, "GRAPH_API_URL": f"http://127.0.0.1:{port}"}
        url = webhook or f"http://127.0.0.1:{shop_port}{WEBHOOK}"
        return cls(port, shop_port, url, {f"WHATSAPP_{name}": value for name, value in variables.items()})

    @property
    def page(self) -> str:
        return f"http://localhost:{self.port}/"

    @property
    def arguments(self) -> list[str]:
        """Of `python -m tendero.simulator.server`; the secrets are in its environment."""
        return ["--port", str(self.port), "--webhook", self.webhook, "--demo"]


def run_with_shop(wiring: Wiring) -> int:
    """Until Ctrl-C; the exit code. Raises Obstacle and what `running.run` raises."""
    check_credentials()
    if wiring.port == wiring.shop_port:
        raise Obstacle("--port and --shop-port have to differ.")
    check_simulator_port(wiring.port)
    home = home_folder()
    os.environ.update(wiring.variables)  # both processes inherit them
    told = (f"WhatsApp    {wiring.page}  (simulated: it costs nothing and goes nowhere)",)
    settings = Settings(home, default_url(), port=wiring.shop_port)
    return running.run(settings, running.Beside(lambda: _start(wiring, home), told))


def serve_alone(wiring: Wiring, allow_remote: bool) -> None:
    """Until Ctrl-C. Raises Obstacle."""
    from tendero.simulator import server

    os.environ.update(wiring.variables)
    options = server.read_arguments([*wiring.arguments, *(["--allow-remote"] if allow_remote else [])])
    server.check_webhook(options.webhook, allow_remote)
    check_simulator_port(wiring.port)
    say(f"The page is at {wiring.page}; webhooks go to {wiring.webhook}. For your bot:\n")
    for name, value in wiring.variables.items():
        say(f"export {name}={shlex.quote(value)}")
    say("\nCtrl-C ends it.")
    server.serve(options)


def _start(wiring: Wiring, home: Path) -> Child:
    arguments = [*wiring.arguments, "--templates", str(write_templates(home / "simulated-templates.json"))]
    return Child("WhatsApp simulator", "tendero.simulator.server", arguments, home / "logs" / "simulator.log")


def write_templates(file: Path) -> Path:
    """Those of data/templates/whatsapp.yml, as if Meta had approved them. Raises Obstacle."""
    from bot.channels.whatsapp.templates import TemplateError, file_of_templates, templates
    from tendero.whatsapp.approved import to_create

    try:
        known = [to_create(each) for each in templates(file_of_templates()).all]
    except TemplateError as error:
        raise Obstacle(str(error)) from error
    file.write_text(json.dumps(known, ensure_ascii=False, indent=1), encoding="utf-8")
    return file


def check_simulator_port(port: int) -> None:
    """Raises Obstacle: the port is taken."""
    try:
        check_port("127.0.0.1", port, "PORT")
    except Obstacle as obstacle:
        raise Obstacle(f"Port {port} cannot be used for the simulator. Choose another with --port.") from obstacle


def check_credentials(project: Path = PROJECT) -> None:
    """What credentials.yml has itself wins over what the simulator says: a real number could be used. Raises Obstacle."""
    file = project / "credentials.yml"
    content: Any = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
    written = (content or {}).get(CHANNEL) or {}
    own = sorted(key for key, value in written.items() if value != f"${{WHATSAPP_{key.upper()}}}" and key != "graph_api_version")
    if own:
        raise Obstacle(
            f"credentials.yml sets {', '.join(own)} of WhatsApp itself, so messages might go to real people. "
            f"Write ${{WHATSAPP_{own[0].upper()}}} there, or nothing, and set the variable instead."
        )
