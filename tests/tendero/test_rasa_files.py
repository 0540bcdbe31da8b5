"""What Rasa is started with: the files at the root, the action server's port, REST for the demo only."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tendero.environment import PROJECT
from tendero.rasa_files import write_credentials, write_endpoints


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "endpoints.yml").write_text("action_endpoint: {url: 'http://127.0.0.1:5055/webhook'}\ntracker_store: {type: x.Y}\n")
    (folder / "credentials.yml").write_text("bot.channels.webchat.WebChatInput: {}\nwhatsapp: {token: '${TOKEN}'}\n")
    return folder


def test_endpoints_name_the_port_of_this_time_and_keep_the_rest(project: Path, tmp_path: Path) -> None:
    content = yaml.safe_load(write_endpoints(tmp_path, 5061, project).read_text())
    assert content == {"action_endpoint": {"url": "http://127.0.0.1:5061/webhook"}, "tracker_store": {"type": "x.Y"}}


def test_demo_has_its_page_and_rest_beside_the_shops_channels(project: Path, tmp_path: Path) -> None:
    content = yaml.safe_load(write_credentials(tmp_path, True, project).read_text())
    assert list(content) == ["bot.channels.demo_shop.DemoShopPage", "rest", "bot.channels.webchat.WebChatInput", "whatsapp"]


def test_real_shop_has_neither(project: Path, tmp_path: Path) -> None:
    content = yaml.safe_load(write_credentials(tmp_path, False, project).read_text())
    assert list(content) == ["bot.channels.webchat.WebChatInput", "whatsapp"]


def test_no_shop_gets_the_demos_page_by_itself() -> None:
    assert not [name for name in yaml.safe_load((PROJECT / "credentials.yml").read_text()) if "demo" in name]


def test_secrets_are_not_filled_in(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "very secret")
    text = write_credentials(tmp_path, True, project).read_text()
    assert "${TOKEN}" in text
    assert "very secret" not in text
